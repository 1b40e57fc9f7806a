/**
 * Whose a slot is: the owner that a continuation or an extended attribute names, and whether it has it.
 *
 * Layer: opfs/volume, bottom. A slot of type 6 or 7 belongs to the slot that it names if that one is
 * an inode of the generation that it says; otherwise it is dead, which means free, whatever it
 * holds. `scan.ts` finds dead slots by this rule, `inode_table.ts` counts them.
 *
 * @module
 */
import * as L from "./layout.ts";
import { typeAt, typeOf } from "./slots.ts";

/** The generation of a slot itself; a continuation has it at a place of its own. */
export function generationOf(view: DataView, slot: number): number {
  return view.getUint16(generationAt(view, slot), L.LE);
}

/** Sets the generation of a slot whose type is set already. */
export function setGeneration(view: DataView, slot: number, generation: number): void {
  view.setUint16(generationAt(view, slot), generation & 0xffff, L.LE);
}

function generationAt(view: DataView, slot: number): number {
  const at = slot * L.SLOT_BYTES;
  const isLeaf = typeAt(view, at) === L.TYPE.CONTINUATION;
  return at + (isLeaf ? L.CONTINUATION.GENERATION : L.SLOT.GENERATION);
}

/** The slot that a slot of type 6 or 7 names as its owner; -1 for one of another type. */
export function namedOwnerOf(view: DataView, slot: number): number {
  const at = slot * L.SLOT_BYTES;
  const type = typeAt(view, at);
  if (type === L.TYPE.CONTINUATION) return view.getUint32(at + L.CONTINUATION.OWNER, L.LE);
  return type === L.TYPE.XATTR ? view.getUint32(at + L.XATTR.OWNER, L.LE) : -1;
}

/** The same if that owner is alive, of the kind that has such slots and of the generation said. */
export function liveOwnerOf(view: DataView, slot: number): number {
  const owner = namedOwnerOf(view, slot);
  if (owner < 0 || (owner + 1) * L.SLOT_BYTES > view.byteLength) return -1;
  const at = slot * L.SLOT_BYTES;
  const isLeaf = typeAt(view, at) === L.TYPE.CONTINUATION;
  const field = isLeaf ? L.CONTINUATION.OWNER_GENERATION : L.XATTR.OWNER_GENERATION;
  const type = typeOf(view, owner);
  const isInode = type >= L.TYPE.FILE && type <= L.TYPE.SYMLINK;
  if (!isInode || isLeaf && type === L.TYPE.DIRECTORY) return -1;
  return view.getUint16(at + field, L.LE) === generationOf(view, owner) ? owner : -1;
}

/** Whether a slot is one of type 6 or 7 that belongs to no inode. */
export function isDead(view: DataView, slot: number): boolean {
  return namedOwnerOf(view, slot) >= 0 && liveOwnerOf(view, slot) < 0;
}
