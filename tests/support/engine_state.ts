/**
 * The state of a volume, for tests of the engine's parts.
 *
 * @module
 */
import { VolumeState } from "../../opfs/volume/state.ts";
import type { Volume } from "../../opfs/volume/volume.ts";

/** Catches the state on its way through a call of the volume. */
export function stateOf(volume: Volume): VolumeState {
  const { requireOpen } = VolumeState.prototype;
  let found: VolumeState | null = null;
  VolumeState.prototype.requireOpen = function (this: VolumeState): void {
    found = this;
    requireOpen.call(this);
  };
  try {
    volume.sync();
  } finally {
    VolumeState.prototype.requireOpen = requireOpen;
  }
  return found!;
}
