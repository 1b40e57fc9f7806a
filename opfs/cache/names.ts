/**
 * Names that a cache knows: what each leads to, that it leads nowhere, or that all are known; and
 * what directories have listed.
 *
 * Layer: opfs, part of `../cache.ts`. A directory known as a whole answers for names that are not there
 * too. When there are too many names, all are forgotten.
 *
 * @module
 */
import type { DirEntry } from "../../abi/attr.ts";
import { RENAME_EXCHANGE } from "../../abi/flags.ts";
import { invariant } from "../../abi/invariant.ts";
import type { Ino } from "../volume_ops.ts";

interface Directory {
  /** 0 for a name that leads nowhere. */
  names: Map<string, Ino>;
  isWhole: boolean;
  misses: number;
  /** Entries after a cursor; they are never written. */
  listings: Map<number, readonly DirEntry[]>;
}

/** Two names and how one takes the place of the other. */
export interface Move {
  /** Directory of the old name. */
  parent: Ino;
  /** The old name. */
  name: string;
  /** Directory of the new name. */
  newParent: Ino;
  /** The new name. */
  newName: string;
  /** 0, RENAME_NOREPLACE or RENAME_EXCHANGE. */
  flags: number;
}

/** Longest name that surely has at most 255 bytes. */
const SAFE_LENGTH = 85;

/** What a move has done. */
export interface Moved {
  /** Inodes whose attributes have changed; 0 stands for no inode. */
  changed: readonly Ino[];
  /** Who has lost the new name, or 0. */
  lost: Ino;
}

/** Names by directory. */
export class NameCache {
  readonly #directories = new Map<Ino, Directory>();
  readonly #limit: number;
  #count = 0;

  /** Keeps at most `limit` names. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What the name leads to, 0 if nowhere, or undefined if that is not known. */
  get(parent: Ino, name: string): Ino | undefined {
    const directory = this.#directories.get(parent);
    if (directory === undefined) return undefined;
    return directory.names.get(name) ?? (directory.isWhole && isPlain(name) ? 0 : undefined);
  }

  /** The name leads there; 0 is nowhere. */
  set(parent: Ino, name: string, ino: Ino): void {
    invariant(ino >= 0, "R8: a name leads to what is no inode");
    if (this.#count >= this.#limit) this.clear();
    const { names } = this.#directory(parent);
    const before = names.size;
    names.set(name, ino);
    this.#count += names.size - before;
  }

  /** The name leads there from now on: whatever the directory has listed is old. */
  change(parent: Ino, name: string, ino: Ino): void {
    const directory = this.#directory(parent);
    this.#unlist(directory);
    if (ino !== 0 || !directory.isWhole || !isPlain(name)) this.set(parent, name, ino);
    else if (directory.names.delete(name)) this.#count--;
  }

  /** A name has moved. Null if it is not known who had the two, or who has lost one. */
  move({ parent, name, newParent, newName, flags }: Move): Moved | null {
    const moved = this.get(parent, name);
    const replaced = this.get(newParent, newName);
    if (moved === undefined || moved === 0 || replaced === undefined) return null;
    // Two names of one file stay as they are.
    if (moved === replaced) return { changed: [moved], lost: 0 };
    const isExchange = (flags & RENAME_EXCHANGE) !== 0;
    this.change(parent, name, isExchange ? replaced : 0);
    this.change(newParent, newName, moved);
    const changed = [parent, newParent, moved, replaced];
    return { changed, lost: isExchange ? 0 : replaced };
  }

  /** What the directory has listed after a cursor, in an array of the caller's own. */
  listing(parent: Ino, after: number): DirEntry[] | undefined {
    return this.#directories.get(parent)?.listings.get(after)?.slice();
  }

  /** The directory has listed these. */
  keepListing(parent: Ino, after: number, entries: readonly DirEntry[]): void {
    if (entries.length > this.#limit) return;
    if (this.#count + entries.length > this.#limit) this.clear();
    const { listings } = this.#directory(parent);
    this.#count += entries.length - (listings.get(after)?.length ?? 0);
    listings.set(after, entries.slice());
  }

  /** A mode has changed, which any listing may show. */
  forgetListings(): void {
    for (const directory of this.#directories.values()) this.#unlist(directory);
  }

  #unlist({ listings }: Directory): void {
    if (listings.size === 0) return;
    for (const entries of listings.values()) this.#count -= entries.length;
    listings.clear();
  }

  /** Where the name leads is not known any more, nor whether others are missing. */
  forget(parent: Ino, name: string): void {
    const directory = this.#directories.get(parent);
    if (directory === undefined) return;
    if (directory.names.delete(name)) this.#count--;
    directory.isWhole = false;
    this.#unlist(directory);
  }

  /** The directory is gone. */
  forgetDirectory(ino: Ino): void {
    const directory = this.#directories.get(ino);
    if (directory === undefined) return;
    this.#unlist(directory);
    this.#count -= directory.names.size;
    this.#directories.delete(ino);
  }

  /** Counts a name that had to be asked for; returns how many it were. */
  missed(parent: Ino): number {
    return ++this.#directory(parent).misses;
  }

  /** All names of the directory have been set, unless there were too many. */
  setWhole(parent: Ino): void {
    const directory = this.#directories.get(parent);
    if (directory !== undefined && directory.misses > 0) directory.isWhole = true;
  }

  /** Forgets everything. */
  clear(): void {
    this.#directories.clear();
    this.#count = 0;
  }

  #directory(ino: Ino): Directory {
    const known = this.#directories.get(ino);
    if (known !== undefined) return known;
    const made: Directory = { names: new Map(), isWhole: false, misses: 0, listings: new Map() };
    this.#directories.set(ino, made);
    return made;
  }
}

/** A name about which there is nothing to complain; of others the volume itself says what is wrong. */
function isPlain(name: string): boolean {
  if (typeof name !== "string") return false;
  if (name === "" || name === "." || name === ".." || name.length > SAFE_LENGTH) return false;
  return name.isWellFormed() && !name.includes("/") && !name.includes("\0");
}
