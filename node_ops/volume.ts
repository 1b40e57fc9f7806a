/**
 * VOLUMEFS, the names: a volume mounted as a file system.
 *
 * Layer: node_ops, over any `VolumeOps`: the engine in this thread, a relay's client, a cache. The
 * bytes are in `stream_ops/volume.ts`. Use: `FS.mount(VOLUMEFS, { volume }, "/data")`.
 *
 * What it caches is one record per inode with what the path walk reads: mode and owner. A record
 * is true while its epoch is the mount's; the epoch moves when the volume's generation shows that
 * another client changed something, and then each name is asked for once more on its next walk.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../abi/errno.ts";
import { type Backend, FSNode, type FSStream, type NodeOps, type StreamOps } from "../abi/node.ts";
import type { Attr, AttrChange, DirEntry, Owner } from "../abi/attr.ts";
import { isDir, isFile, isLink, PERMISSION_BITS, S_IFLNK, S_IFMT } from "../abi/mode.ts";
import { shownIno } from "../abi/words.ts";
import { FS_NAMESPACES, xattrNameCode } from "../abi/xattr_name.ts";
import type { Found, Ino, VolumeOps } from "../opfs/volume_ops.ts";
import { volumeStreamOps } from "../stream_ops/volume.ts";
import type { VolumeRecord } from "../stream_ops/volume_record.ts";
import { watchVolume } from "./volume_watch.ts";

export type { VolumeRecord } from "../stream_ops/volume_record.ts";

/** What `FS.mount(VOLUMEFS, options, path)` takes. */
export interface VolumeFsOptions {
  /** The volume. Several mounts, also of several FS instances, may share one. */
  volume: VolumeOps;
}

type Node = FSNode<VolumeRecord>;
type Dir = FSNode<VolumeRecord>;

function isStale(error: unknown): boolean {
  return isErrnoError(error) && error.code === "ESTALE";
}

/** A directory or inode that is gone from the volume is a missing one to the caller. */
function asMissing(error: unknown, call: string, name: string): unknown {
  return isStale(error) ? new ErrnoError("ENOENT", `${call} "${name}"`, { cause: error }) : error;
}

/** One mount: its op tables and what it knows of the volume's inodes. */
class VolumeMount {
  readonly volume: VolumeOps;
  readonly #streamOps: StreamOps<VolumeRecord>;
  readonly #directoryOps: NodeOps<VolumeRecord>;
  readonly #linkOps: NodeOps<VolumeRecord>;
  readonly #fileOps: NodeOps<VolumeRecord>;
  /** Records of inodes with several names, so that all names show one change. */
  readonly #shared = new Map<Ino, WeakRef<VolumeRecord>>();
  #sweepAt = 1024;
  /** The volume's generation when the epoch was last looked at. */
  #seen: number;
  #epoch = 1;
  /** A file that was made retained, for the open that mostly follows; 0 for no file. */
  #spare: Ino = 0;

  constructor(volume: VolumeOps) {
    this.volume = volume;
    this.#seen = volume.generation;
    this.#streamOps = volumeStreamOps(volume, (stream) => this.#open(stream));
    this.#fileOps = this.#commonOps();
    this.#linkOps = { ...this.#commonOps(), readlink: (node) => volume.readlink(node.data.handle) };
    this.#directoryOps = { ...this.#commonOps(), ...this.#namingOps() };
  }

  /** The node of an inode that exists: one getattr. */
  node(handle: Ino): Node {
    return this.#nodeWith(handle, this.volume.getattr(handle));
  }

  #nodeWith(handle: Ino, { mode, uid, gid, rdev, nlink }: Attr): Node {
    const record = this.#record(handle, mode, uid, gid, rdev);
    return this.#nodeOf(nlink > 1 && !isDir(mode) ? this.#unify(record) : record);
  }

  #record(handle: Ino, mode: number, uid: number, gid: number, rdev: number): VolumeRecord {
    return {
      ino: shownIno(handle),
      handle,
      mode,
      uid,
      gid,
      rdev,
      epoch: this.#epoch,
      names: null,
    };
  }

  #nodeOf(record: VolumeRecord): Node {
    const ops = isDir(record.mode)
      ? this.#directoryOps
      : isLink(record.mode)
      ? this.#linkOps
      : this.#fileOps;
    const node = new FSNode(record, ops, this.#streamOps);
    record.names?.set(node, this.#epoch);
    return node;
  }

  /** The one record of an inode with several names: the known one, brought up to date, or this. */
  #unify(record: VolumeRecord): VolumeRecord {
    const known = this.#shared.get(record.handle)?.deref();
    record.names ??= new WeakMap();
    if (known === undefined) {
      this.#shared.set(record.handle, new WeakRef(record));
      if (this.#shared.size >= this.#sweepAt) this.#sweep();
      return record;
    }
    known.mode = record.mode;
    known.uid = record.uid;
    known.gid = record.gid;
    known.epoch = record.epoch;
    return known;
  }

  #sweep(): void {
    for (const [handle, reference] of this.#shared) {
      if (reference.deref() === undefined) this.#shared.delete(handle);
    }
    this.#sweepAt = Math.max(1024, this.#shared.size * 2);
  }

  /** Whether what is cached may be trusted; moves the epoch when another client changed something. */
  #isCurrent(node: Node): boolean {
    const record = node.data;
    const generation = this.volume.generation;
    if (generation !== this.#seen) {
      this.#seen = generation;
      this.#epoch++;
    }
    if (record.epoch !== this.#epoch) return false;
    return record.names === null || record.names.get(node) === this.#epoch;
  }

  /** After a change of ours: it alone does not make the cache untrue. */
  #changed(before: number): void {
    const after = this.volume.generation;
    if (before === this.#seen && after === before + 1) this.#seen = after;
  }

  #lookup(parent: Dir, name: string): Node | null {
    const found = this.#find(parent, name);
    return found === null ? null : this.#nodeWith(found.ino, found.attr);
  }

  /**
   * A name's inode and attributes, in one step where the volume can. Elsewhere it asks again while
   * another client removes the inode between the two.
   */
  #find(parent: Dir, name: string): Found | null {
    const { volume } = this;
    if (volume.lookupAttr !== undefined) return this.#findAtOnce(parent, name);
    for (;;) {
      const ino = this.#handleOf(parent, name);
      if (ino === 0) return null;
      try {
        return { ino, attr: volume.getattr(ino) };
      } catch (error) {
        if (!isStale(error)) throw error;
        // The same stale answer twice is damage, not a race.
        if (this.#handleOf(parent, name) === ino) throw error;
      }
    }
  }

  #findAtOnce(parent: Dir, name: string): Found | null {
    try {
      return this.volume.lookupAttr?.(parent.data.handle, name) ?? null;
    } catch (error) {
      if (isStale(error)) return null;
      throw error;
    }
  }

  /** The named inode, or 0; a directory that is gone has no names. */
  #handleOf(parent: Dir, name: string): Ino {
    try {
      return this.volume.lookup(parent.data.handle, name);
    } catch (error) {
      if (isStale(error)) return 0;
      throw error;
    }
  }

  #refresh(node: Node): boolean {
    try {
      if (node.data.handle === this.volume.root) {
        node.data = this.node(node.data.handle).data;
        return true;
      }
      const found = this.#find(node.parent as Dir, node.name);
      if (found?.ino !== node.data.handle) return false;
      node.data = this.#nodeWith(found.ino, found.attr).data;
      node.data.names?.set(node, this.#epoch);
      return true;
    } catch (error) {
      if (isStale(error)) return false;
      throw error;
    }
  }

  /**
   * Opens what the name leads to now, in one step where the volume can: between finding and
   * retaining another client may put another file there. Then it is ESTALE, and the walk is redone.
   */
  #open(stream: FSStream<VolumeRecord>): void {
    const { volume } = this;
    const { node } = stream;
    const { handle } = node.data;
    if (this.#spare === handle) {
      this.#spare = 0;
      return;
    }
    const isNamed = !node.removed && handle !== volume.root;
    if (volume.lookupRetain === undefined || !isNamed) return volume.retain(handle);
    const found = volume.lookupRetain((node.parent as Dir).data.handle, node.name);
    if (found?.ino === handle) return;
    if (found !== null) volume.release(found.ino);
    throw new ErrnoError("ESTALE", `open "${node.name}"`, { why: "it has been replaced" });
  }

  /** Lets go of a file that was made and not opened. */
  #dropSpare(): void {
    const spare = this.#spare;
    this.#spare = 0;
    if (spare !== 0) this.volume.release(spare);
  }

  /** A name may lead to another inode by now; one that leads nowhere is ENOENT. */
  #getattr(node: Node): Attr {
    for (;;) {
      try {
        return this.volume.getattr(node.data.handle);
      } catch (error) {
        if (!isStale(error) || node.removed || node.data.handle === this.volume.root) throw error;
        const found = this.#find(node.parent as Dir, node.name);
        if (found === null) throw asMissing(error, "find", node.name);
        // The same stale answer twice is damage, not a race.
        if (found.ino === node.data.handle) throw error;
        node.data = this.#nodeWith(found.ino, found.attr).data;
      }
    }
  }

  #setattr(node: Node, change: AttrChange): void {
    const { volume } = this;
    const before = volume.generation;
    volume.setattr(node.data.handle, change);
    this.#changed(before);
    const { mode, uid, gid } = change;
    if (mode !== undefined) node.data.mode = (node.data.mode & S_IFMT) | (mode & PERMISSION_BITS);
    if (uid !== undefined) node.data.uid = uid;
    if (gid !== undefined) node.data.gid = gid;
  }

  #create(
    parent: Dir,
    name: string,
    made: { mode: number; rdev: number; target?: string } & Owner,
  ): Node {
    const before = this.volume.generation;
    let handle: Ino;
    try {
      handle = this.#make(parent.data.handle, name, made);
    } catch (error) {
      throw asMissing(error, "create", name);
    }
    this.#changed(before);
    return this.#nodeOf(this.#record(handle, made.mode, made.uid, made.gid, made.rdev));
  }

  /** A file is mostly made to be opened: it is retained at once where that is one step. */
  #make(parent: Ino, name: string, made: { mode: number; rdev: number } & Owner): Ino {
    const { volume } = this;
    this.#dropSpare();
    if (volume.createRetain === undefined || !isFile(made.mode)) {
      return volume.create(parent, name, made);
    }
    return this.#spare = volume.createRetain(parent, name, made).ino;
  }

  /** It is retained already, for the open that follows. */
  #tmpfile(parent: Dir, mode: number, owner: Owner, isLinkable: boolean): Node {
    this.#dropSpare();
    const made = { ...owner, mode, isLinkable };
    try {
      this.#spare = this.volume.tmpfile(parent.data.handle, made);
    } catch (error) {
      throw asMissing(error, "make a file in", parent.name);
    }
    return this.#nodeOf(this.#record(this.#spare, mode, owner.uid, owner.gid, 0));
  }

  #link(node: Node, parent: Dir, name: string): Node {
    const before = this.volume.generation;
    try {
      this.volume.link(node.data.handle, parent.data.handle, name);
    } catch (error) {
      throw asMissing(error, "link", name);
    }
    this.#changed(before);
    node.data = this.#unify(node.data);
    node.data.names?.set(node, this.#epoch);
    return this.#nodeOf(node.data);
  }

  #rename(node: Node, newParent: Dir, newName: string, flags: number): void {
    const { volume } = this;
    const before = volume.generation;
    if (this.#spare !== 0) this.#dropSpare();
    const from = (node.parent as Dir).data.handle;
    try {
      volume.rename(from, node.name, newParent.data.handle, newName, flags);
    } catch (error) {
      throw asMissing(error, "rename", node.name);
    }
    this.#changed(before);
  }

  #remove(call: "unlink" | "rmdir", parent: Dir, name: string): void {
    if (this.#spare !== 0) this.#dropSpare();
    const before = this.volume.generation;
    try {
      this.volume[call](parent.data.handle, name);
    } catch (error) {
      throw asMissing(error, call, name);
    }
    this.#changed(before);
  }

  /** What every kind of node can do. */
  #commonOps(): NodeOps<VolumeRecord> {
    return {
      getattr: (node) => this.#getattr(node),
      setattr: (node, change) => this.#setattr(node, change),
      revalidate: (node) => this.#isCurrent(node) || this.#refresh(node),
      statfs: () => this.volume.statfs(),
      watch: (node, notify) => watchVolume(this.volume, node, notify),
      ...this.#attributeOps(),
    };
  }

  /** Extended attributes. A volume keeps other namespaces too, for those who know them. */
  #attributeOps(): Partial<NodeOps<VolumeRecord>> {
    const { volume } = this;
    return {
      getxattr: (node, name) => volume.getxattr(node.data.handle, name),
      setxattr: (node, name, value, flags) => volume.setxattr(node.data.handle, name, value, flags),
      listxattr: (node) =>
        volume.listxattr(node.data.handle).filter((name) =>
          xattrNameCode(name, FS_NAMESPACES) === null
        ),
      removexattr: (node, name) => volume.removexattr(node.data.handle, name),
    };
  }

  /** What directories can do besides. */
  #namingOps(): Partial<NodeOps<VolumeRecord>> {
    const { volume } = this;
    return {
      lookup: (parent, name) => this.#lookup(parent, name),
      mknod: (parent, name, mode, rdev, owner) =>
        this.#create(parent, name, { ...owner, mode, rdev }),
      tmpfile: (parent, mode, owner, isLinkable) => this.#tmpfile(parent, mode, owner, isLinkable),
      symlink: (parent, name, target, owner) =>
        this.#create(parent, name, { ...owner, mode: S_IFLNK | 0o777, rdev: 0, target }),
      link: (node, parent, name) => this.#link(node, parent, name),
      unlink: (parent, name) => this.#remove("unlink", parent, name),
      rmdir: (parent, name) => this.#remove("rmdir", parent, name),
      rename: (node, newParent, newName, flags) => this.#rename(node, newParent, newName, flags),
      readdir: (node, after): DirEntry[] => volume.readdir(node.data.handle, after),
    };
  }
}

/**
 * A volume as a mountable file system.
 *
 * @example
 * ```ts
 * import { createFS, memoryHandle, openVolumeSync, VOLUMEFS } from "@cairn/fs";
 * import { assertEquals } from "@std/assert";
 *
 * const volume = openVolumeSync(memoryHandle());
 * const FS = createFS();
 * FS.mkdir("/data");
 * FS.mount(VOLUMEFS, { volume }, "/data");
 * FS.writeFile("/data/a.txt", "kept");
 * assertEquals(FS.readFile("/data/a.txt", { encoding: "utf8" }), "kept");
 * ```
 */
export const VOLUMEFS: Backend<VolumeFsOptions, VolumeRecord> = {
  name: "VOLUMEFS",
  mount(options: VolumeFsOptions): FSNode<VolumeRecord> {
    const volume = options?.volume;
    if (typeof volume?.lookup !== "function") {
      throw new ErrnoError("EINVAL", "mount VOLUMEFS without options.volume");
    }
    const root = new VolumeMount(volume).node(volume.root);
    volumes.set(root.node_ops, volume);
    return root;
  },
  syncfs(root: FSNode<VolumeRecord>): void {
    volumeOf(root).sync();
  },
};

/** The volume of each mount, by its directories' op table, which no other mount shares. */
const volumes = new WeakMap<NodeOps<VolumeRecord>, VolumeOps>();

function volumeOf(root: FSNode<VolumeRecord>): VolumeOps {
  const volume = volumes.get(root.node_ops);
  if (volume === undefined) {
    throw new ErrnoError("EINVAL", "sync a root that VOLUMEFS did not make");
  }
  return volume;
}
