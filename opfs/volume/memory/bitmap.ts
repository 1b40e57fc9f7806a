/**
 * Which blocks are used, in memory: allocation of runs near a goal, counts, and quarantine.
 *
 * Layer: opfs/volume. A block that is given back stays used until the commit that gives it back is
 * durable (V15), so it goes to quarantine first. The image's bitmap is derived from the slots; it
 * shows what is owned, without quarantine (`copyBytes`).
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import { append } from "../../../abi/lists.ts";
import { BLOCKS_MAX, PAGE_BYTES } from "../format/layout.ts";
import { PageSet } from "../format/page_set.ts";
import { Windows } from "./windows.ts";

const FULL = 0xffffffff;
const NO_WINDOWS = new Windows();
/** Reading and writing across such a border costs the host's cache a second look. */
const ALIGNMENT_BYTES = 128 * 1024;

/** Blocks that follow each other. */
export interface BlockRun {
  /** The first one. */
  readonly block: number;
  /** How many. */
  readonly count: number;
}

/** Used and free blocks of one volume. */
export class Bitmap {
  #words = new Uint32Array(0);
  #blocks = 0;
  #used = 0;
  #rotor = 0;
  /** Blocks between two aligned places, and where the first block is between them. */
  #unit = Infinity;
  #origin = 0;
  readonly #windows = new Windows();
  #quarantined = 0;
  readonly #taken: number[] = [];
  readonly #given: number[] = [];
  #takenMark = 0;
  #givenMark = 0;
  readonly #quarantine: number[] = [];
  /** Given back durably, but still in a record that a replay would apply. */
  #held: number[] = [];
  #heldBefore: number[] = [];
  /** Pages of the image's bitmap that differ from their home. */
  readonly home: PageSet = new PageSet();

  /** How many blocks there are. */
  get blocks(): number {
    return this.#blocks;
  }

  /** Blocks that `allocate` may give. */
  get free(): number {
    return this.#blocks - this.#used;
  }

  /** Blocks without an owner, those in quarantine among them. */
  get unowned(): number {
    return this.#blocks - this.#used + this.#quarantined;
  }

  /** Blocks that come free with the next durable commit. */
  get quarantined(): number {
    return this.#quarantined;
  }

  /** Adds free blocks. */
  grow(blocks: number): void {
    invariant(blocks >= this.#blocks, "V7: the bitmap grows upwards");
    invariant(
      Number.isInteger(blocks) && blocks <= BLOCKS_MAX,
      "V7: more blocks than there can be",
    );
    const words = Math.ceil(blocks / 32);
    if (words > this.#words.length) {
      const grown = new Uint32Array(Math.max(words, this.#words.length * 2));
      grown.set(this.#words);
      this.#words = grown;
      this.home.resize(Math.ceil(grown.byteLength / PAGE_BYTES) + 1);
    }
    this.#blocks = blocks;
  }

  /** How many free blocks the end consists of. */
  get freeAtEnd(): number {
    let low = 0;
    let high = this.#blocks;
    while (low < high) {
      const middle = low + high >>> 1;
      if (this.anyUsed(middle, this.#blocks - middle)) low = middle + 1;
      else high = middle;
    }
    return this.#blocks - low;
  }

  /** Takes free blocks off the end. */
  cut(count: number): void {
    invariant(
      count > 0 && count < this.#blocks,
      "V7: {} of {} blocks are cut",
      count,
      this.#blocks,
    );
    const blocks = this.#blocks - count;
    invariant(!this.anyUsed(blocks, count), "V1: a block beyond the end is owned");
    this.#blocks = blocks;
    if (this.#rotor >= blocks) this.#rotor = 0;
    this.#windows.clear();
  }

  /** The next search begins at the front. */
  searchFromStart(): void {
    this.#rotor = 0;
  }

  /** Whether one block is used. */
  isUsed(block: number): boolean {
    return (this.#words[block >>> 5]! >>> (block & 31) & 1) !== 0;
  }

  /** Whether one of the blocks is used. */
  anyUsed(start: number, count: number): boolean {
    return this.#runLength(start, start + count, false) < count;
  }

  /** Marks blocks at mount; false if one of them was marked already. */
  claim(start: number, count: number): boolean {
    if (this.anyUsed(start, count)) return false;
    this.#set(start, count);
    return true;
  }

  /** Forgets what the open transaction did; call it at its beginning. */
  begin(): void {
    if (this.#taken.length > 0) this.#taken.length = 0;
    if (this.#given.length > 0) this.#given.length = 0;
    this.unmark();
  }

  /** From here on is what `revert` undoes. */
  mark(): void {
    this.#takenMark = this.#taken.length;
    this.#givenMark = this.#given.length;
  }

  /** `revert` undoes everything again. */
  unmark(): void {
    this.#takenMark = this.#givenMark = 0;
  }

  /** What the transaction took is free again, what it gave back is not. */
  revert(): void {
    for (let index = this.#takenMark; index < this.#taken.length; index += 2) {
      this.#clear(this.#taken[index]!, this.#taken[index + 1]!);
    }
    this.#taken.length = this.#takenMark;
    this.#given.length = this.#givenMark;
  }

  /** What the transaction gave back goes to quarantine. */
  keep(): void {
    for (let index = 0; index < this.#given.length; index++) {
      const value = this.#given[index]!;
      this.#quarantine.push(value);
      if (index & 1) this.#quarantined += value;
    }
    invariant(this.#quarantined <= this.#used, "V15: more blocks in quarantine than are used");
    this.begin();
  }

  /**
   * Takes up to `want` adjacent blocks: at `goal` if it is free, else the first run that is long
   * enough, else the longest. Null when nothing is free.
   *
   * An `owner` that comes back with a goal is growing: the blocks after its run are kept for it as
   * long as there are others, so that files that grow in turns stay in long runs.
   */
  allocate(goal: number, want: number, owner = -1): BlockRun | null {
    invariant(Number.isInteger(want) && want >= 0, "V7: a part of a block is wanted");
    if (this.free === 0 || want === 0) return null;
    const isGrowing = owner >= 0 && goal >= 0;
    let start = goal;
    let count = this.#windows.clip(goal, this.#runAt(goal, want), owner);
    if (count === 0 && isGrowing) {
      start = this.#searchWindow(Math.max(want, this.#windows.nextSize(owner)), owner);
      count = start < 0 ? 0 : this.#freeRun(start, want);
    }
    if (count === 0) {
      start = this.#aligned(this.#search(want, owner), want);
      count = start < 0 ? 0 : this.#freeRun(start, want);
    }
    invariant(count > 0, "V3: the free count promises a block that is not there");
    this.#set(start, count);
    this.#taken.push(start, count);
    this.#rotor = start + count;
    if (isGrowing) this.#windows.advance(owner, start + count);
    return { block: start, count };
  }

  /** Undoes the last `allocate` or `take` of the open transaction. */
  untake(): void {
    const count = this.#taken.pop() ?? 0;
    const start = this.#taken.pop() ?? 0;
    invariant(count > 0, "V1: nothing has been taken that could be given back");
    this.#clear(start, count);
  }

  /** The owner is gone: nothing is kept for it any more. */
  closeWindow(owner: number): void {
    this.#windows.close(owner);
  }

  /**
   * Free blocks that should be there for an owner to take `want`, so that it neither takes what is
   * kept for others nor, if it is growing, falls to pieces.
   */
  freeBlocksWanted(owner: number, want: number, isGrowing: boolean): number {
    const windows = this.#windows;
    const isOver = isGrowing && windows.keptFor(owner) < want;
    return want + windows.keptFrom(owner) + (isOver ? windows.nextSize(owner) : 0);
  }

  /** Says where the blocks are on the device: long runs begin at multiples of 128 KiB there. */
  align(dataOffset: number, blockSize: number): void {
    this.#unit = Math.max(1, ALIGNMENT_BYTES / blockSize);
    this.#origin = Math.floor(dataOffset / blockSize) % this.#unit;
  }

  /** The next aligned place for a long run, if there is as much room. */
  #aligned(start: number, want: number): number {
    if (start < 0 || want < this.#unit) return start;
    const place = Math.ceil((start + this.#origin) / this.#unit) * this.#unit - this.#origin;
    return place < this.#blocks && this.#freeRun(place, want) === want ? place : start;
  }

  #runAt(goal: number, want: number): number {
    return goal >= 0 && goal < this.#blocks ? this.#freeRun(goal, want) : 0;
  }

  /**
   * A run that is as long as a window, which is the owner's from now on; -1 if no run is that long.
   */
  #searchWindow(size: number, owner: number): number {
    const start = this.#search(size, owner);
    if (start < 0 || this.#freeRun(start, size) < size) return -1;
    this.#windows.open(owner, start, size);
    return start;
  }

  /** Takes exactly these blocks, which are free. */
  take(start: number, count: number): void {
    invariant(!this.anyUsed(start, count), "V1: blocks at {} are owned already", start);
    this.#set(start, count);
    this.#taken.push(start, count);
  }

  /** The first free block from `start` on; -1 if no block is free. */
  freeFrom(start: number): number {
    const block = start + this.#runLength(start, this.#blocks, true);
    return block < this.#blocks ? block : -1;
  }

  /** How many blocks from `start` on are free, before `end`. */
  freeRunAt(start: number, end: number): number {
    return this.#runLength(start, Math.min(end, this.#blocks), false);
  }

  /**
   * Takes free blocks outside of every transaction, for bytes that no slot will ever speak of. A
   * crash gives them back by itself.
   */
  borrow(start: number, count: number): void {
    invariant(!this.anyUsed(start, count), "V1: blocks at {} are owned already", start);
    this.#set(start, count);
  }

  /** Gives back what has been borrowed. */
  giveBack(start: number, count: number): void {
    invariant(!this.anyFree(start, count), "V1: a block at {} that was borrowed is free", start);
    this.#clear(start, count);
  }

  /** Gives blocks back when the transaction is kept. */
  give(start: number, count: number): void {
    invariant(
      !this.anyFree(start, count),
      "V2: blocks are given back that are free",
    );
    this.#given.push(start, count);
  }

  #freeRun(start: number, want: number): number {
    return this.#runLength(start, Math.min(this.#blocks, start + want), false);
  }

  /**
   * First run of `want` free blocks after the rotor, around the end, outside of the windows of
   * others; else the longest; else the longest anywhere.
   */
  #search(want: number, owner: number): number {
    const found = this.#searchAll(want, owner, this.#windows);
    return found >= 0 ? found : this.#searchAll(want, owner, NO_WINDOWS);
  }

  #searchAll(want: number, owner: number, windows: Windows): number {
    let best = -1;
    let longest = 0;
    for (let pass = 0; pass < 2; pass++) {
      let at = pass === 0 ? this.#rotor : 0;
      const end = pass === 0 ? this.#blocks : Math.min(this.#blocks, this.#rotor + want);
      while (at < end) {
        at += this.#runLength(at, end, true);
        if (at >= end) break;
        const free = this.#freeRun(at, want);
        const length = windows.clip(at, free, owner);
        if (length === 0) {
          at = windows.endAt(at, owner);
          continue;
        }
        if (length > longest) {
          longest = length;
          best = at;
        }
        if (length >= want) return at;
        at += length;
      }
    }
    return best;
  }

  /** How many blocks from `start` on, before `end`, are used (or free). */
  #runLength(start: number, end: number, used: boolean): number {
    const words = this.#words;
    const skip = used ? 0 : FULL;
    let at = start;
    while (at < end) {
      const word = used ? ~words[at >>> 5]! : words[at >>> 5]!;
      const rest = word >>> (at & 31);
      if (rest !== 0) {
        at += 31 - Math.clz32(rest & -rest);
        break;
      }
      at = (at | 31) + 1;
      while (at + 32 <= end && words[at >>> 5] === (skip === FULL ? 0 : FULL)) at += 32;
    }
    return Math.min(at, end) - start;
  }

  #set(start: number, count: number): void {
    invariant(count > 0 && start >= 0, "V7: a run of no blocks is taken");
    invariant(start + count <= this.#blocks, "V7: blocks past the end are taken");
    this.#each(start, count, true);
    this.#used += count;
    this.#markHome(start, count);
  }

  #clear(start: number, count: number): void {
    invariant(
      count > 0 && start + count <= this.#blocks,
      "V7: blocks that are not there become free",
    );
    this.#each(start, count, false);
    this.#used -= count;
    this.#markHome(start, count);
  }

  #each(start: number, count: number, used: boolean): void {
    const words = this.#words;
    let at = start;
    const end = start + count;
    while (at < end) {
      if ((at & 31) === 0 && end - at >= 32) {
        const wholeWords = end - at >>> 5;
        words.fill(used ? FULL : 0, at >>> 5, (at >>> 5) + wholeWords);
        at += wholeWords * 32;
        continue;
      }
      if (used) words[at >>> 5]! |= 1 << (at & 31);
      else words[at >>> 5]! &= ~(1 << (at & 31));
      at++;
    }
  }

  #markHome(start: number, count: number): void {
    const last = Math.floor((start + count - 1) / (PAGE_BYTES * 8));
    for (let page = Math.floor(start / (PAGE_BYTES * 8)); page <= last; page++) {
      this.home.add(page);
    }
  }

  /** Takes the list of what waits for a durable commit: start, count, start, count. */
  takeQuarantine(): number[] {
    return this.#quarantine.splice(0);
  }

  /** Ends the quarantine of one run. */
  release(start: number, count: number): void {
    invariant(!this.anyFree(start, count), "V15: a block at {} in quarantine is free", start);
    invariant(count <= this.#quarantined, "V15: {} blocks leave a quarantine of fewer", count);
    this.#clear(start, count);
    this.#quarantined -= count;
  }

  /** The run has been given back durably, and a record that still counts has bytes of it. */
  hold(start: number, count: number): void {
    invariant(!this.anyFree(start, count), "V15: a free block at {} is held", start);
    this.#held.push(start, count);
    this.#markHome(start, count);
  }

  /** A header has been written after which that record does not count. */
  retireHeld(): void {
    append(this.#heldBefore, this.#held);
    this.#held = [];
  }

  /** That header is durable. */
  releaseHeld(): void {
    const runs = this.#heldBefore;
    this.#heldBefore = [];
    for (let index = 0; index < runs.length; index += 2) {
      this.release(runs[index]!, runs[index + 1]!);
    }
  }

  /** Whether one of the blocks is free. */
  anyFree(start: number, count: number): boolean {
    return this.#runLength(start, start + count, true) < count;
  }

  /** Copies the image's bytes `[from, from + into.length)`: the bits of owned blocks. */
  copyBytes(from: number, into: Uint8Array): void {
    invariant(Number.isInteger(from) && from >= 0, "V2: bits from byte {} on", from);
    const bytes = new Uint8Array(this.#words.buffer);
    const count = Math.max(0, Math.min(into.length, bytes.length - from));
    into.set(bytes.subarray(from, from + count));
    into.fill(0, count);
    for (const runs of [this.#held, this.#heldBefore]) {
      for (let index = 0; index < runs.length; index += 2) {
        clearBits(into, runs[index]! - from * 8, runs[index + 1]!);
      }
    }
  }

  /** Runs of blocks taken by the open transaction: start, count, start, count. */
  get taken(): readonly number[] {
    return this.#taken;
  }

  /** Where among them `revert` begins. */
  get takenMark(): number {
    return this.#takenMark;
  }

  /** Runs of blocks given back by the open transaction. */
  get given(): readonly number[] {
    return this.#given;
  }
}

/** Clears `count` bits from bit `start` on, as far as they are in the array. */
function clearBits(bytes: Uint8Array, start: number, count: number): void {
  const end = Math.min(bytes.length * 8, start + count);
  for (let bit = Math.max(0, start); bit < end; bit++) bytes[bit >> 3]! &= ~(1 << (bit & 7));
}
