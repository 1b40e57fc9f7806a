/**
 * Growth: more blocks at the end of the file, more segments for a table that is full.
 *
 * Layer: opfs/volume. Called before a transaction begins, so that inside it there is room, or it
 * does not begin: ENOSPC. A new segment is at least four times as long as its table. It lies at the
 * end of the file, which is made longer for it, or else in free blocks; zeros are written there, as
 * in memory.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import * as L from "../format/layout.ts";
import { resizeFile } from "./resize.ts";
import {
  blocksOfSegment,
  bytesOf,
  encodeSegment,
  type Segment,
  tableLimit,
  tableOf,
} from "../format/segments.ts";
import { refusalOf, type VolumeState, writeDevice } from "../state.ts";
import { FINAL } from "../transaction.ts";

/** Slots kept for what a transaction takes besides its own slot. */
export const SPARE_SLOTS = 16;
/** The file grows by at least this many blocks, and by at most STEP_BYTES more than is asked. */
const STEP_BLOCKS = 64;
const STEP_BYTES = 16 * 1024 * 1024;
/** Blocks that may be free, or wait in quarantine, in any volume: 64 to 1,024. */
const SLACK_BYTES = 4 * 1024 * 1024;
const SLACK_BLOCKS_MAX = 1024;
/** Zeros that are written at a time. */
const OCCUPY_BYTES = 1024 * 1024;

/** Makes room for a name and a slot, if there is space for it. */
export function makeRoomForName(state: VolumeState): void {
  state.requireWritable();
  if (state.inodes.free < SPARE_SLOTS) tryGrow(state, L.TABLE.SLOTS);
  if (!state.paths.hasRoom) tryGrow(state, L.TABLE.NAMES);
}

function tryGrow(state: VolumeState, table: number): void {
  try {
    growTable(state, table);
  } catch (error) {
    if (!isErrnoError(error) || error.code !== "ENOSPC") throw state.broken(error);
  }
}

/** The blocks that a call needs, and where. */
export interface WantedBlocks {
  /** Free blocks that should be there if growing can provide them; default: those needed. */
  freeWanted?: number;
  /** Blocks to add at the end though others are free: a file is continued there. */
  atEnd?: number;
}

/**
 * Makes room for `blocks` of data and the slots of their block map, if there is space for it.
 * Blocks that wait in quarantine are used before the file grows (V18).
 */
export function makeRoomForBlocks(
  state: VolumeState,
  blocks: number,
  { freeWanted = blocks, atEnd = 0 }: WantedBlocks = {},
): void {
  state.requireWritable();
  if (state.inodes.free < SPARE_SLOTS) tryGrow(state, L.TABLE.SLOTS);
  // On a full disk only blocks with disk space count, and freed blocks have it.
  const isTight = state.backing?.isTight ?? false;
  if (isTight && blocks > 0 && state.bitmap.quarantined > 0) state.committer!.reclaim();
  if (state.bitmap.free >= freeWanted && atEnd === 0) return;
  useQuarantine(state);
  const { free, blocks: total } = state.bitmap;
  if (free >= freeWanted && (atEnd === 0 || !isLittleFree(state))) return;
  const step = Math.max(STEP_BLOCKS, Math.min(total >> 3, STEP_BYTES / state.blockSize));
  if (
    !state.isDeviceFull && growBlocks(state, Math.max(freeWanted - free, atEnd) + step, freeWanted)
  ) return;
  if (free >= blocks) return;
  // A device that has been full is asked once, and for no more than the call needs.
  state.isDeviceFull = !growBlocks(state, blocks - free, blocks);
  if (!state.isDeviceFull) return;
  const left = Math.max(0, state.maxBlocks - total);
  if (left > 0 && left < blocks - free) growBlocks(state, left, blocks);
  if (state.bitmap.quarantined > 0) state.committer!.reclaim();
}

/** Blocks that may be idle: a quarter of `ofBlocks`, or a minimum. */
function slackOf(state: VolumeState, ofBlocks: number): number {
  const little = Math.min(SLACK_BLOCKS_MAX, SLACK_BYTES / state.blockSize);
  return Math.max(STEP_BLOCKS, little, ofBlocks >> 2);
}

/** Whether so few blocks are free that a file may grow at the end, to stay in one piece. */
export function isLittleFree(state: VolumeState): boolean {
  const { free, blocks } = state.bitmap;
  return free <= slackOf(state, blocks);
}

/** Whether more blocks wait in quarantine than may while the file grows. */
function isWaiting(state: VolumeState): boolean {
  const { bitmap } = state;
  return bitmap.quarantined > slackOf(state, bitmap.blocks - bitmap.unowned);
}

/** Sets free the blocks that wait for a commit or a checkpoint, if they are many. */
function useQuarantine(state: VolumeState): void {
  if (!isWaiting(state)) return;
  try {
    state.committer!.commit();
    if (isWaiting(state)) state.committer!.unlog();
  } catch (error) {
    if (!isErrnoError(error) || error.code !== "ENOSPC") throw state.broken(error);
    state.isDeviceFull = true;
  }
}

/** V18: the file grows by what is missing, and only when no freed block could serve. */
function requireNeed(state: VolumeState, freeWanted: number): void {
  const { quarantined, free } = state.bitmap;
  const isUsed = state.isDeviceFull || !isWaiting(state);
  invariant(isUsed, "V18: the file grows while {} blocks wait for a commit", quarantined);
  const isMissing = free < freeWanted || isLittleFree(state);
  invariant(isMissing, "V18: the file grows for {} blocks while {} are free", freeWanted, free);
}

/** Makes room for adjacent blocks at the end of the file; whether that was possible. */
export function growInOnePiece(state: VolumeState, blocks: number): boolean {
  useQuarantine(state);
  return growBlocks(state, blocks, Infinity);
}

/** Whether the file could be made longer by that many blocks, since `freeWanted` free ones are wanted. */
function growBlocks(state: VolumeState, blocks: number, freeWanted: number): boolean {
  const total = state.bitmap.blocks + blocks;
  if (total > state.maxBlocks) return false;
  try {
    requireNeed(state, freeWanted);
    coverByBitmap(state, blocks);
    extendFile(state, blocks);
    return true;
  } catch (error) {
    if (isErrnoError(error) && error.code === "ENOSPC") return false;
    throw state.broken(error);
  }
}

/**
 * Appends blocks that an export borrows for its copies. Returns the first one, or -1 if the file cannot
 * grow. May be called inside a transaction.
 */
export function extendForExport(state: VolumeState, blocks: number): number {
  if (state.bitmap.blocks + blocks > bytesOf(state.segments.bitmap) * 8) return -1;
  try {
    return extendFile(state, blocks);
  } catch (error) {
    if (isErrnoError(error) && error.code === "ENOSPC") return -1;
    throw state.broken(error);
  }
}

/** Grows the bitmap, if there is space, so that an export can borrow half as many blocks again. */
export function growBitmapForExport(state: VolumeState): void {
  const wanted = Math.min(L.BLOCKS_MAX, Math.ceil(state.bitmap.blocks * 1.5) + STEP_BLOCKS);
  if (wanted > bytesOf(state.segments.bitmap) * 8) tryGrow(state, L.TABLE.BITMAP);
}

/** Appends blocks that read as zeros; returns the first. */
function extendFile(state: VolumeState, blocks: number): number {
  invariant(Number.isInteger(blocks) && blocks > 0, "V7: a volume longer by {} blocks", blocks);
  const first = state.bitmap.blocks;
  const total = first + blocks;
  if (total > state.maxBlocks) {
    throw new ErrnoError("ENOSPC", "grow the volume", { why: "it is as large as it may be" });
  }
  try {
    // The file may be longer already: a cut that is in the journal was not made.
    const end = state.placeOf(total, 0);
    if (state.handle.getSize() < end) resizeFile(state, end);
  } catch (error) {
    throw refusalOf(state, error);
  }
  state.bitmap.grow(total);
  state.backing?.appeared(first, total);
  state.superblock.totalBlocks = total;
  return first;
}

/**
 * Adds a segment to a table, as a transaction of its own.
 *
 * @throws {ErrnoError} ENOSPC
 */
function growTable(state: VolumeState, table: number): void {
  const list = tableOf(state.segments, table)!;
  const unit = Math.max(state.blockSize, L.PAGE_BYTES);
  const have = bytesOf(list);
  const limit = Math.floor((tableLimit(table) - have) / unit) * unit;
  const bytes = Math.min(L.roundUp(have * 4, unit), limit);
  if (bytes <= 0) throw new ErrnoError("ENOSPC", "grow a table", { why: "it cannot be larger" });
  const isSummed = state.tables.sums !== null;
  const blockCount = blocksOfSegment(bytes, { table, isSummed, blockSize: state.blockSize });
  if (table !== L.TABLE.BITMAP) coverByBitmap(state, blockCount);
  const segment = state.step((): Segment => {
    const firstBlock = placeForSegment(state, blockCount);
    const at = state.placeOf(firstBlock, 0);
    state.bitmap.take(firstBlock, blockCount);
    occupy(state, at, blockCount * state.blockSize);
    state.backing?.wrote(firstBlock, blockCount);
    const slot = freeDescriptor(state);
    const made = { logical: have, bytes, at, firstBlock, blockCount };
    encodeSegment(state.tables.view, state.tables.edit(slot), {
      ...made,
      table,
      ordinal: list.length,
    });
    return made;
  }, FINAL);
  list.push(segment);
  follow(state, table);
}

/**
 * Blocks at the end of the file; where that cannot grow, adjacent free blocks.
 *
 * @throws {ErrnoError} ENOSPC
 */
function placeForSegment(state: VolumeState, blocks: number): number {
  try {
    return extendFile(state, blocks);
  } catch (error) {
    const place = freeRun(state, blocks);
    if (!isErrnoError(error) || error.code !== "ENOSPC" || place < 0) throw error;
    state.announceWrite(place, blocks);
    // Its zeros are flushed before the record with its descriptor (rule 11).
    state.pool.isUnflushed = true;
    return place;
  }
}

/** The first of so many adjacent free blocks, or -1. */
export function freeRun({ bitmap }: VolumeState, blocks: number): number {
  for (let at = bitmap.freeFrom(0); at >= 0;) {
    const run = bitmap.freeRunAt(at, at + blocks);
    if (run === blocks) return at;
    at = bitmap.freeFrom(at + run);
  }
  return -1;
}

/**
 * Really writes the zeros of a new segment: a sparse host file would have no disk space for them
 * when a checkpoint writes them home.
 */
function occupy(state: VolumeState, at: number, bytes: number): void {
  const zeros = new Uint8Array(Math.min(bytes, OCCUPY_BYTES));
  for (let done = 0; done < bytes; done += zeros.length) {
    writeDevice(state, zeros.subarray(0, Math.min(zeros.length, bytes - done)), at + done);
  }
}

/** Makes the bitmap long enough for so many more blocks, including its own further segments. */
function coverByBitmap(state: VolumeState, more: number): void {
  while (state.bitmap.blocks + more > bytesOf(state.segments.bitmap) * 8) {
    growTable(state, L.TABLE.BITMAP);
  }
}

/**
 * At mount: makes the bitmap long enough for each block of the volume.
 *
 * @throws {ErrnoError} ENOSPC
 */
export function coverAllBlocks(state: VolumeState): void {
  const { bitmap, segments } = state;
  const pageBits = L.PAGE_BYTES * 8;
  const covered = bytesOf(segments.bitmap) * 8;
  coverByBitmap(state, 0);
  for (let bit = covered; bit < bitmap.blocks; bit += pageBits) bitmap.home.add(bit / pageBits);
}

function freeDescriptor(state: VolumeState): number {
  let slot = 1;
  while (slot < L.FIRST_FILE_SLOT && state.typeOf(slot) !== L.TYPE.FREE) slot++;
  invariant(slot < L.FIRST_FILE_SLOT, "V1: there are more segments than descriptors");
  return slot;
}

/** Makes the tables in memory as long as those on the device. */
function follow(state: VolumeState, table: number): void {
  if (table === L.TABLE.SLOTS) {
    const before = state.tables.slotCount;
    state.tables.growSlots(bytesOf(state.segments.slots) / L.SLOT_BYTES);
    state.inodes.grow(state.tables.slotCount - before);
    state.paths.resize();
  } else if (table === L.TABLE.NAMES) {
    state.tables.growNames(bytesOf(state.segments.names));
    state.paths.resize();
  }
}
