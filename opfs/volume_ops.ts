/**
 * VolumeOps: a volume as its users see it. They cannot see where it is.
 *
 * Layer: the hinge of the house. The engine (`volume/volume.ts`) and the relay's client
 * (`relay/client.ts`) implement it; `node_ops/volume.ts` and `stream_ops/volume.ts` use it; caches,
 * tracers and layers wrap it. It speaks inode numbers, not paths: the path is walked once, at open,
 * in the caller's own name table.
 *
 * A name is 1 to 255 bytes of UTF-8 without "/" and NUL; "." and ".." are not names here. No
 * permission is checked: that is the caller's business, and owner and mode come from the caller.
 * Every failure is an ErrnoError; a missing name is 0 from `lookup`.
 *
 * @module
 */
import type { Attr, AttrChange, DirEntry, Owner, StatFs } from "../abi/attr.ts";
import type { Appended } from "../abi/node.ts";

/**
 * An inode of a volume: slot + 1, plus the slot's generation x 2^32 (exact in a double); 0 is no
 * inode. One whose slot has been given to another inode since is ESTALE. `Attr.ino` and
 * `DirEntry.ino` are the low part alone.
 */
export type Ino = number;

/** What something new is made with. */
export interface CreateOptions extends Owner {
  /** File type and permission bits. */
  mode: number;
  /** Device number of a device. */
  rdev?: number;
  /** What a symbolic link points to: 1 to 4,095 bytes of UTF-8. */
  target?: string;
}

/** What a file without a name is made with. */
export interface TmpfileOptions extends Owner {
  /** Permission bits; the type is that of a regular file, said or not. */
  mode: number;
  /** Whether `link` may give it a name. Default true. */
  isLinkable?: boolean;
}

/** What is read of {@link CreateOptions}. */
export const CREATE_FIELDS = ["mode", "uid", "gid", "rdev", "target"] as const;
/** What is read of {@link TmpfileOptions}. */
export const TMPFILE_FIELDS = ["mode", "uid", "gid", "isLinkable"] as const;
/** What is read of an AttrChange. */
export const CHANGE_FIELDS = ["mode", "uid", "gid", "size", "atime", "mtime"] as const;

/** What is read of a {@link LockRequest}. */
export const LOCK_FIELDS = ["kind", "owner", "type", "start", "end", "wait"] as const;

/** An inode and its attributes, both of one moment. */
export interface Found {
  /** The inode. */
  ino: Ino;
  /** Its attributes. */
  attr: Attr;
}

/** An entry with what its name leads to. */
export interface FoundEntry extends DirEntry, Found {
  /** The inode with its generation; unlike that of {@link DirEntry} it can be used in calls. */
  ino: Ino;
}

/** What has become of a file that was written as a whole. */
export interface Stored {
  /** The file. */
  ino: Ino;
  /** Bytes written: all, or fewer when the device is full. */
  count: number;
}

/**
 * Several calls in one step. A volume for which a step takes long has them; nothing comes between
 * the calls that one stands for, and it answers what they would have answered.
 */
export interface CompoundOps {
  /** `lookup` and `getattr`; null if there is no such name. */
  lookupAttr(parent: Ino, name: string): Found | null;
  /** `lookup`, `retain` and `getattr`: opens what the name leads to now. Null as above. */
  lookupRetain(parent: Ino, name: string): Found | null;
  /** `create`, `retain` and `getattr`. */
  createRetain(parent: Ino, name: string, options: CreateOptions): Found;
  /** `readdir`, with `lookup` and `getattr` of each entry. */
  readdirAttr(ino: Ino, after: number): FoundEntry[];
  /** `getattr` of each; null for one that is gone. */
  getattrs(inos: readonly Ino[]): (Attr | null)[];
  /** Makes the file, or cuts it to nothing, and writes it: open, write and close. */
  store(parent: Ino, name: string, options: CreateOptions, from: Uint8Array): Stored;
}

/** Kinds of locks; they do not see each other. */
export const LockKind = {
  /** A range of bytes, as fcntl has it. */
  RANGE: 0,
  /** A whole file, as flock has it. */
  FLOCK: 1,
  /** One of SQLite's five levels; `type` is the level. */
  SQLITE: 2,
  /** SQLite's eight WAL slots: a range of slots. */
  WAL: 3,
} as const;

/** Levels of a SQLite lock. EXCLUSIVE that has to wait keeps new readers out: it holds PENDING. */
export const SqliteLevel = { NONE: 0, SHARED: 1, RESERVED: 2, PENDING: 3, EXCLUSIVE: 4 } as const;

/** A lock that is wanted, changed or given back. */
export interface LockRequest {
  /** One of {@link LockKind}. */
  kind: number;
  /** Who, within the client: a process, an open file description, a connection. Below 2^32. */
  owner: number;
  /** F_RDLCK, F_WRLCK or F_UNLCK; for SQLite one of {@link SqliteLevel}. */
  type: number;
  /** First byte or slot. */
  start: number;
  /** Byte or slot after the last; Infinity for all there will ever be. */
  end: number;
  /** Whether to wait for it, first come first served. */
  wait: boolean;
}

/** A lock that is in the way. */
export interface BlockingLock extends Pick<LockRequest, "type" | "start" | "end"> {
  /** The owner if it is this client's, else -1. */
  owner: number;
}

/** Advisory locks, which all clients of a volume heed. They are gone with their client. */
export interface LockOps {
  /** Takes, changes or gives back a lock. EAGAIN if it is not free and not to be waited for, EDEADLK. */
  lock(ino: Ino, request: LockRequest): void;
  /** The first lock in the way of such a request, or null. */
  testLock(ino: Ino, request: LockRequest): BlockingLock | null;
  /** Gives back all that an owner holds on an inode, of one kind. */
  unlock(ino: Ino, owner: number, kind: number): void;
}

/** Hearing of what others have changed. */
export interface ChangeOps {
  /**
   * Calls `listener` from the event loop after others have changed something, until the result is
   * called or the volume is closed. A thread that is busy or asleep hears of it later.
   */
  onChange(listener: () => void): () => void;
}

/** A volume, here or far away. */
export interface VolumeOps extends Partial<CompoundOps>, Partial<LockOps>, Partial<ChangeOps> {
  /** The root directory. */
  readonly root: Ino;
  /**
   * Counts changes of names and attributes. It grows by exactly 1 with each create, link, unlink,
   * rmdir, rename and setattr that succeeds through this object, and by at least 1 for whatever
   * another client changed; so a cache that finds it where its own last call left it is still true.
   */
  readonly generation: number;
  /** The named entry of a directory, or 0. ENOTDIR, ESTALE. */
  lookup(parent: Ino, name: string): Ino;
  /** Makes a file, directory, link or special file. EEXIST, ENOSPC, EMLINK, ENAMETOOLONG. */
  create(parent: Ino, name: string, options: CreateOptions): Ino;
  /**
   * Makes a regular file that has no name, retained once for the caller, and no place on the device:
   * after a crash, or the last release, it has never been. `link` can give it its first name.
   * `parent` says where it would be; ENOENT if that is a removed directory, ENOTDIR, ENOSPC.
   */
  tmpfile(parent: Ino, options: TmpfileOptions): Ino;
  /**
   * Adds a name. EEXIST, EMLINK, EPERM for a directory, ENOENT for a file without a name, unless
   * `tmpfile` made it so.
   */
  link(ino: Ino, parent: Ino, name: string): void;
  /** Removes a name. ENOENT, EISDIR. */
  unlink(parent: Ino, name: string): void;
  /** Removes an empty directory. ENOENT, ENOTDIR, ENOTEMPTY. */
  rmdir(parent: Ino, name: string): void;
  /**
   * Moves a name in one step, replacing what is there. `flags`: 0, RENAME_NOREPLACE,
   * RENAME_EXCHANGE. ENOENT, EEXIST, ENOTEMPTY, EISDIR, ENOTDIR, EINVAL into itself.
   */
  rename(parent: Ino, name: string, newParent: Ino, newName: string, flags: number): void;
  /** Entries after cursor `after` (0: from the start), as many as fit; none at the end. */
  readdir(ino: Ino, after: number): DirEntry[];
  /** What a symbolic link points to. EINVAL if it is not one. */
  readlink(ino: Ino): string;
  /** Attributes, as a fresh object. */
  getattr(ino: Ino): Attr;
  /** Changes what `change` has in one step, and ctime. A size cuts, or extends with a hole. */
  setattr(ino: Ino, change: AttrChange): void;
  /** Bytes read at byte `at`; 0 at the end. With `isQuiet` the last read stays what it was. */
  read(ino: Ino, into: Uint8Array, at: number, isQuiet?: boolean): number;
  /** Bytes written at byte `at`. ENOSPC, EFBIG. */
  write(ino: Ino, from: Uint8Array, at: number): number;
  /** Writes at the end of the file, as `write` all or a part: where, and how many bytes. */
  append(ino: Ino, from: Uint8Array): Appended;
  /**
   * The first byte at or after `at` that is data (SEEK_DATA) or in a hole (SEEK_HOLE; the end of
   * the file counts as one). What is owned but was never written is a hole. ENXIO at or past the
   * end, and where no data follows; EINVAL for another `whence`.
   */
  seek(ino: Ino, at: number, whence: number): number;
  /**
   * Owns, gives back or zeroes bytes `[at, at + length)` of a file. `mode`: 0 or FALLOC_FL_KEEP_SIZE
   * own the range, FALLOC_FL_ZERO_RANGE (with or without it) also makes it read as zeros, and
   * FALLOC_FL_PUNCH_HOLE with FALLOC_FL_KEEP_SIZE gives it back. Without KEEP_SIZE the file is at
   * least `at + length` long afterwards. ENOSPC before anything has changed, EFBIG, EINVAL for no
   * length, ENOTSUP for another mode.
   */
  allocate(ino: Ino, mode: number, at: number, length: number): void;
  /**
   * Copies bytes `[at, at + length)` of a file to byte `to` of another or the same one, piece after
   * piece from the first on, and returns how many: fewer where the source ends, after 16 MiB of data
   * or many holes, and where the device is full; 0 at or after the source's end. What is a hole in the
   * source by whole blocks is a hole in the target too. EINVAL where the two ranges overlap in one
   * file, EISDIR, EFBIG, ENOSPC when there is room for none.
   */
  copyRange(source: Ino, at: number, target: Ino, to: number, length: number): number;
  /** Value of an extended attribute as bytes of its own, or null. */
  getxattr(ino: Ino, name: string): Uint8Array | null;
  /**
   * Sets an extended attribute, whole or not at all. A name is 1 to 255 bytes of UTF-8 without NUL,
   * of whatever namespace; a value is up to 65,536 bytes. `flags`: 0, XATTR_CREATE (EEXIST) or
   * XATTR_REPLACE (ENODATA). ERANGE for the name, E2BIG for the value, ENOSPC for too many.
   */
  setxattr(ino: Ino, name: string, value: Uint8Array, flags: number): void;
  /** Names of the extended attributes: together with a byte for each, up to 65,536 bytes. */
  listxattr(ino: Ino): string[];
  /** Removes an extended attribute; false if it is missing. */
  removexattr(ino: Ino, name: string): boolean;
  /** An open file keeps its inode alive after its last name is gone. */
  retain(ino: Ino): void;
  /** Takes one `retain` back. */
  release(ino: Ino): void;
  /**
   * Makes the inode, its data and the names that lead to it durable. The engine has one journal, so
   * there this is `sync`.
   */
  fsync(ino: Ino): void;
  /** Makes everything before this call durable. */
  sync(): void;
  /** Space: what a write may still take counts as free, though the volume has yet to grow to it. */
  statfs(): StatFs;
  /** Makes everything durable and lets the device go. */
  close(): void;
}
