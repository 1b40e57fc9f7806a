/**
 * The conformance suite in a browser: bundled into dist/, loaded by a page or by a worker of it.
 * Every case gets a fresh volume in the origin private file system, and `checkVolume` looks at it
 * afterwards.
 *
 * Use: `const { conform } = await import("/dist/conformance_page.js")`.
 */
import { createFS } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import type { StorageHandle } from "../../opfs/device/handle.ts";
import { openOpfsHandle } from "../../opfs/device/opfs.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import { ALL_CASES } from "../conformance/all.ts";
import { type Tally, tally } from "../conformance/attempt.ts";
import {
  type BackendRow,
  type Instance,
  type MakeOptions,
  type RelayedRow,
  relayedRow,
  SMALL_DEVICE_BYTES,
} from "../support/backends.ts";
import { LimitedHandle } from "../support/limited_handle.ts";

/** How the cases reach the volume. */
export interface ConformOptions extends Pick<RelayedRow, "blocking" | "worker"> {
  /** Who runs the engine. */
  access: "direct" | "relay";
  /** Every how many cases one is run. Default 1: all of them. */
  stride?: number;
}

const PATH = "/conformance.cairn";

/** Runs the cases; what came of them. */
export async function conform(options: ConformOptions): Promise<Tally> {
  const { access, stride = 1, ...relayed } = options;
  const cases = ALL_CASES.filter((_, index) => index % stride === 0);
  if (access === "direct") return await tally(DIRECT, cases, "volume in memory");
  const row = relayedRow({ name: "volume relayed", path: PATH, ...relayed });
  return await tally(row, cases);
}

/** The engine in this thread. */
const DIRECT: BackendRow = {
  name: "volume in OPFS",
  backend: VOLUMEFS.name,
  async make(options) {
    const instance = new DirectInstance(options);
    await instance.begin();
    return instance;
  },
};

class DirectInstance implements Instance {
  readonly #options: MakeOptions;
  #volume: Volume | null = null;
  #fs: FS | null = null;

  constructor(options: MakeOptions) {
    this.#options = options;
  }

  get fs(): FS {
    return this.#fs!;
  }

  async #device(): Promise<StorageHandle> {
    const handle = await openOpfsHandle(PATH);
    return this.#options.isSmall ? new LimitedHandle(handle, SMALL_DEVICE_BYTES) : handle;
  }

  async begin(): Promise<void> {
    const device = await this.#device();
    device.truncate(0);
    this.#mount(device);
  }

  #mount(device: StorageHandle): FS {
    const { clock } = this.#options;
    const volume = this.#volume = openVolumeSync(device, { clock });
    return this.#fs = createFS({ clock, root: { type: VOLUMEFS, options: { volume } } });
  }

  async remount(): Promise<FS> {
    await this.close();
    return this.#mount(await this.#device());
  }

  async close(): Promise<void> {
    this.#fs?.quit();
    this.#volume?.close();
    const device = await this.#device();
    const { violations } = checkVolume(device);
    device.close();
    if (violations.length === 0) return;
    throw new Error(`the check found: ${violations.map(({ message }) => message).join("; ")}`);
  }
}
