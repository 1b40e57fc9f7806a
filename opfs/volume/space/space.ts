/**
 * The space that is left.
 *
 * Layer: opfs/volume, under `volume.ts`. A volume grows with its contents, so the space that is
 * left is not what is free in the file but what the file may grow by: up to the format's
 * limit, the limit it was opened with, and what the device says that it has left. A browser only
 * estimates that; its estimate is reported, and no call is refused for it.
 *
 * @module
 */
import type { StatFs } from "../../../abi/attr.ts";
import { invariant } from "../../../abi/invariant.ts";
import * as L from "../format/layout.ts";
import { blocksOfSegment, bytesOf } from "../format/segments.ts";
import type { VolumeState } from "../state.ts";
import { freeRun } from "./grow.ts";

/** Blocks that the volume may have in the end, as far as that is certain. */
function blocksToCome(state: VolumeState): number {
  const { handle, bitmap, blockSize, maxBlocks } = state;
  const spareBytes = handle.getSpareBytes?.() ?? Infinity;
  const known = Math.min(maxBlocks, bitmap.blocks + Math.floor(spareBytes / blockSize));
  return Math.max(bitmap.blocks, known);
}

/** Whether it is certain that so many blocks cannot be had: an estimate refuses nothing. */
export function isBeyondReach(state: VolumeState, missing: number): boolean {
  const { bitmap } = state;
  return missing > blocksToCome(state) - bitmap.blocks + bitmap.unowned;
}

/** The quota that the caller has given, or that the device estimates; only for statfs. */
function blocksEstimated(state: VolumeState): number {
  const { handle, bitmap, blockSize, dataOffset, quotaBlocks } = state;
  const quotaBytes = handle.getQuotaBytes?.() ?? Infinity;
  const estimated = Math.min(quotaBlocks, Math.floor((quotaBytes - dataOffset) / blockSize));
  return Math.max(bitmap.blocks, estimated);
}

/** Space as statfs reports it. */
export function spaceOf(state: VolumeState): StatFs {
  const { blockSize, bitmap, tables, inodes } = state;
  const blocks = Math.min(blocksToCome(state), blocksEstimated(state));
  invariant(bitmap.unowned <= bitmap.blocks, "V3: more blocks are free than there are");
  const slots = slotsToCome(state, blocks - bitmap.blocks);
  return {
    blockSize,
    blocks,
    freeBlocks: blocks - bitmap.blocks + bitmap.unowned,
    inodes: tables.slotCount + slots,
    freeInodes: inodes.free + slots,
  };
}

/**
 * How many slots the table may still get: each further segment is four times as long as the table.
 * It goes into blocks that are still to come; if these do not suffice, one more may fit into free
 * blocks.
 */
function slotsToCome(state: VolumeState, growingBlocks: number): number {
  const before = bytesOf(state.segments.slots);
  const limit = L.SLOTS_MAX * L.SLOT_BYTES;
  const isSummed = state.tables.sums !== null;
  const kind = { table: L.TABLE.SLOTS, isSummed, blockSize: state.blockSize };
  let left = growingBlocks;
  let have = before;
  while (have < limit) {
    const more = Math.min(have * 4, limit - have);
    const blocks = blocksOfSegment(more, kind);
    const isLast = blocks > left;
    if (isLast && (blocks > state.bitmap.free || freeRun(state, blocks) < 0)) break;
    have += more;
    left -= blocks;
    if (isLast) break;
  }
  return (have - before) / L.SLOT_BYTES;
}
