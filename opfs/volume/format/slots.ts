/**
 * Fields that several kinds of slots share: the type, the pairs of blocks, the parent in an entry, and
 * the sums beside the tables.
 *
 * Layer: opfs/volume, format. `layout.ts` says where a field is; a field that only one place reads is
 * read there by its name. Plain functions over a view, which engines inline.
 *
 * @module
 */
import * as L from "./layout.ts";

/** The type of the slot that begins at `at`. */
export function typeAt(view: DataView, at: number): number {
  return view.getUint8(at + L.SLOT.TYPE);
}

/** The type of a slot. */
export function typeOf(view: DataView, slot: number): number {
  return view.getUint8(slot * L.SLOT_BYTES + L.SLOT.TYPE);
}

/** Gives the slot that begins at `at` a type. */
export function setTypeAt(view: DataView, at: number, type: number): void {
  view.setUint8(at + L.SLOT.TYPE, type);
}

/** The first block of the pair that begins at `at`. */
export function blockOfPair(view: DataView, at: number): number {
  return view.getUint32(at + L.PAIR.BLOCK, L.LE);
}

/** The count of the pair that begins at `at`, with its mark. */
export function countOfPair(view: DataView, at: number): number {
  return view.getUint32(at + L.PAIR.COUNT, L.LE);
}

/** Names another first block in the pair that begins at `at`. */
export function setBlockOfPair(view: DataView, at: number, block: number): void {
  view.setUint32(at + L.PAIR.BLOCK, block, L.LE);
}

/** Writes the pair that begins at `at`. */
export function putPair(view: DataView, at: number, block: number, count: number): void {
  view.setUint32(at + L.PAIR.BLOCK, block, L.LE);
  view.setUint32(at + L.PAIR.COUNT, count, L.LE);
}

/** The parent, or the owner of an attribute, in the entry that begins at `offset`. */
export function parentAt(nameView: DataView, offset: number): number {
  return nameView.getUint32(offset + L.NAME.PARENT, L.LE);
}

/** A sum of those that a view holds. */
export function sumAt(view: DataView, index: number): number {
  return view.getUint32(index * L.SUM_BYTES, L.LE);
}

/** Writes a sum of those that a view holds. */
export function putSum(view: DataView, index: number, sum: number): void {
  view.setUint32(index * L.SUM_BYTES, sum, L.LE);
}
