/**
 * Copying a range of a file inside the volume: copy_file_range.
 *
 * Layer: opfs/volume, under `volume.ts`. Bytes go through one buffer, piece after piece, each a write
 * of its own: after a crash the target has a prefix of what was copied, as after a long write. A piece
 * ends at a multiple of its size in the target, so that whole blocks stay whole. A hole of the source
 * takes no blocks in the target and gives back what was there.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../../abi/errno.ts";
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE } from "../../../abi/flags.ts";
import { invariant } from "../../../abi/invariant.ts";
import { shown } from "../../../abi/options.ts";
import { allocateRange } from "./allocate.ts";
import { requireFile, setAttributes, touchAccess } from "./attributes.ts";
import { type Extent, NO_BLOCK } from "../memory/extent.ts";
import { readBytes } from "./file_data.ts";
import * as L from "../format/layout.ts";
import type { VolumeState } from "../state.ts";
import { checkPosition, writable } from "./write_plan.ts";

/** Bytes of one piece, which are in memory at a time. */
const PIECE_BYTES = 256 * 1024;
/** How much data one call copies at most: other clients of a relay wait for it. */
export const COPY_BYTES_MAX: number = 16 * 1024 * 1024;
/** How many pieces and holes one call copies at most, for the same reason. */
const PARTS_MAX = 1024;

const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

/** What is copied, and where to. */
export interface CopyRange {
  /** The file that is read. */
  source: number;
  /** Its first byte. */
  at: number;
  /** The file that is written. */
  target: number;
  /** Its first byte. */
  to: number;
  /** Bytes. */
  length: number;
}

/** Writes bytes at a place in the target, as `Volume.write` does. */
export type WriteTarget = (from: Uint8Array, to: number) => number;

/**
 * Copies, and returns how many bytes.
 *
 * @throws {ErrnoError} EINVAL, EISDIR, EFBIG, and ENOSPC or EIO if nothing has been copied
 */
export function copyRange(state: VolumeState, range: CopyRange, write: WriteTarget): number {
  const length = copyable(state, range);
  if (length === 0) return 0;
  state.requireWritable();
  const wanted = { ...range, length };
  let done = 0;
  try {
    const buffer = new Uint8Array(Math.min(length, PIECE_BYTES));
    for (let data = 0, parts = 0; done < length && data < COPY_BYTES_MAX && parts < PARTS_MAX;) {
      const part = nextPart(state, wanted, done);
      const count = part.isData
        ? copyData(state, wanted, { done, piece: buffer.subarray(0, part.length), write })
        : copyHole(state, wanted, { done, length: part.length });
      done += count;
      parts += 1;
      if (part.isData) data += count;
      if (part.isData && count < part.length) break;
    }
  } catch (error) {
    // The next call fails at the same place.
    if (done === 0 || !isErrnoError(error) || state.failure !== null) throw error;
  }
  invariant(done <= length, "V7: {} bytes are copied, of {}", done, length);
  touchAccess(state, range.source);
  return done;
}

/** How much of the range exists, and may be written. */
function copyable(state: VolumeState, { source, at, target, to, length }: CopyRange): number {
  requireFile(state, source);
  requireFile(state, target);
  checkPosition(at);
  checkPosition(to);
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new ErrnoError("EINVAL", `copy ${shown(length)} bytes`);
  }
  const there = Math.max(0, Math.min(length, state.sizeOf(source) - at));
  const count = writable(state, there, to);
  if (source === target && count > 0 && at < to + count && to < at + count) {
    throw new ErrnoError("EINVAL", "copy a range of a file onto itself");
  }
  return count;
}

/** Data or a hole of the source, at most as long as one piece. */
interface Part {
  isData: boolean;
  length: number;
}

function nextPart(state: VolumeState, { source, at, to, length }: CopyRange, done: number): Part {
  const { extents, blockSize } = state;
  const from = at + done;
  const first = Math.floor(from / blockSize);
  // Past the last block that a file can have, everything is a hole.
  const isData = first < L.BLOCKS_MAX && isWritten(extents.find(source, first));
  const inPiece = PIECE_BYTES - (to + done) % PIECE_BYTES;
  const end = Math.min(at + length, isData ? from + inPiece : Infinity);
  let fileBlock = first;
  while (fileBlock < L.BLOCKS_MAX && fileBlock * blockSize < end) {
    const found = extents.find(source, fileBlock);
    if (isWritten(found) !== isData) break;
    fileBlock += found.count;
  }
  const isRest = fileBlock >= L.BLOCKS_MAX;
  return { isData, length: (isRest ? end : Math.min(end, fileBlock * blockSize)) - from };
}

/** Whether blocks of a file hold bytes. */
function isWritten({ block, isUnwritten }: Extent): boolean {
  return block !== NO_BLOCK && !isUnwritten;
}

function copyData(
  state: VolumeState,
  { source, at, to }: CopyRange,
  { done, piece, write }: { done: number; piece: Uint8Array; write: WriteTarget },
): number {
  readBytes(state, source, piece, at + done);
  return write(piece, to + done);
}

/** Frees what the target has there; past its end it gets longer by a hole. */
function copyHole(
  state: VolumeState,
  { target, to }: CopyRange,
  { done, length }: { done: number; length: number },
): number {
  const from = to + done;
  const inside = Math.min(length, state.sizeOf(target) - from);
  if (inside > 0) {
    allocateRange(state, target, { mode: PUNCH, at: from, length: inside });
    return inside;
  }
  setAttributes(state, target, { size: from + length });
  return length;
}
