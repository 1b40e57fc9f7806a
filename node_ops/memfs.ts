/**
 * MEMFS, the names: a file system in memory. With `stream_ops/memfs.ts` it is the backend to read
 * first: it shows what a backend owes `fs/` and nothing else.
 *
 * Layer: node_ops. A directory is a Map from name to entry, in the order of creation; an entry leads
 * to an inode, and all names of an inode lead to the same one. Names have been checked by `fs/`, and
 * so has permission: owner and mode come in ready. Each function does its checks first and then
 * changes things, so a failed call changes nothing.
 *
 * Use: `FS.mount(MEMFS, { maxBytes: 16 * 2 ** 20 }, "/tmp")`; `createFS()` has one at "/".
 *
 * @module
 */
import type { Attr, AttrChange, DirEntry, Owner, StatFs } from "../abi/attr.ts";
import { ErrnoError } from "../abi/errno.ts";
import { invariant } from "../abi/invariant.ts";
import { isDir, isFile, isLink, PERMISSION_BITS, S_IFDIR, S_IFLNK, S_IFMT } from "../abi/mode.ts";
import { type Backend, FSNode, type NodeOps } from "../abi/node.ts";
import { choiceOption, countOption, functionOption, optionsOf } from "../abi/options.ts";
import { PAGE_BYTES } from "../stream_ops/chunks.ts";
import { MAX_FILE_BYTES, memfsFileOps, memfsOtherOps } from "../stream_ops/memfs.ts";
import {
  type AtimePolicy,
  MAX_LINKS,
  type MemfsEntry,
  type MemfsInode,
  MemfsStore,
} from "../stream_ops/memfs_inode.ts";
import { memfsRename } from "./memfs_rename.ts";
import { memfsXattrOps } from "./memfs_xattr.ts";
import { utf8Length } from "../abi/utf8.ts";

export type { AtimePolicy, MemfsInode } from "../stream_ops/memfs_inode.ts";

/** What `FS.mount(MEMFS, options, path)` takes; everything has a default. */
export interface MemfsOptions {
  /** Space for contents and extended attributes, in bytes. Default: 8 GiB. */
  maxBytes?: number;
  /** How many inodes there may be. Default: 16,000,000. */
  maxInodes?: number;
  /** Permission bits of the root. Default: 0o755. */
  mode?: number;
  /** Owner of the root. Default: 0. */
  uid?: number;
  /** Group of the root. Default: 0. */
  gid?: number;
  /** When reading moves the access time. Default: `"relatime"`, at most once a day or after a change. */
  atime?: AtimePolicy;
  /** Now, in ms since the epoch, fractions kept. Default: `Date.now`. */
  clock?: () => number;
}

type Node = FSNode<MemfsInode>;
type Dir = FSNode<MemfsInode>;

/** As many names as fit into one directory: a Map of V8 holds no more than 2 ** 24. */
const MAX_ENTRIES = 16_000_000;
/** What stat says of a directory, which owns nothing that is counted. */
const DIRECTORY_BYTES = 4096;

function nodeOf(inode: MemfsInode): Node {
  if (isDir(inode.mode)) return new FSNode(inode, directoryOps, memfsOtherOps);
  if (isFile(inode.mode)) return new FSNode(inode, fileOps, memfsFileOps);
  return new FSNode(inode, isLink(inode.mode) ? linkOps : fileOps, memfsOtherOps);
}

function sizeOf(inode: MemfsInode): number {
  if (inode.bytes !== null) return inode.bytes.size;
  return isDir(inode.mode) ? DIRECTORY_BYTES : utf8Length(inode.target);
}

function getattr(node: Node): Attr {
  const inode = node.data;
  const { ino, mode, nlink, uid, gid, rdev, atime, mtime, ctime, bytes } = inode;
  const blocks = bytes === null ? 0 : Math.ceil(bytes.ownedBytes / 512);
  return {
    ino,
    mode,
    nlink,
    uid,
    gid,
    rdev,
    size: bytes === null ? sizeOf(inode) : bytes.size,
    blocks,
    atime,
    mtime,
    ctime,
  };
}

function setattr(node: Node, change: AttrChange): void {
  const inode = node.data;
  const now = inode.store.tick();
  if (change.size !== undefined) {
    resize(inode, change.size);
    inode.mtime = now;
  }
  if (change.mode !== undefined) {
    inode.mode = inode.mode & S_IFMT | change.mode & PERMISSION_BITS;
    inode.store.modeChanges++;
  }
  if (change.uid !== undefined) inode.uid = change.uid;
  if (change.gid !== undefined) inode.gid = change.gid;
  if (change.atime !== undefined) inode.atime = change.atime;
  if (change.mtime !== undefined) inode.mtime = change.mtime;
  inode.ctime = now;
}

function resize(inode: MemfsInode, size: number): void {
  if (!isFile(inode.mode)) throw new ErrnoError("EINVAL", "resize what is not a file");
  if (size > MAX_FILE_BYTES) throw new ErrnoError("EFBIG", `resize to ${size} bytes`);
  if (size > 0 || inode.bytes !== null) inode.contents().resize(size);
}

function lookup(parent: Dir, name: string): Node | null {
  const entry = parent.data.entries!.get(name);
  return entry === undefined ? null : nodeOf(entry.inode);
}

/** Fails unless `parent` can take one more name, and one more subdirectory if it is to be one. */
function checkRoom(parent: MemfsInode, name: string, mode: number): void {
  if (parent.nlink === 0) throw new ErrnoError("ENOENT", `make "${name}" in a removed directory`);
  if (parent.entries!.size >= MAX_ENTRIES) throw new ErrnoError("ENOSPC", `make "${name}"`);
  if (isDir(mode) && parent.nlink >= MAX_LINKS) {
    throw new ErrnoError("EMLINK", `make directory "${name}"`);
  }
}

/** Puts a name into a directory whose times move with it. */
function enter(parent: MemfsInode, name: string, inode: MemfsInode): void {
  parent.enter(name, inode);
  parent.mtime = parent.ctime = inode.ctime;
}

function mknod(parent: Dir, name: string, mode: number, rdev: number, owner: Owner): Node {
  const directory = parent.data;
  checkRoom(directory, name, mode);
  const inode = directory.store.create(mode, rdev, owner);
  if (isDir(mode)) directory.nlink++;
  else inode.nlink = 1;
  enter(directory, name, inode);
  return nodeOf(inode);
}

/** It has no name; its descriptor keeps it, so `fs/` opens it at once. */
function tmpfile(parent: Dir, mode: number, owner: Owner, isLinkable: boolean): Node {
  const inode = parent.data.store.create(mode, 0, owner);
  inode.isLinkable = isLinkable;
  return nodeOf(inode);
}

function symlink(parent: Dir, name: string, target: string, owner: Owner): Node {
  const node = mknod(parent, name, S_IFLNK | 0o777, 0, owner);
  node.data.target = target;
  return node;
}

/** Listing and following count as reading, except where nothing may change. */
function noteAccess({ data, mount }: Node): void {
  if (!mount.readOnly) data.accessed();
}

function readlink(node: Node): string {
  noteAccess(node);
  return node.data.target;
}

function link(node: Node, parent: Dir, name: string): Node {
  const inode = node.data;
  if (isDir(inode.mode)) throw new ErrnoError("EPERM", `link a directory as "${name}"`);
  if (inode.nlink === 0 && !inode.isLinkable) throw new ErrnoError("ENOENT", `link "${name}"`);
  if (inode.nlink >= MAX_LINKS) throw new ErrnoError("EMLINK", `link "${name}"`);
  checkRoom(parent.data, name, inode.mode);
  inode.isLinkable = false;
  inode.nlink++;
  inode.ctime = inode.store.tick();
  enter(parent.data, name, inode);
  return nodeOf(inode);
}

function unlink(parent: Dir, name: string): void {
  const directory = parent.data;
  const inode = directory.entries!.get(name)?.inode;
  if (inode === undefined) throw new ErrnoError("ENOENT", `unlink "${name}"`);
  if (isDir(inode.mode)) throw new ErrnoError("EISDIR", `unlink "${name}"`);
  invariant(inode.nlink > 0, "F3: an inode loses a name that it does not count");
  directory.entries!.delete(name);
  directory.modified();
  inode.nlink--;
  inode.ctime = directory.ctime;
  directory.store.release(inode);
}

function rmdir(parent: Dir, name: string): void {
  const directory = parent.data;
  const inode = directory.entries!.get(name)?.inode;
  if (inode === undefined) throw new ErrnoError("ENOENT", `rmdir "${name}"`);
  if (!isDir(inode.mode)) throw new ErrnoError("ENOTDIR", `rmdir "${name}"`);
  if (inode.entries!.size > 0) throw new ErrnoError("ENOTEMPTY", `rmdir "${name}"`);
  invariant(directory.nlink > 2, "F3: a directory loses one in it that it does not count");
  directory.entries!.delete(name);
  directory.nlink--;
  directory.modified();
  inode.nlink = 0;
  inode.ctime = directory.ctime;
  directory.store.release(inode);
}

/** A name keeps its cursor while it exists, so a listing goes on where it was. */
function readdir(node: Dir, after: number, most: number = Infinity): DirEntry[] {
  const inode = node.data;
  noteAccess(node);
  if (after >= inode.lastCursor) return [];
  if (after > 0 || most < inode.entries!.size) {
    const piece = inode.listAfter(after, most);
    refreshModes(piece);
    return piece;
  }
  const entries = [...inode.entries!.values()];
  if (inode.modesSeen !== inode.store.modeChanges) {
    inode.modesSeen = inode.store.modeChanges;
    refreshModes(entries);
  }
  return entries;
}

function refreshModes(entries: readonly MemfsEntry[]): void {
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index]!;
    entry.mode = entry.inode.mode;
  }
}

function statfs(node: Node): StatFs {
  const { pool, maxInodes, inodeCount } = node.data.store;
  return {
    blockSize: PAGE_BYTES,
    blocks: Math.floor(pool.limitBytes / PAGE_BYTES),
    freeBlocks: Math.floor(pool.freeBytes / PAGE_BYTES),
    inodes: maxInodes,
    freeInodes: Math.max(0, maxInodes - inodeCount),
  };
}

/** What every kind of node can do. */
const fileOps: NodeOps<MemfsInode> = { getattr, setattr, statfs, ...memfsXattrOps };

const linkOps: NodeOps<MemfsInode> = { ...fileOps, readlink };

const directoryOps: NodeOps<MemfsInode> = {
  ...fileOps,
  lookup,
  mknod,
  tmpfile,
  symlink,
  link,
  unlink,
  rmdir,
  rename: memfsRename,
  readdir,
};

/**
 * A file system in memory: everything that POSIX asks for, nothing that lasts.
 *
 * @example
 * ```ts
 * import { createFS, MEMFS } from "@cairn/fs";
 * import { assertEquals } from "@std/assert";
 *
 * const FS = createFS();
 * FS.mkdir("/small");
 * FS.mount(MEMFS, { maxBytes: 65536 }, "/small");
 * FS.writeFile("/small/a.txt", "in memory");
 * assertEquals(FS.readFile("/small/a.txt", { encoding: "utf8" }), "in memory");
 * ```
 */
export const MEMFS: Backend<MemfsOptions> = {
  name: "MEMFS",
  mount: mountMemfs,
};

/** The root of a fresh file system, with the record type that only this backend knows. */
export function mountMemfs(options: MemfsOptions | undefined): FSNode<MemfsInode> {
  const { maxBytes, maxInodes, mode, uid, gid, atime, clock } = optionsOf(options, "options");
  const store = new MemfsStore({
    maxBytes: countOption(maxBytes, 8 * 2 ** 30, "maxBytes"),
    maxInodes: countOption(maxInodes, 16_000_000, "maxInodes", 1),
    atime: choiceOption(atime, ["relatime", "strictatime", "noatime"], "atime"),
    clock: functionOption(clock, Date.now, "clock"),
  });
  const bits = S_IFDIR | countOption(mode, 0o755, "mode") & PERMISSION_BITS;
  const owner = { uid: countOption(uid, 0, "uid"), gid: countOption(gid, 0, "gid") };
  return nodeOf(store.create(bits, 0, owner));
}
