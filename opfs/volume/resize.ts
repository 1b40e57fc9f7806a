/**
 * The one place where a mounted volume changes the length of its file.
 *
 * Layer: opfs/volume, over `state.ts`. A cut that is not flushed may be undone by a power cut, and then
 * old bytes stand where everybody expects zeros. So each change leaves the mark that makes the next
 * commit flush before its record (rule 11 of docs/FORMAT.md).
 *
 * @module
 */
import { invariant } from "../../abi/invariant.ts";
import type { VolumeState } from "./state.ts";

/**
 * Makes the file as long as the volume says; throws what the device throws. Nothing that is in the
 * volume is ever cut off: its blocks count has been made smaller before.
 */
export function resizeFile(state: VolumeState, sizeBytes: number): void {
  const { blocks } = state.bitmap;
  const isWhole = sizeBytes >= state.placeOf(blocks, 0);
  invariant(isWhole, `D2: a file of ${blocks} blocks is cut to ${sizeBytes} bytes`);
  state.handle.truncate(sizeBytes);
  state.pool.isUnflushed = true;
}
