/**
 * The words of the suite's command as numbers: file types, open flags, stat fields.
 *
 * @module
 */

/** Mask of the type bits. */
export const S_IFMT = 0o170000;
/** Type bits by the letters that the suite's mknod takes. */
export const TYPE_OF_LETTER: Readonly<Record<string, number>> = {
  c: 0o020000,
  b: 0o060000,
  f: 0o010000,
  d: 0o040000,
  o: 0o100000,
};
/** A FIFO. */
export const S_IFIFO = 0o010000;
/** A socket. */
export const S_IFSOCK = 0o140000;
/** A directory. */
export const S_IFDIR = 0o040000;

const TYPE_NAMES: Readonly<Record<number, string>> = {
  0o140000: "socket",
  0o120000: "symlink",
  0o100000: "regular",
  0o060000: "block",
  0o040000: "dir",
  0o020000: "char",
  0o010000: "fifo",
};

/** Open flags by name. */
export const OPEN_FLAGS: Readonly<Record<string, number>> = {
  O_RDONLY: 0,
  O_WRONLY: 1,
  O_RDWR: 2,
  O_CREAT: 0o100,
  O_EXCL: 0o200,
  O_NOCTTY: 0o400,
  O_TRUNC: 0o1000,
  O_APPEND: 0o2000,
  O_NONBLOCK: 0o4000,
  O_DIRECT: 0o40000,
  O_DIRECTORY: 0o200000,
  O_NOFOLLOW: 0o400000,
  O_FSYNC: 0o4010000,
  O_SYNC: 0o4010000,
};

/** In nanoseconds: now. */
export const UTIME_NOW = 0x3fffffff;
/** In nanoseconds: leave it alone. */
export const UTIME_OMIT = 0x3ffffffe;

/** What C's strtoll(text, NULL, 0) gives. */
export function parseNumber(text: string): number {
  const isNegative = text.startsWith("-");
  const digits = text.replace(/^[-+]/, "");
  const value = /^0[0-7]+$/.test(digits) ? parseInt(digits, 8) : Number(digits);
  if (!Number.isFinite(value)) throw new Error(`a number is expected: ${text}`);
  return isNegative ? -value : value;
}

/** Open flags from `O_RDWR,O_CREAT` or `O_RDWR|O_CREAT`. */
export function parseOpenFlags(text: string): number {
  if (text === "none" || text === "0") return 0;
  return text.split(/[,|]/).filter(Boolean).reduce((all, name) => {
    const flag = OPEN_FLAGS[name];
    if (flag === undefined) throw new Error(`unknown flag ${name}`);
    return all | flag;
  }, 0);
}

/** A device number as the file system under test packs it. */
export function makedev(major: number, minor: number): number {
  return major << 8 | minor & 0xff;
}

/** What a stat gives, as far as the suite asks. */
export interface StatLike {
  /** Inode number. */
  ino: number;
  /** Type and permission bits. */
  mode: number;
  /** Names. */
  nlink: number;
  /** Owner. */
  uid: number;
  /** Group. */
  gid: number;
  /** Bytes. */
  size: number;
  /** 512-byte units. */
  blocks: number;
  /** Device number. */
  rdev: number;
  /** Last read in ns. */
  atimeNs: bigint;
  /** Last change of contents in ns. */
  mtimeNs: bigint;
  /** Last change in ns. */
  ctimeNs: bigint;
}

const SECOND = 1_000_000_000n;

const FIELDS: Readonly<Record<string, (stat: StatLike) => string | number | bigint>> = {
  mode: (stat) => `0${(stat.mode & 0o7777).toString(8)}`,
  inode: (stat) => stat.ino,
  nlink: (stat) => stat.nlink,
  uid: (stat) => stat.uid | 0,
  gid: (stat) => stat.gid | 0,
  size: (stat) => stat.size,
  blocks: (stat) => stat.blocks,
  atime: (stat) => stat.atimeNs / SECOND,
  mtime: (stat) => stat.mtimeNs / SECOND,
  ctime: (stat) => stat.ctimeNs / SECOND,
  atime_ns: (stat) => stat.atimeNs % SECOND,
  mtime_ns: (stat) => stat.mtimeNs % SECOND,
  ctime_ns: (stat) => stat.ctimeNs % SECOND,
  major: (stat) => stat.rdev >> 8 & 0xfff,
  minor: (stat) => stat.rdev & 0xff,
  type: (stat) => TYPE_NAMES[stat.mode & S_IFMT] ?? "unknown",
};

/** The fields that `what` lists, with commas. */
export function showStat(stat: StatLike, what: string): string {
  return what.split(",").map((field) => FIELDS[field]?.(stat) ?? "unknown").join(",");
}
