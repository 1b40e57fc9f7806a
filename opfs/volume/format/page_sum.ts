/**
 * The sum of a page: CRC-32's register, started at 0 and not inverted at the end.
 *
 * Layer: opfs/volume, bottom. It is kept for each 4,096 bytes of slots and names, for the targets of
 * links and for the values of attributes that are in blocks. Zeros give 0, so a fresh table with
 * zeroed sums is right. Use: `pageSum(bytes)`; `putRight(bytes, sum)` turns one bit back.
 *
 * CRC-32 has distance 4 up to 91,607 bits: no two turned bits are ever taken for one, and the
 * difference of a sum says where it is.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import { crc32, turnedBit } from "./checksum.ts";

/** Bytes of a longer piece are looked at, but not put right. */
export const MENDED_BYTES_MAX = 11_446;

/** What the register is like before the inversion of `crc32`. */
const ZERO_REGISTER = 0xffffffff;

/** The sum of `bytes[from..to)`. Test vector: the nine bytes of `"123456789"` give 0x2DFD2D88. */
export function pageSum(bytes: Uint8Array, from = 0, to: number = bytes.length): number {
  return ~crc32(bytes, from, to, ZERO_REGISTER) >>> 0;
}

/** Whether all words of a page are 0; then its sum is, without a look at the bytes. */
export function isZeroPage(words: Uint32Array, from: number, to: number): boolean {
  for (let index = from; index < to; index++) if (words[index] !== 0) return false;
  return true;
}

/** What a sum says of bytes. */
export type Verdict =
  /** They are right. */
  | "right"
  /** One bit of them was turned, and has been turned back. */
  | "bit"
  /** One bit of the sum itself is turned. */
  | "sum"
  /** More is wrong; nothing has been changed. */
  | "wrong";

/** Compares bytes with their sum, and turns one bit back if that makes them agree. */
export function putRight(bytes: Uint8Array, sum: number): Verdict {
  const difference = (pageSum(bytes) ^ sum) >>> 0;
  if (difference === 0) return "right";
  if (bytes.length > MENDED_BYTES_MAX) return "wrong";
  if ((difference & difference - 1) === 0) return "sum";
  const bit = turnedBit(difference, bytes.length);
  if (bit < 0) return "wrong";
  bytes[bit >> 3]! ^= 1 << (bit & 7);
  invariant(pageSum(bytes) === sum, "V16: bit {} is turned back, and the sum is another one", bit);
  return "bit";
}
