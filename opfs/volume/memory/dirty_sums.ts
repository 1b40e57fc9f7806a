/**
 * The pages that the next record touches, and the sums that it will say of them.
 *
 * Layer: opfs/volume, under `tables.ts`. The sums count from the moment when the record has happened:
 * one that is refused, or taken back, has changed none.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import { CELL_BYTES, CELLS_PER_PAGE, CellSums } from "./cell_sums.ts";
import * as L from "../format/layout.ts";
import { PageSet } from "../format/page_set.ts";
import { pageSum } from "../format/page_sum.ts";
import { keyOf, type PageSums, placeOfKey } from "./page_sums.ts";

/** Slots and names, as far as their sums need them. */
export interface ShownTables {
  /** All slots. */
  readonly slots: Uint8Array;
  /** All names. */
  readonly names: Uint8Array;
  /** Slots that the next record has, in order. */
  readonly dirtySlots: readonly number[];
  /** Whether the image shows a slot as it is in memory. */
  isSlotCurrent(slot: number): boolean;
  /** Copies slots as the image shows them. */
  copySlots(first: number, count: number, into: Uint8Array, at: number): void;
}

const CELL_MASK = CELLS_PER_PAGE - 1;
/** A page of slots as the image shows it, while its sum is taken. */
const pageBytes = new Uint8Array(L.PAGE_BYTES);

/** The dirty pages of one volume; without sums it has no pages. */
export class DirtySums {
  readonly #sums: PageSums | null;
  readonly #pages = { slots: new PageSet(), names: new PageSet() };
  readonly #cells = new CellSums();
  /** The key and the sum of each page, in turn. */
  readonly #next: number[] = [];
  /** The dirty cells of the page of names that is being summed. */
  readonly #dirtyCells: number[] = [];

  /** Nothing is dirty. */
  constructor(sums: PageSums | null) {
    this.#sums = sums;
    this.grow();
  }

  /** The tables have grown. */
  grow(): void {
    this.#pages.slots.resize(this.#sums?.slots.length ?? 0);
    this.#pages.names.resize(this.#sums?.names.length ?? 0);
  }

  /** What the sums take of the next record. */
  get bytes(): number {
    return (this.#pages.slots.count + this.#pages.names.count) * L.RECORD_SUM_BYTES;
  }

  /** The next record has a slot. */
  markSlot(slot: number): void {
    if (this.#sums !== null) this.#pages.slots.add(Math.floor(slot / CELLS_PER_PAGE));
  }

  /** The next record has a piece of names. */
  markNames(offset: number, lengthBytes: number): void {
    if (this.#sums === null) return;
    const last = Math.floor((offset + lengthBytes - 1) / L.PAGE_BYTES);
    for (let page = Math.floor(offset / L.PAGE_BYTES); page <= last; page++) {
      this.#pages.names.add(page);
    }
  }

  /** After something has been taken back: what is still dirty; names are offset, length, ... */
  markOnly(slots: readonly number[], names: readonly number[]): void {
    this.clear();
    for (const slot of slots) this.markSlot(slot);
    for (let index = 0; index < names.length; index += 2) {
      this.markNames(names[index]!, names[index + 1]!);
    }
  }

  /**
   * Calls `add` with the key and the sum of each page that is dirty, as the image shows it; pieces of
   * names are in order, from and to.
   */
  each(
    tables: ShownTables,
    nameRuns: readonly (readonly [number, number])[],
    add: (key: number, sum: number) => void,
  ): void {
    this.#forgetNext();
    if (this.#sums === null) return;
    this.#eachSlotPage(tables, this.#sums.slots);
    this.#eachNamePage(tables.names, this.#sums.names, nameRuns);
    const next = this.#next;
    for (let index = 0; index < next.length; index += 2) add(next[index]!, next[index + 1]!);
  }

  #eachSlotPage(tables: ShownTables, sums: Uint32Array): void {
    const dirty = tables.dirtySlots;
    for (let index = 0; index < dirty.length;) {
      const page = pageOf(dirty[index]!);
      const from = index;
      while (index < dirty.length && pageOf(dirty[index]!) === page) index++;
      const key = keyOf("slots", page);
      let sum = sums[page]!;
      if (this.#cells.isKnown(key, index - from)) {
        for (let at = from; at < index; at++) {
          const slot = dirty[at]!;
          sum ^= this.#cells.change(key, slot & CELL_MASK, sumOfSlot(tables, slot));
        }
      } else {
        tables.copySlots(page * CELLS_PER_PAGE, CELLS_PER_PAGE, pageBytes, 0);
        sum = this.#cells.sumPage(key, pageBytes, index - from);
      }
      this.#next.push(key, sum >>> 0);
    }
  }

  #eachNamePage(
    names: Uint8Array,
    sums: Uint32Array,
    runs: readonly (readonly [number, number])[],
  ): void {
    const cells = this.#dirtyCells;
    let done = -1;
    for (const [from, to] of runs) {
      const last = cellOf(to - 1);
      for (let cell = Math.max(done + 1, cellOf(from)); cell <= last; cell++) {
        if (cells.length > 0 && pageOf(cells[0]!) !== pageOf(cell)) this.#addNamePage(names, sums);
        cells.push(cell);
      }
      done = Math.max(done, last);
    }
    if (cells.length > 0) this.#addNamePage(names, sums);
  }

  /** The page of names that the dirty cells are in. */
  #addNamePage(names: Uint8Array, sums: Uint32Array): void {
    const cells = this.#dirtyCells;
    const page = pageOf(cells[0]!);
    const key = keyOf("names", page);
    let sum = sums[page]!;
    if (this.#cells.isKnown(key, cells.length)) {
      for (let index = 0; index < cells.length; index++) {
        const cell = cells[index]!;
        const now = pageSum(names, cell * CELL_BYTES, (cell + 1) * CELL_BYTES);
        sum ^= this.#cells.change(key, cell & CELL_MASK, now);
      }
    } else {
      const from = page * L.PAGE_BYTES;
      sum = this.#cells.sumPage(key, names.subarray(from, from + L.PAGE_BYTES), cells.length);
    }
    this.#next.push(key, sum >>> 0);
    cells.length = 0;
  }

  /** The record has happened. */
  settle(): void {
    const pages = this.#pages.slots.count + this.#pages.names.count;
    const said = this.#next.length / 2;
    invariant(said === pages, "V16: a record says {} sums of {} pages", said, pages);
    for (let index = 0; index < this.#next.length; index += 2) {
      const key = this.#next[index]!;
      this.#sums!.setByKey(key, this.#next[index + 1]!);
      const { table, page } = placeOfKey(key)!;
      this.#pages[table].remove(page);
    }
    this.#cells.settle();
    this.#forgetNext();
  }

  /** Nothing is dirty any more. */
  clear(): void {
    for (const pages of [this.#pages.slots, this.#pages.names]) {
      if (pages.count > 0) pages.clear();
    }
    this.#forgetNext();
  }

  #forgetNext(): void {
    if (this.#next.length > 0) this.#next.length = 0;
    this.#cells.forget();
  }
}

/** The page of a slot, or of a cell of names. */
function pageOf(cell: number): number {
  return Math.floor(cell / CELLS_PER_PAGE);
}

/** The cell of a byte of names. */
function cellOf(offset: number): number {
  return Math.floor(offset / CELL_BYTES);
}

/** The sum of a slot as the image shows it. */
function sumOfSlot(tables: ShownTables, slot: number): number {
  if (tables.isSlotCurrent(slot)) {
    return pageSum(tables.slots, slot * CELL_BYTES, (slot + 1) * CELL_BYTES);
  }
  tables.copySlots(slot, 1, pageBytes, 0);
  return pageSum(pageBytes, 0, CELL_BYTES);
}
