/**
 * The extended headers of POSIX.1-2001, as bytes: what a tar says of an entry that its 512 bytes
 * have no room for.
 *
 * Layer: cli, bottom. modern-tar reads them as text; values of extended attributes are not always
 * that, so they are kept as bytes here. A file's time is a decimal number of seconds.
 *
 * @module
 */
import { ErrnoError } from "../../mod.ts";
import { nameFrom, shownName } from "./names.ts";

/** Records by their keyword. */
export type PaxRecords = Map<string, Uint8Array>;

/** What stands before the name of an extended attribute. */
const XATTR_PREFIX = "SCHILY.xattr.";
const encoder = new TextEncoder();

/** Bytes as text; what is no UTF-8 byte by byte as `%FF`. */
export function textOf(bytes: Uint8Array): { text: string; isExact: boolean } {
  const name = nameFrom(bytes);
  return { text: shownName(name), isExact: name.isWellFormed() };
}

/** GNU's sparse format 0.0 says these once for each piece: one after the other they are the map of 0.1. */
const MAP_KEYS: ReadonlySet<string> = new Set(["GNU.sparse.offset", "GNU.sparse.numbytes"]);

/**
 * The records of an extended header.
 *
 * @throws {ErrnoError} EIO for one that is damaged
 */
export function parsePax(bytes: Uint8Array): PaxRecords {
  const records: PaxRecords = new Map();
  const map: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? "" : textOf(bytes.subarray(at, space)).text;
    const end = at + Number(digits);
    const equals = bytes.indexOf(0x3d, space);
    const isWhole = /^[1-9]\d{0,8}$/.test(digits) && end <= bytes.length &&
      bytes[end - 1] === 0x0a && equals > space && equals < end;
    if (!isWhole) {
      throw new ErrnoError("EIO", "read the tar", { why: "an extended header is damaged" });
    }
    const key = textOf(bytes.subarray(space + 1, equals)).text;
    const value = bytes.slice(equals + 1, end - 1);
    if (MAP_KEYS.has(key)) map.push(textOf(value).text);
    else records.set(key, value);
    at = end;
  }
  if (map.length > 0) records.set("GNU.sparse.map", encoder.encode(map.join(",")));
  return records;
}

/** Records as the bytes of an extended header. */
export function encodePax(records: PaxRecords): Uint8Array<ArrayBuffer> {
  const parts = [...records].map(([key, value]) => recordOf(encoder.encode(`${key}=`), value));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The length counts its own digits. */
function recordOf(key: Uint8Array, value: Uint8Array): Uint8Array {
  const bare = key.length + value.length + 2;
  let length = bare + String(bare).length;
  if (bare + String(length).length > length) length++;
  const digits = encoder.encode(`${length} `);
  const record = new Uint8Array(length);
  record.set(digits);
  record.set(key, digits.length);
  record.set(value, digits.length + key.length);
  record[length - 1] = 0x0a;
  return record;
}

/** A time in ms as decimal seconds, with as many digits as distinguish it from its neighbours. */
export function secondsOf(timeMs: number): string {
  const whole = Math.floor(timeMs / 1000);
  const rest = timeMs - whole * 1000;
  if (rest === 0) return String(whole);
  // A negative time counts up to the second above it: -1.5 is one second and a half before.
  const [above, fractionMs] = whole < 0 ? [whole + 1, 1000 - rest] : [whole, rest];
  const digits = Math.round(fractionMs * 1e6).toString().padStart(9, "0").replace(/0+$/, "");
  if (digits.length > 9) return String(Math.round(timeMs / 1000));
  const sign = whole < 0 && above === 0 ? "-" : "";
  return digits === "" ? `${sign}${above}` : `${sign}${above}.${digits}`;
}

/** Decimal seconds as ms; null for what is no time. */
export function timeOf(seconds: string): number | null {
  const match = /^(-?)(\d{1,13})(?:\.(\d*))?$/.exec(seconds);
  if (match === null) return null;
  const fractionMs = Number(`0.${match[3] ?? ""}0`) * 1000;
  const timeMs = Number(match[2]) * 1000 + fractionMs;
  return match[1] === "-" ? 0 - timeMs : timeMs;
}

/** The extended attributes among the records. */
export function xattrsIn(records: PaxRecords): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const [key, value] of records) {
    if (!key.startsWith(XATTR_PREFIX)) continue;
    const name = key.slice(XATTR_PREFIX.length).replace(/%3D/g, "=").replace(/%25/g, "%");
    found.set(name, value);
  }
  return found;
}

/** The keyword of an extended attribute: `=` ends a keyword, so GNU tar writes `%3D` for it. */
export function xattrKey(name: string): string {
  return XATTR_PREFIX + name.replace(/%/g, "%25").replace(/=/g, "%3D");
}
