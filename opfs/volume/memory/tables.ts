/**
 * Slots and names in memory, and the transaction over them.
 *
 * Layer: opfs/volume. Records are changed in place: `const at = tables.edit(slot)` remembers the
 * record's pre-image as part of the open transaction and hands out where it begins in `view`.
 * `keep()` makes what was edited dirty, `revert()` undoes it. Dirty is kept twice: what the next
 * journal record must hold, and which pages must go home at a checkpoint. `hold()` is a `keep()` that
 * can still be taken back as a whole, with what was held before it, until `release()`.
 *
 * S1: the image is what records make of it. Whatever goes home is what the last checkpoint left or a
 * record since says, so that home and records give one result however much of the way home was made.
 * `copySlots` gives that: of a hidden slot (`hidden_slots.ts`) what the image shows, of one that was
 * read since the last record the time of access that the record has.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import { HIDDEN, HiddenSlots } from "./hidden_slots.ts";
import * as L from "../format/layout.ts";
import { DirtySums, type SummedRecord } from "./dirty_sums.ts";
import { LazyTimes } from "./lazy_times.ts";
import { PageSet } from "../format/page_set.ts";
import type { PageSums } from "./page_sums.ts";

const SLOTS_PER_PAGE = L.PAGE_BYTES / L.SLOT_BYTES;

/** Slots and names of one volume. */
export class Tables {
  /** All slots; replaced when the table grows. */
  slots: Uint8Array<ArrayBuffer>;
  /** The same bytes. */
  view: DataView<ArrayBuffer>;
  /** How many slots there are. */
  slotCount: number;
  /** All names; replaced when the table grows. */
  names: Uint8Array<ArrayBuffer>;
  /** The same bytes. */
  nameView: DataView<ArrayBuffer>;
  /** Slots that the next record must hold. */
  readonly dirtySlots: number[] = [];
  /** Names that the next record must hold: offset, length, offset, length. */
  readonly dirtyNames: number[] = [];
  /** Pages of slots that differ from their home. */
  readonly homeSlots: PageSet = new PageSet();
  /** Pages of names that differ from their home. */
  readonly homeNames: PageSet = new PageSet();
  /** The sums of their pages, as records say them; null for an image that keeps none. */
  readonly sums: PageSums | null;
  /** Bytes of slots and names in the next record. */
  #pendingBytes = 0;
  readonly #dirtySums: DirtySums;

  #isDirty: Uint8Array<ArrayBuffer>;
  readonly #hidden: HiddenSlots;
  #stamp: Uint32Array<ArrayBuffer>;
  #transaction = 0;
  #isOpen = false;
  /** Slots that the open transaction has edited: the first `#editedCount` of them. */
  #edited: Int32Array<ArrayBuffer> = new Int32Array(64);
  #editedCount = 0;
  #before: Uint8Array<ArrayBuffer> = new Uint8Array(64 * L.SLOT_BYTES);
  readonly #written: number[] = [];
  /** What stood where the open transaction, and those that are held, have written names. */
  #namesBefore: Uint8Array<ArrayBuffer> = new Uint8Array(512);
  #namesBeforeBytes = 0;
  /** Where the open transaction begins in the lists: before it is what is held. */
  #editedMark = 0;
  #writtenMark = 0;
  #namesBeforeMark = 0;
  /** Dirty names before the first transaction that is held, and bytes of those since. */
  #dirtyNamesBefore = 0;
  #nameBytesHeld = 0;
  readonly #lazy = new LazyTimes();

  /** Takes both buffers as they are. */
  constructor(
    slots: Uint8Array<ArrayBuffer>,
    names: Uint8Array<ArrayBuffer>,
    sums: PageSums | null = null,
  ) {
    const isWhole = slots.length % L.SLOT_BYTES === 0 && names.length % L.GRANULE_BYTES === 0;
    invariant(isWhole, "V5: tables of {} and {} bytes", slots.length, names.length);
    this.slots = slots;
    this.view = new DataView(slots.buffer, slots.byteOffset, slots.byteLength);
    this.slotCount = slots.length / L.SLOT_BYTES;
    this.names = names;
    this.nameView = new DataView(names.buffer, names.byteOffset, names.byteLength);
    this.sums = sums;
    this.#dirtySums = new DirtySums(sums);
    this.#isDirty = new Uint8Array(this.slotCount);
    this.#hidden = new HiddenSlots(this.slotCount);
    this.#stamp = new Uint32Array(this.slotCount);
    this.#sizePages();
  }

  #sizePages(): void {
    this.homeSlots.resize(Math.ceil(this.slots.length / L.PAGE_BYTES));
    this.homeNames.resize(Math.ceil(this.names.length / L.PAGE_BYTES));
  }

  /** Bytes that slots, names and the sums of their pages would take in the next record. */
  get pendingBytes(): number {
    return this.#pendingBytes + this.#dirtySums.bytes;
  }

  /** Slots that the open transaction has saved; for tests: each once, however often it is edited. */
  get editedCount(): number {
    return this.#editedCount;
  }

  /** Whether a transaction is open. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Opens a transaction. */
  begin(): void {
    invariant(!this.#isOpen, "V14: a transaction inside a transaction");
    this.#forget();
    this.#isOpen = true;
    this.#transaction++;
  }

  /** Opens a further transaction: what is held so far can still be taken back. */
  reopen(): void {
    invariant(!this.#isOpen, "V14: a transaction inside a transaction");
    this.#isOpen = true;
    this.#transaction++;
    this.#mark();
  }

  #mark(): void {
    this.#editedMark = this.#editedCount;
    this.#writtenMark = this.#written.length;
    this.#namesBeforeMark = this.#namesBeforeBytes;
    this.#hidden.mark();
  }

  #forget(): void {
    this.#editedCount = this.#editedMark = 0;
    this.#namesBeforeBytes = this.#namesBeforeMark = this.#writtenMark = 0;
    if (this.#written.length > 0) this.#written.length = 0;
    this.#lazy.release();
    this.#hidden.keep();
    this.#dirtyNamesBefore = this.dirtyNames.length;
    this.#nameBytesHeld = 0;
  }

  /** Remembers the record as it is and returns where it begins in `view`. */
  edit(slot: number): number {
    invariant(this.#isOpen, "V14: an edit outside of a transaction");
    invariant(slot >= 0 && slot < this.slotCount, "V4: an edit of a slot that is not there");
    const at = slot * L.SLOT_BYTES;
    if (this.#stamp[slot] === this.#transaction) return at;
    this.#stamp[slot] = this.#transaction;
    if (this.#editedCount === this.#edited.length) this.#growEdited();
    const before = this.#editedCount * L.SLOT_BYTES;
    this.#before.set(this.slots.subarray(at, at + L.SLOT_BYTES), before);
    this.#edited[this.#editedCount++] = slot;
    return at;
  }

  #growEdited(): void {
    const edited = new Int32Array(this.#edited.length * 2);
    edited.set(this.#edited);
    this.#edited = edited;
    this.#before = grown(this.#before, edited.length * L.SLOT_BYTES);
  }

  /** Remembers `lengthBytes` of names at `offset`, which the open transaction is about to write. */
  editNames(offset: number, lengthBytes: number): void {
    invariant(this.#isOpen, "V14: a name written outside of a transaction");
    const isThere = offset >= 0 && offset % L.GRANULE_BYTES === 0 &&
      offset + lengthBytes <= this.names.length;
    invariant(isThere, "V5: a name written outside of the granules");
    const end = this.#namesBeforeBytes + lengthBytes;
    if (end > this.#namesBefore.length) this.#namesBefore = grown(this.#namesBefore, end * 2);
    const before = this.names.subarray(offset, offset + lengthBytes);
    this.#namesBefore.set(before, this.#namesBeforeBytes);
    this.#namesBeforeBytes = end;
    this.#written.push(offset, lengthBytes);
  }

  /** Closes the transaction; what it edited is dirty. */
  keep(): void {
    this.#close(DIRTY);
    this.#hidden.keep();
  }

  /** As `keep`; it can be taken back. */
  hold(): void {
    this.#close(DIRTY_HELD);
    this.#mark();
  }

  #close(mark: number): void {
    invariant(this.#isOpen, "V14: keep without begin");
    this.#isOpen = false;
    for (let index = this.#editedMark; index < this.#editedCount; index++) {
      this.#markDirty(this.#edited[index]!, mark);
    }
    for (let index = this.#writtenMark; index < this.#written.length; index += 2) {
      const lengthBytes = this.#written[index + 1]!;
      this.dirtyNames.push(this.#written[index]!, lengthBytes);
      this.#dirtySums.markNames(this.#written[index]!, lengthBytes);
      this.#pendingBytes += L.RECORD_NAME_HEAD_BYTES + lengthBytes;
      this.#nameBytesHeld += L.RECORD_NAME_HEAD_BYTES + lengthBytes;
    }
  }

  #markDirty(slot: number, mark: number): void {
    const hidden = this.#hidden.stateOf(slot);
    if (this.#isDirty[slot] !== 0 || hidden === HIDDEN.ON_DISK) return;
    if (hidden !== HIDDEN.NOT) this.#hidden.set(slot, HIDDEN.ON_DISK);
    // The record takes the slot as it is, its time of access too.
    if (this.#lazy.count > 0) this.#lazy.settle(slot, mark === DIRTY_HELD);
    this.#isDirty[slot] = mark;
    this.dirtySlots.push(slot);
    this.#pendingBytes += L.RECORD_SLOT_BYTES;
    this.#dirtySums.markSlot(slot);
  }

  /** Closes the transaction; what it edited is as it was. */
  revert(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#unwind();
  }

  /** Brings back what was edited since the marks, the last first. */
  #unwind(): void {
    while (this.#editedCount > this.#editedMark) {
      const from = --this.#editedCount * L.SLOT_BYTES;
      const image = this.#before.subarray(from, from + L.SLOT_BYTES);
      this.slots.set(image, this.#edited[this.#editedCount]! * L.SLOT_BYTES);
    }
    this.#revertNames();
    this.#hidden.revert();
  }

  #revertNames(): void {
    let end = this.#namesBeforeBytes;
    for (let index = this.#written.length - 2; index >= this.#writtenMark; index -= 2) {
      const from = end - this.#written[index + 1]!;
      this.names.set(this.#namesBefore.subarray(from, end), this.#written[index]!);
      end = from;
    }
    const left = end - this.#namesBeforeMark;
    invariant(left === 0, "V5: {} bytes of names are remembered for no place", left);
    this.#namesBeforeBytes = end;
    this.#written.length = this.#writtenMark;
  }

  /** What is held is final. */
  release(): void {
    for (const slot of this.dirtySlots) this.#isDirty[slot] = DIRTY;
    this.#forget();
  }

  /** What is held is as it was, and dirty only where it was dirty before. */
  takeBack(): void {
    invariant(!this.#isOpen, "V14: an open transaction is taken back with those before it");
    this.#editedMark = this.#writtenMark = this.#namesBeforeMark = 0;
    this.#hidden.unmark();
    this.#unwind();
    let kept = 0;
    for (const slot of this.dirtySlots) {
      if (this.#isDirty[slot] !== DIRTY_HELD) this.dirtySlots[kept++] = slot;
      else {
        this.#isDirty[slot] = 0;
        this.#pendingBytes -= L.RECORD_SLOT_BYTES;
      }
    }
    this.dirtySlots.length = kept;
    this.dirtyNames.length = this.#dirtyNamesBefore;
    this.#pendingBytes -= this.#nameBytesHeld;
    this.#dirtySums.markOnly(this.dirtySlots, this.dirtyNames);
    this.#lazy.takeBack();
    this.#forget();
  }

  /** Shows the slot as free on disk from now on. Inside a transaction that has edited it. */
  hide(slot: number): void {
    invariant(
      this.#stamp[slot] === this.#transaction,
      "V4: slot {} is hidden but not edited",
      slot,
    );
    if (this.#isDirty[slot] !== 0) this.#hidden.set(slot, HIDDEN.ON_DISK);
    else if (this.#hidden.stateOf(slot) === HIDDEN.NOT) this.#hidden.set(slot, HIDDEN.NEXT);
  }

  /**
   * As `hide`, for a slot that the image's reader ignores without its owner: it need not be written
   * for that. Until then it shows what the last record says of it. Not for one that has been taken
   * by the open transaction.
   */
  hideQuietly(slot: number): void {
    invariant(this.#isOpen, "V14: a slot is hidden outside of a transaction");
    if (this.#hidden.stateOf(slot) !== HIDDEN.NOT) return;
    const isDirty = this.#isDirty[slot] !== 0;
    this.#hidden.set(slot, HIDDEN.ON_DISK, isDirty ? undefined : this.#recorded(slot));
  }

  /** A clean slot as it was before the open transaction. */
  #recorded(slot: number): Uint8Array<ArrayBuffer> {
    const at = slot * L.SLOT_BYTES;
    if (this.#stamp[slot] !== this.#transaction) return this.slots.slice(at, at + L.SLOT_BYTES);
    const from = this.#edited.subarray(0, this.#editedCount).indexOf(slot) * L.SLOT_BYTES;
    return this.#before.slice(from, from + L.SLOT_BYTES);
  }

  /** Ends `hide`: the slot is what it is. Inside a transaction that has edited it. */
  unhide(slot: number): void {
    if (this.#hidden.stateOf(slot) === HIDDEN.NOT) return;
    invariant(this.#stamp[slot] === this.#transaction, "V4: slot {} is shown but not edited", slot);
    this.#hidden.set(slot, HIDDEN.NOT);
  }

  /** Ends `hide` between transactions: the slot is what the image shows. */
  becomeShown(slot: number): void {
    invariant(!this.#isOpen, "V14: slot {} becomes what it shows inside a transaction", slot);
    if (this.#hidden.stateOf(slot) === HIDDEN.NOT) return;
    this.copySlots(slot, 1, this.slots, slot * L.SLOT_BYTES);
    this.#hidden.end(slot);
  }

  /** Whether the slot is hidden. */
  isHidden(slot: number): boolean {
    return this.#hidden.stateOf(slot) !== HIDDEN.NOT;
  }

  /**
   * A time of access that has moved from `recorded` needs no commit by itself: it goes along with the
   * next one, and home only then.
   */
  touchLazily(slot: number, recorded: number): void {
    invariant(slot >= 0 && slot < this.slotCount, "V4: a slot that is not there is touched");
    if (this.#isDirty[slot] !== 0 || this.isHidden(slot)) return;
    this.#lazy.move(slot, recorded);
  }

  /** Makes what was touched lazily dirty, until `pendingBytes` reaches a limit. */
  markLazyDirty(bytesMax: number): void {
    for (const slot of this.#lazy.slots()) {
      if (this.pendingBytes + L.RECORD_SLOT_BYTES + L.RECORD_SUM_BYTES > bytesMax) return;
      this.#markDirty(slot, DIRTY);
    }
  }

  /** Whether something has been touched lazily. */
  get hasLazy(): boolean {
    return this.#lazy.count > 0;
  }

  /** Dirty pieces of the path table in order, neighbours joined: from, to. */
  dirtyNameRuns(): [number, number][] {
    const pieces: [number, number][] = [];
    for (let index = 0; index < this.dirtyNames.length; index += 2) {
      const from = this.dirtyNames[index]!;
      pieces.push([from, from + this.dirtyNames[index + 1]!]);
    }
    pieces.sort((a, b) => a[0] - b[0]);
    const runs: [number, number][] = [];
    for (const [from, to] of pieces) {
      const last = runs[runs.length - 1];
      if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
      else runs.push([from, to]);
    }
    return runs;
  }

  /** Whether a record would be empty. */
  get isClean(): boolean {
    return this.dirtySlots.length === 0 && this.dirtyNames.length === 0;
  }

  /** Everything dirty has been taken into a record, or is about to go home: mark the pages. */
  settle(): void {
    invariant(!this.#isOpen, "V14: a commit inside a transaction");
    for (const slot of this.dirtySlots) {
      invariant(
        this.#isDirty[slot] !== 0,
        "V11: a slot is dirty in one list and clean in the other",
      );
      this.#isDirty[slot] = 0;
      this.homeSlots.add(Math.floor(slot / SLOTS_PER_PAGE));
    }
    for (let index = 0; index < this.dirtyNames.length; index += 2) {
      this.#markNames(this.dirtyNames[index]!, this.dirtyNames[index + 1]!);
    }
    this.dirtySlots.length = 0;
    this.dirtyNames.length = 0;
    this.#pendingBytes = 0;
    this.#dirtySums.settle();
  }

  #markNames(offset: number, lengthBytes: number): void {
    const last = Math.floor((offset + lengthBytes - 1) / L.PAGE_BYTES);
    for (let page = Math.floor(offset / L.PAGE_BYTES); page <= last; page++) {
      this.homeNames.add(page);
    }
  }

  /** Copies slots `[first, first + count)` as the image shows them: as records have left them (S1). */
  copySlots(first: number, count: number, into: Uint8Array, at: number): void {
    invariant(
      first >= 0 && first + count <= this.slotCount,
      "V4: slots that are not there are copied",
    );
    const from = first * L.SLOT_BYTES;
    into.set(this.slots.subarray(from, from + count * L.SLOT_BYTES), at);
    for (let slot = first; slot < first + count; slot++) {
      if (this.#hidden.stateOf(slot) === HIDDEN.NOT) continue;
      this.#hidden.show(slot, into, at + (slot - first) * L.SLOT_BYTES);
    }
    this.#lazy.show(first, count, into, at);
  }

  /**
   * Adds the sum of each page that a record touches, as it is after that record, to the record, which
   * has the slots already. They count from `settle` on.
   */
  addDirtySums(record: SummedRecord, nameRuns: readonly (readonly [number, number])[]): void {
    this.#dirtySums.addTo(record, this, nameRuns);
  }

  /** At mount: takes a slot from a record. */
  replaySlot(slot: number, bytes: Uint8Array): void {
    invariant(bytes.length === L.SLOT_BYTES, "V10: slot {} of {} bytes", slot, bytes.length);
    invariant(slot < this.slotCount, "V10: slot {} is past the table", slot);
    this.slots.set(bytes, slot * L.SLOT_BYTES);
    this.homeSlots.add(Math.floor(slot / SLOTS_PER_PAGE));
  }

  /** At mount: takes a piece of the path table from a record. */
  replayNames(offset: number, bytes: Uint8Array): void {
    const isThere = offset + bytes.length <= this.names.length;
    invariant(isThere, "V10: names at {} are past the table", offset);
    this.names.set(bytes, offset);
    if (bytes.length > 0) this.#markNames(offset, bytes.length);
  }

  /** Adds zeroed slots. */
  growSlots(slotCount: number): void {
    invariant(
      slotCount > this.slotCount && slotCount <= L.SLOTS_MAX,
      "V4: slots grow upwards, to what there can be",
    );
    this.slots = grown(this.slots, slotCount * L.SLOT_BYTES);
    this.view = new DataView(this.slots.buffer);
    this.slotCount = slotCount;
    this.#isDirty = grown(this.#isDirty, slotCount);
    this.#hidden.grow(slotCount);
    const stamp = new Uint32Array(slotCount);
    stamp.set(this.#stamp);
    this.#stamp = stamp;
    this.sums?.grow("slots", this.slots.length);
    this.#dirtySums.grow();
    this.#sizePages();
  }

  /** Adds zeroed names. */
  growNames(bytes: number): void {
    const isMore = bytes > this.names.length && bytes <= L.NAME_TABLE_BYTES_MAX;
    invariant(isMore, "V5: names grow upwards, to what there can be");
    this.names = grown(this.names, bytes);
    this.nameView = new DataView(this.names.buffer);
    this.sums?.grow("names", this.names.length);
    this.#dirtySums.grow();
    this.#sizePages();
  }
}

/** The next record holds the slot; HELD: because of what can still be taken back. */
const DIRTY = 1;
const DIRTY_HELD = 2;

function grown(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(bytes);
  return larger;
}
