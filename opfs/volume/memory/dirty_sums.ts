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
import { keyOf, type PageSums, placeOfKey, type SummedTable } from "./page_sums.ts";

/** Slots and names, as far as their sums need them. */
export interface ShownTables {
  /** All slots. */
  readonly slots: Uint8Array;
  /** All names. */
  readonly names: Uint8Array;
  /** Slots that the next record has, in order. */
  readonly dirtySlots: readonly number[];
  /** Whether the image shows a slot as it is in memory. */
  isShownAsItIs(slot: number): boolean;
  /** Copies slots as the image shows them. */
  copySlots(first: number, count: number, into: Uint8Array, at: number): void;
}

/** A page of slots as the image shows it, while its sum is taken. */
const pageBytes = new Uint8Array(L.PAGE_BYTES);

/** The dirty pages of one volume; there are none where there are no sums. */
export class DirtySums {
  readonly #sums: PageSums | null;
  readonly #pages = { slots: new PageSet(), names: new PageSet() };
  readonly #cells = new CellSums();
  /** The key and the sum of each page, in turn. */
  readonly #next: number[] = [];
  /** The page that is being summed, and its dirty cells. */
  #page = -1;
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
  soilSlot(slot: number): void {
    if (this.#sums !== null) this.#pages.slots.add(Math.floor(slot / CELLS_PER_PAGE));
  }

  /** The next record has a piece of names. */
  soilNames(offset: number, lengthBytes: number): void {
    if (this.#sums === null) return;
    const last = Math.floor((offset + lengthBytes - 1) / L.PAGE_BYTES);
    for (let page = Math.floor(offset / L.PAGE_BYTES); page <= last; page++) {
      this.#pages.names.add(page);
    }
  }

  /** After something has been taken back: what is still dirty; names are offset, length, ... */
  soilOnly(slots: readonly number[], names: readonly number[]): void {
    this.clear();
    for (const slot of slots) this.soilSlot(slot);
    for (let index = 0; index < names.length; index += 2) {
      this.soilNames(names[index]!, names[index + 1]!);
    }
  }

  /**
   * Calls `add` with the key and the sum of each page that is dirty, as the image shows it; pieces of
   * names are in order, from and to.
   */
  say(
    tables: ShownTables,
    nameRuns: readonly (readonly [number, number])[],
    add: (key: number, sum: number) => void,
  ): void {
    this.#forgetNext();
    if (this.#sums === null) return;
    for (const slot of tables.dirtySlots) this.#sayCell("slots", slot, tables);
    this.#endPage("slots", tables);
    let done = -1;
    for (const [from, to] of nameRuns) {
      const last = Math.floor((to - 1) / CELL_BYTES);
      for (let cell = Math.max(done + 1, Math.floor(from / CELL_BYTES)); cell <= last; cell++) {
        this.#sayCell("names", cell, tables);
      }
      done = Math.max(done, last);
    }
    this.#endPage("names", tables);
    const next = this.#next;
    for (let index = 0; index < next.length; index += 2) add(next[index]!, next[index + 1]!);
  }

  #sayCell(table: SummedTable, cell: number, tables: ShownTables): void {
    const page = Math.floor(cell / CELLS_PER_PAGE);
    if (page !== this.#page) this.#endPage(table, tables);
    this.#page = page;
    this.#dirtyCells.push(cell % CELLS_PER_PAGE);
  }

  #endPage(table: SummedTable, tables: ShownTables): void {
    const page = this.#page;
    if (page < 0) return;
    const cells = this.#dirtyCells;
    const key = keyOf(table, page);
    let sum = this.#sums![table][page]!;
    if (this.#cells.isKnown(key, cells.length)) {
      for (const cell of cells) {
        sum ^= this.#cells.change(key, cell, sumOf(tables, table, page * CELLS_PER_PAGE + cell));
      }
    } else sum = this.#cells.meet(key, bytesOf(tables, table, page), cells.length);
    this.#next.push(key, sum >>> 0);
    this.#page = -1;
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

/** The sum of a slot, or of 64 bytes of names. */
function sumOf(tables: ShownTables, table: SummedTable, cell: number): number {
  const from = cell * CELL_BYTES;
  if (table === "names" || tables.isShownAsItIs(cell)) {
    return pageSum(tables[table], from, from + CELL_BYTES);
  }
  tables.copySlots(cell, 1, pageBytes, 0);
  return pageSum(pageBytes, 0, CELL_BYTES);
}

/** A page; valid until the next call. */
function bytesOf(tables: ShownTables, table: SummedTable, page: number): Uint8Array {
  const from = page * L.PAGE_BYTES;
  if (table === "names") return tables.names.subarray(from, from + L.PAGE_BYTES);
  tables.copySlots(page * CELLS_PER_PAGE, CELLS_PER_PAGE, pageBytes, 0);
  return pageBytes;
}
