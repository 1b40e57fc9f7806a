/**
 * ModelFS: what calls by several users must give, in the simplest form that is still right.
 *
 * The oracle of `tests/fuzz/`. It follows the rules of POSIX and the order in which Linux looks at
 * them, shares no code with `fs/` or any backend, and makes no attempt to be fast: a file is one
 * array, a path is split anew on each call. Errors are thrown as their names.
 *
 * @module
 */

/** Who calls. */
export interface ModelUser {
  uid: number;
  gid: number;
  groups: readonly number[];
}

/** An inode. */
export class ModelNode {
  readonly type: "file" | "dir" | "link";
  mode: number;
  uid: number;
  gid: number;
  nlink = 0;
  mtime = 0;
  ctime = 0;
  bytes: Uint8Array = new Uint8Array(0);
  target = "";
  readonly entries: Map<string, ModelNode> = new Map();
  parent: ModelNode = this;

  constructor(type: "file" | "dir" | "link", mode: number, uid: number, gid: number) {
    this.type = type;
    this.mode = mode;
    this.uid = uid;
    this.gid = gid;
  }
}

/** An open description. */
export interface ModelFile {
  node: ModelNode;
  flags: number;
  position: number;
}

/** Where a path led. */
interface Place {
  dir: ModelNode;
  /** The last name; ".", ".." and "/" stand for themselves. */
  name: string;
  node: ModelNode | null;
  slash: boolean;
}

const READ = 4;
const WRITE = 2;
const SEARCH = 1;
const WRONLY = 1;
const RDWR = 2;
const CREAT = 0o100;
const EXCL = 0o200;
const TRUNC = 0o1000;
const APPEND = 0o2000;
const NOFOLLOW = 0o400000;
const NOREPLACE = 1;
const EXCHANGE = 2;

function fail(code: string): never {
  throw code;
}

/** The model. */
export class ModelFS {
  readonly root: ModelNode = new ModelNode("dir", 0o755, 0, 0);
  user: ModelUser = { uid: 0, gid: 0, groups: [] };
  umask = 0o022;
  /** The time, moved by the driver. */
  now = 0;

  constructor() {
    this.root.nlink = 2;
  }

  /** Whether the caller has all bits of `wanted`. */
  #may(node: ModelNode, wanted: number): boolean {
    const { uid } = this.user;
    if (uid === 0) {
      return !(wanted & SEARCH) || node.type === "dir" || (node.mode & 0o111) !== 0;
    }
    const shift = uid === node.uid ? 6 : this.#inGroup(node.gid) ? 3 : 0;
    return (node.mode >> shift & wanted) === wanted;
  }

  #inGroup(gid: number): boolean {
    return this.user.gid === gid || this.user.groups.includes(gid);
  }

  #need(node: ModelNode, wanted: number): void {
    if (!this.#may(node, wanted)) fail("EACCES");
  }

  /** `last`: what happens to a link at the end. A trailing slash follows only with "unless slash". */
  #walk(path: string, last: "follow" | "unless slash" | "never", creates = false): Place {
    let names = path.split("/").filter((name) => name !== "");
    let slash = path.endsWith("/") && names.length > 0;
    let place: Place = { dir: this.root, name: "/", node: this.root, slash };
    let links = 0;
    while (names.length > 0) {
      const [name, ...rest] = names as [string, ...string[]];
      const dir: ModelNode = place.node!;
      if (dir.type !== "dir") fail("ENOTDIR");
      this.#need(dir, SEARCH);
      const isLast = rest.length === 0;
      names = rest;
      if (name === "." || name === "..") {
        place = { dir, name, node: name === "." ? dir : dir.parent, slash };
        continue;
      }
      if (creates && isLast && slash) fail("EISDIR");
      const child = dir.entries.get(name) ?? null;
      if (child === null && !isLast) fail("ENOENT");
      const follows = !isLast || last === "follow" || (last === "unless slash" && slash);
      if (child?.type === "link" && follows) {
        if (++links > 40) fail("ELOOP");
        names = [...child.target.split("/").filter((part) => part !== ""), ...rest];
        if (isLast && child.target.endsWith("/")) slash = true;
        const start = child.target.startsWith("/") ? this.root : dir;
        place = { dir: start, name: "/", node: start, slash };
        continue;
      }
      place = { dir, name, node: child, slash: isLast && slash };
    }
    return place;
  }

  /** What is at the path. */
  #find(path: string, follow: boolean): ModelNode {
    const { node, slash } = this.#walk(path, follow ? "follow" : "unless slash");
    if (node === null) fail("ENOENT");
    if (slash && node.type !== "dir") fail("ENOTDIR");
    return node;
  }

  #touch(node: ModelNode): void {
    node.mtime = node.ctime = this.now;
  }

  /** Puts something new into a directory. */
  #make({ dir, name }: Place, type: ModelNode["type"], mode: number): ModelNode {
    this.#need(dir, WRITE | SEARCH);
    const inherits = (dir.mode & 0o2000) !== 0;
    const masked = type === "link" ? mode : mode & ~this.umask;
    const node = new ModelNode(type, masked, this.user.uid, inherits ? dir.gid : this.user.gid);
    const isMember = this.user.uid === 0 || this.#inGroup(dir.gid);
    // Linux asks for group execution before the umask takes it.
    if (type === "file" && inherits && !isMember && mode & 0o010) node.mode &= ~0o2000;
    if (type === "dir") {
      if (inherits) node.mode |= 0o2000;
      node.nlink = 1;
      node.parent = dir;
      dir.nlink++;
    }
    this.#touch(node);
    this.#enter(dir, name, node);
    return node;
  }

  #enter(dir: ModelNode, name: string, node: ModelNode): void {
    dir.entries.set(name, node);
    node.nlink++;
    this.#touch(dir);
  }

  #newPlace(path: string, isDir: boolean): Place {
    const place = this.#walk(path, "never");
    if (place.node !== null) fail("EEXIST");
    if (place.slash && !isDir) fail("ENOENT");
    return place;
  }

  mkdir(path: string, mode: number): void {
    this.#make(this.#newPlace(path, true), "dir", mode & 0o1777);
  }

  symlink(target: string, path: string): void {
    const node = this.#make(this.#newPlace(path, false), "link", 0o777);
    node.target = target;
  }

  link(oldPath: string, newPath: string): void {
    const node = this.#find(oldPath, false);
    const { dir, name } = this.#newPlace(newPath, false);
    this.#need(dir, WRITE | SEARCH);
    if (node.type === "dir") fail("EPERM");
    this.#enter(dir, name, node);
    node.ctime = this.now;
  }

  /** Linux's order: the directory's bits, the sticky bit, the kind. */
  #mayRemove(dir: ModelNode, node: ModelNode, wantsDir: boolean): void {
    this.#need(dir, WRITE | SEARCH);
    const { uid } = this.user;
    const isSticky = (dir.mode & 0o1000) !== 0;
    if (isSticky && uid !== 0 && uid !== node.uid && uid !== dir.uid) fail("EPERM");
    if (wantsDir && node.type !== "dir") fail("ENOTDIR");
    if (!wantsDir && node.type === "dir") fail("EISDIR");
  }

  #drop(dir: ModelNode, name: string, node: ModelNode): void {
    dir.entries.delete(name);
    this.#touch(dir);
    node.ctime = this.now;
    node.nlink--;
    if (node.type !== "dir") return;
    node.nlink = 0;
    dir.nlink--;
  }

  rmdir(path: string): void {
    const { dir, name, node } = this.#walk(path, "never");
    if (name === ".") fail("EINVAL");
    if (name === "..") fail("ENOTEMPTY");
    if (name === "/") fail("EBUSY");
    if (node === null) fail("ENOENT");
    this.#mayRemove(dir, node, true);
    if (node.entries.size > 0) fail("ENOTEMPTY");
    this.#drop(dir, name, node);
  }

  unlink(path: string): void {
    const { dir, name, node, slash } = this.#walk(path, "never");
    if ([".", "..", "/"].includes(name)) fail("EISDIR");
    if (node === null) fail("ENOENT");
    if (slash) fail(node.type === "dir" ? "EISDIR" : "ENOTDIR");
    this.#mayRemove(dir, node, false);
    this.#drop(dir, name, node);
  }

  #isInside(node: ModelNode, ancestor: ModelNode): boolean {
    for (let at = node;; at = at.parent) {
      if (at === ancestor) return true;
      if (at.parent === at) return false;
    }
  }

  rename(oldPath: string, newPath: string, flags: number): void {
    const from = this.#walk(oldPath, "never");
    const to = this.#walk(newPath, "never");
    const isSpecial = (name: string) => [".", "..", "/"].includes(name);
    if (isSpecial(from.name)) fail("EBUSY");
    if (isSpecial(to.name)) fail(flags & NOREPLACE ? "EEXIST" : "EBUSY");
    const [source, target] = [from.node, to.node];
    if (source === null) fail("ENOENT");
    if (flags & NOREPLACE && target !== null) fail("EEXIST");
    if (flags & EXCHANGE && target === null) fail("ENOENT");
    this.#checkSlashes(from, to, flags);
    if (source.type === "dir" && this.#isInside(to.dir, source)) fail("EINVAL");
    if (target?.type === "dir" && this.#isInside(from.dir, target)) {
      fail(flags & EXCHANGE ? "EINVAL" : "ENOTEMPTY");
    }
    if (source === target) return;
    this.#mayMove(from, to, flags);
    if (flags & EXCHANGE) this.#exchange(from, to);
    else this.#move(from, to);
  }

  #checkSlashes(from: Place, to: Place, flags: number): void {
    if (flags & EXCHANGE && to.slash && to.node!.type !== "dir") fail("ENOTDIR");
    if (from.node!.type === "dir") return;
    if (from.slash || (to.slash && !(flags & EXCHANGE))) fail("ENOTDIR");
  }

  #mayMove(from: Place, to: Place, flags: number): void {
    const [source, target] = [from.node!, to.node];
    const isDir = source.type === "dir";
    this.#mayRemove(from.dir, source, isDir);
    if (target === null) this.#need(to.dir, WRITE | SEARCH);
    else this.#mayRemove(to.dir, target, flags & EXCHANGE ? target.type === "dir" : isDir);
    if (from.dir === to.dir) return;
    if (isDir) this.#need(source, WRITE);
    if (flags & EXCHANGE && target!.type === "dir") this.#need(target!, WRITE);
  }

  #move(from: Place, to: Place): void {
    const [source, target] = [from.node!, to.node];
    if (target !== null) {
      if (target.entries.size > 0) fail("ENOTEMPTY");
      this.#drop(to.dir, to.name, target);
    }
    from.dir.entries.delete(from.name);
    to.dir.entries.set(to.name, source);
    this.#moved(source, from.dir, to.dir);
  }

  #exchange(from: Place, to: Place): void {
    from.dir.entries.set(from.name, to.node!);
    to.dir.entries.set(to.name, from.node!);
    this.#moved(from.node!, from.dir, to.dir);
    this.#moved(to.node!, to.dir, from.dir);
  }

  #moved(node: ModelNode, from: ModelNode, to: ModelNode): void {
    if (node.type === "dir") {
      node.parent = to;
      from.nlink--;
      to.nlink++;
    }
    this.#touch(from);
    this.#touch(to);
    node.ctime = this.now;
  }

  open(path: string, flags: number, mode: number): ModelFile {
    const follow = !(flags & NOFOLLOW) && !(flags & CREAT && flags & EXCL);
    const place = this.#walk(path, follow ? "follow" : "unless slash", (flags & CREAT) !== 0);
    let { node } = place;
    if (node === null) {
      if (!(flags & CREAT)) fail("ENOENT");
      node = this.#make(place, "file", mode & 0o7777);
    } else {
      this.#mayOpen(place, node, flags);
      if (flags & TRUNC && node.type === "file") this.#resize(node, 0);
    }
    return { node, flags, position: 0 };
  }

  #mayOpen(place: Place, node: ModelNode, flags: number): void {
    if (flags & CREAT && flags & EXCL) fail("EEXIST");
    if (flags & CREAT && node.type === "dir") fail("EISDIR");
    if (place.slash && node.type !== "dir") fail("ENOTDIR");
    if (node.type === "link") fail("ELOOP");
    const writes = (flags & 3) !== 0 || (flags & TRUNC) !== 0;
    if (node.type === "dir" && writes) fail("EISDIR");
    const reads = (flags & 3) !== WRONLY;
    this.#need(node, (reads ? READ : 0) | (writes ? WRITE : 0));
  }

  #resize(node: ModelNode, size: number): void {
    const bytes = new Uint8Array(size);
    bytes.set(node.bytes.subarray(0, size));
    node.bytes = bytes;
    this.#stripPrivileges(node);
    this.#touch(node);
  }

  #stripPrivileges(node: ModelNode): void {
    if (this.user.uid !== 0) this.#strip(node);
  }

  #strip(node: ModelNode): void {
    if (node.type === "dir") return;
    node.mode &= ~0o4000;
    if (node.mode & 0o010) node.mode &= ~0o2000;
  }

  read(file: ModelFile, length: number, position: number | null): Uint8Array {
    if ((file.flags & 3) === WRONLY) fail("EBADF");
    if (file.node.type === "dir") fail("EISDIR");
    const at = position ?? file.position;
    const bytes = file.node.bytes.slice(at, at + length);
    if (position === null) file.position += bytes.length;
    return bytes;
  }

  write(file: ModelFile, bytes: Uint8Array, position: number | null): number {
    const { node, flags } = file;
    if ((flags & 3) !== WRONLY && (flags & 3) !== RDWR) fail("EBADF");
    if (bytes.length === 0) return 0;
    const at = flags & APPEND ? node.bytes.length : position ?? file.position;
    const grown = new Uint8Array(Math.max(node.bytes.length, at + bytes.length));
    grown.set(node.bytes);
    grown.set(bytes, at);
    node.bytes = grown;
    if (position === null) file.position = at + bytes.length;
    this.#touch(node);
    this.#stripPrivileges(node);
    return bytes.length;
  }

  ftruncate(file: ModelFile, size: number): void {
    if ((file.flags & 3) === 0) fail("EINVAL");
    this.#resize(file.node, size);
  }

  truncate(path: string, size: number): void {
    const node = this.#find(path, true);
    if (node.type === "dir") fail("EISDIR");
    this.#need(node, WRITE);
    this.#resize(node, size);
  }

  chmod(path: string, mode: number): void {
    const node = this.#find(path, true);
    const { uid } = this.user;
    if (uid !== 0 && uid !== node.uid) fail("EPERM");
    const keepsSetgid = uid === 0 || this.#inGroup(node.gid);
    node.mode = mode & (keepsSetgid ? 0o7777 : 0o5777);
    node.ctime = this.now;
  }

  chown(path: string, uid: number, gid: number, follow: boolean): void {
    const node = this.#find(path, follow);
    const [owner, group] = [uid === -1 ? node.uid : uid, gid === -1 ? node.gid : gid];
    const isOwner = this.user.uid === node.uid && owner === node.uid;
    const mayGroup = group === node.gid || this.#inGroup(group);
    if (this.user.uid !== 0 && !(isOwner && mayGroup)) fail("EPERM");
    node.uid = owner;
    node.gid = group;
    this.#strip(node);
    node.ctime = this.now;
  }

  access(path: string, mode: number): void {
    this.#need(this.#find(path, true), mode);
  }

  stat(path: string, follow: boolean): ModelNode {
    return this.#find(path, follow);
  }

  readlink(path: string): string {
    const node = this.#find(path, false);
    return node.type === "link" ? node.target : fail("EINVAL");
  }

  readdir(path: string): string[] {
    const node = this.#find(path, true);
    if (node.type !== "dir") fail("ENOTDIR");
    this.#need(node, READ);
    return [".", "..", ...node.entries.keys()];
  }
}
