/**
 * PROXYFS, the names: a directory of another file system, mounted here.
 *
 * Layer: node_ops, over `PathCalls`: another instance of FS, or anything with its calls, such as the
 * host's files in `node_ops/hostfs.ts`. The bytes are in `stream_ops/proxyfs.ts`.
 *
 * Nothing is remembered but what the path walk reads, and that is asked for again on each walk,
 * because the other side changes as it likes. A path is made of the names from here up to the mount;
 * links are followed here, never over there.
 *
 * Use: `FS.mount(PROXYFS, { fs: other, path: "/shared" }, "/mnt")`.
 *
 * @module
 */
import type { Attr, AttrChange, DirEntry, Owner } from "../abi/attr.ts";
import { ErrnoError, isErrnoError } from "../abi/errno.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  O_CREAT,
  O_EXCL,
  O_RDWR,
  O_TMPFILE,
  O_WRONLY,
  RENAME_NOREPLACE,
  UTIME_OMIT,
} from "../abi/flags.ts";
import { CursorListing } from "../abi/cursor_listing.ts";
import { isDir, isFile, isLink, PERMISSION_BITS } from "../abi/mode.ts";
import { type Backend, FSNode, type NodeOps, type StreamOps } from "../abi/node.ts";
import { textOption } from "../abi/options.ts";
import type { PathCalls, PathStat, PathStream, PathTime } from "../abi/path_calls.ts";
import { type ProxyRecord, proxyStreamOps, reopenThere, there } from "../stream_ops/proxyfs.ts";
import { proxyXattrOps } from "./proxyfs_xattr.ts";

export type { ProxyRecord } from "../stream_ops/proxyfs.ts";

/** What `FS.mount(PROXYFS, options, path)` takes. */
export interface ProxyFsOptions {
  /** The other file system. */
  fs: PathCalls;
  /** The directory of it that is mounted. Default "/". */
  path?: string;
}

type Node = FSNode<ProxyRecord>;

/** One mount: op tables over one directory of the other side. */
class ProxyMount {
  readonly #fs: PathCalls;
  readonly #path: string;
  readonly #streamOps: StreamOps<ProxyRecord>;
  readonly #fileOps: NodeOps<ProxyRecord>;
  readonly #linkOps: NodeOps<ProxyRecord>;
  readonly #directoryOps: NodeOps<ProxyRecord>;

  constructor({ fs, path }: ProxyFsOptions) {
    this.#fs = fs;
    this.#path = textOption(path, "/", "path").replace(/\/+$/, "");
    this.#streamOps = proxyStreamOps(fs, (stream) => this.#pathOf(stream.node));
    this.#fileOps = {
      getattr: (node) => attrOf(this.#stat(node)),
      setattr: (node, change) => this.#setattr(node, change),
      revalidate: (node) => this.#revalidate(node),
      statfs: (node) => there("statfs", () => fs.statfs(this.#pathOf(node))),
      ...proxyXattrOps(fs, (node) => node.data.open[0]?.fd ?? this.#pathOf(node)),
    };
    this.#linkOps = {
      ...this.#fileOps,
      readlink: (node) => there("readlink", () => fs.readlink(this.#pathOf(node))),
    };
    this.#directoryOps = { ...this.#fileOps, ...this.#namingOps() };
  }

  root(): Node {
    const path = this.#path === "" ? "/" : this.#path;
    const stat = there(`mount "${path}"`, () => this.#fs.stat(path));
    if (!isDir(stat.mode)) throw new ErrnoError("ENOTDIR", `mount "${path}"`);
    return this.#node(stat);
  }

  #node({ ino, mode, uid, gid, rdev }: PathStat): Node {
    const listing = isDir(mode) ? new CursorListing() : null;
    const here = { open: [], made: null, listing };
    const record: ProxyRecord = { ino, mode, uid, gid, rdev, ...here };
    const ops = isDir(mode) ? this.#directoryOps : isLink(mode) ? this.#linkOps : this.#fileOps;
    return new FSNode(record, ops, this.#streamOps);
  }

  /** Where a node is over there. ENOENT if its name is gone: another file may have it by now. */
  #pathOf(node: FSNode): string {
    if (node.removed) throw new ErrnoError("ENOENT", `find "${node.name}", which was removed`);
    let path = "";
    for (let at = node; at.parent !== at; at = at.parent) path = `/${at.name}${path}`;
    const whole = this.#path + path;
    return whole === "" ? "/" : whole;
  }

  #childPath(parent: Node, name: string): string {
    const path = this.#pathOf(parent);
    return path === "/" ? `/${name}` : `${path}/${name}`;
  }

  /** Through an open file where there is one, for its name may be gone. */
  #stat(node: Node): PathStat {
    const open = node.data.open[0];
    if (open !== undefined) return there("stat", () => this.#fs.fstat(open.fd!));
    return there(`stat "${node.name}"`, () => this.#fs.lstat(this.#pathOf(node)));
  }

  /** What is at a path over there, or null. */
  #find(path: string): PathStat | null {
    try {
      return this.#fs.lstat(path);
    } catch (error) {
      if (isErrnoError(error) && (error.errno === 44 || error.errno === 54)) return null;
      return there(`stat "${path}"`, () => {
        throw error;
      });
    }
  }

  #revalidate(node: Node): boolean {
    if (node.removed) return false;
    const stat = this.#find(this.#pathOf(node));
    const { data } = node;
    if (stat === null || stat.ino !== data.ino || (stat.mode ^ data.mode) & ~PERMISSION_BITS) {
      return false;
    }
    data.mode = stat.mode;
    data.uid = stat.uid;
    data.gid = stat.gid;
    return true;
  }

  #setattr(node: Node, change: AttrChange): void {
    const { data } = node;
    const changesLink = isLink(data.mode) && change.mode !== undefined;
    if (changesLink) throw new ErrnoError("ENOTSUP", `set the mode of link "${node.name}"`);
    const fd = data.open[0]?.fd ?? null;
    there(`change "${node.name}"`, () => {
      if (change.size !== undefined) this.#resize(node, change.size);
      this.#changeOwner(node, fd, change);
      if (change.mode !== undefined) this.#changeMode(node, fd, change.mode & PERMISSION_BITS);
      this.#changeTimes(node, fd, change);
    });
    const { mode, uid, gid } = this.#stat(node);
    Object.assign(data, { mode, uid, gid });
  }

  /** By a descriptor that may write, if one is open; the name may be gone. */
  #resize(node: Node, size: number): void {
    for (const { fd } of node.data.open) {
      try {
        return this.#fs.ftruncate(fd!, size);
      } catch (error) {
        if (!isErrnoError(error) || error.code !== "EINVAL" || size < 0) throw error;
      }
    }
    const held = node.removed ? node.data.open[0] : undefined;
    if (held === undefined) return this.#fs.truncate(this.#pathOf(node), size);
    const again = reopenThere(this.#fs, held, O_WRONLY);
    try {
      this.#fs.ftruncate(again.fd!, size);
    } finally {
      this.#fs.close(again);
    }
  }

  #changeOwner(node: Node, fd: number | null, { uid, gid }: AttrChange): void {
    if (uid === undefined && gid === undefined) return;
    const owner = [uid ?? node.data.uid, gid ?? node.data.gid] as const;
    if (fd === null) this.#fs.lchown(this.#pathOf(node), ...owner);
    else this.#fs.fchown(fd, ...owner);
  }

  #changeMode(node: Node, fd: number | null, mode: number): void {
    if (fd === null) this.#fs.chmod(this.#pathOf(node), mode);
    else this.#fs.fchmod(fd, mode);
  }

  /** As precisely as the other side can. */
  #changeTimes(node: Node, fd: number | null, { atime, mtime }: AttrChange): void {
    if (atime === undefined && mtime === undefined) return;
    const { futimens, lutimens } = this.#fs;
    const times = [timeSpec(atime), timeSpec(mtime)] as const;
    if (fd !== null && futimens !== undefined) return futimens.call(this.#fs, fd, ...times);
    const path = this.#pathOf(node);
    if (lutimens !== undefined) return lutimens.call(this.#fs, path, ...times);
    if (isLink(node.data.mode)) throw new ErrnoError("ENOTSUP", `set times of link "${node.name}"`);
    const stat = this.#stat(node);
    this.#fs.utime(path, atime ?? stat.atimeMs, mtime ?? stat.mtimeMs);
  }

  #mknod(parent: Node, name: string, mode: number, rdev: number, owner: Owner): Node {
    const path = this.#childPath(parent, name);
    there(`make "${name}"`, () => {
      if (isDir(mode)) this.#fs.mkdir(path, mode & PERMISSION_BITS);
      else if (isFile(mode)) this.#create(path, mode & PERMISSION_BITS);
      else this.#fs.mknod(path, mode, rdev);
    });
    return this.#adopt(path, owner, mode);
  }

  #create(path: string, mode: number): void {
    this.#fs.close(this.#fs.open(path, O_WRONLY | O_CREAT | O_EXCL, mode));
  }

  /** Gives something new its owner and mode, as far as the other side lets us. */
  #adopt(path: string, { uid, gid }: Owner, mode: number): Node {
    let made = there("stat", () => this.#fs.lstat(path));
    if (made.uid !== uid || made.gid !== gid) {
      unlessRefused(() => this.#fs.lchown(path, uid, gid));
      made = there("stat", () => this.#fs.lstat(path));
    }
    const wanted = mode & PERMISSION_BITS;
    if (isLink(mode) || (made.mode & PERMISSION_BITS) === wanted) return this.#node(made);
    there("chmod", () => this.#fs.chmod(path, wanted));
    return this.#node(there("stat", () => this.#fs.lstat(path)));
  }

  /** Its descriptor over there is the one that makes it. ENOTSUP if the other side cannot. */
  #tmpfile(parent: Node, mode: number, owner: Owner, isLinkable: boolean): Node {
    const path = this.#pathOf(parent);
    const bits = mode & PERMISSION_BITS;
    const flags = O_TMPFILE | O_RDWR | (isLinkable ? 0 : O_EXCL);
    const made = there(`open "${path}"`, () => this.#openUnnamed(path, flags, bits));
    try {
      const node = this.#node(this.#adoptUnnamed(made.fd!, owner, bits));
      node.data.made = made;
      return node;
    } catch (error) {
      there("close", () => this.#fs.close(made));
      throw error;
    }
  }

  #adoptUnnamed(fd: number, { uid, gid }: Owner, mode: number): PathStat {
    const { uid: user, gid: group } = there("stat", () => this.#fs.fstat(fd));
    if (user !== uid || group !== gid) unlessRefused(() => this.#fs.fchown(fd, uid, gid));
    there("chmod", () => this.#fs.fchmod(fd, mode));
    return there("stat", () => this.#fs.fstat(fd));
  }

  /** Who does not know the flag takes it for an open of the directory. */
  #openUnnamed(path: string, flags: number, mode: number): PathStream {
    try {
      return this.#fs.open(path, flags, mode);
    } catch (error) {
      if (!isErrnoError(error) || error.code !== "EISDIR") throw error;
      throw new ErrnoError("ENOTSUP", `make a file without a name in "${path}"`);
    }
  }

  #symlink(parent: Node, name: string, target: string, owner: Owner): Node {
    const path = this.#childPath(parent, name);
    there(`link "${name}"`, () => this.#fs.symlink(target, path));
    return this.#adopt(path, owner, 0o120777);
  }

  #link(node: Node, parent: Node, name: string): Node {
    const path = this.#childPath(parent, name);
    there(`link "${name}"`, () => {
      if (node.removed) this.#nameUnnamed(node, path);
      else this.#fs.link(this.#pathOf(node), path);
    });
    return this.#node(there("stat", () => this.#fs.lstat(path)));
  }

  #nameUnnamed(node: Node, path: string): void {
    const fd = node.data.open[0]?.fd ?? null;
    if (fd === null || this.#fs.linkat === undefined) {
      throw new ErrnoError("ENOENT", `give "${path}" to a file without a name`);
    }
    this.#fs.linkat(fd, "", AT_FDCWD, path, AT_EMPTY_PATH);
  }

  /** Who knows no flags may still hear that there is nothing to replace. */
  #rename(node: Node, newParent: Node, newName: string, flags: number): void {
    const from = this.#pathOf(node);
    const to = this.#childPath(newParent, newName);
    there(`rename "${node.name}"`, () => {
      if (flags === 0) return this.#fs.rename(from, to);
      if (this.#fs.renameat !== undefined) {
        return this.#fs.renameat(AT_FDCWD, from, AT_FDCWD, to, flags);
      }
      if (flags & ~RENAME_NOREPLACE) throw new ErrnoError("EINVAL", `exchange "${node.name}"`);
      if (this.#find(to) !== null) throw new ErrnoError("EEXIST", `rename to "${newName}"`);
      this.#fs.rename(from, to);
    });
  }

  /** A piece asks for the names only where a listing begins or ends, and looks at what it gives. */
  #readdir(node: Node, after: number, most: number = Infinity): DirEntry[] {
    const names = () => there("readdir", () => this.#fs.readdir(this.#pathOf(node)));
    const path = this.#childPath(node, "");
    return node.data.listing!.read({ after, most, names }, ({ name, cursor }) => {
      const stat = this.#find(path + name);
      return stat === null ? null : { ino: stat.ino, mode: stat.mode, name, cursor };
    });
  }

  /** What directories can do besides. */
  #namingOps(): Partial<NodeOps<ProxyRecord>> {
    return {
      lookup: (parent, name) => {
        const stat = this.#find(this.#childPath(parent, name));
        return stat === null ? null : this.#node(stat);
      },
      mknod: (parent, name, mode, rdev, owner) => this.#mknod(parent, name, mode, rdev, owner),
      tmpfile: (parent, mode, owner, isLinkable) => this.#tmpfile(parent, mode, owner, isLinkable),
      symlink: (parent, name, target, owner) => this.#symlink(parent, name, target, owner),
      link: (node, parent, name) => this.#link(node, parent, name),
      unlink: (parent, name) =>
        there(`unlink "${name}"`, () => this.#fs.unlink(this.#childPath(parent, name))),
      rmdir: (parent, name) =>
        there(`rmdir "${name}"`, () => this.#fs.rmdir(this.#childPath(parent, name))),
      rename: (node, newParent, newName, flags) => this.#rename(node, newParent, newName, flags),
      readdir: (node, after, most) => this.#readdir(node, after, most),
    };
  }
}

/** Gives something away, unless the other side does not let us: then it stays theirs. */
function unlessRefused(give: () => void): void {
  try {
    there("chown", give);
  } catch (error) {
    if (!isErrnoError(error) || error.code !== "EPERM") throw error;
  }
}

/** A time in ms as [s, ns]; an absent one is left alone. */
function timeSpec(ms: number | undefined): PathTime {
  if (ms === undefined) return [0, UTIME_OMIT];
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.min(999_999_999, Math.round((ms - seconds * 1000) * 1e6))];
}

function attrOf(stat: PathStat): Attr {
  const { ino, mode, nlink, uid, gid, rdev, size, blocks, atimeMs, mtimeMs, ctimeMs } = stat;
  const times = { atime: atimeMs, mtime: mtimeMs, ctime: ctimeMs };
  return { ino, mode, nlink, uid, gid, rdev, size, blocks, ...times };
}

/**
 * Another file system's directory as a mountable file system.
 *
 * @example
 * ```ts
 * import { createFS, PROXYFS } from "@cairn/fs";
 * import { assertEquals } from "@std/assert";
 *
 * const [ours, theirs] = [createFS(), createFS()];
 * theirs.mkdir("/shared");
 * ours.mkdir("/mnt");
 * ours.mount(PROXYFS, { fs: theirs, path: "/shared" }, "/mnt");
 * ours.writeFile("/mnt/a.txt", "from us");
 * assertEquals(theirs.readFile("/shared/a.txt", { encoding: "utf8" }), "from us");
 * ```
 */
export const PROXYFS: Backend<ProxyFsOptions, ProxyRecord> = {
  name: "PROXYFS",
  mount(options: ProxyFsOptions): FSNode<ProxyRecord> {
    if (typeof options?.fs?.lstat !== "function") {
      throw new ErrnoError("EINVAL", "mount PROXYFS without options.fs");
    }
    return new ProxyMount(options).root();
  },
};
