/**
 * The memory pool of file data: a bounded number of blocks, clean or dirty, changed in place.
 *
 * Layer: opfs/volume. A write costs its own length, never the block's. Dirty blocks that lie side by
 * side go to the device in one call. A clean block is found by CLOCK when room is needed; when no
 * block is clean, all dirty ones are written back.
 *
 * A block with bytes in a journal record that a replay would still apply is *logged* (V15): its
 * frame stays, and it is not written to its place except by a checkpoint.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import { RECORD_DATA_HEAD_BYTES } from "../format/layout.ts";
import type { BlockDevice, Patch, PoolMetrics } from "./pool_types.ts";
import { isBlockSize } from "../format/superblock.ts";

const DIRTY = 1;
const LOGGED = 2;
const REFERENCED = 4;
const STAGING_BYTES = 1024 * 1024;
const SLAB_BYTES = 256 * 1024;
const FRAMES_MIN = 64;
const READ_AHEAD_BYTES = 128 * 1024;

/** Cached blocks of one volume. */
export class BlockPool {
  readonly #device: BlockDevice;
  readonly #blockSize: number;
  readonly #framesPerSlab: number;
  readonly #slabs: Uint8Array<ArrayBuffer>[] = [];
  readonly #frameOf = new Map<number, number>();
  readonly #blockOf: Int32Array<ArrayBuffer>;
  readonly #flags: Uint8Array<ArrayBuffer>;
  readonly #low: Int32Array<ArrayBuffer>;
  readonly #high: Int32Array<ArrayBuffer>;
  readonly #empty: number[] = [];
  #used = 0;
  #hand = 0;
  #dirty = 0;
  #pinned = 0;
  /** Logged blocks, with the frame's fate: records since the last checkpoint, and before it. */
  #logged = new Set<number>();
  #loggedBefore = new Set<number>();
  #staging = new Uint8Array(0);
  /** Apart from `#staging`: placing what was read may write back. */
  #ahead = new Uint8Array(0);
  #expected = -1;
  #window = 1;
  readonly #patches: Map<number, Patch[]>;
  /** Logged blocks as they were before what can still be taken back. */
  readonly #before = new Map<number, Uint8Array<ArrayBuffer>>();

  /** How many frames there are at most. */
  readonly capacity: number;
  /** Whether something has been written to its place and not flushed. */
  isUnflushed = false;
  /** Dirty bytes that may wait for the end of a call that can be taken back. */
  fillingBytes: number = 32 * 1024;
  /** Whether changes of a call are taken back when its commit is refused. */
  isRemembering = false;
  /** Bytes that the dirty parts of logged blocks would take in the next record. */
  loggedDirtyBytes = 0;
  /** Counters. */
  readonly metrics: PoolMetrics = { hits: 0, misses: 0, writeBacks: 0 };

  /**
   * An empty pool of `poolBytes` at most. `patches` are bytes of records that a volume for reading
   * only has replayed: they lie over what the device says.
   */
  constructor(
    device: BlockDevice,
    options: { blockSize: number; poolBytes: number; patches?: Map<number, Patch[]> },
  ) {
    const isSize = isBlockSize(options.blockSize) && options.poolBytes >= 0;
    invariant(isSize, "V7: a pool of {} bytes, blocks of {}", options.poolBytes, options.blockSize);
    this.#device = device;
    this.#blockSize = options.blockSize;
    this.#patches = options.patches ?? new Map();
    this.#framesPerSlab = Math.max(1, SLAB_BYTES / options.blockSize);
    this.capacity = Math.max(FRAMES_MIN, Math.floor(options.poolBytes / options.blockSize));
    this.#blockOf = new Int32Array(this.capacity).fill(-1);
    this.#flags = new Uint8Array(this.capacity);
    this.#low = new Int32Array(this.capacity);
    this.#high = new Int32Array(this.capacity);
  }

  /** Dirty blocks. */
  get dirtyBlocks(): number {
    return this.#dirty;
  }

  /** Cached blocks. */
  get blocks(): number {
    return this.#frameOf.size;
  }

  /** Whether so many frames are pinned by the journal that a checkpoint should free them. */
  get needsCheckpoint(): boolean {
    return this.#pinned > this.capacity >> 1;
  }

  /** Whether so many more frames may be pinned: a quarter of them all is left for other blocks. */
  mayPin(count: number): boolean {
    return this.#pinned + count <= this.capacity - (this.capacity >> 2);
  }

  /** The memory that a frame is in; see `offsetOf`. */
  slabOf(frame: number): Uint8Array<ArrayBuffer> {
    return this.#slabs[Math.floor(frame / this.#framesPerSlab)]!;
  }

  /** Where a frame begins in its slab. */
  offsetOf(frame: number): number {
    return frame % this.#framesPerSlab * this.#blockSize;
  }

  /** The block in a frame. */
  blockOf(frame: number): number {
    return this.#blockOf[frame]!;
  }

  /** First dirty byte of a frame. */
  dirtyFrom(frame: number): number {
    return this.#low[frame]!;
  }

  /** End of the dirty bytes of a frame. */
  dirtyTo(frame: number): number {
    return this.#high[frame]!;
  }

  /** The frame of a block that is cached; -1 if it is not. */
  peek(block: number): number {
    return this.#frameOf.get(block) ?? -1;
  }

  /** Whether a replay would still apply bytes to the block. */
  isLogged(block: number): boolean {
    return this.#logged.has(block) || this.#loggedBefore.has(block);
  }

  /** Blocks from `block` on, up to `count`, that may be written directly. */
  directRun(block: number, count: number): number {
    if (this.#logged.size + this.#loggedBefore.size === 0) return count;
    let run = 0;
    while (run < count && !this.isLogged(block + run)) run++;
    return run;
  }

  /** Blocks from `block` on, up to `count`, that must be read from the device. */
  absentRun(block: number, count: number): number {
    if (this.#patches.size > 0) return 0;
    let run = 0;
    while (run < count && !this.#frameOf.has(block + run)) run++;
    return run;
  }

  /** The frame of a block that is about to be overwritten whole. */
  blank(block: number): number {
    return this.#claim(block);
  }

  /** The frame of a block that has just been allocated: zeros. */
  fresh(block: number): number {
    const frame = this.#claim(block);
    const at = this.offsetOf(frame);
    this.slabOf(frame).fill(0, at, at + this.#blockSize);
    return frame;
  }

  /**
   * The frame of a block, read if need be; up to `follow` blocks after it belong to the same file
   * and are read with it when the reading is sequential.
   */
  get(block: number, follow = 1): number {
    const cached = this.#frameOf.get(block);
    if (cached !== undefined) {
      this.metrics.hits++;
      this.#flags[cached]! |= REFERENCED;
      return cached;
    }
    this.metrics.misses++;
    const count = this.#aheadOf(block, follow);
    if (count > 1) return this.#readRun(block, count);
    const frame = this.#claim(block);
    const at = this.offsetOf(frame);
    try {
      this.#device.readBlocks(this.slabOf(frame).subarray(at, at + this.#blockSize), block);
    } catch (error) {
      this.drop(block);
      throw error;
    }
    this.#patch(frame, block);
    return frame;
  }

  /** How many blocks to read: more and more as long as each miss follows the last one. */
  #aheadOf(block: number, follow: number): number {
    const most = Math.min(READ_AHEAD_BYTES / this.#blockSize, this.capacity >> 3);
    this.#window = block === this.#expected ? Math.min(this.#window * 2, most) : 1;
    const count = Math.max(1, this.absentRun(block, Math.min(this.#window, follow)));
    this.#expected = block + count;
    return count;
  }

  #readRun(block: number, count: number): number {
    const length = count * this.#blockSize;
    if (this.#ahead.length < length) this.#ahead = new Uint8Array(length);
    const bytes = this.#ahead.subarray(0, length);
    this.#device.readBlocks(bytes, block);
    // From the end on, so that the frame asked for is the last one taken and still there.
    for (let index = count - 1; index >= 0; index--) {
      const frame = this.#claim(block + index);
      const from = index * this.#blockSize;
      this.slabOf(frame).set(
        bytes.subarray(from, from + this.#blockSize),
        this.offsetOf(frame),
      );
    }
    return this.#frameOf.get(block)!;
  }

  #patch(frame: number, block: number): void {
    const at = this.offsetOf(frame);
    this.patchOver(block, this.slabOf(frame).subarray(at, at + this.#blockSize));
  }

  /** Lays what a volume for reading only has replayed over a block's bytes on the device. */
  patchOver(block: number, into: Uint8Array): void {
    for (const { offset, bytes } of this.#patches.get(block) ?? []) into.set(bytes, offset);
  }

  #stage(length: number): Uint8Array<ArrayBuffer> {
    if (this.#staging.length < length) this.#staging = new Uint8Array(length);
    return this.#staging.subarray(0, length);
  }

  /** A frame for a block; its contents are undefined. */
  #claim(block: number): number {
    invariant(block >= 0, "V7: a frame for a block before the first");
    const cached = this.#frameOf.get(block);
    if (cached !== undefined) return cached;
    const frame = this.#empty.pop() ?? (this.#used < this.capacity ? this.#open() : this.#evict());
    this.#blockOf[frame] = block;
    this.#flags[frame] = REFERENCED;
    this.#frameOf.set(block, frame);
    return frame;
  }

  #open(): number {
    const frame = this.#used++;
    if (frame % this.#framesPerSlab === 0) {
      this.#slabs.push(new Uint8Array(this.#framesPerSlab * this.#blockSize));
    }
    return frame;
  }

  #evict(): number {
    if (this.#dirty + this.#pinned >= this.capacity) this.#writeBackForRoom();
    for (let look = 0; look < this.capacity * 2; look++) {
      const frame = this.#hand;
      this.#hand = (frame + 1) % this.capacity;
      const flags = this.#flags[frame]!;
      if ((flags & (DIRTY | LOGGED)) !== 0) continue;
      if ((flags & REFERENCED) !== 0) {
        this.#flags[frame] = flags & ~REFERENCED;
        continue;
      }
      this.#frameOf.delete(this.#blockOf[frame]!);
      return frame;
    }
    this.#writeBackForRoom();
    invariant(this.#pinned < this.capacity, "V15: the journal pins every frame of the pool");
    return this.#evict();
  }

  #writeBackForRoom(): void {
    this.metrics.writeBacks++;
    this.writeBack();
  }

  /**
   * Before a frame's bytes are changed: remembers them if no place has them but the journal. What
   * else is changed can be read again, as long as it is not written to its place.
   */
  remember(frame: number): void {
    if (!this.isRemembering || (this.#flags[frame]! & (LOGGED | DIRTY)) !== LOGGED) return;
    const at = this.offsetOf(frame);
    const bytes = this.slabOf(frame).slice(at, at + this.#blockSize);
    this.#before.set(this.#blockOf[frame]!, bytes);
  }

  /** What has been changed is final. */
  forgetBefore(): void {
    if (this.#before.size > 0) this.#before.clear();
  }

  /** Every block is what it was before anything was dirty. */
  takeBack(): void {
    for (const frame of this.dirtyFrames("all")) {
      const block = this.#blockOf[frame]!;
      const bytes = this.#before.get(block);
      const isLogged = (this.#flags[frame]! & LOGGED) !== 0;
      invariant(bytes !== undefined || !isLogged, "V15: block {} is nowhere as it was", block);
      if (bytes === undefined) this.drop(block);
      else {
        this.slabOf(frame).set(bytes, this.offsetOf(frame));
        this.#clean(frame);
      }
    }
    this.loggedDirtyBytes = 0;
    this.#before.clear();
  }

  /** Whether so many blocks more may be dirty before a record should take them. */
  holds(more: number): boolean {
    const dirty = this.#dirty + more;
    return dirty * this.#blockSize <= this.fillingBytes && dirty <= this.capacity >> 2;
  }

  /** Says that bytes `[low, high)` of a frame have been changed. */
  markDirty(frame: number, low: number, high: number): void {
    const isInside = low >= 0 && low < high && high <= this.#blockSize;
    invariant(isInside, "V7: bytes outside of their block");
    invariant(this.#blockOf[frame]! >= 0, "V15: a frame without a block becomes dirty");
    const flags = this.#flags[frame]!;
    const isLogged = (flags & LOGGED) !== 0;
    if ((flags & DIRTY) === 0) {
      this.#flags[frame] = flags | DIRTY;
      this.#dirty++;
      this.#low[frame] = low;
      this.#high[frame] = high;
      if (isLogged) this.loggedDirtyBytes += RECORD_DATA_HEAD_BYTES + high - low + 4;
      return;
    }
    const before = this.#high[frame]! - this.#low[frame]!;
    if (low < this.#low[frame]!) this.#low[frame] = low;
    if (high > this.#high[frame]!) this.#high[frame] = high;
    if (isLogged) this.loggedDirtyBytes += this.#high[frame]! - this.#low[frame]! - before;
  }

  /** Bytes by which the next record would grow if these of a logged block became dirty. */
  growthOf(block: number, low: number, high: number): number {
    const frame = this.peek(block);
    if (frame < 0 || (this.#flags[frame]! & LOGGED) === 0) return 0;
    if ((this.#flags[frame]! & DIRTY) === 0) return high - low;
    const before = this.#high[frame]! - this.#low[frame]!;
    return Math.max(high, this.#high[frame]!) - Math.min(low, this.#low[frame]!) - before;
  }

  /** Dirty frames in order of their blocks; logged ones too, or alone, or not. */
  dirtyFrames(which: "all" | "logged" | "unlogged"): number[] {
    const frames: number[] = [];
    let left = this.#dirty;
    for (let frame = 0; left > 0; frame++) {
      invariant(frame < this.#used, "V12: fewer blocks are dirty than are counted");
      if ((this.#flags[frame]! & DIRTY) === 0) continue;
      left--;
      const isLogged = (this.#flags[frame]! & LOGGED) !== 0;
      if (which === "all" || isLogged === (which === "logged")) frames.push(frame);
    }
    return frames.sort((a, b) => this.#blockOf[a]! - this.#blockOf[b]!);
  }

  /** Writes every dirty block that is not logged to its place. */
  writeBack(): void {
    const frames = this.dirtyFrames("unlogged");
    for (const frame of frames) {
      invariant(!this.isLogged(this.#blockOf[frame]!), "V15: a logged block goes to its place");
    }
    if (frames.length > 0) this.isUnflushed = true;
    this.#writeRuns(frames);
    for (const frame of frames) this.#clean(frame);
  }

  /** Writes whole blocks, neighbours in one call. */
  #writeRuns(frames: readonly number[]): void {
    const most = Math.max(1, Math.floor(STAGING_BYTES / this.#blockSize));
    for (let index = 0; index < frames.length;) {
      const block = this.#blockOf[frames[index]!]!;
      let count = 1;
      while (count < most && this.#isNext(frames[index + count], block + count)) count++;
      const bytes = this.#gather(frames, index, count);
      this.#device.writeBlocks(bytes, block);
      index += count;
    }
  }

  #isNext(frame: number | undefined, block: number): boolean {
    return frame !== undefined && this.#blockOf[frame] === block;
  }

  #gather(frames: readonly number[], index: number, count: number): Uint8Array<ArrayBuffer> {
    const size = this.#blockSize;
    const first = frames[index]!;
    const firstAt = this.offsetOf(first);
    if (count === 1) return this.slabOf(first).subarray(firstAt, firstAt + size);
    const bytes = this.#stage(count * size);
    for (let done = 0; done < count; done++) {
      const frame = frames[index + done]!;
      const at = this.offsetOf(frame);
      bytes.set(this.slabOf(frame).subarray(at, at + size), done * size);
    }
    return bytes;
  }

  #clean(frame: number): void {
    if ((this.#flags[frame]! & DIRTY) === 0) return;
    this.#flags[frame]! &= ~DIRTY;
    this.#dirty--;
  }

  /** The record that holds the dirty bytes of these frames is durable: they are clean and logged. */
  logged(frames: readonly number[]): void {
    for (const frame of frames) {
      invariant((this.#flags[frame]! & DIRTY) !== 0, "V12: a record with bytes of a clean frame");
      this.#clean(frame);
      this.#logged.add(this.#blockOf[frame]!);
      if ((this.#flags[frame]! & LOGGED) === 0) this.#pinned++;
      this.#flags[frame]! |= LOGGED;
    }
    this.loggedDirtyBytes = 0;
  }

  /** Writes logged blocks to their place, for a checkpoint. */
  writeLoggedHome(): void {
    const frames: number[] = [];
    for (const block of this.#logged) {
      const frame = this.#frameOf.get(block);
      if (frame !== undefined) frames.push(frame);
    }
    frames.sort((a, b) => this.#blockOf[a]! - this.#blockOf[b]!);
    this.#writeRuns(frames);
  }

  /** A header has been written after which nothing so far will be replayed. */
  retireLogged(): void {
    for (const block of this.#logged) this.#loggedBefore.add(block);
    this.#logged = new Set();
  }

  /** That header is durable. */
  releaseRetired(): void {
    for (const block of this.#loggedBefore) {
      const frame = this.#frameOf.get(block);
      if (frame === undefined || this.#logged.has(block)) continue;
      this.#unpin(frame);
    }
    this.#loggedBefore = new Set();
  }

  #unpin(frame: number): void {
    if ((this.#flags[frame]! & LOGGED) === 0) return;
    this.#flags[frame]! &= ~LOGGED;
    this.#pinned--;
    if ((this.#flags[frame]! & DIRTY) === 0) return;
    this.loggedDirtyBytes -= RECORD_DATA_HEAD_BYTES + 4 + this.#high[frame]! - this.#low[frame]!;
  }

  /** Forgets a block: it has been given back, or written directly. */
  drop(block: number): void {
    const frame = this.#frameOf.get(block);
    if (frame === undefined) return;
    this.#unpin(frame);
    this.#clean(frame);
    this.#frameOf.delete(block);
    this.#blockOf[frame] = -1;
    this.#flags[frame] = 0;
    this.#empty.push(frame);
  }

  /** Blocks have been written around the pool: what it has of them is old. */
  wroteDirectly(start: number, count: number): void {
    this.isUnflushed = true;
    this.dropRun(start, count);
  }

  /** A write around the pool was refused: what waits goes there whole, other blocks are read again. */
  refusedDirectly(start: number, count: number): boolean {
    for (let block = start; block < start + count; block++) {
      const frame = this.peek(block);
      if (((this.#flags[frame] ?? 0) & DIRTY) === 0) this.drop(block);
      else this.markDirty(frame, 0, this.#blockSize);
    }
    return this.peek(start) >= 0;
  }

  /** Forgets blocks that follow each other. */
  dropRun(start: number, count: number): void {
    if (count > this.#frameOf.size) {
      for (const block of [...this.#frameOf.keys()]) {
        if (block >= start && block < start + count) this.drop(block);
      }
      return;
    }
    for (let block = start; block < start + count; block++) this.drop(block);
  }
}
