/**
 * Flags of the calls: open, seek, the `*at` family, rename, allocate, locks, maps.
 *
 * Layer: abi. The values are those of Linux and of Emscripten's C library, which agree on all of
 * them. Use: `FS.open(path, O_RDWR | O_CREAT)` or `FS.open(path, "r+")`.
 *
 * @module
 */
import { ErrnoError } from "./errno.ts";

/** Mask of the access mode in open flags. */
export const O_ACCMODE = 3;
/** Open for reading only. */
export const O_RDONLY = 0;
/** Open for writing only. */
export const O_WRONLY = 1;
/** Open for reading and writing. */
export const O_RDWR = 2;
/** Create the file if it is missing. */
export const O_CREAT = 0o100;
/** With O_CREAT: fail if it exists. */
export const O_EXCL = 0o200;
/** Never become a controlling terminal (accepted; no file is one). */
export const O_NOCTTY = 0o400;
/** Cut the file to length 0. */
export const O_TRUNC = 0o1000;
/** Every write goes to the end of the file. */
export const O_APPEND = 0o2000;
/** Do not block. */
export const O_NONBLOCK = 0o4000;
/** Each write is durable in data before it returns. */
export const O_DSYNC = 0o10000;
/** Bypass caches (accepted; the pool decides). */
export const O_DIRECT = 0o40000;
/** Large offsets (accepted; all offsets are large). */
export const O_LARGEFILE = 0o100000;
/** Fail unless it is a directory. */
export const O_DIRECTORY = 0o200000;
/** Fail if the last component is a symbolic link. */
export const O_NOFOLLOW = 0o400000;
/** Reading does not move the access time. */
export const O_NOATIME = 0o1000000;
/** Close on exec (kept; there is no exec). */
export const O_CLOEXEC = 0o2000000;
/** Each write is durable in data and attributes before it returns. Contains O_DSYNC. */
export const O_SYNC = 0o4010000;
/** A handle on a place, without reading or writing. */
export const O_PATH = 0o10000000;
/** A file without a name in the given directory. Contains O_DIRECTORY. */
export const O_TMPFILE = 0o20200000;

/** Seek from the start. */
export const SEEK_SET = 0;
/** Seek from the current position. */
export const SEEK_CUR = 1;
/** Seek from the end of the file. */
export const SEEK_END = 2;
/** Seek to the next byte that is not in a hole. */
export const SEEK_DATA = 3;
/** Seek to the next hole; the end of the file counts as one. */
export const SEEK_HOLE = 4;

/** In an `*at` call: relative to the current directory. */
export const AT_FDCWD: number = -100;
/** In an `*at` call: do not follow a symbolic link at the end. */
export const AT_SYMLINK_NOFOLLOW = 0x100;
/** In unlinkat: remove a directory. */
export const AT_REMOVEDIR = 0x200;
/** In faccessat: use the effective ids. Same number as AT_REMOVEDIR. */
export const AT_EACCESS = 0x200;
/** In linkat: follow a symbolic link at the end. */
export const AT_SYMLINK_FOLLOW = 0x400;
/** In an `*at` call: an empty path means the descriptor itself. */
export const AT_EMPTY_PATH = 0x1000;

/** rename fails if the new name exists. */
export const RENAME_NOREPLACE = 1;
/** rename exchanges the two names. */
export const RENAME_EXCHANGE = 2;

/** access: does it exist. */
export const F_OK = 0;
/** access: may it be read. */
export const R_OK = 4;
/** access: may it be written. */
export const W_OK = 2;
/** access: may it be executed or searched. */
export const X_OK = 1;

/** allocate: do not change the size. */
export const FALLOC_FL_KEEP_SIZE = 1;
/** allocate: give the range back, it reads as zeros. Needs FALLOC_FL_KEEP_SIZE. */
export const FALLOC_FL_PUNCH_HOLE = 2;
/** allocate: the range reads as zeros and stays owned. */
export const FALLOC_FL_ZERO_RANGE = 0x10;

/** setxattr fails if the attribute exists. */
export const XATTR_CREATE = 1;
/** setxattr fails if the attribute is missing. */
export const XATTR_REPLACE = 2;

/** In utimensat's nanoseconds: the current time. */
export const UTIME_NOW = 0x3fffffff;
/** In utimensat's nanoseconds: leave this time alone. */
export const UTIME_OMIT = 0x3ffffffe;

/** flock: shared. */
export const LOCK_SH = 1;
/** flock: exclusive. */
export const LOCK_EX = 2;
/** flock: do not wait. */
export const LOCK_NB = 4;
/** flock: unlock. */
export const LOCK_UN = 8;
/** fcntl lock type: shared. */
export const F_RDLCK = 0;
/** fcntl lock type: exclusive. */
export const F_WRLCK = 1;
/** fcntl lock type: none. */
export const F_UNLCK = 2;

/** fcntl: another descriptor, the lowest from the argument on. */
export const F_DUPFD = 0;
/** fcntl: whether the descriptor closes on exec. */
export const F_GETFD = 1;
/** fcntl: sets that; there is no exec. */
export const F_SETFD = 2;
/** fcntl: the open flags. */
export const F_GETFL = 3;
/** fcntl: changes O_APPEND, O_NONBLOCK, O_DIRECT, O_NOATIME. */
export const F_SETFL = 4;
/** fcntl: which lock is in the way. */
export const F_GETLK = 12;
/** fcntl: locks or EAGAIN. */
export const F_SETLK = 13;
/** fcntl: locks, or EDEADLK where it would wait. */
export const F_SETLKW = 14;
/** The same for the open file description. */
export const F_OFD_GETLK = 36;
/** The same for the open file description. */
export const F_OFD_SETLK = 37;
/** The same for the open file description. */
export const F_OFD_SETLKW = 38;
/** fcntl: like F_DUPFD, and close on exec. */
export const F_DUPFD_CLOEXEC = 1030;

/** mmap: pages may be read. */
export const PROT_READ = 1;
/** mmap: pages may be written. */
export const PROT_WRITE = 2;
/** mmap: stores are seen by every program that maps the file. */
export const MAP_SHARED = 1;
/** mmap: stores are seen by this map only. */
export const MAP_PRIVATE = 2;

/** poll: something to read. */
export const POLLIN = 1;
/** poll: room to write. */
export const POLLOUT = 4;
/** poll: an error. */
export const POLLERR = 8;
/** poll: the other side is gone. */
export const POLLHUP = 0x10;
/** poll: not an open descriptor. */
export const POLLNVAL = 0x20;

const flagsByName: ReadonlyMap<string, number> = new Map([
  ["r", O_RDONLY],
  ["r+", O_RDWR],
  ["w", O_WRONLY | O_CREAT | O_TRUNC],
  ["w+", O_RDWR | O_CREAT | O_TRUNC],
  ["wx", O_WRONLY | O_CREAT | O_TRUNC | O_EXCL],
  ["wx+", O_RDWR | O_CREAT | O_TRUNC | O_EXCL],
  ["a", O_WRONLY | O_CREAT | O_APPEND],
  ["a+", O_RDWR | O_CREAT | O_APPEND],
  ["ax", O_WRONLY | O_CREAT | O_APPEND | O_EXCL],
  ["ax+", O_RDWR | O_CREAT | O_APPEND | O_EXCL],
]);

/**
 * Open flags from a string such as `"r+"`, or a number as it is.
 *
 * Strings are those of C's fopen with an optional `x`: r, r+, w, w+, wx, wx+, a, a+, ax, ax+.
 *
 * @throws {ErrnoError} EINVAL for another string, or a number that is not an integer
 * @example
 * ```ts
 * import { O_CREAT, O_RDWR, O_TRUNC, parseFlags } from "@cairn/fs/abi";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseFlags("w+"), O_RDWR | O_CREAT | O_TRUNC);
 * ```
 */
export function parseFlags(flags: string | number): number {
  if (typeof flags === "number" && Number.isInteger(flags)) return flags | 0;
  const parsed = typeof flags === "string" ? flagsByName.get(flags) : undefined;
  if (parsed !== undefined) return parsed;
  const shown = typeof flags === "string" ? `"${flags}"` : `of type ${typeof flags}`;
  throw new ErrnoError("EINVAL", `open with flags ${shown}`);
}
