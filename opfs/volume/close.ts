/**
 * Close: leaves an image that needs no replay, and lets the device go.
 *
 * Layer: opfs/volume. A volume that has FAILED is not written any more, by close neither.
 *
 * @module
 */
import { destroy } from "./directory.ts";
import type { Journal } from "./journal.ts";
import * as L from "./layout.ts";
import type { VolumeState } from "./state.ts";

/** Makes everything durable, marks the volume as closed, and lets the device go. */
export function closeVolume(state: VolumeState, journal: Journal | null): void {
  if (state.isClosed) return;
  try {
    if (journal !== null && state.failure === null) leaveClean(state, journal);
  } finally {
    state.isClosed = true;
    state.handle.close();
  }
}

function leaveClean(state: VolumeState, journal: Journal): void {
  for (const slot of [...state.orphans]) {
    state.begin();
    destroy(state, slot);
    state.keep();
  }
  while (state.tables.hasLazy) {
    state.tables.soilLazy(journal.recordBytesMax / 2);
    journal.commit();
  }
  journal.checkpoint(L.STATE.CLOSED);
  journal.flush();
}
