/**
 * CRC-32 as zlib computes it (polynomial 0xEDB88320, reflected): the checksum of superblock,
 * headers and journal records; and CRC-32C (0x82F63B78), the second one of a record.
 *
 * Layer: opfs/volume, bottom. Eight bytes a step through eight tables, because a commit's record is
 * checksummed on the way to every fsync. Use: `crc32(bytes, 0, 60)`; ranges are joined by passing
 * the first range's result as `seed` of the next.
 *
 * @module
 */

import { invariant } from "../../../abi/invariant.ts";

const TABLES = 8;
/** CRC-32's polynomial, reflected. */
export const CRC32_POLYNOMIAL = 0xedb88320;
const tables: Uint32Array<ArrayBuffer> = makeTables(CRC32_POLYNOMIAL);
const tablesC: Uint32Array<ArrayBuffer> = makeTables(0x82f63b78);

function makeTables(polynomial: number): Uint32Array<ArrayBuffer> {
  const made = new Uint32Array(TABLES * 256);
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

/**
 * CRC-32 of `bytes[from..to)` as an unsigned 32-bit number; `seed` is the CRC of what came before.
 *
 * Test vector: the nine bytes of `"123456789"` give 0xCBF43926.
 */
export function crc32(bytes: Uint8Array, from = 0, to: number = bytes.length, seed = 0): number {
  return checksum(tables, bytes, { from, to, seed });
}

/**
 * CRC-32C, used as {@link crc32}. Test vector: the nine bytes of `"123456789"` give 0xE3069283.
 */
export function crc32c(bytes: Uint8Array, from = 0, to: number = bytes.length, seed = 0): number {
  return checksum(tablesC, bytes, { from, to, seed });
}

function checksum(
  t: Uint32Array<ArrayBuffer>,
  bytes: Uint8Array,
  { from, to, seed }: { from: number; to: number; seed: number },
): number {
  invariant(
    from >= 0 && from <= to && to <= bytes.length,
    "V10: a checksum of bytes that are not there",
  );
  let crc = ~seed;
  let at = from;
  for (const end = to - 7; at < end; at += 8) {
    const low = crc ^
      (bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24);
    crc = t[1792 + (low & 0xff)]! ^ t[1536 + (low >>> 8 & 0xff)]! ^
      t[1280 + (low >>> 16 & 0xff)]! ^ t[1024 + (low >>> 24)]! ^
      t[768 + bytes[at + 4]!]! ^ t[512 + bytes[at + 5]!]! ^
      t[256 + bytes[at + 6]!]! ^ t[bytes[at + 7]!]!;
  }
  for (; at < to; at++) crc = crc >>> 8 ^ t[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
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
