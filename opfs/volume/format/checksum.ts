/**
 * CRC-32 as zlib computes it (polynomial 0xEDB88320, reflected): the checksum of superblock,
 * headers and journal records; and CRC-32C (0x82F63B78), the second one of a record.
 *
 * Layer: opfs/volume, bottom. Sixteen bytes a step through sixteen tables, because a commit's record is
 * checksummed on the way to every fsync; both checksums of a record are taken in one pass, and the
 * zeros at its end cost eight look-ups, or as many for each power of two. What is summed in each call is read by
 * words of a DataView. The tables are constants of this module and hold signed numbers: then a compiler
 * needs neither to look at their bounds nor to box what is in them.
 *
 * Use: `crc32(bytes, 0, 60)`; ranges are joined by passing the first range's result as `seed` of the
 * next. `bothPadded` for a record.
 *
 * @module
 */

import { invariant } from "../../../abi/invariant.ts";
import * as L from "./layout.ts";

const STEP_BYTES = 16;
/** CRC-32's polynomial, reflected. */
const CRC32_POLYNOMIAL = 0xedb88320;
const T: Int32Array<ArrayBuffer> = makeTables(CRC32_POLYNOMIAL);
const C: Int32Array<ArrayBuffer> = makeTables(0x82f63b78);
/** So many times sixteen zeros have a row each: the record of a small call is 512 bytes. */
const SHORT_BITS = 5;
const SHORT: number = 1 << SHORT_BITS;
/** Entries of a row: eight half bytes of a register, 16 values each. */
const ROW = 8 * 16;
const ROWS: Int32Array<ArrayBuffer> = makeRows(T);
const ROWS_C: Int32Array<ArrayBuffer> = makeRows(C);

/** Table n, of 256 entries, says what becomes of a byte that n bytes follow. */
function makeTables(polynomial: number): Int32Array<ArrayBuffer> {
  const made = new Int32Array(STEP_BYTES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? value >>> 1 ^ polynomial : value >>> 1;
    made[byte] = value;
  }
  for (let at = 256; at < made.length; at++) {
    const before = made[at - 256]!;
    made[at] = before >>> 8 ^ made[before & 0xff]!;
  }
  return made;
}

function requireBytes(bytes: Uint8Array, from: number, to: number): void {
  invariant(
    from >= 0 && from <= to && to <= bytes.length,
    "V10: a checksum of bytes that are not there",
  );
}

/**
 * CRC-32 of `bytes[from..to)` as an unsigned 32-bit number; `seed` is the CRC of what came before.
 *
 * Test vector: the nine bytes of `"123456789"` give 0xCBF43926.
 */
export function crc32(bytes: Uint8Array, from = 0, to: number = bytes.length, seed = 0): number {
  requireBytes(bytes, from, to);
  let crc = ~seed;
  let at = from;
  for (const end = to - 15; at < end; at += STEP_BYTES) {
    const low = crc ^
      (bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24);
    crc = T[3840 + (low & 0xff)]! ^ T[3584 + (low >>> 8 & 0xff)]! ^
      T[3328 + (low >>> 16 & 0xff)]! ^ T[3072 + (low >>> 24)]! ^
      T[2816 + bytes[at + 4]!]! ^ T[2560 + bytes[at + 5]!]! ^
      T[2304 + bytes[at + 6]!]! ^ T[2048 + bytes[at + 7]!]! ^
      T[1792 + bytes[at + 8]!]! ^ T[1536 + bytes[at + 9]!]! ^
      T[1280 + bytes[at + 10]!]! ^ T[1024 + bytes[at + 11]!]! ^
      T[768 + bytes[at + 12]!]! ^ T[512 + bytes[at + 13]!]! ^
      T[256 + bytes[at + 14]!]! ^ T[bytes[at + 15]!]!;
  }
  for (; at < to; at++) crc = crc >>> 8 ^ T[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}

/**
 * CRC-32C, used as {@link crc32}. Test vector: the nine bytes of `"123456789"` give 0xE3069283.
 */
export function crc32c(bytes: Uint8Array, from = 0, to: number = bytes.length, seed = 0): number {
  requireBytes(bytes, from, to);
  let crc = ~seed;
  let at = from;
  for (const end = to - 15; at < end; at += STEP_BYTES) {
    const low = crc ^
      (bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24);
    crc = C[3840 + (low & 0xff)]! ^ C[3584 + (low >>> 8 & 0xff)]! ^
      C[3328 + (low >>> 16 & 0xff)]! ^ C[3072 + (low >>> 24)]! ^
      C[2816 + bytes[at + 4]!]! ^ C[2560 + bytes[at + 5]!]! ^
      C[2304 + bytes[at + 6]!]! ^ C[2048 + bytes[at + 7]!]! ^
      C[1792 + bytes[at + 8]!]! ^ C[1536 + bytes[at + 9]!]! ^
      C[1280 + bytes[at + 10]!]! ^ C[1024 + bytes[at + 11]!]! ^
      C[768 + bytes[at + 12]!]! ^ C[512 + bytes[at + 13]!]! ^
      C[256 + bytes[at + 14]!]! ^ C[bytes[at + 15]!]!;
  }
  for (; at < to; at++) crc = crc >>> 8 ^ C[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}

/** Both checksums of a record. */
export interface Checksums {
  /** CRC-32, with the second one at its place. */
  crc32: number;
  /** CRC-32C, with zeros at the place of both. */
  crc32c: number;
}

/**
 * A record: bytes, and zeros from `end` to `length`, a multiple of 16; the place of its second checksum,
 * the second word of sixteen bytes, is zero.
 */
export interface PaddedBytes {
  /** Where zeros begin. */
  end: number;
  /** Where they end. */
  length: number;
  /** Where the CRC-32C will stand, and count for the CRC-32. */
  placeC: number;
}

/** CRC-32 of bytes whose last ones, from `end` to `length`, are zeros; `length` is a multiple of 16. */
export function crc32Padded(view: DataView, end: number, length: number): number {
  const whole = requirePadded(view, end, length);
  return ~afterSteps(ROWS, register(view, 0, whole, -1), length - whole >>> 4) >>> 0;
}

/** Both checksums of a record, in one pass over the bytes before its zeros. */
export function bothPadded(
  view: DataView,
  into: Checksums,
  { end, length, placeC }: PaddedBytes,
): void {
  const whole = requirePadded(view, end, length);
  const isPlace = placeC >= 0 && placeC + 4 <= end && placeC % STEP_BYTES === 4;
  invariant(isPlace, "V10: a second checksum at {} of {}", placeC, end);
  let one = -1;
  let other = -1;
  for (let at = 0; at < whole; at += STEP_BYTES) {
    const word = view.getInt32(at, L.LE);
    const next = view.getInt32(at + 4, L.LE);
    const third = view.getInt32(at + 8, L.LE);
    const last = view.getInt32(at + 12, L.LE);
    const a = one ^ word;
    const b = other ^ word;
    const b4 = next & 0xff;
    const b5 = next >>> 8 & 0xff;
    const b6 = next >>> 16 & 0xff;
    const b7 = next >>> 24;
    const b8 = third & 0xff;
    const b9 = third >>> 8 & 0xff;
    const bA = third >>> 16 & 0xff;
    const bB = third >>> 24;
    const bC = last & 0xff;
    const bD = last >>> 8 & 0xff;
    const bE = last >>> 16 & 0xff;
    const bF = last >>> 24;
    one = T[3840 + (a & 0xff)]! ^ T[3584 + (a >>> 8 & 0xff)]! ^
      T[3328 + (a >>> 16 & 0xff)]! ^ T[3072 + (a >>> 24)]! ^
      T[2816 + b4]! ^ T[2560 + b5]! ^ T[2304 + b6]! ^ T[2048 + b7]! ^
      T[1792 + b8]! ^ T[1536 + b9]! ^ T[1280 + bA]! ^ T[1024 + bB]! ^
      T[768 + bC]! ^ T[512 + bD]! ^ T[256 + bE]! ^ T[bF]!;
    other = C[3840 + (b & 0xff)]! ^ C[3584 + (b >>> 8 & 0xff)]! ^
      C[3328 + (b >>> 16 & 0xff)]! ^ C[3072 + (b >>> 24)]! ^
      C[2816 + b4]! ^ C[2560 + b5]! ^ C[2304 + b6]! ^ C[2048 + b7]! ^
      C[1792 + b8]! ^ C[1536 + b9]! ^ C[1280 + bA]! ^ C[1024 + bB]! ^
      C[768 + bC]! ^ C[512 + bD]! ^ C[256 + bE]! ^ C[bF]!;
  }
  const zeros = length - whole >>> 4;
  const second = ~afterSteps(ROWS_C, other, zeros);
  into.crc32c = second >>> 0;
  // A CRC is linear: four bytes that stood for zeros change it by what they become on the way to the end.
  const change = afterSteps(ROWS, fourBytesAndEight(second), length - placeC - 12 >>> 4);
  into.crc32 = ~(afterSteps(ROWS, one, zeros) ^ change) >>> 0;
}

/** Where the last sixteen bytes end that are not all among the zeros. */
function requirePadded(view: DataView, end: number, length: number): number {
  const isThere = end >= 0 && end <= length && length <= view.byteLength;
  invariant(isThere && length % STEP_BYTES === 0, "V10: a checksum of {} of {} bytes", end, length);
  return end + STEP_BYTES - 1 & -STEP_BYTES;
}

/** The register of CRC-32 after a little-endian number and eight zeros, from 0 on. */
function fourBytesAndEight(value: number): number {
  return T[2816 + (value & 0xff)]! ^ T[2560 + (value >>> 8 & 0xff)]! ^
    T[2304 + (value >>> 16 & 0xff)]! ^ T[2048 + (value >>> 24)]!;
}

/**
 * The register of CRC-32 after `view`'s bytes from `from` to `to`, a multiple of 16 of them. It is signed,
 * and it is taken from four words a step: for what is summed in each call.
 */
export function register(view: DataView, from: number, to: number, before: number): number {
  const isThere = from >= 0 && from <= to && to <= view.byteLength;
  invariant(isThere && (to - from) % STEP_BYTES === 0, "V16: a sum of bytes {} to {}", from, to);
  let crc = before;
  for (let at = from; at < to; at += STEP_BYTES) {
    const a = crc ^ view.getInt32(at, L.LE);
    const b = view.getInt32(at + 4, L.LE);
    const c = view.getInt32(at + 8, L.LE);
    const d = view.getInt32(at + 12, L.LE);
    crc = T[3840 + (a & 0xff)]! ^ T[3584 + (a >>> 8 & 0xff)]! ^
      T[3328 + (a >>> 16 & 0xff)]! ^ T[3072 + (a >>> 24)]! ^
      T[2816 + (b & 0xff)]! ^ T[2560 + (b >>> 8 & 0xff)]! ^
      T[2304 + (b >>> 16 & 0xff)]! ^ T[2048 + (b >>> 24)]! ^
      T[1792 + (c & 0xff)]! ^ T[1536 + (c >>> 8 & 0xff)]! ^
      T[1280 + (c >>> 16 & 0xff)]! ^ T[1024 + (c >>> 24)]! ^
      T[768 + (d & 0xff)]! ^ T[512 + (d >>> 8 & 0xff)]! ^
      T[256 + (d >>> 16 & 0xff)]! ^ T[d >>> 24]!;
  }
  return crc;
}

/** Whether all words from `from` to `to` are 0: then the register from 0 on stays 0. */
export function isZero(view: DataView, from: number, to: number): boolean {
  for (let at = from; at < to; at += 4) if (view.getInt32(at, L.LE) !== 0) return false;
  return true;
}

/** A register of CRC-32 after so many zeros; the sum of a page is one. */
export function afterZeros(before: number, count: number): number {
  invariant(count >= 0 && count <= 0xffff_ffff, "V10: a checksum of {} zeros", count);
  return afterBytes(T, afterSteps(ROWS, before, count >>> 4), count & 15);
}

/** A register after so many times sixteen zeros: those of a short record by one row, more by powers of two. */
function afterSteps(rows: Int32Array, before: number, count: number): number {
  let crc = moved(rows, (count & SHORT - 1) * ROW, before);
  for (let left = count >>> SHORT_BITS, at = SHORT * ROW; left !== 0; left >>>= 1, at += ROW) {
    if ((left & 1) !== 0) crc = moved(rows, at, crc);
  }
  return crc;
}

function afterBytes(t: Int32Array, register: number, count: number): number {
  let crc = register;
  for (let left = count; left > 0; left--) crc = crc >>> 8 ^ t[crc & 0xff]!;
  return crc;
}

function moved(rows: Int32Array, at: number, crc: number): number {
  return rows[at + (crc & 15)]! ^ rows[at + 16 + (crc >>> 4 & 15)]! ^
    rows[at + 32 + (crc >>> 8 & 15)]! ^ rows[at + 48 + (crc >>> 12 & 15)]! ^
    rows[at + 64 + (crc >>> 16 & 15)]! ^ rows[at + 80 + (crc >>> 20 & 15)]! ^
    rows[at + 96 + (crc >>> 24 & 15)]! ^ rows[at + 112 + (crc >>> 28)]!;
}

/** What becomes of each half byte of a register: by 0 to 31 times 16 zeros, then by 32, 64 ... times. */
function makeRows(t: Int32Array): Int32Array<ArrayBuffer> {
  const made = new Int32Array((SHORT + 28 - SHORT_BITS) * ROW);
  for (let row = 0; row * ROW < made.length; row++) {
    for (let bit = 0; bit < 32; bit++) {
      const half = row * ROW + (bit >> 2) * 16;
      const value = 1 << (bit & 3);
      const after = bitAfter(t, made, { bit: 1 << bit, row });
      for (let other = 0; other < value; other++) {
        made[half + value + other] = made[half + other]! ^ after;
      }
    }
  }
  return made;
}

/** What becomes of one bit, from the rows before. */
function bitAfter(t: Int32Array, made: Int32Array, place: { bit: number; row: number }): number {
  const { bit, row } = place;
  if (row === 0) return bit;
  if (row === 1) return afterBytes(t, bit, STEP_BYTES);
  if (row < SHORT) return moved(made, ROW, moved(made, (row - 1) * ROW, bit));
  const half = (row === SHORT ? SHORT / 2 : row - 1) * ROW;
  return moved(made, half, moved(made, half, bit));
}

/**
 * Which bit of `length` bytes makes that difference in their CRC-32, when it alone is turned: 8 x byte
 * and the bit in it; -1 for none. In fewer than 2^32 bits each has a difference of its own.
 */
export function turnedBit(difference: number, length: number): number {
  const isBounded = length >= 0 && length < 2 ** 29;
  invariant(isBounded, "V16: a turned bit is looked for in {} bytes", length);
  let register = CRC32_POLYNOMIAL | 0;
  const wanted = difference | 0;
  for (let fromEnd = 0; fromEnd < length * 8; fromEnd++) {
    // The last bit of the last byte comes first: each one before it is one step further.
    if (register === wanted) return (length - 1 - (fromEnd >> 3)) * 8 + 7 - (fromEnd & 7);
    register = (register & 1) !== 0 ? register >>> 1 ^ CRC32_POLYNOMIAL : register >>> 1;
  }
  return -1;
}
