/**
 * Makes the sums of an image right again after a test has written into its slots or names, so that
 * what the sums would have seen is left to the other rules: those at rest, and those in records.
 *
 * Layer: tests.
 *
 * @module
 */
import { crc32, crc32c } from "../../opfs/volume/format/checksum.ts";
import { type FoundHeader, isSummed, newestHeader } from "../../opfs/volume/format/header.ts";
import * as L from "../../opfs/volume/format/layout.ts";
import { pageSum } from "../../opfs/volume/format/page_sum.ts";
import {
  PageSums,
  placeOfKey,
  sumAreas,
  type SummedTable,
  sumsOf,
  touchedSums,
} from "../../opfs/volume/memory/page_sums.ts";
import { findRecords } from "../../opfs/volume/load/replay.ts";
import { bytesOf, readSegments, type Segments } from "../../opfs/volume/format/segments.ts";

type Tables = Record<SummedTable, Uint8Array<ArrayBuffer>>;

/** Makes both checksums of the record at a place of an image right again. */
export function resealRecord(bytes: Uint8Array, at: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = at + view.getUint32(at + L.RECORD.BYTES, true);
  for (
    const [field, checksum] of [[L.RECORD.CHECKSUM_C, crc32c], [L.RECORD.CHECKSUM, crc32]] as const
  ) {
    if (field === L.RECORD.CHECKSUM_C) view.setUint32(at + L.RECORD.CHECKSUM, 0, true);
    view.setUint32(at + field, 0, true);
    view.setUint32(at + field, checksum(bytes, at, end), true);
  }
}

/** Makes the checksum of the header at a place of an image right again. */
export function resealHeader(bytes: Uint8Array, at: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, L.HEADER_BYTES);
  view.setUint32(L.HEADER.CRC, 0, true);
  view.setUint32(L.HEADER.CRC, crc32(bytes, at, at + L.HEADER_BYTES), true);
}

/** Writes the sums of what is there. */
export function reseal(bytes: Uint8Array): void {
  const header = newestHeader(bytes, () => {});
  if (!isSummed(header)) return;
  const { superblock, ringBytes } = header;
  const first = bytes.subarray(superblock.inodeOffset, superblock.pathOffset);
  const segments = readSegments(superblock, first, { isSummed: true, onViolation: () => {} });
  const tables = { slots: whole(bytes, segments, "slots"), names: whole(bytes, segments, "names") };
  const sums = new PageSums(sumsOf(tables.slots), sumsOf(tables.names));
  const all = (name: SummedTable): number[] => Array.from(sums[name], (_, page) => page);
  const touched = { slots: all("slots"), names: all("names") };
  for (const piece of touchedSums(sums, sumAreas(segments, L.RING_AT + ringBytes), touched)) {
    bytes.set(piece.bytes, piece.at);
  }
  resealRecords(bytes, header, tables);
}

function whole(bytes: Uint8Array, segments: Segments, table: SummedTable): Uint8Array<ArrayBuffer> {
  const made = new Uint8Array(bytesOf(segments[table]));
  for (const { at, bytes: length, logical } of segments[table]) {
    made.set(bytes.subarray(at, at + length), logical);
  }
  return made;
}

/** Each record says the sums after it, and the checksum of the one before. */
function resealRecords(bytes: Uint8Array, header: FoundHeader, tables: Tables): void {
  const ring = bytes.subarray(L.RING_AT, L.RING_AT + header.ringBytes);
  const view = new DataView(ring.buffer, ring.byteOffset, ring.byteLength);
  const { records, reader } = findRecords(ring, header, () => {});
  let previous = header.tailChecksum;
  for (const record of records) {
    const { slots, names, sums } = reader.lists(record);
    for (const { index, bytes } of slots) tables.slots.set(bytes, index * L.SLOT_BYTES);
    for (const { offset, bytes } of names) tables.names.set(bytes, offset);
    const listAt = sumListAt(view, record.place);
    sums.forEach(({ key }, index) => {
      const { table, page } = placeOfKey(key)!;
      const from = page * L.PAGE_BYTES;
      const sum = pageSum(tables[table], from, from + L.PAGE_BYTES);
      view.setUint32(listAt + index * L.RECORD_SUM_BYTES + 4, sum, true);
    });
    view.setUint32(record.place + L.RECORD.PREVIOUS, previous, true);
    resealRecord(ring, record.place);
    previous = view.getUint32(record.place + L.RECORD.CHECKSUM, true);
  }
}

/** Where the fourth list begins. */
function sumListAt(view: DataView, place: number): number {
  const count = (field: number): number => view.getUint32(place + field, true);
  let at = place + L.RECORD_HEAD_BYTES + count(L.RECORD.SLOTS) * L.RECORD_SLOT_BYTES;
  for (let left = count(L.RECORD.NAMES); left > 0; left--) {
    at += L.RECORD_NAME_HEAD_BYTES + L.roundUp(view.getUint32(at + 4, true), 4);
  }
  for (let left = count(L.RECORD.DATA); left > 0; left--) {
    at += L.RECORD_DATA_HEAD_BYTES + L.roundUp(view.getUint32(at + 8, true), 4);
  }
  return at;
}
