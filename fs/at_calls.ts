/**
 * The `*at` family: the calls on names and attributes, from a directory that is open.
 *
 * Layer: fs; fifth link of the chain. `dirfd` is a descriptor, a stream or AT_FDCWD; an absolute path
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
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
} from "../abi/flags.ts";
import { PERMISSION_BITS, S_IFDIR } from "../abi/mode.ts";
import { type FSNode, FSStream } from "../abi/node.ts";
import { checkTarget, integer, refuse } from "./arguments.ts";
import {
  changeMode,
  changeOwner,
  changeTimes,
  checkAccess,
  checkAccessMode,
  type FSStat,
  statOf,
  timeOf,
  type TimeSpec,
} from "./attributes.ts";
import {
  makeLink,
  makeNode,
  makeSymlink,
  moveName,
  nodeType,
  removeDirectory,
  removeFile,
} from "./entries.ts";
import { find, FOLLOW, LAST, SECOND, UNCHECKED, walk } from "./lookup.ts";
import { DIRECTORY_BITS, readLink } from "./node_calls.ts";
import { openPath } from "./opening.ts";
import { openStream, StreamCalls } from "./stream_calls.ts";

/** A place to start: a descriptor, a stream, or AT_FDCWD. */
export type DirFd = number | FSStream;

/** Calls that start at an open directory. */
export class AtCalls extends StreamCalls {
  /** open from a directory. */
  openat(dirfd: DirFd, path: string, flags: number | string, mode = 0o666): FSStream {
    const bits = parseFlags(flags);
    return openPath(this, path, bits, integer(mode, "openat"), this.#start(dirfd, path, "openat"));
  }

  /** stat from a directory; `flags`: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
  fstatat(dirfd: DirFd, path: string, flags = 0): FSStat {
    return statOf(this.#node(dirfd, path, flags, "fstatat"));
  }

  /** mkdir from a directory. */
  mkdirat(dirfd: DirFd, path: string, mode = 0o777): FSNode {
    const bits = integer(mode, "mkdirat") & DIRECTORY_BITS;
    const place = walk(this, "mkdirat", path, LAST, this.#start(dirfd, path, "mkdirat"));
    return makeNode(this, "mkdirat", place, S_IFDIR | bits, 0);
  }

  /** mknod from a directory. */
  mknodat(dirfd: DirFd, path: string, mode: number, dev = 0): FSNode {
    const bits = integer(mode, "mknodat");
    const type = nodeType(bits, "mknodat");
    const place = walk(this, "mknodat", path, LAST, this.#start(dirfd, path, "mknodat"));
    const rdev = integer(dev, "mknodat");
    return makeNode(this, "mknodat", place, type | bits & PERMISSION_BITS, rdev);
  }

  /** unlink from a directory, or rmdir with AT_REMOVEDIR. */
  unlinkat(dirfd: DirFd, path: string, flags = 0): void {
    this.#checkFlags(flags, AT_REMOVEDIR, "unlinkat");
    const place = walk(this, "unlinkat", path, LAST, this.#start(dirfd, path, "unlinkat"));
    if (flags & AT_REMOVEDIR) removeDirectory(this, "unlinkat", place);
    else removeFile(this, "unlinkat", place);
  }

  /** rename between two directories; `flags`: RENAME_NOREPLACE, RENAME_EXCHANGE. */
  renameat(
    oldDirfd: DirFd,
    oldPath: string,
    newDirfd: DirFd,
    newPath: string,
    flags = 0,
  ): void {
    if (![0, RENAME_NOREPLACE, RENAME_EXCHANGE].includes(flags)) refuse("EINVAL", "renameat");
    const start = this.#start(oldDirfd, oldPath, "renameat");
    const from = walk(this, "renameat", oldPath, LAST | UNCHECKED, start);
    const target = this.#start(newDirfd, newPath, "renameat");
    const to = walk(this, "renameat", newPath, LAST | SECOND | UNCHECKED, target);
    moveName(this, "renameat", from, to, flags);
  }

  /** link between two directories; `flags`: AT_SYMLINK_FOLLOW, AT_EMPTY_PATH. */
  linkat(
    oldDirfd: DirFd,
    oldPath: string,
    newDirfd: DirFd,
    newPath: string,
    flags = 0,
  ): FSNode {
    this.#checkFlags(flags, AT_SYMLINK_FOLLOW | AT_EMPTY_PATH, "linkat");
    const nofollow = flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW;
    const node = this.#node(oldDirfd, oldPath, flags & AT_EMPTY_PATH | nofollow, "linkat");
    const start = this.#start(newDirfd, newPath, "linkat");
    return makeLink(this, "linkat", node, walk(this, "linkat", newPath, LAST | SECOND, start));
  }

  /** symlink from a directory. */
  symlinkat(target: string, dirfd: DirFd, path: string): FSNode {
    checkTarget("symlinkat", target);
    const start = this.#start(dirfd, path, "symlinkat");
    return makeSymlink(this, "symlinkat", walk(this, "symlinkat", path, LAST, start), target);
  }

  /** readlink from a directory; an empty path means the link that is open with O_PATH. */
  readlinkat(dirfd: DirFd, path: string): string {
    const node = this.#node(dirfd, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, "readlinkat");
    return readLink(node, path);
  }

  /** chmod from a directory; `flags`: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
  fchmodat(dirfd: DirFd, path: string, mode: number, flags = 0): void {
    changeMode(this, "fchmodat", this.#node(dirfd, path, flags, "fchmodat"), mode);
  }

  /** chown from a directory; `flags`: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
  fchownat(dirfd: DirFd, path: string, uid: number, gid: number, flags = 0): void {
    changeOwner(this, "fchownat", this.#node(dirfd, path, flags, "fchownat"), uid, gid);
  }

  /** Sets times from a directory as [s, ns]; `flags`: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
  utimensat(
    dirfd: DirFd,
    path: string,
    atime?: TimeSpec,
    mtime?: TimeSpec,
    flags = 0,
  ): void {
    const times = [timeOf(atime, "utimensat"), timeOf(mtime, "utimensat")] as const;
    changeTimes(this, "utimensat", this.#node(dirfd, path, flags, "utimensat"), ...times);
  }

  /** access from a directory; `flags`: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_EACCESS. */
  faccessat(dirfd: DirFd, path: string, mode: number, flags = 0): void {
    checkAccessMode("faccessat", mode);
    const known = integer(flags, "faccessat") & ~AT_EACCESS;
    checkAccess(this, "faccessat", this.#node(dirfd, path, known, "faccessat"), mode);
  }

  /** Where a path starts. EBADF; what is no directory the walk refuses. */
  #start(dirfd: DirFd, path: string, call: string): FSNode | null {
    if (dirfd === AT_FDCWD || (typeof path === "string" && path.startsWith("/"))) {
      return this.directory;
    }
    return this.#stream(dirfd, call).node;
  }

  #stream(dirfd: DirFd, call: string): FSStream {
    if (dirfd instanceof FSStream) return openStream(this, dirfd, call);
    return this.descriptors.get(dirfd) ?? refuse("EBADF", call, dirfd);
  }

  #node(dirfd: DirFd, path: string, flags: number, call: string): FSNode {
    this.#checkFlags(flags, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, call);
    if (path === "" && flags & AT_EMPTY_PATH) {
      if (dirfd !== AT_FDCWD) return this.#stream(dirfd, call).node;
      return this.directory ?? refuse("ENOENT", call, path);
    }
    const options = flags & AT_SYMLINK_NOFOLLOW ? 0 : FOLLOW;
    return find(this, call, path, options, this.#start(dirfd, path, call));
  }

  #checkFlags(flags: number, known: number, call: string): void {
    if (integer(flags, call) & ~known) refuse("EINVAL", call, flags);
  }
}
