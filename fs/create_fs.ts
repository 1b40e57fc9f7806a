/**
 * createFS: an instance with a root, the usual directories, devices and /proc.
 *
 * Layer: composer; here `fs/` meets the backends that every instance has. Use: `createFS()`, or
 * `createFS({ root: { type: VOLUMEFS, options: { volume } } })`.
 *
 * @module
 */
import type { Backend, NodeRecord } from "../abi/node.ts";
import { DEVFS, deviceDrivers } from "../node_ops/devfs.ts";
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
}

const STICKY_FOR_ALL = 0o1777;

/** A new, independent file system. */
export function createFS<O, D extends NodeRecord>(options: FSOptions<O, D> = {}): FS {
  const fs = new FS(options);
  const { root, standardDirectories = root === undefined } = options;
  const { clock } = fs;
  if (root === undefined) fs.mount(MEMFS, { clock }, "/");
  else fs.mount(root.type, root.options, "/", { readOnly: root.readOnly ?? false });
  fs.filesystems.MEMFS = MEMFS as unknown as Backend<never>;
  asRoot(fs, () => {
    if (standardDirectories) makeDirectories(fs);
    mountDevices(fs);
  });
  return fs;
}

/** Does what the kernel would do at boot, whoever the caller of the instance will be. */
function asRoot(fs: FS, work: () => void): void {
  const before = fs.credentials;
  fs.setCredentials({ uid: 0, gid: 0, groups: [], umask: 0o022 });
  try {
    work();
  } finally {
    fs.setCredentials(before);
  }
}

function makeDirectories(fs: FS): void {
  for (const path of ["/tmp", "/home/web_user", "/dev", "/proc"]) fs.mkdirTree(path);
  fs.chmod("/tmp", STICKY_FOR_ALL);
  fs.chmod("/home/web_user", 0o777);
}

function mountDevices(fs: FS): void {
  const { clock, streams } = fs;
  for (const [dev, ops] of deviceDrivers()) fs.registerDevice(dev, ops);
  if (isDirectory(fs, "/dev")) fs.mount(DEVFS, { clock }, "/dev");
  if (isDirectory(fs, "/proc")) fs.mount(PROCFS, { streams, clock }, "/proc");
}

function isDirectory(fs: FS, path: string): boolean {
  return fs.findObject(path)?.isFolder ?? false;
}
