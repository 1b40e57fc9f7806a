/**
 * Version 1 as `@componentor/fs` writes it: its own limits, and its records between bytes and
 * objects. The offsets inside superblock and slot are those of `layout.ts`, shared by both versions.
 *
 * Layer: opfs/volume. In version 1 a slot has the whole path of its file, a file has one run of
 * blocks, and the places of the tables follow from the counts: docs/VERSION1.md.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import { crc32 } from "../format/checksum.ts";
import * as L from "../format/layout.ts";
import type { Superblock } from "../format/superblock.ts";

/** Where the inode table begins: right after the superblock. */
export const INODE_TABLE_AT: number = L.SUPERBLOCK_BYTES;
/** Slots that their library mounts. */
export const PEER_SLOTS_MAX = 4_000_000;
/** Blocks that their library mounts. */
export const PEER_BLOCKS_MAX = 4_000_000;
/** Bytes of paths that their library mounts. */
export const PEER_PATH_TABLE_BYTES_MAX: number = 256 * 1024 * 1024;
/** Bytes of an image that their library mounts. */
export const PEER_IMAGE_BYTES_MAX: number = 100 * 1024 ** 3;
/** Bytes of one path: its length is 16 bits. */
export const PATH_BYTES_MAX = 65535;
/** What a directory is that was never made: a path goes through it. */
export const IMPLICIT_DIRECTORY_MODE = 0o040755;
/** The byte between the names of a path. */
export const SLASH = 0x2f;

/** One slot. */
export interface Slot {
  /** What it holds: `L.TYPE`. */
  type: number;
  /** Where its path begins in the path table, in bytes. */
  pathOffset: number;
  /** Bytes of its path. */
  pathLength: number;
  /** Link count; 0 means 1. */
  nlink: number;
  /** File type and permission bits. */
  mode: number;
  /** Length in bytes, whatever the image says. */
  size: number;
  /** Where its run begins; the target's slot in a second name. */
  firstBlock: number;
  /** Blocks of its run. */
  blockCount: number;
  /** Last change of contents, in ms. */
  mtime: number;
  /** Last change of anything, in ms. */
  ctime: number;
  /** Last read, in ms. */
  atime: number;
  /** Owner. */
  uid: number;
  /** Group. */
  gid: number;
}

/** Reads a slot that begins at `at`. */
export function decodeSlot(view: DataView, at: number): Slot {
  const S = L.SLOT;
  return {
    type: view.getUint8(at + S.TYPE),
    pathOffset: view.getUint32(at + S.PATH_OFFSET, L.LE),
    pathLength: view.getUint16(at + S.PATH_LENGTH, L.LE),
    nlink: view.getUint16(at + S.NLINK, L.LE),
    mode: view.getUint32(at + S.MODE, L.LE),
    size: view.getFloat64(at + S.SIZE, L.LE),
    firstBlock: view.getUint32(at + S.FIRST_BLOCK, L.LE),
    blockCount: view.getUint32(at + S.BLOCK_COUNT, L.LE),
    mtime: view.getFloat64(at + S.MTIME, L.LE),
    ctime: view.getFloat64(at + S.CTIME, L.LE),
    atime: view.getFloat64(at + S.ATIME, L.LE),
    uid: view.getUint32(at + S.UID, L.LE),
    gid: view.getUint32(at + S.GID, L.LE),
  };
}

/** Writes a slot at `at`; the reserved bytes stay as they are. */
export function encodeSlot(slot: Slot, view: DataView, at: number): void {
  const S = L.SLOT;
  const isPath = slot.pathLength >= 0 && slot.pathLength <= PATH_BYTES_MAX;
  invariant(isPath, "V5: a path of {} bytes in a slot", slot.pathLength);
  invariant(slot.size >= 0, "V7: a slot of {} bytes", slot.size);
  view.setUint8(at + S.TYPE, slot.type);
  view.setUint32(at + S.PATH_OFFSET, slot.pathOffset, L.LE);
  view.setUint16(at + S.PATH_LENGTH, slot.pathLength, L.LE);
  view.setUint16(at + S.NLINK, slot.nlink, L.LE);
  view.setUint32(at + S.MODE, slot.mode, L.LE);
  view.setFloat64(at + S.SIZE, slot.size, L.LE);
  view.setUint32(at + S.FIRST_BLOCK, slot.firstBlock, L.LE);
  view.setUint32(at + S.BLOCK_COUNT, slot.blockCount, L.LE);
  view.setFloat64(at + S.MTIME, slot.mtime, L.LE);
  view.setFloat64(at + S.CTIME, slot.ctime, L.LE);
  view.setFloat64(at + S.ATIME, slot.atime, L.LE);
  view.setUint32(at + S.UID, slot.uid, L.LE);
  view.setUint32(at + S.GID, slot.gid, L.LE);
}

/** A superblock as it stands there, believed in nothing. */
export interface RawSuperblock extends Superblock {
  /** 0x56465321 in an image. */
  magic: number;
  /** 1. */
  version: number;
  /** The checksum that is stored; 0: none. */
  crc: number;
}

/** Reads the 64 bytes without a look at their sense. */
export function decodeSuperblock1(bytes: Uint8Array): RawSuperblock {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const S = L.SUPERBLOCK;
  return {
    magic: view.getUint32(S.MAGIC, L.LE),
    version: view.getUint32(S.VERSION, L.LE),
    inodeCount: view.getUint32(S.INODE_COUNT, L.LE),
    blockSize: view.getUint32(S.BLOCK_SIZE, L.LE),
    totalBlocks: view.getUint32(S.TOTAL_BLOCKS, L.LE),
    freeBlocks: view.getUint32(S.FREE_BLOCKS, L.LE),
    inodeOffset: view.getFloat64(S.INODE_OFFSET, L.LE),
    pathOffset: view.getFloat64(S.PATH_OFFSET, L.LE),
    dataOffset: view.getFloat64(S.DATA_OFFSET, L.LE),
    bitmapOffset: view.getFloat64(S.BITMAP_OFFSET, L.LE),
    pathUsed: view.getUint32(S.PATH_USED, L.LE),
    crc: view.getUint32(S.CRC, L.LE),
  };
}

/** The 64 bytes of a version-1 superblock, checksum included. */
export function encodeSuperblock1(superblock: Superblock): Uint8Array<ArrayBuffer> {
  const problem = geometryProblem1(superblock, Infinity);
  invariant(problem === null, "V9: a version-1 image whose {}", problem);
  const { freeBlocks, totalBlocks } = superblock;
  invariant(
    freeBlocks <= totalBlocks,
    "V3: {} of {} blocks of an image free",
    freeBlocks,
    totalBlocks,
  );
  const bytes = new Uint8Array(L.SUPERBLOCK_BYTES);
  const view = new DataView(bytes.buffer);
  const S = L.SUPERBLOCK;
  view.setUint32(S.MAGIC, L.SUPERBLOCK_MAGIC, L.LE);
  view.setUint32(S.VERSION, L.VERSION_1, L.LE);
  view.setUint32(S.INODE_COUNT, superblock.inodeCount, L.LE);
  view.setUint32(S.BLOCK_SIZE, superblock.blockSize, L.LE);
  view.setUint32(S.TOTAL_BLOCKS, superblock.totalBlocks, L.LE);
  view.setUint32(S.FREE_BLOCKS, superblock.freeBlocks, L.LE);
  view.setFloat64(S.INODE_OFFSET, superblock.inodeOffset, L.LE);
  view.setFloat64(S.PATH_OFFSET, superblock.pathOffset, L.LE);
  view.setFloat64(S.DATA_OFFSET, superblock.dataOffset, L.LE);
  view.setFloat64(S.BITMAP_OFFSET, superblock.bitmapOffset, L.LE);
  view.setUint32(S.PATH_USED, superblock.pathUsed, L.LE);
  view.setUint32(S.CRC, crc32(bytes, 0, S.CRC), L.LE);
  return bytes;
}

/**
 * What makes it impossible to find the tables of an image of `imageBytes`, or null. Counters are not
 * looked at: they can be derived.
 */
export function geometryProblem1(s: Superblock, imageBytes: number): string | null {
  if (s.blockSize === 0 || (s.blockSize & s.blockSize - 1) !== 0) {
    return `block size ${s.blockSize} is no power of two`;
  }
  if (s.inodeCount === 0 || s.inodeCount > L.SLOTS_MAX) {
    return `slot count ${s.inodeCount} is impossible`;
  }
  if (s.inodeOffset !== INODE_TABLE_AT) return `inode table at ${s.inodeOffset} is impossible`;
  if (s.pathOffset !== INODE_TABLE_AT + s.inodeCount * L.SLOT_BYTES) {
    return `path table at ${s.pathOffset} does not follow ${s.inodeCount} slots`;
  }
  if (!Number.isSafeInteger(s.bitmapOffset) || s.bitmapOffset <= s.pathOffset) {
    return `bitmap at ${s.bitmapOffset} is impossible`;
  }
  if (!Number.isSafeInteger(s.dataOffset) || s.dataOffset <= s.bitmapOffset) {
    return `data at ${s.dataOffset} is impossible`;
  }
  if (s.totalBlocks > (s.dataOffset - s.bitmapOffset) * 8) {
    return `${s.totalBlocks} blocks do not fit the bitmap`;
  }
  if (s.dataOffset > imageBytes) {
    return `it was cut off at ${imageBytes} bytes, before its data at ${s.dataOffset}`;
  }
  return null;
}
