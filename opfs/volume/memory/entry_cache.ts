/**
 * What `readdir` has answered, for as long as it is true: decoding a thousand names takes thirty
 * times as long as handing them out again.
 *
 * Layer: opfs/volume, under `path_table.ts`, which forgets a directory whose names change. Bounded:
 * with too many entries everything is forgotten. Each caller gets an array of its own; the entries
 * are shared, and they are never written.
 *
 * @module
 */
import type { DirEntry } from "../../../abi/attr.ts";
import { invariant } from "../../../abi/invariant.ts";

/** Entries that are kept at most: with names of common length, some 2 MB. */
const ENTRIES_MAX = 16_384;

/** Answers of `readdir` by directory and cursor. */
export class EntryCache {
  readonly #answers = new Map<number, Map<number, readonly DirEntry[]>>();
  #count = 0;

  /** How many entries it keeps. */
  get count(): number {
    return this.#count;
  }

  /** The entries of a directory after a cursor, or null. */
  find(directory: number, after: number): DirEntry[] | null {
    return this.#answers.get(directory)?.get(after)?.slice() ?? null;
  }

  /** Keeps an answer; the array is the caller's. */
  keep(directory: number, after: number, entries: readonly DirEntry[]): void {
    if (entries.length > ENTRIES_MAX) return;
    if (this.#count + entries.length > ENTRIES_MAX) this.clear();
    let answers = this.#answers.get(directory);
    if (answers === undefined) this.#answers.set(directory, answers = new Map());
    invariant(!answers.has(after), "V5: a directory is listed twice and has not changed");
    answers.set(after, entries.slice());
    this.#count += entries.length;
  }

  /** Names of the directory have changed. */
  forget(directory: number): void {
    if (this.#answers.size === 0) return;
    const answers = this.#answers.get(directory);
    if (answers === undefined) return;
    for (const entries of answers.values()) this.#count -= entries.length;
    this.#answers.delete(directory);
  }

  /** Something has changed that entries of any directory show. */
  clear(): void {
    if (this.#answers.size === 0) return;
    this.#answers.clear();
    this.#count = 0;
  }
}
