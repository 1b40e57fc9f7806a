/**
 * The superblock: the geometry of an image and two counters. 64 bytes, the same in both versions.
 *
 * Layer: opfs/volume. The truth is the copy inside the newest journal header (`header.ts`); the one
 * at byte 0 is a courtesy for readers of version 1 and for `file`. Use: `decodeSuperblock(view)`
 * checks in fixed order (magic, version, geometry, checksum), each failure with its own message.
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import { crc32 } from "./checksum.ts";
import * as L from "./layout.ts";

/** Where things are in an image, and how much is free. */
export interface Superblock {
  /** Slots of the first segment of the inode table. */
  inodeCount: number;
  /** Bytes of a block, a power of two. */
  blockSize: number;
  /** Blocks present in the file. */
  totalBlocks: number;
  /** Blocks without an owner. Derived. */
  freeBlocks: number;
  /** Where the first segment of the inode table begins, in bytes. */
  inodeOffset: number;
  /** Where the first segment of the path table begins, in bytes. */
  pathOffset: number;
  /** Where the blocks begin, in bytes. */
  dataOffset: number;
  /** Where the first segment of the bitmap begins, in bytes. */
  bitmapOffset: number;
  /** Bytes of the path table that live names own. Derived. */
  pathUsed: number;
}

/**
 * Geometry of an empty image with sums. `ringBytes` and the offsets are multiples of 4,096, `slots` is
 * one of 64.
 */
export function freshSuperblock(
  blockSize: number,
  ringBytes: number,
  slots: number = L.FRESH_SLOTS,
): Superblock {
  const tableBytes = slots * L.SLOT_BYTES + L.FRESH_NAME_BYTES;
  const inodeOffset = L.RING_AT + ringBytes + sumBytesOf(tableBytes);
  const pathOffset = inodeOffset + slots * L.SLOT_BYTES;
  const bitmapOffset = pathOffset + L.FRESH_NAME_BYTES;
  const dataOffset = L.roundUp(bitmapOffset + blockSize, Math.max(blockSize, L.PAGE_BYTES));
  return {
    inodeCount: slots,
    blockSize,
    totalBlocks: L.FRESH_BLOCKS,
    freeBlocks: L.FRESH_BLOCKS,
    inodeOffset,
    pathOffset,
    dataOffset,
    bitmapOffset,
    pathUsed: 0,
  };
}

/** Bytes of the sums of so many bytes of tables, in whole pages. */
function sumBytesOf(tableBytes: number): number {
  return L.roundUp(tableBytes / L.SUMMED_PER_BYTE, L.PAGE_BYTES);
}

/** Bytes between the ring and the tables of an image with sums: those of the first segments. */
export function firstSumBytes({ inodeOffset, bitmapOffset }: Superblock): number {
  return sumBytesOf(bitmapOffset - inodeOffset);
}

/** Length of the whole image in bytes. */
export function imageBytes(superblock: Superblock): number {
  return superblock.dataOffset + superblock.totalBlocks * superblock.blockSize;
}

/** Writes the 64 bytes at `at`, checksum included. */
export function encodeSuperblock(superblock: Superblock, view: DataView, at: number): void {
  const S = L.SUPERBLOCK;
  const problem = geometryProblem(superblock);
  invariant(problem === null, "V9: a superblock that would be refused: {}", problem);
  view.setUint32(at + S.MAGIC, L.SUPERBLOCK_MAGIC, L.LE);
  view.setUint32(at + S.VERSION, L.VERSION_2, L.LE);
  view.setUint32(at + S.INODE_COUNT, superblock.inodeCount, L.LE);
  view.setUint32(at + S.BLOCK_SIZE, superblock.blockSize, L.LE);
  view.setUint32(at + S.TOTAL_BLOCKS, superblock.totalBlocks, L.LE);
  view.setUint32(at + S.FREE_BLOCKS, superblock.freeBlocks, L.LE);
  view.setFloat64(at + S.INODE_OFFSET, superblock.inodeOffset, L.LE);
  view.setFloat64(at + S.PATH_OFFSET, superblock.pathOffset, L.LE);
  view.setFloat64(at + S.DATA_OFFSET, superblock.dataOffset, L.LE);
  view.setFloat64(at + S.BITMAP_OFFSET, superblock.bitmapOffset, L.LE);
  view.setUint32(at + S.PATH_USED, superblock.pathUsed, L.LE);
  view.setUint32(at + S.CRC, checksumOf(view, at), L.LE);
}

/**
 * Reads the 64 bytes at `at`.
 *
 * @throws {ErrnoError} EINVAL if it is no superblock or its geometry is impossible, ENOTSUP for a
 * version that is not ours, EIO for a wrong checksum
 */
export function decodeSuperblock(view: DataView, at: number): Superblock {
  const S = L.SUPERBLOCK;
  const magic = view.getUint32(at + S.MAGIC, L.LE);
  if (magic !== L.SUPERBLOCK_MAGIC) throw refusal("EINVAL", `magic is ${hex(magic)}`);
  const version = view.getUint32(at + S.VERSION, L.LE);
  if (version === L.VERSION_1) {
    throw refusal("ENOTSUP", "it is a version-1 image: import it into a new volume");
  }
  if (version !== L.VERSION_2) throw refusal("ENOTSUP", `version ${version} is not known`);
  const superblock = decodeFields(view, at);
  const problem = geometryProblem(superblock);
  if (problem !== null) throw refusal("EINVAL", problem);
  const stored = view.getUint32(at + S.CRC, L.LE);
  const computed = checksumOf(view, at);
  if (stored !== computed) {
    throw refusal("EIO", `superblock checksum is ${hex(stored)}, its bytes give ${hex(computed)}`);
  }
  return superblock;
}

function decodeFields(view: DataView, at: number): Superblock {
  const S = L.SUPERBLOCK;
  return {
    inodeCount: view.getUint32(at + S.INODE_COUNT, L.LE),
    blockSize: view.getUint32(at + S.BLOCK_SIZE, L.LE),
    totalBlocks: view.getUint32(at + S.TOTAL_BLOCKS, L.LE),
    freeBlocks: view.getUint32(at + S.FREE_BLOCKS, L.LE),
    inodeOffset: view.getFloat64(at + S.INODE_OFFSET, L.LE),
    pathOffset: view.getFloat64(at + S.PATH_OFFSET, L.LE),
    dataOffset: view.getFloat64(at + S.DATA_OFFSET, L.LE),
    bitmapOffset: view.getFloat64(at + S.BITMAP_OFFSET, L.LE),
    pathUsed: view.getUint32(at + S.PATH_USED, L.LE),
  };
}

/** What is impossible in the geometry, or null. Whether the file is long enough is not known here. */
export function geometryProblem(s: Superblock): string | null {
  if (!isBlockSize(s.blockSize)) return `block size ${s.blockSize} is impossible`;
  if (s.totalBlocks < 1 || s.totalBlocks > L.BLOCKS_MAX) {
    return `block count ${s.totalBlocks} is impossible`;
  }
  if (!isPage(s.inodeOffset) || s.inodeOffset < L.RING_AT + L.RING_BYTES_MIN) {
    return `inode table at ${s.inodeOffset} is impossible`;
  }
  if (s.inodeCount < L.FIRST_FILE_SLOT || s.inodeCount > L.SLOTS_MAX) {
    return `slot count ${s.inodeCount} is impossible`;
  }
  if (s.pathOffset !== s.inodeOffset + s.inodeCount * L.SLOT_BYTES || !isPage(s.pathOffset)) {
    return `path table at ${s.pathOffset} is impossible`;
  }
  const nameBytes = s.bitmapOffset - s.pathOffset;
  if (!isPage(s.bitmapOffset) || nameBytes <= 0 || nameBytes > L.NAME_TABLE_BYTES_MAX) {
    return `bitmap at ${s.bitmapOffset} is impossible`;
  }
  const bitmapBytes = s.dataOffset - s.bitmapOffset;
  if (!isPage(s.dataOffset) || s.dataOffset % s.blockSize !== 0 || bitmapBytes <= 0) {
    return `data at ${s.dataOffset} is impossible`;
  }
  if (bitmapBytes > BITMAP_BYTES_MAX) return `a bitmap of ${bitmapBytes} bytes is impossible`;
  return null;
}

/** More than this many bits would be more blocks than there can be. */
const BITMAP_BYTES_MAX = 2 ** 28 + L.BLOCK_BYTES_MAX;

/** Whether a number can be a block size. */
export function isBlockSize(bytes: number): boolean {
  return Number.isInteger(Math.log2(bytes)) && bytes >= L.BLOCK_BYTES_MIN &&
    bytes <= L.BLOCK_BYTES_MAX;
}

function isPage(offset: number): boolean {
  return Number.isSafeInteger(offset) && offset % L.PAGE_BYTES === 0;
}

function checksumOf(view: DataView, at: number): number {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, L.SUPERBLOCK_BYTES);
  return crc32(bytes, 0, L.SUPERBLOCK.CRC);
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}

function refusal(code: "EINVAL" | "ENOTSUP" | "EIO", why: string): ErrnoError {
  return new ErrnoError(code, "open the volume", { why });
}
