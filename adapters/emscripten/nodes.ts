/**
 * Names of a volume inside a stock Emscripten module.
 *
 * Layer: adapters. The module keeps every name it has seen in its table and never asks again, so a
 * volume that others change too would show what was. Each directory of ours therefore has an
 * operation table whose `lookup` is an accessor: the module reads it on every step of a walk, before
 * it looks into its table. There the volume's generation is compared, and when another client changed
 * something, the directory's names leave the table and are asked for once more, one by one, as they
 * are used. A name that still means the same inode keeps its node.
 *
 * Node ids are the volume's inode numbers in a range that the module's other mounts cannot reach, so
 * that readdir and stat agree and names of two mounts never meet in the table.
 *
 * @module
 */
import {
  AT_SYMLINK_FOLLOW,
  ErrnoError,
  type Ino,
  isDir,
  isErrnoError,
  isFile,
  isLink,
  joinWords,
  S_IFLNK,
  shownIno,
  type VolumeOps,
} from "../../mod.ts";
import {
  attrChange,
  type HostAttr,
  hostAttr,
  type HostAttrChange,
  hostStatFs,
} from "./attributes.ts";
import { type EmscriptenError, type EmscriptenFS, guard, makeError } from "./host.ts";
import { type Heap, streamOps, type StreamOpTables } from "./streams.ts";
import type { VolumeNode } from "./volume_node.ts";

/** What is known of an inode that gets a node. */
interface Known {
  ino: Ino;
  mode: number;
  rdev: number;
  isLinked: boolean;
}

/** What a new inode is made with. */
interface NewNode {
  mode: number;
  rdev: number;
  target?: string;
}

/** A name that no walk asks for: the node of a name that is gone may be put back under it. */
const NO_NAME = "/";
/** Emscripten's programs run as user 0 of group 0. */
const OWNER = { uid: 0, gid: 0 };

/** One mount: the module's nodes of one volume. */
export class MountedVolume {
  readonly #FS: EmscriptenFS;
  readonly #volume: VolumeOps;
  /** Which of the module's volume mounts it is, from 1. */
  readonly #number: number;
  readonly #missing: EmscriptenError;
  /** Whether utime arrives as one timestamp. */
  readonly #hasOneTime: boolean;
  readonly #fileOps: object;
  readonly #linkOps: object;
  readonly #directoryOps: object;
  readonly #streamOps: StreamOpTables;
  /** The volume's generation when the epoch was last looked at. */
  #seen: number;
  #epoch = 1;

  constructor(FS: EmscriptenFS, volume: VolumeOps, number: number, heap: Heap) {
    this.#FS = FS;
    this.#volume = volume;
    this.#number = number;
    this.#seen = volume.generation;
    this.#missing = makeError(FS, "ENOENT");
    this.#hasOneTime = String(FS.utime).includes("timestamp");
    const common = this.#commonOps();
    this.#fileOps = common;
    this.#linkOps = { ...common, readlink: guard(FS, (node: VolumeNode) => this.#readlink(node)) };
    this.#directoryOps = this.#namingOps(common);
    this.#streamOps = streamOps(FS, volume, heap);
  }

  /** The root of the mount, which the module gives its mount afterwards. */
  root(): VolumeNode {
    const ino = this.#volume.root;
    const node = this.#node(null, "/", this.#known(ino));
    let { mode } = node;
    let epoch = this.#epoch;
    // No lookup finds a root, so its mode is asked for when it is read.
    const get = guard(this.#FS, (): number => {
      if (epoch === this.#currentEpoch()) return mode;
      epoch = this.#epoch;
      return mode = this.#volume.getattr(ino).mode;
    });
    const set = (changed: number): void => {
      mode = changed;
    };
    Object.defineProperty(node, "mode", { get, set });
    return node;
  }

  #known(ino: Ino): Known {
    const { mode, rdev, nlink } = this.#volume.getattr(ino);
    return { ino, mode, rdev, isLinked: nlink > 1 && !isDir(mode) };
  }

  /** A node in the module's table; the id is set before any child's name is hashed with it. */
  #node(parent: VolumeNode | null, name: string, known: Known): VolumeNode {
    const { ino, mode, rdev, isLinked } = known;
    const node = new this.#FS.FSNode(parent, name, mode, rdev) as VolumeNode;
    node.id = joinWords(shownIno(ino), this.#number);
    node.entry = { ino, isLinked, isHashed: true, epoch: this.#epoch, names: new Map() };
    node.node_ops = this.#opsOf(node);
    node.stream_ops = this.#streamOpsOf(mode);
    this.#FS.hashAddNode(node);
    parent?.entry.names.set(name, node);
    return node;
  }

  #opsOf(node: VolumeNode): object {
    if (isDir(node.mode)) return Object.create(this.#directoryOps, { directory: { value: node } });
    return isLink(node.mode) ? this.#linkOps : this.#fileOps;
  }

  #streamOpsOf(mode: number): object {
    if (isDir(mode)) return this.#streamOps.directory;
    return isFile(mode) ? this.#streamOps.file : this.#streamOps.special;
  }

  /** Moves the epoch when the volume shows that another client changed something. */
  #currentEpoch(): number {
    const { generation } = this.#volume;
    if (generation !== this.#seen) {
      this.#seen = generation;
      this.#epoch++;
    }
    return this.#epoch;
  }

  /** After a change of ours: it alone does not make the names untrue. */
  #changed(before: number): void {
    const after = this.#volume.generation;
    if (before === this.#seen && after === before + 1) this.#seen = after;
  }

  /** Takes a directory's names out of the module's table if they may have become untrue. */
  #refresh(directory: VolumeNode): void {
    const { entry } = directory;
    if (entry.epoch === this.#currentEpoch()) return;
    entry.epoch = this.#epoch;
    for (const node of entry.names.values()) this.#unhash(node);
  }

  #unhash(node: VolumeNode): void {
    if (node.entry.isHashed) this.#FS.hashRemoveNode(node);
    node.entry.isHashed = false;
  }

  /** Forgets a name that is gone or means another inode now, and all below it. */
  #drop(node: VolumeNode): void {
    const siblings = node.parent.entry.names;
    if (siblings.get(node.name) === node) siblings.delete(node.name);
    this.#unhash(node);
    node.name = NO_NAME;
    for (const child of [...node.entry.names.values()]) this.#drop(child);
  }

  /** Asks the volume for a name that the module does not have, or no longer. */
  #lookup(parent: VolumeNode, name: string): VolumeNode {
    for (let tries = 0;; tries++) {
      const ino = this.#volume.lookup(parent.entry.ino, name);
      const old = parent.entry.names.get(name);
      if (old !== undefined && old.entry.ino !== ino) this.#drop(old);
      if (ino === 0) throw this.#missing;
      try {
        const known = this.#known(ino);
        return old?.entry.ino === ino ? this.#revive(old, known) : this.#node(parent, name, known);
      } catch (error) {
        // Another client removed it between the two questions; the same answer again is damage.
        if (!isErrnoError(error) || error.code !== "ESTALE" || tries > 0) throw error;
      }
    }
  }

  #revive(node: VolumeNode, known: Known): VolumeNode {
    node.mode = known.mode;
    node.entry.isLinked = known.isLinked;
    if (!node.entry.isHashed) this.#FS.hashAddNode(node);
    node.entry.isHashed = true;
    return node;
  }

  #create(parent: VolumeNode, name: string, made: NewNode): VolumeNode {
    const before = this.#volume.generation;
    const ino = this.#volume.create(parent.entry.ino, name, { ...OWNER, ...made });
    this.#changed(before);
    return this.#node(parent, name, { ino, mode: made.mode, rdev: made.rdev, isLinked: false });
  }

  #link(parent: VolumeNode, name: string, oldPath: string, flags: number): VolumeNode {
    const follow = (flags & AT_SYMLINK_FOLLOW) !== 0;
    const node = this.#FS.lookupPath(oldPath, { follow }).node as VolumeNode;
    if (node.mount !== parent.mount) throw new ErrnoError("EXDEV", `link "${oldPath}"`);
    const { entry, mode, rdev } = node;
    const before = this.#volume.generation;
    this.#volume.link(entry.ino, parent.entry.ino, name);
    this.#changed(before);
    entry.isLinked = true;
    return this.#node(parent, name, { ino: entry.ino, mode, rdev, isLinked: true });
  }

  /** The module takes the node out of its table itself. */
  #remove(call: "unlink" | "rmdir", parent: VolumeNode, name: string): void {
    const before = this.#volume.generation;
    this.#volume[call](parent.entry.ino, name);
    this.#changed(before);
    const node = parent.entry.names.get(name);
    if (node === undefined) return;
    parent.entry.names.delete(name);
    for (const child of [...node.entry.names.values()]) this.#drop(child);
  }

  /**
   * The module has taken the node out of its table. It puts the node back under the name and, before
   * 3.1.61, the parent that it finds here. We must drop the replaced name.
   */
  #rename(node: VolumeNode, newParent: VolumeNode, newName: string): void {
    const { parent, name, entry } = node;
    const replaced = newParent.entry.names.get(newName);
    const before = this.#volume.generation;
    this.#volume.rename(parent.entry.ino, name, newParent.entry.ino, newName, 0);
    this.#changed(before);
    // Two names of one inode: nothing has moved, and the node must not come back under a new parent.
    if (replaced?.entry.ino === entry.ino) return this.#drop(node);
    if (replaced !== undefined) this.#drop(replaced);
    parent.entry.names.delete(name);
    node.name = newName;
    node.parent = newParent;
    newParent.entry.names.set(newName, node);
  }

  #readdir(node: VolumeNode): string[] {
    const names = [".", ".."];
    for (let after = 0;;) {
      const page = this.#volume.readdir(node.entry.ino, after);
      for (const entry of page) {
        names.push(entry.name);
        after = entry.cursor;
      }
      if (page.length === 0) return names;
    }
  }

  #readlink(node: VolumeNode): string {
    return this.#volume.readlink(node.entry.ino);
  }

  #getattr(node: VolumeNode): HostAttr {
    const attr = this.#volume.getattr(node.entry.ino);
    return hostAttr(attr, { dev: this.#number + 1, ino: node.id });
  }

  #setattr(node: VolumeNode, attr: HostAttrChange): void {
    const change = attrChange(attr, { oldMode: node.mode, hasOneTime: this.#hasOneTime });
    const before = this.#volume.generation;
    this.#volume.setattr(node.entry.ino, change);
    this.#changed(before);
    if (change.mode === undefined) return;
    node.mode = change.mode;
    // The inode's other names learn it on their next walk.
    if (node.entry.isLinked) this.#epoch++;
  }

  /** What every kind of node can do. */
  #commonOps(): object {
    const FS = this.#FS;
    return {
      getattr: guard(FS, (node: VolumeNode) => this.#getattr(node)),
      setattr: guard(FS, (node: VolumeNode, attr: HostAttrChange) => this.#setattr(node, attr)),
      statfs: guard(FS, () => hostStatFs(this.#volume.statfs())),
    };
  }

  /** What directories can do besides. Its absence elsewhere is what makes ENOTDIR in 3.1.6. */
  #namingOps(common: object): object {
    const FS = this.#FS;
    const refresh = guard(FS, (directory: VolumeNode) => this.#refresh(directory));
    const lookup = guard(FS, (parent: VolumeNode, name: string) => this.#lookup(parent, name));
    return {
      ...common,
      /** Read by the module's mayLookup on each step, before it looks into its table. */
      get lookup(): typeof lookup {
        refresh((this as unknown as { directory: VolumeNode }).directory);
        return lookup;
      },
      mknod: guard(FS, (parent: VolumeNode, name: string, mode: number, rdev: number) => {
        return this.#create(parent, name, { mode, rdev });
      }),
      symlink: guard(FS, (parent: VolumeNode, name: string, target: string) => {
        return this.#create(parent, name, { mode: S_IFLNK | 0o777, rdev: 0, target });
      }),
      link: guard(FS, (parent: VolumeNode, name: string, oldPath: string, flags: number) => {
        return this.#link(parent, name, oldPath, flags);
      }),
      unlink: guard(FS, (parent: VolumeNode, name: string) => {
        this.#remove("unlink", parent, name);
      }),
      rmdir: guard(FS, (parent: VolumeNode, name: string) => this.#remove("rmdir", parent, name)),
      rename: guard(FS, (node: VolumeNode, newParent: VolumeNode, newName: string) => {
        this.#rename(node, newParent, newName);
      }),
      readdir: guard(FS, (node: VolumeNode) => this.#readdir(node)),
    };
  }
}
