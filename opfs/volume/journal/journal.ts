/**
 * The journal: commit, group commit and checkpoint.
 *
 * Layer: opfs/volume. Everything since the last commit becomes one record in the ring. Atomicity is
 * implemented here and nowhere else:
 *
 *     data to its place -> flush -> record -> flush (it has happened) -> give back, go home later
 *
 * Record N+1 begins only after the flush of record N returned (V14), so after a torn record there
 * is never a whole one. A checkpoint writes home what records hold, flushes, and then says in a
 * header that replay begins later; ring, logged blocks and blocks in quarantine that this sets free
 * are used only after the *next* flush, because the header is not durable before.
 *
 * @module
 */
import { isErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import { cutFile, spareEnd } from "../space/free_end.ts";
import { flushDevice } from "./flush.ts";
import { bringTablesHome, writeHeader } from "./home.ts";
import * as L from "../format/layout.ts";
import { isSummed, saltOf } from "../format/header.ts";
import { RecordWriter } from "../format/record.ts";
import { type VolumeState, writeDevice } from "../state.ts";

/** Data of up to this many bytes goes into the record instead of to its place. */
const INLINE_BYTES = 64 * 1024;
/** A group ends when less than this is left of the longest record: no step takes more. */
const STEP_BYTES = 16 * 1024;

/** Where the next record goes. */
export interface RingPosition {
  /** Its sequence. */
  sequence: number;
  /** Its place in the ring. */
  place: number;
  /** Checksum of the record before it. */
  checksum: number;
}

/** What the journal has done, since the volume was opened. */
export interface JournalMetrics {
  /** Records written. */
  commits: number;
  /** Checkpoints. */
  checkpoints: number;
  /** Flushes of the device. */
  flushes: number;
  /** Bytes of records. */
  recordBytes: number;
}

/** When calls become durable by themselves. */
export interface JournalOptions {
  /**
   * "op": each call before it returns. "fsync": at fsync, sync and close, and when a group is full.
   * "periodic" (default): also at the first call after `commitIntervalMs`.
   */
  durability?: "op" | "fsync" | "periodic";
  /** Default 5,000. A volume that is not called does not wake up: its holder may call `sync`. */
  commitIntervalMs?: number;
}

/** How often a volume becomes durable by itself, in ms, unless the caller says otherwise. */
export const INTERVAL_MS_DEFAULT = 5000;

/** The journal of one volume. */
export class Journal {
  readonly #state: VolumeState;
  readonly #intervalMs: number;
  #committedAt: number;
  readonly #writer: RecordWriter;
  readonly #ringBytes: number;
  #sequence: number;
  #place: number;
  #checksum: number;
  /** Bytes of the ring that a replay would read, and how many of them the next flush sets free. */
  #used = 0;
  #retired = 0;
  /** The newest header, until a flush has made it durable. */
  #newHeader: Uint8Array | null = null;
  /** A flush was refused: it will never be known what of the bytes before it is durable. */
  #isInDoubt = false;
  /** Where a refused record may have landed all the same; -1 for nowhere. */
  #refusedPlace = -1;
  /** The last checkpoint was refused for lack of space: the next step first tries one again. */
  #isRefused = false;
  /** By how much the file may be too long before it is made shorter in use: see `upkeep.ts`. */
  slackBytes: number = 16 * 1024 * 1024;
  /** Counters. */
  readonly metrics: JournalMetrics = { commits: 0, checkpoints: 0, flushes: 0, recordBytes: 0 };
  /** Whether each call is made durable before it returns. */
  readonly isEachCall: boolean;
  /** The longest record. */
  readonly recordBytesMax: number;

  /** A journal that begins at a place of the ring, after all records have been replayed. */
  constructor(
    state: VolumeState,
    position: RingPosition & { usedBytes?: number },
    options: JournalOptions = {},
  ) {
    const { durability = "periodic", commitIntervalMs = INTERVAL_MS_DEFAULT } = options;
    this.#state = state;
    this.isEachCall = durability === "op";
    this.#intervalMs = durability === "periodic" ? commitIntervalMs : Infinity;
    this.#committedAt = state.clock();
    this.#ringBytes = state.header.ringBytes;
    const { sequence, place, usedBytes = 0 } = position;
    const isPlace = place >= 0 && place < this.#ringBytes && place % L.SECTOR_BYTES === 0 &&
      usedBytes <= this.#ringBytes;
    invariant(isPlace, "V10: a journal goes on at {} with {} bytes in use", place, usedBytes);
    invariant(Number.isSafeInteger(sequence) && sequence >= 0, "V10: record {} is next", sequence);
    this.recordBytesMax = Math.floor(this.#ringBytes / 4 / L.SECTOR_BYTES) * L.SECTOR_BYTES;
    // More would not fit into a record, so it would go to its place first, and could not be undone. One
    // step may add a quarter.
    state.pool.fillingBytes = Math.min(state.pool.fillingBytes, this.recordBytesMax / 2);
    this.#writer = new RecordWriter(this.recordBytesMax, { isSummed: isSummed(state.header) });
    this.#sequence = position.sequence;
    this.#place = position.place;
    this.#checksum = position.checksum;
    this.#used = position.usedBytes ?? 0;
  }

  /** Bytes of the ring in use. */
  get usedBytes(): number {
    return this.#used;
  }

  /** Whether a commit is due: the open group has no room for another step, or is old enough. */
  get isDue(): boolean {
    const { tables, pool, clock } = this.#state;
    const bytes = L.RECORD_HEAD_BYTES + tables.pendingBytes + pool.loggedDirtyBytes;
    if (bytes > this.recordBytesMax - STEP_BYTES || pool.needsCheckpoint || this.#isRefused) {
      return true;
    }
    // A record of reverted changes may be there, and must not undo what is changed now.
    if (this.isEachCall && (!pool.holds(0) || this.#refusedPlace >= 0)) return true;
    return this.#intervalMs < Infinity && !tables.isClean &&
      clock() - this.#committedAt >= this.#intervalMs;
  }

  /**
   * Makes all kept changes durable.
   *
   * @throws {ErrnoError} ENOSPC with everything as it was, or what a flush says
   */
  commit(): void {
    try {
      this.#commit();
    } catch (error) {
      throw isErrnoError(error) ? error : this.#state.fail(error);
    }
  }

  #commit(isForced = false): void {
    const { tables, pool } = this.#state;
    invariant(!tables.isOpen, "V14: a commit inside of a transaction");
    this.#eraseRefused();
    if (tables.isClean && pool.dirtyBlocks === 0 && !isForced) {
      if (pool.isUnflushed) this.flush();
      this.#state.settle();
      if (this.#isRefused) this.#goHome();
      return;
    }
    if (this.takesTimes && !isForced) {
      tables.markLazyDirty(this.recordBytesMax - STEP_BYTES / 2 - pool.loggedDirtyBytes);
    }
    const frames = this.#placeData();
    if (pool.isUnflushed) this.flush();
    invariant(!pool.isUnflushed, "V12: a record before what it speaks of is flushed");
    this.#writeRecord(frames);
    // The record is durable: from here on nothing can undo it.
    this.#committedAt = this.#state.clock();
    tables.settle();
    pool.logged(frames);
    this.#state.settle();
    this.#releaseQuarantine();
    const isTime = this.#used > this.#ringBytes / 2 || pool.needsCheckpoint || this.#isRefused;
    if (isTime && !isForced) this.#goHome();
  }

  /** Whether records also carry times of access. A ring that is stuck has no room for them. */
  get takesTimes(): boolean {
    return !this.#isRefused;
  }

  /**
   * Whether a step that takes space must not begin: there is no room at home for what is in the
   * ring.
   */
  get isStuck(): boolean {
    return this.#isRefused && this.#used + 2 * this.recordBytesMax > this.#ringBytes;
  }

  /** Whether a step that gives space back still fits into the ring. */
  get hasRoomToFree(): boolean {
    return this.#state.tables.isClean && this.#fits(STEP_BYTES + 2 * L.SECTOR_BYTES);
  }

  /**
   * A checkpoint that may be refused for lack of space: the record is durable without it, and the
   * ring has room for some more.
   */
  #goHome(): void {
    this.#isRefused = false;
    try {
      this.checkpointInLessSpace();
      // The frames that it retires are free only once its header is durable.
      if (this.#state.pool.needsCheckpoint) this.flush();
    } catch (error) {
      if (!this.#mayTryAgain(error)) throw error;
      this.#isRefused = true;
    }
  }

  /**
   * A checkpoint. When the device is too full for it, the free end of the file is cut off first,
   * which takes no space.
   *
   * @throws {ErrnoError} ENOSPC with everything as it was, or what a flush says
   */
  checkpointInLessSpace(volumeState: number = L.STATE.IN_USE): void {
    try {
      this.checkpoint(volumeState);
    } catch (error) {
      if (!this.#mayTryAgain(error) || !this.shorten()) throw error;
      this.checkpoint(volumeState);
    }
  }

  /** Whether a checkpoint was refused for lack of space, with everything as it was. */
  #mayTryAgain(error: unknown): boolean {
    return isErrnoError(error) && error.code === "ENOSPC" && this.#state.failure === null;
  }

  /**
   * Cuts off the free end of the file, but leaves at least `keep` blocks; whether the file became
   * shorter. A record says so first, because a mount takes a file that is shorter than its journal
   * says for one that another program has truncated.
   */
  shorten(keep = 1): boolean {
    const state = this.#state;
    const { bitmap, superblock } = state;
    const count = Math.min(spareEnd(state), bitmap.blocks - keep);
    if (count > 0) bitmap.cut(count);
    superblock.totalBlocks = bitmap.blocks;
    const end = state.placeOf(bitmap.blocks, 0);
    if (state.handle.getSize() <= end || !this.#fits(L.SECTOR_BYTES)) return false;
    this.#isRefused = false;
    this.#commit(true);
    cutFile(state);
    return true;
  }

  /** Decides which dirty data goes into the record, and writes the rest to its place. */
  #placeData(): number[] {
    const { pool, tables } = this.#state;
    const logged = pool.dirtyFrames("logged");
    const others = pool.dirtyFrames("unlogged");
    const room = this.recordBytesMax - L.RECORD_HEAD_BYTES - tables.pendingBytes;
    invariant(room >= 0, "V10: a record of {} bytes of slots and names", tables.pendingBytes);
    const all = logged.length + others.length;
    invariant(all === pool.dirtyBlocks, "V12: {} dirty frames, {} counted", all, pool.dirtyBlocks);
    const bytes = this.#recordBytesOf(others);
    // What may be reverted does not go to its place before its record is durable.
    const most = this.isEachCall ? room : INLINE_BYTES;
    const isInline = bytes <= most && pool.mayPin(others.length);
    if (isInline && this.#recordBytesOf(logged) + bytes <= room) {
      return [...logged, ...others];
    }
    pool.writeBack();
    return logged;
  }

  #recordBytesOf(frames: readonly number[]): number {
    const { pool } = this.#state;
    let bytes = 0;
    for (const frame of frames) {
      const length = pool.dirtyTo(frame) - pool.dirtyFrom(frame);
      bytes += L.RECORD_DATA_HEAD_BYTES + L.roundUp(length, 4);
    }
    return bytes;
  }

  /**
   * Writes the record and makes it durable. If that is refused, it may have landed all the same.
   */
  #writeRecord(frames: readonly number[]): void {
    const writer = this.#writer;
    writer.begin();
    const nameRuns = this.#addTables();
    const { pool, header, superblock, clock } = this.#state;
    for (const frame of frames) {
      const at = pool.offsetOf(frame);
      const from = pool.dirtyFrom(frame);
      const bytes = pool.slabOf(frame).subarray(at + from, at + pool.dirtyTo(frame));
      writer.data(pool.blockOf(frame), from, bytes);
    }
    this.#state.tables.addDirtySums(writer, nameRuns);
    const { bytes, checksum } = writer.end({
      sequence: this.#sequence,
      salt: saltOf(header),
      previous: this.#checksum,
      totalBlocks: superblock.totalBlocks,
      time: clock(),
    });
    const place = this.#reserve(bytes.length);
    this.#refusedPlace = place;
    writeDevice(this.#state, bytes, L.RING_AT + place);
    this.flush();
    this.#refusedPlace = -1;
    this.#used += (place >= this.#place ? 0 : this.#ringBytes - this.#place) + bytes.length;
    this.#place = (place + bytes.length) % this.#ringBytes;
    this.#sequence++;
    this.#checksum = checksum;
    this.metrics.commits++;
    this.metrics.recordBytes += bytes.length;
  }

  /**
   * A record number has one place and one content (rule 12): a refused record may be on the device,
   * and the next record of that number may be longer and go elsewhere.
   */
  #eraseRefused(): void {
    if (this.#refusedPlace < 0) return;
    writeDevice(this.#state, new Uint8Array(L.SECTOR_BYTES), L.RING_AT + this.#refusedPlace);
    this.flush();
    this.#refusedPlace = -1;
  }

  /** Returns the pieces of names. */
  #addTables(): [number, number][] {
    const { tables } = this.#state;
    const writer = this.#writer;
    for (const slot of tables.dirtySlots.sort((a, b) => a - b)) {
      const at = writer.slot(slot);
      tables.copySlots(slot, 1, writer.buffer, at);
    }
    const nameRuns = tables.dirtyNameRuns();
    for (const [from, to] of nameRuns) writer.names(from, tables.names.subarray(from, to));
    return nameRuns;
  }

  /** Where a record of that length goes: at the next place, or at the start if it does not fit. */
  #reserve(length: number): number {
    if (!this.#fits(length) && this.#newHeader !== null) this.flush();
    invariant(this.#fits(length), "V10: the ring is full before a checkpoint");
    return this.#place + length <= this.#ringBytes ? this.#place : 0;
  }

  #fits(length: number): boolean {
    const rest = this.#ringBytes - this.#place;
    const skipped = length <= rest ? 0 : rest;
    return this.#used + skipped + length <= this.#ringBytes;
  }

  #releaseQuarantine(): void {
    const { bitmap, pool } = this.#state;
    const runs = bitmap.takeQuarantine();
    for (let index = 0; index < runs.length; index += 2) {
      const start = runs[index]!;
      const count = runs[index + 1]!;
      if (pool.directRun(start, count) === count) bitmap.release(start, count);
      else bitmap.hold(start, count);
    }
  }

  /**
   * Flushes the device, and sets free what waited for a durable header. A header whose flush was
   * refused is written again first: otherwise this flush would not cover it.
   *
   * @throws {ErrnoError} as {@link flushDevice}
   */
  flush(): void {
    const { pool, bitmap, headerAt } = this.#state;
    if (this.#isInDoubt && this.#newHeader !== null) {
      writeDevice(this.#state, this.#newHeader, headerAt);
    }
    this.#isInDoubt = true;
    flushDevice(this.#state);
    this.#isInDoubt = false;
    this.metrics.flushes++;
    pool.isUnflushed = false;
    if (this.#newHeader === null) return;
    this.#newHeader = null;
    this.#used -= this.#retired;
    this.#retired = 0;
    pool.releaseRetired();
    bitmap.releaseHeld();
  }

  /**
   * Writes home what the records hold, and lets replay begin after them.
   *
   * @throws {ErrnoError} ENOSPC with everything as it was, or what a flush says
   */
  checkpoint(volumeState: number = L.STATE.IN_USE): void {
    this.commitFirst();
    this.requireCommitted();
    const state = this.#state;
    state.pool.writeLoggedHome();
    bringTablesHome(state, () => this.flush());
    this.writeHeader(volumeState);
    this.metrics.checkpoints++;
  }

  /** Home bytes change only after the record that holds them is durable (V11). */
  commitFirst(): void {
    this.commit();
  }

  /** // What is in no record does not go home. */
  requireCommitted(): void {
    const { tables, pool } = this.#state;
    const isAll = tables.isClean && pool.dirtyBlocks === 0;
    invariant(isAll, "V11: a checkpoint before everything is committed");
  }

  /** Writes a header that ends the replay of all records so far; it counts after the next flush. */
  writeHeader(volumeState: number): void {
    const state = this.#state;
    const { tailSequence } = state.header;
    const isOnward = this.#sequence >= tailSequence;
    invariant(isOnward, "V10: from record {} back to {}", tailSequence, this.#sequence);
    this.#newHeader = writeHeader(state, {
      state: volumeState,
      tailSequence: this.#sequence,
      tailPlace: this.#place,
      tailChecksum: this.#checksum,
    });
    this.#retired = this.#used;
    state.pool.retireLogged();
    state.bitmap.retireHeld();
  }

  /** Ends the logged state of every block: no record is left to replay. */
  unlog(): void {
    this.checkpoint();
    this.flush();
  }

  /** Sets free every block that waits in quarantine. */
  reclaim(): void {
    const { bitmap } = this.#state;
    this.commit();
    if (bitmap.quarantined > 0) this.unlog();
  }
}
