/**
 * The tables of one moment for an image of it: slots and names copied, blocks renumbered, the bitmap
 * of what is left.
 *
 * Layer: opfs/volume, under `image_export.ts`. Slots that a reader of the image would take for
 * free, whatever they hold (those of unlinked files, continuations and attributes without an
 * owner), are zero in the copy.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import { BlockSet } from "../memory/block_set.ts";
import { runsOfContinuation } from "../memory/extent.ts";
import * as L from "../format/layout.ts";
import { blockOfPair, countOfPair, setBlockOfPair, typeAt } from "../format/slots.ts";
import { bytesOfArea, PageSums, type SumArea, sumAreas, sumsOf } from "../memory/page_sums.ts";
import { bytesOf } from "../format/segments.ts";
import { entryBytes } from "../memory/path_table.ts";
import { isDead } from "../format/slot_owner.ts";
import type { VolumeState } from "../state.ts";
import { entryLength, valueRuns } from "../memory/xattr_record.ts";

/** Blocks of a table after its first segment. */
interface Place {
  table: "slots" | "names" | "bitmap";
  block: number;
  count: number;
  logical: number;
  /** Of the table; after them are their sums, if it has any. */
  bytes: number;
}

/** Blocks that are owned and read as zeros. */
interface ZeroRun {
  block: number;
  count: number;
}

/** Slots, names and bitmap of one moment. */
export class ImageTables {
  readonly #slots: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;
  readonly #names: Uint8Array<ArrayBuffer>;
  readonly #bitmapBytes: number;
  readonly #blockSize: number;
  readonly #sums: PageSums | null;
  readonly #areas: SumArea[];
  readonly #places: Place[] = [];
  readonly #zeros: ZeroRun[] = [];
  /** Blocks that have an owner. */
  readonly used: BlockSet;
  /** Bytes of names in use. */
  readonly pathUsed: number;

  /** Copies what is in memory, when no change waits for a commit. */
  constructor(state: VolumeState) {
    const { tables, segments, bitmap } = state;
    invariant(!state.isHeld, "V14: an image of what may still be taken back");
    this.#slots = new Uint8Array(tables.slots.length);
    tables.copySlots(0, tables.slotCount, this.#slots, 0);
    this.#view = new DataView(this.#slots.buffer);
    this.#names = tables.names.slice();
    this.#bitmapBytes = bytesOf(segments.bitmap);
    this.#blockSize = state.blockSize;
    this.pathUsed = state.paths.usedBytes - hiddenNameBytes(state);
    this.used = new BlockSet(bitmap.blocks);
    for (const table of ["slots", "names", "bitmap"] as const) {
      for (const { firstBlock, blockCount, logical, bytes } of segments[table].slice(1)) {
        this.#places.push({ table, block: firstBlock, count: blockCount, logical, bytes });
      }
    }
    this.#places.sort((a, b) => a.block - b.block);
    this.#eachRun((_, block, count) => this.#claim(block, count));
    this.#zeros.sort((a, b) => a.block - b.block);
    this.#eachRun((at, block) => setBlockOfPair(this.#view, at, this.used.before(block)));
    const isSummed = tables.sums !== null;
    this.#sums = isSummed ? new PageSums(sumsOf(this.#slots), sumsOf(this.#names)) : null;
    this.#areas = sumAreas(segments, 0);
  }

  /** The sums of the first segments, as many bytes as there are between ring and slots. */
  firstSums(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    const area = this.#areas[0]!;
    const room = this.#sums === null ? Infinity : length;
    invariant(area.bytes <= room, "V16: {} bytes of first sums in {}", area.bytes, length);
    if (this.#sums !== null) bytes.set(bytesOfArea(this.#sums, area, 0, area.bytes));
    return bytes;
  }

  #claim(block: number, stored: number): void {
    const count = stored & ~L.UNWRITTEN;
    invariant(this.used.add(block, count), "V1: blocks at {} are owned twice", block);
    if (stored >>> 31 !== 0) this.#zeros.push({ block, count });
  }

  /**
   * Calls `visit` for each pair in the slots with its place, its first block and its stored count.
   */
  #eachRun(visit: (at: number, block: number, count: number) => void): void {
    const view = this.#view;
    for (let at = 0; at < this.#slots.length; at += L.SLOT_BYTES) {
      const type = typeAt(view, at);
      if (type === L.TYPE.FILE || type === L.TYPE.SYMLINK) {
        const count = view.getUint32(at + L.SLOT.BLOCK_COUNT, L.LE);
        const firstAt = at + L.SLOT.FIRST_BLOCK;
        if (count !== 0) visit(firstAt, blockOfPair(view, firstAt), count);
      } else if (type === L.TYPE.SEGMENT) {
        const firstAt = at + L.SEGMENT.FIRST_BLOCK;
        const count = view.getUint32(at + L.SEGMENT.BLOCK_COUNT, L.LE);
        visit(firstAt, blockOfPair(view, firstAt), count);
      } else if (type === L.TYPE.CONTINUATION) this.#eachPair(at, visit);
      else if (type === L.TYPE.XATTR) this.#eachValueRun(at, visit);
    }
  }

  #eachPair(at: number, visit: (at: number, block: number, count: number) => void): void {
    if (this.#isDead(at)) {
      this.#slots.fill(0, at, at + L.SLOT_BYTES);
      return;
    }
    invariant(runsOfContinuation(this.#view, at).length > 0, "V7: a continuation of holes");
    for (let pair = 0; pair < this.#view.getUint8(at + L.CONTINUATION.RUNS); pair++) {
      const pairAt = at + L.CONTINUATION.PAIRS + pair * L.PAIR_BYTES;
      const block = blockOfPair(this.#view, pairAt);
      if (block !== L.HOLE_BLOCK) visit(pairAt, block, countOfPair(this.#view, pairAt));
    }
  }

  #eachValueRun(at: number, visit: (at: number, block: number, count: number) => void): void {
    if (this.#isDead(at)) {
      this.#slots.fill(0, at, at + L.SLOT_BYTES);
      return;
    }
    valueRuns(this.#view, at).forEach(({ block, count }, pair) => {
      visit(at + L.XATTR.PAIRS + pair * L.PAIR_BYTES, block, count);
    });
  }

  #isDead(at: number): boolean {
    return isDead(this.#view, at / L.SLOT_BYTES);
  }

  /** Bytes of a table as the image has them. */
  copy(table: Place["table"], logical: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytesOf(table);
    invariant(logical >= 0 && logical + length <= bytes, "V11: {} end at byte {}", table, bytes);
    if (table === "slots") return this.#slots.slice(logical, logical + length);
    if (table === "names") return this.#names.slice(logical, logical + length);
    const bits = new Uint8Array(length);
    const full = Math.max(0, Math.min(length, Math.floor(this.used.count / 8) - logical));
    bits.fill(0xff, 0, full);
    const rest = this.used.count - (logical + full) * 8;
    if (full < length && rest > 0) bits[full] = (1 << rest) - 1;
    return bits;
  }

  #bytesOf(table: Place["table"]): number {
    if (table === "slots") return this.#slots.length;
    return table === "names" ? this.#names.length : this.#bitmapBytes;
  }

  /** Up to `most` blocks from one on, if that is in a segment: as the image has them, with sums. */
  segmentAt(block: number, most: number): Uint8Array<ArrayBuffer> | null {
    const isIn = (place: Place): boolean =>
      block >= place.block && block < place.block + place.count;
    const place = this.#places.find(isIn);
    if (place === undefined) return null;
    const count = Math.min(most, place.block + place.count - block);
    const from = (block - place.block) * this.#blockSize;
    const bytes = new Uint8Array(count * this.#blockSize);
    const ofTable = Math.max(0, Math.min(bytes.length, place.bytes - from));
    bytes.set(this.copy(place.table, place.logical + Math.min(from, place.bytes), ofTable));
    if (ofTable < bytes.length) this.#putSums(place, bytes, from);
    return bytes;
  }

  /** The sums of a segment, over bytes that begin at byte `from` of its blocks. */
  #putSums({ table, logical, bytes: length }: Place, into: Uint8Array, from: number): void {
    const area = this.#areas.find(({ parts: [part] }) =>
      part!.table === table && part!.firstPage * L.PAGE_BYTES === logical
    );
    if (this.#sums === null || area === undefined) return;
    const first = Math.max(0, from - length);
    const end = Math.min(area.bytes, from + into.length - length);
    if (end > first) into.set(bytesOfArea(this.#sums, area, first, end), length + first - from);
  }

  /** How many blocks there are from one outside of the segments to the next segment. */
  untilSegment(block: number): number {
    const next = this.#places.find((place) => place.block > block);
    return next === undefined ? Infinity : next.block - block;
  }

  /** Unwritten blocks hold old bytes of other files: the image has zeros there. */
  zeroUnwritten(block: number, bytes: Uint8Array): void {
    const end = block + bytes.length / this.#blockSize;
    for (let index = this.#zeroFrom(block); index < this.#zeros.length; index++) {
      const run = this.#zeros[index]!;
      if (run.block >= end) return;
      const from = Math.max(run.block, block) - block;
      const to = Math.min(run.block + run.count, end) - block;
      bytes.fill(0, from * this.#blockSize, to * this.#blockSize);
    }
  }

  /** Index of the first unwritten run that ends after a block. */
  #zeroFrom(block: number): number {
    let low = 0;
    let high = this.#zeros.length;
    while (low < high) {
      const middle = low + high >>> 1;
      const { block: first, count } = this.#zeros[middle]!;
      if (first + count <= block) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Bytes of the path table that attributes of unlinked files take, which the image leaves out. */
function hiddenNameBytes(state: VolumeState): number {
  const { view } = state.tables;
  let bytes = 0;
  for (const owner of state.orphans) {
    for (const slot of state.xattrs.get(owner) ?? []) {
      bytes += entryBytes(entryLength(view, slot * L.SLOT_BYTES));
    }
  }
  return bytes;
}
