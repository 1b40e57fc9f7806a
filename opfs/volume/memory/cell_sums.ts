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
import * as L from "../format/layout.ts";
import { pageSum } from "../format/page_sum.ts";

/** Bytes of a cell. */
export const CELL_BYTES: number = L.SLOT_BYTES;
/** Cells of a page. */
export const CELLS_PER_PAGE: number = L.PAGE_BYTES / CELL_BYTES;

/** From so many cells on the whole page costs less. */
const MANY_CELLS = 12;
const POLYNOMIAL = 0xedb88320;
/** Entries of one operator: four bytes of a sum, 256 values each. */
const OPERATOR = 4 * 256;

let operators: Uint32Array | null = null;

/** A sum moved on by so many cells of zeros. */
export function movedOn(sum: number, cells: number): number {
  operators ??= makeOperators();
  const at = cells * OPERATOR;
  const t = operators;
  return (t[at + (sum & 0xff)]! ^ t[at + 256 + (sum >>> 8 & 0xff)]! ^
    t[at + 512 + (sum >>> 16 & 0xff)]! ^ t[at + 768 + (sum >>> 24)]!) >>> 0;
}

/** For each number of cells what becomes of each value of each byte. */
function makeOperators(): Uint32Array {
  const made = new Uint32Array(CELLS_PER_PAGE * OPERATOR);
  const columns = Uint32Array.from({ length: 32 }, (_, bit) => 2 ** bit);
  for (let cells = 0; cells < CELLS_PER_PAGE; cells++) {
    fillOperator(made.subarray(cells * OPERATOR, (cells + 1) * OPERATOR), columns);
    for (let bit = 0; bit < 32; bit++) columns[bit] = afterZeros(columns[bit]!, CELL_BYTES * 8);
  }
  return made;
}

function fillOperator(operator: Uint32Array, columns: Uint32Array): void {
  for (let index = 0; index < OPERATOR; index++) {
    const value = index & 0xff;
    const low = value & -value;
    if (value === 0) continue;
    const bit = (index >> 8) * 8 + 31 - Math.clz32(low);
    operator[index] = operator[index - low]! ^ columns[bit]!;
  }
}

function afterZeros(register: number, bits: number): number {
  let moved = register;
  for (let bit = 0; bit < bits; bit++) {
    moved = moved & 1 ? moved >>> 1 ^ POLYNOMIAL : moved >>> 1;
  }
  return moved >>> 0;
}

/** The sums of the cells of touched pages, by the pages' keys. */
export class CellSums {
  readonly #pages = new Map<number, Uint32Array>();
  /** Pages that are known from now on, or, null, are not any more. */
  readonly #nextPages = new Map<number, Uint32Array | null>();
  /** Page, cell and sum, for pages that are known. */
  readonly #changes: number[] = [];

  /** How many pages are known. */
  get pages(): number {
    return this.#pages.size;
  }

  /** Whether `change` can say what becomes of a page of which so many cells have changed. */
  isKnown(key: number, cells: number): boolean {
    return cells < MANY_CELLS && this.#pages.has(key);
  }

  /**
   * The sum of a page that is looked at as a whole; its cells are known from `settle` on if only so
   * few of them have changed that they may be worth it.
   */
  meet(key: number, bytes: Uint8Array, cells: number): number {
    if (cells < MANY_CELLS) return this.#meet(key, bytes);
    this.#nextPages.set(key, null);
    return pageSum(bytes);
  }

  /** How much a page's sum changes when one of its cells has the sum `now`; counts from `settle` on. */
  change(key: number, cell: number, now: number): number {
    const known = this.#pages.get(key);
    invariant(known !== undefined, "V16: a cell of page {} has changed, which is not known", key);
    this.#changes.push(key, cell, now);
    return movedOn(now ^ known[cell]!, CELLS_PER_PAGE - 1 - cell);
  }

  #meet(key: number, bytes: Uint8Array): number {
    const cells = new Uint32Array(CELLS_PER_PAGE);
    let sum = 0;
    for (let cell = 0; cell < CELLS_PER_PAGE; cell++) {
      const from = cell * CELL_BYTES;
      cells[cell] = pageSum(bytes, from, from + CELL_BYTES);
      sum ^= movedOn(cells[cell]!, CELLS_PER_PAGE - 1 - cell);
    }
    this.#nextPages.set(key, cells);
    return sum >>> 0;
  }

  /** What has been said has happened. */
  settle(): void {
    for (const [key, cells] of this.#nextPages) {
      if (cells === null) this.#pages.delete(key);
      else this.#pages.set(key, cells);
    }
    for (let index = 0; index < this.#changes.length; index += 3) {
      const cells = this.#pages.get(this.#changes[index]!)!;
      cells[this.#changes[index + 1]!] = this.#changes[index + 2]!;
    }
    this.forget();
  }

  /** What has been said has not happened. */
  forget(): void {
    if (this.#nextPages.size > 0) this.#nextPages.clear();
    if (this.#changes.length > 0) this.#changes.length = 0;
  }
}
