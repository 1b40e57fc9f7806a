/**
 * The free end of the file: how much of it may be cut off, and the cut.
 *
 * Layer: opfs/volume, under the journal. The file becomes shorter only after a durable header or record
 * says so (FORMAT.md, rule 9): `journal.ts` and `compact.ts` see to that, and then call `cutFile`.
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import { resizeFile } from "./resize.ts";
import { isUnknownOutcome, type VolumeState } from "../state.ts";

/** How many blocks can be cut off the end: free ones, of which no export wants the bytes. */
export function spareEnd(state: VolumeState): number {
  const { bitmap, watches } = state;
  const count = Math.min(bitmap.freeAtEnd, bitmap.blocks - 1);
  if (watches.size === 0) return count;
  let spare = 0;
  while (spare < count && !isWanted(state, bitmap.blocks - 1 - spare)) spare++;
  return spare;
}

function isWanted({ watches }: VolumeState, block: number): boolean {
  for (const watch of watches) if (watch.wants(block)) return true;
  return false;
}

/**
 * Cuts off what is no part of the volume any more. If the device does not cut, the file stays
 * longer than its volume, which does no harm: the next cut, or closing, tries again.
 */
export function cutFile(state: VolumeState): void {
  const end = state.placeOf(state.bitmap.blocks, 0);
  try {
    resizeFile(state, end);
  } catch (error) {
    if (!isUnknownOutcome(error) && state.handle.getSize() >= end) return;
    // How long the file is now is unknown.
    throw state.fail(new ErrnoError("EIO", "cut the end off the volume", { cause: error }));
  }
}
