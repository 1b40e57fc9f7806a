/**
 * A tree of files as a copy sees it, wherever it is.
 *
 * Layer: cli, bottom. `host_tree.ts` and `volume_tree.ts` implement it; `copy_tree.ts` copies from any
 * to any. N is how a tree calls what is in it: a path of the host, an inode of a volume.
 *
 * @module
 */
import type { Attr } from "../../mod.ts";

/** What a name leads to; links are not followed. */
export interface Entry<N> {
  /** What the tree calls it. */
  node: N;
  /** Its attributes. */
  attr: Attr;
  /** Two names of one inode have one key. */
  key: string;
}

/** An extended attribute. */
export type Xattr = readonly [name: string, value: Uint8Array];

/** A file that is being read. */
export interface Contents {
  /** The first byte of data at or after `at`; -1 if no data follows. */
  dataAt(at: number): number;
  /** The end of the data that begins at or before `at`; Infinity if that is not known. */
  holeAt(at: number): number;
  /** Bytes read; 0 at the end. */
  read(into: Uint8Array, at: number): number;
  /** Lets it go. */
  close(): void;
}

/** A file that is being made, and has no name until it is whole. */
export interface NewContents<N> {
  /** Writes all of the bytes. */
  write(bytes: Uint8Array, at: number): void;
  /**
   * Copies up to `length` bytes to the same place without handing them over, and returns how many; 0 at
   * the end, -1 if they have to be read and written: another volume has them, or they cannot be read.
   */
  copy?(source: Contents, at: number, length: number): number;
  /** Makes it that long. */
  resize(sizeBytes: number): void;
  /** Gives it attributes and name; what has the name is replaced in one step. */
  keep(attr: Attr, xattrs: readonly Xattr[]): Kept<N>;
  /** Takes it away, unless it has been kept, and lets it go. */
  close(): void;
}

/** A file that has got its name. */
export interface Kept<N> {
  /** What the tree calls it. */
  node: N;
  /** What it could not be given, in words. */
  lacks: string[];
}

/** A tree that is read. */
export interface SourceTree<N> {
  /** What a name leads to; null if there is no such name. */
  look(directory: N, name: string): Entry<N> | null;
  /** The names in a directory, sorted. */
  names(directory: N): string[];
  /** What a symbolic link points to. */
  readlink(node: N): string;
  /** All extended attributes. */
  xattrs(node: N): Xattr[];
  /** Opens a file to read it. */
  open(entry: Entry<N>): Contents;
}

/** A tree that is written, too. */
export interface Tree<N> extends SourceTree<N> {
  /** Begins a file that will have this name. */
  begin(directory: N, name: string): NewContents<N>;
  /** Makes a directory that can be filled; `applyAttributes` gives it what is missing. */
  makeDirectory(directory: N, name: string, attr: Attr): N;
  /** Makes a symbolic link. */
  makeLink(directory: N, name: string, target: string): N;
  /** Makes a FIFO, a socket or a device. */
  makeSpecial(directory: N, name: string, attr: Attr): N;
  /** Gives an inode one more name. */
  link(node: N, directory: N, name: string): N;
  /** Renames within a directory, replacing what has the new name. */
  rename(directory: N, from: string, to: string): N;
  /** Removes a name that is not a directory's. */
  remove(directory: N, name: string): void;
  /** Gives mode, owner, times and extended attributes; says what it could not give. */
  applyAttributes(node: N, attr: Attr, xattrs: readonly Xattr[]): string[];
}
