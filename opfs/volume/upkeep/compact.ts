/**
 * Compact: used blocks move to the front, and the free end of the file is cut off.
 *
 * Layer: opfs/volume, above the journal. Each step copies some blocks into free ones, writes them
 * as fresh data, and gives the file its new run in a transaction; the old blocks go to quarantine
 * like any that are given back. So a crash finds each file on its old blocks or on its new ones, and
 * calls of others may come between the steps. A table's segment moves when everything in it is home:
 * the copy is complete and flushed before the descriptor says where it is.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import { NO_BLOCK, type Run } from "../memory/extent.ts";
import { cutFile, spareEnd } from "../space/free_end.ts";
import { extendForExport } from "../space/grow.ts";
import type { Journal } from "../journal/journal.ts";
import * as L from "../format/layout.ts";
import { typeAt } from "../format/slots.ts";
import { encodeSegment, type Segment, tableOf } from "../format/segments.ts";
import type { VolumeState } from "../state.ts";
import { FINAL } from "../transaction.ts";
import type { Progress } from "./transfer.ts";
import { storeValueRuns, valueRuns } from "../memory/xattr_record.ts";

/** Bytes that one step moves. */
const STEP_BYTES = 1024 * 1024;
/** Continuation slots that must be free for a file that comes to have more runs. */
const SPARE_LEAVES = 4;

/** The result of compacting. */
export interface CompactReport {
  /** Blocks that have been moved. */
  movedBlocks: number;
  /** Blocks that have been cut off the end. */
  cutBlocks: number;
}

/** How far compacting is, and how it ended. */
export type CompactSteps = Generator<Progress, CompactReport, void>;

/**
 * Compacts a volume step by step; between two steps other calls may be served.
 *
 * @throws {ErrnoError} EROFS, ENOSPC with everything in place, or what the device says
 */
export function* compactSteps(state: VolumeState, journal: Journal): CompactSteps {
  state.requireWritable();
  try {
    return yield* stepsOf(state, journal);
  } catch (error) {
    throw state.broken(error);
  }
}

function* stepsOf(state: VolumeState, journal: Journal): CompactSteps {
  // Blocks that wait for a commit are free only then, and logged blocks cannot move.
  journal.reclaim();
  const compactor = new Compactor(state, journal);
  const totalBytes = compactor.blocksToMove() * state.blockSize;
  for (const table of TABLES) {
    compactor.moveSegments(table);
    yield { doneBytes: compactor.moved * state.blockSize, totalBytes };
  }
  for (let slot = L.ROOT_SLOT; slot < state.tables.slotCount; slot++) {
    while (compactor.moveOne(slot)) {
      yield { doneBytes: compactor.moved * state.blockSize, totalBytes };
    }
  }
  // The files that moved may have left a free run that is long enough.
  for (const table of TABLES) compactor.moveSegments(table);
  return { movedBlocks: compactor.moved, cutBlocks: compactor.cut() };
}

const TABLES: readonly number[] = [L.TABLE.SLOTS, L.TABLE.NAMES, L.TABLE.BITMAP];

/** A run of blocks. */
interface Place {
  block: number;
  count: number;
}

const NOWHERE: Place = { block: -1, count: 0 };
/** Places that are tried for a segment. */
const PLACES_TRIED = 256;

/** Moves used blocks to the front, piece by piece. */
export class Compactor {
  readonly #state: VolumeState;
  readonly #journal: Journal;
  /** Where the blocks would end if there were no gaps: what is past it moves. */
  readonly #limit: number;
  readonly #isPatient: boolean;
  /** The slot that was looked at last, and the file block to go on from. */
  #slot = -1;
  #fileBlock = 0;
  /** Blocks that have been moved. */
  moved = 0;

  /**
   * A compactor of a volume as it is now. A patient one makes no commit of its own: it runs inside
   * a `state.call`, and the blocks that it has freed can be used after the next commit.
   */
  constructor(
    state: VolumeState,
    journal: Journal,
    { isPatient = false }: { isPatient?: boolean } = {},
  ) {
    this.#state = state;
    this.#journal = journal;
    this.#isPatient = isPatient;
    this.#limit = state.bitmap.blocks - state.bitmap.unowned;
    invariant(this.#limit >= 0, "V3: {} blocks are owned", this.#limit);
  }

  /** How many used blocks are past the limit. */
  blocksToMove(): number {
    const { bitmap } = this.#state;
    let count = bitmap.blocks - this.#limit;
    for (let at = bitmap.freeFrom(this.#limit); at >= 0;) {
      const run = bitmap.freeRunAt(at, bitmap.blocks);
      count -= run;
      at = bitmap.freeFrom(at + run);
    }
    return count;
  }

  /** Moves a piece of what belongs to the slot from past the limit; whether it had one. */
  moveOne(slot: number): boolean {
    this.#state.requireWritable();
    const { slotCount } = this.#state.tables;
    invariant(slot < slotCount, "V4: slot {} of {} is moved", slot, slotCount);
    return this.#moveContents(slot) || this.#moveAttribute(slot);
  }

  #moveContents(slot: number): boolean {
    const state = this.#state;
    const type = state.typeOf(slot);
    if (type !== L.TYPE.FILE && type !== L.TYPE.SYMLINK) return false;
    if (state.inodes.free < SPARE_LEAVES) return false;
    const run = this.#runAfterLimit(slot);
    if (run === null) return false;
    const place = this.#placeFor(Math.min(run.count, this.#stepBlocks()));
    if (place === null) return false;
    this.#move(slot, { ...run, count: place.count }, place.block);
    return true;
  }

  /** The same for the values of its attributes that are in blocks. */
  #moveAttribute(slot: number): boolean {
    for (const attribute of this.#state.xattrs.get(slot) ?? []) {
      const isAfterLimit = ({ block, count }: Place): boolean => block + count > this.#limit;
      if (this.#moveValue(attribute, isAfterLimit, (want) => this.#placeFor(want))) return true;
    }
    return false;
  }

  /** Moves the first run of a value that is in the way, or a part of it; whether there was one. */
  #moveValue(
    attribute: number,
    isInTheWay: (run: Place) => boolean,
    placeFor: (want: number) => Place | null,
  ): boolean {
    const type = this.#state.typeOf(attribute);
    invariant(type === L.TYPE.XATTR, "V4: slot {} of type {} is moved as a value", attribute, type);
    const at = attribute * L.SLOT_BYTES;
    const runs = valueRuns(this.#state.tables.view, at);
    const pair = runs.findIndex(isInTheWay);
    const run = runs[pair];
    const place = run === undefined ? null : placeFor(run.count);
    if (run === undefined || place === null) return false;
    const rest = run.count - place.count;
    runs[pair] = { block: place.block, count: place.count };
    if (rest > 0) runs.splice(pair + 1, 0, { block: run.block + place.count, count: rest });
    // A value that would have too many runs stays where it is.
    if (runs.length > L.XATTR_PAIRS_MAX) return false;
    this.#relocate({ block: run.block, count: place.count }, place.block, () => {
      this.#state.bitmap.give(run.block, place.count);
      storeValueRuns(this.#state.tables.view, this.#state.tables.edit(attribute), runs);
    });
    return true;
  }

  #stepBlocks(): number {
    return Math.max(1, Math.floor(STEP_BYTES / this.#state.blockSize));
  }

  /**
   * The next run of the slot that reaches past the limit, from where the last search ended: the
   * part past it.
   */
  #runAfterLimit(slot: number): Run | null {
    const { extents } = this.#state;
    if (slot !== this.#slot) this.#fileBlock = 0;
    this.#slot = slot;
    while (this.#fileBlock < L.BLOCKS_MAX) {
      const { block, count, isUnwritten } = extents.find(slot, this.#fileBlock);
      const skip = Math.max(0, this.#limit - block);
      if (block !== NO_BLOCK && skip < count) {
        const fileBlock = this.#fileBlock + skip;
        return { fileBlock, block: block + skip, count: count - skip, isUnwritten };
      }
      this.#fileBlock += count;
    }
    return null;
  }

  /** Free blocks before the limit: the first run of `want`, else the longest; null for none. */
  #placeFor(want: number): Place | null {
    const place = this.#freePlace(want, this.#limit, NOWHERE);
    const isAll = place !== null || this.#state.bitmap.quarantined === 0;
    if (isAll || this.#isPatient) return place;
    // A freed block waits for a commit; then another file may move there.
    this.#journal.reclaim();
    return this.#freePlace(want, this.#limit, NOWHERE);
  }

  /** The same before `end` and outside of some blocks. */
  #freePlace(want: number, end: number, avoid: Place): Place | null {
    const { bitmap } = this.#state;
    let best: Place | null = null;
    for (let at = bitmap.freeFrom(0); at >= 0 && at < end;) {
      const isInside = at >= avoid.block && at < avoid.block + avoid.count;
      const border = at < avoid.block ? Math.min(end, avoid.block) : end;
      const count = isInside ? 0 : bitmap.freeRunAt(at, Math.min(border, at + want));
      if (count === want) return { block: at, count };
      if (count > (best?.count ?? 0)) best = { block: at, count };
      at = bitmap.freeFrom(isInside ? avoid.block + avoid.count : at + Math.max(1, count));
    }
    return best;
  }

  #move(slot: number, run: Run, to: number): void {
    const { extents } = this.#state;
    this.#relocate(run, to, () => {
      extents.remove(slot, { from: run.fileBlock, to: run.fileBlock + run.count });
      extents.insert(slot, { ...run, block: to });
    });
  }

  /**
   * Copies blocks into free ones, in a transaction in which `record` changes the slots accordingly.
   */
  #relocate(from: Place & { isUnwritten?: boolean }, to: number, record: () => void): void {
    const state = this.#state;
    const bytes = from.isUnwritten ? null : this.#read(from);
    const work = (): void => {
      state.bitmap.take(to, from.count);
      record();
      if (bytes === null) return;
      state.writeBlocks(bytes, to);
      state.pool.wroteDirectly(to, from.count);
    };
    if (this.#isPatient) state.step(work);
    else state.change(work);
    this.moved += from.count;
  }

  /** The bytes of blocks as they are now, in the pool or on the device. */
  #read(run: Place): Uint8Array<ArrayBuffer> {
    const { pool, blockSize } = this.#state;
    const bytes = new Uint8Array(run.count * blockSize);
    this.#state.readBlocks(bytes, run.block);
    for (let index = 0; index < run.count; index++) {
      const frame = pool.peek(run.block + index);
      if (frame < 0) continue;
      const at = pool.offsetOf(frame);
      bytes.set(pool.slabOf(frame).subarray(at, at + blockSize), index * blockSize);
    }
    return bytes;
  }

  /** Moves the segments of a table that are past the limit, if there is a run for them. */
  moveSegments(table: number): void {
    const list = tableOf(this.#state.segments, table)!;
    for (let ordinal = 1; ordinal < list.length; ordinal++) {
      const segment = list[ordinal]!;
      if (segment.firstBlock + segment.blockCount <= this.#limit) continue;
      const to = this.#placeForSegment(segment);
      if (to >= 0) this.#moveSegment({ table, ordinal, segment, to });
    }
  }

  /** Moves one segment to free blocks that are further to the front; whether there was one. */
  moveSegmentNearer(): boolean {
    for (const table of TABLES) {
      const list = tableOf(this.#state.segments, table)!;
      for (let ordinal = list.length - 1; ordinal > 0; ordinal--) {
        const segment = list[ordinal]!;
        const { firstBlock, blockCount } = segment;
        if (firstBlock + blockCount <= this.#limit) continue;
        const place = this.#freePlace(blockCount, firstBlock, NOWHERE);
        if (place?.count !== blockCount) continue;
        this.#moveSegment({ table, ordinal, segment, to: place.block });
        return true;
      }
    }
    return false;
  }

  /**
   * Free blocks before the limit, or blocks that files are moved out of, or free ones nearer to the
   * front.
   */
  #placeForSegment({ firstBlock, blockCount }: Segment): number {
    const place = this.#placeFor(blockCount);
    if (place?.count === blockCount) return place.block;
    const made = this.#makePlace(blockCount);
    if (made >= 0) return made;
    const nearer = this.#freePlace(blockCount, firstBlock, NOWHERE);
    return nearer?.count === blockCount ? nearer.block : -1;
  }

  /**
   * Moves files out of those blocks before the limit that have the fewest; -1 if that is
   * impossible.
   */
  #makePlace(count: number): number {
    const { bitmap } = this.#state;
    let best = -1;
    let fewest = Infinity;
    const stride = Math.max(1, Math.floor(this.#limit / PLACES_TRIED));
    for (let block = 0; block + count <= this.#limit; block += stride) {
      const used = count - this.#freeIn({ block, count });
      if (used >= fewest || this.#hasSegment({ block, count })) continue;
      fewest = used;
      best = block;
    }
    const place = { block: best, count };
    if (best < 0) return -1;
    // Without room for these files the file is made longer; what goes there comes back later.
    const missing = fewest - (bitmap.free - (count - fewest));
    if (missing > 0 && extendForExport(this.#state, missing) < 0) return -1;
    if (!this.#empty(place)) return -1;
    this.#journal.reclaim();
    return bitmap.anyUsed(best, count) ? -1 : best;
  }

  #freeIn({ block, count }: Place): number {
    const { bitmap } = this.#state;
    let free = 0;
    for (let at = bitmap.freeFrom(block); at >= 0 && at < block + count;) {
      const run = bitmap.freeRunAt(at, block + count);
      free += run;
      at = bitmap.freeFrom(at + run);
    }
    return free;
  }

  #hasSegment(place: Place): boolean {
    const { segments } = this.#state;
    return [segments.slots, segments.names, segments.bitmap].some((list) =>
      list.some(({ firstBlock, blockCount }) =>
        firstBlock < place.block + place.count && firstBlock + blockCount > place.block
      )
    );
  }

  /** Whether every file could be moved out of some blocks, to wherever there is room. */
  #empty(place: Place): boolean {
    const { extents, bitmap, tables, inodes } = this.#state;
    for (let slot = L.ROOT_SLOT; slot < tables.slotCount; slot++) {
      this.#emptyOfValues(slot, place);
      const type = this.#state.typeOf(slot);
      if (type !== L.TYPE.FILE && type !== L.TYPE.SYMLINK) continue;
      for (const run of extents.runsOf(slot)) {
        for (let done = Math.max(0, place.block - run.block); done < run.count;) {
          const rest = Math.min(run.count, place.block + place.count - run.block) - done;
          if (rest <= 0) break;
          const to = this.#freePlace(Math.min(rest, this.#stepBlocks()), bitmap.blocks, place);
          if (to === null || inodes.free < SPARE_LEAVES) return false;
          const { fileBlock, block, isUnwritten } = run;
          const piece = { fileBlock: fileBlock + done, block: block + done, count: to.count };
          this.#move(slot, { ...piece, isUnwritten }, to.block);
          done += to.count;
        }
      }
    }
    return true;
  }

  #emptyOfValues(slot: number, place: Place): void {
    const end = place.block + place.count;
    const isInside = ({ block, count }: Place): boolean =>
      block < end && block + count > place.block;
    const placeFor = (want: number): Place | null =>
      this.#freePlace(want, this.#state.bitmap.blocks, place);
    for (const attribute of this.#state.xattrs.get(slot) ?? []) {
      while (this.#moveValue(attribute, isInside, placeFor));
    }
  }

  #moveSegment(move: { table: number; ordinal: number; segment: Segment; to: number }): void {
    const { table, ordinal, segment, to } = move;
    const state = this.#state;
    // The whole table is home, and stays so: no operation runs until the commit.
    this.#journal.checkpoint();
    this.#journal.flush();
    const blocks = this.#stepBlocks();
    for (let done = 0; done < segment.blockCount; done += blocks) {
      const count = Math.min(blocks, segment.blockCount - done);
      const bytes = new Uint8Array(count * state.blockSize);
      state.readBlocks(bytes, segment.firstBlock + done);
      state.writeBlocks(bytes, to + done);
    }
    state.pool.wroteDirectly(to, segment.blockCount);
    this.#journal.flush();
    const moved = { ...segment, firstBlock: to, at: state.placeOf(to, 0) };
    state.step(() => {
      state.bitmap.take(to, segment.blockCount);
      const at = state.tables.edit(this.#descriptorOf(table, ordinal));
      encodeSegment(state.tables.view, at, { ...moved, table, ordinal });
      state.bitmap.give(segment.firstBlock, segment.blockCount);
    }, FINAL);
    Object.assign(segment, moved);
    this.#journal.commit();
    this.moved += segment.blockCount;
  }

  #descriptorOf(table: number, ordinal: number): number {
    const { view } = this.#state.tables;
    for (let slot = 1; slot < L.FIRST_FILE_SLOT; slot++) {
      const at = slot * L.SLOT_BYTES;
      const isIt = typeAt(view, at) === L.TYPE.SEGMENT &&
        view.getUint8(at + L.SEGMENT.TABLE) === table &&
        view.getUint16(at + L.SEGMENT.ORDINAL, L.LE) === ordinal;
      if (isIt) return slot;
    }
    invariant(false, "V1: segment {} of table {} has no descriptor", ordinal, table);
  }

  /** Cuts the free end off the file; how many blocks. */
  cut(): number {
    this.#journal.reclaim();
    const count = spareEnd(this.#state);
    if (count > 0) cutEnd(this.#state, this.#journal, count);
    return count;
  }
}

/** Cuts off blocks at the end that are free and that no export wants. */
export function cutEnd(state: VolumeState, journal: Journal, count: number): void {
  invariant(count > 0, "V7: {} blocks are cut off the end", count);
  state.bitmap.cut(count);
  state.superblock.totalBlocks = state.bitmap.blocks;
  // The header says first that the volume is shorter: the next mount cuts a file that is longer.
  journal.checkpoint();
  journal.flush();
  cutFile(state);
}
