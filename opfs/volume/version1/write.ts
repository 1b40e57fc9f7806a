/**
 * Export: a volume as a compact version-1 image that `@componentor/fs` mounts.
 *
 * Layer: opfs/volume, over any `VolumeOps`. Sorted, one run for each file, exact counters and
 * checksum; room for more names and blocks, because their slots and their bitmap do not grow. Holes
 * become zeros; special files are slots that their library sees as empty files. Use:
 *
 *     const report = runToEnd(exportSteps(volume, target));
 *
 * The superblock is written last: an export that was interrupted is no image.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../../abi/errno.ts";
import { requireWhole, type StorageHandle } from "../../device/handle.ts";
import type { VolumeOps } from "../../volume_ops.ts";
import { invariant } from "../../../abi/invariant.ts";
import * as L from "../format/layout.ts";
import { isUnknownOutcome } from "../state.ts";
import type { Superblock } from "../format/superblock.ts";
import {
  Findings,
  PIECE_BYTES,
  type Progress,
  reportOf,
  type TransferSteps,
} from "../upkeep/transfer.ts";
import { type Collected, collectTree } from "./collect.ts";
import { encodeSuperblock1, INODE_TABLE_AT, PEER_BLOCKS_MAX } from "./format.ts";

/** Options of an export. */
export interface ExportOptions {
  /** Slots left free for new names; their library cannot add any. Default a quarter, 1,024 at least. */
  spareSlots?: number;
  /** Blocks that the image can ever have: 1/8 byte each. Default 4,000,000, as theirs. */
  maxBlocks?: number;
}

const SPARE_SLOTS_MIN = 1024;
const SPARE_PATH_BYTES = 64 * 1024;
const BLOCKS_MIN = 32;
const BLOCK_BYTES_MAX = 64 * 1024;

/**
 * Exports step by step and returns the report. `target` must be empty, and is flushed at the end. The
 * volume must not change until then.
 *
 * @throws {ErrnoError} EEXIST if the target is not empty, EFBIG for more than their library mounts,
 * ENOSPC when the target is full
 * @example
 * ```ts
 * import { exportSteps, memoryHandle, openVolumeSync, readVersion1, runToEnd } from "@cairn/fs/opfs";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const volume = openVolumeSync(memoryHandle());
 * volume.create(volume.root, "a", { mode: 0o100644, uid: 0, gid: 0 });
 * const target = memoryHandle();
 * assert(runToEnd(exportSteps(volume, target)).isComplete);
 * assertEquals([...readVersion1(target).files()].map((entry) => entry.paths), [["/a"]]);
 * volume.close();
 * ```
 */
export function* exportSteps(
  volume: VolumeOps,
  target: StorageHandle,
  options: ExportOptions = {},
): TransferSteps {
  if (target.getSize() > 0) {
    throw new ErrnoError("EEXIST", "export", { why: "there is something in the target" });
  }
  const findings = new Findings();
  const collected = collectTree(volume, findings);
  const superblock = planImage(collected, options);
  const writer = new Writer(target);
  writer.resize(superblock.dataOffset + superblock.totalBlocks * superblock.blockSize);
  writer.write(collected.records.view(), INODE_TABLE_AT);
  writer.write(collected.paths.view(), superblock.pathOffset);
  writeBitmap(writer, superblock);
  yield* writeContents(volume, writer, { collected, superblock, findings });
  writer.flush();
  writer.write(encodeSuperblock1(superblock), 0);
  writer.flush();
  return reportOf(collected.counts, findings);
}

/** Gives each file its blocks and returns the geometry. Counts the bytes exactly. */
function planImage(collected: Collected, options: ExportOptions): Superblock {
  const { slotCount, paths } = collected;
  const blockSize = blockSizeFor(collected);
  const usedBlocks = placeFiles(collected, blockSize);
  const { spareSlots = Math.max(SPARE_SLOTS_MIN, slotCount >> 2) } = options;
  const { maxBlocks = PEER_BLOCKS_MAX } = options;
  const inodeCount = L.roundUp(slotCount + spareSlots, 64);
  const totalBlocks = Math.max(usedBlocks, BLOCKS_MIN);
  const pathOffset = INODE_TABLE_AT + inodeCount * L.SLOT_BYTES;
  const bitmapOffset = pathOffset + L.roundUp(paths.length + SPARE_PATH_BYTES, L.PAGE_BYTES);
  const bitmapBytes = Math.ceil(Math.max(maxBlocks, totalBlocks) / 8);
  return {
    inodeCount,
    blockSize,
    totalBlocks,
    freeBlocks: totalBlocks - usedBlocks,
    inodeOffset: INODE_TABLE_AT,
    pathOffset,
    bitmapOffset,
    dataOffset: L.roundUp(bitmapOffset + bitmapBytes, blockSize),
    pathUsed: paths.length,
  };
}

/** 4096, or the smallest power of two with which their library mounts that many blocks. */
function blockSizeFor(collected: Collected): number {
  let blockSize = L.BLOCK_BYTES_DEFAULT;
  while (blockSize < BLOCK_BYTES_MAX && blocksIn(collected, blockSize) > PEER_BLOCKS_MAX) {
    blockSize *= 2;
  }
  return blockSize;
}

function blocksIn(collected: Collected, blockSize: number): number {
  let blocks = 0;
  for (let index = 0; index < collected.slotCount; index++) {
    blocks += Math.ceil(collected.slot(index).size / blockSize);
  }
  return blocks;
}

/** One run for each file, one after the other; returns how many blocks they take. */
function placeFiles(collected: Collected, blockSize: number): number {
  let firstBlock = 0;
  let bytes = 0;
  for (let index = 0; index < collected.slotCount; index++) {
    const slot = collected.slot(index);
    if (slot.size === 0) continue;
    invariant(
      slot.type === L.TYPE.FILE || slot.type === L.TYPE.SYMLINK,
      "V7: only files have runs",
    );
    const blockCount = Math.ceil(slot.size / blockSize);
    collected.put(index, { ...slot, firstBlock, blockCount });
    firstBlock += blockCount;
    if (slot.type === L.TYPE.FILE) bytes += slot.size;
  }
  collected.counts.bytes = bytes;
  return firstBlock;
}

/** The first blocks are used, all of them, and the rest are free. */
function writeBitmap(writer: Writer, s: Superblock): void {
  const used = s.totalBlocks - s.freeBlocks;
  const ones = new Uint8Array(Math.min(PIECE_BYTES, used >> 3)).fill(0xff);
  for (let done = 0; done < used >> 3; done += ones.length) {
    writer.write(ones.subarray(0, (used >> 3) - done), s.bitmapOffset + done);
  }
  const rest = new Uint8Array([(1 << (used & 7)) - 1]);
  if (rest[0] !== 0) writer.write(rest, s.bitmapOffset + (used >> 3));
}

interface Contents {
  collected: Collected;
  superblock: Superblock;
  findings: Findings;
}

function* writeContents(
  volume: VolumeOps,
  writer: Writer,
  { collected, superblock, findings }: Contents,
): Generator<Progress, void, void> {
  const totalBytes = collected.counts.bytes;
  const buffer = new Uint8Array(PIECE_BYTES);
  let doneBytes = 0;
  for (let index = 0; index < collected.slotCount; index++) {
    const { type, size, firstBlock } = collected.slot(index);
    const ino = collected.inodes[index]!;
    if (size === 0 || ino === 0) continue;
    const place = superblock.dataOffset + firstBlock * superblock.blockSize;
    if (type === L.TYPE.SYMLINK) {
      writer.write(new TextEncoder().encode(volume.readlink(ino)).subarray(0, size), place);
      continue;
    }
    for (let at = 0; at < size;) {
      const piece = buffer.subarray(0, Math.min(buffer.length, size - at));
      const count = volume.read(ino, piece, at);
      if (count === 0) {
        reportShort(findings, collected, { index, missing: size - at });
        break;
      }
      writer.writeUnlessZero(piece.subarray(0, count), place + at);
      at += count;
      doneBytes += count;
      yield { doneBytes, totalBytes };
    }
  }
}

function reportShort(
  findings: Findings,
  collected: Collected,
  { index, missing }: { index: number; missing: number },
): void {
  const { pathOffset, pathLength } = collected.slot(index);
  const bytes = collected.paths.view().slice(pathOffset, pathOffset + pathLength);
  const message = `its last ${missing} bytes went while it was exported: they are zeros`;
  const path = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  findings.add({ code: "changed-during-export", severity: "changed", message, path });
}

/** Writes to an empty device that has been made long enough: what is not written is zero. */
class Writer {
  readonly #handle: StorageHandle;

  constructor(handle: StorageHandle) {
    this.#handle = handle;
  }

  resize(sizeBytes: number): void {
    this.#do("make the image", () => this.#handle.truncate(sizeBytes));
    const isThere = this.#handle.getSize() >= sizeBytes;
    if (!isThere) throw new ErrnoError("ENOSPC", "make the image", { why: "the device is full" });
  }

  write(bytes: Uint8Array, at: number): void {
    const count = this.#do("write the image", () => this.#handle.write(bytes, { at }));
    requireWhole(count, bytes.length, "write the image");
  }

  writeUnlessZero(bytes: Uint8Array, at: number): void {
    if (bytes.some((byte) => byte !== 0)) this.write(bytes, at);
  }

  flush(): void {
    this.#do("flush the image", () => this.#handle.flush());
  }

  #do<T>(action: string, call: () => T): T {
    try {
      return call();
    } catch (error) {
      if (isErrnoError(error)) throw error;
      const code = isUnknownOutcome(error) ? "EIO" : "ENOSPC";
      throw new ErrnoError(code, action, { cause: error });
    }
  }
}
