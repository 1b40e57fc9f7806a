/**
 * PathCalls: what a caller of whole paths needs of a file system.
 *
 * Layer: abi. `FS` satisfies it structurally; the relay's opcodes 1 to 34 and PROXYFS are served
 * through it, so neither of them imports `fs/`. Everything throws ErrnoError and nothing else.
 *
 * @module
 */
import type { StatFs } from "./attr.ts";

/** The part of a stat result that whole-path callers use. */
export interface PathStat {
  /** Device number of the mount. */
  dev: number;
  /** Inode number, unique within its mount. */
  ino: number;
  /** File type and permission bits. */
  mode: number;
  /** How many names it has. */
  nlink: number;
  /** Owner. */
  uid: number;
  /** Group. */
  gid: number;
  /** Device number of a device. */
  rdev: number;
  /** Length in bytes. */
  size: number;
  /** Space in units of 512 bytes. */
  blocks: number;
  /** Last read, in ms. */
  atimeMs: number;
  /** Last change of contents, in ms. */
  mtimeMs: number;
  /** Last change of anything, in ms. */
  ctimeMs: number;
}

/** An open file, as whole-path callers hold it. */
export interface PathStream {
  /** The descriptor, or null once it is closed. */
  fd: number | null;
}

/** A time as [s, ns], where ns may be UTIME_OMIT. */
export type PathTime = readonly [seconds: number, nanoseconds: number];

/**
 * Calls by path and by stream, with Emscripten's names and argument order. The optional ones stand at
 * the end: what is absent cannot be done there, and the caller says so with ENOTSUP, or does
 * with less.
 */
export interface PathCalls {
  /** Opens, and creates if the flags say so. */
  open(path: string, flags: number, mode?: number): PathStream;
  /** Closes. */
  close(stream: PathStream): void;
  /** Reads at `position`, or at the stream's own and moves it. */
  read(
    stream: PathStream,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position?: number,
  ): number;
  /** Writes at `position`, or at the stream's own and moves it. */
  write(
    stream: PathStream,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position?: number,
  ): number;
  /** Attributes; follows a link. */
  stat(path: string): PathStat;
  /** Attributes of the link itself. */
  lstat(path: string): PathStat;
  /** Attributes of an open file. */
  fstat(fd: number): PathStat;
  /** Makes a directory. */
  mkdir(path: string, mode?: number): void;
  /** Removes an empty directory. */
  rmdir(path: string): void;
  /** Names in a directory, "." and ".." among them. */
  readdir(path: string): string[];
  /** Makes a special file. */
  mknod(path: string, mode: number, dev: number): void;
  /** Removes a name. */
  unlink(path: string): void;
  /** Moves a name. */
  rename(oldPath: string, newPath: string): void;
  /** Adds a name. */
  link(oldPath: string, newPath: string): void;
  /** Makes a symbolic link. */
  symlink(target: string, path: string): void;
  /** What a symbolic link holds. */
  readlink(path: string): string;
  /** The path without links, "." and "..". */
  realpath(path: string): string;
  /** Changes permission bits. */
  chmod(path: string, mode: number): void;
  /** Changes permission bits of an open file. */
  fchmod(fd: number, mode: number): void;
  /** Changes the owner; follows a link. */
  chown(path: string, uid: number, gid: number): void;
  /** Changes the owner of the link itself. */
  lchown(path: string, uid: number, gid: number): void;
  /** Changes the owner of an open file. */
  fchown(fd: number, uid: number, gid: number): void;
  /** Sets times in ms. */
  utime(path: string, atimeMs: number, mtimeMs: number): void;
  /** Cuts or extends. */
  truncate(path: string, sizeBytes: number): void;
  /** Cuts or extends an open file. */
  ftruncate(fd: number, sizeBytes: number): void;
  /** Checks R_OK, W_OK, X_OK or F_OK. */
  access(path: string, mode: number): void;
  /** Makes an open file, or a descriptor's, durable. */
  fsync(stream: PathStream | number): void;
  /** Space of the file system that holds the path. */
  statfs(path: string): StatFs;

  /** Opens once more what is open, whether or not it has a name. */
  reopen?(fd: number, flags: number): PathStream;
  /** The position of SEEK_DATA and SEEK_HOLE. Absent: everything up to the end is data. */
  llseek?(stream: PathStream, offset: number, whence: number): number;
  /** Owns, punches or zeroes a range; `mode` is 0 or FALLOC_FL_*. */
  fallocate?(fd: number, mode: number, offset: number, length: number): void;
  /** rename that heeds RENAME_NOREPLACE and RENAME_EXCHANGE; the descriptors are AT_FDCWD. */
  renameat?(
    oldDirfd: number,
    oldPath: string,
    newDirfd: number,
    newPath: string,
    flags: number,
  ): void;
  /** With AT_EMPTY_PATH: gives what is open as `oldDirfd` a name. */
  linkat?(
    oldDirfd: number,
    oldPath: string,
    newDirfd: number,
    newPath: string,
    flags: number,
  ): void;
  /** Sets times of an open file. */
  futimens?(fd: number, atime: PathTime, mtime: PathTime): void;
  /** Sets times; of a link itself, not of what it leads to. */
  lutimens?(path: string, atime: PathTime, mtime: PathTime): void;
  /** Value of an extended attribute of a path or a descriptor. ENODATA. */
  getxattr?(file: string | number, name: string): Uint8Array;
  /** Sets an extended attribute; `flags` is 0, XATTR_CREATE or XATTR_REPLACE. */
  setxattr?(file: string | number, name: string, value: Uint8Array, flags: number): void;
  /** Names of the extended attributes. */
  listxattr?(file: string | number): string[];
  /** Removes an extended attribute. ENODATA. */
  removexattr?(file: string | number, name: string): void;
}
