/**
 * FS: the last link of the chain, with mounts, watches, and the start and end of an instance.
 *
 * Layer: fs. Use: `createFS()` in `create_fs.ts` makes one that has a root and devices; `new FS()`
 * makes one that has none yet.
 *
 * @module
 */
import { isErrnoError } from "../abi/errno.ts";
import { O_RDONLY, O_WRONLY } from "../abi/flags.ts";
import type { Backend, FSNode, FSStream, Mount, NodeRecord, StreamOps } from "../abi/node.ts";
import { integer, refuse } from "./arguments.ts";
import { CHRDEV_STREAM_OPS, major, makedev, minor } from "./devices.ts";
import type { DeviceInput, DeviceOutput } from "./devices.ts";
import { type ForeignBackend, foreignBackend, type ForeignType, isForeign } from "./foreign.ts";
import { find, FOLLOW } from "./lookup.ts";
import { Makers } from "./makers.ts";
import { mountAt, type MountOptions, unmountAt } from "./mounts.ts";
import type { Watch, WatchEvent } from "./watch.ts";

/** What `syncfs` calls when it is done: null, or the first error. */
export type SyncDone = (error: unknown) => void;

/**
 * A POSIX file system with Emscripten's names.
 *
 * @example
 * ```ts
 * import { createFS } from "@cairn/fs";
 * import { assertEquals } from "@std/assert";
 *
 * const FS = createFS();
 * FS.mkdir("/notes");
 * FS.writeFile("/notes/a.txt", "kept");
 * FS.rename("/notes/a.txt", "/notes/b.txt");
 * assertEquals(FS.readdir("/notes"), [".", "..", "b.txt"]);
 * ```
 */
export class FS extends Makers {
  /** The ops of a device before its driver is found. */
  readonly chrdev_stream_ops: StreamOps = CHRDEV_STREAM_OPS;

  /**
   * Mounts a type over a directory, or at "/" if nothing is there yet, and returns its root. The type
   * is one of ours or one of Emscripten's.
   *
   * @throws {ErrnoError} EBUSY (something is mounted there), ENOENT, ENOTDIR, or the type's own
   */
  mount<O, D extends NodeRecord>(
    type: Backend<O, D> | ForeignType,
    opts: O,
    mountpoint: string,
    options: MountOptions = {},
  ): FSNode {
    if (typeof type?.mount !== "function") refuse("EINVAL", "mount", type);
    const backend = isForeign(type)
      ? foreignBackend(type, { mountpoint, clock: this.clock })
      : type;
    return mountAt(this, backend as unknown as Backend<unknown>, opts, mountpoint, options);
  }

  /** Unmounts. EINVAL if nothing is mounted there, EBUSY if it is in use, unless forced. */
  unmount(mountpoint: string, options: { force?: boolean } = {}): void {
    unmountAt(this, mountpoint, options?.force === true);
  }

  /** What is mounted, in the order of mounting; with `mount`, that and what is below it. */
  getMounts(mount?: Mount): Mount[] {
    if (mount === undefined) return [...this.mounts];
    const inside = new Map<Mount, Mount[]>();
    for (const other of this.mounts) {
      const outer = other.mountpoint?.mount;
      if (outer === undefined) continue;
      const beside = inside.get(outer);
      if (beside === undefined) inside.set(outer, [other]);
      else beside.push(other);
    }
    const below = (outer: Mount): Mount[] => [outer, ...(inside.get(outer) ?? []).flatMap(below)];
    return below(mount);
  }

  /** Makes everything that was written durable, on every mount. The first error is thrown. */
  sync(): void {
    for (const mount of [...this.mounts]) {
      (mount.type as Backend<unknown>).syncfs?.(mount.root);
    }
  }

  /**
   * Brings every mount to its storage, or with `populate` from there to memory where a type has such
   * a direction, and calls back once with null or the first error.
   */
  syncfs(populate: boolean | SyncDone, callback?: SyncDone): void {
    const done = typeof populate === "function" ? populate : callback;
    if (typeof done !== "function") refuse("EINVAL", "syncfs without a callback");
    const isInward = populate === true;
    this.syncFSRequests++;
    let waiting = 1;
    let first: unknown = null;
    const finish = (error: unknown): void => {
      first ??= error ?? null;
      if (--waiting > 0) return;
      this.syncFSRequests--;
      done(first);
    };
    for (const mount of [...this.mounts]) {
      waiting++;
      synchronize(mount, isInward, finish);
    }
    finish(null);
  }

  /** Names the driver of a device number. */
  registerDevice(dev: number, ops: StreamOps): void {
    this.devices[integer(dev, "registerDevice")] = { stream_ops: ops as StreamOps<never> };
  }

  /** The driver of a device number, if there is one. */
  getDevice(dev: number): { stream_ops: StreamOps<never> } | undefined {
    return typeof dev === "number" ? this.devices[dev] : undefined;
  }

  /** The number of a device. */
  makedev(ma: number, mi: number): number {
    return makedev(integer(ma, "makedev"), integer(mi, "makedev"));
  }

  /** The major part of a device number. */
  major(dev: number): number {
    return major(integer(dev, "major"));
  }

  /** The minor part of a device number. */
  minor(dev: number): number {
    return minor(integer(dev, "minor"));
  }

  /**
   * Hears of changes to what the path leads to: a directory's entries, or a file. What this instance
   * does is told at once; what others do to the same volume, from the event loop.
   */
  watch(path: string, listener: (event: WatchEvent) => void): Watch {
    if (typeof listener !== "function") refuse("EINVAL", "watch", path);
    const node = find(this, "watch", path, FOLLOW);
    const far = node.node_ops.watch?.(node, listener) ?? null;
    if (far === null) return this.watchers.add(node, listener);
    const near = this.watchers.add(node, (event) => {
      far.seen(event.name);
      listener(event);
    });
    return {
      close() {
        near.close();
        far.close();
      },
    };
  }

  /** Makes /tmp and /home/web_user where they are missing. */
  createDefaultDirectories(): void {
    for (const path of ["/tmp", "/home/web_user"]) this.mkdirTree(path);
    this.chmod("/tmp", 0o1777);
    this.chmod("/home/web_user", 0o777);
  }

  /** Mounts the devices at /dev, and makes it where it is missing. */
  createDefaultDevices(): void {
    this.mkdirTree("/dev");
    this.#mountNamed("DEVFS", { clock: this.clock }, "/dev");
  }

  /** Mounts /proc with /proc/self/fd, and makes it where it is missing. */
  createSpecialDirectories(): void {
    this.mkdirTree("/proc");
    this.#mountNamed("PROCFS", { streams: this.streams, clock: this.clock }, "/proc");
  }

  #mountNamed(name: string, options: object, path: string): void {
    const type = this.filesystems[name] ?? refuse("ENODEV", "mount", name);
    if (this.lookupPath(path, { follow: true }).node?.mount.type === type) return;
    this.mount(type as unknown as Backend<unknown>, options, path);
  }

  /**
   * Starts a program: /dev/stdin, stdout and stderr become devices over the callbacks that are given,
   * and descriptors 0, 1 and 2 are opened on them. Once only.
   */
  init(
    input?: DeviceInput | null,
    output?: DeviceOutput | null,
    error?: DeviceOutput | null,
  ): void {
    if (this.initialized) refuse("EALREADY", "init");
    this.initialized = true;
    this.createStandardStreams(input, output, error);
  }

  /** The devices and descriptors that `init` makes. */
  createStandardStreams(
    input?: DeviceInput | null,
    output?: DeviceOutput | null,
    error?: DeviceOutput | null,
  ): void {
    if (input) this.#replaceDevice("stdin", input, null);
    if (output) this.#replaceDevice("stdout", null, output);
    if (error) this.#replaceDevice("stderr", null, error);
    const opened: FSStream[] = [];
    for (const [name, flags] of STANDARD_STREAMS) opened.push(this.open(`/dev/${name}`, flags));
    if (opened.some((stream, fd) => stream.fd !== fd)) {
      for (const stream of opened) this.close(stream);
      refuse("EBUSY", "open the standard streams as descriptors 0, 1 and 2");
    }
  }

  #replaceDevice(name: string, input: DeviceInput | null, output: DeviceOutput | null): void {
    if (this.findObject(`/dev/${name}`, true) !== null) this.unlink(`/dev/${name}`);
    this.createDevice("/dev", name, input, output);
  }

  /** Ends a program: closes every descriptor. What a close throws is passed over. */
  quit(): void {
    this.initialized = false;
    for (const stream of [...this.descriptors.open()]) {
      try {
        this.close(stream);
      } catch (error) {
        if (!isErrnoError(error)) throw error;
      }
    }
  }
}

const STANDARD_STREAMS = [["stdin", O_RDONLY], ["stdout", O_WRONLY], ["stderr", O_WRONLY]] as const;

/** Brings one mount to its storage or from there, and calls back once. */
function synchronize(mount: Mount, isInward: boolean, done: SyncDone): void {
  const type = mount.type as Backend<unknown> & Partial<ForeignBackend>;
  try {
    if (type.synchronize) return type.synchronize(isInward, done);
    if (!isInward) type.syncfs?.(mount.root);
  } catch (error) {
    return done(error);
  }
  done(null);
}
