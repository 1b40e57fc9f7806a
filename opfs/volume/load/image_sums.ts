/**
 * What the sums of an image say of its pages, at mount and at check.
 *
 * Layer: opfs/volume, under `image.ts`. If records touch a page, its sum is in the last of them.
 * After a crash in a checkpoint such a page is old, new or torn, and so is its sum at rest; with
 * the records applied, the page is what the last one says (S1). Any other page is compared with its
 * sum at rest.
 *
 * One turned bit, in a page or in a sum, is corrected in memory and goes home with the next
 * checkpoint; more is V16: the image is refused, unless a listener takes the damage.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import * as L from "../format/layout.ts";
import { sumAt, typeAt } from "../format/slots.ts";
import { isZeroPage, pageSum, putRight } from "../format/page_sum.ts";
import { keyOf, placeOfKey, type SummedTable } from "../memory/page_sums.ts";
import { impossible, type RecordHead, type RecordLists } from "../format/record.ts";
import type { Replay } from "./replay.ts";
import { DamageError, type OnViolation, reportOrThrow, type Violation } from "../format/report.ts";
import type { Tables } from "../memory/tables.ts";

const SLOTS_PER_PAGE = L.PAGE_BYTES / L.SLOT_BYTES;
/** Slots that a message names. */
const NAMED_MAX = 8;

/** The sums of one image. */
export class ImageSums {
  readonly #onViolation: OnViolation | undefined;
  /** The last sum that records say of a page, by its key. */
  readonly #recorded = new Map<number, number>();
  /** What was wrong by one bit, and is corrected. */
  readonly mended: Violation[] = [];
  readonly #wrong = { slots: new Set<number>(), names: new Set<number>() };
  #hasMendedFirst = false;

  /** Takes the sums of the records, up to the first record that cannot be read. */
  constructor(replay: Replay, onViolation?: OnViolation) {
    this.#onViolation = onViolation;
    for (const record of replay.records) {
      try {
        const lists = replay.reader.lists(record);
        requireAllSums(record, lists);
        for (const { key, sum } of lists.sums) this.#recorded.set(key, sum);
      } catch (error) {
        reportOrThrow(error, onViolation);
        return;
      }
    }
  }

  /** Whether a page does not match its sum. */
  isWrong(table: SummedTable, page: number): boolean {
    return this.#wrong[table].has(page);
  }

  /** Checks the first page of slots, with the records applied, before the tables are known. */
  checkFirst(slots: Uint8Array<ArrayBuffer>, sums: Uint8Array): void {
    const isWhole = slots.length >= L.PAGE_BYTES && sums.length >= L.SUM_BYTES;
    invariant(isWhole, "V16: {} bytes of a page, {} of its sum", slots.length, sums.length);
    const view = new DataView(sums.buffer, sums.byteOffset, sums.byteLength);
    const sum = this.#recorded.get(keyOf("slots", 0)) ?? sumAt(view, 0);
    const verdict = putRight(slots.subarray(0, L.PAGE_BYTES), sum);
    this.#hasMendedFirst = verdict === "bit";
    if (verdict === "wrong") this.#reportWrong("slots", 0, "slots 0 to 63");
  }

  /** Checks every page, with the records applied, and updates its sum. */
  check(tables: Tables): void {
    invariant(tables.sums !== null, "V16: pages are compared with sums that there are not");
    this.#checkTable("slots", tables);
    this.#checkTable("names", tables);
  }

  #checkTable(table: SummedTable, tables: Tables): void {
    const bytes = tables[table];
    const sums = tables.sums![table];
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    for (let page = 0; page < sums.length; page++) {
      const from = page * L.PAGE_BYTES;
      const to = from + L.PAGE_BYTES;
      const sum = this.#recorded.get(keyOf(table, page)) ?? sums[page]!;
      sums[page] = sum;
      const isZero = sum === 0 && isZeroPage(words, from / 4, to / 4);
      if (!isZero && pageSum(bytes, from, to) !== sum) this.#mend(table, page, tables);
    }
    if (table === "slots" && this.#hasMendedFirst) this.#reportMended("slots", 0, tables);
  }

  #mend(table: SummedTable, page: number, tables: Tables): void {
    const from = page * L.PAGE_BYTES;
    const bytes = tables[table].subarray(from, from + L.PAGE_BYTES);
    const verdict = putRight(bytes, tables.sums![table][page]!);
    tables.sums![table][page] = pageSum(bytes);
    if (verdict !== "wrong") return this.#reportMended(table, page, tables);
    const isReported = this.isWrong(table, page);
    if (!isReported) this.#reportWrong(table, page, slotsOfPage(table, page, tables));
  }

  #reportMended(table: SummedTable, page: number, tables: Tables): void {
    const home = table === "slots" ? tables.homeSlots : tables.homeNames;
    home.add(page);
    const where = slotsOfPage(table, page, tables);
    const message = `one bit of page ${page} of the ${table} was wrong (${where}): it is put right`;
    const violation = { rule: "V16", message, isDerivable: true };
    this.mended.push(violation);
    this.#onViolation?.(violation);
  }

  #reportWrong(table: SummedTable, page: number, where: string): void {
    this.#wrong[table].add(page);
    const message = `page ${page} of the ${table} is not what its sum says (${where})`;
    reportOrThrow(new DamageError("V16", message), this.#onViolation);
  }
}

/** V10: a record has exactly one sum for each page that its slots and names touch. */
function requireAllSums(record: RecordHead, { slots, names, sums }: RecordLists): void {
  const touched = new Set<number>();
  for (const { index } of slots) touched.add(keyOf("slots", Math.floor(index / SLOTS_PER_PAGE)));
  for (const { offset, bytes } of names) {
    const last = Math.floor((offset + bytes.length - 1) / L.PAGE_BYTES);
    for (let page = Math.floor(offset / L.PAGE_BYTES); page <= last; page++) {
      touched.add(keyOf("names", page));
    }
  }
  for (const { key } of sums) {
    if (placeOfKey(key) !== null && touched.delete(key)) continue;
    throw impossible(record, `a sum for ${key}, which it does not touch`);
  }
  if (touched.size > 0) throw impossible(record, `${touched.size} pages without a sum`);
}

/** The slots that a page holds, or whose names it holds. */
function slotsOfPage(table: SummedTable, page: number, tables: Tables): string {
  if (table === "slots") {
    return `slots ${page * SLOTS_PER_PAGE} to ${(page + 1) * SLOTS_PER_PAGE - 1}`;
  }
  const found: number[] = [];
  for (let slot = L.FIRST_FILE_SLOT; slot < tables.slotCount; slot++) {
    if (pageOfEntry(slot, tables) === page) found.push(slot);
  }
  const more = found.length > NAMED_MAX ? ` and ${found.length - NAMED_MAX} more` : "";
  return `names of slots ${found.slice(0, NAMED_MAX).join(", ") || "that are free"}${more}`;
}

/** The page of the path table in which the entry of a slot begins; -1 for a slot that has none. */
export function pageOfEntry(slot: number, { view }: Tables): number {
  const at = slot * L.SLOT_BYTES;
  const type = typeAt(view, at);
  const isNamed = type >= L.TYPE.FILE && type <= L.TYPE.LINK || type === L.TYPE.XATTR;
  return isNamed ? Math.floor(view.getUint32(at + L.SLOT.PATH_OFFSET, L.LE) / L.PAGE_BYTES) : -1;
}
