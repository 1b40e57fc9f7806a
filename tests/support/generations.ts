/**
 * Lets generations come round: after this each slot that dead ones name is one use before the
 * generation that they say, as after some 65,535 uses.
 *
 * Layer: tests.
 *
 * @module
 */
import { invariant } from "../../abi/invariant.ts";
import type { StorageHandle } from "../../opfs/device/handle.ts";
import * as L from "../../opfs/volume/format/layout.ts";
import { openVolumeSync, type VolumeOptions } from "../../opfs/volume/load/mount.ts";
import { isDead, namedOwnerOf, setGeneration } from "../../opfs/volume/format/slot_owner.ts";
import { stateOf } from "./engine_state.ts";

/** Opens the volume on a device, changes generations by records, and closes it; how many. */
export function comeRound(handle: StorageHandle, options: VolumeOptions = {}): number {
  const volume = openVolumeSync(handle, { ...options, durability: "fsync" });
  const state = stateOf(volume);
  const { tables } = state;
  const rounds = new Map<number, number>();
  for (let slot = L.FIRST_FILE_SLOT; slot < tables.slotCount; slot++) {
    if (!isDead(tables.view, slot)) continue;
    const isLeaf = state.typeOf(slot) === L.TYPE.CONTINUATION;
    const said = isLeaf ? L.CONTINUATION.OWNER_GENERATION : L.XATTR.OWNER_GENERATION;
    const owner = namedOwnerOf(tables.view, slot);
    const type = state.typeOf(owner);
    const isAlive = type >= L.TYPE.FILE && type <= L.TYPE.LINK;
    invariant(!isAlive, "V17: slot {} is alive, and dead slot {} names it", owner, slot);
    rounds.set(owner, tables.view.getUint16(slot * L.SLOT_BYTES + said, L.LE));
  }
  for (const [owner, generation] of rounds) {
    state.step(() => {
      tables.edit(owner);
      setGeneration(tables.view, owner, generation - 1);
    });
  }
  volume.close();
  return rounds.size;
}
