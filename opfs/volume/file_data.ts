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
import { readDevice, type VolumeState, writeDevice } from "./state.ts";

/** Leaves of a block map that one step of a cut changes. */
const LEAVES_PER_STEP = 64;

const zeros = new Uint8Array(64 * 1024);

/** Writes zeros to a place inside of one block. */
function zeroBlock(state: VolumeState, block: number, from: number, to: number): void {
  for (let at = from; at < to; at += zeros.length) {
    const length = Math.min(zeros.length, to - at);
    writeDevice(state, zeros.subarray(0, length), state.placeOf(block, at));
  }
}

/**
 * Gives blocks to the file where `extents.find` has just found none, or unwritten ones, for a write
 * of bytes `[at, end)` of the file. What of the new blocks the write does not cover is zeroed.
 * Returns how many blocks from `fileBlock` on are written now, at least one.
 *
 * @throws {ErrnoError} ENOSPC
 */
export function fillBlocks(
  state: VolumeState,
  slot: number,
  place: { fileBlock: number; want: number; at: number; end: number },
): number {
  const { extents, blockSize } = state;
  const { fileBlock, at, end } = place;
  const count = extents.isUnwritten
    ? convertUnwritten(state, slot, fileBlock, Math.min(place.want, extents.count))
    : allocateRun(state, slot, fileBlock, Math.min(place.want, extents.count));
  extents.find(slot, fileBlock);
  invariant(extents.block !== NO_BLOCK && extents.count >= count, "V7: a filled hole is a hole");
  const first = extents.block;
  const head = at - fileBlock * blockSize;
  if (head > 0) zeroBlock(state, first, 0, Math.min(head, blockSize));
  const tail = end - (fileBlock + count - 1) * blockSize;
  if (tail < blockSize) zeroBlock(state, first + count - 1, Math.max(0, tail), blockSize);
  return count;
}

function allocateRun(state: VolumeState, slot: number, fileBlock: number, want: number): number {
  const { extents, bitmap } = state;
  let goal = NO_BLOCK;
  if (fileBlock > 0) {
    extents.find(slot, fileBlock - 1);
    if (extents.block !== NO_BLOCK) goal = extents.block + 1;
  }
  const block = bitmap.allocate(goal, want);
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
  const { extents, blockSize } = state;
  const inside = size % blockSize;
  let fileBlock = Math.floor(size / blockSize);
  if (inside > 0) {
    extents.find(slot, fileBlock);
    if (extents.block !== NO_BLOCK && !extents.isUnwritten) {
      zeroBlock(state, extents.block, inside, Math.min(blockSize, inside + to - size));
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
    state.begin();
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
  const { blockSize, extents } = state;
  const last = Math.floor((target.length - 1) / blockSize);
  for (let fileBlock = 0; fileBlock <= last;) {
    extents.find(slot, fileBlock);
    const want = last - fileBlock + 1;
    const count = fillBlocks(state, slot, { fileBlock, want, at: 0, end: target.length });
    const from = fileBlock * blockSize;
    const piece = target.subarray(from, from + count * blockSize);
    writeDevice(state, piece, state.placeOf(extents.block, 0));
    fileBlock += count;
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
  const { extents, blockSize, handle } = state;
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
    else {
      readDevice(handle, into.subarray(done, done + length), state.placeOf(extents.block, inside));
    }
    done += length;
  }
}
