/**
 * The one place where a mounted volume changes the length of its file.
 *
 * Layer: opfs/volume, over `state.ts`. A cut that is not flushed may be undone by a power cut, and then
 * old bytes stand where every reader expects zeros. So each change leaves the mark that makes the next
 * commit flush before its record (rule 11 of docs/FORMAT.md).
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import type { VolumeState } from "../state.ts";

/**
 * Makes the file as long as the volume says; throws what the device throws, and ENOSPC when it has not
 * become as long: some browsers say in no other way that they are full. That a file stays longer than
 * it was cut to does no harm. Nothing that is in the volume is ever cut off: its blocks count has been
 * made smaller before.
 */
export function resizeFile(state: VolumeState, sizeBytes: number): void {
  const { blocks } = state.bitmap;
  const isWhole = sizeBytes >= state.placeOf(blocks, 0);
  invariant(isWhole, "D2: a file of {} blocks is cut to {} bytes", blocks, sizeBytes);
  const { handle } = state;
  const before = handle.getSize();
  handle.truncate(sizeBytes);
  state.pool.isUnflushed = true;
  const now = handle.getSize();
  if (now < sizeBytes) {
    throw new ErrnoError("ENOSPC", "grow the volume", { why: "the device is full" });
  }
  const isAsSaid = now === sizeBytes || now <= before;
  invariant(isAsSaid, "D2: a device made {} bytes long has {}", sizeBytes, now);
}
