/**
 * Inode slots: taken, found by number, given back.
 *
 * Layer: opfs/volume, over `tables.ts`. An inode number is slot + 1 + generation x 2^32; the
 * generation moves when a slot is taken, so that a number somebody still holds never means another
 * file: it is ESTALE. A slot that is given back, or whose inode is retained, is not given out in the
 * same transaction, or until the last release.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import { invariant } from "../../abi/invariant.ts";
import * as L from "./layout.ts";
import type { Tables } from "./tables.ts";

const GENERATION_UNIT = 2 ** 32;

/** The inode table of one volume. */
export class InodeTable {
  readonly #tables: Tables;
  readonly #freed: number[] = [];
  #next = L.FIRST_FILE_SLOT;
  #free = 0;
  readonly #taken: number[] = [];
  readonly #given: number[] = [];
  readonly #retained = new Map<number, number>();
  /** Generations of slots that hold a continuation, whose record has no room for one. */
  readonly #ownGeneration = new Map<number, number>();
  #subdirectories: Int32Array<ArrayBuffer>;

  /** An inode table over loaded slots; `mount.ts` tells it which are free. */
  constructor(tables: Tables) {
    this.#tables = tables;
    this.#subdirectories = new Int32Array(tables.slotCount);
  }

  /** Slots that `allocate` may give. */
  get free(): number {
    return this.#free;
  }

  /** At mount: everything from `firstUnused` on is free, and so are `freed`. */
  setFree(freed: readonly number[], firstUnused: number): void {
    for (let index = freed.length - 1; index >= 0; index--) this.#freed.push(freed[index]!);
    const { slotCount } = this.#tables;
    invariant(
      firstUnused <= slotCount,
      `V3: ${firstUnused} slots are in use, there are ${slotCount}`,
    );
    this.#next = Math.max(firstUnused, L.FIRST_FILE_SLOT);
    this.#free = this.#freed.length + this.#tables.slotCount - this.#next;
  }

  /** The table has grown by `count` slots. */
  grow(count: number): void {
    invariant(count > 0, "V3: the table has grown by nothing");
    this.#free += count;
    const larger = new Int32Array(this.#tables.slotCount);
    larger.set(this.#subdirectories);
    this.#subdirectories = larger;
  }

  /** The number of a live slot's inode. */
  inoOf(slot: number): number {
    const generation = this.#tables.view.getUint16(
      slot * L.SLOT_BYTES + L.SLOT.GENERATION,
      L.LE,
    );
    return slot + 1 + generation * GENERATION_UNIT;
  }

  /**
   * The slot of an inode.
   *
   * @throws {ErrnoError} ESTALE if it is somebody else's by now, or nobody's
   */
  slotOf(ino: number): number {
    const slot = (ino >>> 0) - 1;
    if (slot >= 0 && slot < this.#tables.slotCount) {
      const at = slot * L.SLOT_BYTES;
      const view = this.#tables.view;
      const type = view.getUint8(at);
      const generation = view.getUint16(at + L.SLOT.GENERATION, L.LE);
      const isInode = type >= L.TYPE.FILE && type <= L.TYPE.SYMLINK;
      if (isInode && slot + 1 + generation * GENERATION_UNIT === ino) return slot;
    }
    throw new ErrnoError("ESTALE", `use inode ${ino}`);
  }

  /** Forgets what the open transaction did; call it at its beginning. */
  begin(): void {
    if (this.#taken.length > 0) this.#taken.length = 0;
    if (this.#given.length > 0) this.#given.length = 0;
  }

  /** Slots taken by the transaction are free again. */
  revert(): void {
    while (this.#taken.length > 0) this.#putBack(this.#taken.pop()!);
    this.begin();
  }

  /** Slots given back by the transaction are free. */
  keep(): void {
    for (let index = 0; index < this.#given.length; index++) this.#putBack(this.#given[index]!);
    this.begin();
  }

  #putBack(slot: number): void {
    this.#ownGeneration.delete(slot);
    // What was hidden is what the image shows of it.
    this.#tables.becomeShown(slot);
    this.#freed.push(slot);
    this.#free++;
  }

  /**
   * Takes a slot: zero but for its type and a new generation.
   *
   * @throws {ErrnoError} ENOSPC
   */
  allocate(type: number): number {
    const isKind = type >= L.TYPE.FILE && type <= L.TYPE.XATTR && type !== L.TYPE.SEGMENT;
    invariant(isKind, `V8: a slot of type ${type} is wanted`);
    const slot = this.#freed.length > 0 ? this.#freed.pop()! : this.#next;
    if (slot >= this.#tables.slotCount) throw new ErrnoError("ENOSPC", "make a file: no slot left");
    if (slot === this.#next) this.#next++;
    this.#free--;
    this.#taken.push(slot);
    const at = this.#tables.edit(slot);
    const { view, slots } = this.#tables;
    const before = view.getUint8(at);
    // What has been abandoned is free as it is.
    const isFree = before === L.TYPE.FREE || before === L.TYPE.XATTR ||
      before === L.TYPE.CONTINUATION && !this.#ownGeneration.has(slot);
    invariant(isFree, "V4: a slot is given out while it is in use");
    const generation = view.getUint16(at + L.SLOT.GENERATION, L.LE) + 1 & 0xffff;
    slots.fill(0, at, at + L.SLOT_BYTES);
    view.setUint8(at, type);
    if (type === L.TYPE.CONTINUATION) this.#ownGeneration.set(slot, generation);
    else view.setUint16(at + L.SLOT.GENERATION, generation, L.LE);
    return slot;
  }

  /** Gives a slot back: zero but for its generation. */
  release(slot: number): void {
    invariant(slot >= L.FIRST_FILE_SLOT, "V6: the root is never given back");
    const at = this.#tables.edit(slot);
    const { view, slots } = this.#tables;
    invariant(view.getUint8(at) !== L.TYPE.FREE, "V4: a slot is given back that is free");
    const generation = this.#ownGeneration.get(slot) ??
      view.getUint16(at + L.SLOT.GENERATION, L.LE);
    slots.fill(0, at, at + L.SLOT_BYTES);
    view.setUint16(at + L.SLOT.GENERATION, generation, L.LE);
    this.#tables.unhide(slot);
    this.#given.push(slot);
  }

  /** Gives back a slot of type 6 or 7 whose owner goes with it: without one it is free as it is. */
  abandon(slot: number): void {
    const type = this.#tables.view.getUint8(slot * L.SLOT_BYTES);
    const isOwned = type === L.TYPE.CONTINUATION || type === L.TYPE.XATTR;
    invariant(isOwned, `V4: slot ${slot} of type ${type} is left as it is`);
    this.#given.push(slot);
  }

  /** One more user of the inode. */
  retain(slot: number): void {
    invariant(
      slot >= 0 && slot < this.#tables.slotCount,
      "V4: a slot that is not there is retained",
    );
    this.#retained.set(slot, (this.#retained.get(slot) ?? 0) + 1);
  }

  /** One user less; whether it was the last. */
  letGo(slot: number): boolean {
    const count = this.#retained.get(slot);
    if (count === undefined) throw new ErrnoError("EINVAL", "release an inode nobody retains");
    if (count > 1) this.#retained.set(slot, count - 1);
    else this.#retained.delete(slot);
    return count === 1;
  }

  /** Whether somebody retains the inode. */
  isRetained(slot: number): boolean {
    return this.#retained.has(slot);
  }

  /** Subdirectories of a directory. */
  subdirectoriesOf(slot: number): number {
    return this.#subdirectories[slot]!;
  }

  /** Adds to the subdirectories of a directory. */
  addSubdirectories(slot: number, count: number): void {
    this.#subdirectories[slot]! += count;
    invariant(this.#subdirectories[slot]! >= 0, `V6: directory ${slot} has lost a child`);
  }
}
