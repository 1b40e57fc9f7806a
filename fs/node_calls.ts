/**
 * Calls on names: making, removing, moving, linking and listing them, and where the caller stands.
 *
 * Layer: fs, one of the groups of calls that `fs.ts` puts together. Names, arguments and numbers are
 * Emscripten's, behaviour is POSIX's: docs/SEMANTICS.md. Every failure is an ErrnoError.
 *
 * @module
 */
import { AT_SYMLINK_FOLLOW } from "../abi/flags.ts";
import { S_IFCHR, S_IFDIR, S_IFREG } from "../abi/mode.ts";
import type { FSNode } from "../abi/node.ts";
import { checkTarget, integer, refuse } from "./arguments.ts";
import {
  checkRename,
  makeLink,
  makeNode,
  makeSymlink,
  moveName,
  nodeType,
  removeDirectory,
  removeFile,
} from "./entries.ts";
import {
  find,
  FOLLOW,
  LAST,
  parentOf,
  pathOf,
  refresh,
  SECOND,
  topOf,
  UNCHECKED,
  walk,
} from "./lookup.ts";
import { mayLookup } from "./permissions.ts";
import { getPath, type State } from "./state.ts";
import { makeTree, namesIn } from "./tree.ts";
import type { Watch, WatchEvent } from "./watch.ts";

/** Permission bits, the sticky bit and setgid: what mkdir takes. */
export const DIRECTORY_BITS = 0o3777;
const PERMISSION_BITS = 0o7777;

/** Calls on names. */
export interface NodeCalls {
  /**
   * Makes a file, directory, FIFO, socket or device; no type bits mean a file.
   *
   * @throws {ErrnoError} EEXIST, ENOENT, ENOTDIR, EACCES, EPERM (a device, unless root), EROFS, EINVAL
   */
  mknod(path: string, mode: number, dev: number): FSNode;

  /** Makes an empty file. EEXIST if the name is taken. */
  create(path: string, mode?: number): FSNode;

  /** Makes a directory. EEXIST if the name is taken. */
  mkdir(path: string, mode?: number): FSNode;

  /** Makes a directory and those above it that are missing. ENOTDIR if a file is in the way. */
  mkdirTree(path: string, mode?: number): void;

  /** Makes a character device: `mkdev(path, dev)` or `mkdev(path, mode, dev)`. */
  mkdev(path: string, mode: number, dev?: number): FSNode;

  /** Makes a symbolic link at `path` that holds `target` as it is given. */
  symlink(target: string, path: string): FSNode;

  /**
   * Gives a file one more name; with AT_SYMLINK_FOLLOW, what a link leads to instead of the link.
   *
   * @throws {ErrnoError} EPERM (a directory), EXDEV (another mount), EMLINK, EEXIST, ENOENT, EACCES
   */
  link(oldPath: string, newPath: string, flags?: number): FSNode;

  /**
   * Moves a name in one step, replacing what is at the new one.
   *
   * @param flags 0, RENAME_NOREPLACE (EEXIST if the new name is taken) or RENAME_EXCHANGE
   * @throws {ErrnoError} ENOENT, EEXIST, ENOTEMPTY, EISDIR, ENOTDIR, EINVAL (into itself), EBUSY,
   * EXDEV, EACCES, EPERM, EROFS
   */
  rename(oldPath: string, newPath: string, flags?: number): void;

  /** Removes an empty directory. ENOTEMPTY, ENOTDIR, EBUSY, EINVAL for ".". */
  rmdir(path: string): void;

  /** Removes a name; the inode stays while it is open. EISDIR for a directory. */
  unlink(path: string): void;

  /** The names in a directory, "." and ".." first. */
  readdir(path: string): string[];

  /** What a symbolic link holds. EINVAL if it is not one. */
  readlink(path: string): string;

  /** The absolute path without links, "." and "..". */
  realpath(path: string): string;

  /** The current directory. ENOENT if it has been removed. */
  cwd(): string;

  /** Changes the current directory. ENOENT, ENOTDIR, EACCES. */
  chdir(path: string): void;

  /**
   * Hears of changes to what the path leads to: a directory's entries, or a file. What this instance
   * does is reported at once; what others do to the same volume, from the event loop.
   */
  watch(path: string, listener: (event: WatchEvent) => void): Watch;
}

/** The calls; `this` is the instance. */
export const NODE_CALLS: NodeCalls & ThisType<State & NodeCalls> = {
  mknod(path, mode, dev) {
    const bits = integer(mode, "mknod");
    const rdev = integer(dev ?? 0, "mknod");
    const place = walk(this, "mknod", path, LAST);
    return makeNode(this, "mknod", place, nodeType(bits, "mknod") | bits & PERMISSION_BITS, rdev);
  },

  create(path, mode = 0o666) {
    const bits = integer(mode, "create") & PERMISSION_BITS;
    return makeNode(this, "create", walk(this, "create", path, LAST), S_IFREG | bits, 0);
  },

  mkdir(path, mode = 0o777) {
    const bits = integer(mode, "mkdir") & DIRECTORY_BITS;
    return makeNode(this, "mkdir", walk(this, "mkdir", path, LAST), S_IFDIR | bits, 0);
  },

  mkdirTree(path, mode) {
    makeTree(this, "mkdirTree", path, integer(mode ?? 0o777, "mkdirTree") & DIRECTORY_BITS);
  },

  mkdev(path, mode, dev) {
    const bits = dev === undefined ? 0o666 : integer(mode, "mkdev");
    return this.mknod(path, S_IFCHR | bits & PERMISSION_BITS, dev ?? mode);
  },

  symlink(target, path) {
    checkTarget("symlink", target);
    return makeSymlink(this, "symlink", walk(this, "symlink", path, LAST), target);
  },

  link(oldPath, newPath, flags) {
    if (flags !== undefined && flags !== 0 && flags !== AT_SYMLINK_FOLLOW) {
      refuse("EINVAL", "link", flags);
    }
    const node = find(this, "link", oldPath, flags === AT_SYMLINK_FOLLOW ? FOLLOW : 0);
    return makeLink(this, "link", node, walk(this, "link", newPath, LAST | SECOND));
  },

  rename(oldPath, newPath, flags = 0) {
    checkRename("rename", flags);
    const from = walk(this, "rename", oldPath, LAST | UNCHECKED);
    const to = walk(this, "rename", newPath, LAST | SECOND | UNCHECKED);
    moveName(this, "rename", from, to, flags);
  },

  rmdir(path) {
    removeDirectory(this, "rmdir", walk(this, "rmdir", path, LAST));
  },

  unlink(path) {
    removeFile(this, "unlink", walk(this, "unlink", path, LAST));
  },

  readdir(path) {
    return namesIn(this, "readdir", find(this, "readdir", path, FOLLOW));
  },

  readlink(path) {
    return readLink(find(this, "readlink", path, 0), path);
  },

  realpath(path) {
    const place = walk(this, "realpath", path, FOLLOW);
    if (place.node === null) refuse("ENOENT", "realpath", path);
    return pathOf(place, path);
  },

  cwd() {
    const node = this.directory;
    if (node === null || node.removed) refuse("ENOENT", "cwd");
    return getPath(node);
  },

  chdir(path) {
    enterDirectory(this, find(this, "chdir", path, FOLLOW), "chdir");
  },

  watch(path, listener) {
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
  },
};

/** Makes a directory the current one; what `chdir` and `fchdir` have in common. */
export function enterDirectory(state: State, node: FSNode, call: string): void {
  refresh(node);
  const refused = mayLookup(state, node);
  if (refused !== 0) refuse(refused, call, node.name);
  node.pins++;
  if (state.directory !== null) state.directory.pins--;
  state.directory = node;
}

/** What a symbolic link holds, or EINVAL. */
export function readLink(node: FSNode, path: string): string {
  return node.node_ops.readlink?.(node) ?? refuse("EINVAL", "readlink", path);
}

/** The inode number that ".." shows. */
export function parentInode(node: FSNode): number {
  return topOf(parentOf(node)).data.ino;
}
