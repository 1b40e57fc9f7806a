/**
 * Inode slots: taken, found by number, given back.
 *
 * Layer: opfs/volume, over `tables.ts`. An inode number is slot + 1 + generation x 2^32; the
 * generation moves when a slot is taken, so that a number that is still held never means another
 * file: it is ESTALE. A slot that is given back, or whose inode is retained, is not given out in the
 * same transaction, or until the last release.
 *
 * What is dead stays dead (V17). Continuations and attributes that a removed owner leaves are
 * free as they are, and go on naming its slot and generation. Generations come round, so they decide
 * nothing here: a slot that dead ones name is held back until each of them has been written over, and
 * dead ones are given out before all others, so that this is soon.
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import { shown } from "../../../abi/options.ts";
import { joinWords } from "../../../abi/words.ts";
import * as L from "../format/layout.ts";
import { setTypeAt, typeAt, typeOf } from "../format/slots.ts";
import { generationOf, isDead, namedOwnerOf, setGeneration } from "../format/slot_owner.ts";
import type { Tables } from "./tables.ts";

/** The inode table of one volume. */
export class InodeTable {
  readonly #tables: Tables;
  /** Free slots before `#next`: dead ones, and those that are zero. */
  readonly #dead: number[] = [];
  readonly #freed: number[] = [];
  #next = L.FIRST_FILE_SLOT;
  /** How many dead slots name a slot as their owner. */
  readonly #deadOf = new Map<number, number>();
  /** Free slots that dead ones name, and how many of them are not before `#next`. */
  readonly #held = new Set<number>();
  #heldUnused = 0;
  /** What the open transaction has taken, and what each of these slots named as its owner. */
  readonly #taken: number[] = [];
  readonly #takenFrom: number[] = [];
  readonly #given: number[] = [];
  /** Directories whose count of subdirectories has changed, and by how much. */
  readonly #counted: number[] = [];
  #takenMark = 0;
  #givenMark = 0;
  #countedMark = 0;
  /** Whether a transaction has begun: what mount derives is not to be undone. */
  #isInUse = false;
  readonly #retained = new Map<number, number>();
  #subdirectories: Int32Array<ArrayBuffer>;

  /** An inode table over loaded slots; `mount.ts` adds those that are free. */
  constructor(tables: Tables) {
    this.#tables = tables;
    this.#subdirectories = new Int32Array(tables.slotCount);
  }

  /** Slots that `allocate` may give. */
  get free(): number {
    const unused = this.#tables.slotCount - this.#next - this.#heldUnused;
    return this.#dead.length + this.#freed.length + unused;
  }

  /** At mount: everything from `firstUnused` on is free, and so are `freed`, the dead among them. */
  setFree(freed: readonly number[], firstUnused: number): void {
    const { slotCount } = this.#tables;
    invariant(
      firstUnused <= slotCount,
      "V3: {} slots are in use, there are {}",
      firstUnused,
      slotCount,
    );
    this.#next = Math.max(firstUnused, L.FIRST_FILE_SLOT);
    for (let index = 0; index < freed.length; index++) this.#countDead(freed[index]!);
    for (let index = freed.length - 1; index >= 0; index--) this.#putBack(freed[index]!);
    this.#holdUnused(this.#next);
  }

  /** The table has grown by `count` slots. */
  grow(count: number): void {
    invariant(count > 0, "V3: the table has grown by nothing");
    const larger = new Int32Array(this.#tables.slotCount);
    larger.set(this.#subdirectories);
    this.#subdirectories = larger;
    this.#holdUnused(this.#tables.slotCount - count);
  }

  /** Holds slots from `first` on that dead ones name, and that have never been given out. */
  #holdUnused(first: number): void {
    for (const slot of this.#deadOf.keys()) {
      if (slot < first || slot >= this.#tables.slotCount) continue;
      this.#held.add(slot);
      this.#heldUnused++;
    }
  }

  /** Whether a slot may be given out, by what it is and by what names it. */
  isFree(slot: number): boolean {
    const { view, slotCount } = this.#tables;
    if (slot < L.FIRST_FILE_SLOT || slot >= slotCount || this.#held.has(slot)) return false;
    return typeOf(view, slot) === L.TYPE.FREE || isDead(view, slot);
  }

  /** The number of a live slot's inode. */
  inoOf(slot: number): number {
    return joinWords(slot + 1, generationOf(this.#tables.view, slot));
  }

  /**
   * The slot of an inode.
   *
   * @throws {ErrnoError} ESTALE if it belongs to another inode by now, or to none
   */
  slotOf(ino: number): number {
    const slot = typeof ino === "number" ? (ino >>> 0) - 1 : -1;
    if (slot >= 0 && slot < this.#tables.slotCount) {
      const at = slot * L.SLOT_BYTES;
      const view = this.#tables.view;
      const type = typeAt(view, at);
      const generation = view.getUint16(at + L.SLOT.GENERATION, L.LE);
      const isInode = type >= L.TYPE.FILE && type <= L.TYPE.SYMLINK;
      if (isInode && joinWords(slot + 1, generation) === ino) return slot;
    }
    throw new ErrnoError("ESTALE", `use inode ${shown(ino)}`);
  }

  /** Forgets what the open transaction did; call it at its beginning. */
  begin(): void {
    if (this.#taken.length > 0) this.#taken.length = 0;
    if (this.#takenFrom.length > 0) this.#takenFrom.length = 0;
    if (this.#given.length > 0) this.#given.length = 0;
    if (this.#counted.length > 0) this.#counted.length = 0;
    this.unmark();
  }

  /** From here on is what `revert` undoes. */
  mark(): void {
    this.#takenMark = this.#taken.length;
    this.#givenMark = this.#given.length;
    this.#countedMark = this.#counted.length;
  }

  /** `revert` undoes everything again. */
  unmark(): void {
    this.#takenMark = this.#givenMark = this.#countedMark = 0;
    this.#isInUse = true;
  }

  /** After the tables were reverted: slots taken by the transaction are free again. */
  revert(): void {
    while (this.#taken.length > this.#takenMark) this.#putBack(this.#taken.pop()!);
    this.#takenFrom.length = this.#takenMark;
    this.#given.length = this.#givenMark;
    while (this.#counted.length > this.#countedMark) {
      const count = this.#counted.pop()!;
      this.#subdirectories[this.#counted.pop()!]! -= count;
    }
  }

  /** Slots given back by the transaction are free; dead ones that it took name nothing any more. */
  keep(): void {
    for (let index = 0; index < this.#given.length; index++) {
      // What was hidden is what the image shows of it.
      this.#tables.becomeShown(this.#given[index]!);
      this.#countDead(this.#given[index]!);
    }
    for (let index = 0; index < this.#takenFrom.length; index++) {
      if (this.#takenFrom[index]! >= 0) this.#uncountDead(this.#takenFrom[index]!);
    }
    for (let index = 0; index < this.#given.length; index++) this.#putBack(this.#given[index]!);
    this.begin();
  }

  /** A slot is free: if it is dead, the one that it names has one more. */
  #countDead(slot: number): void {
    const owner = namedOwnerOf(this.#tables.view, slot);
    if (owner >= 0) this.#deadOf.set(owner, (this.#deadOf.get(owner) ?? 0) + 1);
  }

  /** A dead slot has been written over: the one that it named is free with the last of them. */
  #uncountDead(owner: number): void {
    const count = this.#deadOf.get(owner) ?? 0;
    invariant(count > 0, "V17: a dead slot of slot {} was not counted", owner);
    if (count > 1) {
      this.#deadOf.set(owner, count - 1);
      return;
    }
    this.#deadOf.delete(owner);
    if (!this.#held.delete(owner)) return;
    if (owner < this.#next) this.#putBack(owner);
    else this.#heldUnused--;
  }

  #putBack(slot: number): void {
    const isZero = typeOf(this.#tables.view, slot) === L.TYPE.FREE;
    if (this.#deadOf.has(slot)) this.#held.add(slot);
    else if (isZero) this.#freed.push(slot);
    else this.#dead.push(slot);
  }

  #pick(): number {
    const slot = this.#dead.pop() ?? this.#freed.pop();
    if (slot !== undefined) return slot;
    while (this.#held.has(this.#next)) {
      this.#next++;
      this.#heldUnused--;
    }
    if (this.#next < this.#tables.slotCount) return this.#next++;
    throw new ErrnoError("ENOSPC", "make a file", { why: "no slot left" });
  }

  /**
   * Takes a slot: zero but for its type and a new generation.
   *
   * @throws {ErrnoError} ENOSPC
   */
  allocate(type: number): number {
    const isKind = type >= L.TYPE.FILE && type <= L.TYPE.XATTR && type !== L.TYPE.SEGMENT;
    invariant(isKind, "V8: a slot of type {} is wanted", type);
    const slot = this.#pick();
    const { view, slots } = this.#tables;
    const isUnused = typeOf(view, slot) === L.TYPE.FREE || isDead(view, slot);
    invariant(isUnused, "V4: a slot is given out while it is in use");
    invariant(!this.#deadOf.has(slot), "V17: slot {} is given out, and dead slots name it", slot);
    this.#taken.push(slot);
    this.#takenFrom.push(namedOwnerOf(view, slot));
    const at = this.#tables.edit(slot);
    const generation = generationOf(view, slot) + 1;
    slots.fill(0, at, at + L.SLOT_BYTES);
    setTypeAt(view, at, type);
    setGeneration(view, slot, generation);
    return slot;
  }

  /** Gives a slot back: zero but for its generation. */
  release(slot: number): void {
    invariant(slot >= L.FIRST_FILE_SLOT, "V6: the root is never given back");
    const at = this.#tables.edit(slot);
    const { view, slots } = this.#tables;
    invariant(typeAt(view, at) !== L.TYPE.FREE, "V4: a slot is given back that is free");
    const generation = generationOf(view, slot);
    slots.fill(0, at, at + L.SLOT_BYTES);
    setGeneration(view, slot, generation);
    this.#tables.unhide(slot);
    this.#given.push(slot);
  }

  /** Gives back a slot of type 6 or 7 whose owner goes with it: without one it is free as it is. */
  abandon(slot: number): void {
    const { view } = this.#tables;
    const type = typeOf(view, slot);
    invariant(namedOwnerOf(view, slot) >= 0, "V4: slot {} of type {} is left as it is", slot, type);
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
  unretain(slot: number): boolean {
    const count = this.#retained.get(slot);
    if (count === undefined) {
      throw new ErrnoError("EINVAL", "release an inode that is not retained");
    }
    if (count > 1) this.#retained.set(slot, count - 1);
    else this.#retained.delete(slot);
    return count === 1;
  }

  /** Whether the inode is retained. */
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
    if (this.#isInUse) this.#counted.push(slot, count);
    invariant(this.#subdirectories[slot]! >= 0, "V6: directory {} has lost a child", slot);
  }
}
