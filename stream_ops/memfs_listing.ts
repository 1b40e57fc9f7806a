/**
 * MEMFS: a directory that is listed in pieces. It keeps the names in the order of their cursors, so that
 * a piece costs what it gives, also while names come and go between the pieces.
 *
 * Layer: stream_ops, below `memfs_inode.ts`. A directory has one from its first listing in pieces on and
 * adds new names to it. It gets no notice of names that go: it finds that out where it passes.
 *
 * @module
 */

/** What a listing must know of a name. */
export interface Listed {
  /** The name. */
  readonly name: string;
  /** Its place; later names have higher ones. */
  readonly cursor: number;
}

/** With so many places more than twice the names, those of gone names are thrown out. */
const SPARE = 64;

/** Names in the order of their cursors. */
export class MemfsListing<E extends Listed> {
  /** The directory's own names, in the same order. */
  readonly #entries: ReadonlyMap<string, E>;
  #places: Listed[];
  /** Before it all are gone. */
  #first = 0;

  /** Of a directory's names as they are; `add` adds more. */
  constructor(entries: ReadonlyMap<string, E>) {
    this.#entries = entries;
    this.#places = [...entries.values()];
  }

  /** Takes a new name, whose cursor is higher than all. */
  add(place: Listed): void {
    this.#places.push(place);
  }

  /** At most so many of the names whose cursors are higher, as they are now. */
  after(cursor: number, most: number): E[] {
    if (this.#places.length > 2 * this.#entries.size + SPARE) this.#compact();
    while (this.#first < this.#places.length && this.#entryAt(this.#first) === null) this.#first++;
    const found: E[] = [];
    for (let at = this.#indexAfter(cursor); at < this.#places.length && found.length < most; at++) {
      const entry = this.#entryAt(at);
      if (entry !== null) found.push(entry);
    }
    return found;
  }

  /** What stands at a place now, null if its name is gone or has come again elsewhere. */
  #entryAt(index: number): E | null {
    const { name, cursor } = this.#places[index]!;
    const entry = this.#entries.get(name);
    return entry?.cursor === cursor ? entry : null;
  }

  #indexAfter(cursor: number): number {
    let [low, high] = [this.#first, this.#places.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#places[middle]!.cursor <= cursor) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #compact(): void {
    this.#places = [...this.#entries.values()];
    this.#first = 0;
  }
}
