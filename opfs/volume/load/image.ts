/**
 * Loading: the tables of an image in memory, with every offset and count checked before use.
 *
 * Layer: opfs/volume, under mount and check. One read of everything before the blocks (two when it
 * is more than a mebibyte), one for each further segment.
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import type { StorageHandle } from "../../device/handle.ts";
import type { Bitmap } from "../memory/bitmap.ts";
import type { Patch } from "../memory/pool_types.ts";
import { type FoundHeader, isSummed, newestHeader } from "../format/header.ts";
import { ImageSums } from "./image_sums.ts";
import * as L from "../format/layout.ts";
import { endOfTables, ownedEnd } from "../memory/owned_end.ts";
import { decodeSums, pagesOf, PageSums } from "../memory/page_sums.ts";
import { bytesOf, readSegments, type Segment, type Segments } from "../format/segments.ts";
import { findRecords, type Replay, replayDescriptors, replayTables } from "./replay.ts";
import { DamageError, type OnViolation, reportOrThrow, type Violation } from "../format/report.ts";
import { readDevice } from "../state.ts";
import { geometryProblem, imageBytes, type Superblock } from "../format/superblock.ts";
import { Tables } from "../memory/tables.ts";

/** The parts of an image that mount and check need. */
export interface Image {
  /** The newest valid header. */
  header: FoundHeader;
  /** Its geometry. */
  superblock: Superblock;
  /** Where the tables lie. */
  segments: Segments;
  /** Slots and names. */
  tables: Tables;
  /** Everything before the blocks. */
  start: Uint8Array<ArrayBuffer>;
  /** The records that have been applied to the tables. */
  replay: Replay;
  /** What the records say of data blocks, by block. */
  patches: Map<number, Patch[]>;
  /** Whether no record follows the header of a clean close. */
  wasClean: boolean;
  /** What was wrong by one bit, or lost but implied by the rest, and is corrected in memory. */
  mended: Violation[];
  /** What the sums say of pages; null for an image that keeps none. */
  sums: ImageSums | null;
}

const FIRST_READ_BYTES = 1024 * 1024;
const COMPARED_BYTES = 1024 * 1024;

/**
 * Reads an image's header and tables. With `onViolation` it reads on after damage: after a damaged
 * record nothing is replayed, a table ends before an impossible descriptor, and the missing part of
 * a truncated file is zeros.
 *
 * @throws {ErrnoError} EINVAL if it is no volume, ENOTSUP for one that is not ours; without
 * `onViolation` EIO for a damaged one or one that was cut off
 */
export function loadImage(handle: StorageHandle, onViolation?: OnViolation): Image {
  const sizeBytes = handle.getSize();
  if (sizeBytes < L.RING_AT) {
    const why = `${sizeBytes} bytes are no volume`;
    throw new ErrnoError("EINVAL", "open the volume", { why });
  }
  const first = new Uint8Array(Math.min(sizeBytes, FIRST_READ_BYTES));
  readDevice(handle, first, 0);
  const header = newestHeader(first, onViolation);
  const mendedHeaders = header.mendedAt.map(mendedHeader);
  for (const violation of mendedHeaders) onViolation?.(violation);
  const needed = header.superblock.dataOffset;
  const isHopeless = onViolation === undefined || needed > mostFor(sizeBytes);
  if (sizeBytes < needed && isHopeless) throw cutOff(sizeBytes, header.superblock);
  const start = wholeStart(handle, first, needed);
  const ring = start.subarray(L.RING_AT, L.RING_AT + header.ringBytes);
  const replay = findRecords(ring, header, onViolation);
  const superblock = superblockAfter(header.superblock, replay, onViolation);
  const isShort = sizeBytes < imageBytes(superblock) && !replay.isLonger;
  let isCut = isShort && !isSummed(header);
  if (isCut) reportCut({ sizeBytes, superblock, onViolation });
  const firstSlots = start.subarray(superblock.inodeOffset, superblock.pathOffset);
  replayDescriptors(replay, firstSlots, onViolation);
  const sums = isSummed(header) ? new ImageSums(replay, onViolation) : null;
  // It describes where the tables are, so it is checked before use.
  sums?.checkFirst(firstSlots, start.subarray(L.RING_AT + header.ringBytes));
  const segments = readSegments(superblock, firstSlots, { isSummed: sums !== null, onViolation });
  if (isShort && !isCut && endOfTables(segments) > blocksIn(sizeBytes, superblock)) {
    isCut = true;
    reportCut({ sizeBytes, superblock, onViolation });
  }
  if (onViolation !== undefined) leaveAbsentOut(segments, sizeBytes, onViolation);
  const tables = readTables(handle, { start, segments, sums, header });
  const patches = replayTables(replay, { tables, superblock, onViolation });
  sums?.check(tables);
  const wasClean = header.state === L.STATE.CLOSED && replay.records.length === 0;
  const mended = [...mendedHeaders, ...replay.mended, ...sums?.mended ?? []];
  if (isShort && !isCut) {
    const end = ownedEnd({ tables, segments });
    const free = leaveFreeOut({ sizeBytes, superblock, onViolation }, { end, patches });
    if (free !== null) mended.push(free);
  }
  // The number of a lost header is used up.
  header.counter = replay.counter;
  return { header, superblock, segments, tables, start, replay, patches, wasClean, mended, sums };
}

/** A file that is shorter than its volume. */
interface ShortFile {
  sizeBytes: number;
  superblock: Superblock;
  onViolation: OnViolation | undefined;
}

/** Whole blocks that a file has. */
function blocksIn(sizeBytes: number, { dataOffset, blockSize }: Superblock): number {
  return Math.max(0, Math.floor((sizeBytes - dataOffset) / blockSize));
}

/** Some of the blocks that are missing are in use. */
function reportCut({ sizeBytes, superblock, onViolation }: ShortFile): void {
  reportOrThrow(cutOff(sizeBytes, superblock), onViolation);
  superblock.totalBlocks = blocksFor(sizeBytes, superblock);
}

/**
 * Nothing is missing if the missing end of a file was free: a lost header said so, or the file was
 * copied without its end.
 */
function leaveFreeOut(
  file: ShortFile,
  { end, patches }: { end: number; patches: Map<number, Patch[]> },
): Violation | null {
  const { sizeBytes, superblock, onViolation } = file;
  const there = blocksIn(sizeBytes, superblock);
  if (there < Math.max(1, end)) {
    reportCut(file);
    return null;
  }
  const missing = superblock.totalBlocks - there;
  const message = `it was cut off ${missing} blocks early: they are free, and are left out`;
  const violation = { rule: "V7", message, isDerivable: true };
  onViolation?.(violation);
  superblock.totalBlocks = there;
  superblock.freeBlocks = Math.max(0, superblock.freeBlocks - missing);
  for (const block of patches.keys()) if (block >= there) patches.delete(block);
  return violation;
}

function mendedHeader(at: number): Violation {
  const message = `one bit of the header at ${at} was wrong: it is put right`;
  return { rule: "V9", message, isDerivable: true };
}

/** Slots and names, and the sums at rest of their pages. */
function readTables(
  handle: StorageHandle,
  from: {
    start: Uint8Array<ArrayBuffer>;
    segments: Segments;
    sums: ImageSums | null;
    header: FoundHeader;
  },
): Tables {
  const { start, segments, sums, header } = from;
  const sumsAt = L.RING_AT + header.ringBytes;
  const namesAt = sumsAt + segments.slots[0]!.bytes / L.SUMMED_PER_BYTE;
  const isSummed = sums !== null;
  const slots = readTable(handle, start, { segments: segments.slots, isSummed, sumsAt });
  const names = readTable(handle, start, { segments: segments.names, isSummed, sumsAt: namesAt });
  const atRest = isSummed ? new PageSums(slots.sums, names.sums) : null;
  return new Tables(slots.bytes, names.bytes, atRest);
}

/** The most bytes that are loaded for a file that was cut off: a few times its length. */
function mostFor(sizeBytes: number): number {
  return 2 * sizeBytes + FIRST_READ_BYTES;
}

/** The volume's blocks, up to the same limit. */
function blocksFor(sizeBytes: number, { totalBlocks, dataOffset, blockSize }: Superblock): number {
  const most = Math.floor((mostFor(sizeBytes) - dataOffset) / blockSize);
  return Math.min(totalBlocks, Math.max(1, most));
}

/** A segment that is far past the end of the file would be nothing but zeros. */
function leaveAbsentOut(segments: Segments, sizeBytes: number, onViolation: OnViolation): void {
  for (const list of [segments.slots, segments.names, segments.bitmap]) {
    for (let last = list.at(-1)!; list.length > 1; last = list.at(-1)!) {
      if (last.at + last.bytes <= mostFor(sizeBytes)) break;
      const message = `a table's segment at ${last.at} is past the end of the file`;
      onViolation({ rule: "V1", message, isDerivable: false });
      list.pop();
    }
  }
}

/** The geometry after the last record. */
function superblockAfter(
  before: Superblock,
  replay: Replay,
  onViolation?: OnViolation,
): Superblock {
  const after = { ...before, totalBlocks: replay.totalBlocks };
  const problem = geometryProblem(after);
  if (problem === null) return after;
  reportOrThrow(new DamageError("V10", problem), onViolation);
  replay.totalBlocks = before.totalBlocks;
  return { ...before };
}

function cutOff(sizeBytes: number, superblock: Superblock): DamageError {
  const needed = imageBytes(superblock);
  return new DamageError("V7", `it was cut off at ${sizeBytes} of ${needed} bytes`);
}

function wholeStart(
  handle: StorageHandle,
  first: Uint8Array<ArrayBuffer>,
  length: number,
): Uint8Array<ArrayBuffer> {
  if (first.length >= length) return first.subarray(0, length);
  const start = new Uint8Array(length);
  start.set(first);
  const rest = start.subarray(first.length, Math.min(length, handle.getSize()));
  readDevice(handle, rest, first.length);
  return start;
}

/**
 * Reads a table into one piece of memory. A further segment is read together with its sums, which
 * the next segment then overwrites.
 */
function readTable(
  handle: StorageHandle,
  start: Uint8Array,
  from: { segments: readonly Segment[]; isSummed: boolean; sumsAt: number },
): { bytes: Uint8Array<ArrayBuffer>; sums: Uint32Array<ArrayBuffer> } {
  const { segments, isSummed, sumsAt } = from;
  const length = bytesOf(segments);
  const lengthOfSums = (bytes: number): number => isSummed ? bytes / L.SUMMED_PER_BYTE : 0;
  const bytes = new Uint8Array(length + lengthOfSums(segments.at(-1)!.bytes));
  const sums = new Uint32Array(isSummed ? pagesOf(length) : 0);
  for (const segment of segments) {
    const end = segment.logical + segment.bytes;
    const sumBytes = lengthOfSums(segment.bytes);
    const into = bytes.subarray(segment.logical, end + sumBytes);
    const isFirst = segment.firstBlock < 0;
    if (isFirst) into.set(start.subarray(segment.at, segment.at + segment.bytes));
    else readSegment(handle, into, segment.at);
    if (!isSummed) continue;
    const own = isFirst ? start.subarray(sumsAt, sumsAt + sumBytes) : into.subarray(segment.bytes);
    decodeSums(own, sums, segment.logical / L.PAGE_BYTES);
  }
  return { bytes: bytes.subarray(0, length), sums };
}

/** A segment that the last record has added may be beyond the end of the file, and is zeros. */
function readSegment(handle: StorageHandle, into: Uint8Array, at: number): void {
  const count = Math.max(0, Math.min(into.length, handle.getSize() - at));
  readDevice(handle, into.subarray(0, count), at);
}

/**
 * Compares the bitmap on the device with the derived one. Pages that differ are marked to be
 * written home; returns the first block whose bit is wrong, or -1.
 */
export function compareBitmap(handle: StorageHandle, image: Image, bitmap: Bitmap): number {
  const { totalBlocks } = image.superblock;
  const isWhole = bitmap.blocks === totalBlocks;
  invariant(
    isWhole,
    "V2: bits of {} blocks are compared, there are {}",
    bitmap.blocks,
    totalBlocks,
  );
  bitmap.home.clear();
  let firstWrong = -1;
  const end = Math.ceil(bitmap.blocks / 8);
  for (const segment of image.segments.bitmap) {
    for (let done = 0; done < segment.bytes && segment.logical + done < end;) {
      const logical = segment.logical + done;
      const length = Math.min(COMPARED_BYTES, segment.bytes - done);
      const disk = segment.firstBlock < 0
        ? image.start.subarray(segment.at + done, segment.at + done + length)
        : readPiece(handle, segment.at + done, length);
      const wrong = comparePiece(disk, logical, bitmap);
      if (firstWrong < 0) firstWrong = wrong;
      done += length;
    }
  }
  return firstWrong;
}

function readPiece(handle: StorageHandle, at: number, length: number): Uint8Array<ArrayBuffer> {
  const piece = new Uint8Array(length);
  readSegment(handle, piece, at);
  return piece;
}

function comparePiece(disk: Uint8Array, logical: number, bitmap: Bitmap): number {
  const derived = new Uint8Array(disk.length);
  bitmap.copyBytes(logical, derived);
  let firstWrong = -1;
  for (let index = 0; index < disk.length; index++) {
    if (disk[index] === derived[index]) continue;
    const byteAt = logical + index;
    const valid = bitmap.blocks - byteAt * 8;
    if (valid <= 0) break;
    const differing = (disk[index]! ^ derived[index]!) & (valid < 8 ? (1 << valid) - 1 : 0xff);
    if (differing === 0) continue;
    bitmap.home.add(Math.floor(byteAt / L.PAGE_BYTES));
    if (firstWrong < 0) firstWrong = byteAt * 8 + 31 - Math.clz32(differing & -differing);
  }
  return firstWrong;
}
