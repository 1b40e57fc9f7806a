/**
 * MEMFS's inode, and what the inodes of one mount share.
 *
 * Layer: stream_ops, because bytes and names both need it: `stream_ops/memfs.ts` reads and writes
 * `bytes`, `node_ops/memfs.ts` keeps the names in `entries`. All names of an inode share this one
 * object; it lives until its last name and its last open description are gone.
 *
 * @module
 */
import { ErrnoError } from "../abi/errno.ts";
import type { DirEntry, Owner } from "../abi/attr.ts";
import { invariant } from "../abi/invariant.ts";
import { isDir } from "../abi/mode.ts";
import type { NodeRecord } from "../abi/node.ts";
import { ChunkPool } from "./chunks.ts";
import { ChunkTree } from "./chunk_tree.ts";
import { MemfsListing } from "./memfs_listing.ts";

/** When reading moves the access time. */
export type AtimePolicy = "relatime" | "strictatime" | "noatime";

/** What the inodes of one mount share. */
export interface MemfsStoreOptions {
  /** Space for contents and extended attributes, in bytes. */
  maxBytes: number;
  /** How many inodes there may be. */
  maxInodes: number;
  /** Now, in ms since the epoch. */
  clock: () => number;
  /** When reading moves the access time. */
  atime: AtimePolicy;
}

/** No inode has more names, and no directory more subdirectories (and 2). */
export const MAX_LINKS = 65535;

/** After how long a read counts again, in ms, although nothing has changed since the last one. */
const ATIME_AGE_MS = { relatime: 86_400_000, strictatime: -Infinity, noatime: Infinity } as const;

/** Space, inode numbers and the clock of one mount. */
export class MemfsStore {
  /** Where contents come from. */
  readonly pool: ChunkPool;
  /** How many inodes there may be. */
  readonly maxInodes: number;
  /** After how long a read moves an access time that is newer than the last change, in ms. */
  readonly atimeAgeMs: number;
  /** What `tick` said last, in ms: good enough to know whether a day has passed. */
  now: number;
  /** Grows when a read of some inode may move its access time again, because a day has passed. */
  epoch = 0;
  /** When that is, in ms. */
  #epochEnd = Infinity;
  /** How often anything's mode has changed. */
  modeChanges = 0;
  readonly #clock: () => number;
  #inodeCount = 0;
  #lastIno = 0;

  /** An empty store. */
  constructor(options: MemfsStoreOptions) {
    this.pool = new ChunkPool(options.maxBytes);
    this.maxInodes = options.maxInodes;
    this.atimeAgeMs = ATIME_AGE_MS[options.atime];
    this.#clock = options.clock;
    this.now = options.clock();
  }

  /** How many inodes there are. */
  get inodeCount(): number {
    return this.#inodeCount;
  }

  /** Now, in ms. */
  tick(): number {
    const now = this.#clock();
    if (now >= this.#epochEnd) {
      this.epoch++;
      this.#epochEnd = Infinity;
    }
    return this.now = now;
  }

  /**
   * Moves the access time of an inode that is read, if the policy wants it. Returns the epoch in
   * which further reads move nothing; -1 if the next one may.
   */
  noteRead(inode: MemfsInode): number {
    const { atimeAgeMs } = this;
    if (atimeAgeMs === Infinity) return this.epoch;
    if (inode.isAtimeDue()) inode.atime = this.tick();
    if (inode.isAtimeDue()) return -1;
    this.endEpochAt(inode.atime + atimeAgeMs);
    return this.epoch;
  }

  /** The epoch ends at `time`, if not before. */
  endEpochAt(time: number): void {
    if (time < this.#epochEnd) this.#epochEnd = time;
  }

  /**
   * A new inode without a name. A directory starts with its own two links.
   *
   * @throws {ErrnoError} ENOSPC when there are `maxInodes`
   */
  create(mode: number, rdev: number, owner: Owner): MemfsInode {
    if (this.#inodeCount >= this.maxInodes) throw new ErrnoError("ENOSPC", "make another inode");
    this.#inodeCount++;
    return new MemfsInode(this, ++this.#lastIno, mode, rdev, owner);
  }

  /** Lets an inode go that has no name and is not open. */
  release(inode: MemfsInode): void {
    if (inode.nlink > 0 || inode.openCount > 0) return;
    inode.bytes?.resize(0);
    this.pool.refund(inode.chargedBytes);
    inode.chargedBytes = 0;
    this.#inodeCount--;
    invariant(this.#inodeCount >= 0, "F3: an inode is released twice");
  }
}

/** One name in a directory. It is what `readdir` hands out, after a look at what may have changed. */
export class MemfsEntry implements DirEntry {
  /** The name. */
  readonly name: string;
  /** Its place in the order of creation. */
  readonly cursor: number;
  /** What it names. */
  readonly inode: MemfsInode;
  /** Inode number. */
  readonly ino: number;
  /** File type and permission bits when they were last looked at. */
  mode: number;

  /** A name for `inode`. */
  constructor(name: string, cursor: number, inode: MemfsInode) {
    this.name = name;
    this.cursor = cursor;
    this.inode = inode;
    this.ino = inode.ino;
    this.mode = inode.mode;
  }
}

/** One inode. */
export class MemfsInode implements NodeRecord {
  /** The mount's shared part. */
  readonly store: MemfsStore;
  /** Inode number. */
  readonly ino: number;
  /** File type and permission bits. */
  mode: number;
  /** Owner. */
  uid: number;
  /** Group. */
  gid: number;
  /** Device number of a device. */
  readonly rdev: number;
  /** How many names it has; a directory: 2 and one per subdirectory. */
  nlink: number;
  /** How many open descriptions it has. */
  openCount = 0;
  /** Whether it was made without a name and may still get its first one. */
  isLinkable = false;
  #atime: number;
  #mtime: number;
  #ctime: number;
  /** The store's epoch in which reads do not move the access time, for nothing has changed since. */
  #quietEpoch = -1;
  /** A file's contents, from its first byte on. */
  bytes: ChunkTree | null = null;
  /** A directory's names in the order of creation. */
  readonly entries: Map<string, MemfsEntry> | null;
  /** The store's `modeChanges` when the entries of a directory were last brought up to date. */
  modesSeen = 0;
  /** The highest cursor that a directory has given out. */
  lastCursor = 0;
  /** The same names by their cursors, once a listing has been read in pieces. */
  listing: MemfsListing<MemfsEntry> | null = null;
  /** What a symbolic link points to. */
  target = "";
  /** Extended attributes. */
  xattrs: Map<string, Uint8Array> | null = null;
  /** What `xattrs` owns, in bytes. */
  chargedBytes = 0;

  /** Made by `MemfsStore.create`. */
  constructor(store: MemfsStore, ino: number, mode: number, rdev: number, owner: Owner) {
    this.store = store;
    this.ino = ino;
    this.mode = mode;
    this.uid = owner.uid;
    this.gid = owner.gid;
    this.rdev = rdev;
    this.nlink = isDir(mode) ? 2 : 0;
    this.#atime = this.#mtime = this.#ctime = store.tick();
    this.entries = isDir(mode) ? new Map() : null;
  }

  /** Puts a name into the directory, after all others. */
  enter(name: string, inode: MemfsInode): void {
    const entry = new MemfsEntry(name, ++this.lastCursor, inode);
    this.entries!.set(name, entry);
    this.listing?.add(entry);
  }

  /** At most so many names after a cursor. */
  listAfter(cursor: number, most: number): MemfsEntry[] {
    this.listing ??= new MemfsListing(this.entries!);
    return this.listing.after(cursor, most);
  }

  /** Last read, in ms. */
  get atime(): number {
    return this.#atime;
  }

  set atime(time: number) {
    this.#atime = time;
    this.#quietEpoch = -1;
  }

  /** Last change of contents, in ms. */
  get mtime(): number {
    return this.#mtime;
  }

  set mtime(time: number) {
    this.#mtime = time;
    this.#quietEpoch = -1;
  }

  /** Last change of anything, in ms. */
  get ctime(): number {
    return this.#ctime;
  }

  set ctime(time: number) {
    this.#ctime = time;
    this.#quietEpoch = -1;
  }

  /** The contents, for a caller that is about to change them. */
  contents(): ChunkTree {
    return this.bytes ??= new ChunkTree(this.store.pool);
  }

  /** Contents have changed. */
  modified(): void {
    this.#mtime = this.#ctime = this.store.tick();
    this.#quietEpoch = -1;
  }

  /** Whether a read is known to move nothing: one comparison of small numbers instead of five. */
  get isQuiet(): boolean {
    return this.#quietEpoch === this.store.epoch;
  }

  /** Contents have been read: moves the access time if the policy wants it. */
  accessed(): void {
    this.#quietEpoch = this.store.noteRead(this);
  }

  /** relatime: no read since the last change, or none for a day. */
  isAtimeDue(): boolean {
    return this.#atime <= this.#ctime || this.#atime <= this.#mtime ||
      this.#atime + this.store.atimeAgeMs <= this.store.now;
  }
}
