/**
 * Where the blocks end that belong to anything: what a file that is too short may lack without a loss.
 *
 * Layer: opfs/volume, under `image.ts`. A header that has got lost may have said that the free end of
 * the file is cut off; the older one does not know of it.
 *
 * @module
 */
import { runsOfContinuation } from "./extent.ts";
import * as L from "../format/layout.ts";
import { typeAt } from "../format/slots.ts";
import type { Segments } from "../format/segments.ts";
import { isDead } from "../format/slot_owner.ts";
import type { Tables } from "./tables.ts";
import { valueRuns } from "./xattr_record.ts";

/** Blocks up to the last one in which a part of a table lies. */
export function endOfTables(segments: Segments): number {
  let end = 0;
  for (const list of [segments.slots, segments.names, segments.bitmap]) {
    for (const { firstBlock, blockCount } of list) {
      if (firstBlock >= 0) end = Math.max(end, firstBlock + blockCount);
    }
  }
  return end;
}

/** Blocks up to the last one that a table, a file, a target or an attribute has. */
export function ownedEnd({ tables, segments }: { tables: Tables; segments: Segments }): number {
  const { view, slotCount } = tables;
  let end = endOfTables(segments);
  for (let slot = L.FIRST_FILE_SLOT; slot < slotCount; slot++) {
    const slotEnd = endOfSlot(view, slot);
    if (slotEnd > end) end = slotEnd;
  }
  return end;
}

function endOfSlot(view: DataView, slot: number): number {
  const at = slot * L.SLOT_BYTES;
  const type = typeAt(view, at);
  if (type === L.TYPE.FILE || type === L.TYPE.SYMLINK) return endOfInode(view, at);
  if (type !== L.TYPE.CONTINUATION && type !== L.TYPE.XATTR || isDead(view, slot)) return 0;
  const runs = type === L.TYPE.XATTR ? valueRuns(view, at) : runsOfContinuation(view, at);
  return runs.reduce((end, { block, count }) => Math.max(end, block + count), 0);
}

function endOfInode(view: DataView, at: number): number {
  const count = view.getUint32(at + L.SLOT.BLOCK_COUNT, L.LE) & ~L.UNWRITTEN;
  const block = view.getUint32(at + L.SLOT.FIRST_BLOCK, L.LE);
  return count === 0 || block === L.HOLE_BLOCK ? 0 : block + count;
}
