/**
 * Sets and lists of slots that the state keeps beside the tables, changed inside of a step.
 *
 * Layer: opfs/volume, under `directory.ts` and `xattr.ts`. What a step changes here is undone with it.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import type { VolumeState } from "../state.ts";

/** Takes a slot out of the list of its owner, which goes with its last one; where it was. */
export function removeFrom(lists: Map<number, number[]>, owner: number, slot: number): number {
  const list = lists.get(owner);
  const index = list?.indexOf(slot) ?? -1;
  invariant(
    list !== undefined && index >= 0,
    "V4: slot {} is unknown to its owner {}",
    slot,
    owner,
  );
  list.splice(index, 1);
  if (list.length === 0) lists.delete(owner);
  return index;
}

/** Adds a slot to a set of the state, as long as the transaction is not reverted. */
export function joinSet(state: VolumeState, set: Set<number>, slot: number): void {
  invariant(!set.has(slot), "V4: slot {} joins a set that it is in", slot);
  set.add(slot);
  state.onRevert(() => set.delete(slot));
}

/** Takes a slot out of a set of the state, as long as the transaction is not reverted. */
export function leaveSet(state: VolumeState, set: Set<number>, slot: number): void {
  if (set.delete(slot)) state.onRevert(() => set.add(slot));
}
