/**
 * Segments: where the parts of the slot table, the path table and the bitmap lie on the device.
 *
 * Layer: opfs/volume. The first segment of each table is in the superblock's geometry, later ones
 * are described by type-5 slots among slots 1 to 31. A table is the bytes of its segments, gapless
 * and in order. Only `compact` moves one, as a whole.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import * as L from "./layout.ts";
import { setTypeAt, typeOf } from "./slots.ts";
import { DamageError, type OnViolation, reportOrThrow } from "./report.ts";
import type { Superblock } from "./superblock.ts";

/** One contiguous part of a table. */
export interface Segment {
  /** First byte in its table. */
  logical: number;
  /** Length in bytes. */
  bytes: number;
  /** Where it begins on the device, in bytes. */
  at: number;
  /** Its first block, or -1 for a first segment, which lies before the blocks. */
  firstBlock: number;
  /** Its blocks; 0 for a first segment. */
  blockCount: number;
}

/** The segments of the three tables, in order. */
export interface Segments {
  /** Of the inode table. */
  slots: Segment[];
  /** Of the path table. */
  names: Segment[];
  /** Of the bitmap. */
  bitmap: Segment[];
}

/** Bytes of all segments of a table. */
export function bytesOf(segments: readonly Segment[]): number {
  const last = segments[segments.length - 1]!;
  return last.logical + last.bytes;
}

/** Whether some bytes of a table lie in one of its segments. */
export function isInside(segments: readonly Segment[], offset: number, bytes: number): boolean {
  for (const segment of segments) {
    const end = segment.logical + segment.bytes;
    if (offset >= segment.logical && offset + bytes <= end) return true;
  }
  return false;
}

/** Where the byte `logical` of a table lies, and how many bytes of its segment follow there. */
export function locate(
  segments: readonly Segment[],
  logical: number,
): { at: number; bytes: number } {
  for (let index = segments.length - 1; index >= 0; index--) {
    const segment = segments[index]!;
    if (logical < segment.logical) continue;
    const inside = logical - segment.logical;
    return { at: segment.at + inside, bytes: segment.bytes - inside };
  }
  invariant(false, "V11: a table has no byte {}", logical);
}

/** The segments that the superblock speaks of. */
export function firstSegments(s: Superblock): Segments {
  const first = (at: number, end: number): Segment[] => [
    { logical: 0, bytes: end - at, at, firstBlock: -1, blockCount: 0 },
  ];
  return {
    slots: first(s.inodeOffset, s.pathOffset),
    names: first(s.pathOffset, s.bitmapOffset),
    bitmap: first(s.bitmapOffset, s.dataOffset),
  };
}

/** Which list of {@link Segments} a table number means. */
export function tableOf(segments: Segments, table: number): Segment[] | null {
  if (table === L.TABLE.SLOTS) return segments.slots;
  if (table === L.TABLE.NAMES) return segments.names;
  return table === L.TABLE.BITMAP ? segments.bitmap : null;
}

/** Most bytes that a table can have. */
export function tableLimit(table: number): number {
  if (table === L.TABLE.SLOTS) return L.SLOTS_MAX * L.SLOT_BYTES;
  return table === L.TABLE.NAMES ? L.NAME_TABLE_BYTES_MAX : 2 ** 29;
}

/**
 * All segments of an image, from its superblock and the descriptors in its first 32 slots.
 *
 * @throws {ErrnoError} EIO that names the first impossible descriptor, unless there is a listener:
 * then the table ends before it
 */
export function readSegments(
  superblock: Superblock,
  slots: Uint8Array,
  { isSummed, onViolation }: { isSummed: boolean; onViolation?: OnViolation },
): Segments {
  const view = new DataView(slots.buffer, slots.byteOffset, slots.byteLength);
  const segments = firstSegments(superblock);
  const found: number[] = [];
  for (let slot = 1; slot < L.FIRST_FILE_SLOT; slot++) {
    const type = typeOf(view, slot);
    if (type === L.TYPE.SEGMENT) found.push(slot);
    else if (type !== L.TYPE.FREE) reportOrThrow(broken(slot, `is of type ${type}`), onViolation);
  }
  const ordinal = (slot: number): number =>
    view.getUint16(slot * L.SLOT_BYTES + L.SEGMENT.ORDINAL, L.LE);
  found.sort((a, b) => ordinal(a) - ordinal(b));
  for (const slot of found) {
    try {
      addSegment(segments, { view, slot, superblock, isSummed });
    } catch (error) {
      reportOrThrow(error, onViolation);
    }
  }
  return segments;
}

function addSegment(
  segments: Segments,
  from: { view: DataView; slot: number; superblock: Superblock; isSummed: boolean },
): void {
  const { view, slot, superblock, isSummed } = from;
  const at = slot * L.SLOT_BYTES;
  const F = L.SEGMENT;
  const table = view.getUint8(at + F.TABLE);
  const list = tableOf(segments, table);
  if (list === null) throw broken(slot, `describes table ${table}`);
  const firstBlock = view.getUint32(at + F.FIRST_BLOCK, L.LE);
  const blockCount = view.getUint32(at + F.BLOCK_COUNT, L.LE);
  const logical = view.getFloat64(at + F.LOGICAL, L.LE);
  const bytes = view.getFloat64(at + F.BYTES, L.LE);
  const ordinal = view.getUint16(at + F.ORDINAL, L.LE);
  if (ordinal !== list.length || logical !== bytesOf(list)) throw broken(slot, "leaves a gap");
  const isWhole = bytes > 0 && bytes % L.PAGE_BYTES === 0 &&
    blockCount === blocksOfSegment(bytes, { table, isSummed, ...superblock }) &&
    logical + bytes <= tableLimit(table);
  if (!isWhole) throw broken(slot, `is ${bytes} bytes in ${blockCount} blocks`);
  if (firstBlock + blockCount > superblock.totalBlocks) throw broken(slot, "ends after the file");
  const start = superblock.dataOffset + firstBlock * superblock.blockSize;
  list.push({ logical, bytes, at: start, firstBlock, blockCount });
}

function broken(slot: number, why: string): DamageError {
  return new DamageError("V1", `the segment descriptor in slot ${slot} ${why}`);
}

/** Blocks of a segment of so many bytes: with sums, those of its pages follow them. */
export function blocksOfSegment(
  bytes: number,
  { table, isSummed, blockSize }: { table: number; isSummed: boolean; blockSize: number },
): number {
  const sums = isSummed && table !== L.TABLE.BITMAP ? bytes / L.SUMMED_PER_BYTE : 0;
  return Math.ceil((bytes + sums) / blockSize);
}

/** Writes a descriptor into a zeroed slot. */
export function encodeSegment(
  view: DataView,
  at: number,
  segment: Segment & { table: number; ordinal: number },
): void {
  const { bytes, blockCount, firstBlock, table, ordinal } = segment;
  const isWhole = bytes > 0 && bytes % L.PAGE_BYTES === 0 && blockCount > 0 && firstBlock >= 0;
  invariant(isWhole, "V1: a segment of {} bytes in {} blocks at {}", bytes, blockCount, firstBlock);
  invariant(table >= 1 && table <= 3 && ordinal >= 1, "V1: segment {} of table {}", ordinal, table);
  setTypeAt(view, at, L.TYPE.SEGMENT);
  view.setUint8(at + L.SEGMENT.TABLE, segment.table);
  view.setUint16(at + L.SEGMENT.ORDINAL, segment.ordinal, L.LE);
  view.setUint32(at + L.SEGMENT.FIRST_BLOCK, segment.firstBlock, L.LE);
  view.setUint32(at + L.SEGMENT.BLOCK_COUNT, segment.blockCount, L.LE);
  view.setFloat64(at + L.SEGMENT.LOGICAL, segment.logical, L.LE);
  view.setFloat64(at + L.SEGMENT.BYTES, segment.bytes, L.LE);
}
