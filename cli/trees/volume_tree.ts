/**
 * A volume as a tree to copy from and to.
 *
 * Layer: cli, over any `VolumeOps`. A node is an inode, so no path is walked twice and no depth is too
 * great. A new file has no name until it is whole: after a crash it is there, or has never been.
 *
 * @module
 */
import {
  type Attr,
  type ErrnoCode,
  type Ino,
  isErrnoError,
  PERMISSION_BITS,
  S_IFREG,
  SEEK_DATA,
  SEEK_HOLE,
  type VolumeOps,
} from "../../mod.ts";
import { ACL_LOST, isAcl, withoutAcl } from "./acl.ts";
import { freeName } from "../shared/place.ts";
import type { Contents, Entry, Kept, NewContents, Tree, Xattr } from "./tree_ops.ts";
import { messageOf } from "../shared/verb.ts";

/** What is said of an attribute that is too much for a volume, and not of the volume. */
const TOO_MUCH: readonly ErrnoCode[] = ["E2BIG", "ERANGE", "EILSEQ", "EINVAL"];

/** A volume's files. */
export class VolumeTree implements Tree<Ino> {
  readonly #volume: VolumeOps;

  /** The tree of a volume. */
  constructor(volume: VolumeOps) {
    this.#volume = volume;
  }

  /** What an inode is. */
  at(node: Ino): Entry<Ino> {
    return { node, attr: this.#volume.getattr(node), key: String(node) };
  }

  look(directory: Ino, name: string): Entry<Ino> | null {
    const node = this.#volume.lookup(directory, name);
    return node === 0 ? null : this.at(node);
  }

  names(directory: Ino): string[] {
    const names: string[] = [];
    for (let after = 0;;) {
      const entries = this.#volume.readdir(directory, after);
      if (entries.length === 0) break;
      for (const entry of entries) names.push(entry.name);
      after = entries.at(-1)!.cursor;
    }
    return names.sort((one, other) => one < other ? -1 : 1);
  }

  readlink(node: Ino): string {
    return this.#volume.readlink(node);
  }

  xattrs(node: Ino): Xattr[] {
    const found: Xattr[] = [];
    for (const name of this.#volume.listxattr(node)) {
      const value = this.#volume.getxattr(node, name);
      if (value !== null) found.push([name, value]);
    }
    return found;
  }

  open({ node }: Entry<Ino>): Contents {
    return new VolumeContents(this.#volume, node);
  }

  begin(directory: Ino, name: string): NewContents<Ino> {
    const volume = this.#volume;
    const node = volume.tmpfile(directory, { mode: S_IFREG | 0o600, uid: 0, gid: 0 });
    return {
      write: (bytes, at) => this.#write(node, bytes, at),
      copy: (source, at, length) => copyWithin(volume, source, { target: node, at, length }),
      resize: (size) => volume.setattr(node, { size }),
      keep: (attr, xattrs): Kept<Ino> => {
        const lacks = this.applyAttributes(node, attr, xattrs);
        this.#name(node, directory, name);
        return { node, lacks };
      },
      close: () => volume.release(node),
    };
  }

  makeDirectory(directory: Ino, name: string, { mode, uid, gid }: Attr): Ino {
    return this.#volume.create(directory, name, { mode, uid, gid });
  }

  makeLink(directory: Ino, name: string, target: string): Ino {
    return this.#volume.create(directory, name, { mode: 0o120777, uid: 0, gid: 0, target });
  }

  makeSpecial(directory: Ino, name: string, { mode, uid, gid, rdev }: Attr): Ino {
    return this.#volume.create(directory, name, { mode, uid, gid, rdev });
  }

  link(node: Ino, directory: Ino, name: string): Ino {
    this.#volume.link(node, directory, name);
    return node;
  }

  rename(directory: Ino, from: string, to: string): Ino {
    const node = this.#volume.lookup(directory, from);
    this.#volume.rename(directory, from, directory, to, 0);
    return node;
  }

  remove(directory: Ino, name: string): void {
    this.#volume.unlink(directory, name);
  }

  applyAttributes(node: Ino, attr: Attr, xattrs: readonly Xattr[]): string[] {
    const lacks: string[] = xattrs.some(([name]) => isAcl(name)) ? [ACL_LOST] : [];
    const kept = new Map(xattrs);
    const mode = withoutAcl(attr.mode, kept);
    for (const [name, value] of kept) {
      const lack = this.#giveXattr(node, name, value);
      if (lack !== null) lacks.push(lack);
    }
    const { uid, gid, atime, mtime } = attr;
    this.#volume.setattr(node, { mode: mode & PERMISSION_BITS, uid, gid, atime, mtime });
    return lacks;
  }

  /** Why a volume cannot hold this attribute; null: it does. */
  #giveXattr(node: Ino, name: string, value: Uint8Array): string | null {
    try {
      this.#volume.setxattr(node, name, value, 0);
      return null;
    } catch (error) {
      const isOwnFault = isErrnoError(error) && TOO_MUCH.includes(error.code);
      if (!isOwnFault) throw error;
      return messageOf(error);
    }
  }

  #write(node: Ino, bytes: Uint8Array, at: number): void {
    for (let done = 0; done < bytes.length;) {
      done += this.#volume.write(node, bytes.subarray(done), at + done);
    }
  }

  /** Its first name: the wanted one, or one that then replaces what has it. */
  #name(node: Ino, directory: Ino, name: string): void {
    if (this.#volume.lookup(directory, name) === 0) {
      this.#volume.link(node, directory, name);
      return;
    }
    const temporary = freeName((free) => this.#volume.lookup(directory, free) !== 0);
    this.#volume.link(node, directory, temporary);
    try {
      this.#volume.rename(directory, temporary, directory, name, 0);
    } catch (error) {
      this.#volume.unlink(directory, temporary);
      throw error;
    }
  }
}

/** A file of a volume that is being read. */
class VolumeContents implements Contents {
  readonly volume: VolumeOps;
  readonly node: Ino;

  constructor(volume: VolumeOps, node: Ino) {
    volume.retain(node);
    this.volume = volume;
    this.node = node;
  }

  dataAt(at: number): number {
    return dataAt(this.volume, this.node, at);
  }

  holeAt(at: number): number {
    return this.volume.seek(this.node, at, SEEK_HOLE);
  }

  read(into: Uint8Array, at: number): number {
    return this.volume.read(this.node, into, at);
  }

  close(): void {
    this.volume.release(this.node);
  }
}

/** Bytes that stay in the volume. Which side of a copy has failed, reading and writing will say. */
function copyWithin(
  volume: VolumeOps,
  source: Contents,
  { target, at, length }: { target: Ino; at: number; length: number },
): number {
  if (!(source instanceof VolumeContents) || source.volume !== volume) return -1;
  try {
    return volume.copyRange(source.node, at, target, at, length);
  } catch (error) {
    if (isErrnoError(error) && error.code === "EIO") return -1;
    throw error;
  }
}

function dataAt(volume: VolumeOps, node: Ino, at: number): number {
  try {
    return volume.seek(node, at, SEEK_DATA);
  } catch (error) {
    if (isErrnoError(error) && error.code === "ENXIO") return -1;
    throw error;
  }
}
