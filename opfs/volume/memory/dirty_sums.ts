/**
 * The pages that the next record touches, and the sums that it will say of them.
 *
 * Layer: opfs/volume, under `tables.ts`. The sums count from the moment when the record has happened:
 * one that is refused, or taken back, has changed none. What the record has of a slot is what is summed:
 * the sums say what records make of the image (S1).
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import { CELL_BYTES, CELLS_PER_PAGE, cellSum, CellSums } from "./cell_sums.ts";
import * as L from "../format/layout.ts";
import { PageSet } from "../format/page_set.ts";
import { keyOf, type PageSums, type SummedTable } from "./page_sums.ts";

/** Slots and names, as far as their sums need them. */
export interface ShownTables {
  /** All names. */
  readonly nameView: DataView;
  /** Slots that the next record has, in order. */
  readonly dirtySlots: readonly number[];
  /** Copies slots as the image shows them. */
  copySlots(first: number, count: number, into: Uint8Array, at: number): void;
}

/** The record that takes the sums, and has all slots already. */
export interface SummedRecord {
  /** How many slots it has. */
  readonly slotCount: number;
  /** Its bytes. */
  readonly view: DataView;
  /** Where a slot begins in them. */
  placeOfSlot(index: number): number;
  /** Adds the sum of a page, signed or not. */
  sum(key: number, sum: number): void;
}

const CELL_MASK = CELLS_PER_PAGE - 1;
const CELL_SHIFT = 31 - Math.clz32(CELL_BYTES);
const PAGE_SHIFT = 31 - Math.clz32(L.PAGE_BYTES);
/** A page of slots as the image shows it, while its sum is taken. */
const pageBytes = new Uint8Array(L.PAGE_BYTES);
const pageView = new DataView(pageBytes.buffer);

/** The dirty pages of one table. */
class DirtyTable {
  readonly pages = new PageSet();
  readonly cells = new CellSums();
  /** Of the page 0; those of the others follow. */
  readonly #firstKey: number;
  /** Each page that was said, and its sum, in turn. */
  #said = new Int32Array(32);
  #saidEnd = 0;

  constructor(table: SummedTable) {
    this.#firstKey = keyOf(table, 0);
  }

  /** How many pages were said. */
  get saidCount(): number {
    return this.#saidEnd >>> 1;
  }

  resize(pages: number): void {
    this.pages.resize(pages);
    this.cells.resize(pages);
  }

  say(record: SummedRecord, page: number, sum: number): void {
    if (this.#saidEnd === this.#said.length) {
      const longer = new Int32Array(this.#saidEnd * 2);
      longer.set(this.#said);
      this.#said = longer;
    }
    this.#said[this.#saidEnd++] = page;
    this.#said[this.#saidEnd++] = sum;
    record.sum(this.#firstKey + page, sum);
  }

  settle(sums: Uint32Array): void {
    for (let index = 0; index < this.#saidEnd; index += 2) {
      const page = this.#said[index]!;
      this.pages.remove(page);
      sums[page] = this.#said[index + 1]!;
    }
    this.#saidEnd = 0;
    this.cells.settle();
  }

  forget(): void {
    this.#saidEnd = 0;
    this.cells.forget();
  }
}

/** The dirty pages of one volume; without sums it has no pages. */
export class DirtySums {
  readonly #sums: PageSums | null;
  readonly #slots = new DirtyTable("slots");
  readonly #names = new DirtyTable("names");
  /** The dirty cells of the page of names that is being summed. */
  readonly #dirtyCells = new Int32Array(CELLS_PER_PAGE);
  #dirtyCount = 0;

  /** Nothing is dirty. */
  constructor(sums: PageSums | null) {
    this.#sums = sums;
    this.grow();
  }

  /** The tables have grown. */
  grow(): void {
    this.#slots.resize(this.#sums?.slots.length ?? 0);
    this.#names.resize(this.#sums?.names.length ?? 0);
  }

  /** What the sums take of the next record. */
  get bytes(): number {
    return (this.#slots.pages.count + this.#names.pages.count) * L.RECORD_SUM_BYTES;
  }

  /** The next record has a slot. */
  markSlot(slot: number): void {
    if (this.#sums !== null) this.#slots.pages.add(pageOf(slot));
  }

  /** The next record has a piece of names. */
  markNames(offset: number, lengthBytes: number): void {
    if (this.#sums === null) return;
    const last = offset + lengthBytes - 1 >>> PAGE_SHIFT;
    for (let page = offset >>> PAGE_SHIFT; page <= last; page++) this.#names.pages.add(page);
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
   * Adds the sum of each page that is dirty, as the image shows it after the record, to the record;
   * pieces of names are in order, from and to.
   */
  addTo(
    record: SummedRecord,
    tables: ShownTables,
    nameRuns: readonly (readonly [number, number])[],
  ): void {
    if (this.#sums === null) return;
    this.#forgetSaid();
    this.#addSlotPages(record, tables, this.#sums.slots);
    this.#addNamePages(record, tables.nameView, nameRuns);
  }

  #addSlotPages(record: SummedRecord, tables: ShownTables, sums: Uint32Array): void {
    const dirty = tables.dirtySlots;
    const { cells } = this.#slots;
    const count = record.slotCount;
    invariant(count === dirty.length, "V16: {} slots of {} are in a record", count, dirty.length);
    for (let index = 0; index < count;) {
      const page = pageOf(dirty[index]!);
      const from = index;
      while (index < count && pageOf(dirty[index]!) === page) index++;
      let sum = sums[page]! | 0;
      if (cells.isKnown(page, index - from)) {
        for (let at = from; at < index; at++) {
          const now = cellSum(record.view, record.placeOfSlot(at));
          sum ^= cells.change(page, dirty[at]! & CELL_MASK, now);
        }
      } else {
        tables.copySlots(page * CELLS_PER_PAGE, CELLS_PER_PAGE, pageBytes, 0);
        sum = cells.sumPage(page, pageView, 0, index - from);
      }
      this.#slots.say(record, page, sum);
    }
  }

  #addNamePages(
    record: SummedRecord,
    view: DataView,
    runs: readonly (readonly [number, number])[],
  ): void {
    const cells = this.#dirtyCells;
    let done = -1;
    for (let index = 0; index < runs.length; index++) {
      const run = runs[index]!;
      const last = run[1] - 1 >>> CELL_SHIFT;
      for (let cell = Math.max(done + 1, run[0] >>> CELL_SHIFT); cell <= last; cell++) {
        if (this.#dirtyCount > 0 && pageOf(cells[0]!) !== pageOf(cell)) {
          this.#addNamePage(record, view);
        }
        cells[this.#dirtyCount++] = cell;
      }
      done = Math.max(done, last);
    }
    if (this.#dirtyCount > 0) this.#addNamePage(record, view);
  }

  /** The page of names that the dirty cells are in. */
  #addNamePage(record: SummedRecord, view: DataView): void {
    const dirty = this.#dirtyCells;
    const count = this.#dirtyCount;
    const { cells } = this.#names;
    const page = pageOf(dirty[0]!);
    let sum = this.#sums!.names[page]! | 0;
    if (cells.isKnown(page, count)) {
      for (let index = 0; index < count; index++) {
        const cell = dirty[index]!;
        sum ^= cells.change(page, cell & CELL_MASK, cellSum(view, cell * CELL_BYTES));
      }
    } else sum = cells.sumPage(page, view, page * L.PAGE_BYTES, count);
    this.#names.say(record, page, sum);
    this.#dirtyCount = 0;
  }

  /** The record has happened. */
  settle(): void {
    if (this.#sums === null) return;
    const pages = this.#slots.pages.count + this.#names.pages.count;
    const said = this.#slots.saidCount + this.#names.saidCount;
    invariant(said === pages, "V16: a record says {} sums of {} pages", said, pages);
    this.#slots.settle(this.#sums.slots);
    this.#names.settle(this.#sums.names);
  }

  /** Nothing is dirty any more. */
  clear(): void {
    for (const { pages } of [this.#slots, this.#names]) if (pages.count > 0) pages.clear();
    this.#forgetSaid();
  }

  #forgetSaid(): void {
    this.#slots.forget();
    this.#names.forget();
    this.#dirtyCount = 0;
  }
}

/** The page of a slot, or of a cell of names. */
function pageOf(cell: number): number {
  return cell >>> PAGE_SHIFT - CELL_SHIFT;
}
