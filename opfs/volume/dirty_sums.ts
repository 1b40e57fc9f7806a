/**
 * The pages that the next record touches, and the sums that it will say of them.
 *
 * Layer: opfs/volume, under `tables.ts`. The sums count from the moment when the record has happened:
 * one that is refused, or taken back, has changed none.
 *
 * @module
 */
import { invariant } from "../../abi/invariant.ts";
import * as L from "./layout.ts";
import { keyOf, type PageSums, placeOfKey, type SummedTable } from "./page_sums.ts";

const SLOTS_PER_PAGE = L.PAGE_BYTES / L.SLOT_BYTES;

/** The dirty pages of one volume; there are none where there are no sums. */
export class DirtySums {
  readonly #sums: PageSums | null;
  readonly #keys = new Set<number>();
  readonly #next = new Map<number, number>();

  /** Nothing is dirty. */
  constructor(sums: PageSums | null) {
    this.#sums = sums;
  }

  /** What the sums take of the next record. */
  get bytes(): number {
    return this.#keys.size * L.RECORD_SUM_BYTES;
  }

  /** The next record has a slot. */
  soilSlot(slot: number): void {
    if (this.#sums !== null) this.#keys.add(keyOf("slots", Math.floor(slot / SLOTS_PER_PAGE)));
  }

  /** The next record has a piece of names. */
  soilNames(offset: number, lengthBytes: number): void {
    if (this.#sums === null) return;
    const last = Math.floor((offset + lengthBytes - 1) / L.PAGE_BYTES);
    for (let page = Math.floor(offset / L.PAGE_BYTES); page <= last; page++) {
      this.#keys.add(keyOf("names", page));
    }
  }

  /** Calls `add` with the key and the sum of each page that is dirty, as `sumOf` says it. */
  say(
    sumOf: (table: SummedTable, page: number) => number,
    add: (key: number, sum: number) => void,
  ): void {
    this.#next.clear();
    for (const key of this.#keys) {
      const { table, page } = placeOfKey(key)!;
      const sum = sumOf(table, page);
      this.#next.set(key, sum);
      add(key, sum);
    }
  }

  /** The record has happened. */
  settle(): void {
    const isSaid = this.#next.size === this.#keys.size;
    invariant(isSaid, `V16: a record says ${this.#next.size} sums of ${this.#keys.size} pages`);
    for (const [key, sum] of this.#next) this.#sums!.setByKey(key, sum);
    this.clear();
  }

  /** Nothing is dirty any more. */
  clear(): void {
    this.#keys.clear();
    this.#next.clear();
  }
}
