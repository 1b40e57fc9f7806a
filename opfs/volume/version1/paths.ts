/**
 * Paths of a version-1 image: read, judged, and found again.
 *
 * Layer: opfs/volume. The bytes of a path in the table may be damaged. `PathReader` says
 * what a slot's path is, or why it is invalid. `PathIndex` finds the slot of a path in memory that grows
 * with the number of slots and not with the length of their paths: it keeps hashes, and compares the
 * bytes on the device.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import * as L from "../format/layout.ts";
import { isUtf8 } from "../format/names.ts";
import type { Superblock } from "../format/superblock.ts";
import { decodeSlot, INODE_TABLE_AT, PATH_BYTES_MAX, SLASH, type Slot } from "./format.ts";
import type { CachedPages } from "./pages.ts";

/** A lenient decoder makes at most three bytes of one. */
const CLEAN_BYTES_MAX = PATH_BYTES_MAX * 3;

/** Reads slots and their paths. What it returns in `bytes` is valid until the next path is read. */
export class PathReader {
  /** The last path that was read, as well-formed UTF-8. */
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(CLEAN_BYTES_MAX);
  /** Bytes of it. */
  length = 0;
  /** Whether bytes that are no UTF-8 have been replaced in it. */
  wasReplaced = false;

  readonly #pages: CachedPages;
  readonly #superblock: Superblock;
  readonly #record: Uint8Array<ArrayBuffer> = new Uint8Array(L.SLOT_BYTES);
  readonly #view: DataView = new DataView(this.#record.buffer);
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #encoder = new TextEncoder();

  /** A reader of an image whose geometry has been looked at. */
  constructor(pages: CachedPages, superblock: Superblock) {
    this.#pages = pages;
    this.#superblock = superblock;
  }

  /** One slot. */
  slot(index: number): Slot {
    invariant(
      index >= 0 && index < this.#superblock.inodeCount,
      "V4: slot {} of a table that ends before it",
      index,
    );
    this.#pages.copy(INODE_TABLE_AT + index * L.SLOT_BYTES, this.#record);
    return decodeSlot(this.#view, 0);
  }

  /** Reads the path of a slot; returns why it is invalid, or null. */
  read(slot: Slot): string | null {
    const { pathOffset, bitmapOffset } = this.#superblock;
    const { pathLength } = slot;
    this.length = 0;
    if (pathLength === 0) return "it has no path";
    if (slot.pathOffset + pathLength > bitmapOffset - pathOffset) {
      return `its path at ${slot.pathOffset} lies outside of the table`;
    }
    this.#pages.copy(pathOffset + slot.pathOffset, this.bytes, pathLength);
    this.#clean(pathLength);
    return pathProblem(this.bytes, this.length);
  }

  #clean(length: number): void {
    this.length = length;
    this.wasReplaced = false;
    const bytes = this.bytes.subarray(0, length);
    if (bytes.every((byte) => byte < 0x80) || isUtf8(bytes)) return;
    this.wasReplaced = true;
    const text = this.#decoder.decode(bytes);
    this.length = this.#encoder.encodeInto(text, this.bytes).written;
  }

  /** The path that was read last. */
  text(): string {
    return this.#decoder.decode(this.bytes.subarray(0, this.length));
  }
}

/** Why bytes are no path of a file, or null: absolute, no NUL, no empty name, no "." and "..". */
export function pathProblem(bytes: Uint8Array, length: number): string | null {
  if (bytes[0] !== SLASH) return "its path does not begin with a slash";
  if (length === 1) return null;
  let dots = 0;
  let inName = 0;
  for (let index = 1; index <= length; index++) {
    const byte = index < length ? bytes[index]! : SLASH;
    if (byte === 0) return "there is a NUL in its path";
    if (byte !== SLASH) {
      inName++;
      if (byte === 0x2e) dots++;
      continue;
    }
    if (inName === 0) return "there is an empty name in its path";
    if (dots === inName && dots <= 2) return 'there is "." or ".." in its path';
    inName = dots = 0;
  }
  return null;
}

/** Finds slots by path. Each path stands in it once. */
export class PathIndex {
  readonly #reader: PathReader;
  readonly #mask: number;
  /** Slot + 1; 0 is an empty bucket. */
  readonly #slots: Uint32Array<ArrayBuffer>;
  /** The second hash of each, so that bytes are compared almost only when they are equal. */
  readonly #hashes: Uint32Array<ArrayBuffer>;
  /** Where `find` stopped, and the second hash that it looked for. */
  #place = 0;
  #found = 0;
  #count = 0;

  /** Room for `slotCount` paths. `reader` is the index's own: it reads other slots' paths. */
  constructor(reader: PathReader, slotCount: number) {
    const capacity = 2 ** Math.ceil(Math.log2(slotCount * 2 + 2));
    this.#reader = reader;
    this.#mask = capacity - 1;
    this.#slots = new Uint32Array(capacity);
    this.#hashes = new Uint32Array(capacity);
  }

  /** The slot that has the path, or -1. */
  find(bytes: Uint8Array, length: number): number {
    let one = 0x811c9dc5;
    let two = 0x9e3779b9;
    for (let index = 0; index < length; index++) {
      one = Math.imul(one ^ bytes[index]!, 0x01000193);
      two = Math.imul(two + bytes[index]! | 0, 0x85ebca6b) ^ two >>> 15;
    }
    one ^= two >>> 11;
    two >>>= 0;
    this.#found = two;
    for (this.#place = (one ^ one >>> 16) & this.#mask;; this.#step()) {
      const slot = this.#slots[this.#place]! - 1;
      if (slot < 0) return -1;
      if (this.#hashes[this.#place] === two && this.#isPathOf(slot, bytes, length)) return slot;
    }
  }

  #step(): void {
    this.#place = this.#place + 1 & this.#mask;
  }

  #isPathOf(slot: number, bytes: Uint8Array, length: number): boolean {
    const reader = this.#reader;
    if (reader.read(reader.slot(slot)) !== null || reader.length !== length) return false;
    for (let index = 0; index < length; index++) {
      if (reader.bytes[index] !== bytes[index]) return false;
    }
    return true;
  }

  /** Gives the path that `find` looked for last to `slot`, whichever slot had it. */
  put(slot: number): void {
    if (this.#slots[this.#place] === 0) this.#count++;
    invariant(this.#count <= this.#mask, "V5: the index of paths is full");
    this.#slots[this.#place] = slot + 1;
    this.#hashes[this.#place] = this.#found;
  }
}
