/**
 * The sum of a page after some of its cells have changed, without a look at the others.
 *
 * Layer: opfs/volume, under `dirty_sums.ts`. A page is 64 cells of 64 bytes, one slot each. CRC is
 * linear: the sum of a page is the sums of its cells, each moved on by the bytes that follow, XORed.
 * So a cell that changes changes the page's sum by the difference of its own, moved on. The cells of a
 * page are summed and kept when few of them change; a page of which many do is summed as a whole.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import { afterZeros } from "../format/checksum.ts";
import * as L from "../format/layout.ts";
import { pageSum } from "../format/page_sum.ts";

/** Bytes of a cell. */
export const CELL_BYTES: number = L.SLOT_BYTES;
/** Cells of a page. */
export const CELLS_PER_PAGE: number = L.PAGE_BYTES / CELL_BYTES;

/** From so many cells on the whole page costs less. */
const MANY_CELLS = 12;

/** Entries for one number of cells: eight half bytes of a sum, 16 values each. */
const ROW = 8 * 16;
let rows: Int32Array | null = null;

/** A sum moved on by so many cells of zeros. */
export function afterCells(sum: number, cells: number): number {
  const t = rows ??= makeRows();
  const at = cells * ROW;
  return t[at + (sum & 15)]! ^ t[at + 16 + (sum >>> 4 & 15)]! ^
    t[at + 32 + (sum >>> 8 & 15)]! ^ t[at + 48 + (sum >>> 12 & 15)]! ^
    t[at + 64 + (sum >>> 16 & 15)]! ^ t[at + 80 + (sum >>> 20 & 15)]! ^
    t[at + 96 + (sum >>> 24 & 15)]! ^ t[at + 112 + (sum >>> 28)]!;
}

/** What becomes of each half byte of a sum by 0, 1, 2 ... cells of zeros: 32 KiB. */
function makeRows(): Int32Array {
  const made = new Int32Array(CELLS_PER_PAGE * ROW);
  for (let index = 0; index < made.length; index++) {
    const value = index & 15;
    made[index] = index < ROW
      ? value << ((index >> 4) * 4)
      : afterZeros(made[index - ROW]!, CELL_BYTES);
  }
  return made;
}

/** The sums of the cells of touched pages, by the pages' keys. */
export class CellSums {
  readonly #pages = new Map<number, Int32Array>();
  /** Pages that are known from now on, or, null, are not any more. */
  readonly #nextPages = new Map<number, Int32Array | null>();
  /** The page that was looked for last. */
  #key = -1;
  #known: Int32Array | undefined;
  /** What has changed: the page's cells, and in turn which one and its sum. */
  readonly #changed: Int32Array[] = [];
  readonly #changes: number[] = [];

  /** How many pages are known. */
  get pages(): number {
    return this.#pages.size;
  }

  /** Whether `change` can say what becomes of a page of which so many cells have changed. */
  isKnown(key: number, cells: number): boolean {
    return cells < MANY_CELLS && this.#find(key) !== undefined;
  }

  #find(key: number): Int32Array | undefined {
    if (key === this.#key) return this.#known;
    this.#key = key;
    return this.#known = this.#pages.get(key);
  }

  /**
   * The sum of a page that is looked at as a whole; its cells are known from `settle` on if only so
   * few of them have changed that they may be worth it.
   */
  sumPage(key: number, bytes: Uint8Array, cells: number): number {
    if (cells < MANY_CELLS) return this.#sumCells(key, bytes);
    this.#nextPages.set(key, null);
    return pageSum(bytes);
  }

  /** How much a page's sum changes when one of its cells has the sum `now`; counts from `settle` on. */
  change(key: number, cell: number, now: number): number {
    const known = this.#find(key);
    invariant(
      known !== undefined,
      "V16: a cell of page {} has changed, which is not known",
      key,
    );
    this.#changed.push(known);
    this.#changes.push(cell, now | 0);
    return afterCells(now ^ known[cell]!, CELLS_PER_PAGE - 1 - cell);
  }

  #sumCells(key: number, bytes: Uint8Array): number {
    const cells = new Int32Array(CELLS_PER_PAGE);
    let sum = 0;
    for (let cell = 0; cell < CELLS_PER_PAGE; cell++) {
      const from = cell * CELL_BYTES;
      cells[cell] = pageSum(bytes, from, from + CELL_BYTES);
      sum = afterZeros(sum, CELL_BYTES) ^ cells[cell]!;
    }
    this.#nextPages.set(key, cells);
    return sum >>> 0;
  }

  /** What has been said has happened. */
  settle(): void {
    for (const [key, cells] of this.#nextPages) {
      if (cells === null) this.#pages.delete(key);
      else this.#pages.set(key, cells);
      if (key === this.#key) this.#key = -1;
    }
    for (let index = 0; index < this.#changed.length; index++) {
      this.#changed[index]![this.#changes[2 * index]!] = this.#changes[2 * index + 1]!;
    }
    this.forget();
  }

  /** What has been said has not happened. */
  forget(): void {
    if (this.#nextPages.size > 0) this.#nextPages.clear();
    if (this.#changed.length > 0) this.#changed.length = this.#changes.length = 0;
  }
}
