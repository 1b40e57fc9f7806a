/**
 * What the witness said was synced, against what is on the volume after the server was killed.
 *
 * What was said to be synced and not said to be changed since has to be there, to the byte. What was
 * being changed may be as before or as after; a file that is replaced by rename is one of its
 * versions, whole.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";

/** Bytes of a page that is stamped. */
export const PAGE_BYTES = 4096;
/** How many there are. */
export const PAGES = 64;

/** What the witness says. */
export type Line =
  | { kind: "begun" }
  | { kind: "file"; name: string; sum: string }
  | { kind: "removing" | "removed"; name: string }
  | { kind: "appended"; count: number }
  | { kind: "replacing" | "replaced"; version: number }
  | { kind: "stamping" | "stamped"; page: number; stamp: number };

/** Bytes that cannot be taken for others: a line with the index, again and again. */
export function recordBytes(index: number, sizeBytes: number): Uint8Array {
  const line = `record ${index} of the witness\n`;
  const text = line.repeat(Math.ceil(sizeBytes / line.length));
  return new TextEncoder().encode(text).subarray(0, sizeBytes);
}

/** How long a record of the ledger is. */
export function ledgerBytes(index: number): number {
  return 100 + index * 7919 % 5000;
}

/** A page full of one number. */
export function stampedPage(stamp: number): Uint8Array {
  return new Uint8Array(new Uint32Array(PAGE_BYTES / 4).fill(stamp).buffer);
}

/** The checksum of bytes. */
export function sumOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Looks at a folder; returns how many things that were synced are there, or throws. */
export function verifyTestimony(folder: string, log: string): number {
  const lines = readLines(log);
  if (lines.length === 0) return 0;
  return verifyFiles(folder, lines) + verifyLedger(folder, lines) + verifySlot(folder, lines) +
    verifyPages(folder, lines);
}

/** The last line may be cut short; it says nothing then. */
function readLines(log: string): Line[] {
  if (!existsSync(log)) return [];
  return readFileSync(log, "utf8").split("\n").slice(0, -1).map((line) => JSON.parse(line) as Line);
}

function verifyFiles(folder: string, lines: readonly Line[]): number {
  const sums = new Map<string, string | null>();
  for (const line of lines) {
    if (line.kind === "file") sums.set(line.name, line.sum);
    else if (line.kind === "removing") sums.delete(line.name);
    else if (line.kind === "removed") sums.set(line.name, null);
  }
  for (const [name, sum] of sums) {
    const path = `${folder}/${name}`;
    if (sum === null && existsSync(path)) throw new Error(`"${path}" was removed, and is there`);
    if (sum !== null && sumOf(readFileSync(path)) !== sum) {
      throw new Error(`"${path}" was synced, and is something else`);
    }
  }
  return sums.size;
}

function verifyLedger(folder: string, lines: readonly Line[]): number {
  const count = last(lines, (line) => line.kind === "appended" ? line.count : null) ?? 0;
  if (count === 0) return 0;
  const bytes = readFileSync(`${folder}/ledger`);
  let at = 0;
  for (let index = 0; index < count; index++) {
    const record = recordBytes(index, ledgerBytes(index));
    const found = bytes.subarray(at, at + record.length);
    if (Buffer.compare(found, record) !== 0) {
      throw new Error(`"${folder}/ledger" is not what was appended, at record ${index}`);
    }
    at += record.length;
  }
  return count;
}

function verifySlot(folder: string, lines: readonly Line[]): number {
  const from = last(lines, (line) => line.kind === "replaced" ? line.version : null);
  if (from === null) return 0;
  const to = last(lines, (line) => line.kind === "replacing" ? line.version : null) ?? from;
  const sum = sumOf(readFileSync(`${folder}/slot`));
  for (let version = from; version <= to; version++) {
    if (sumOf(recordBytes(version, 20_000)) === sum) return 1;
  }
  throw new Error(`"${folder}/slot" is no version of ${from} to ${to}`);
}

function verifyPages(folder: string, lines: readonly Line[]): number {
  const stamps = new Map<number, number>();
  for (const line of lines) {
    if (line.kind === "stamping") stamps.delete(line.page);
    else if (line.kind === "stamped") stamps.set(line.page, line.stamp);
  }
  const bytes = readFileSync(`${folder}/pages`);
  for (const [page, stamp] of stamps) {
    const found = bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    if (Buffer.compare(found, stampedPage(stamp)) !== 0) {
      throw new Error(`page ${page} of "${folder}/pages" does not have stamp ${stamp}`);
    }
  }
  return stamps.size;
}

function last(lines: readonly Line[], pick: (line: Line) => number | null): number | null {
  for (let index = lines.length - 1; index >= 0; index--) {
    const found = pick(lines[index]!);
    if (found !== null) return found;
  }
  return null;
}
