/**
 * One wrong bit of a journal record: found by its first checksum, believed by its second one.
 *
 * Layer: opfs/volume, under `replay.ts`. A record is tried only where the chain goes on, and only if
 * magic, sequence and the checksum of the record before are there but for one bit. What is mended
 * satisfies both checksums, so a record that was torn is not taken for one (less than once in 2^43);
 * one that is torn by a single bit is completed: it is the one being written.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import { turnedBit } from "./checksum.ts";
import * as L from "./layout.ts";
import type { FoundRecord, RecordReader } from "./record.ts";

/** What the next record says, and whether one fits in all the rest. */
export interface Expected {
  /** Its sequence. */
  sequence: number;
  /** Checksum of the record before it. */
  checksum: number;
  /** Whether a whole record is the next one. */
  isNext: (record: FoundRecord) => boolean;
}

/**
 * The next record at a place, with one bit put right in the ring's bytes; null if no one bit makes it
 * that, and then nothing is changed.
 */
export function mendRecord(
  reader: RecordReader,
  place: number,
  expected: Expected,
): FoundRecord | null {
  invariant(place % L.SECTOR_BYTES === 0, "V10: a record is looked for at {}", place);
  const { ring } = reader;
  if (place + L.RECORD_HEAD_BYTES > ring.length) return null;
  const view = new DataView(ring.buffer, ring.byteOffset, ring.byteLength);
  if (wrongBitsOfHead(view, place, expected) > 1) return null;
  for (const bit of candidates(reader, place, view)) {
    const at = place + (bit >> 3);
    ring[at]! ^= 1 << (bit & 7);
    const record = reader.at(place, expected.isNext);
    if (record !== null) return record;
    ring[at]! ^= 1 << (bit & 7);
  }
  return null;
}

/** Bits, counted from the record's first, one of which may be the wrong one. */
function* candidates(
  reader: RecordReader,
  place: number,
  view: DataView,
): Generator<number, void, void> {
  const bytes = view.getUint32(place + L.RECORD.BYTES, L.LE);
  if (reader.isLength(place, bytes)) {
    const stored = view.getUint32(place + L.RECORD.CHECKSUM, L.LE);
    const difference = (reader.checksumAt(place, bytes) ^ stored) >>> 0;
    const isInSum = (difference & difference - 1) === 0;
    const bit = isInSum
      ? L.RECORD.CHECKSUM * 8 + 31 - Math.clz32(difference)
      : turnedBit(difference, bytes);
    if (difference !== 0 && bit >= 0) yield bit;
  }
  for (let bit = 0; bit < 32; bit++) {
    const other = (bytes ^ 1 << bit) >>> 0;
    if (reader.isLength(place, other)) yield L.RECORD.BYTES * 8 + bit;
  }
}

/** How many bits of what is known beforehand are not so. */
function wrongBitsOfHead(view: DataView, place: number, expected: Expected): number {
  const scratch = new DataView(new ArrayBuffer(8));
  scratch.setFloat64(0, expected.sequence, L.LE);
  const word = (field: number): number => view.getUint32(place + field, L.LE);
  return bitsOf(word(L.RECORD.MAGIC) ^ L.RECORD_MAGIC) +
    bitsOf(word(L.RECORD.PREVIOUS) ^ expected.checksum) +
    bitsOf(word(L.RECORD.SEQUENCE) ^ scratch.getUint32(0, L.LE)) +
    bitsOf(word(L.RECORD.SEQUENCE_HIGH) ^ scratch.getUint32(4, L.LE));
}

/** How many bits of a word are set. */
function bitsOf(word: number): number {
  let count = 0;
  for (let left = word; left !== 0; left &= left - 1) count++;
  return count;
}
