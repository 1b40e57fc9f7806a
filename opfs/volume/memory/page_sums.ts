/**
 * The sums of all pages of slots and names: as the records say them, and where they lie.
 *
 * Layer: opfs/volume, under `tables.ts`. A record carries one entry for each page that its slots and
 * names touch: the sum after it. A checkpoint brings pages home and their sums with them, in whole
 * pages of sums; a page that is not touched keeps its sum, so it does no harm when one is torn.
 *
 * The sums of the first segments are before the slots, those of slots first; the sums of a further
 * segment follow its bytes.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import * as L from "../format/layout.ts";
import { putSum, sumAt } from "../format/slots.ts";
import { isZeroPage, pageSum } from "../format/page_sum.ts";
import type { Segment, Segments } from "../format/segments.ts";

/** A table that has sums. */
export type SummedTable = "slots" | "names";

/** The sums of the pages of both tables. */
export class PageSums {
  /** Of slots. */
  slots: Uint32Array<ArrayBuffer>;
  /** Of names. */
  names: Uint32Array<ArrayBuffer>;

  /** Takes both as they are. */
  constructor(slots: Uint32Array<ArrayBuffer>, names: Uint32Array<ArrayBuffer>) {
    this.slots = slots;
    this.names = names;
  }

  /** A table has become longer, by zeros. */
  grow(table: SummedTable, bytes: number): void {
    const sums = new Uint32Array(pagesOf(bytes));
    invariant(sums.length >= this[table].length, "V16: sums of {} for {} bytes", table, bytes);
    sums.set(this[table]);
    this[table] = sums;
  }
}

/** The page that a key means; null if it is not ours. */
export function placeOfKey(key: number): { table: SummedTable; page: number } | null {
  const kind = Math.floor(key / PAGES_PER_KIND);
  if (kind !== L.SUM_KIND.SLOTS && kind !== L.SUM_KIND.NAMES) return null;
  return { table: kind === L.SUM_KIND.SLOTS ? "slots" : "names", page: key % PAGES_PER_KIND };
}

const PAGES_PER_KIND = 2 ** L.SUM_KIND_SHIFT;

/** Pages of so many bytes. */
export function pagesOf(bytes: number): number {
  return Math.ceil(bytes / L.PAGE_BYTES);
}

/** The key of a page's sum in a record. */
export function keyOf(table: SummedTable, page: number): number {
  const kind = table === "slots" ? L.SUM_KIND.SLOTS : L.SUM_KIND.NAMES;
  return kind * PAGES_PER_KIND + page;
}

/** The sums of all pages of a table. */
export function sumsOf(bytes: Uint8Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const sums = new Uint32Array(pagesOf(bytes.length));
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  for (let page = 0; page < sums.length; page++) {
    const from = page * L.PAGE_BYTES;
    const to = Math.min(bytes.length, from + L.PAGE_BYTES);
    if (!isZeroPage(words, from / 4, to / 4)) sums[page] = pageSum(bytes, from, to);
  }
  return sums;
}

/** Sums that follow each other. */
interface SumPart {
  table: SummedTable;
  /** The page of the first one. */
  firstPage: number;
  /** How many. */
  count: number;
  /** Where the first one stands in its area. */
  offset: number;
}

/** A place of sums on the device. */
export interface SumArea {
  /** Where it begins. */
  at: number;
  /** Its length. */
  bytes: number;
  /** What is in it, in order. */
  parts: SumPart[];
}

/** Where the sums lie: those of the first segments begin at byte `firstAt`. */
export function sumAreas(segments: Segments, firstAt: number): SumArea[] {
  const first: SumArea = { at: firstAt, bytes: 0, parts: [] };
  const areas = [first];
  for (const table of ["slots", "names"] as const) {
    for (const segment of segments[table]) {
      const part = partOf(table, segment);
      const area = segment.firstBlock < 0
        ? first
        : { at: segment.at + segment.bytes, bytes: 0, parts: [] };
      if (area !== first) areas.push(area);
      area.parts.push({ ...part, offset: area.bytes });
      area.bytes += part.count * L.SUM_BYTES;
    }
  }
  return areas;
}

function partOf(table: SummedTable, { logical, bytes }: Segment): SumPart {
  invariant(logical % L.PAGE_BYTES === 0, "V16: a segment of {} begins at {}", table, logical);
  return { table, firstPage: logical / L.PAGE_BYTES, count: pagesOf(bytes), offset: 0 };
}

/** Some sums of an area and where they go. */
export interface SumPiece {
  /** Where it begins on the device. */
  at: number;
  /** The sums. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** The pages of sums in which those of touched pages stand. */
export function* touchedSums(
  sums: PageSums,
  areas: readonly SumArea[],
  touched: Record<SummedTable, readonly number[]>,
): Generator<SumPiece, void, void> {
  for (const area of areas) {
    const pages = new Set<number>();
    for (const { table, firstPage, count, offset } of area.parts) {
      for (const page of touched[table]) {
        if (page < firstPage || page >= firstPage + count) continue;
        const at = offset + (page - firstPage) * L.SUM_BYTES;
        pages.add(Math.floor(at / L.PAGE_BYTES));
      }
    }
    for (const page of [...pages].sort((a, b) => a - b)) {
      const from = page * L.PAGE_BYTES;
      const to = Math.min(area.bytes, from + L.PAGE_BYTES);
      yield { at: area.at + from, bytes: bytesOfArea(sums, area, from, to) };
    }
  }
}

/** Bytes `[from, to)` of an area. */
export function bytesOfArea(
  sums: PageSums,
  area: SumArea,
  from: number,
  to: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(to - from);
  const view = new DataView(bytes.buffer);
  for (const { table, firstPage, count, offset } of area.parts) {
    const end = Math.min(to, offset + count * L.SUM_BYTES);
    for (let at = Math.max(from, offset); at < end; at += L.SUM_BYTES) {
      const page = firstPage + (at - offset) / L.SUM_BYTES;
      putSum(view, (at - from) / L.SUM_BYTES, sums[table][page]!);
    }
  }
  return bytes;
}

/** Takes sums from where they stand on a device. */
export function decodeSums(bytes: Uint8Array, into: Uint32Array, firstPage: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length / L.SUM_BYTES;
  invariant(firstPage + count <= into.length, "V16: {} sums from page {} on", count, firstPage);
  for (let index = 0; index < count; index++) {
    into[firstPage + index] = sumAt(view, index);
  }
}
