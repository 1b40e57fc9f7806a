/**
 * The scan of a version-1 image: every slot judged before anything is carried over.
 *
 * Layer: opfs/volume, under `version1/read.ts`. Memory: a few bytes for each slot, whatever the
 * lengths of paths and files. In order: names, second names, contents, overlaps, parents, bitmap.
 *
 * What would mix data is `"refused"`; in a repair it is resolved: of two slots with one path the
 * directory has it, else the later slot, as the peer shows it; files that share blocks are certain of
 * nothing and lose their names.
 *
 * @module
 */
import type { StorageHandle } from "../../device/handle.ts";
import * as L from "../format/layout.ts";
import type { Superblock } from "../format/superblock.ts";
import type { Findings, Severity } from "../upkeep/transfer.ts";
import { compareBitmap1 } from "./bitmap.ts";
import { measure } from "./contents.ts";
import { Runs } from "./extents.ts";
import { SLASH, type Slot } from "./format.ts";
import { CachedPages } from "./pages.ts";
import { PathIndex, PathReader } from "./paths.ts";

/** In a slot's state, besides its type in the low bits: its own path is its name. */
const NAMED = 8;
const TYPE_MASK = 7;

/** What a scan leaves for those who read the image. */
export interface Scan {
  /** Type of each slot, 0 for those that are free or unusable, and whether it is named. */
  states: Uint8Array;
  /** Slots by path. */
  index: PathIndex;
  /** Usable second names by the slot that they name. */
  links: Map<number, number[]>;
  /** Bytes of contents. */
  totalBytes: number;
}

/** Options of a scan. */
export interface ScanOptions {
  /** Whether what would be refused is resolved. */
  repair: boolean;
  /** Where findings are reported. */
  findings: Findings;
}

/** Judges every slot. */
export function scanVersion1(handle: StorageHandle, s: Superblock, options: ScanOptions): Scan {
  return new Scanner(handle, s, options).run();
}

/** The type of a slot; 0 when it is free or unusable. */
export function typeIn(states: Uint8Array, slot: number): number {
  return states[slot]! & TYPE_MASK;
}

/** Whether a slot's own path is its name. */
export function isNamed(states: Uint8Array, slot: number): boolean {
  return (states[slot]! & NAMED) !== 0;
}

/** Whether a type is that of something with contents. */
export function hasContents(type: number): boolean {
  return type === L.TYPE.FILE || type === L.TYPE.SYMLINK;
}

class Scanner {
  readonly #pages: CachedPages;
  readonly #superblock: Superblock;
  readonly #imageBytes: number;
  readonly #findings: Findings;
  /** How bad it is when data would be mixed, or is missing. */
  readonly #severities: { mixed: Severity; cut: Severity; unnamed: Severity };
  readonly #reader: PathReader;
  readonly #states: Uint8Array;
  readonly #index: PathIndex;
  readonly #links = new Map<number, number[]>();
  readonly #runs = new Runs();
  #totalBytes = 0;
  #pathEnd = 0;
  #isRootSeen = false;
  /** The parent that was found to be one last. */
  #goodParent: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  constructor(handle: StorageHandle, superblock: Superblock, { repair, findings }: ScanOptions) {
    this.#pages = new CachedPages(handle);
    this.#superblock = superblock;
    this.#imageBytes = handle.getSize();
    this.#findings = findings;
    this.#severities = repair
      ? { mixed: "changed", cut: "lost", unnamed: "changed" }
      : { mixed: "refused", cut: "refused", unnamed: "lost" };
    this.#reader = new PathReader(this.#pages, superblock);
    this.#states = new Uint8Array(superblock.inodeCount);
    const used = this.#readTypes();
    this.#index = new PathIndex(new PathReader(this.#pages, superblock), used);
  }

  run(): Scan {
    this.#eachSlot(() => true, (slot, record) => this.#nameSlot(slot, record));
    this.#eachSlot((type) => type === L.TYPE.LINK, (slot, record) => this.#linkSlot(slot, record));
    this.#eachSlot(hasContents, (slot, record) => this.#measureSlot(slot, record));
    this.#runs.eachOverlap((one, other, shared) => this.#reportShared(one, other, shared));
    this.#eachSlot(() => true, (slot, record) => this.#checkParents(slot, record));
    this.#eachSlot((type) => type === L.TYPE.LINK, (slot, record) => this.#dropLink(slot, record));
    this.#eachSlot(
      (type) => type !== L.TYPE.LINK,
      (slot, record) => this.#reportUnnamed(slot, record),
    );
    this.#reportWhole();
    return {
      states: this.#states,
      index: this.#index,
      links: this.#links,
      totalBytes: this.#totalBytes,
    };
  }

  /** Takes the types into memory and returns how many slots are in use. */
  #readTypes(): number {
    let used = 0;
    for (let slot = 0; slot < this.#states.length; slot++) {
      const { type } = this.#reader.slot(slot);
      if (type === L.TYPE.FREE) continue;
      used++;
      if (type <= L.TYPE.LINK) this.#states[slot] = type;
      else {this.#addFinding("slot-type", "lost", {
          slot,
          message: `it has the unknown type ${type}`,
        });}
    }
    return used;
  }

  #eachSlot(wanted: (type: number) => boolean, visit: (slot: number, record: Slot) => void): void {
    for (let slot = 0; slot < this.#states.length; slot++) {
      const type = typeIn(this.#states, slot);
      if (type !== L.TYPE.FREE && wanted(type)) visit(slot, this.#reader.slot(slot));
    }
  }

  #addFinding(
    code: string,
    severity: Severity,
    about: { message: string; slot?: number; path?: string },
  ): void {
    this.#findings.add({ code, severity, ...about });
  }

  #nameSlot(slot: number, record: Slot): void {
    const reader = this.#reader;
    if (reader.read(record) !== null) return;
    this.#pathEnd = Math.max(this.#pathEnd, record.pathOffset + record.pathLength);
    if (reader.length === 1) {
      if (record.type !== L.TYPE.DIRECTORY) return;
      this.#isRootSeen = true;
    }
    if (reader.wasReplaced) {
      const message = "bytes of its path that are no UTF-8 have been replaced";
      this.#addFinding("path-replaced", "note", { message, slot, path: reader.text() });
    }
    const other = this.#index.find(reader.bytes, reader.length);
    if (other >= 0 && !this.#takesNameOf(other, slot, record)) return;
    this.#index.put(slot);
    this.#states[slot]! |= NAMED;
  }

  /** Two slots have one path: whether the later one has it. */
  #takesNameOf(other: number, slot: number, record: Slot): boolean {
    const path = this.#reader.text();
    if (this.#inodeOf(other, this.#reader.slot(other)) === this.#inodeOf(slot, record)) {
      const message = `slot ${other} and slot ${slot} are the same name of the same file`;
      this.#addFinding("name-twice", "note", { message, slot, path });
      return false;
    }
    const isTaken = record.type === L.TYPE.DIRECTORY ||
      typeIn(this.#states, other) !== L.TYPE.DIRECTORY;
    if (isTaken) this.#states[other]! &= ~NAMED;
    const winner = isTaken ? slot : other;
    const message = `slot ${other} and slot ${slot} have this path; a repair gives it to ${winner}`;
    this.#addFinding("path-duplicate", this.#severities.mixed, { message, slot, path });
    return isTaken;
  }

  #inodeOf(slot: number, record: Slot): number {
    return record.type === L.TYPE.LINK ? record.firstBlock : slot;
  }

  #linkSlot(slot: number, record: Slot): void {
    const target = record.firstBlock;
    if (!isNamed(this.#states, slot)) {
      if (!this.#isTwice(record)) this.#loseLink(slot, "it has no path of its own");
      this.#states[slot] = 0;
    } else if (target >= this.#states.length || !hasContents(typeIn(this.#states, target))) {
      this.#loseLink(slot, `it is a second name of slot ${target}, which is no file`);
      this.#states[slot] = 0;
    } else {
      const links = this.#links.get(target);
      if (links === undefined) this.#links.set(target, [slot]);
      else links.push(slot);
    }
  }

  /** Whether the link lost its path to another name of the same file. */
  #isTwice(record: Slot): boolean {
    const reader = this.#reader;
    if (reader.read(record) !== null) return false;
    const holder = this.#index.find(reader.bytes, reader.length);
    return holder >= 0 && this.#inodeOf(holder, reader.slot(holder)) === record.firstBlock;
  }

  #loseLink(slot: number, message: string): void {
    this.#addFinding("link-lost", "lost", { message, slot, ...this.#pathOf(slot) });
  }

  /** The path of a slot for a message, if it has one. */
  #pathOf(slot: number): { path?: string } {
    const reader = this.#reader;
    return reader.read(reader.slot(slot)) === null ? { path: reader.text() } : {};
  }

  #measureSlot(slot: number, record: Slot): void {
    const { sizeBytes, neededBlocks, problem } = measure(
      record,
      this.#superblock,
      this.#imageBytes,
    );
    this.#totalBytes += sizeBytes;
    if (record.blockCount > 0) {
      const run = { first: record.firstBlock, needed: neededBlocks, owned: record.blockCount };
      this.#runs.add(slot, run);
      if (record.firstBlock + neededBlocks > this.#superblock.totalBlocks) {
        const message = "its blocks lie past the last one that the superblock counts";
        this.#addFinding("blocks-past-end", "note", { message, slot, ...this.#pathOf(slot) });
      }
    }
    if (problem === null) return;
    const severity = problem.code === "size-wrong" ? "changed" : this.#severities.cut;
    const { code, message } = problem;
    this.#addFinding(code, severity, { message, slot, ...this.#pathOf(slot) });
  }

  /** Neither file is certain of the blocks; in a repair neither keeps its place. */
  #reportShared(one: number, other: number, { from, to }: { from: number; to: number }): void {
    const { path: otherPath = `slot ${one}` } = this.#pathOf(one);
    const message = `blocks ${from} to ${to - 1} belong to "${otherPath}" too`;
    const severity = this.#severities.mixed === "refused" ? "refused" : "lost";
    this.#addFinding("blocks-shared", severity, { message, slot: other, ...this.#pathOf(other) });
    for (const slot of [one, other]) this.#unname(slot);
  }

  #unname(slot: number): void {
    this.#states[slot]! &= ~NAMED;
    for (const link of this.#links.get(slot) ?? []) this.#states[link]! &= ~NAMED;
  }

  /** A name stands below directories only. */
  #checkParents(slot: number, record: Slot): void {
    const reader = this.#reader;
    if (!isNamed(this.#states, slot) || reader.read(record) !== null) return;
    const parentLength = reader.bytes.lastIndexOf(SLASH, reader.length - 1);
    if (this.#isGoodParent(reader.bytes, parentLength)) return;
    for (let at = 1; at <= parentLength; at++) {
      if (reader.bytes[at] !== SLASH) continue;
      const parent = this.#index.find(reader.bytes, at);
      if (parent < 0 || typeIn(this.#states, parent) === L.TYPE.DIRECTORY) continue;
      this.#states[slot]! &= ~NAMED;
      return;
    }
    this.#goodParent = reader.bytes.slice(0, parentLength);
  }

  #isGoodParent(bytes: Uint8Array, length: number): boolean {
    const good = this.#goodParent;
    if (good.length !== length) return false;
    for (let index = length - 1; index >= 0; index--) {
      if (good[index] !== bytes[index]) return false;
    }
    return true;
  }

  /** What has no name in the end, and why. */
  #reportUnnamed(slot: number, record: Slot): void {
    const type = typeIn(this.#states, slot);
    if (isNamed(this.#states, slot)) return;
    const reason = this.#reader.read(record) ?? this.#reasonOf(record);
    const about = { slot, ...this.#pathOf(slot) };
    if (type === L.TYPE.DIRECTORY) {
      const message = `mode, owner and times of this directory have no place: ${reason}`;
      this.#addFinding("name-lost", "lost", { ...about, message });
    } else if ((this.#links.get(slot)?.length ?? 0) > 0) {
      const message = `${reason}; it keeps its other names`;
      this.#addFinding("name-lost", "lost", { ...about, message });
    } else {
      const message = `${reason}; a repair keeps it as "lost+found/slot-${slot}"`;
      this.#addFinding("name-lost", this.#severities.unnamed, { ...about, message });
    }
  }

  #reasonOf(record: Slot): string {
    const reader = this.#reader;
    const holder = this.#index.find(reader.bytes, reader.length);
    if (reader.length === 1) return "only a directory can be the root";
    if (holder >= 0 && isNamed(this.#states, holder)) return `slot ${holder} has its path`;
    return hasContents(record.type) ? "its place or its blocks are disputed" : "its place is taken";
  }

  /** A second name that has lost its place since it was found. */
  #dropLink(slot: number, record: Slot): void {
    if (isNamed(this.#states, slot)) return;
    const { firstBlock } = record;
    const links = this.#links.get(firstBlock);
    if (links !== undefined) this.#links.set(firstBlock, links.filter((link) => link !== slot));
    const reason = this.#reader.read(record) ?? this.#reasonOf(record);
    this.#addFinding("name-lost", "lost", { slot, ...this.#pathOf(slot), message: reason });
  }

  /** What concerns the image as a whole. */
  #reportWhole(): void {
    const s = this.#superblock;
    const note = (code: string, message: string): void =>
      this.#addFinding(code, "note", { message });
    if (!this.#isRootSeen) {
      const message = "there is no root: it becomes an ordinary directory";
      this.#addFinding("root-missing", "lost", { message, path: "/" });
    }
    if (this.#pathEnd > s.pathUsed || s.pathUsed > s.bitmapOffset - s.pathOffset) {
      const message = `paths take ${this.#pathEnd} bytes, the superblock says ${s.pathUsed}`;
      note("path-used", message);
    }
    if (s.dataOffset % s.blockSize !== 0) {
      note("data-unaligned", `block 0 begins at ${s.dataOffset}, no multiple of ${s.blockSize}`);
    }
    const extra = this.#imageBytes - s.dataOffset - s.totalBlocks * s.blockSize;
    if (extra > 0) note("bytes-past-end", `${extra} bytes lie past the last block`);
    if (extra < 0) note("image-short", `the image is ${-extra} bytes shorter than its blocks`);
    const owned = this.#runs.union(s.totalBlocks);
    compareBitmap1(this.#pages, s, { owned, findings: this.#findings });
  }
}
