/**
 * Names: (parent slot, name) -> slot, by hash over the raw bytes; the children of a directory; and
 * the granules that entries live in.
 *
 * Layer: opfs/volume, over `tables.ts`. The hash and the lists are derived at mount; what a
 * transaction has changed of them is undone with it. Granules taken by a reverted transaction come
 * free again, granules of dropped names when it is kept.
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import { EntryCache } from "./entry_cache.ts";
import * as L from "../format/layout.ts";
import { parentAt, typeOf } from "../format/slots.ts";
import type { Segment } from "../format/segments.ts";
import type { Tables } from "./tables.ts";

const EMPTY = -1;

/** The names of one volume. */
export class PathTable {
  readonly #tables: Tables;
  #heads = new Int32Array(0);
  #hashes = new Int32Array(0);
  #mask = 0;
  #count = 0;
  #first = new Int32Array(0);
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  #granules = new Uint8Array(0);
  #usedGranules = 0;
  #cursor = 0;
  readonly #taken: number[] = [];
  readonly #dropped: number[] = [];
  /** What has entered and left the index: slot, hash, parent, and 1 or -1. */
  readonly #moves: number[] = [];
  #takenMark = 0;
  #droppedMark = 0;
  #movesMark = 0;
  /** Whether a transaction has begun: what mount derives is not to be undone. */
  #isInUse = false;
  /** Entry offsets of directories, in order, as far as they have been listed. */
  readonly #listings = new Map<number, Listing>();
  /** What `readdir` has answered since names and modes changed last. */
  readonly answers: EntryCache = new EntryCache();

  readonly #segments: readonly Segment[];

  /** An empty index over loaded tables and the path table's segments; `insert` fills it. */
  constructor(tables: Tables, segments: readonly Segment[], expected: number) {
    this.#tables = tables;
    this.#segments = segments;
    this.#rehash(Math.max(64, expected * 2));
    this.resize();
  }

  /** How many names there are. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of names that are in use. */
  get usedBytes(): number {
    return this.#usedGranules * L.GRANULE_BYTES;
  }

  /** Follows the tables when they have grown. */
  resize(): void {
    const { slotCount, names } = this.#tables;
    if (slotCount > this.#first.length) {
      this.#first = widened(this.#first, slotCount);
      this.#next = widened(this.#next, slotCount);
      this.#previous = widened(this.#previous, slotCount);
    }
    const granules = new Uint8Array(names.length / L.GRANULE_BYTES);
    granules.set(this.#granules);
    this.#granules = granules;
  }

  /** Forgets what the open transaction did; call it at its beginning. */
  begin(): void {
    // To set the length of an array that is empty costs more than to look.
    if (this.#taken.length > 0) this.#taken.length = 0;
    if (this.#dropped.length > 0) this.#dropped.length = 0;
    if (this.#moves.length > 0) this.#moves.length = 0;
    this.unmark();
  }

  /** From here on is what `revert` undoes. */
  mark(): void {
    this.#takenMark = this.#taken.length;
    this.#droppedMark = this.#dropped.length;
    this.#movesMark = this.#moves.length;
  }

  /** `revert` undoes everything again. */
  unmark(): void {
    this.#takenMark = this.#droppedMark = this.#movesMark = 0;
    this.#isInUse = true;
  }

  /** Granules taken by the transaction are free again, and the index is what it was. */
  revert(): void {
    const moves = this.#moves;
    while (moves.length > this.#movesMark) {
      const [slot, hash, parent, by] = moves.splice(-4) as [number, number, number, number];
      if (by > 0) this.#leave(slot, hash, parent);
      else this.#enter(slot, hash, parent);
    }
    for (let index = this.#takenMark; index < this.#taken.length; index += 2) {
      this.#free(this.#taken[index]!, this.#taken[index + 1]!);
    }
    this.#taken.length = this.#takenMark;
    this.#dropped.length = this.#droppedMark;
  }

  /** Granules of names dropped by the transaction are free. */
  keep(): void {
    for (let index = 0; index < this.#dropped.length; index += 2) {
      this.#free(this.#dropped[index]!, this.#dropped[index + 1]!);
    }
    this.begin();
  }

  /** The slot that holds the name: an inode's or a type-4 record's; -1 for none. */
  find(parent: number, name: Uint8Array, length: number): number {
    return this.findAt(parent, name, 0, length);
  }

  /** As `find`, for the `length` bytes at `from`. */
  findAt(parent: number, name: Uint8Array, from: number, length: number): number {
    const hash = hashOf(parent, name, from, length);
    for (let at = hash & this.#mask;; at = at + 1 & this.#mask) {
      const slot = this.#heads[at]!;
      if (slot === EMPTY) return -1;
      if (this.#hashes[at] === hash && this.#isNamed(slot, parent, name, from, length)) {
        return slot;
      }
    }
  }

  #isNamed(
    slot: number,
    parent: number,
    name: Uint8Array,
    from: number,
    length: number,
  ): boolean {
    const { view, names, nameView } = this.#tables;
    const at = slot * L.SLOT_BYTES;
    if (view.getUint16(at + L.SLOT.PATH_LENGTH, L.LE) !== length) return false;
    const offset = view.getUint32(at + L.SLOT.PATH_OFFSET, L.LE);
    if (parentAt(nameView, offset) !== parent) return false;
    for (let index = 0; index < length; index++) {
      if (names[offset + L.NAME.BYTES + index] !== name[from + index]) return false;
    }
    return true;
  }

  /** The directory that a named slot is in. */
  parentOf(slot: number): number {
    if (slot === L.ROOT_SLOT) return L.ROOT_SLOT;
    return parentAt(this.#tables.nameView, this.offsetOf(slot));
  }

  /** Where a named slot's entry begins. */
  offsetOf(slot: number): number {
    return this.#tables.view.getUint32(slot * L.SLOT_BYTES + L.SLOT.PATH_OFFSET, L.LE);
  }

  /**
   * Takes granules for a name of `parent`, writes the entry and returns its offset. (An extended
   * attribute's entry has its owner for a parent.)
   *
   * @throws {ErrnoError} ENOSPC
   */
  write(parent: number, name: Uint8Array, length: number): number {
    invariant(
      length > 0 && length <= L.XATTR_ENTRY_BYTES_MAX,
      "V5: the length of an entry is out of range",
    );
    const bytes = entryBytes(length);
    const offset = this.#allocate(bytes / L.GRANULE_BYTES);
    this.#tables.editNames(offset, bytes);
    const { names, nameView } = this.#tables;
    nameView.setUint32(offset + L.NAME.PARENT, parent, L.LE);
    for (let index = 0; index < length; index++) {
      names[offset + L.NAME.BYTES + index] = name[index]!;
    }
    names.fill(0, offset + L.NAME.BYTES + length, offset + bytes);
    return offset;
  }

  /** Whether the longest name would find a place. */
  get hasRoom(): boolean {
    return this.#findFree(entryBytes(L.NAME_BYTES_MAX) / L.GRANULE_BYTES) >= 0;
  }

  #allocate(granules: number): number {
    const first = this.#findFree(granules);
    if (first < 0) throw new ErrnoError("ENOSPC", "add a name", { why: "no room for names left" });
    this.#granules.fill(1, first, first + granules);
    this.#usedGranules += granules;
    this.#taken.push(first, granules);
    this.#cursor = first + granules;
    return first * L.GRANULE_BYTES;
  }

  /** Next fit: amortised, one pass over the table serves as many names as it has room for. */
  #findFree(granules: number): number {
    const marks = this.#granules;
    for (let pass = 0; pass < 2; pass++) {
      let at = pass === 0 ? this.#cursor : 0;
      const end = pass === 0 ? marks.length : Math.min(marks.length, this.#cursor + granules);
      while ((at = marks.indexOf(0, at)) >= 0 && at + granules <= end) {
        const border = this.#borderIn(at, granules);
        const used = this.#firstUsed(at, granules);
        if (border < 0 && used < 0) return at;
        at = border < 0 ? used : Math.max(border, at + 1);
      }
    }
    return -1;
  }

  /** The first used granule in a range; -1 if all are free. (`indexOf` would look at the rest.) */
  #firstUsed(first: number, granules: number): number {
    for (let at = first; at < first + granules; at++) if (this.#granules[at] === 1) return at;
    return -1;
  }

  /** No entry lies over the border of two segments; -1 if the range has no border. */
  #borderIn(at: number, granules: number): number {
    for (let index = 1; index < this.#segments.length; index++) {
      const border = this.#segments[index]!.logical / L.GRANULE_BYTES;
      if (border > at && border < at + granules) return border;
    }
    return -1;
  }

  #free(first: number, granules: number): void {
    // A loop: unlinking is many of these, and a view costs more than looking.
    let used = 0;
    for (let at = first; at < first + granules; at++) used += this.#granules[at] ?? 0;
    invariant(used === granules, "V5: granules are given back that are free");
    this.#granules.fill(0, first, first + granules);
    this.#usedGranules -= granules;
  }

  /** At mount: marks a live name's granules; false if one of them is another name's. */
  claim(slot: number): boolean {
    const length = this.#tables.view.getUint16(slot * L.SLOT_BYTES + L.SLOT.PATH_LENGTH, L.LE);
    return this.claimEntry(this.offsetOf(slot), length);
  }

  /** The same for an entry with `length` bytes after its first four. */
  claimEntry(offset: number, length: number): boolean {
    const first = offset / L.GRANULE_BYTES;
    const granules = entryBytes(length) / L.GRANULE_BYTES;
    const isThere = Number.isInteger(first) && first + granules <= this.#granules.length;
    invariant(isThere, "V5: an entry of {} bytes at {}", length, offset);
    if (this.#firstUsed(first, granules) >= 0) return false;
    this.#granules.fill(1, first, first + granules);
    this.#usedGranules += granules;
    return true;
  }

  /** Gives the granules of an entry back when the transaction is kept. */
  drop(offset: number, length: number): void {
    this.#dropped.push(offset / L.GRANULE_BYTES, entryBytes(length) / L.GRANULE_BYTES);
  }

  /** Adds a slot, whose entry is written, to the index and to its parent's children. */
  insert(slot: number): void {
    const hash = this.#hashOfSlot(slot);
    const parent = this.parentOf(slot);
    this.#enter(slot, hash, parent);
    if (this.#isInUse) this.#moves.push(slot, hash, parent, 1);
  }

  #enter(slot: number, hash: number, parent: number): void {
    if (this.#count * 2 >= this.#heads.length) this.#rehash(this.#heads.length * 2);
    this.#place(slot, hash);
    this.#count++;
    const head = this.#first[parent]!;
    this.#next[slot] = head;
    this.#previous[slot] = 0;
    if (head !== 0) this.#previous[head] = slot;
    this.#first[parent] = slot;
    this.answers.forget(parent);
    const listing = this.#listings.get(parent);
    if (listing !== undefined) listing.isComplete = false;
  }

  /** Takes a slot, whose entry is still as it was inserted, out again. */
  remove(slot: number): void {
    const hash = this.#hashOfSlot(slot);
    const parent = this.parentOf(slot);
    this.#leave(slot, hash, parent);
    if (this.#isInUse) this.#moves.push(slot, hash, parent, -1);
  }

  #leave(slot: number, hash: number, parent: number): void {
    this.#unplace(slot, hash);
    this.#count--;
    this.answers.forget(parent);
    const next = this.#next[slot]!;
    const previous = this.#previous[slot]!;
    if (next !== 0) this.#previous[next] = previous;
    if (previous !== 0) this.#next[previous] = next;
    else this.#first[parent] = next;
  }

  #hashOfSlot(slot: number): number {
    const offset = this.offsetOf(slot);
    const length = this.#tables.view.getUint16(slot * L.SLOT_BYTES + L.SLOT.PATH_LENGTH, L.LE);
    return hashOf(this.parentOf(slot), this.#tables.names, offset + L.NAME.BYTES, length);
  }

  #place(slot: number, hash: number): void {
    let at = hash & this.#mask;
    while (this.#heads[at] !== EMPTY) at = at + 1 & this.#mask;
    this.#heads[at] = slot;
    this.#hashes[at] = hash;
  }

  /** Removes and moves later ones of the same chain up, so that no tombstones are needed. */
  #unplace(slot: number, hash: number): void {
    let hole = hash & this.#mask;
    while (this.#heads[hole] !== slot) {
      invariant(this.#heads[hole] !== EMPTY, "V5: slot {} is not in the index", slot);
      hole = hole + 1 & this.#mask;
    }
    for (let at = hole + 1 & this.#mask; this.#heads[at] !== EMPTY; at = at + 1 & this.#mask) {
      const home = this.#hashes[at]! & this.#mask;
      if ((at - home & this.#mask) < (at - hole & this.#mask)) continue;
      this.#heads[hole] = this.#heads[at]!;
      this.#hashes[hole] = this.#hashes[at]!;
      hole = at;
    }
    this.#heads[hole] = EMPTY;
  }

  #rehash(atLeast: number): void {
    const heads = this.#heads;
    const hashes = this.#hashes;
    const size = 2 ** Math.ceil(Math.log2(atLeast));
    this.#heads = new Int32Array(size).fill(EMPTY);
    this.#hashes = new Int32Array(size);
    this.#mask = size - 1;
    for (let at = 0; at < heads.length; at++) {
      if (heads[at] !== EMPTY) this.#place(heads[at]!, hashes[at]!);
    }
  }

  /** Whether a directory has no entries. */
  isEmpty(directory: number): boolean {
    return this.#first[directory] === 0;
  }

  /** The directory is gone: forgets its listing. */
  forget(directory: number): void {
    this.#listings.delete(directory);
    this.answers.forget(directory);
  }

  /**
   * Up to `limit` slots of a directory whose entries begin at or after byte `from`, in order. An
   * entry that is made while the directory is listed may be left out of the listing.
   */
  list(directory: number, from: number, limit: number): number[] {
    let listing = this.#listings.get(directory);
    if (listing === undefined || from === 0 && !listing.isComplete) {
      listing = { slots: this.#sortedChildren(directory), isComplete: true };
      listing.offsets = Float64Array.from(listing.slots, (slot) => this.offsetOf(slot));
      if (this.#listings.size >= LISTINGS_MAX) this.#listings.clear();
      this.#listings.set(directory, listing);
    }
    const { slots, offsets } = listing as Required<Listing>;
    const found: number[] = [];
    for (let at = firstAtLeast(offsets, from); at < slots.length && found.length < limit; at++) {
      if (this.#isUnchanged(slots[at]!, offsets[at]!, directory)) found.push(slots[at]!);
    }
    return found;
  }

  /** Whether the last `list` of a directory began after the last change in it. */
  isListingComplete(directory: number): boolean {
    return this.#listings.get(directory)?.isComplete ?? false;
  }

  #sortedChildren(directory: number): number[] {
    const slots: number[] = [];
    for (let slot = this.#first[directory]!; slot !== 0; slot = this.#next[slot]!) slots.push(slot);
    return slots.sort((a, b) => this.offsetOf(a) - this.offsetOf(b));
  }

  #isUnchanged(slot: number, offset: number, directory: number): boolean {
    const type = typeOf(this.#tables.view, slot);
    return type >= L.TYPE.FILE && type <= L.TYPE.LINK && !this.#tables.isHidden(slot) &&
      this.offsetOf(slot) === offset && this.parentOf(slot) === directory;
  }
}

interface Listing {
  slots: number[];
  offsets?: Float64Array;
  isComplete: boolean;
}

/** Directories whose order is remembered. */
const LISTINGS_MAX = 64;

function firstAtLeast(offsets: Float64Array, from: number): number {
  let low = 0;
  let high = offsets.length;
  while (low < high) {
    const middle = low + high >>> 1;
    if (offsets[middle]! < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Bytes of the granules that a name of `length` bytes owns. */
export function entryBytes(length: number): number {
  return L.roundUp(L.NAME.BYTES + length, L.GRANULE_BYTES);
}

function widened(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(array);
  return larger;
}

function hashOf(parent: number, bytes: Uint8Array, from: number, length: number): number {
  let hash = Math.imul(parent ^ 0x9e3779b9, 0x85ebca6b);
  for (let index = from; index < from + length; index++) {
    hash = Math.imul(hash ^ bytes[index]!, 0x01000193);
  }
  hash = Math.imul(hash ^ hash >>> 15, 0x2c1b3c6d);
  return hash ^ hash >>> 13;
}
