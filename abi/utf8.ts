/**
 * UTF-8 by hand: how long a text is, into bytes, out of bytes.
 *
 * Layer: abi, pure. TextEncoder and TextDecoder refuse shared memory in browsers, replace a lone
 * surrogate silently, and cost more than a name of some forty letters is worth. All three functions
 * are strict: what is not UTF-8, or has no UTF-8, is reported.
 *
 * Use: `const end = encodeUtf8("notes", bytes, { at: 0, end: bytes.length })`.
 *
 * @module
 */
import { ErrnoError } from "./errno.ts";

/** A piece of a buffer, in bytes: from `at` up to and without `end`. */
export interface ByteRange {
  /** First byte. */
  at: number;
  /** The byte after the last. */
  end: number;
}

/** Bytes of the text in UTF-8, or -1 if a surrogate stands alone. */
export function utf8Length(text: string): number {
  let size = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) size += 1;
    else if (unit < 0x800) size += 2;
    else if (!isSurrogate(unit)) size += 3;
    else {
      if (!isPair(unit, text.charCodeAt(index + 1))) return -1;
      size += 4;
      index++;
    }
  }
  return size;
}

/**
 * Writes `text` and returns the byte after it.
 *
 * @throws {ErrnoError} EILSEQ for a lone surrogate, ENAMETOOLONG if it does not fit
 */
export function encodeUtf8(text: string, bytes: Uint8Array, range: ByteRange): number {
  let at = range.at;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    const length = unit < 0x80 ? 1 : unit < 0x800 ? 2 : isSurrogate(unit) ? 4 : 3;
    if (length === 4) assertPair(unit, text.charCodeAt(index + 1));
    if (at + length > range.end) {
      throw new ErrnoError("ENAMETOOLONG", "encode a text of this length");
    }
    if (length === 1) bytes[at] = unit;
    else if (length < 4) putUnit(unit, bytes, at);
    else putPair(unit, text.charCodeAt(++index), bytes, at);
    at += length;
  }
  return at;
}

/**
 * The text in a range of bytes. The bytes may change while they are read: then the text is some
 * other well-formed text, or EILSEQ.
 *
 * @throws {ErrnoError} EILSEQ for what is not UTF-8
 */
export function decodeUtf8(bytes: Uint8Array, range: ByteRange): string {
  let text = "";
  for (let at = range.at; at < range.end;) {
    const lead = bytes[at]!;
    const length = lead < 0x80
      ? 1
      : lead >= 0xc2 && lead < 0xe0
      ? 2
      : lead >= 0xe0 && lead < 0xf0
      ? 3
      : lead >= 0xf0 && lead < 0xf5
      ? 4
      : 0;
    if (length === 0 || at + length > range.end) throw malformed();
    text += length === 1 ? String.fromCharCode(lead) : wide(bytes, at, { lead, length });
    at += length;
  }
  return text;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xe000;
}

function putUnit(unit: number, bytes: Uint8Array, at: number): void {
  if (unit < 0x800) {
    bytes[at] = 0xc0 | unit >> 6;
    bytes[at + 1] = 0x80 | unit & 0x3f;
    return;
  }
  bytes[at] = 0xe0 | unit >> 12;
  bytes[at + 1] = 0x80 | unit >> 6 & 0x3f;
  bytes[at + 2] = 0x80 | unit & 0x3f;
}

function isPair(high: number, low: number): boolean {
  return high < 0xdc00 && low >= 0xdc00 && low < 0xe000;
}

function assertPair(high: number, low: number): void {
  if (!isPair(high, low)) throw new ErrnoError("EILSEQ", "encode a lone surrogate");
}

function putPair(high: number, low: number, bytes: Uint8Array, at: number): void {
  const point = 0x10000 + (high - 0xd800) * 0x400 + (low - 0xdc00);
  bytes[at] = 0xf0 | point >> 18;
  bytes[at + 1] = 0x80 | point >> 12 & 0x3f;
  bytes[at + 2] = 0x80 | point >> 6 & 0x3f;
  bytes[at + 3] = 0x80 | point & 0x3f;
}

/** The character of two, three or four bytes at `at`. */
function wide(
  bytes: Uint8Array,
  at: number,
  { lead, length }: { lead: number; length: number },
): string {
  let point = lead & (0xff >> (length + 1));
  for (let next = at + 1; next < at + length; next++) {
    const byte = bytes[next]!;
    if ((byte & 0xc0) !== 0x80) throw malformed();
    point = point << 6 | byte & 0x3f;
  }
  const least = length === 2 ? 0x80 : length === 3 ? 0x800 : 0x10000;
  if (point < least || point > 0x10ffff || isSurrogate(point)) throw malformed();
  return String.fromCodePoint(point);
}

function malformed(): ErrnoError {
  return new ErrnoError("EILSEQ", "decode bytes that are not UTF-8");
}
