/**
 * ChunkTree: the bytes of one in-memory file, holes included.
 *
 * Layer: stream_ops. A file is cut into units of 1 MiB; a unit is one chunk, or sixteen blocks of
 * 64 KiB, each of which is one chunk or sixteen pages of 4 KiB. What was never written is null and
 * owns nothing. A file that fits into one page or less is one chunk alone. Sixteen full
 * neighbours become one chunk, so a file that grows is copied at most twice, whatever its size.
 *
 * The chunk that was touched last is the *window*: a read or write inside it is one `set`.
 *
 * Bytes of a chunk past `size` are unknown: code that moves the size up zeroes the gap first.
 *
 * @module
 */
import {
  type ChunkBytes,
  type ChunkPool,
  PAGE_BYTES,
  QUARTER_BYTES,
  SMALL_BYTES,
  UNIT_BYTES,
} from "./chunks.ts";

/** A chunk that covers the start of its place, or sixteen smaller places; null owns nothing. */
type Tree = Uint8Array | (Tree | null)[];

const FAN_OUT = 16;
const NO_CHUNK = new Uint8Array(0);
/** Up to here a loop is faster than a view and a `set`. */
const LOOP_BYTES = 16;

function copy(
  to: Uint8Array,
  at: number,
  from: Uint8Array,
  offset: number,
  length: number,
): void {
  if (offset === 0 && length === from.length) {
    to.set(from, at);
  } else if (length <= LOOP_BYTES) {
    for (let index = 0; index < length; index++) to[at + index] = from[offset + index]!;
  } else {
    // Not by subarray, which asks the caller's class, such as Node's Buffer, to make the view.
    to.set(new Uint8Array(from.buffer, from.byteOffset + offset, length), at);
  }
}

function pageStart(at: number): number {
  return Math.floor(at / PAGE_BYTES) * PAGE_BYTES;
}

/** Whether some page lies wholly inside a range. */
function holdsPage(from: number, to: number): boolean {
  return pageStart(from + PAGE_BYTES - 1) + PAGE_BYTES <= to;
}

/** The bytes of one file. Positions and lengths are bytes, checked by the caller. */
export class ChunkTree {
  /** Length of the file in bytes. */
  size = 0;
  readonly #pool: ChunkPool;
  #window: Uint8Array = NO_CHUNK;
  /** The window's memory, and what leads from a position in the file to a place in it. */
  #buffer: ArrayBufferLike = NO_CHUNK.buffer;
  #shift = 0;
  #start = 0;
  #end = 0;
  /** After a miss of `#find`: where the hole ends at the earliest. */
  #holeEnd = 0;
  #ownedBytes = 0;
  #first: Tree | null = null;
  #rest: Map<number, Tree> | null = null;

  /** An empty file whose chunks come from `pool`. */
  constructor(pool: ChunkPool) {
    this.#pool = pool;
  }

  /** What it owns, in bytes. */
  get ownedBytes(): number {
    return this.#ownedBytes;
  }

  /** Bytes written; fewer than asked, or none, when the pool has no more. */
  write(from: Uint8Array, offset: number, length: number, position: number): number {
    const end = position + length;
    if (position < this.#start || end > this.#end || position > this.size) {
      return this.#writeAcross(from, offset, length, position);
    }
    copy(this.#window, position - this.#start, from, offset, length);
    if (end > this.size) this.size = end;
    return length;
  }

  /** Bytes read; 0 at the end of the file. */
  read(into: Uint8Array, offset: number, length: number, position: number): number {
    const left = this.size - position;
    if (left <= 0) return 0;
    const count = left < length ? left : length;
    if (position >= this.#start && position + count <= this.#end) {
      // As `copy` does it, but to ask an array for its buffer costs a sixth of a small read.
      into.set(new Uint8Array(this.#buffer, this.#shift + position, count), offset);
    } else {
      this.#readAcross(into, offset, count, position);
    }
    return count;
  }

  /** Moves the end. Cutting frees what lies past it; growing makes a hole. */
  resize(size: number): void {
    if (size < this.size) this.#drop(size, Infinity);
    else this.#zero(this.size, size);
    this.size = size;
  }

  /** Owns every page of a range; false, with nothing done, when the pool has not enough. */
  reserve(from: number, to: number): boolean {
    if (this.#holeBytes(from, to) > this.#pool.freeBytes) return false;
    for (let at = from; at < to; at = this.#end) {
      if (!this.#own(at, to - at, 0)) return false;
    }
    return true;
  }

  /** A range reads as zeros; what is owned stays owned. */
  zero(from: number, to: number): void {
    this.#zero(from, Math.min(to, this.size));
  }

  /** A range reads as zeros, and whole pages of it go back to the pool. */
  punch(from: number, to: number): void {
    this.#drop(from, to);
  }

  /** The first byte at or after `from` that is in an owned page, or `size`. */
  nextData(from: number): number {
    return this.#nextOwned(from, this.size);
  }

  /** The first byte at or after `from` that is in a hole, or `size`. */
  nextHole(from: number): number {
    return this.#nextFree(from, this.size);
  }

  #unit(index: number): Tree | null {
    return index === 0 ? this.#first : this.#rest?.get(index) ?? null;
  }

  #setUnit(index: number, tree: Tree | null): void {
    if (index === 0) this.#first = tree;
    else if (tree === null) this.#rest?.delete(index);
    else (this.#rest ??= new Map()).set(index, tree);
  }

  #setWindow(chunk: Uint8Array, base: number): void {
    this.#window = chunk;
    this.#buffer = chunk.buffer;
    this.#shift = chunk.byteOffset - base;
    this.#start = base;
    this.#end = base + chunk.length;
  }

  #writeAcross(from: Uint8Array, offset: number, length: number, position: number): number {
    if (position > this.size) this.#zero(this.size, position);
    let done = 0;
    while (done < length) {
      const at = position + done;
      const left = length - done;
      if (!this.#own(at, left, left)) break;
      const count = Math.min(left, this.#end - at);
      copy(this.#window, at - this.#start, from, offset + done, count);
      done += count;
      if (at + count > this.size) this.size = at + count;
    }
    return done;
  }

  #readAcross(into: Uint8Array, offset: number, length: number, position: number): void {
    let done = 0;
    while (done < length) {
      const at = position + done;
      const target = offset + done;
      if (this.#find(at)) {
        const count = Math.min(length - done, this.#end - at);
        copy(into, target, this.#window, at - this.#start, count);
        done += count;
      } else {
        const count = Math.min(length - done, this.#holeEnd - at);
        into.fill(0, target, target + count);
        done += count;
      }
    }
  }

  /** Moves the window to `at`; false in a hole, and then `#holeEnd` says how far it goes. */
  #find(at: number): boolean {
    if (at >= this.#start && at < this.#end) return true;
    const index = Math.floor(at / UNIT_BYTES);
    let base = index * UNIT_BYTES;
    let span = UNIT_BYTES;
    let tree = this.#unit(index);
    while (tree !== null && !(tree instanceof Uint8Array)) {
      span /= FAN_OUT;
      const place = Math.floor((at - base) / span);
      base += place * span;
      tree = tree[place]!;
    }
    this.#holeEnd = base + span;
    if (tree === null || at >= base + tree.length) {
      if (tree !== null && at < base + PAGE_BYTES) this.#holeEnd = base + PAGE_BYTES;
      return false;
    }
    this.#setWindow(tree, base);
    return true;
  }

  /**
   * Moves the window to `at` and makes sure that it is owned; false when the pool has no more.
   * `wanted` bytes are to be owned, of which the caller overwrites `filled` at once.
   */
  #own(at: number, wanted: number, filled: number): boolean {
    const index = Math.floor(at / UNIT_BYTES);
    this.#start = this.#end = 0;
    const before = this.#unit(index);
    const after = this.#grow(before, index * UNIT_BYTES, UNIT_BYTES, { at, wanted, filled });
    if (after !== before) this.#setUnit(index, after);
    return at >= this.#start && at < this.#end;
  }

  #grow(tree: Tree | null, base: number, span: number, want: Want): Tree | null {
    if (tree instanceof Uint8Array) {
      if (want.at < base + tree.length) {
        this.#setWindow(tree, base);
        return tree;
      }
      if (span === PAGE_BYTES || this.#fitsPage(tree, want)) return this.#widen(tree, base, want);
      tree = branch(tree);
    }
    if (tree === null) {
      const chunk = this.#fresh(base, span, want);
      if (chunk !== null || span === PAGE_BYTES) return chunk;
      tree = branch(null);
    }
    return this.#growChild(tree, base, span, want);
  }

  #growChild(tree: (Tree | null)[], base: number, span: number, want: Want): Tree {
    const childSpan = span / FAN_OUT;
    const place = Math.floor((want.at - base) / childSpan);
    const child = this.#grow(tree[place]!, base + place * childSpan, childSpan, want);
    if (child === tree[place]) return tree;
    tree[place] = child;
    return isFull(tree, childSpan) ? this.#merge(tree, base, span as ChunkBytes) : tree;
  }

  /** Whether the whole file is less than a page and will be no more than one. */
  #fitsPage(tree: Uint8Array, { at, wanted }: Want): boolean {
    return tree.length < PAGE_BYTES && Math.max(this.size, at + wanted) <= PAGE_BYTES;
  }

  /** A new chunk at a place that owns nothing, or null: then smaller ones are tried. */
  #fresh(base: number, span: number, want: Want): Uint8Array | null {
    const sizeBytes = this.#fit(base, span, want);
    const chunk = sizeBytes === 0 ? null : this.#pool.take(sizeBytes);
    if (chunk === null) return null;
    this.#ownedBytes += chunk.length;
    this.#setWindow(chunk, base);
    this.#clean(want.at, want.filled);
    return chunk;
  }

  /** Which chunk suits a write to an empty place of `span` bytes; 0: sixteen smaller places. */
  #fit(base: number, span: number, { at, wanted }: Want): ChunkBytes | 0 {
    if (base === 0) {
      const end = Math.max(this.size, at + wanted);
      if (end <= SMALL_BYTES) return SMALL_BYTES;
      if (end <= QUARTER_BYTES) return QUARTER_BYTES;
      if (end <= PAGE_BYTES) return PAGE_BYTES;
    }
    if (span === PAGE_BYTES) return PAGE_BYTES;
    if (at !== base) return 0;
    const grows = at === this.size && at >= span && this.#pool.isRoomy(span);
    return grows || wanted >= span ? span as ChunkBytes : 0;
  }

  /** Zeroes what the caller will not fill of the window, as far as the file reaches. */
  #clean(at: number, filled: number): void {
    const window = this.#window;
    if (at > this.#start) window.fill(0, 0, at - this.#start);
    const reach = Math.min(this.#end, this.size);
    if (at + filled < reach) window.fill(0, at + filled - this.#start, reach - this.#start);
  }

  /** A chunk that is less than a page becomes the larger one that is wanted. */
  #widen(small: Uint8Array, base: number, want: Want): Uint8Array {
    const page = this.#pool.take(this.#fit(base, PAGE_BYTES, want) as ChunkBytes);
    if (page === null) return small;
    this.#ownedBytes += page.length - small.length;
    this.#setWindow(page, base);
    this.#clean(want.at, want.filled);
    page.set(small);
    this.#pool.give(small);
    return page;
  }

  /** Sixteen full neighbours become one chunk. */
  #merge(children: (Tree | null)[], base: number, span: ChunkBytes): Tree {
    const whole = this.#pool.takeBeyond(span);
    if (whole === null) return children;
    let at = 0;
    for (const child of children as Uint8Array[]) {
      whole.set(child, at);
      at += child.length;
      this.#pool.give(child);
    }
    this.#setWindow(whole, base);
    return whole;
  }

  #drop(from: number, to: number): void {
    this.#start = this.#end = 0;
    const first = Math.floor(from / UNIT_BYTES);
    if (first === 0) this.#first = this.#cut(this.#first, 0, UNIT_BYTES, from, to);
    if (this.#rest === null) return;
    for (const [index, tree] of this.#rest) {
      if (index < first || index * UNIT_BYTES >= to) continue;
      const left = this.#cut(tree, index * UNIT_BYTES, UNIT_BYTES, from, to);
      if (left !== tree) this.#setUnit(index, left);
    }
  }

  /** What is left of a tree without the range. */
  #cut(tree: Tree | null, base: number, span: number, from: number, to: number): Tree | null {
    if (tree === null || base >= to || base + span <= from) return tree;
    if (tree instanceof Uint8Array) return this.#cutChunk(tree, base, from, to);
    const childSpan = span / FAN_OUT;
    let kept = 0;
    for (let place = 0; place < FAN_OUT; place++) {
      const child = tree[place]!;
      if (child === null) continue;
      const left = this.#cut(child, base + place * childSpan, childSpan, from, to);
      tree[place] = left;
      if (left !== null) kept++;
    }
    return kept === 0 ? null : tree;
  }

  #cutChunk(chunk: Uint8Array, base: number, from: number, to: number): Tree | null {
    const end = base + chunk.length;
    if (from <= base && to >= end) {
      this.#ownedBytes -= chunk.length;
      this.#pool.give(chunk);
      return null;
    }
    const parts = chunk.length > PAGE_BYTES && holdsPage(Math.max(from, base), Math.min(to, end))
      ? this.#split(chunk)
      : null;
    if (parts !== null) return this.#cut(parts, base, chunk.length, from, to);
    if (from < end && to > base) {
      chunk.fill(0, Math.max(from, base) - base, Math.min(to, end) - base);
    }
    return chunk;
  }

  /** A chunk as sixteen; null when the machine has no memory for the moment of the copy. */
  #split(chunk: Uint8Array): Tree[] | null {
    const childBytes = chunk.length / FAN_OUT as ChunkBytes;
    const parts: Uint8Array[] = [];
    for (let at = 0; at < chunk.length; at += childBytes) {
      const part = this.#pool.takeBeyond(childBytes);
      if (part === null) {
        for (const taken of parts) this.#pool.give(taken);
        return null;
      }
      part.set(chunk.subarray(at, at + childBytes));
      parts.push(part);
    }
    this.#pool.give(chunk);
    return parts;
  }

  #zero(from: number, to: number): void {
    for (let at = from; at < to;) {
      if (!this.#find(at)) {
        at = this.#skipHole(at);
        continue;
      }
      const end = Math.min(to, this.#end);
      this.#window.fill(0, at - this.#start, end - this.#start);
      at = end;
    }
  }

  /** After a miss of `#find`: where to look next. Units that are not there are leapt over. */
  #skipHole(at: number): number {
    const index = Math.floor(at / UNIT_BYTES);
    if (this.#holeEnd - index * UNIT_BYTES < UNIT_BYTES || this.#unit(index + 1) !== null) {
      return this.#holeEnd;
    }
    let next = Infinity;
    for (const key of this.#rest?.keys() ?? []) if (key > index && key < next) next = key;
    return next * UNIT_BYTES;
  }

  #nextOwned(from: number, limit: number): number {
    for (let at = from; at < limit;) {
      if (this.#find(pageStart(at))) return at;
      at = Math.max(at, this.#skipHole(pageStart(at)));
    }
    return limit;
  }

  #nextFree(from: number, limit: number): number {
    let at = from;
    while (at < limit && this.#find(pageStart(at))) {
      at = pageStart(this.#end + PAGE_BYTES - 1);
    }
    return Math.min(at, limit);
  }

  /** How many bytes of a range, in whole pages, are not owned. */
  #holeBytes(from: number, to: number): number {
    let bytes = 0;
    let hole = this.#nextFree(pageStart(from), to);
    while (hole < to) {
      const data = this.#nextOwned(hole, to);
      bytes += pageStart(data + PAGE_BYTES - 1) - hole;
      hole = this.#nextFree(data, to);
    }
    return bytes;
  }
}

/** Where a write goes: what is to be owned from `at`, and how much of it is overwritten at once. */
interface Want {
  at: number;
  wanted: number;
  filled: number;
}

function branch(first: Tree | null): (Tree | null)[] {
  const places: (Tree | null)[] = new Array(FAN_OUT).fill(null);
  places[0] = first;
  return places;
}

function isFull(children: readonly (Tree | null)[], span: number): boolean {
  for (let place = FAN_OUT - 1; place >= 0; place--) {
    const child = children[place]!;
    if (!(child instanceof Uint8Array) || child.length !== span) return false;
  }
  return true;
}
