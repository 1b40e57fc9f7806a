/**
 * Cursors for the names of a directory whose backend knows none, so that a listing goes on where it was
 * although names come and go, and a piece of it costs what it gives.
 *
 * Layer: abi (imports nothing). PROXYFS has one for each directory, and so has each directory of a type
 * that Emscripten's interface brings. The names are asked for at the start of a listing and at its end;
 * between them the listing goes through what it got.
 *
 * @module
 */

/** A name and its place. */
export interface CursorPlace {
  /** The name. */
  readonly name: string;
  /** Its place: above 0, and higher than those of the names before it. */
  readonly cursor: number;
}

/** The names of one directory. */
export class CursorListing {
  readonly #cursors = new Map<string, number>();
  #places: CursorPlace[] = [];
  #last = 0;
  #isAsked = false;

  /**
   * Entries after a cursor, at most so many. `names` is asked when a listing begins or has come to its
   * end; `entryOf` makes the entry, or null if the name is gone.
   */
  read<E>(
    { after, most, names }: { after: number; most: number; names: () => readonly string[] },
    entryOf: (place: CursorPlace) => E | null,
  ): E[] {
    const isNew = after <= 0 || !this.#isAsked;
    if (isNew) this.#renew(names());
    const found = this.#collect(after, most, entryOf);
    if (found.length > 0 || isNew) return found;
    this.#renew(names());
    return this.#collect(after, most, entryOf);
  }

  #collect<E>(after: number, most: number, entryOf: (place: CursorPlace) => E | null): E[] {
    const found: E[] = [];
    const places = this.#places;
    for (let at = indexAfter(places, after); at < places.length && found.length < most; at++) {
      const entry = entryOf(places[at]!);
      if (entry !== null) found.push(entry);
    }
    return found;
  }

  /** A name keeps its cursor as long as it is seen each time; what is new comes last. */
  #renew(names: readonly string[]): void {
    const present = new Set(names);
    for (const name of this.#cursors.keys()) {
      if (!present.has(name)) this.#cursors.delete(name);
    }
    for (const name of names) {
      if (name !== "." && name !== ".." && !this.#cursors.has(name)) {
        this.#cursors.set(name, ++this.#last);
      }
    }
    this.#places = Array.from(this.#cursors, ([name, cursor]) => ({ name, cursor }));
    this.#isAsked = true;
  }
}

/** The first place after a cursor. */
function indexAfter(places: readonly CursorPlace[], cursor: number): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (places[middle]!.cursor <= cursor) low = middle + 1;
    else high = middle;
  }
  return low;
}
