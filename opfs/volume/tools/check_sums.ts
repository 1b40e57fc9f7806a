/**
 * The bytes in blocks that have a sum: targets of links, and values of attributes, of a whole image.
 *
 * Layer: opfs/volume, beside `check.ts`, which says what is wrong with them, and under `repair.ts`,
 * which turns single bits of them back in place. Each run is read in one piece.
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import { isLink } from "../../../abi/mode.ts";
import type { StorageHandle } from "../../device/handle.ts";
import { isFullFlush } from "../journal/flush.ts";
import type { Image } from "../load/image.ts";
import { readImageBlocks } from "../load/image_blocks.ts";
import * as L from "../format/layout.ts";
import { typeOf } from "../format/slots.ts";
import { putRight, type Verdict } from "../format/page_sum.ts";
import type { Violation } from "../format/report.ts";
import type { Derived } from "../load/scan.ts";
import { isUnknownOutcome } from "../state.ts";
import { judgeTarget, withSum } from "../memory/summed_bytes.ts";
import { attributeName, attributeProblem, valueRuns } from "../memory/xattr_record.ts";

/** Blocks that follow each other; no block is a hole. */
interface Piece {
  block: number;
  count: number;
}

/** A target or a value. */
export interface SummedBytes {
  /** Whose it is. */
  what: string;
  /** What its sum says of it. */
  verdict: Verdict;
  /** The corrected bytes, with a target's sum after it; unchanged if more than a bit is wrong. */
  bytes: Uint8Array;
  /** Where it is. */
  pieces: Piece[];
}

/** Every target and every value in blocks, one after the other. */
export function* summedBytes(
  handle: StorageHandle,
  image: Image,
  derived: Derived,
): Generator<SummedBytes, void, void> {
  if (image.sums === null) return;
  const { view, slotCount } = image.tables;
  for (let slot = L.FIRST_FILE_SLOT; slot < slotCount; slot++) {
    if (typeOf(view, slot) !== L.TYPE.SYMLINK) continue;
    const found = targetOf(handle, image, { derived, slot });
    if (found !== null) yield found;
  }
  for (const [owner, slots] of derived.xattrs) {
    for (const slot of slots) {
      const found = valueOf(handle, image, { owner, slot });
      if (found !== null) yield found;
    }
  }
}

/** What there is of it; a size or blocks that cannot be are said by other rules. */
function targetOf(
  handle: StorageHandle,
  image: Image,
  { derived, slot }: { derived: Derived; slot: number },
): SummedBytes | null {
  const { view } = image.tables;
  const at = slot * L.SLOT_BYTES;
  const size = view.getFloat64(at + L.SLOT.SIZE, L.LE);
  const isTarget = isLink(view.getUint32(at + L.SLOT.MODE, L.LE)) && Number.isInteger(size) &&
    size > 0 && size <= L.TARGET_BYTES_MAX;
  if (!isTarget) return null;
  const pieces = derived.extents.runsOf(slot)
    .filter(({ isUnwritten }) => !isUnwritten)
    .sort((a, b) => a.fileBlock - b.fileBlock);
  const bytes = read(handle, image, { pieces, length: size + L.SUM_BYTES });
  if (bytes === null) return null;
  const { target, verdict } = judgeTarget(bytes);
  const right = verdict === "wrong" ? bytes : withSum(target);
  return { what: `the target of slot ${slot}`, verdict, bytes: right, pieces };
}

function valueOf(
  handle: StorageHandle,
  image: Image,
  { owner, slot }: { owner: number; slot: number },
): SummedBytes | null {
  const { view } = image.tables;
  const at = slot * L.SLOT_BYTES;
  const { superblock: { blockSize }, segments: { names } } = image;
  const pieces = valueRuns(view, at);
  const size = view.getUint32(at + L.XATTR.SIZE, L.LE);
  const isValue = attributeProblem(image.tables, slot, { blockSize, names }) === null;
  if (pieces.length === 0 || !isValue) return null;
  const bytes = read(handle, image, { pieces, length: size });
  if (bytes === null) return null;
  const said = putRight(bytes, view.getUint32(at + L.XATTR.SUM, L.LE));
  // A value's sum is in its slot, which has a sum of its own: no bit of it has turned there.
  const verdict = said === "sum" ? "wrong" : said;
  const name = attributeName(image.tables, slot);
  return { what: `the value of "${name}" of slot ${owner}`, verdict, bytes, pieces };
}

/** The first bytes of some blocks; null if they are not there, or not as many. */
function read(
  handle: StorageHandle,
  image: Image,
  { pieces, length }: { pieces: readonly Piece[]; length: number },
): Uint8Array<ArrayBuffer> | null {
  const { blockSize, totalBlocks } = image.superblock;
  const bytes = new Uint8Array(length);
  let done = 0;
  for (const { block, count } of pieces) {
    const into = bytes.subarray(done, Math.min(length, done + count * blockSize));
    if (block + count > totalBlocks) return null;
    if (into.length > 0) readImageBlocks(handle, image, { into, block });
    done += into.length;
  }
  return done === length ? bytes : null;
}

/** V16 of targets and values. A bit that is wrong in a slot itself is the page's, not the value's. */
export function summedViolations(
  handle: StorageHandle,
  image: Image,
  derived: Derived,
): Violation[] {
  const found: Violation[] = [];
  for (const { what, verdict } of summedBytes(handle, image, derived)) {
    if (verdict === "right") continue;
    const isOneBit = verdict !== "wrong";
    const message = isOneBit ? `one bit of ${what} is wrong` : `${what} is not what its sum says`;
    found.push({ rule: "V16", message, isDerivable: isOneBit });
  }
  return found;
}

/**
 * Turns single bits of targets and values back on the device. Nothing may be left to replay. A crash
 * leaves each as it was or right.
 *
 * @throws {ErrnoError} ENOSPC, EIO
 */
export function mendSummedBytes(handle: StorageHandle, image: Image, derived: Derived): void {
  const { length } = image.replay.records;
  invariant(length === 0, "V13: bits are mended before {} records are replayed", length);
  const { dataOffset, blockSize } = image.superblock;
  let isChanged = false;
  for (const { verdict, bytes, pieces } of summedBytes(handle, image, derived)) {
    if (verdict === "right" || verdict === "wrong") continue;
    isChanged = true;
    let done = 0;
    for (const { block, count } of pieces) {
      const piece = bytes.subarray(done, done + count * blockSize);
      if (piece.length > 0) put(handle, piece, dataOffset + block * blockSize);
      done += piece.length;
    }
  }
  if (isChanged) flush(handle);
}

function flush(handle: StorageHandle): void {
  try {
    handle.flush();
  } catch (error) {
    const code = isFullFlush(error) ? "ENOSPC" : "EIO";
    throw new ErrnoError(code, "mend the volume", {
      why: "the device does not flush",
      cause: error,
    });
  }
}

function put(handle: StorageHandle, bytes: Uint8Array, at: number): void {
  let count = 0;
  try {
    count = handle.write(bytes, { at });
  } catch (error) {
    const code = isUnknownOutcome(error) ? "EIO" : "ENOSPC";
    throw new ErrnoError(code, "mend the volume", {
      why: "the device does not write",
      cause: error,
    });
  }
  if (count !== bytes.length) {
    throw new ErrnoError("ENOSPC", "mend the volume", { why: "the device is full" });
  }
}
