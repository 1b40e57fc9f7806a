/**
 * Which pages of a table differ from what the device has in their place.
 *
 * Layer: opfs/volume, under `tables.ts` and `bitmap.ts`; `home.ts` writes the pages.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";

/** Which pages of a table differ from their home. */
export class PageSet {
  #marks = new Uint8Array(0);
  #count = 0;

  /** How many are marked. */
  get count(): number {
    return this.#count;
  }

  /** Makes room for `pages` of them. */
  resize(pages: number): void {
    if (pages <= this.#marks.length) return;
    const grown = new Uint8Array(pages);
    grown.set(this.#marks);
    this.#marks = grown;
  }

  /** Marks one. */
  add(page: number): void {
    const isThere = page >= 0 && page < this.#marks.length;
    invariant(isThere, "V11: a page of a table that ends before it");
    if (this.#marks[page] !== 0) return;
    this.#marks[page] = 1;
    this.#count++;
  }

  /** Forgets one that is marked. */
  remove(page: number): void {
    invariant(this.#marks[page] === 1, "V11: page {} is not marked", page);
    this.#marks[page] = 0;
    this.#count--;
  }

  /** Forgets all. */
  clear(): void {
    this.#marks.fill(0);
    this.#count = 0;
  }

  /** Marked pages in order. */
  toArray(): number[] {
    const pages: number[] = [];
    if (this.#count === 0) return pages;
    for (let page = this.#marks.indexOf(1); page >= 0; page = this.#marks.indexOf(1, page + 1)) {
      pages.push(page);
    }
    return pages;
  }
}
