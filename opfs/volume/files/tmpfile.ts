/**
 * Files that have never had a name.
 *
 * Layer: opfs/volume, beside `directory.ts`. Such a file is hidden: memory has its slot, the image
 * shows it as free, so that a crash gives its blocks back. `link` may give it its first name: then it
 * is shown, what belongs to it first.
 *
 * @module
 */
import { PERMISSION_BITS, S_IFREG } from "../../../abi/mode.ts";
import type { Ino, TmpfileOptions } from "../../volume_ops.ts";
import { checkNumbers, fillRecord, writableDirectory } from "./directory.ts";
import * as L from "../format/layout.ts";
import { joinSet } from "./slot_lists.ts";
import type { VolumeState } from "../state.ts";

/** Slots that one step shows. */
const SLOTS_PER_STEP = 64;

/** Makes a file without a name, retained once, in the open transaction. */
export function createNameless(state: VolumeState, parent: Ino, options: TmpfileOptions): Ino {
  writableDirectory(state, parent);
  const { uid, gid, isLinkable = true } = options;
  checkNumbers([options.mode, uid, gid]);
  const made = { uid, gid, mode: S_IFREG | options.mode & PERMISSION_BITS };
  const slot = state.inodes.allocate(L.TYPE.FILE);
  fillRecord(state, slot, made);
  state.tables.view.setUint16(slot * L.SLOT_BYTES + L.SLOT.NLINK, 0, L.LE);
  state.tables.hide(slot);
  joinSet(state, state.orphans, slot);
  if (isLinkable) joinSet(state, state.linkable, slot);
  state.inodes.retain(slot);
  state.onRevert(() => state.inodes.unretain(slot));
  return state.inodes.inoOf(slot);
}

/**
 * Before a file without a name gets one: shows the slots that it owns, in steps of their own. Until the
 * file itself is shown, by `linkName`, a reader of the image takes them for free.
 */
export function unhideOwned(state: VolumeState, slot: number): void {
  if (!state.linkable.has(slot)) return;
  const slots = [...state.extents.leavesOf(slot), ...state.xattrs.get(slot) ?? []];
  for (let index = 0; index < slots.length; index += SLOTS_PER_STEP) {
    state.step(() => {
      for (const owned of slots.slice(index, index + SLOTS_PER_STEP)) {
        state.tables.edit(owned);
        state.tables.unhide(owned);
      }
    });
  }
}
