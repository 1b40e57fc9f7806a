/**
 * The one place where a mounted volume makes durable what it has written, and what a refusal means.
 *
 * Layer: opfs/volume, over `state.ts`, under the journal and mount. After a flush that was refused
 * nothing that was written since the one before can be counted on, and a later flush that succeeds
 * says nothing of it: hosts forget what they could not store. So a refusal is of two kinds. What the
 * volume still has in memory (records, tables, logged blocks, headers) it writes again, and goes on.
 * What it has not (data that went to its place, the length of the file) makes it FAILED.
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import type { VolumeState } from "../state.ts";

const NO_ROOM = "the device has no room to keep what was written";

/** Whether what a flush threw says that the device is full; everything else is of unknown outcome. */
export function isFullFlush(error: unknown): boolean {
  const { code, name } = error as { code?: unknown; name?: unknown } ?? {};
  return code === "ENOSPC" || code === "EDQUOT" || name === "QuotaExceededError";
}

/**
 * Makes durable what has been written.
 *
 * @throws {ErrnoError} ENOSPC on a full device: the caller writes again what it has written since the
 * last flush, or the volume is FAILED, because there is no copy of it. Otherwise the device's own: FAILED
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
  // What an export has put aside may be lost, too.
  for (const watch of [...state.watches]) watch.end(refusal);
  if (!state.pool.isUnflushed) return refusal;
  const wayOut = "make room, and open the volume again";
  const lost = `${NO_ROOM}; only what was synced before is sure to be there: ${wayOut}`;
  return state.fail(new ErrnoError("ENOSPC", "make the volume durable", { why: lost, cause }));
}
