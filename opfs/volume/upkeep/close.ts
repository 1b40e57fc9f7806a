/**
 * Close: leaves an image that needs no replay, and closes the device.
 *
 * Layer: opfs/volume. A volume that has FAILED is written no more, not even by close.
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import { destroy } from "../files/directory.ts";
import type { Journal } from "../journal/journal.ts";
import * as L from "../format/layout.ts";
import { resizeFile } from "../space/resize.ts";
import type { VolumeState } from "../state.ts";

/** Makes everything durable, marks the volume as closed, and closes the device. */
export function closeVolume(state: VolumeState, journal: Journal | null): void {
  if (state.isClosed) return;
  const reason = new ErrnoError("EBADF", "export the image", { why: "its volume has been closed" });
  for (const watch of state.watches) watch.end(reason);
  try {
    if (journal !== null && state.failure === null) leaveClean(state, journal);
  } catch (error) {
    throw state.broken(error);
  } finally {
    state.isClosed = true;
    state.handle.close();
  }
}

function leaveClean(state: VolumeState, journal: Journal): void {
  for (const slot of [...state.orphans]) {
    state.step(() => destroy(state, slot), { isFreeing: true, isFinal: true });
  }
  // A refused checkpoint is tried again here; until it succeeds, times of access are left out.
  journal.commitFirst();
  while (state.tables.hasLazy && journal.takesTimes) {
    state.tables.markLazyDirty(journal.recordBytesMax / 2);
    journal.commit();
  }
  cutFreeEnd(state);
  journal.checkpointInLessSpace(L.STATE.CLOSED);
  journal.flush();
  // The file may be longer than the volume: a cut in use was refused after the volume had become
  // shorter.
  if (state.handle.getSize() > state.placeOf(state.bitmap.blocks, 0)) shortenFile(state);
}

/** Takes free blocks at the end out of the volume, if it is worth it. */
function cutFreeEnd(state: VolumeState): void {
  const { bitmap, superblock } = state;
  const count = Math.min(bitmap.freeAtEnd, bitmap.blocks - 1);
  if (count < CUT_BLOCKS_MIN || count < bitmap.blocks / CUT_SHARE) return;
  bitmap.cut(count);
  superblock.totalBlocks = bitmap.blocks;
}

/** A file that is longer than its header says is cut by the next mount, if not now. */
function shortenFile(state: VolumeState): void {
  try {
    resizeFile(state, state.placeOf(state.bitmap.blocks, 0));
  } catch {
    // Everything is durable already.
  }
}

/** A free end of fewer blocks, or of less than this share of all, stays: it will be used again. */
const CUT_BLOCKS_MIN = 64;
const CUT_SHARE = 8;
