/**
 * The sum of a page after some of its cells have changed, without a look at the others.
 *
 * Layer: opfs/volume, under `dirty_sums.ts`. A page is 64 cells of 64 bytes, one slot each. CRC is
 * linear: the sum of a page is the sums of its cells, each moved on by the bytes that follow, XORed.
 * So a cell that changes changes the page's sum by the difference of its own, moved on. The cells of a
 * page are summed and kept when few of them change; a page of which many do is summed as a whole.
 *
 * This is done in each durable call: sums are signed numbers in arrays of such, and nothing is
 * allocated but for pages that are met for the first time.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import { afterZeros, isZero, register } from "../format/checksum.ts";
import * as L from "../format/layout.ts";

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

/** The sum of the cell that begins at byte `at`, signed. */
export function cellSum(view: DataView, at: number): number {
  return register(view, at, at + CELL_BYTES, 0);
}

/** The sums of the cells of those pages of a table that are known. */
export class CellSums {
  /** For each page where the sums of its cells begin in `#sums`, plus 1; 0 for one that is not known. */
  #places = new Int32Array(0);
  #sums = new Int32Array(4 * CELLS_PER_PAGE);
  /** How much of `#sums` is handed out, and what of that was given back. */
  #end = 0;
  readonly #free: number[] = [];
  /** What counts from `settle` on: where in `#sums` a sum stands, and the sum, in turn. */
  #changes = new Int32Array(32);
  #changesEnd = 0;
  /** And which pages are known from then on where, or, 0, are not any more, in turn. */
  readonly #learned: number[] = [];
  #pages = 0;

  /** How many pages are known. */
  get pages(): number {
    return this.#pages;
  }

  /** For how many pages there has been memory. */
  get places(): number {
    return this.#end / CELLS_PER_PAGE;
  }

  /** Makes room for so many pages. */
  resize(pages: number): void {
    if (pages > this.#places.length) this.#places = longer(this.#places, pages);
  }

  /** Whether `change` can say what becomes of a page of which so many cells have changed. */
  isKnown(page: number, cells: number): boolean {
    return cells < MANY_CELLS && this.#places[page] !== 0;
  }

  /**
   * The sum, signed, of the page that begins at byte `at`, looked at as a whole; its cells are known from
   * `settle` on if only so few of them have changed that they may be worth it.
   */
  sumPage(page: number, view: DataView, at: number, cells: number): number {
    invariant(
      page < this.#places.length,
      "V16: page {} of {} is summed",
      page,
      this.#places.length,
    );
    if (cells < MANY_CELLS) return this.#sumCells(page, view, at);
    this.#learned.push(page, 0);
    return register(view, at, at + L.PAGE_BYTES, 0);
  }

  /** How much a page's sum changes when one of its cells has the sum `now`; counts from `settle` on. */
  change(page: number, cell: number, now: number): number {
    const place = this.#places[page]!;
    invariant(place > 0, "V16: a cell of page {} has changed, which is not known", page);
    const at = place - 1 + cell;
    if (this.#changesEnd === this.#changes.length) {
      this.#changes = longer(this.#changes, this.#changesEnd * 2);
    }
    this.#changes[this.#changesEnd++] = at;
    this.#changes[this.#changesEnd++] = now;
    return afterCells(now ^ this.#sums[at]!, CELLS_PER_PAGE - 1 - cell);
  }

  #sumCells(page: number, view: DataView, from: number): number {
    const place = this.#takePlace();
    let sum = 0;
    for (let cell = 0; cell < CELLS_PER_PAGE; cell++) {
      const at = from + cell * CELL_BYTES;
      const own = isZero(view, at, at + CELL_BYTES) ? 0 : cellSum(view, at);
      this.#sums[place + cell] = own;
      if (own !== 0) sum ^= afterCells(own, CELLS_PER_PAGE - 1 - cell);
    }
    this.#learned.push(page, place + 1);
    return sum;
  }

  #takePlace(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#end === this.#sums.length) this.#sums = longer(this.#sums, this.#end * 2);
    this.#end += CELLS_PER_PAGE;
    return this.#end - CELLS_PER_PAGE;
  }

  /** What has been said has happened. */
  settle(): void {
    for (let index = 0; index < this.#changesEnd; index += 2) {
      this.#sums[this.#changes[index]!] = this.#changes[index + 1]!;
    }
    this.#changesEnd = 0;
    const learned = this.#learned;
    if (learned.length === 0) return;
    for (let index = 0; index < learned.length; index += 2) {
      this.#put(learned[index]!, learned[index + 1]!);
    }
    learned.length = 0;
  }

  #put(page: number, place: number): void {
    const before = this.#places[page]!;
    if (before !== 0) this.#free.push(before - 1);
    this.#pages += Number(place !== 0) - Number(before !== 0);
    this.#places[page] = place;
  }

  /** What has been said has not happened. */
  forget(): void {
    this.#changesEnd = 0;
    const learned = this.#learned;
    if (learned.length === 0) return;
    for (let index = 1; index < learned.length; index += 2) {
      if (learned[index]! !== 0) this.#free.push(learned[index]! - 1);
    }
    learned.length = 0;
  }
}

function longer(numbers: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const made = new Int32Array(length);
  made.set(numbers);
  return made;
}
