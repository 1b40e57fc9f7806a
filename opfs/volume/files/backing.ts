/**
 * Disk space for the blocks of a sparse device, whose file may be longer than the disk space it
 * has.
 *
 * Layer: opfs/volume, beside `bitmap.ts`; only for a device that says it is sparse. A small write
 * goes into the pool, and its disk space is reserved before the write is accepted, by writing zeros
 * for many blocks at a time. So a full disk refuses that write, and not a later commit. Large
 * pieces go to their place at once, and need no reservation.
 *
 * Which blocks have disk space is only a hint, and only in memory: where it is missing, zeros are
 * written, but only into blocks that hold no bytes of a file: just allocated, free, or never
 * written.
 *
 * @module
 */
import { isErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import type { BlockRun } from "../memory/bitmap.ts";
import { BlockSet } from "../memory/block_set.ts";
import * as L from "../format/layout.ts";
import { blockOfPair, countOfPair } from "../format/slots.ts";
import type { BackedBlocks } from "../roles.ts";
import { isDead } from "../format/slot_owner.ts";
import { type VolumeState, writeDevice } from "../state.ts";

/** Zeros that are written at a time. */
const AHEAD_BYTES = 256 * 1024;

/** Which blocks of one volume have disk space. */
export class Backing implements BackedBlocks {
  readonly #state: VolumeState;
  #blocks: BlockSet;
  readonly #zeros: Uint8Array<ArrayBuffer>;
  /** Whether the disk was full the last time: then blocks with disk space are given out first. */
  isTight = false;

  /** At mount: blocks that are owned and written have disk space. */
  constructor(state: VolumeState) {
    const { bitmap, blockSize } = state;
    this.#state = state;
    this.#zeros = new Uint8Array(Math.max(blockSize, AHEAD_BYTES));
    this.#blocks = new BlockSet(Math.max(1024, bitmap.blocks * 2));
    for (let block = 0; block < bitmap.blocks;) {
      const free = bitmap.freeRunAt(block, bitmap.blocks);
      const next = bitmap.freeFrom(block + free);
      const end = next < 0 ? bitmap.blocks : next;
      this.#mark(block + free, end);
      block = Math.max(end, block + 1);
    }
    this.#forgetUnwritten();
  }

  /** Blocks that are owned but were never written may have no disk space. */
  #forgetUnwritten(): void {
    const { tables } = this.#state;
    const forget = (at: number): void => {
      const block = blockOfPair(tables.view, at);
      const count = countOfPair(tables.view, at);
      if (count >>> 31 !== 0 && block !== L.HOLE_BLOCK) {
        this.#clear(block, block + (count & ~L.UNWRITTEN));
      }
    };
    for (let slot = L.FIRST_FILE_SLOT; slot < tables.slotCount; slot++) {
      const at = slot * L.SLOT_BYTES;
      const type = this.#state.typeOf(slot);
      if (type === L.TYPE.FILE) forget(at + L.SLOT.FIRST_BLOCK);
      // A dead slot names blocks that others may own by now.
      if (type !== L.TYPE.CONTINUATION || isDead(tables.view, slot)) continue;
      for (let pair = 0; pair < L.PAIRS_MAX; pair++) {
        forget(at + L.CONTINUATION.PAIRS + pair * L.PAIR_BYTES);
      }
    }
  }

  /** Whether a block has disk space. */
  has(block: number): boolean {
    return block < this.#blocks.blocks && this.#blocks.has(block);
  }

  #mark(from: number, to: number): void {
    if (to > this.#blocks.blocks) this.#grow(to);
    for (let at = from; at < to;) {
      at += this.#blocks.runAt(at, to);
      const next = this.#blocks.nextFrom(at, to);
      if (next > at) this.#blocks.add(at, next - at);
      at = next;
    }
  }

  #clear(from: number, to: number): void {
    const end = Math.min(to, this.#blocks.blocks);
    for (let at = this.#blocks.nextFrom(from, end); at < end;) {
      const count = this.#blocks.runAt(at, end);
      this.#blocks.clear(at, count);
      at = this.#blocks.nextFrom(at + count, end);
    }
  }

  #grow(blocks: number): void {
    const before = this.#blocks;
    this.#blocks = new BlockSet(Math.min(L.BLOCKS_MAX, Math.max(blocks, before.blocks * 2)));
    for (let at = before.nextFrom(0, before.blocks); at < before.blocks;) {
      const count = before.runAt(at, before.blocks);
      this.#blocks.add(at, count);
      at = before.nextFrom(at + count, before.blocks);
    }
  }

  /** The device has been made longer by blocks, which have no disk space yet. */
  appeared(first: number, end: number): void {
    this.#clear(first, end);
  }

  /** Blocks have been written, so they have disk space. */
  wrote(block: number, count: number): void {
    const isThere = block >= 0 && count >= 0 && block + count <= L.BLOCKS_MAX;
    invariant(isThere, "V7: {} blocks at {} have room", count, block);
    if (this.isTight && !this.#isBacked(block, count)) this.isTight = false;
    this.#mark(block, block + count);
  }

  /**
   * Reserves disk space for blocks that hold no bytes of a file; whether there was any. What
   * follows them and holds none either gets room in the same call if it can be had.
   *
   * @throws {ErrnoError} when the device fails in another way
   */
  ensure(block: number, count: number): boolean {
    const isThere = block >= 0 && count > 0 && block + count <= this.#state.bitmap.blocks;
    invariant(isThere, "V7: room for {} blocks at {}", count, block);
    if (this.#isBacked(block, count)) return true;
    const done = this.#occupy(block, this.#reach(block, count)) || this.#occupy(block, count);
    this.isTight = !done;
    return done;
  }

  #isBacked(block: number, count: number): boolean {
    return block + count <= this.#blocks.blocks &&
      this.#blocks.runAt(block, block + count) === count;
  }

  /** How many blocks to fill: those wanted, and free ones after them without disk space. */
  #reach(block: number, count: number): number {
    const { bitmap, blockSize } = this.#state;
    const most = Math.max(count, Math.floor(AHEAD_BYTES / blockSize));
    const end = block + count;
    const free = bitmap.freeRunAt(end, block + most);
    const backed = this.#blocks.nextFrom(end, Math.min(end + free, this.#blocks.blocks));
    return count + Math.min(free, Math.max(0, backed - end));
  }

  #occupy(block: number, count: number): boolean {
    const state = this.#state;
    const { blockSize } = state;
    state.announceWrite(block, count);
    const most = Math.floor(this.#zeros.length / blockSize);
    try {
      for (let done = 0; done < count; done += most) {
        const bytes = this.#zeros.subarray(0, Math.min(most, count - done) * blockSize);
        writeDevice(state, bytes, state.placeOf(block + done, 0));
      }
    } catch (error) {
      if (!isErrnoError(error) || error.code !== "ENOSPC") throw error;
      return false;
    }
    this.#mark(block, block + count);
    return true;
  }

  /**
   * Takes adjacent free blocks with disk space, up to `want`; null when none is free.
   */
  takeBacked(want: number): BlockRun | null {
    const { bitmap } = this.#state;
    invariant(want > 0, "V7: {} blocks with room are wanted", want);
    const end = Math.min(bitmap.blocks, this.#blocks.blocks);
    for (let at = bitmap.freeFrom(0); at >= 0 && at < end;) {
      const free = bitmap.freeRunAt(at, end);
      const first = this.#blocks.nextFrom(at, at + free);
      if (first < at + free) {
        const count = this.#blocks.runAt(first, Math.min(at + free, first + want));
        bitmap.take(first, count);
        return { block: first, count };
      }
      at = bitmap.freeFrom(at + Math.max(1, free));
    }
    return null;
  }
}

/**
 * Blocks for bytes that go through the pool, or for a large write: as `bitmap.allocate`, but with
 * disk space if the bytes are `isPooled`. Null when no block is free.
 */
export function allocateBlocks(
  state: VolumeState,
  wanted: { goal: number; want: number; owner?: number; isPooled: boolean },
): BlockRun | null {
  const { bitmap, backing } = state;
  const { goal, want, owner = -1, isPooled } = wanted;
  if (backing === null) return bitmap.allocate(goal, want, owner);
  if (backing.isTight) {
    const backed = backing.takeBacked(want);
    if (backed !== null) return backed;
  }
  const run = bitmap.allocate(goal, want, owner);
  if (run === null || !isPooled || backing.ensure(run.block, run.count)) return run;
  bitmap.untake();
  return backing.takeBacked(want);
}
