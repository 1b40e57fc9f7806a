/**
 * ModelVolume: what a volume should answer, in the simplest form: maps in memory.
 *
 * The oracle of the fuzz tests and the backend of the first relay tests. It shares no code with the
 * engine. An inode number is never given twice, so a forgotten one is ESTALE for ever.
 *
 * Use: `const model = new ModelVolume({ now: () => 0 })`, then compare each answer with the
 * volume under test; inode numbers and cursors differ, everything else is equal.
 */
import type { Attr, AttrChange, DirEntry, StatFs } from "../../abi/attr.ts";
import { ErrnoError } from "../../abi/errno.ts";
import type { Appended } from "../../abi/node.ts";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  XATTR_CREATE,
  XATTR_REPLACE,
} from "../../abi/flags.ts";
import {
  isDir,
  isFile,
  isLink,
  PERMISSION_BITS,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
} from "../../abi/mode.ts";
import type { CreateOptions, Ino, TmpfileOptions, VolumeOps } from "../../opfs/volume_ops.ts";
import { MODEL_PAGE_BYTES, ModelBytes } from "./model_bytes.ts";
import { checked, checkedAttribute } from "./model_names.ts";

const MAX_LINKS = 65_535;
const MAX_TARGET_BYTES = 4095;
const MAX_VALUE_BYTES = 65_536;

/** What changes names or attributes: see VolumeOps.generation. */
const MUTATORS = new Set(["create", "link", "unlink", "rmdir", "rename", "setattr"]);

interface Entry {
  node: Node;
  cursor: number;
}

interface Node {
  ino: Ino;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  atime: number;
  mtime: number;
  ctime: number;
  /** What a file holds and owns. */
  bytes: ModelBytes;
  /** Extended attributes. */
  xattrs: Map<string, Uint8Array>;
  /** Whether it has never had a name and may get one. */
  isLinkable: boolean;
  /** Names in a directory, in the order in which they came. */
  entries: Map<string, Entry>;
  /** The directory that a directory stands in. */
  parent: Node | null;
  target: string;
  retained: number;
}

/** Options of a model. */
export interface ModelOptions {
  /** The clock, in ms. */
  now?: () => number;
  /** The longest file, in bytes. */
  maxFileBytes?: number;
}

/** A volume of maps. */
export class ModelVolume implements VolumeOps {
  readonly root: Ino = 1;
  /** Calls of each method, for tests that count. */
  readonly calls: Map<string, number> = new Map();
  #nodes = new Map<Ino, Node>();
  #nextIno = 1;
  #nextCursor = 1;
  #generation = 0;
  #now: () => number;
  #maxFileBytes: number;

  constructor({ now = Date.now, maxFileBytes = 2 ** 43 }: ModelOptions = {}) {
    this.#now = now;
    this.#maxFileBytes = maxFileBytes;
    const root = this.#make({ mode: S_IFDIR | 0o755, uid: 0, gid: 0 });
    root.nlink = 2;
    root.parent = root;
  }

  get generation(): number {
    return this.#generation;
  }

  lookup(parent: Ino, name: string): Ino {
    this.#count("lookup");
    return this.#directory(parent).entries.get(checked(name))?.node.ino ?? 0;
  }

  create(parent: Ino, name: string, options: CreateOptions): Ino {
    this.#count("create");
    const directory = this.#livingDirectory(parent);
    if (directory.entries.has(checked(name))) throw new ErrnoError("EEXIST", `create "${name}"`);
    checkTarget(options);
    if (isDir(options.mode)) this.#roomForLink(directory);
    const node = this.#make(options);
    this.#addName(directory, name, node);
    return node.ino;
  }

  link(ino: Ino, parent: Ino, name: string): void {
    this.#count("link");
    const node = this.#node(ino);
    const directory = this.#livingDirectory(parent);
    if (isDir(node.mode)) throw new ErrnoError("EPERM", "link a directory");
    if (node.nlink === 0 && !node.isLinkable) throw new ErrnoError("ENOENT", "link a removed file");
    if (directory.entries.has(checked(name))) throw new ErrnoError("EEXIST", `link "${name}"`);
    this.#roomForLink(node);
    this.#addName(directory, name, node);
    node.isLinkable = false;
    node.ctime = this.#now();
  }

  tmpfile(parent: Ino, { mode, uid, gid, isLinkable = true }: TmpfileOptions): Ino {
    this.#count("tmpfile");
    this.#livingDirectory(parent);
    const node = this.#make({ mode: S_IFREG | (mode & PERMISSION_BITS), uid, gid });
    node.isLinkable = isLinkable;
    node.retained = 1;
    return node.ino;
  }

  unlink(parent: Ino, name: string): void {
    this.#count("unlink");
    const directory = this.#directory(parent);
    const { node } = found(directory, name);
    if (isDir(node.mode)) throw new ErrnoError("EISDIR", `unlink "${name}"`);
    this.#takeName(directory, name);
    this.#forget(node);
  }

  rmdir(parent: Ino, name: string): void {
    this.#count("rmdir");
    const directory = this.#directory(parent);
    const { node } = found(directory, name);
    if (!isDir(node.mode)) throw new ErrnoError("ENOTDIR", `rmdir "${name}"`);
    if (node.entries.size > 0) throw new ErrnoError("ENOTEMPTY", `rmdir "${name}"`);
    this.#takeName(directory, name);
    node.nlink = 0;
    this.#forget(node);
  }

  rename(parent: Ino, name: string, newParent: Ino, newName: string, flags: number): void {
    this.#count("rename");
    if (![0, RENAME_NOREPLACE, RENAME_EXCHANGE].includes(flags)) {
      throw new ErrnoError("EINVAL", `rename with flags ${flags}`);
    }
    const from = this.#directory(parent);
    const to = this.#livingDirectory(newParent);
    const source = found(from, name).node;
    const target = to.entries.get(checked(newName))?.node;
    if (target !== undefined && flags === RENAME_NOREPLACE) {
      throw new ErrnoError("EEXIST", `rename to "${newName}"`);
    }
    if (flags === RENAME_EXCHANGE) return this.#exchange({ from, name, to, newName });
    if (isInside(to, source)) throw new ErrnoError("EINVAL", "move a directory into itself");
    if (target === source) return;
    if (target !== undefined) this.#replace(to, newName, source);
    this.#takeName(from, name);
    this.#addName(to, newName, source);
    source.ctime = this.#now();
  }

  readdir(ino: Ino, after: number): DirEntry[] {
    this.#count("readdir");
    return [...this.#directory(ino).entries]
      .filter(([, entry]) => entry.cursor > after)
      .slice(0, 100)
      .map(([name, { node, cursor }]) => ({ ino: node.ino, mode: node.mode, name, cursor }));
  }

  readlink(ino: Ino): string {
    this.#count("readlink");
    const node = this.#node(ino);
    if (!isLink(node.mode)) throw new ErrnoError("EINVAL", "read an invalid link");
    return node.target;
  }

  getattr(ino: Ino): Attr {
    this.#count("getattr");
    const node = this.#node(ino);
    const { mode, nlink, uid, gid, rdev, atime, mtime, ctime } = node;
    const { size, blocks } = node.bytes;
    return { ino, mode, nlink, uid, gid, rdev, size, blocks, atime, mtime, ctime };
  }

  setattr(ino: Ino, change: AttrChange): void {
    this.#count("setattr");
    const node = this.#node(ino);
    if (change.size !== undefined) this.#resize(node, change.size);
    const now = this.#now();
    if (change.mode !== undefined) {
      node.mode = (node.mode & S_IFMT) | (change.mode & PERMISSION_BITS);
    }
    if (change.uid !== undefined) node.uid = change.uid;
    if (change.gid !== undefined) node.gid = change.gid;
    if (change.size !== undefined) node.mtime = now;
    if (change.atime !== undefined) node.atime = change.atime;
    if (change.mtime !== undefined) node.mtime = change.mtime;
    node.ctime = now;
  }

  read(ino: Ino, into: Uint8Array, at: number, _isQuiet = false): number {
    this.#count("read");
    const node = this.#file(ino);
    checkOffset(at);
    return node.bytes.read(into, at);
  }

  write(ino: Ino, from: Uint8Array, at: number): number {
    this.#count("write");
    const node = this.#file(ino);
    checkOffset(at);
    return from.length === 0 ? 0 : this.#store(node, from, at);
  }

  append(ino: Ino, from: Uint8Array): Appended {
    this.#count("append");
    const node = this.#file(ino);
    const at = node.bytes.size;
    return { at, count: from.length === 0 ? 0 : this.#store(node, from, at) };
  }

  seek(ino: Ino, at: number, whence: number): number {
    this.#count("seek");
    return this.#file(ino).bytes.seek(at, whence);
  }

  allocate(ino: Ino, mode: number, at: number, length: number): void {
    this.#count("allocate");
    const node = this.#file(ino);
    const end = at + length;
    const kind = mode & ~FALLOC_FL_KEEP_SIZE;
    if (!(length > 0) || !(at >= 0)) throw new ErrnoError("EINVAL", "allocate");
    const isPunch = mode === (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
    if (kind !== 0 && kind !== FALLOC_FL_ZERO_RANGE && !isPunch) {
      throw new ErrnoError("ENOTSUP", "allocate");
    }
    if (end > this.#maxFileBytes) throw new ErrnoError("EFBIG", "allocate");
    node.bytes.allocate(mode, at, end);
    node.mtime = node.ctime = this.#now();
  }

  copyRange(source: Ino, at: number, target: Ino, to: number, length: number): number {
    this.#count("copyRange");
    for (const ino of [source, target]) this.#node(ino);
    const [from, into] = [this.#file(source), this.#file(target)];
    for (const number of [at, to, length]) checkOffset(number);
    const count = into.bytes.copy(from.bytes, { at, to, length, limit: this.#maxFileBytes });
    if (count > 0) into.mtime = into.ctime = this.#now();
    return count;
  }

  getxattr(ino: Ino, name: string): Uint8Array | null {
    this.#count("getxattr");
    const { xattrs } = this.#node(ino);
    return xattrs.get(checkedAttribute(name))?.slice() ?? null;
  }

  setxattr(ino: Ino, name: string, value: Uint8Array, flags: number): void {
    this.#count("setxattr");
    const node = this.#node(ino);
    const exists = node.xattrs.has(checkedAttribute(name));
    if (name.indexOf(".") === name.length - 1) throw new ErrnoError("EINVAL", "set an attribute");
    if (value.length > MAX_VALUE_BYTES) throw new ErrnoError("E2BIG", "set an attribute");
    if (![0, XATTR_CREATE, XATTR_REPLACE].includes(flags)) throw new ErrnoError("EINVAL", "set");
    if (exists && flags === XATTR_CREATE) throw new ErrnoError("EEXIST", "set an attribute");
    if (!exists && flags === XATTR_REPLACE) throw new ErrnoError("ENODATA", "set an attribute");
    node.xattrs.set(name, value.slice());
    node.ctime = this.#now();
  }

  listxattr(ino: Ino): string[] {
    this.#count("listxattr");
    return [...this.#node(ino).xattrs.keys()];
  }

  removexattr(ino: Ino, name: string): boolean {
    this.#count("removexattr");
    const node = this.#node(ino);
    const isRemoved = node.xattrs.delete(checkedAttribute(name));
    if (isRemoved) node.ctime = this.#now();
    return isRemoved;
  }

  retain(ino: Ino): void {
    this.#count("retain");
    this.#node(ino).retained += 1;
  }

  release(ino: Ino): void {
    this.#count("release");
    const node = this.#node(ino);
    if (node.retained === 0) throw new Error(`inode ${ino} is released but was not retained`);
    node.retained -= 1;
    this.#forget(node);
  }

  fsync(ino: Ino): void {
    this.#count("fsync");
    this.#node(ino);
  }

  sync(): void {
    this.#count("sync");
  }

  statfs(): StatFs {
    this.#count("statfs");
    const blocks = [...this.#nodes.values()].reduce((sum, node) => sum + node.bytes.blocks / 8, 0);
    return {
      blockSize: MODEL_PAGE_BYTES,
      blocks: 2 ** 31,
      freeBlocks: 2 ** 31 - blocks,
      inodes: 2 ** 31,
      freeInodes: 2 ** 31 - this.#nodes.size,
    };
  }

  close(): void {
    this.#count("close");
  }

  /** Inodes alive, named or retained. */
  get inodeCount(): number {
    return this.#nodes.size;
  }

  #count(method: string): void {
    // One that fails counts too: a cache asks once more than needed.
    if (MUTATORS.has(method)) this.#generation++;
    this.calls.set(method, (this.calls.get(method) ?? 0) + 1);
  }

  #make({ mode, uid, gid, rdev = 0, target = "" }: CreateOptions): Node {
    const now = this.#now();
    const node: Node = {
      ino: this.#nextIno++,
      mode,
      nlink: 0,
      uid,
      gid,
      rdev,
      atime: now,
      mtime: now,
      ctime: now,
      bytes: new ModelBytes(new TextEncoder().encode(target).length),
      xattrs: new Map(),
      isLinkable: false,
      entries: new Map(),
      parent: null,
      target,
      retained: 0,
    };
    this.#nodes.set(node.ino, node);
    return node;
  }

  #node(ino: Ino): Node {
    const node = this.#nodes.get(ino);
    if (node === undefined) throw new ErrnoError("ESTALE", `find inode ${ino}`);
    return node;
  }

  #directory(ino: Ino): Node {
    const node = this.#node(ino);
    if (!isDir(node.mode)) throw new ErrnoError("ENOTDIR", `look into inode ${ino}`);
    return node;
  }

  /** Nothing can be put into a directory that has been removed. */
  #livingDirectory(ino: Ino): Node {
    const node = this.#directory(ino);
    if (node.nlink === 0) throw new ErrnoError("ENOENT", `add to removed directory ${ino}`);
    return node;
  }

  #file(ino: Ino): Node {
    const node = this.#node(ino);
    if (isDir(node.mode)) throw new ErrnoError("EISDIR", `read or write inode ${ino}`);
    if (!isFile(node.mode)) throw new ErrnoError("EINVAL", `read or write inode ${ino}`);
    return node;
  }

  #roomForLink(node: Node): void {
    if (node.nlink >= MAX_LINKS) throw new ErrnoError("EMLINK", `link inode ${node.ino}`);
  }

  #addName(directory: Node, name: string, node: Node): void {
    directory.entries.set(name, { node, cursor: this.#nextCursor++ });
    if (isDir(node.mode)) {
      directory.nlink += 1;
      node.nlink = 2 + [...node.entries.values()].filter((e) => isDir(e.node.mode)).length;
      node.parent = directory;
    } else {
      node.nlink += 1;
    }
    directory.mtime = directory.ctime = this.#now();
  }

  #takeName(directory: Node, name: string): void {
    const { node } = found(directory, name);
    directory.entries.delete(name);
    if (isDir(node.mode)) directory.nlink -= 1;
    else node.nlink -= 1;
    directory.mtime = directory.ctime = node.ctime = this.#now();
  }

  #forget(node: Node): void {
    if (node.nlink === 0 && node.retained === 0) this.#nodes.delete(node.ino);
  }

  /** Takes away what `newName` stands for, so that `source` can have the name. */
  #replace(to: Node, newName: string, source: Node): void {
    const { node } = found(to, newName);
    if (isDir(source.mode) && !isDir(node.mode)) throw new ErrnoError("ENOTDIR", "rename");
    if (!isDir(source.mode) && isDir(node.mode)) throw new ErrnoError("EISDIR", "rename");
    if (node.entries.size > 0) throw new ErrnoError("ENOTEMPTY", "rename");
    this.#takeName(to, newName);
    if (isDir(node.mode)) node.nlink = 0;
    this.#forget(node);
  }

  #exchange({ from, name, to, newName }: {
    from: Node;
    name: string;
    to: Node;
    newName: string;
  }): void {
    const source = found(from, name).node;
    const target = found(to, newName).node;
    if (isInside(to, source) || isInside(from, target)) {
      throw new ErrnoError("EINVAL", "exchange a directory with what is inside it");
    }
    if (source === target) return;
    this.#takeName(from, name);
    this.#takeName(to, newName);
    this.#addName(to, newName, source);
    this.#addName(from, name, target);
  }

  #resize(node: Node, size: number): void {
    if (isDir(node.mode)) throw new ErrnoError("EISDIR", "cut a directory");
    if (!isFile(node.mode) || !Number.isInteger(size) || size < 0) {
      throw new ErrnoError("EINVAL", `cut to ${size}`);
    }
    if (size > this.#maxFileBytes) throw new ErrnoError("EFBIG", `extend to ${size}`);
    node.bytes.resize(size);
  }

  #store(node: Node, from: Uint8Array, at: number): number {
    if (at + from.length > this.#maxFileBytes) throw new ErrnoError("EFBIG", `write at ${at}`);
    node.bytes.write(from, at);
    node.mtime = node.ctime = this.#now();
    return from.length;
  }
}

function checkTarget({ mode, target }: CreateOptions): void {
  if (!isLink(mode)) return;
  const bytes = new TextEncoder().encode(target ?? "").length;
  if (bytes === 0) throw new ErrnoError("ENOENT", "make a link to nothing");
  if (bytes > MAX_TARGET_BYTES) throw new ErrnoError("ENAMETOOLONG", "make a link");
}

function checkOffset(at: number): void {
  if (!Number.isInteger(at) || at < 0) throw new ErrnoError("EINVAL", `use offset ${at}`);
}

function found(directory: Node, name: string): Entry {
  const entry = directory.entries.get(checked(name));
  if (entry === undefined) throw new ErrnoError("ENOENT", `find "${name}"`);
  return entry;
}

/** Whether `inner` is `outer` or stands somewhere below it. */
function isInside(inner: Node, outer: Node): boolean {
  for (let at: Node | null = inner; at !== null; at = at.parent === at ? null : at.parent) {
    if (at === outer) return true;
  }
  return false;
}
