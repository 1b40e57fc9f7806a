/**
 * The backends that the suites run on, one row each: how to make a fresh file system on it, and how
 * to see it again after a remount where it persists.
 *
 * To add a backend, add a row. Used by `tests/conformance/conformance_test.ts`.
 *
 * @module
 */
import { createFS } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { HOSTFS } from "../../node_ops/hostfs.ts";
import { PROXYFS } from "../../node_ops/proxyfs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { fileHandle } from "../../opfs/device/file.ts";
import type { StorageHandle } from "../../opfs/device/handle.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import { volumeCached } from "./cached_row.ts";
import type { Capability } from "../conformance/capabilities.ts";
import { LimitedHandle } from "./limited_handle.ts";
import { type RelayedOptions, RelayedVolume } from "./relayed_volume.ts";

/** What a fresh instance is made with. */
export interface MakeOptions {
  /** The time, in ms: of the instance and of the backend. */
  clock: () => number;
  /** About 1 MiB of space and few inodes, instead of plenty. */
  isSmall: boolean;
}

/** A file system whose root is the backend. */
export interface Instance {
  /** The file system. */
  readonly fs: FS;
  /** Closes the backend, opens it again, and gives a new file system over it. */
  remount?(): FS | Promise<FS>;
  /** Notifies a backend in another thread that the clock has moved. */
  moved?(): void;
  /** Looks for damage, lets go of everything, and fails if something is wrong. */
  close(): void | Promise<void>;
}

/** One backend. */
export interface BackendRow {
  /** Its name, as pending rows say it. */
  readonly name: string;
  /** The backend's own name. */
  readonly backend: string;
  /** What it cannot do, and has a rule for in `tests/conformance/capabilities.ts` instead. */
  readonly lacks?: readonly Capability[];
  /** Makes a fresh one. */
  make(options: MakeOptions): Instance | Promise<Instance>;
  /** Lets go of what instances share, after the last one. */
  dispose?(): void;
}

/** Space of a small file system, in bytes. */
const SMALL_BYTES = 2 ** 20;
/** Inodes of a small file system. */
const SMALL_INODES = 4096;

const memfs: BackendRow = {
  name: "MEMFS",
  backend: MEMFS.name,
  make({ clock, isSmall }) {
    const limits = isSmall ? { maxBytes: SMALL_BYTES, maxInodes: SMALL_INODES } : {};
    const options = { clock, ...limits };
    return { fs: createFS({ clock, root: { type: MEMFS, options } }), close: () => {} };
  },
};

/** A volume that is closed and opened again on devices of one kind. */
class VolumeInstance implements Instance {
  fs: FS;
  readonly #open: () => StorageHandle;
  readonly #clock: () => number;
  #volume: Volume;

  constructor(open: () => StorageHandle, clock: () => number) {
    this.#open = open;
    this.#clock = clock;
    this.#volume = openVolumeSync(open(), { clock });
    this.fs = this.#mount();
  }

  #mount(): FS {
    const options = { volume: this.#volume };
    return createFS({ clock: this.#clock, root: { type: VOLUMEFS, options } });
  }

  remount(): FS {
    this.fs.quit();
    this.#volume.close();
    this.#check();
    this.#volume = openVolumeSync(this.#open(), { clock: this.#clock });
    return this.fs = this.#mount();
  }

  #check(): void {
    const handle = this.#open();
    const { violations } = checkVolume(handle);
    handle.close();
    if (violations.length > 0) {
      throw new Error(`the check found: ${violations.map((found) => found.message).join("; ")}`);
    }
  }

  close(): void {
    this.fs.quit();
    this.#volume.close();
    this.#check();
  }
}

/** Device bytes of a small volume: its tables and journal take about half. */
export const SMALL_DEVICE_BYTES: number = 2 ** 21;

function limited(handle: StorageHandle, isSmall: boolean): StorageHandle {
  return isSmall ? new LimitedHandle(handle, SMALL_DEVICE_BYTES) : handle;
}

const volumeInMemory: BackendRow = {
  name: "volume in memory",
  backend: VOLUMEFS.name,
  make({ clock, isSmall }) {
    const handle = memoryHandle();
    return new VolumeInstance(() => limited(handle, isSmall), clock);
  },
};

const volumeInHostFile: BackendRow = {
  name: "volume in a host file",
  backend: VOLUMEFS.name,
  make({ clock, isSmall }) {
    const folder = Deno.makeTempDirSync({ prefix: "cairn-" });
    const open = (): StorageHandle => limited(fileHandle(`${folder}/image`), isSmall);
    const instance = new VolumeInstance(open, clock);
    const close = (): void => {
      try {
        instance.close();
      } finally {
        Deno.removeSync(folder, { recursive: true });
      }
    };
    return { fs: instance.fs, remount: () => instance.remount(), close };
  },
};

/** Another instance's directory. */
const proxied: BackendRow = {
  name: "PROXYFS",
  backend: PROXYFS.name,
  make({ clock, isSmall }) {
    const limits = isSmall ? { maxBytes: SMALL_BYTES, maxInodes: SMALL_INODES } : {};
    const root = { type: MEMFS, options: { clock, ...limits } };
    const other = createFS({ clock, root });
    other.umask(0);
    const options = { fs: other, path: "/" };
    return { fs: createFS({ clock, root: { type: PROXYFS, options } }), close: () => other.quit() };
  },
};

/** A directory of the host. */
const hosted: BackendRow = {
  name: "HOSTFS",
  backend: HOSTFS.name,
  lacks: [
    "clock",
    "limits",
    "special files",
    "creation order",
    "fractions of a millisecond",
    "holes",
    "allocation",
    "extended attributes",
    "exchange",
    "late names",
  ],
  make({ clock }) {
    const directory = Deno.makeTempDirSync({ prefix: "cairn-" });
    Deno.chmodSync(directory, 0o755);
    const mount = (): FS => createFS({ clock, root: { type: HOSTFS, options: { directory } } });
    return {
      fs: mount(),
      remount: mount,
      close: () => Deno.removeSync(directory, { recursive: true }),
    };
  },
};

/** Where a relayed volume is, how its worker starts, and how this thread waits. */
export type RelayedRow = Pick<RelayedOptions, "worker" | "path" | "blocking"> & { name: string };

/** A volume in a worker, which the cases call through the relay. */
export function relayedRow({ name, ...options }: RelayedRow): BackendRow {
  return {
    name,
    backend: VOLUMEFS.name,
    dispose: () => RelayedVolume.dispose(),
    async make({ clock, isSmall }) {
      const limitBytes = isSmall ? SMALL_DEVICE_BYTES : 0;
      const relayed = await RelayedVolume.open({ ...options, limitBytes, clock });
      const now = (): number => {
        relayed.tick();
        return clock();
      };
      const mount = (): FS => {
        const options = { volume: relayed.client };
        return createFS({ clock: now, root: { type: VOLUMEFS, options } });
      };
      return {
        fs: mount(),
        moved: () => relayed.tick(),
        async remount() {
          await relayed.reopen();
          return mount();
        },
        close: () => relayed.close(),
      };
    },
  };
}

/** Every backend. */
export const BACKENDS: readonly BackendRow[] = [
  memfs,
  volumeInMemory,
  volumeInHostFile,
  relayedRow({ name: "volume relayed" }),
  volumeCached,
  proxied,
  hosted,
];
