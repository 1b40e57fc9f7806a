/**
 * The one place where a mounted volume makes durable what it has written, and what a refusal means.
 *
 * Layer: opfs/volume, over `state.ts`, under the journal and mount. After a refused flush, nothing
 * that was written since the last good flush is sure to be durable, and a later flush that succeeds
 * proves nothing: hosts forget what they could not store. So there are two kinds of refusal. What
 * the volume still has in memory (records, tables, logged blocks, headers) it writes again, and
 * goes on. What it has no copy of (data that went to its place, the length of the file) makes it
 * FAILED.
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import type { VolumeState } from "../state.ts";

const NO_ROOM = "the device has no room to keep what was written";

/** Whether an error of a flush says that the device is full; any other has an unknown outcome. */
export function isFullFlush(error: unknown): boolean {
  const { code, name } = error as { code?: unknown; name?: unknown } ?? {};
  return code === "ENOSPC" || code === "EDQUOT" || name === "QuotaExceededError";
}

/**
 * Makes durable what has been written.
 *
 * @throws {ErrnoError} ENOSPC on a full device: the caller writes again what it has written since
 * the last flush. Where no copy exists, ENOSPC and the volume is FAILED. Otherwise the device's own
 * error: FAILED
 */
export function flushDevice(state: VolumeState): void {
  if (state.failure !== null) throw state.failure;
  try {
    state.handle.flush();
  } catch (error) {
    throw isFullFlush(error) ? fullAt(state, error) : state.fail(error);
  }
}

function fullAt(state: VolumeState, cause: unknown): ErrnoError {
  const refusal = new ErrnoError("ENOSPC", "make the volume durable", { why: NO_ROOM, cause });
  // The copies of an export may be lost, too.
  for (const watch of [...state.watches]) watch.end(refusal);
  if (!state.pool.isUnflushed) return refusal;
  const wayOut = "make room, and open the volume again";
  const lost = `${NO_ROOM}; only what was synced before is sure to be there: ${wayOut}`;
  return state.fail(new ErrnoError("ENOSPC", "make the volume durable", { why: lost, cause }));
}
