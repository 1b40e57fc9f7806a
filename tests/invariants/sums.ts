/**
 * The invariants of sums, made false from outside.
 *
 * Layer: tests. A row is what the message says, and what breaks it; `invariants_test.ts` runs them.
 *
 * @module
 */
import { memoryHandle } from "../../opfs/device/memory.ts";
import { CellSums } from "../../opfs/volume/memory/cell_sums.ts";
import { formatVolume } from "../../opfs/volume/load/format.ts";
import { encodeHeader, newestHeader } from "../../opfs/volume/format/header.ts";
import { DirtySums } from "../../opfs/volume/memory/dirty_sums.ts";
import { LazyTimes } from "../../opfs/volume/memory/lazy_times.ts";
import * as L from "../../opfs/volume/format/layout.ts";
import { pageSum, putRight } from "../../opfs/volume/format/page_sum.ts";
import {
  afterZeros,
  bothPadded,
  crc32Padded,
  register,
  turnedBit,
} from "../../opfs/volume/format/checksum.ts";
import { decodeSums, PageSums, sumAreas } from "../../opfs/volume/memory/page_sums.ts";
import { mendRecord } from "../../opfs/volume/format/record_mend.ts";
import { RecordReader, RecordWriter } from "../../opfs/volume/format/record.ts";
import { findRecords } from "../../opfs/volume/load/replay.ts";
import { firstSegments } from "../../opfs/volume/format/segments.ts";
import { freshSuperblock } from "../../opfs/volume/format/superblock.ts";
import { judgeTarget } from "../../opfs/volume/memory/summed_bytes.ts";
import { Tables } from "../../opfs/volume/memory/tables.ts";
import type { Row } from "./structures.ts";

const superblock = freshSuperblock(4096, L.RING_BYTES_DEFAULT);
const NO_SUMS = { crc32: 0, crc32c: 0 };
const sumsOf = (): PageSums => new PageSums(new Uint32Array(2), new Uint32Array(2));

function emptyRecord(): RecordWriter {
  const writer = new RecordWriter(4096);
  writer.begin();
  return writer;
}

function recordWithSum(bytes: number): RecordWriter {
  const writer = new RecordWriter(bytes);
  writer.begin();
  writer.sum(0, 1);
  return writer;
}

/** Bytes that cannot be written. */
function stubborn(): Uint8Array {
  return new Proxy(new Uint8Array(64), {
    get: (target, name) => Reflect.get(target, name),
    set: () => true,
  });
}

/** The rows. */
export const sumRows: readonly Row[] = [
  ["V16: sums of slots for 4096 bytes", () => sumsOf().grow("slots", 4096)],
  ["V16: page 2 of 2 is summed", () => {
    const cells = new CellSums();
    cells.resize(2);
    cells.sumPage(2, new DataView(new ArrayBuffer(4096)), 0, 1);
  }],
  ["V16: 0 slots of 1 are in a record", () => {
    const tables = new Tables(new Uint8Array(4096), new Uint8Array(4096), sumsOf());
    tables.dirtySlots.push(3);
    new DirtySums(sumsOf()).addTo(emptyRecord(), tables, []);
  }],
  ["V16: a sum of bytes 0 to 60", () => register(new DataView(new ArrayBuffer(64)), 0, 60, 0)],
  ["V10: a checksum of 8 of 24 bytes", () => crc32Padded(new DataView(new ArrayBuffer(24)), 8, 24)],
  ["V16: a segment of slots begins at 5", () => {
    const segments = firstSegments(superblock);
    segments.slots[0]!.logical = 5;
    sumAreas(segments, 0);
  }],
  ["V16: 2 sums from page 1 on", () => decodeSums(new Uint8Array(8), new Uint32Array(2), 1)],
  ["V16: bit 3 is turned back, and the sum is another one", () => {
    const other = new Uint8Array(64);
    other[0] = 8;
    putRight(stubborn(), pageSum(other));
  }],
  ["V16: a turned bit is looked for in 536870912 bytes", () => turnedBit(1, 2 ** 29)],
  ["V10: a sum in a record of an image without sums", () => {
    new RecordWriter(512, { isSummed: false }).sum(0, 1);
  }],
  ["V9: 0 bytes of a ring of 524288", () => {
    const handle = memoryHandle();
    formatVolume(handle);
    findRecords(new Uint8Array(0), newestHeader(handle.toBytes()));
  }],
  ["V10: a record is looked for at 100", () => {
    const expected = { sequence: 1, checksum: 0, isNext: () => true };
    mendRecord(new RecordReader(new Uint8Array(4096)), 100, expected);
  }],
  ["V16: a record says 0 sums of 1 pages", () => {
    const dirty = new DirtySums(sumsOf());
    dirty.markSlot(0);
    dirty.settle();
  }],
  ["V16: a record says 1 sums of 0 pages", () => {
    const dirty = new DirtySums(sumsOf());
    const tables = new Tables(new Uint8Array(4096), new Uint8Array(4096), sumsOf());
    dirty.addTo(emptyRecord(), tables, [[0, 16]]);
    dirty.settle();
  }],
  ["V11: page 1 is not marked", () => {
    const dirty = new DirtySums(sumsOf());
    const tables = new Tables(new Uint8Array(8192), new Uint8Array(8192), sumsOf());
    dirty.markNames(0, 16);
    dirty.addTo(emptyRecord(), tables, [[4096, 4112]]);
    dirty.settle();
  }],
  [
    "V10: a second checksum at 62 of 64",
    () =>
      bothPadded(new DataView(new ArrayBuffer(64)), NO_SUMS, { end: 64, length: 64, placeC: 62 }),
  ],
  ["V10: a checksum of -1 zeros", () => afterZeros(5, -1)],
  ["V16: a cell of page 9 has changed, which is not known", () => {
    const cells = new CellSums();
    cells.resize(10);
    cells.change(9, 1, 5);
  }],
  ["V16: a target and its sum in 3 bytes", () => judgeTarget(new Uint8Array(3))],
  [
    "V10: data after the list of sums",
    () => recordWithSum(512).data(1, 0, new Uint8Array(4)),
  ],
  ["V10: a sum in a full record", () => recordWithSum(72).sum(1, 1)],
  ["V9: a header with a ring of 4096 bytes", () => {
    encodeHeader({
      state: L.STATE.IN_USE,
      counter: 1,
      tailSequence: 1,
      tailPlace: 0,
      tailChecksum: 0,
      salt: [1, 2],
      term: 1,
      ringBytes: 4096,
      featuresIncompatible: L.FEATURE_SUMS,
      featuresReadOnly: 0,
      superblock,
      volumeId: new Uint8Array(16),
      label: "",
      limitBytes: 0,
    });
  }],
  ["V8: slot 40 was read at NaN", () => new LazyTimes().move(40, NaN)],
];
