/**
 * DEVFS: the directory of devices, mounted at /dev.
 *
 * Layer: node_ops. It is a MEMFS with the usual nodes in it, so programs may add to it and remove
 * from it; what the nodes do is decided by their numbers and the drivers in `stream_ops/devfs.ts`,
 * which the composer registers. stdin, stdout and stderr are links to the terminals until a program
 * puts devices of their own there.
 *
 * Use: `FS.mount(DEVFS, { clock }, "/dev")`, and `FS.registerDevice` for each of `deviceDrivers()`.
 *
 * @module
 */
import { S_IFCHR, S_IFDIR } from "../abi/mode.ts";
import type { Backend, FSNode } from "../abi/node.ts";
import { DEVICE } from "../stream_ops/devfs.ts";
import { type MemfsInode, type MemfsOptions, mountMemfs } from "./memfs.ts";

export {
  type ByteInput,
  type ByteOutput,
  deviceDrivers,
  lineOutput,
  type TerminalOptions,
} from "../stream_ops/devfs.ts";

/** What `FS.mount(DEVFS, options, path)` takes. */
export type DevfsOptions = Pick<MemfsOptions, "clock">;

const OWNER = { uid: 0, gid: 0 };
/** Space for what programs put into /dev/shm, in bytes. */
const MAX_BYTES = 2 ** 30;

const LINKS = {
  stdin: "/dev/tty",
  stdout: "/dev/tty",
  stderr: "/dev/tty1",
  fd: "/proc/self/fd",
} as const;

function makeDevices(root: FSNode<MemfsInode>): void {
  const { mknod, symlink } = root.node_ops;
  for (const [name, rdev] of Object.entries(DEVICE)) {
    mknod!(root, name, S_IFCHR | 0o666, rdev, OWNER);
  }
  for (const [name, target] of Object.entries(LINKS)) symlink!(root, name, target, OWNER);
  const shm = mknod!(root, "shm", S_IFDIR | 0o1777, 0, OWNER);
  mknod!(shm, "tmp", S_IFDIR | 0o1777, 0, OWNER);
}

/**
 * The devices of a Unix as a mountable file system.
 *
 * @example
 * ```ts
 * import { createFS, DEVFS } from "@cairn/fs";
 * import { assertEquals } from "@std/assert";
 *
 * const FS = createFS();
 * FS.mkdir("/more");
 * FS.mount(DEVFS, {}, "/more");
 * const stream = FS.open("/more/zero", "r");
 * assertEquals(FS.read(stream, new Uint8Array(4), 0, 4), 4);
 * FS.close(stream);
 * ```
 */
export const DEVFS: Backend<DevfsOptions> = {
  name: "DEVFS",
  mount(options: DevfsOptions | undefined): FSNode<MemfsInode> {
    const root = mountMemfs({ ...options, maxBytes: MAX_BYTES });
    makeDevices(root);
    return root;
  },
};
