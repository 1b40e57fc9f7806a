/**
 * Tars for tests: entries as bytes, good ones and hostile ones.
 *
 * Layer: tests. Use: `tarOf([{ name: "a", body: "contents" }, { name: "l", type: "2", link: "a" }])`.
 *
 * @module
 */
import { encodePax, type PaxRecords } from "../../cli/tar/pax.ts";

/** An entry. */
export interface Entry {
  /** Its name. */
  name: string | Uint8Array;
  /** Its type flag; "0" unless said. */
  type?: string;
  /** What it contains. */
  body?: string | Uint8Array;
  /** What it points to. */
  link?: string;
  /** Records of an extended header before it. */
  pax?: Record<string, string | Uint8Array>;
  /** Numbers of the header: mode, uid, gid, mtime, major, minor. */
  numbers?: Partial<Record<keyof typeof NUMBERS, number>>;
  /** Of a file in the oldest sparse format: where its data is, and its length with the holes. */
  oldMap?: { pieces: readonly { at: number; length: number }[]; sizeBytes: number };
}

const NUMBERS = {
  mode: [100, 8, 0o644],
  uid: [108, 8, 0],
  gid: [116, 8, 0],
  mtime: [136, 12, 1_000_000_000],
  major: [329, 8, 0],
  minor: [337, 8, 0],
} as const;
const encoder = new TextEncoder();

/** The whole archive. */
export function tarOf(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  return joined([...entries.flatMap(entryBytes), new Uint8Array(1024)]);
}

/** A file in GNU's oldest sparse format; each piece is `x` as often as it is long. */
export function oldSparse(
  name: string,
  { pieces, sizeBytes }: { pieces: readonly { at: number; length: number }[]; sizeBytes: number },
): Entry {
  const body = "x".repeat(pieces.reduce((sum, { length }) => sum + length, 0));
  return { name, type: "S", body, oldMap: { pieces, sizeBytes } };
}

/** The blocks of one entry. */
export function entryBytes(entry: Entry): Uint8Array[] {
  const { body = "", pax } = entry;
  const before = pax === undefined ? [] : entryBytes({
    name: "PaxHeaders/x",
    type: "x",
    body: encodePax(recordsOf(pax)),
  });
  const bytes = bytesOf(body);
  return [...before, headerOf(entry, bytes.length), ...moreOf(entry), padded(bytes)];
}

function recordsOf(pax: NonNullable<Entry["pax"]>): PaxRecords {
  return new Map(Object.entries(pax).map(([key, value]) => [key, bytesOf(value)]));
}

/** The blocks after the header of such a file: 21 pieces in each. */
function moreOf({ oldMap }: Entry): Uint8Array[] {
  const rest = oldMap?.pieces.slice(4) ?? [];
  return Array.from({ length: Math.ceil(rest.length / 21) }, (_, index) => {
    const block = new Uint8Array(512);
    const hasMore = rest.length > (index + 1) * 21;
    putPieces(block, rest.slice(index * 21, (index + 1) * 21), { at: 0, hasMoreAt: 504, hasMore });
    return block;
  });
}

function putPieces(
  block: Uint8Array,
  pieces: readonly { at: number; length: number }[],
  { at, hasMoreAt, hasMore }: { at: number; hasMoreAt: number; hasMore: boolean },
): void {
  pieces.forEach((piece, index) => {
    put(block, at + index * 24, octal(piece.at, 12) + octal(piece.length, 12));
  });
  if (hasMore) block[hasMoreAt] = 1;
}

function headerOf(entry: Entry, size: number): Uint8Array {
  const { name, type = "0", link = "", numbers = {} } = entry;
  const header = new Uint8Array(512);
  header.set(bytesOf(name).subarray(0, 100));
  for (const key of Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]) {
    const [at, length, usual] = NUMBERS[key];
    put(header, at, octal(numbers[key] ?? usual, length));
  }
  put(header, 124, octal(size, 12));
  put(header, 156, type);
  put(header, 157, link);
  put(header, 257, "ustar\x0000");
  if (entry.oldMap !== undefined) {
    const { pieces, sizeBytes } = entry.oldMap;
    put(header, 257, "ustar  \0");
    putPieces(header, pieces.slice(0, 4), { at: 386, hasMoreAt: 482, hasMore: pieces.length > 4 });
    put(header, 483, octal(sizeBytes, 12));
  }
  put(header, 148, " ".repeat(8));
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(header, 148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return header;
}

function octal(value: number, length: number): string {
  return `${value.toString(8).padStart(length - 1, "0")}\0`;
}

function put(header: Uint8Array, at: number, text: string): void {
  header.set(encoder.encode(text), at);
}

function bytesOf(value: string | Uint8Array): Uint8Array {
  return typeof value === "string" ? encoder.encode(value) : value;
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.ceil(bytes.length / 512) * 512);
  whole.set(bytes);
  return whole;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
