/**
 * createFS: an instance with a root, the usual directories, devices and /proc.
 *
 * Layer: composer; here `fs/` meets the backends that every instance has. Use: `createFS()`, or
 * `createFS({ root: { type: VOLUMEFS, options: { volume } } })`.
 *
 * @module
 */
import type { Backend, NodeRecord } from "../abi/node.ts";
import { optionsOf } from "../abi/options.ts";
import { DEVFS, deviceDrivers, type TerminalOptions } from "../node_ops/devfs.ts";
import { MEMFS } from "../node_ops/memfs.ts";
import { PROCFS } from "../node_ops/procfs.ts";
import { FS } from "./fs.ts";
import type { StateOptions } from "./state.ts";

/** What is to be mounted at "/". */
export interface RootOptions<O, D extends NodeRecord> {
  /** The type. */
  type: Backend<O, D>;
  /** What the type's mount takes. */
  options: O;
  /** Every change answers EROFS. */
  readOnly?: boolean;
}

/** What an instance is made with. */
export interface FSOptions<O = unknown, D extends NodeRecord = NodeRecord> extends StateOptions {
  /** What is at "/". Default a MEMFS. */
  root?: RootOptions<O, D>;
  /**
   * Whether /tmp, /home/web_user, /dev and /proc are made where they are missing. Default true,
   * and false with a `root`; /dev and /proc are mounted where the directories exist either way.
   */
  standardDirectories?: boolean;
  /** Where /dev/tty and /dev/tty1 read and write. Default the console. */
  terminal?: TerminalOptions;
}

/** A new, independent file system. */
export function createFS<O, D extends NodeRecord>(options?: FSOptions<O, D>): FS {
  const fs = new FS(options);
  const { root, standardDirectories = root === undefined, terminal } = options ?? {};
  const { clock } = fs;
  if (root === undefined) fs.mount(MEMFS, { clock }, "/");
  else mountRoot(fs, optionsOf(root, "root"));
  Object.assign(fs.filesystems, { MEMFS, DEVFS, PROCFS });
  for (const [dev, ops] of deviceDrivers(optionsOf(terminal, "terminal"))) {
    fs.registerDevice(dev, ops);
  }
  asRoot(fs, () => {
    if (standardDirectories) fs.createDefaultDirectories();
    if (standardDirectories || isDirectory(fs, "/dev")) fs.createDefaultDevices();
    if (standardDirectories || isDirectory(fs, "/proc")) fs.createSpecialDirectories();
  });
  return fs;
}

function mountRoot<O, D extends NodeRecord>(fs: FS, root: RootOptions<O, D>): void {
  fs.mount(root.type, root.options, "/", { readOnly: root.readOnly ?? false });
}

/** Does what the kernel would do at boot, for every later caller of the instance. */
function asRoot(fs: FS, work: () => void): void {
  const before = fs.credentials;
  fs.setCredentials({ uid: 0, gid: 0, groups: [], umask: 0o022 });
  try {
    work();
  } finally {
    fs.setCredentials(before);
  }
}

function isDirectory(fs: FS, path: string): boolean {
  return fs.findObject(path)?.isFolder ?? false;
}
