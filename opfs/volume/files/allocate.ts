/**
 * Reserving, zeroing and freeing ranges of a file: fallocate.
 *
 * Layer: opfs/volume, under `volume.ts`. Blocks that are owned but were never written are an
 * unwritten run: it reads as zeros whatever its blocks hold, so reserving a range writes nothing.
 * Long ranges take several steps, each of which leaves a valid state. Whatever may run out is
 * checked before the first step.
 *
 * A logged block never becomes unwritten: a replay could write old bytes over what is written there
 * later. So a checkpoint ends its logged state first.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../../abi/errno.ts";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
} from "../../../abi/flags.ts";
import { invariant } from "../../../abi/invariant.ts";
import { shown } from "../../../abi/options.ts";
import { requireFile } from "./attributes.ts";
import { NO_BLOCK } from "../memory/extent.ts";
import { blocksForEdges, Edges } from "./edges.ts";
import { allocateRun, LEAVES_PER_STEP, zeroGap } from "./file_data.ts";
import { makeRoomForBlocks } from "../space/grow.ts";
import * as L from "../format/layout.ts";
import type { VolumeState } from "../state.ts";
import { isBeyondReach } from "../space/space.ts";
import { FREEING } from "../transaction.ts";
import { missingBlocks } from "./write_plan.ts";

const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
/** All valid modes, compared as numbers: a test of bits alone would accept larger modes. */
const MODES: readonly number[] = [
  0,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_ZERO_RANGE,
  FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
  PUNCH,
];

/** Bytes of a file, and what to do with them. */
export interface Range {
  /** 0 or FALLOC_FL_*. */
  mode: number;
  /** First byte. */
  at: number;
  /** How many. */
  length: number;
}

/** Bytes `[at, end)`, and the whole blocks among them. */
interface Parts {
  at: number;
  end: number;
  /** First whole block. */
  from: number;
  /** The end of the last whole block; not before `from`. */
  to: number;
}

/**
 * Does what `range.mode` says, in a call of several steps.
 *
 * @throws {ErrnoError} ENOSPC before anything has changed; EFBIG, EINVAL, EISDIR, ENOTSUP
 */
export function allocateRange(state: VolumeState, slot: number, range: Range): void {
  requireFile(state, slot);
  checkRange(state, range);
  state.requireWritable();
  const end = range.at + range.length;
  const keepsSize = (range.mode & FALLOC_FL_KEEP_SIZE) !== 0;
  state.call(() => {
    if (range.mode & FALLOC_FL_PUNCH_HOLE) punch(state, slot, partsOf(state, slot, range));
    else own(state, slot, { range, size: keepsSize ? 0 : end });
  });
}

function checkRange(state: VolumeState, { mode, at, length }: Range): void {
  const isRange = Number.isSafeInteger(at) && Number.isSafeInteger(length) && at >= 0 && length > 0;
  if (!isRange) throw new ErrnoError("EINVAL", `allocate ${shown(length)} bytes at ${shown(at)}`);
  if (!Number.isInteger(mode)) throw new ErrnoError("EINVAL", `allocate with mode ${shown(mode)}`);
  if (!MODES.includes(mode)) throw new ErrnoError("ENOTSUP", `allocate with mode ${mode}`);
  const isPunch = mode === PUNCH;
  const limit = isPunch ? Number.MAX_SAFE_INTEGER : L.BLOCKS_MAX * state.blockSize;
  if (at + length > limit) throw new ErrnoError("EFBIG", `allocate up to ${at + length}`);
}

/** The block with the file's end counts as whole if the range reaches that end. */
function partsOf(state: VolumeState, slot: number, { at, length }: Range): Parts {
  const { blockSize } = state;
  const end = Math.min(at + length, L.BLOCKS_MAX * blockSize);
  const size = state.sizeOf(slot);
  const from = Math.ceil(at / blockSize);
  const last = Math.floor(end / blockSize);
  const to = end >= size && last * blockSize < size ? last + 1 : last;
  return { at, end, from, to: Math.max(from, to) };
}

/** Zeroes the parts before and after the whole blocks. */
function zeroEnds(edges: Edges, slot: number, parts: Parts, blockSize: number): void {
  const { at, end, from, to } = parts;
  edges.zero(slot, at, Math.min(end, from * blockSize));
  edges.zero(slot, to * blockSize, end);
}

function punch(state: VolumeState, slot: number, parts: Parts): void {
  makeRoomForBlocks(state, blocksForEdges(state));
  zeroEnds(new Edges(state), slot, parts, state.blockSize);
  removeBlocks(state, slot, parts.from, parts.to);
  finish(state, slot, 0);
}

function removeBlocks(state: VolumeState, slot: number, from: number, to: number): void {
  const range = { from, to, leavesMax: LEAVES_PER_STEP };
  for (let isDone = from === to; !isDone;) {
    isDone = state.step(() => state.extents.remove(slot, range), FREEING);
  }
}

/**
 * Reserves a range; with ZERO_RANGE it reads as zeros then. The file is at least `size` long after
 * it.
 */
function own(state: VolumeState, slot: number, wanted: { range: Range; size: number }): void {
  const { range, size } = wanted;
  const { blockSize } = state;
  const from = Math.floor(range.at / blockSize);
  const to = Math.ceil((range.at + range.length) / blockSize);
  const isZeroed = (range.mode & FALLOC_FL_ZERO_RANGE) !== 0;
  const missing = missingBlocks(state, slot, from, to);
  reserve(state, isZeroed ? missing + blocksForEdges(state) : missing);
  if (size > state.sizeOf(slot)) extendTo(state, slot, size);
  const edges = new Edges(state);
  // Zeros past the old end, which are not seen, become durable first, where a record may not take it with the edges.
  if (isZeroed && edges.isMoving) state.committer!.commit();
  if (isZeroed) unlogAll(state, slot, from, to);
  fillHoles(state, slot, from, to);
  if (isZeroed) {
    const parts = partsOf(state, slot, range);
    makeUnwritten(state, slot, parts.from, parts.to);
    zeroEnds(edges, slot, parts, blockSize);
  }
  finish(state, slot, size);
}

/** A commit in the middle would make half of the call durable: so logged blocks end here. */
function unlogAll(state: VolumeState, slot: number, from: number, to: number): void {
  const { extents, pool } = state;
  for (let fileBlock = from; fileBlock < to;) {
    const found = extents.find(slot, fileBlock);
    const count = Math.min(found.count, to - fileBlock);
    const isLogged = found.block !== NO_BLOCK && pool.directRun(found.block, count) < count;
    if (isLogged) return state.committer!.unlog();
    fileBlock += count;
  }
}

function reserve(state: VolumeState, missing: number): void {
  const isThere = missing <= state.bitmap.free || !isBeyondReach(state, missing);
  if (isThere) makeRoomForBlocks(state, missing);
  if (state.bitmap.free >= missing) return;
  throw new ErrnoError("ENOSPC", `allocate ${missing} blocks`);
}

/** Bytes past the old end read as zeros once the file is longer. */
function extendTo(state: VolumeState, slot: number, size: number): void {
  state.step(() => zeroGap(state, slot, state.sizeOf(slot), size));
}

/** Gives unwritten blocks to every hole between two file blocks, or to none of them. */
function fillHoles(state: VolumeState, slot: number, from: number, to: number): void {
  const { extents } = state;
  const filled: number[] = [];
  try {
    for (let fileBlock = from; fileBlock < to;) {
      const found = extents.find(slot, fileBlock);
      let count = Math.min(found.count, to - fileBlock);
      if (found.block === NO_BLOCK) {
        count = fillHole(state, slot, fileBlock, count);
        filled.push(fileBlock, count);
      }
      fileBlock += count;
    }
  } catch (error) {
    if (isFull(error)) giveBack(state, slot, filled);
    throw error;
  }
}

function fillHole(state: VolumeState, slot: number, fileBlock: number, want: number): number {
  const hole = { fileBlock, want, isUnwritten: true, isPooled: false };
  return state.step(() => allocateRun(state, slot, hole)).count;
}

/** There were blocks, but no slots for their runs: restores the file. */
function giveBack(state: VolumeState, slot: number, filled: readonly number[]): void {
  try {
    for (let index = 0; index < filled.length; index += 2) {
      const from = filled[index]!;
      removeBlocks(state, slot, from, from + filled[index + 1]!);
    }
  } catch (error) {
    if (!isFull(error)) throw error;
  }
}

function isFull(error: unknown): boolean {
  return isErrnoError(error) && error.code === "ENOSPC";
}

/** Turns written blocks between two file blocks into unwritten ones, which read as zeros. */
function makeUnwritten(state: VolumeState, slot: number, from: number, to: number): void {
  const { extents } = state;
  for (let fileBlock = from; fileBlock < to;) {
    const found = extents.find(slot, fileBlock);
    const count = Math.min(found.count, to - fileBlock);
    invariant(found.block !== NO_BLOCK, "V7: an allocated range still has a hole");
    if (!found.isUnwritten) turnUnwritten(state, slot, fileBlock, count);
    fileBlock += count;
  }
}

function turnUnwritten(state: VolumeState, slot: number, fileBlock: number, count: number): void {
  const { extents, pool } = state;
  const first = state.step(() => {
    const { block } = extents.find(slot, fileBlock);
    if (pool.directRun(block, count) < count) {
      state.nextStepDurably((committer) => committer.unlog());
      invariant(pool.directRun(block, count) === count, "V15: a block is logged by nothing");
    }
    extents.remove(slot, { from: fileBlock, to: fileBlock + count, kept: true });
    extents.insert(slot, { fileBlock, block, count, isUnwritten: true });
    return block;
  });
  // Bytes of these blocks that have not been written home yet are zeros now.
  pool.dropRun(first, count);
}

/** Times, and the size if it is to be at least `size`. */
function finish(state: VolumeState, slot: number, size: number): void {
  state.step(() => {
    state.touch(slot, true);
    if (size <= state.sizeOf(slot)) return;
    state.tables.view.setFloat64(slot * L.SLOT_BYTES + L.SLOT.SIZE, size, L.LE);
  });
}
