/**
 * Writing bytes into a file, step by step.
 *
 * Layer: opfs/volume, under `volume.ts`; `write_plan.ts` says how a write is divided into steps.
 * One step is a run of whole blocks that goes straight to the device, or a part of one block in the
 * pool. A write for whose end there is no room returns how many bytes fitted. `Volume.write` itself
 * calls the device, so that there are few frames in between: this file says what to write.
 *
 * Where each call is durable before it returns, a refused commit reverts what the write has done
 * since the last one. Bytes that were written over bytes of the file cannot be reverted, so
 * everything before them is committed first, and they count as written.
 *
 * @module
 */
import { isErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import type { BlockRun } from "../memory/bitmap.ts";
import { NO_BLOCK } from "../memory/extent.ts";
import { writeInBlock, zeroGap } from "./file_data.ts";
import * as L from "../format/layout.ts";
import { refusalOf, requireCount, type VolumeState } from "../state.ts";
import { FINAL } from "../transaction.ts";
import {
  DIRECT_WRITE_BYTES,
  directPiece,
  mayTryAgain,
  pooledPiece,
  reserve,
  writable,
} from "./write_plan.ts";

const NOTHING = new Uint8Array(0);

/** Writes into the files of one volume. */
export class FileWriter {
  readonly #state: VolumeState;
  #slot = 0;
  #from: Uint8Array = NOTHING;
  #at = 0;
  #length = 0;
  #done = 0;
  /** Bytes, of those that are done, that a refused commit does not revert. */
  #secured = 0;
  #settled = 0;
  #isSecond = false;
  #isOver = false;
  /**
   * The run that the device is given: its first block, its bytes, and whether it overwrites any.
   */
  #block = 0;
  #asked = 0;
  #isInPlace = false;
  /** Where it goes. */
  place = 0;

  /** A writer without a write. */
  constructor(state: VolumeState) {
    this.#state = state;
  }

  /**
   * Begins a write at byte `at`. Returns what `next` returns.
   *
   * @throws {ErrnoError} EINVAL, EFBIG, and ENOSPC when there is room for none
   */
  start(slot: number, from: Uint8Array, at: number): Uint8Array | null {
    const state = this.#state;
    const length = writable(state, from.length, at);
    reserve(state, slot, at, length);
    this.#slot = slot;
    this.#from = from;
    this.#at = at;
    this.#length = length;
    this.#done = this.#secured = 0;
    this.#settled = state.settled;
    this.#isSecond = this.#isOver = false;
    return this.next();
  }

  /**
   * Makes steps through the pool, up to one that goes straight to the device. Returns what the
   * caller must write at `place`, before it calls `wrote` or `refused`; null at the end.
   */
  next(): Uint8Array | null {
    while (this.#done < this.#length && !this.#isOver) {
      try {
        this.#state.openStep();
        const run = this.#plan();
        if (run !== null) return run;
      } catch (error) {
        this.#fail(error);
      }
    }
    return null;
  }

  /** Begins the step whose bytes the device gets, or does the step in the pool. */
  #plan(): Uint8Array | null {
    const state = this.#state;
    const slot = this.#slot;
    const position = this.#at + this.#done;
    const size = state.sizeOf(slot);
    if (position > size) zeroGap(state, slot, size, position);
    const most = this.#length - this.#done;
    this.#isInPlace = position < size && most >= DIRECT_WRITE_BYTES && this.#isWritten(position);
    let direct = directPiece(state, slot, position, most);
    // What is overwritten is lost: earlier changes must not depend on a later commit.
    if (direct !== null && this.#isInPlace && state.isHeld) {
      state.nextStepDurably();
      this.#noteSettled();
      direct = directPiece(state, slot, position, most);
    }
    if (direct !== null) return this.#planRun(direct);
    const length = pooledPiece(state, slot, position, most);
    writeInBlock(state, slot, position, this.#from.subarray(this.#done, this.#done + length));
    this.#keep(length);
    return null;
  }

  #planRun({ block, count }: BlockRun): Uint8Array {
    const state = this.#state;
    this.#block = block;
    this.place = state.placeOf(block, 0);
    const bytes = this.#from.subarray(this.#done, this.#done + count * state.blockSize);
    if (state.watches.size > 0) state.announceWrite(block, count);
    this.#asked = bytes.length;
    return bytes;
  }

  /** Called with how many bytes the device has taken; of an overwritten run a part counts. */
  wrote(count: number): void {
    const state = this.#state;
    invariant(this.#asked > 0, "V14: a device has written what no write has asked for");
    try {
      const taken = count > 0 && count < this.#asked ? this.#leaveRest(count) : count;
      const isCut = this.#isInPlace && taken > 0 && taken < this.#asked;
      if (!isCut) requireCount(state, taken, this.#asked);
      const blocks = Math.ceil(taken / state.blockSize);
      state.pool.wroteDirectly(this.#block, blocks);
      state.backing?.wrote(this.#block, blocks);
      const old = state.sizeOf(this.#slot) - this.#at;
      this.#keep(taken);
      if (this.#isInPlace) this.#secured = Math.min(this.#done, old);
      this.#isOver = isCut;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Called when the device has thrown. */
  refused(error: unknown): void {
    this.#leaveRest(0);
    this.#fail(refusalOf(this.#state, error));
  }

  /**
   * After the first `count` bytes of an overwritten run, a read shows what has landed, and that
   * does not change; only blocks with bytes in the pool stay as they are there. Returns how many
   * bytes count: none in such a block.
   */
  #leaveRest(count: number): number {
    if (!this.#isInPlace) return count;
    const { pool, blockSize } = this.#state;
    const whole = Math.floor(count / blockSize);
    const isWaiting = pool.refusedDirectly(this.#block + whole, this.#asked / blockSize - whole);
    return isWaiting ? whole * blockSize : count;
  }

  /** The step is done. */
  #keep(count: number): void {
    const state = this.#state;
    this.#grew(this.#at + this.#done + count);
    state.keepStep();
    this.#noteSettled();
    this.#done += count;
    this.#isSecond = false;
  }

  /** The step failed: tries once more, or ends; throws when nothing has been written. */
  #fail(error: unknown): void {
    const state = this.#state;
    const refused = state.dropStep(error);
    const isWorth = !this.#isSecond && mayTryAgain(state, refused);
    this.#noteSettled();
    this.#isSecond = isWorth;
    if (isWorth) return;
    this.#isOver = true;
    if (this.#done > 0 && refused.code === "ENOSPC") return;
    this.#from = NOTHING;
    state.takeBack();
    throw refused;
  }

  /** After a commit in the middle of the write: the steps before it stay. */
  #noteSettled(): void {
    if (this.#state.settled === this.#settled) return;
    this.#settled = this.#state.settled;
    this.#secured = Math.max(this.#secured, this.#done);
  }

  /** Whether a byte of the file is in a written block. */
  #isWritten(position: number): boolean {
    const { extents, blockSize } = this.#state;
    const found = extents.find(this.#slot, Math.floor(position / blockSize));
    return found.block !== NO_BLOCK && !found.isUnwritten;
  }

  #grew(end: number): void {
    const { tables } = this.#state;
    this.#state.touch(this.#slot, true);
    if (end <= this.#state.sizeOf(this.#slot)) return;
    tables.view.setFloat64(this.#slot * L.SLOT_BYTES + L.SLOT.SIZE, end, L.LE);
  }

  /** The end of the write: its commit, if each call has one, and the count. */
  end(): number {
    const state = this.#state;
    this.#from = NOTHING;
    if (!state.isHeld) return this.#done;
    try {
      state.commitHeld();
      return this.#done;
    } catch (error) {
      const refused = state.broken(error);
      state.takeBack();
      if (this.#secured === 0 || refused.code !== "ENOSPC") throw refused;
      this.#endShort();
      return this.#secured;
    }
  }

  /**
   * Committed bytes are on the device, but perhaps not flushed, and the times of the write are not.
   */
  #endShort(): void {
    const state = this.#state;
    // A refused flush leaves unknown what is there: the volume has failed, and so has the write.
    if (state.pool.isUnflushed) state.flush();
    try {
      state.step(() => state.touch(this.#slot, true), FINAL);
    } catch (error) {
      if (!isErrnoError(error) || error.code !== "ENOSPC") throw error;
    }
  }
}
