/**
 * Upkeep: a volume that is much longer than its contents is made shorter while it is in use.
 *
 * Layer: opfs/volume, under `volume.ts`, above `compact.ts`. It runs between two calls, when no
 * transaction is open and no call holds a block's number. A long free end is cut off. In a volume
 * that is mostly empty the used blocks move to the front, a megabyte for each commit, so that each
 * freed byte pays for at most one that is moved.
 *
 * Use: `if (upkeep.isDue) upkeep.run()` at the beginning of a call, `upkeep.run()` after a sync.
 *
 * @module
 */
import { Compactor, cutEnd } from "./compact.ts";
import { spareEnd } from "../space/free_end.ts";
import type { Journal } from "../journal/journal.ts";
import * as L from "../format/layout.ts";
import type { VolumeState } from "../state.ts";

/** Slots that one step looks at, and pieces that it moves, at most. */
const SLOTS_PER_STEP = 4096;
const MOVES_PER_STEP = 64;
/** Bytes that one step moves. */
const STEP_BYTES = 1024 * 1024;

/** Keeps one volume short. */
export class Upkeep {
  readonly #state: VolumeState;
  readonly #journal: Journal;
  #seen = 0;
  #pass: Pass | null = null;
  /**
   * How many blocks there were, and how many of them owned, after a pass that could move nothing.
   */
  #restBlocks = 0;
  #restOwned = Infinity;
  /** A block could not be read or written: nothing is moved any more. */
  #isOff = false;

  /** Upkeep of a volume; nothing runs yet. */
  constructor(state: VolumeState, journal: Journal) {
    this.#state = state;
    this.#journal = journal;
  }

  /** Whether there has been a commit since the last run. */
  get isDue(): boolean {
    return this.#journal.metrics.commits !== this.#seen;
  }

  /** Whether a pass is under way; for tests. */
  get isTidying(): boolean {
    return this.#pass !== null;
  }

  /**
   * One step, if there is anything to do. What is refused for lack of space is tried again later.
   *
   * @throws {ErrnoError} when the volume has failed
   */
  run(): void {
    const volume = this.#state;
    if (volume.failure !== null || !this.isDue && this.#pass === null) return;
    try {
      this.#step();
    } catch (error) {
      const refused = volume.broken(error);
      if (volume.failure !== null) throw refused;
      this.#pass = null;
      this.#isOff = refused.code !== "ENOSPC";
    }
    this.#seen = this.#journal.metrics.commits;
  }

  #step(): void {
    const { bitmap, watches } = this.#state;
    // Below half full, new bytes go to the front again.
    if (bitmap.free > bitmap.blocks >> 1) bitmap.searchFromStart();
    // An export would have to copy whatever is moved or cut.
    if (watches.size > 0 || this.#isOff) return;
    this.#cut();
    if (this.#pass === null && this.#isTooLong(2) && !this.#isResting()) {
      this.#pass = new Pass(this.#state, this.#journal);
    }
    if (this.#pass === null) return;
    if (this.#isTooLong(1.5) && this.#pass.step()) return;
    // Blocks that have been left but that records still hold are free only after a checkpoint.
    this.#journal.reclaim();
    this.#cut();
    this.#restBlocks = this.#pass.hasMoved ? 0 : bitmap.blocks;
    this.#restOwned = this.#owned;
    this.#pass = null;
  }

  get #owned(): number {
    const { bitmap } = this.#state;
    return bitmap.blocks - bitmap.unowned;
  }

  /** Cuts off a long free end, except for an eighth of it. */
  #cut(): void {
    const { bitmap } = this.#state;
    const most = Math.max(this.#slackBlocks, bitmap.blocks >> 2);
    if (bitmap.free <= most) return;
    const end = spareEnd(this.#state);
    if (end > most) cutEnd(this.#state, this.#journal, end - (end >> 3));
  }

  get #slackBlocks(): number {
    return Math.max(64, Math.ceil(this.#journal.slackBytes / this.#state.blockSize));
  }

  /** Whether the volume has more than `times` its owned blocks, and some slack. */
  #isTooLong(times: number): boolean {
    return this.#state.bitmap.blocks > times * this.#owned + this.#slackBlocks;
  }

  /** Whether little has changed since a pass that could move nothing. */
  #isResting(): boolean {
    return this.#state.bitmap.blocks <= this.#restBlocks * 9 / 8 &&
      this.#owned >= this.#restOwned * 7 / 8;
  }
}

/** One pass through all slots, and then the segments of the tables. */
class Pass {
  readonly #state: VolumeState;
  readonly #compactor: Compactor;
  #slot = L.ROOT_SLOT;

  constructor(state: VolumeState, journal: Journal) {
    this.#state = state;
    this.#compactor = new Compactor(state, journal, { isPatient: true });
  }

  /** Whether anything has been moved. */
  get hasMoved(): boolean {
    return this.#compactor.moved > 0;
  }

  /** Moves up to a megabyte; whether there may be more to do. */
  step(): boolean {
    const compactor = this.#compactor;
    const { slotCount } = this.#state.tables;
    const end = Math.min(slotCount, this.#slot + SLOTS_PER_STEP);
    const most = compactor.moved + Math.max(1, STEP_BYTES / this.#state.blockSize);
    let moves = 0;
    this.#state.call(() => {
      while (this.#slot < end && moves < MOVES_PER_STEP && compactor.moved < most) {
        if (compactor.moveOne(this.#slot)) moves++;
        else this.#slot++;
      }
    });
    return this.#slot < slotCount || compactor.moveSegmentNearer();
  }
}
