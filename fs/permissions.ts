/**
 * Who may do what. Every function returns an error number, 0 for yes, and throws nothing, so that a
 * call can put the answers into the order that POSIX wants.
 *
 * Layer: fs. The arithmetic of owners and modes is in `abi/credentials.ts`; here the caller of an
 * instance meets the mode bits of a node. Read-only mounts answer EROFS in the calls, not here.
 *
 * @module
 */
import { inGroup, ownsOrIsRoot } from "../abi/credentials.ts";
import { Errno } from "../abi/errno.ts";
import {
  O_ACCMODE,
  O_CREAT,
  O_DIRECTORY,
  O_NOATIME,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
} from "../abi/flags.ts";
import {
  isDir,
  isLink,
  MAY_EXECUTE,
  MAY_READ,
  MAY_WRITE,
  S_IFDIR,
  S_IFMT,
  S_ISVTX,
} from "../abi/mode.ts";
import type { FSNode } from "../abi/node.ts";
import type { State } from "./state.ts";

const ANY_EXECUTE = 0o111;

/** Whether the caller has all the bits of `wanted` (MAY_READ, MAY_WRITE, MAY_EXECUTE) on the node. */
export function mayAccess(state: State, node: FSNode, wanted: number): number {
  if (state.ignorePermissions || state.permissions === "none" || wanted === 0) return 0;
  const { mode, uid, gid } = node.data;
  if (state.permissions === "emscripten") return anyClassMay(mode, wanted);
  const caller = state.credentials;
  if (caller.uid === 0) return rootMay(mode, wanted);
  const shift = caller.uid === uid ? 6 : inGroup(caller, gid) ? 3 : 0;
  return (mode >> shift & wanted) === wanted ? 0 : Errno.EACCES;
}

/** Root reads and writes everything, and executes what at least one class may execute. */
function rootMay(mode: number, wanted: number): number {
  const refused = wanted & MAY_EXECUTE && !isDir(mode) && !(mode & ANY_EXECUTE);
  return refused ? Errno.EACCES : 0;
}

/** Emscripten's rule: a bit counts in every class. */
function anyClassMay(mode: number, wanted: number): number {
  const bits = mode | mode >> 3 | mode >> 6;
  return (bits & wanted) === wanted ? 0 : Errno.EACCES;
}

/** Whether the caller is privileged: root, or permissions are not looked at. */
export function isPrivileged(state: State): boolean {
  return state.permissions !== "posix" || state.ignorePermissions || state.credentials.uid === 0;
}

/** Whether the caller may change mode and times of the node: its owner or root, else EPERM. */
export function mayChange(state: State, node: FSNode): number {
  return isPrivileged(state) || ownsOrIsRoot(node.data, state.credentials) ? 0 : Errno.EPERM;
}

/** Whether the caller may look for names in the directory. ENOTDIR, EACCES. */
export function mayLookup(state: State, directory: FSNode): number {
  if ((directory.data.mode & S_IFMT) !== S_IFDIR) return Errno.ENOTDIR;
  return mayAccess(state, directory, MAY_EXECUTE);
}

/** Whether the caller may add a name to the directory. ENOENT if the directory is gone. */
export function mayCreate(state: State, directory: FSNode): number {
  if (!isDir(directory.data.mode)) return Errno.ENOTDIR;
  if (directory.removed) return Errno.ENOENT;
  return mayAccess(state, directory, MAY_WRITE | MAY_EXECUTE);
}

/** Whether the caller may take the name away. EACCES, EPERM, ENOTDIR, EISDIR, EBUSY. */
export function mayDelete(state: State, node: FSNode, asDirectory: boolean): number {
  const refused = mayAccess(state, node.parent, MAY_WRITE | MAY_EXECUTE) || sticky(state, node);
  if (refused !== 0) return refused;
  if (asDirectory !== isDir(node.data.mode)) return asDirectory ? Errno.ENOTDIR : Errno.EISDIR;
  return node.mounted !== null || node.parent === node ? Errno.EBUSY : 0;
}

/** In a sticky directory only the owner of the entry or of the directory removes it. */
function sticky(state: State, node: FSNode): number {
  const { mode, uid } = node.parent.data;
  if (!(mode & S_ISVTX) || isPrivileged(state) || uid === state.credentials.uid) return 0;
  return node.data.uid === state.credentials.uid ? 0 : Errno.EPERM;
}

/** Permission bits that an open with these flags needs. */
export function wantedBy(flags: number): number {
  const write = flags & O_TRUNC ? MAY_WRITE : 0;
  switch (flags & O_ACCMODE) {
    case O_RDONLY:
      return MAY_READ | write;
    case O_WRONLY:
      return MAY_WRITE;
    default:
      return MAY_READ | MAY_WRITE;
  }
}

/** Whether the caller may open the node. ELOOP, EISDIR, ENOTDIR, EROFS, EACCES, EPERM. */
export function mayOpen(state: State, node: FSNode, flags: number): number {
  const { mode } = node.data;
  if (flags & O_PATH) return flags & O_DIRECTORY && !isDir(mode) ? Errno.ENOTDIR : 0;
  if (isLink(mode)) return flags & O_DIRECTORY ? Errno.ENOTDIR : Errno.ELOOP;
  const writes = (flags & O_ACCMODE) === O_WRONLY || (flags & O_ACCMODE) === O_RDWR ||
    (flags & O_TRUNC) !== 0;
  if (isDir(mode) && (writes || flags & O_CREAT)) return Errno.EISDIR;
  if (flags & O_DIRECTORY && !isDir(mode)) return Errno.ENOTDIR;
  if (writes && node.mount.readOnly && hasContents(mode)) return Errno.EROFS;
  return mayAccess(state, node, wantedBy(flags)) ||
    (flags & O_NOATIME ? mayChange(state, node) : 0);
}

/** Whether what is written stays in the file system: not so for devices, FIFOs and sockets. */
export function hasContents(mode: number): boolean {
  const type = mode & S_IFMT;
  return type === 0o100000 || type === 0o040000 || type === 0o120000;
}

/** Bits of Emscripten's "r", "w", "x" strings. */
export function bitsOf(permissions: string): number {
  const has = (letter: string, bit: number) => permissions.includes(letter) ? bit : 0;
  return has("r", MAY_READ) | has("w", MAY_WRITE) | has("x", MAY_EXECUTE);
}
