/**
 * Copies of the old bytes of blocks that an export still wants, in blocks without an owner.
 *
 * Layer: opfs/volume, under `image_export.ts`. No slot ever names such a block, so after a crash it
 * is free again. The file is made longer for these blocks, so that no other call runs out of the
 * space that it counts on. Where the file cannot grow, they are free blocks that no export wants.
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import { extendForExport } from "../space/grow.ts";
import { type VolumeState, writeDevice } from "../state.ts";

/** Blocks that are borrowed at a time. */
const STEP_BLOCKS = 64;

/** The copies of one export. */
export class Aside {
  readonly #state: VolumeState;
  /** Where the copy of a block is. */
  readonly #places = new Map<number, number>();
  /** Borrowed blocks that hold no copy yet. */
  readonly #spare: number[] = [];

  /** An export without copies. */
  constructor(state: VolumeState) {
    this.#state = state;
  }

  /** Whether there is a copy of a block. */
  has(block: number): boolean {
    return this.#places.has(block);
  }

  /**
   * Copies blocks that have no copy yet.
   *
   * @throws {ErrnoError} ENOSPC, EIO
   */
  put(block: number, count: number): void {
    const { blockSize } = this.#state;
    invariant(count > 0 && !this.has(block), "V1: block {} is put aside twice", block);
    this.#takeSpare(count);
    const bytes = new Uint8Array(count * blockSize);
    this.#state.readBlocks(bytes, block);
    for (let done = 0; done < count;) {
      const place = this.#spare.pop()!;
      this.#places.set(block + done, place);
      let length = 1;
      while (done + length < count && this.#spare.at(-1) === place + length) {
        this.#places.set(block + done + length, this.#spare.pop()!);
        length++;
      }
      const piece = bytes.subarray(done * blockSize, (done + length) * blockSize);
      writeDevice(this.#state, piece, this.#state.placeOf(place, 0));
      done += length;
    }
  }

  /** Fills `into` with the old bytes of a block, if there is a copy. */
  read(block: number, into: Uint8Array): boolean {
    const place = this.#places.get(block);
    if (place === undefined) return false;
    this.#state.readBlocks(into, place);
    return true;
  }

  /** Drops the copy of a block, which is wanted no more. */
  drop(block: number): void {
    const place = this.#places.get(block);
    if (place === undefined) return;
    this.#places.delete(block);
    this.#spare.push(place);
  }

  /** Gives all borrowed blocks back. */
  clear(): void {
    for (const block of this.#places.keys()) this.drop(block);
    for (const place of this.#spare.splice(0)) this.#state.bitmap.giveBack(place, 1);
    invariant(this.#places.size === 0, "V1: bytes are aside after all has been given back");
  }

  #takeSpare(count: number): void {
    if (this.#spare.length >= count) return;
    const want = Math.max(STEP_BLOCKS, count);
    const first = extendForExport(this.#state, want);
    if (first >= 0) this.#take(first, want);
    else this.#takeFree(count);
  }

  /** The first block is on top of the stack, so that neighbours are used one after the other. */
  #take(first: number, count: number): void {
    this.#state.bitmap.borrow(first, count);
    for (let block = first + count - 1; block >= first; block--) this.#spare.push(block);
  }

  #takeFree(count: number): void {
    const { bitmap, watches } = this.#state;
    for (let block = bitmap.freeFrom(0); block >= 0; block = bitmap.freeFrom(block + 1)) {
      let isWanted = false;
      for (const watch of watches) isWanted ||= watch.wants(block);
      if (isWanted) continue;
      this.#take(block, 1);
      if (this.#spare.length >= count) return;
    }
    throw new ErrnoError("ENOSPC", "export the image", {
      why: "no room for copies of what changes during the export",
    });
  }
}
