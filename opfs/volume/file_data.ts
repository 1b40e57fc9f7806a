/**
 * The bytes of files: filling holes with blocks, zeroing, cutting, and the targets of links.
 *
 * Layer: opfs/volume, under `volume.ts`. V8: bytes past the size are never shown, so whoever makes
 * a file longer zeroes what lies between.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import { invariant } from "../../abi/invariant.ts";
import { NO_BLOCK } from "./extent.ts";
import * as L from "./layout.ts";
import { readDevice, type VolumeState } from "./state.ts";

/** Leaves of a block map that one step of a cut changes. */
const LEAVES_PER_STEP = 64;

/** From this length on whole blocks that are not in the pool are read directly. */
const DIRECT_READ_BYTES = 32 * 1024;

/**
 * Gives one or more blocks to the file where `extents.find` has just found none, or unwritten ones.
 * Returns how many from `fileBlock` on are its own now; `extents` speaks of them. Their bytes are
 * anything: the caller writes all of them, or takes `pool.fresh`.
 *
 * @throws {ErrnoError} ENOSPC
 */
export function fillBlocks(
  state: VolumeState,
  slot: number,
  fileBlock: number,
  want: number,
): number {
  const { extents } = state;
  const most = Math.min(want, extents.count);
  const count = extents.isUnwritten
    ? convertUnwritten(state, slot, fileBlock, most)
    : allocateRun(state, slot, fileBlock, most);
  extents.find(slot, fileBlock);
  invariant(extents.block !== NO_BLOCK && extents.count >= count, "V7: a filled hole is a hole");
  return count;
}

/**
 * Writes bytes that lie inside of one file block, through the pool. What else a new block shows is
 * zeros.
 *
 * @throws {ErrnoError} ENOSPC, EIO
 */
export function writeInBlock(
  state: VolumeState,
  slot: number,
  at: number,
  bytes: Uint8Array,
): void {
  const { extents, pool, blockSize } = state;
  const fileBlock = Math.floor(at / blockSize);
  const from = at - fileBlock * blockSize;
  const to = from + bytes.length;
  invariant(to <= blockSize, "V7: a write over the end of its block");
  extents.find(slot, fileBlock);
  let frame: number;
  let [low, high] = [from, to];
  if (extents.block === NO_BLOCK || extents.isUnwritten) {
    fillBlocks(state, slot, fileBlock, 1);
    frame = pool.fresh(extents.block);
    low = 0;
    high = Math.max(to, Math.min(blockSize, state.sizeOf(slot) - fileBlock * blockSize));
  } else if (from === 0 && to === blockSize) frame = pool.blank(extents.block);
  else frame = pool.get(extents.block);
  pool.slabOf(frame).set(bytes, pool.offsetOf(frame) + from);
  pool.soil(frame, low, high);
}

function allocateRun(state: VolumeState, slot: number, fileBlock: number, want: number): number {
  const { extents, bitmap } = state;
  let goal = NO_BLOCK;
  if (fileBlock > 0) {
    extents.find(slot, fileBlock - 1);
    if (extents.block !== NO_BLOCK) goal = extents.block + 1;
  }
  const block = bitmap.allocate(goal, want, slot);
  if (block < 0) throw new ErrnoError("ENOSPC", "write: no block left");
  const count = bitmap.allocated;
  extents.insert(slot, { fileBlock, block, count, isUnwritten: false });
  return count;
}

function convertUnwritten(
  state: VolumeState,
  slot: number,
  fileBlock: number,
  count: number,
): number {
  const { extents } = state;
  const block = extents.block;
  extents.remove(slot, { from: fileBlock, to: fileBlock + count, kept: true });
  extents.insert(slot, { fileBlock, block, count, isUnwritten: false });
  return count;
}

/**
 * Prepares bytes `[size, to)` of a file that is made longer: what lies in blocks that it has already
 * reads as zeros, written blocks past the size are given back.
 */
export function zeroGap(state: VolumeState, slot: number, size: number, to: number): void {
  const { extents, blockSize, pool } = state;
  const inside = size % blockSize;
  let fileBlock = Math.floor(size / blockSize);
  if (inside > 0) {
    extents.find(slot, fileBlock);
    if (extents.block !== NO_BLOCK && !extents.isUnwritten) {
      const frame = pool.get(extents.block);
      const end = Math.min(blockSize, inside + to - size);
      const at = pool.offsetOf(frame);
      pool.slabOf(frame).fill(0, at + inside, at + end);
      pool.soil(frame, inside, end);
    }
    fileBlock++;
  }
  while (fileBlock < L.BLOCKS_MAX) {
    extents.find(slot, fileBlock);
    const { count } = extents;
    if (extents.block !== NO_BLOCK && !extents.isUnwritten) {
      extents.remove(slot, { from: fileBlock, to: fileBlock + count });
    }
    fileBlock += count;
  }
}

/** Sets the size and what follows from it: cuts, or extends with a hole. */
export function resize(state: VolumeState, slot: number, size: number): void {
  checkSize(size);
  const old = state.sizeOf(slot);
  const at = state.tables.edit(slot);
  if (size > old) zeroGap(state, slot, old, size);
  state.tables.view.setFloat64(at + L.SLOT.SIZE, size, L.LE);
  if (size >= old) return;
  const range = {
    from: Math.ceil(size / state.blockSize),
    to: L.BLOCKS_MAX,
    leavesMax: LEAVES_PER_STEP,
  };
  while (!state.extents.remove(slot, range)) {
    // The size is right already, so what has been done so far is a valid state.
    state.keep();
    state.begin(true);
  }
}

function checkSize(size: number): void {
  if (!Number.isInteger(size) || size < 0) {
    throw new ErrnoError("EINVAL", `make a file ${size} bytes long`);
  }
  if (size > Number.MAX_SAFE_INTEGER) {
    throw new ErrnoError("EFBIG", `make a file ${size} bytes long`);
  }
}

/** Stores what a new symbolic link points to. */
export function writeTarget(state: VolumeState, slot: number, target: Uint8Array): void {
  if (target.length === 0) throw new ErrnoError("ENOENT", "link to nothing");
  if (target.length > L.TARGET_BYTES_MAX) {
    throw new ErrnoError("ENAMETOOLONG", `link to a path of ${target.length} bytes`);
  }
  if (target.includes(0)) throw new ErrnoError("EINVAL", "link to a path with NUL in it");
  const { blockSize } = state;
  for (let at = 0; at < target.length; at += blockSize) {
    writeInBlock(state, slot, at, target.subarray(at, at + blockSize));
  }
  state.tables.view.setFloat64(slot * L.SLOT_BYTES + L.SLOT.SIZE, target.length, L.LE);
}

/** What a symbolic link points to, as raw bytes. */
export function readTarget(state: VolumeState, slot: number): Uint8Array<ArrayBuffer> {
  const target = new Uint8Array(Math.min(state.sizeOf(slot), L.TARGET_BYTES_MAX));
  readBytes(state, slot, target, 0);
  return target;
}

/** Fills `into` from byte `at` on; all of it lies before the end of the file. */
export function readBytes(
  state: VolumeState,
  slot: number,
  into: Uint8Array,
  at: number,
): void {
  const { extents, blockSize } = state;
  for (let done = 0; done < into.length;) {
    const fileBlock = Math.floor((at + done) / blockSize);
    const inside = at + done - fileBlock * blockSize;
    if (fileBlock >= L.BLOCKS_MAX) {
      into.fill(0, done);
      return;
    }
    extents.find(slot, fileBlock);
    const length = Math.min(into.length - done, extents.count * blockSize - inside);
    if (extents.block === NO_BLOCK || extents.isUnwritten) into.fill(0, done, done + length);
    else readRun(state, into.subarray(done, done + length), inside);
    done += length;
  }
}

/** Reads from byte `inside` of the block that `extents` speaks of, within its run. */
function readRun(state: VolumeState, into: Uint8Array, inside: number): void {
  const { pool, blockSize, extents } = state;
  const { block, count } = extents;
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
    if (state.failure !== null && pool.peek(block + index) < 0) {
      // A full pool would write to make room, and nothing is written any more.
      readDevice(
        state.handle,
        into.subarray(done, done + length),
        state.placeOf(block + index, from),
      );
      done += length;
      continue;
    }
    const frame = pool.get(block + index, count - index);
    const at = pool.offsetOf(frame) + from;
    into.set(pool.slabOf(frame).subarray(at, at + length), done);
    done += length;
  }
}
