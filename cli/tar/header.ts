/**
 * The 512 bytes of a tar's header: where its fields are, and how numbers stand in them.
 *
 * Layer: cli, bottom, under `frames.ts`, `sparse.ts`, `read.ts` and `write.ts`.
 *
 * @module
 */
import { textOf } from "./pax.ts";

/** Bytes of a header, and of the grid that everything stands on. */
export const BLOCK_BYTES = 512;

/** Where the fields of a header are. */
export const FIELD = {
  NAME: [0, 100],
  MODE: [100, 8],
  UID: [108, 8],
  GID: [116, 8],
  SIZE: [124, 12],
  MTIME: [136, 12],
  CHECKSUM: [148, 8],
  TYPE: 156,
  LINK_NAME: [157, 100],
  MAGIC: [257, 6],
  MAJOR: [329, 8],
  MINOR: [337, 8],
  PREFIX: [345, 155],
} as const;

/** The bytes of a field, as far as a NUL. */
export function bytesIn(header: Uint8Array, [at, length]: readonly [number, number]): Uint8Array {
  return untilNul(header.slice(at, at + length));
}

/** The bytes before the first NUL. */
export function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** A number in octal digits, or in GNU's binary form, which may be negative; NaN for neither. */
export function numberIn(header: Uint8Array, [at, length]: readonly [number, number]): number {
  const bytes = header.subarray(at, at + length);
  const first = bytes[0]!;
  if ((first & 0x80) !== 0) {
    const start = (first & 0x40) !== 0 ? first - 0x100 : first & 0x3f;
    return bytes.subarray(1).reduce((sum, byte) => sum * 256 + byte, start);
  }
  const text = textOf(untilNul(bytes)).text.trim();
  return /^[0-7]*$/.test(text) ? parseInt(text || "0", 8) : NaN;
}

/** The sum of a header's bytes, its own field read as spaces. */
export function checksumOf(header: Uint8Array): number {
  const [at, length] = FIELD.CHECKSUM;
  const own = header.subarray(at, at + length).reduce((sum, byte) => sum + byte, 0);
  return header.reduce((sum, byte) => sum + byte, 0) - own + length * 0x20;
}

/** Writes a number into a header in place, and the checksum anew. */
export function putNumber(
  header: Uint8Array,
  [at, length]: readonly [number, number],
  value: number,
): void {
  put(header, at, `${value.toString(8).padStart(length - 1, "0")}\0`);
  seal(header);
}

/** Whether that is the sum where bytes were taken for numbers with a sign, as some systems once did. */
export function isSumOfSigned(header: Uint8Array, sum: number): boolean {
  const [at, length] = FIELD.CHECKSUM;
  const isHigh = (byte: number, index: number): boolean =>
    byte > 127 && (index < at || index >= at + length);
  return sum === checksumOf(header) - 256 * header.filter(isHigh).length;
}

/** Writes the checksum anew. */
export function seal(header: Uint8Array): void {
  put(header, FIELD.CHECKSUM[0], `${checksumOf(header).toString(8).padStart(6, "0")}\0 `);
}

function put(header: Uint8Array, at: number, text: string): void {
  header.set(new TextEncoder().encode(text), at);
}
