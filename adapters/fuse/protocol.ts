/**
 * The bytes that the Linux kernel and a user-space filesystem exchange over /dev/fuse: numbers and
 * offsets, and nothing that acts.
 *
 * Layer: adapters/fuse, bottom. Version 7.38 of the protocol, little-endian machines. An offset of
 * a request counts from the end of its header, one of a reply from the end of its own. `request.ts`
 * reads with them, `reply.ts` writes with them.
 *
 * @module
 */

/** Major version of the protocol. */
export const MAJOR = 7;
/** Minor version that this server speaks. */
export const MINOR = 38;
/** Older kernels than this (4.20) have no MAX_PAGES and are refused. */
export const MINOR_MIN = 28;

/** What a request asks for. */
export const Op = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  FSYNC: 20,
  SETXATTR: 21,
  GETXATTR: 22,
  LISTXATTR: 23,
  REMOVEXATTR: 24,
  INIT: 26,
  READDIR: 28,
  FSYNCDIR: 30,
  CREATE: 35,
  INTERRUPT: 36,
  DESTROY: 38,
  IOCTL: 39,
  BATCH_FORGET: 42,
  FALLOCATE: 43,
  READDIRPLUS: 44,
  RENAME2: 45,
  LSEEK: 46,
  COPY_FILE_RANGE: 47,
  SYNCFS: 50,
  TMPFILE: 51,
} as const;

/** Flags of INIT: what the kernel offers, and what of it the server takes. */
export const Init = {
  ASYNC_READ: 0x1,
  EXPORT_SUPPORT: 0x10,
  BIG_WRITES: 0x20,
  DONT_MASK: 0x40,
  DO_READDIRPLUS: 0x2000,
  READDIRPLUS_AUTO: 0x4000,
  ASYNC_DIO: 0x8000,
  NO_OPEN_SUPPORT: 0x20000,
  PARALLEL_DIROPS: 0x40000,
  HANDLE_KILLPRIV: 0x80000,
  ABORT_ERROR: 0x200000,
  MAX_PAGES: 0x400000,
  CACHE_SYMLINKS: 0x800000,
  NO_OPENDIR_SUPPORT: 0x1000000,
  HANDLE_KILLPRIV_V2: 0x10000000,
} as const;

/** Bits of SETATTR_IN.VALID: which fields mean something. */
export const Fattr = {
  MODE: 0x1,
  UID: 0x2,
  GID: 0x4,
  SIZE: 0x8,
  ATIME: 0x10,
  MTIME: 0x20,
  ATIME_NOW: 0x80,
  MTIME_NOW: 0x100,
  KILL_SUIDGID: 0x800,
} as const;

/** In WRITE_IN.WRITE_FLAGS: the writer is not privileged, take setuid and setgid away. */
export const WRITE_KILL_SUIDGID: number = 1 << 2;

/** Offsets of the header of a request. */
export const IN_HEADER = {
  LENGTH: 0,
  OPCODE: 4,
  UNIQUE: 8,
  NODE_ID: 16,
  UID: 24,
  GID: 28,
  PID: 32,
  /** Bytes of the header. */
  BYTES: 40,
} as const;

/** Offsets of the header of a reply. */
export const OUT_HEADER = {
  LENGTH: 0,
  ERROR: 4,
  UNIQUE: 8,
  /** Bytes of the header. */
  BYTES: 16,
} as const;

/** Body of INIT. */
export const INIT_IN = { MAJOR: 0, MINOR: 4, MAX_READAHEAD: 8, FLAGS: 12 } as const;

/** Reply to INIT. */
export const INIT_OUT = {
  MAJOR: 0,
  MINOR: 4,
  MAX_READAHEAD: 8,
  FLAGS: 12,
  MAX_BACKGROUND: 16,
  CONGESTION_THRESHOLD: 18,
  MAX_WRITE: 20,
  TIME_GRANULARITY: 24,
  MAX_PAGES: 28,
  BYTES: 64,
} as const;

/** Body of FORGET. */
export const FORGET_IN = { LOOKUPS: 0 } as const;

/** Body of BATCH_FORGET: a count, then pairs. */
export const BATCH_FORGET_IN = { COUNT: 0, FIRST: 8 } as const;
/** One pair of BATCH_FORGET. */
export const FORGET_ONE = { NODE_ID: 0, LOOKUPS: 8, BYTES: 16 } as const;

/** Body of SETATTR. */
export const SETATTR_IN = {
  VALID: 0,
  SIZE: 16,
  ATIME: 32,
  MTIME: 40,
  ATIME_NS: 56,
  MTIME_NS: 60,
  MODE: 68,
  UID: 76,
  GID: 80,
} as const;

/** Body of MKNOD, followed by the name. */
export const MKNOD_IN = { MODE: 0, RDEV: 4, UMASK: 8, NAME: 16 } as const;
/** Body of MKDIR, followed by the name. */
export const MKDIR_IN = { MODE: 0, UMASK: 4, NAME: 8 } as const;
/** Body of CREATE and TMPFILE, followed by the name. */
export const CREATE_IN = { FLAGS: 0, MODE: 4, UMASK: 8, NAME: 16 } as const;
/** Body of RENAME, followed by the two names. */
export const RENAME_IN = { NEW_PARENT: 0, NAMES: 8 } as const;
/** Body of RENAME2, followed by the two names. */
export const RENAME2_IN = { NEW_PARENT: 0, FLAGS: 8, NAMES: 16 } as const;
/** Body of LINK, followed by the new name. */
export const LINK_IN = { OLD_NODE_ID: 0, NAME: 8 } as const;
/** Body of READ, READDIR and READDIRPLUS. */
export const READ_IN = { OFFSET: 8, SIZE: 16 } as const;
/** Body of WRITE, followed by the data. */
export const WRITE_IN = { OFFSET: 8, SIZE: 16, WRITE_FLAGS: 20, DATA: 40 } as const;
/** Reply to WRITE. */
export const WRITE_OUT = { SIZE: 0, BYTES: 8 } as const;
/** Body of FALLOCATE. */
export const FALLOCATE_IN = { OFFSET: 8, LENGTH: 16, MODE: 24 } as const;
/** Body of LSEEK. */
export const LSEEK_IN = { OFFSET: 8, WHENCE: 16 } as const;
/** Body of COPY_FILE_RANGE; the request is about the source. Its reply is that to WRITE. */
export const COPY_FILE_RANGE_IN = {
  OFFSET_IN: 8,
  NODE_OUT: 16,
  OFFSET_OUT: 32,
  LENGTH: 40,
  FLAGS: 48,
} as const;
/** Reply to LSEEK. */
export const LSEEK_OUT = { OFFSET: 0, BYTES: 8 } as const;

/** Body of SETXATTR; followed by the name, and then the value. */
export const SETXATTR_IN = { SIZE: 0, FLAGS: 4, NAME: 8 } as const;
/** Body of GETXATTR, followed by the name, and of LISTXATTR. A size of 0 asks how much there is. */
export const GETXATTR_IN = { SIZE: 0, NAME: 8 } as const;
/** Reply to both where the size was 0. */
export const GETXATTR_OUT = { SIZE: 0, BYTES: 8 } as const;

/** Attributes, inside other replies. */
export const ATTR = {
  INO: 0,
  SIZE: 8,
  BLOCKS: 16,
  ATIME: 24,
  MTIME: 32,
  CTIME: 40,
  ATIME_NS: 48,
  MTIME_NS: 52,
  CTIME_NS: 56,
  MODE: 60,
  NLINK: 64,
  UID: 68,
  GID: 72,
  RDEV: 76,
  BLOCK_SIZE: 80,
  FLAGS: 84,
  BYTES: 88,
} as const;

/** Reply to GETATTR and SETATTR. */
export const ATTR_OUT = { VALID: 0, VALID_NS: 8, ATTR: 16, BYTES: 104 } as const;

/** Reply to whatever finds or makes a name. */
export const ENTRY_OUT = {
  NODE_ID: 0,
  GENERATION: 8,
  ENTRY_VALID: 16,
  ATTR_VALID: 24,
  ENTRY_VALID_NS: 32,
  ATTR_VALID_NS: 36,
  ATTR: 40,
  BYTES: 128,
} as const;

/** What follows the entry in CREATE's reply. */
export const OPEN_OUT = { BYTES: 16 } as const;

/** One entry in the reply to READDIR; in that to READDIRPLUS an ENTRY_OUT stands before it. */
export const DIRENT = { INO: 0, OFFSET: 8, NAME_LENGTH: 16, TYPE: 20, NAME: 24 } as const;

/** Reply to STATFS. */
export const STATFS_OUT = {
  BLOCKS: 0,
  FREE_BLOCKS: 8,
  AVAILABLE_BLOCKS: 16,
  FILES: 24,
  FREE_FILES: 32,
  BLOCK_SIZE: 40,
  NAME_MAX: 44,
  FRAGMENT_SIZE: 48,
  BYTES: 80,
} as const;

/** Bytes of the longest write that the kernel sends and the longest read that it asks for. */
export const MAX_WRITE_BYTES: number = 1024 * 1024;
/** The same in pages, as INIT wants it. */
export const MAX_PAGES: number = MAX_WRITE_BYTES / 4096;
/** What a buffer for requests needs: the longest write, its headers, and room for more fields. */
export const REQUEST_BYTES: number = MAX_WRITE_BYTES + 64 * 1024;
/** What a buffer for replies needs. */
export const REPLY_BYTES: number = OUT_HEADER.BYTES + MAX_WRITE_BYTES;

/** Records in a directory reply begin at multiples of this. */
export const DIRENT_ALIGNMENT = 8;
