/**
 * Writing bytes into a file, step by step.
 *
 * Layer: opfs/volume, under `volume.ts`; `write_plan.ts` says how a write is cut into steps. One step
 * is a run of whole blocks that goes straight to the device, or a part of one block in the pool. A
 * write that finds room for its beginning only answers how much that is.
 *
 * Where each call is durable before it returns, a refused commit takes back what the write has done
 * since the last one. Bytes that were written straight over bytes of the file cannot be taken back, so
 * what lies before them is committed first, and they count as written.
 *
 * @module
 */
import { isErrnoError } from "../../abi/errno.ts";
import { NO_BLOCK } from "./extent.ts";
import { writeInBlock, zeroGap } from "./file_data.ts";
import * as L from "./layout.ts";
import { refusalOf, requireCount, type VolumeState } from "./state.ts";
import { FINAL } from "./transaction.ts";
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
  /** Bytes, of those that are done, that a refused commit does not take back. */
  #secured = 0;
  #settled = 0;
  #isSecond = false;
  /** The device took less than it was given. */
  #isCut = false;

  /** A writer that is at rest. */
  constructor(state: VolumeState) {
    this.#state = state;
  }

  /**
   * Writes at byte `at`; how many bytes, which are fewer than all when the device is full.
   *
   * @throws {ErrnoError} EINVAL, EFBIG, and ENOSPC when there is room for none
   */
  write(slot: number, from: Uint8Array, at: number): number {
    const state = this.#state;
    const length = writable(state, from.length, at);
    reserve(state, slot, at, length);
    this.#slot = slot;
    this.#from = from;
    this.#at = at;
    this.#length = length;
    this.#done = this.#secured = 0;
    this.#settled = state.settled;
    this.#isSecond = this.#isCut = false;
    try {
      while (this.#done < length && this.#goOn());
      return this.#end();
    } finally {
      this.#from = NOTHING;
    }
  }

  /** One step; whether the next one may follow. */
  #goOn(): boolean {
    const state = this.#state;
    const before = this.#done;
    try {
      const piece = state.step(this.#step);
      this.#noteSettled(before);
      this.#done = before + piece;
      this.#isSecond = false;
      return !this.#isCut;
    } catch (error) {
      const refused = state.broken(error);
      const isWorth = !this.#isSecond && mayTryAgain(state, refused);
      this.#noteSettled(before);
      this.#isSecond = isWorth;
      if (isWorth) return true;
      if (before > 0 && refused.code === "ENOSPC") return false;
      state.takeBack();
      throw refused;
    }
  }

  /** A commit in the middle of the write: what was done before it stays. */
  #noteSettled(done: number): void {
    if (this.#state.settled === this.#settled) return;
    this.#settled = this.#state.settled;
    this.#secured = Math.max(this.#secured, done);
  }

  readonly #step = (): number => {
    const state = this.#state;
    const slot = this.#slot;
    const position = this.#at + this.#done;
    const size = state.sizeOf(slot);
    if (position > size) zeroGap(state, slot, size, position);
    const most = this.#length - this.#done;
    const isOver = position < size && most >= DIRECT_WRITE_BYTES && this.#isWritten(position);
    let piece = directPiece(state, slot, position, most);
    // What is written over is gone: what came before must not depend on a later commit.
    if (piece > 0 && isOver && state.isHeld) {
      state.nextStepDurably();
      this.#noteSettled(this.#done);
      piece = directPiece(state, slot, position, most);
    }
    const isDirect = piece > 0;
    if (!isDirect) piece = pooledPiece(state, slot, position, most);
    const bytes = this.#from.subarray(this.#done, this.#done + piece);
    const count = isDirect
      ? this.#writeRun(bytes, isOver)
      : writeInBlock(state, slot, position, bytes);
    if (isDirect && isOver) this.#secured = Math.min(this.#done + count, size - this.#at);
    this.#grew(position + count);
    return count;
  };

  /** Whole blocks go straight to the device; of bytes that are written over as many as it takes. */
  #writeRun(bytes: Uint8Array, isOver: boolean): number {
    const state = this.#state;
    const { extents, blockSize } = state;
    const blocks = bytes.length / blockSize;
    if (state.watches.size > 0) state.announceWrite(extents.block, blocks);
    let count: number;
    try {
      count = state.handle.write(bytes, { at: state.placeOf(extents.block, 0) });
    } catch (error) {
      throw refusalOf(state, error);
    }
    this.#isCut = isOver && count > 0 && count < bytes.length;
    if (!this.#isCut) requireCount(state, count, bytes.length);
    state.pool.wroteDirectly(extents.block, blocks);
    state.backing?.wrote(extents.block, blocks);
    return count;
  }

  /** Whether a byte of the file lies in a block that has been written. */
  #isWritten(position: number): boolean {
    const { extents, blockSize } = this.#state;
    extents.find(this.#slot, Math.floor(position / blockSize));
    return extents.block !== NO_BLOCK && !extents.isUnwritten;
  }

  #grew(end: number): void {
    const { tables } = this.#state;
    this.#state.touch(this.#slot, true);
    if (end <= this.#state.sizeOf(this.#slot)) return;
    tables.view.setFloat64(this.#slot * L.SLOT_BYTES + L.SLOT.SIZE, end, L.LE);
  }

  /** The write is over: its commit, if each call has one, and the count. */
  #end(): number {
    const state = this.#state;
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

  /** What is secured is on the device, but perhaps not flushed; its times are no part of that. */
  #endShort(): void {
    const state = this.#state;
    state.flush();
    try {
      state.step(() => state.touch(this.#slot, true), FINAL);
    } catch (error) {
      if (!isErrnoError(error) || error.code !== "ENOSPC") throw error;
    }
  }
}
