/**
 * What is known of an inode, and how it is changed: the records that travel between layers.
 *
 * Layer: abi (imports nothing). Times are milliseconds since the epoch, fractions kept. Sizes are
 * bytes. Blocks are 512-byte units, as POSIX counts them, whatever the backend's own block is.
 *
 * @module
 */

/** The attributes of one inode. */
export interface Attr {
  /** Inode number, unique within its mount: what stat shows. */
  ino: number;
  /** File type and permission bits. */
  mode: number;
  /** How many names it has; a directory has 2 and one per subdirectory. */
  nlink: number;
  /** Owner. */
  uid: number;
  /** Group. */
  gid: number;
  /** Device number of a character or block device, else 0. */
  rdev: number;
  /** Length in bytes. */
  size: number;
  /** Space that it owns, in units of 512 bytes. */
  blocks: number;
  /** Last read, in ms. */
  atime: number;
  /** Last change of contents, in ms. */
  mtime: number;
  /** Last change of anything, in ms. */
  ctime: number;
}

/** What setattr may change; what is absent stays. The backend moves ctime by itself. */
export type AttrChange = Partial<Pick<Attr, "mode" | "uid" | "gid" | "size" | "atime" | "mtime">>;

/** One entry of a directory. Backends may hand out the same one again. */
export interface DirEntry {
  /** Inode number, unique within its mount. */
  readonly ino: number;
  /** File type and permission bits. */
  readonly mode: number;
  /** The name, without slashes. */
  readonly name: string;
  /** Where to go on after this entry; stays valid while the directory changes. */
  readonly cursor: number;
}

/** Who owns an inode that is being made. */
export interface Owner {
  /** User id. */
  uid: number;
  /** Group id. */
  gid: number;
}

/** Space of a mounted file system. */
export interface StatFs {
  /** Bytes per block. */
  blockSize: number;
  /** Blocks in all. */
  blocks: number;
  /** Blocks that a write may still take. */
  freeBlocks: number;
  /** Inodes in all. */
  inodes: number;
  /** Inodes that a create may still take. */
  freeInodes: number;
}
