/**
 * The one place where a mounted volume changes the length of its file.
 *
 * Layer: opfs/volume, over `state.ts`. A power cut may undo a cut that is not flushed, and then old
 * bytes are where every reader expects zeros. So each change sets the mark that makes the next
 * commit flush before its record (rule 11 of docs/FORMAT.md).
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import type { VolumeState } from "../state.ts";

/**
 * Makes the file as long as the volume says. Throws what the device throws, and ENOSPC when the
 * file has not become as long: some browsers report a full disk in no other way. It does no harm if
 * the file stays longer than it was cut to. No block of the volume is ever cut off: the volume's
 * number of blocks has been reduced before.
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
