/**
 * SEEK_DATA and SEEK_HOLE.
 *
 * Layer: opfs/volume, under `volume.ts`. The block map decides, in whole blocks: what no run covers is
 * a hole, and so is what is owned but unwritten. Bytes in the pool are in a written run already, so
 * there is nothing else to ask.
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import { SEEK_DATA, SEEK_HOLE } from "../../../abi/flags.ts";
import { shown } from "../../../abi/options.ts";
import { NO_BLOCK } from "../memory/extent.ts";
import * as L from "../format/layout.ts";
import type { VolumeState } from "../state.ts";

/**
 * The first byte at or after `at` that is data, or in a hole; the end of the file counts as one.
 *
 * @throws {ErrnoError} ENXIO at or past the end and where no data follows, EINVAL
 */
export function seekFrom(state: VolumeState, slot: number, at: number, whence: number): number {
  if (whence !== SEEK_DATA && whence !== SEEK_HOLE) {
    throw new ErrnoError("EINVAL", `seek with whence ${shown(whence)}`);
  }
  if (typeof at !== "number") throw new ErrnoError("EINVAL", `seek to ${shown(at)}`);
  const size = state.sizeOf(slot);
  const isInside = Number.isSafeInteger(at) && at >= 0 && at < size;
  const found = isInside ? Math.max(at, firstLike(state, slot, { at, size, whence })) : size;
  if (found < size) return found;
  if (!isInside || whence === SEEK_DATA) throw new ErrnoError("ENXIO", `seek to ${shown(at)}`);
  return size;
}

/** Where the first block of a kind begins that has bytes at or after `at`; `size` for none. */
function firstLike(
  state: VolumeState,
  slot: number,
  { at, size, whence }: { at: number; size: number; whence: number },
): number {
  const { extents, blockSize } = state;
  let fileBlock = Math.floor(at / blockSize);
  while (fileBlock < L.BLOCKS_MAX && fileBlock * blockSize < size) {
    const found = extents.find(slot, fileBlock);
    const isData = found.block !== NO_BLOCK && !found.isUnwritten;
    if (isData === (whence === SEEK_DATA)) return fileBlock * blockSize;
    fileBlock += found.count;
  }
  return whence === SEEK_DATA ? size : Math.min(size, fileBlock * blockSize);
}
