/**
 * Hidden slots: those of unlinked files that are still open. Memory shows them, the image does not.
 *
 * Layer: opfs/volume, under `tables.ts`. What the image shows is what its records say, byte for byte
 * (S1). The next record shows a slot free after `hide`. After `hideQuietly` no record has the slot: it
 * counts as free without its owner, so the image keeps the bytes of the last record, and they are kept
 * here too. A revert undoes what the open transaction has hidden, and what the held ones have.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import * as L from "../format/layout.ts";

/** How a slot is hidden. */
export const HIDDEN = {
  /** Not at all. */
  NOT: 0,
  /** The next record will show it free. */
  NEXT: 1,
  /** Already free on disk, or free without its owner: later edits are not recorded. */
  ON_DISK: 2,
} as const;

/** What the open transaction has changed. */
interface Change {
  slot: number;
  state: number;
  kept: Uint8Array | undefined;
}

/** The hidden slots of one volume. */
export class HiddenSlots {
  #states: Uint8Array<ArrayBuffer>;
  readonly #kept = new Map<number, Uint8Array>();
  readonly #changes: Change[] = [];
  #mark = 0;

  /** None of `slotCount` slots is hidden. */
  constructor(slotCount: number) {
    this.#states = new Uint8Array(slotCount);
  }

  /** The table has grown. */
  grow(slotCount: number): void {
    const larger = new Uint8Array(slotCount);
    larger.set(this.#states);
    this.#states = larger;
  }

  /** How a slot is hidden. */
  stateOf(slot: number): number {
    return this.#states[slot]!;
  }

  /** Changes how a slot is hidden; `kept` is what the image goes on showing, without it zeros. */
  set(slot: number, state: number, kept?: Uint8Array): void {
    const isWhole = kept === undefined || kept.length === L.SLOT_BYTES && state === HIDDEN.ON_DISK;
    invariant(isWhole, "V4: slot {} in state {} keeps {} bytes", slot, state, kept?.length);
    const before = this.#states[slot]!;
    if (before === state && kept === undefined && !this.#kept.has(slot)) return;
    this.#changes.push({ slot, state: before, kept: this.#kept.get(slot) });
    this.#put(slot, state, kept);
  }

  #put(slot: number, state: number, kept: Uint8Array | undefined): void {
    this.#states[slot] = state;
    if (kept === undefined) this.#kept.delete(slot);
    else this.#kept.set(slot, kept);
  }

  /** What has been changed so far stays. */
  keep(): void {
    if (this.#changes.length > 0) this.#changes.length = 0;
    this.#mark = 0;
  }

  /** From here on is what `revert` undoes. */
  mark(): void {
    this.#mark = this.#changes.length;
  }

  /** `revert` undoes everything since the last `keep` again. */
  unmark(): void {
    this.#mark = 0;
  }

  /** What has been changed since the mark, or the last `keep`, is as it was. */
  revert(): void {
    while (this.#changes.length > this.#mark) {
      const { slot, state, kept } = this.#changes.pop()!;
      this.#put(slot, state, kept);
    }
  }

  /** The slot is hidden no more, and nothing undoes that. */
  end(slot: number): void {
    this.#put(slot, HIDDEN.NOT, undefined);
  }

  /** Puts what the image shows of a hidden slot over the 64 bytes at `at`, which memory shows. */
  show(slot: number, into: Uint8Array, at: number): void {
    const kept = this.#kept.get(slot);
    if (kept !== undefined) into.set(kept, at);
    else showFree(into, at);
  }
}

/** A free slot is zero but for its generation, which a continuation has at a place of its own. */
function showFree(into: Uint8Array, at: number): void {
  if (into[at] === L.TYPE.CONTINUATION) {
    const own = at + L.CONTINUATION.GENERATION;
    into.copyWithin(at + L.SLOT.GENERATION, own, own + 2);
  }
  into.fill(0, at, at + L.SLOT.GENERATION);
  into.fill(0, at + L.SLOT.PATH_OFFSET, at + L.SLOT_BYTES);
}
