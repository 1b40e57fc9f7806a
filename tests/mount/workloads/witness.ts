/**
 * Changes files on a mount, syncs, and says on the host what was synced, until the mount dies.
 * `FOLDER LOG SEED`. `testimony.ts` reads the log, and compares it with what survived.
 *
 * A line is JSON: what will be tried is said before it is tried, what was synced when that has
 * returned. So of everything between two lines it is known what may be there afterwards.
 */
import { closeSync, fsyncSync, ftruncateSync, openSync, renameSync, unlinkSync } from "node:fs";
import { linkSync, mkdirSync, writeSync } from "node:fs";
import {
  ledgerBytes,
  type Line,
  PAGE_BYTES,
  PAGES,
  recordBytes,
  stampedPage,
  sumOf,
} from "./testimony.ts";
import { numbers } from "./workload.ts";

const [folder = "", log = "", seed = ""] = Deno.args;
const random = numbers(Number(seed));
const lines = openSync(log, "a");

function say(line: Line): void {
  writeSync(lines, `${JSON.stringify(line)}\n`);
}

function below(limit: number): number {
  return random.next().value % limit;
}

/** Opens or makes a file, changes it and syncs it. */
function synced(name: string, flags: string, change: (fd: number) => void): void {
  const fd = openSync(`${folder}/${name}`, flags);
  change(fd);
  fsyncSync(fd);
  closeSync(fd);
}

/** Makes what happened to names in the folder durable. */
function syncFolder(): void {
  const fd = openSync(folder, "r");
  fsyncSync(fd);
  closeSync(fd);
}

function writeAll(fd: number, bytes: Uint8Array, at: number | null = null): void {
  for (let done = 0; done < bytes.length;) {
    const place = at === null ? null : at + done;
    done += writeSync(fd, bytes, done, bytes.length - done, place);
  }
}

/** A new file, sometimes under another name first, sometimes with two names. */
function makeFile(index: number): void {
  const name = `file.${index}`;
  const bytes = recordBytes(index, below(100_000));
  const isMoved = index % 3 === 0;
  synced(isMoved ? `${name}.new` : name, "wx", (fd) => writeAll(fd, bytes));
  if (isMoved) renameSync(`${folder}/${name}.new`, `${folder}/${name}`);
  const names = [name];
  if (index % 4 === 0) {
    linkSync(`${folder}/${name}`, `${folder}/${name}.link`);
    names.push(`${name}.link`);
  }
  if (isMoved || names.length > 1) syncFolder();
  for (const each of names) say({ kind: "file", name: each, sum: sumOf(bytes) });
  if (index % 5 === 4) removeFile(`file.${index - 2}`);
}

function removeFile(name: string): void {
  say({ kind: "removing", name });
  unlinkSync(`${folder}/${name}`);
  syncFolder();
  say({ kind: "removed", name });
}

/** A file that only grows. */
function appendRecord(index: number): void {
  synced("ledger", "a", (fd) => writeAll(fd, recordBytes(index, ledgerBytes(index))));
  say({ kind: "appended", count: index + 1 });
}

/** A file that is always replaced as a whole. */
function replaceSlot(index: number): void {
  say({ kind: "replacing", version: index });
  synced("slot.new", "w", (fd) => writeAll(fd, recordBytes(index, 20_000)));
  renameSync(`${folder}/slot.new`, `${folder}/slot`);
  syncFolder();
  say({ kind: "replaced", version: index });
}

/** A file whose pages are written over in place. */
function stampPage(index: number): void {
  const page = below(PAGES);
  say({ kind: "stamping", page, stamp: index });
  synced("pages", "r+", (fd) => writeAll(fd, stampedPage(index), page * PAGE_BYTES));
  say({ kind: "stamped", page, stamp: index });
}

mkdirSync(folder);
synced("pages", "wx", (fd) => ftruncateSync(fd, PAGES * PAGE_BYTES));
say({ kind: "begun" });
for (let index = 0;; index++) {
  makeFile(index);
  appendRecord(index);
  replaceSlot(index);
  for (let count = 0; count < 3; count++) stampPage(index * 3 + count + 1);
}
