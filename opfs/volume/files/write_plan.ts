/**
 * How a write is cut into steps: what goes straight to the device, what through the pool, and the
 * room that is made before the first of them.
 *
 * Layer: opfs/volume, under `volume.ts`, which does what is planned here: the call of the device
 * stands in its own `write`, so that it is few frames from the caller.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import { shown } from "../../../abi/options.ts";
import type { BlockRun } from "../memory/bitmap.ts";
import { NO_BLOCK } from "../memory/extent.ts";
import { fillBlocks, LOGGED_STEP_BYTES } from "./file_data.ts";
import { isLittleFree, makeRoomForBlocks, SPARE_SLOTS } from "../space/grow.ts";
import * as L from "../format/layout.ts";
import type { VolumeState } from "../state.ts";

/** Writes of whole blocks from this length on go straight to the device. */
export const DIRECT_WRITE_BYTES: number = 64 * 1024;

/**
 * Stops unless `at` is a place in a file.
 *
 * @throws {ErrnoError} EINVAL
 */
export function checkPosition(at: number): void {
  if (Number.isSafeInteger(at) && at >= 0) return;
  throw new ErrnoError("EINVAL", `use byte ${shown(at)} of a file`);
}

/**
 * How much of a write fits below the largest offset.
 *
 * @throws {ErrnoError} EINVAL, EFBIG
 */
export function writable(state: VolumeState, length: number, at: number): number {
  checkPosition(at);
  const limit = L.BLOCKS_MAX * state.blockSize;
  if (length > 0 && at >= limit) throw new ErrnoError("EFBIG", `write at ${at}`);
  return Math.min(length, limit - at);
}

/** File blocks of `[from, to)` that the file does not own. */
export function missingBlocks(state: VolumeState, slot: number, from: number, to: number): number {
  invariant(from <= to, "V7: what is missing of blocks {} to {}", from, to);
  const { extents } = state;
  let missing = 0;
  for (let fileBlock = from; fileBlock < to;) {
    const found = extents.find(slot, fileBlock);
    const count = Math.min(found.count, to - fileBlock);
    if (found.block === NO_BLOCK) missing += count;
    fileBlock += count;
  }
  return missing;
}

/** Makes room for the blocks that a write will take. */
export function reserve(state: VolumeState, slot: number, at: number, length: number): void {
  if (state.inodes.free < SPARE_SLOTS) makeRoomForBlocks(state, 0);
  const { blockSize, bitmap } = state;
  const from = Math.floor(at / blockSize);
  const end = Math.ceil((at + length) / blockSize);
  if (isOwned(state, slot, from, end)) return;
  const isGrowing = at > 0;
  const isCramped = isGrowing && isLittleFree(state) && endsAtEnd(state, slot, from, end - from);
  const isTight = state.backing?.isTight ?? false;
  const isRoomy = !isCramped && !isTight;
  if (isRoomy && bitmap.free > bitmap.freeBlocksWanted(slot, end - from, isGrowing)) return;
  const missing = missingBlocks(state, slot, from, end);
  if (missing === 0) return;
  const freeWanted = bitmap.freeBlocksWanted(slot, missing, isGrowing);
  makeRoomForBlocks(state, missing, { freeWanted, atEnd: isCramped ? end - from : 0 });
}

/** Whether one run of the file has all of these blocks: mostly so when bytes are written over. */
function isOwned({ extents }: VolumeState, slot: number, from: number, end: number): boolean {
  const { block, count } = extents.find(slot, from);
  return block !== NO_BLOCK && count >= end - from;
}

/** Whether a file that grows has come to the end of the volume: going on there keeps one run. */
function endsAtEnd(state: VolumeState, slot: number, fileBlock: number, want: number): boolean {
  const { extents, bitmap } = state;
  if (fileBlock === 0) return false;
  const { block } = extents.find(slot, fileBlock - 1);
  if (block === NO_BLOCK) return false;
  const goal = block + 1;
  const run = bitmap.freeRunAt(goal, goal + want);
  return run < want && goal + run >= bitmap.blocks;
}

/**
 * The blocks of a write that go straight to the device: whole ones, many, none of them logged, and
 * the file's own from now on. Null if the write begins with no such block.
 */
export function directPiece(
  state: VolumeState,
  slot: number,
  position: number,
  length: number,
): BlockRun | null {
  const { extents, blockSize, pool } = state;
  const want = Math.floor(length / blockSize);
  if (length < DIRECT_WRITE_BYTES || want === 0 || position % blockSize !== 0) return null;
  const fileBlock = position / blockSize;
  const found = extents.find(slot, fileBlock);
  const { block } = found;
  if (block === NO_BLOCK) {
    return fillBlocks(state, slot, { fileBlock, want, found, isPooled: false });
  }
  const count = pool.directRun(block, Math.min(found.count, want));
  invariant(count <= want, "V7: {} blocks go to the device, of {}", count, want);
  if (count === 0) return null;
  if (!found.isUnwritten) return { block, count };
  return fillBlocks(state, slot, { fileBlock, want: count, found, isPooled: false });
}

/**
 * How many bytes of a write go into one block of the pool. Where each call is durable by itself bytes that
 * are written over fit into a record with room to spare: in their place, nothing could take them back.
 */
export function pooledPiece(
  state: VolumeState,
  slot: number,
  position: number,
  length: number,
): number {
  invariant(length > 0, "V7: a step writes {} bytes", length);
  const { extents, blockSize, pool } = state;
  const fileBlock = Math.floor(position / blockSize);
  const piece = Math.min(length, blockSize - (position - fileBlock * blockSize));
  if (piece <= LOGGED_STEP_BYTES) return piece;
  const { block, isUnwritten } = extents.find(slot, fileBlock);
  if (block === NO_BLOCK) return piece;
  if (pool.isLogged(block)) return LOGGED_STEP_BYTES;
  const { isEachCall, recordBytesMax } = state.committer!;
  return isEachCall && !isUnwritten ? Math.min(piece, recordBytesMax / 4) : piece;
}

/**
 * A write has been refused for want of room: whether it is worth trying once more, since a sparse
 * device may have blocks that have room already, or get it with a commit.
 */
export function mayTryAgain(state: VolumeState, refused: ErrnoError): boolean {
  const { backing, bitmap, committer } = state;
  if (backing === null || refused.code !== "ENOSPC") return false;
  backing.isTight = true;
  if (bitmap.quarantined === 0) return true;
  try {
    committer!.reclaim();
    return true;
  } catch (error) {
    if (!isErrnoError(error)) throw error;
    return false;
  }
}
