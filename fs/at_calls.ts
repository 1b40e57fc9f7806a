/**
 * The `*at` family: the calls on names and attributes, from a directory that is open.
 *
 * Layer: fs, a group of calls. `dirfd` is a descriptor, a stream or AT_FDCWD; an absolute path
 * does not look at it. With AT_EMPTY_PATH an empty path means the descriptor itself.
 *
 * @module
 */
import {
  AT_EACCESS,
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
  parseFlags,
} from "../abi/flags.ts";
import { PERMISSION_BITS, S_IFDIR } from "../abi/mode.ts";
import type { FSNode, FSStream } from "../abi/node.ts";
import { checkTarget, integer, refuse } from "./arguments.ts";
import {
  changeMode,
  changeOwner,
  changeTimes,
  checkAccess,
  checkAccessMode,
  type FSStat,
  statOf,
  timesOf,
  type TimeSpec,
} from "./attributes.ts";
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
import { find, FOLLOW, LAST, type Place, SECOND, UNCHECKED, walk } from "./lookup.ts";
import { DIRECTORY_BITS, readLink } from "./node_calls.ts";
import { openPath } from "./opening.ts";
import type { State } from "./state.ts";
import { streamAt } from "./streams.ts";

/** A place to start: a descriptor, a stream, or AT_FDCWD. */
export type DirFd = number | FSStream;

/** Calls that start at an open directory. */
export interface AtCalls {
  /** open from a directory. */
  openat(dirfd: DirFd, path: string, flags: number | string, mode?: number): FSStream;

  /** stat from a directory; `flags`: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
  fstatat(dirfd: DirFd, path: string, flags?: number): FSStat;

  /** mkdir from a directory. */
  mkdirat(dirfd: DirFd, path: string, mode?: number): FSNode;

  /** mknod from a directory. */
  mknodat(dirfd: DirFd, path: string, mode: number, dev?: number): FSNode;

  /** unlink from a directory, or rmdir with AT_REMOVEDIR. */
  unlinkat(dirfd: DirFd, path: string, flags?: number): void;

  /** rename between two directories; `flags`: RENAME_NOREPLACE, RENAME_EXCHANGE. */
  renameat(
    oldDirfd: DirFd,
    oldPath: string,
    newDirfd: DirFd,
    newPath: string,
    flags?: number,
  ): void;

  /** link between two directories; `flags`: AT_SYMLINK_FOLLOW, AT_EMPTY_PATH. */
  linkat(
    oldDirfd: DirFd,
    oldPath: string,
    newDirfd: DirFd,
    newPath: string,
    flags?: number,
  ): FSNode;

  /** symlink from a directory. */
  symlinkat(target: string, dirfd: DirFd, path: string): FSNode;

  /** readlink from a directory; an empty path means the link that is open with O_PATH. */
  readlinkat(dirfd: DirFd, path: string): string;

  /** chmod from a directory; `flags`: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
  fchmodat(dirfd: DirFd, path: string, mode: number, flags?: number): void;

  /** chown from a directory; `flags`: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
  fchownat(dirfd: DirFd, path: string, uid: number, gid: number, flags?: number): void;

  /** Sets times from a directory as [s, ns]; `flags`: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
  utimensat(dirfd: DirFd, path: string, atime?: TimeSpec, mtime?: TimeSpec, flags?: number): void;

  /** access from a directory; `flags`: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_EACCESS. */
  faccessat(dirfd: DirFd, path: string, mode: number, flags?: number): void;
}

/** The calls; `this` is the instance. */
export const AT_CALLS: AtCalls & ThisType<State> = {
  openat(dirfd, path, flags, mode = 0o666) {
    const bits = parseFlags(flags);
    return openPath(
      this,
      path,
      bits,
      integer(mode, "openat"),
      startOf(this, dirfd, path, "openat"),
    );
  },

  fstatat(dirfd, path, flags = 0) {
    return statOf(nodeFrom(this, dirfd, path, flags, "fstatat"));
  },

  mkdirat(dirfd, path, mode = 0o777) {
    const bits = integer(mode, "mkdirat") & DIRECTORY_BITS;
    const place = placeFrom(this, dirfd, path, LAST, "mkdirat");
    return makeNode(this, "mkdirat", place, S_IFDIR | bits, 0);
  },

  mknodat(dirfd, path, mode, dev = 0) {
    const bits = integer(mode, "mknodat");
    const type = nodeType(bits, "mknodat");
    const place = placeFrom(this, dirfd, path, LAST, "mknodat");
    const rdev = integer(dev, "mknodat");
    return makeNode(this, "mknodat", place, type | bits & PERMISSION_BITS, rdev);
  },

  unlinkat(dirfd, path, flags = 0) {
    checkFlags(flags, AT_REMOVEDIR, "unlinkat");
    const place = placeFrom(this, dirfd, path, LAST, "unlinkat");
    if (flags & AT_REMOVEDIR) removeDirectory(this, "unlinkat", place);
    else removeFile(this, "unlinkat", place);
  },

  renameat(oldDirfd, oldPath, newDirfd, newPath, flags = 0) {
    checkRename("renameat", flags);
    const from = placeFrom(this, oldDirfd, oldPath, LAST | UNCHECKED, "renameat");
    const to = placeFrom(this, newDirfd, newPath, LAST | SECOND | UNCHECKED, "renameat");
    moveName(this, "renameat", from, to, flags);
  },

  linkat(oldDirfd, oldPath, newDirfd, newPath, flags = 0) {
    checkFlags(flags, AT_SYMLINK_FOLLOW | AT_EMPTY_PATH, "linkat");
    const nofollow = flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW;
    const node = nodeFrom(this, oldDirfd, oldPath, flags & AT_EMPTY_PATH | nofollow, "linkat");
    const place = placeFrom(this, newDirfd, newPath, LAST | SECOND, "linkat");
    return makeLink(this, "linkat", node, place);
  },

  symlinkat(target, dirfd, path) {
    checkTarget("symlinkat", target);
    return makeSymlink(this, "symlinkat", placeFrom(this, dirfd, path, LAST, "symlinkat"), target);
  },

  readlinkat(dirfd, path) {
    const node = nodeFrom(this, dirfd, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, "readlinkat");
    return readLink(node, path);
  },

  fchmodat(dirfd, path, mode, flags = 0) {
    changeMode(this, "fchmodat", nodeFrom(this, dirfd, path, flags, "fchmodat"), mode);
  },

  fchownat(dirfd, path, uid, gid, flags = 0) {
    changeOwner(this, "fchownat", nodeFrom(this, dirfd, path, flags, "fchownat"), uid, gid);
  },

  utimensat(dirfd, path, atime, mtime, flags = 0) {
    const times = timesOf(atime, mtime, "utimensat");
    changeTimes(this, "utimensat", nodeFrom(this, dirfd, path, flags, "utimensat"), ...times);
  },

  faccessat(dirfd, path, mode, flags = 0) {
    checkAccessMode("faccessat", mode);
    const known = integer(flags, "faccessat") & ~AT_EACCESS;
    checkAccess(this, "faccessat", nodeFrom(this, dirfd, path, known, "faccessat"), mode);
  },
};

/** Where a path starts. EBADF; what is no directory the walk refuses. */
function startOf(state: State, dirfd: DirFd, path: string, call: string): FSNode | null {
  if (dirfd === AT_FDCWD || (typeof path === "string" && path.startsWith("/"))) {
    return state.directory;
  }
  return streamAt(state, dirfd, call).node;
}

function placeFrom(
  state: State,
  dirfd: DirFd,
  path: string,
  options: number,
  call: string,
): Place {
  return walk(state, call, path, options, startOf(state, dirfd, path, call));
}

function nodeFrom(state: State, dirfd: DirFd, path: string, flags: number, call: string): FSNode {
  checkFlags(flags, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, call);
  if (path === "" && flags & AT_EMPTY_PATH) {
    if (dirfd !== AT_FDCWD) return streamAt(state, dirfd, call).node;
    return state.directory ?? refuse("ENOENT", call, path);
  }
  const options = flags & AT_SYMLINK_NOFOLLOW ? 0 : FOLLOW;
  return find(state, call, path, options, startOf(state, dirfd, path, call));
}

function checkFlags(flags: number, known: number, call: string): void {
  if (integer(flags, call) & ~known) refuse("EINVAL", call, flags);
}
