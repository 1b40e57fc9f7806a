/**
 * Commit: makes durable what has been kept.
 *
 * Layer: opfs/volume. A simple ordered checkpoint: data is on the device already; flush, then the
 * changed pages of the tables and a header, flush. The journal takes its place.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import { destroy } from "./directory.ts";
import { writeHeader, writeTablesHome } from "./home.ts";
import * as L from "./layout.ts";
import { flushDevice, type VolumeState } from "./state.ts";

/**
 * Makes everything durable.
 *
 * @throws {ErrnoError} ENOSPC, EROFS on a FAILED volume
 */
export function commit(state: VolumeState): void {
  if (state.isReadOnly) return;
  if (state.isClosed) throw new ErrnoError("EBADF", "sync a volume that is closed");
  if (state.failure !== null) {
    throw new ErrnoError("EROFS", "sync a volume that has failed: open it again", {
      cause: state.failure,
    });
  }
  flushDevice(state);
  if (state.tables.isClean) return;
  state.tables.soilLazy();
  state.tables.settle();
  const released = state.bitmap.takeQuarantine();
  for (let index = 0; index < released.length; index += 2) {
    state.bitmap.release(released[index]!, released[index + 1]!);
  }
  writeTablesHome(state);
  writeHeader(state, { state: L.STATE.IN_USE });
  flushDevice(state);
}

/** Makes everything durable, marks the volume as closed, and lets the device go. */
export function closeVolume(state: VolumeState): void {
  if (state.isClosed) return;
  try {
    if (!state.isReadOnly && state.failure === null) leaveClean(state);
  } finally {
    state.isClosed = true;
    state.handle.close();
  }
}

function leaveClean(state: VolumeState): void {
  for (const slot of [...state.orphans]) {
    state.begin();
    destroy(state, slot);
    state.keep();
  }
  state.tables.soilLazy();
  commit(state);
  writeHeader(state, { state: L.STATE.CLOSED });
  flushDevice(state);
}
