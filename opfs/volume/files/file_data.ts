/**
 * The bytes of files: filling holes with blocks, zeroing, cutting, and the targets of links.
 *
 * Layer: opfs/volume, under `volume.ts`. V8: bytes past the size are never shown, so a call that
 * makes a file longer first zeroes the bytes in between.
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import { allocateBlocks } from "./backing.ts";
import type { BlockRun } from "../memory/bitmap.ts";
import { type Extent, NO_BLOCK } from "../memory/extent.ts";
import * as L from "../format/layout.ts";
import { readDevice, type VolumeState } from "../state.ts";
import { withoutSum, withSum } from "../memory/summed_bytes.ts";

/** Bytes of a logged block that one step changes: they go into the record. */
export const LOGGED_STEP_BYTES: number = 8 * 1024;

/** Leaves of a block map that one step of a cut changes. */
export const LEAVES_PER_STEP = 64;

/** From this length on whole blocks that are not in the pool are read directly. */
const DIRECT_READ_BYTES = 32 * 1024;

/** Blocks that a write needs where the file has a hole, or unwritten blocks. */
export interface Hole {
  /** The first of them in the file. */
  fileBlock: number;
  /** How many. */
  want: number;
  /** What the file has there. */
  found: Extent;
  /** Whether the bytes go through the pool. */
  isPooled: boolean;
}

/**
 * Gives blocks to a hole of the file, and returns those. Their contents are undefined: the caller
 * writes all of them, or takes `pool.fresh`. Blocks whose bytes go through the pool have disk space
 * after this.
 *
 * @throws {ErrnoError} ENOSPC
 */
export function fillBlocks(state: VolumeState, slot: number, hole: Hole): BlockRun {
  const { fileBlock, want, found, isPooled } = hole;
  invariant(want > 0, "V7: {} blocks are given to a hole", want);
  const most = Math.min(want, found.count);
  if (found.isUnwritten && isPooled) requireRoom(state, found.block, most);
  const run = found.isUnwritten
    ? convertUnwritten(state, slot, { fileBlock, block: found.block, count: most })
    : allocateRun(state, slot, { fileBlock, want: most, isUnwritten: false, isPooled });
  const filled = state.extents.find(slot, fileBlock);
  const isFilled = filled.block === run.block && filled.count >= run.count;
  invariant(isFilled, "V7: a fill left a hole");
  return run;
}

/**
 * Writes bytes inside one file block, through the pool; the rest of a new block is zeros. Returns
 * how many bytes.
 *
 * @throws {ErrnoError} ENOSPC, EIO
 */
export function writeInBlock(
  state: VolumeState,
  slot: number,
  at: number,
  bytes: Uint8Array,
): number {
  const { extents, pool, blockSize } = state;
  const fileBlock = Math.floor(at / blockSize);
  const from = at - fileBlock * blockSize;
  const to = from + bytes.length;
  invariant(to <= blockSize, "V7: a write over the end of its block");
  const found = extents.find(slot, fileBlock);
  let frame: number;
  let [low, high] = [from, to];
  if (found.block === NO_BLOCK || found.isUnwritten) {
    const { block } = fillBlocks(state, slot, { fileBlock, want: 1, found, isPooled: true });
    frame = pool.fresh(block);
    low = 0;
    high = Math.max(to, Math.min(blockSize, state.sizeOf(slot) - fileBlock * blockSize));
  } else {
    makeRoomInRecord(state, found.block, from, to);
    const isWhole = from === 0 && to === blockSize;
    // Small writes one after the other are a reason to read ahead, as reads are.
    frame = isWhole ? pool.blank(found.block) : pool.get(found.block, found.count);
  }
  pool.remember(frame);
  pool.slabOf(frame).set(bytes, pool.offsetOf(frame) + from);
  pool.markDirty(frame, low, high);
  return bytes.length;
}

/**
 * The dirty bytes of a block are one piece. Where that would make the record longer than one step
 * may, the changes so far become durable first; so far the transaction has made only valid steps.
 */
function makeRoomInRecord(state: VolumeState, block: number, from: number, to: number): void {
  if (state.pool.growthOf(block, from, to) <= LOGGED_STEP_BYTES) return;
  state.nextStepDurably();
}

/**
 * Gives adjacent blocks to a hole of the file, as many of those wanted as one place has, and
 * returns them.
 *
 * @throws {ErrnoError} ENOSPC
 */
export function allocateRun(
  state: VolumeState,
  slot: number,
  hole: { fileBlock: number; want: number; isUnwritten: boolean; isPooled: boolean },
): BlockRun {
  const { extents } = state;
  const { fileBlock, want, isUnwritten, isPooled } = hole;
  let goal = NO_BLOCK;
  if (fileBlock > 0) {
    const before = extents.find(slot, fileBlock - 1);
    if (before.block !== NO_BLOCK) goal = before.block + 1;
  }
  const taken = allocateBlocks(state, { goal, want, owner: slot, isPooled });
  if (taken === null) throw new ErrnoError("ENOSPC", "write", { why: "no block left" });
  const { block, count } = taken;
  invariant(count > 0 && count <= want, "V7: {} of {} blocks have been allocated", count, want);
  extents.insert(slot, { fileBlock, block, count, isUnwritten });
  return taken;
}

/** Blocks that are owned but were never written may have no disk space. */
function requireRoom(state: VolumeState, block: number, count: number): void {
  if (state.backing === null || state.backing.ensure(block, count)) return;
  throw new ErrnoError("ENOSPC", "write", { why: "the disk is full" });
}

function convertUnwritten(
  { extents }: VolumeState,
  slot: number,
  { fileBlock, block, count }: { fileBlock: number; block: number; count: number },
): BlockRun {
  extents.remove(slot, { from: fileBlock, to: fileBlock + count, kept: true });
  extents.insert(slot, { fileBlock, block, count, isUnwritten: false });
  return { block, count };
}

/**
 * Prepares bytes `[size, to)` of a file that becomes longer, in steps of the open transaction:
 * existing blocks read as zeros there, and written blocks past the size are freed. Call it first in
 * the transaction: these bytes are not visible yet, so each step leaves a valid state.
 */
export function zeroGap(state: VolumeState, slot: number, size: number, to: number): void {
  invariant(size <= to, "V8: a gap goes from byte {} to {}", size, to);
  const { extents, blockSize } = state;
  const tail = Math.min(to, Math.ceil(size / blockSize) * blockSize);
  for (let at = size; at < tail;) {
    at = zeroPiece(state, slot, at, tail);
    if (at < tail) state.nextStep();
  }
  let given = 0;
  for (let fileBlock = Math.ceil(size / blockSize); fileBlock < L.BLOCKS_MAX;) {
    const { block, count, isUnwritten } = extents.find(slot, fileBlock);
    if (block !== NO_BLOCK && !isUnwritten) {
      extents.remove(slot, { from: fileBlock, to: fileBlock + count });
      if (++given % LEAVES_PER_STEP === 0) state.nextStep();
    }
    fileBlock += count;
  }
}

/**
 * Zeroes bytes from `at` on, up to `to` in the same block, if the file has them; of a logged block
 * only as many as one step may. Returns where to go on.
 */
function zeroPiece(state: VolumeState, slot: number, at: number, to: number): number {
  const { extents, pool, blockSize } = state;
  const fileBlock = Math.floor(at / blockSize);
  const from = at - fileBlock * blockSize;
  invariant(to - at <= blockSize - from, "V8: zeros over the end of their block");
  const { block, isUnwritten } = extents.find(slot, fileBlock);
  if (block === NO_BLOCK || isUnwritten) return to;
  const isLogged = pool.isLogged(block);
  const length = isLogged ? Math.min(to - at, LOGGED_STEP_BYTES) : to - at;
  makeRoomInRecord(state, block, from, from + length);
  const frame = pool.get(block);
  pool.remember(frame);
  const start = pool.offsetOf(frame) + from;
  pool.slabOf(frame).fill(0, start, start + length);
  pool.markDirty(frame, from, from + length);
  return at + length;
}

/** Zeroes bytes `[at, to)` of one block, as far as the file has them, in steps of its own. */
export function zeroInBlock(state: VolumeState, slot: number, at: number, to: number): void {
  for (let done = at; done < to;) {
    done = state.step(() => zeroPiece(state, slot, done, to));
  }
}

/** Sets the size; a file that becomes longer gets a hole. The first step of a call. */
export function resize(state: VolumeState, slot: number, size: number): void {
  checkSize(size);
  const old = state.sizeOf(slot);
  if (size > old) zeroGap(state, slot, old, size);
  const at = state.tables.edit(slot);
  state.tables.view.setFloat64(at + L.SLOT.SIZE, size, L.LE);
}

/**
 * Frees blocks past the size, at most about as many as one step may; whether all are freed. The
 * size is right already, so each step leaves a valid state.
 */
export function removePastSize(state: VolumeState, slot: number): boolean {
  // A size may be past all blocks that a file can have.
  const from = Math.min(L.BLOCKS_MAX, Math.ceil(state.sizeOf(slot) / state.blockSize));
  return state.extents.remove(slot, { from, to: L.BLOCKS_MAX, leavesMax: LEAVES_PER_STEP });
}

function checkSize(size: number): void {
  if (!Number.isInteger(size) || size < 0) {
    throw new ErrnoError("EINVAL", `make a file ${size} bytes long`);
  }
  if (size > Number.MAX_SAFE_INTEGER) {
    throw new ErrnoError("EFBIG", `make a file ${size} bytes long`);
  }
}

/** Stores the target of a new symbolic link. */
export function writeTarget(state: VolumeState, slot: number, target: Uint8Array): void {
  if (target.length === 0) throw new ErrnoError("ENOENT", "link to nothing");
  if (target.length > L.TARGET_BYTES_MAX) {
    throw new ErrnoError("ENAMETOOLONG", `link to a path of ${target.length} bytes`);
  }
  const type = state.typeOf(slot);
  invariant(type === L.TYPE.SYMLINK, "V4: slot {} of type {} gets a target", slot, type);
  if (target.includes(0)) throw new ErrnoError("EINVAL", "link to a path with NUL in it");
  const { blockSize } = state;
  const bytes = state.tables.sums === null ? target : withSum(target);
  for (let at = 0; at < bytes.length; at += blockSize) {
    writeInBlock(state, slot, at, bytes.subarray(at, at + blockSize));
  }
  state.tables.view.setFloat64(slot * L.SLOT_BYTES + L.SLOT.SIZE, target.length, L.LE);
}

/**
 * The target of a symbolic link, as raw bytes; one turned bit in it is corrected.
 *
 * @throws {ErrnoError} EIO for one that is not what its sum says
 */
export function readTarget(state: VolumeState, slot: number): Uint8Array<ArrayBuffer> {
  const type = state.typeOf(slot);
  invariant(type === L.TYPE.SYMLINK, "V4: the target of slot {} of type {} is read", slot, type);
  const size = Math.min(state.sizeOf(slot), L.TARGET_BYTES_MAX);
  if (state.tables.sums === null) {
    const target = new Uint8Array(size);
    readBytes(state, slot, target, 0);
    return target;
  }
  const bytes = new Uint8Array(size + L.SUM_BYTES);
  readRuns(state, slot, bytes, 0);
  return withoutSum(bytes, `the target of slot ${slot}`);
}

/** Fills `into` from byte `at` on; all of it must be before the end of the file. */
export function readBytes(
  state: VolumeState,
  slot: number,
  into: Uint8Array,
  at: number,
): void {
  const isInside = at >= 0 && at + into.length <= state.sizeOf(slot);
  invariant(isInside, "V8: bytes past the end of a file are read");
  readRuns(state, slot, into, at);
}

/** Fills `into` from byte `at` of the blocks on. */
function readRuns(state: VolumeState, slot: number, into: Uint8Array, at: number): void {
  const { extents, blockSize } = state;
  for (let done = 0; done < into.length;) {
    const fileBlock = Math.floor((at + done) / blockSize);
    const inside = at + done - fileBlock * blockSize;
    if (fileBlock >= L.BLOCKS_MAX) {
      into.fill(0, done);
      return;
    }
    const found = extents.find(slot, fileBlock);
    const length = Math.min(into.length - done, found.count * blockSize - inside);
    if (found.block === NO_BLOCK || found.isUnwritten) into.fill(0, done, done + length);
    else readRun(state, found, into.subarray(done, done + length), inside);
    done += length;
  }
}

/** Reads from byte `inside` of the first of some adjacent blocks on. */
function readRun(
  state: VolumeState,
  { block, count }: Extent,
  into: Uint8Array,
  inside: number,
): void {
  const { pool, blockSize } = state;
  for (let done = 0; done < into.length;) {
    const index = Math.floor((inside + done) / blockSize);
    const from = inside + done - index * blockSize;
    const rest = into.length - done;
    const whole = from === 0 && rest >= DIRECT_READ_BYTES
      ? pool.absentRun(block + index, Math.floor(rest / blockSize))
      : 0;
    if (whole * blockSize >= DIRECT_READ_BYTES) {
      state.readBlocks(into.subarray(done, done + whole * blockSize), block + index);
      done += whole * blockSize;
      continue;
    }
    const length = Math.min(rest, blockSize - from);
    const piece = into.subarray(done, done + length);
    readInBlock(state, piece, { block: block + index, from, follow: count - index });
    done += length;
  }
}

/** Reads bytes of one block; `follow` blocks from it on belong to the same file. */
export function readInBlock(
  state: VolumeState,
  into: Uint8Array,
  { block, from, follow }: { block: number; from: number; follow: number },
): void {
  const { pool } = state;
  const isInside = from >= 0 && from + into.length <= state.blockSize;
  invariant(isInside, "V7: bytes {} of a block are read, {} of them", from, into.length);
  if (state.failure !== null && pool.peek(block) < 0) {
    // A full pool would write back to make room, and nothing may be written any more.
    readDevice(state.handle, into, state.placeOf(block, from));
    return;
  }
  const frame = pool.get(block, follow);
  const at = pool.offsetOf(frame) + from;
  into.set(pool.slabOf(frame).subarray(at, at + into.length));
}
