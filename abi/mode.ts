/**
 * File types and permission bits: the words of `st_mode`.
 *
 * Layer: abi (imports nothing). Octal values as in every Unix. Use: `isDir(attr.mode)`,
 * `attr.mode & PERMISSION_BITS`, `formatMode(attr.mode)`.
 *
 * @module
 */

/** Mask of the file type in a mode. */
export const S_IFMT = 0o170000;
/** A socket. */
export const S_IFSOCK = 0o140000;
/** A symbolic link. */
export const S_IFLNK = 0o120000;
/** A regular file. */
export const S_IFREG = 0o100000;
/** A block device. */
export const S_IFBLK = 0o060000;
/** A directory. */
export const S_IFDIR = 0o040000;
/** A character device. */
export const S_IFCHR = 0o020000;
/** A FIFO. */
export const S_IFIFO = 0o010000;

/** Set user id on execution. */
export const S_ISUID = 0o4000;
/** Set group id on execution; on a directory, children inherit its group. */
export const S_ISGID = 0o2000;
/** In such a directory only an entry's owner may remove it. */
export const S_ISVTX = 0o1000;
/** Everything that chmod may change. */
export const PERMISSION_BITS = 0o7777;

/** Read permission in the "other" place; shifted left by 3 for group and 6 for owner. */
export const MAY_READ = 4;
/** Write permission in the "other" place. */
export const MAY_WRITE = 2;
/** Execute or search permission in the "other" place. */
export const MAY_EXECUTE = 1;

/** Whether `mode` is a regular file's. */
export function isFile(mode: number): boolean {
  return (mode & S_IFMT) === S_IFREG;
}

/** Whether `mode` is a directory's. */
export function isDir(mode: number): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}

/** Whether `mode` is a symbolic link's. */
export function isLink(mode: number): boolean {
  return (mode & S_IFMT) === S_IFLNK;
}

/** Whether `mode` is a character device's. */
export function isChrdev(mode: number): boolean {
  return (mode & S_IFMT) === S_IFCHR;
}

/** Whether `mode` is a block device's. */
export function isBlkdev(mode: number): boolean {
  return (mode & S_IFMT) === S_IFBLK;
}

/** Whether `mode` is a FIFO's. */
export function isFIFO(mode: number): boolean {
  return (mode & S_IFMT) === S_IFIFO;
}

/** Whether `mode` is a socket's. */
export function isSocket(mode: number): boolean {
  return (mode & S_IFMT) === S_IFSOCK;
}

const typeLetters: Readonly<Record<number, string>> = {
  [S_IFSOCK]: "s",
  [S_IFLNK]: "l",
  [S_IFREG]: "-",
  [S_IFBLK]: "b",
  [S_IFDIR]: "d",
  [S_IFCHR]: "c",
  [S_IFIFO]: "p",
};

function formatClass(bits: number, special: boolean, letter: string): string {
  const execute = special
    ? (bits & MAY_EXECUTE ? letter : letter.toUpperCase())
    : (bits & MAY_EXECUTE ? "x" : "-");
  return (bits & MAY_READ ? "r" : "-") + (bits & MAY_WRITE ? "w" : "-") + execute;
}

/**
 * A mode as `ls -l` shows it.
 *
 * @example
 * ```ts
 * import { formatMode } from "@cairn/fs/abi";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatMode(0o100644), "-rw-r--r--");
 * assertEquals(formatMode(0o041777), "drwxrwxrwt");
 * ```
 */
export function formatMode(mode: number): string {
  return (typeLetters[mode & S_IFMT] ?? "?") +
    formatClass(mode >> 6 & 7, (mode & S_ISUID) !== 0, "s") +
    formatClass(mode >> 3 & 7, (mode & S_ISGID) !== 0, "s") +
    formatClass(mode & 7, (mode & S_ISVTX) !== 0, "t");
}
