/**
 * Times of access that have moved and are in no record yet.
 *
 * Layer: opfs/volume, under `tables.ts`. A read moves one, and needs no commit for it: it goes along
 * with the next record, and home only then. Until then the image shows the time that the last record
 * has, which is kept here (S1).
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import * as L from "../format/layout.ts";

const timeBytes = new Uint8Array(8);
const scratch = new DataView(timeBytes.buffer);

/** The times of one volume. */
export class LazyTimes {
  readonly #recorded = new Map<number, number>();
  /** Those of slots that became dirty with what can still be taken back. */
  readonly #held = new Map<number, number>();

  /** How many have moved. */
  get count(): number {
    return this.#recorded.size;
  }

  /** The slots whose time has moved. */
  slots(): IterableIterator<number> {
    return this.#recorded.keys();
  }

  /** The time of a slot moves from the one that the last record has. */
  move(slot: number, recorded: number): void {
    invariant(Number.isFinite(recorded), "V8: slot {} was read at {}", slot, recorded);
    if (!this.#recorded.has(slot)) this.#recorded.set(slot, recorded);
  }

  /** The next record has the slot as it is; `isHeld` says that this can be taken back. */
  settle(slot: number, isHeld: boolean): void {
    const recorded = this.#recorded.get(slot);
    if (recorded === undefined) return;
    this.#recorded.delete(slot);
    if (isHeld) this.#held.set(slot, recorded);
  }

  /** What could be taken back is final. */
  release(): void {
    if (this.#held.size > 0) this.#held.clear();
  }

  /** What could be taken back has not happened. */
  takeBack(): void {
    for (const [slot, recorded] of this.#held) this.#recorded.set(slot, recorded);
    this.#held.clear();
  }

  /** Puts the recorded times over slots `[first, first + count)`, which are at byte `at`. */
  show(first: number, count: number, into: Uint8Array, at: number): void {
    if (this.#recorded.size === 0) return;
    for (let slot = first; slot < first + count; slot++) {
      const recorded = this.#recorded.get(slot);
      if (recorded === undefined) continue;
      scratch.setFloat64(0, recorded, L.LE);
      into.set(timeBytes, at + (slot - first) * L.SLOT_BYTES + L.SLOT.ATIME);
    }
  }
}
