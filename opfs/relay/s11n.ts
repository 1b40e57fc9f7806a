/**
 * s11n: typed values in bytes, as section 6 of docs/PROTOCOL.md has them.
 *
 * Layer: relay. One byte of count, one type id per value, then the values in order, little-endian
 * and without padding: 1 number (float64), 2 bigint (int64), 3 boolean (int32), 4 string (int32
 * length in bytes, then UTF-8). For control calls and error texts; file data never passes here.
 *
 * Use: `const end = writeValues([1, "two"], bytes, { at: 0, end: bytes.length })`, then
 * `readValues(bytes, { at: 0, end })`.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import { type ByteRange, decodeUtf8, encodeUtf8 } from "../../abi/utf8.ts";

/** What can travel. */
export type Value = number | bigint | boolean | string;

const TYPE = { number: 1, bigint: 2, boolean: 3, string: 4 } as const;
const MAX_VALUES = 255;

/**
 * Writes the values and returns the byte after them.
 *
 * @throws {ErrnoError} EMSGSIZE if they do not fit or are more than 255; EILSEQ for a lone
 * surrogate; EINVAL for a value of another type, or a bigint past 64 bits
 */
export function writeValues(
  values: readonly Value[],
  bytes: Uint8Array,
  range: ByteRange,
): number {
  let at = range.at + 1 + values.length;
  if (values.length > MAX_VALUES || at > range.end) throw tooLong();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  bytes[range.at] = values.length;
  for (const [index, value] of values.entries()) {
    const type = TYPE[typeof value as keyof typeof TYPE];
    if (type === undefined) throw new ErrnoError("EINVAL", `send a ${typeof value}`);
    bytes[range.at + 1 + index] = type;
    at = writeValue(value, { bytes, view }, { at, end: range.end });
  }
  return at;
}

/**
 * The values in a range.
 *
 * @throws {ErrnoError} EINVAL for an unknown type or a value that ends past the range; EILSEQ for a
 * text that is not UTF-8
 */
export function readValues(bytes: Uint8Array, range: ByteRange): Value[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = range.at < range.end ? bytes[range.at]! : 0;
  const values: Value[] = [];
  const cursor = { at: range.at + 1 + count, end: range.end };
  if (range.at < range.end && cursor.at > range.end) throw cutOff();
  for (let index = 0; index < count; index++) {
    values.push(readValue(bytes[range.at + 1 + index]!, { bytes, view }, cursor));
  }
  return values;
}

interface Target {
  bytes: Uint8Array;
  view: DataView;
}

function writeValue(value: Value, { bytes, view }: Target, { at, end }: ByteRange): number {
  const fixed = typeof value === "number" || typeof value === "bigint" ? 8 : 4;
  if (at + fixed > end) throw tooLong();
  if (typeof value === "number") view.setFloat64(at, value, true);
  else if (typeof value === "bigint") view.setBigInt64(at, checkedBig(value), true);
  else if (typeof value === "boolean") view.setInt32(at, value ? 1 : 0, true);
  else return writeText(value, { bytes, view }, { at, end });
  return at + fixed;
}

function writeText(text: string, { bytes, view }: Target, { at, end }: ByteRange): number {
  const from = at + 4;
  let to: number;
  try {
    to = encodeUtf8(text, bytes, { at: from, end });
  } catch (error) {
    throw (error as ErrnoError).code === "ENAMETOOLONG" ? tooLong() : error;
  }
  view.setInt32(at, to - from, true);
  return to;
}

function readValue(type: number, { bytes, view }: Target, cursor: ByteRange): Value {
  const at = cursor.at;
  cursor.at += type === TYPE.number || type === TYPE.bigint ? 8 : 4;
  if (cursor.at > cursor.end) throw cutOff();
  if (type === TYPE.number) return view.getFloat64(at, true);
  if (type === TYPE.bigint) return view.getBigInt64(at, true);
  if (type === TYPE.boolean) return view.getInt32(at, true) !== 0;
  if (type !== TYPE.string) throw new ErrnoError("EINVAL", `read a value of type ${type}`);
  const length = view.getInt32(at, true);
  const from = cursor.at;
  if (length < 0 || from + length > cursor.end) throw cutOff();
  cursor.at = from + length;
  return decodeUtf8(bytes, { at: from, end: cursor.at });
}

function checkedBig(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw new ErrnoError("EINVAL", `send ${value}`);
  return value;
}

function tooLong(): ErrnoError {
  return new ErrnoError("EMSGSIZE", "send values that do not fit");
}

function cutOff(): ErrnoError {
  return new ErrnoError("EINVAL", "read values that are cut off");
}
