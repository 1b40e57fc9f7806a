/**
 * FS: the last link of the chain, with mounts, devices and the start and end of an instance.
 *
 * Layer: fs. Use: `createFS()` in `create_fs.ts` makes one that has a root; `new FS()` makes one that
 * has none yet.
 *
 * @module
 */
import type { Backend, FSNode, Mount, NodeRecord, StreamOps } from "../abi/node.ts";
import { integer, refuse } from "./arguments.ts";
import { deviceOf, freeDevice, major, makedev, minor } from "./devices.ts";
import type { DeviceInput, DeviceOutput } from "./devices.ts";
import { Legacy } from "./legacy.ts";
import { find, FOLLOW } from "./lookup.ts";
import { mountAt, type MountOptions, unmountAt } from "./mounts.ts";
import type { Watch, WatchEvent } from "./watch.ts";

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
export class FS extends Legacy {
  /**
   * Mounts a type over a directory, or at "/" if nothing is there yet, and returns its root.
   *
   * @throws {ErrnoError} EBUSY (something is mounted there), ENOENT, ENOTDIR, or the type's own
   */
  mount<O, D extends NodeRecord>(
    type: Backend<O, D>,
    opts: O,
    mountpoint: string,
    options: MountOptions = {},
  ): FSNode {
    return mountAt(this, type as unknown as Backend<unknown>, opts, mountpoint, options);
  }

  /** Unmounts. EINVAL if nothing is mounted there, EBUSY if it is in use, unless forced. */
  unmount(mountpoint: string, options: { force?: boolean } = {}): void {
    unmountAt(this, mountpoint, options?.force === true);
  }

  /** Makes everything that was written durable, on every mount. */
  sync(): void {
    for (const mount of [...this.mounts]) {
      (mount.type as Backend<unknown>).syncfs?.(mount.root);
    }
  }

  /** Names the driver of a device number. */
  registerDevice(dev: number, ops: StreamOps): void {
    this.devices[integer(dev, "registerDevice")] = { stream_ops: ops as StreamOps<never> };
  }

  /** The driver of a device number, if there is one. */
  getDevice(dev: number): { stream_ops: StreamOps<never> } | undefined {
    return this.devices[dev];
  }

  /** The number of a device. */
  makedev(ma: number, mi: number): number {
    return makedev(ma, mi);
  }

  /** The major part of a device number. */
  major(dev: number): number {
    return major(dev);
  }

  /** The minor part of a device number. */
  minor(dev: number): number {
    return minor(dev);
  }

  /** Makes a character device from callbacks for single bytes, and its driver. */
  createDevice(
    parent: string | FSNode,
    name: string,
    input?: DeviceInput | null,
    output?: DeviceOutput | null,
  ): FSNode {
    const directory = typeof parent === "string" ? parent : this.getPath(parent);
    const mode = (input ? 0o444 : 0) | (output ? 0o222 : 0);
    const dev = freeDevice(this);
    const node = this.mkdev(this.PATH.join2(directory, name), mode, dev);
    this.registerDevice(dev, deviceOf(input, output));
    return node;
  }

  /** Hears of changes to what the path leads to: a directory's entries, or a file. */
  watch(path: string, listener: (event: WatchEvent) => void): Watch {
    if (typeof listener !== "function") refuse("EINVAL", "watch", path);
    return this.watchers.add(find(this, "watch", path, FOLLOW), listener);
  }

  /** Closes every descriptor. */
  quit(): void {
    this.initialized = false;
    for (const stream of [...this.descriptors.open()]) this.close(stream);
  }

  /** What is mounted, in the order of mounting, from `mount` down. */
  getMounts(mount?: Mount): Mount[] {
    if (mount === undefined) return [...this.mounts];
    const inner = this.mounts.filter((other) => other.mountpoint?.mount === mount);
    return [mount, ...inner.flatMap((other) => this.getMounts(other))];
  }
}
