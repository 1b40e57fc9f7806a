/**
 * Names that a cache knows: what each leads to, that it leads nowhere, or that all are known.
 *
 * Layer: opfs, part of `../cache.ts`. A directory known as a whole answers for names that are not there
 * too. When there are too many names, all are forgotten.
 *
 * @module
 */
import type { Ino } from "../volume_ops.ts";

interface Directory {
  /** 0 for a name that leads nowhere. */
  names: Map<string, Ino>;
  isWhole: boolean;
  misses: number;
}

/** Longest name that surely has at most 255 bytes. */
const SAFE_LENGTH = 85;

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
    if (this.#count >= this.#limit) this.clear();
    const { names } = this.#directory(parent);
    const before = names.size;
    names.set(name, ino);
    this.#count += names.size - before;
  }

  /** Where the name leads is not known any more, nor whether others are missing. */
  forget(parent: Ino, name: string): void {
    const directory = this.#directories.get(parent);
    if (directory === undefined) return;
    if (directory.names.delete(name)) this.#count--;
    directory.isWhole = false;
  }

  /** The directory is gone. */
  forgetDirectory(ino: Ino): void {
    this.#count -= this.#directories.get(ino)?.names.size ?? 0;
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
    const made = { names: new Map<string, Ino>(), isWhole: false, misses: 0 };
    this.#directories.set(ino, made);
    return made;
  }
}

/** A name about which there is nothing to complain; of others the volume itself says what is wrong. */
function isPlain(name: string): boolean {
  if (name === "" || name === "." || name === ".." || name.length > SAFE_LENGTH) return false;
  return name.isWellFormed() && !name.includes("/") && !name.includes("\0");
}
