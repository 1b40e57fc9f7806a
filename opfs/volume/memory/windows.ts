/**
 * Windows: free blocks that are kept for a file which is growing.
 *
 * Layer: opfs/volume, under `bitmap.ts`. Only a hint, and only in memory: a window says nothing of
 * whether its blocks are free, and when no others are left, any owner may take them.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";

/** Files that have a window at the same time. */
const WINDOWS = 16;
/** Blocks of a file's first window; each further one is twice as long. */
const FIRST_BLOCKS = 16;
const LONGEST_BLOCKS = 256;

/** The windows of one volume. */
export class Windows {
  readonly #owners = new Int32Array(WINDOWS).fill(-1);
  readonly #starts = new Int32Array(WINDOWS);
  readonly #ends = new Int32Array(WINDOWS);
  readonly #sizes = new Int32Array(WINDOWS);
  #next = 0;

  /** How long the owner's next window is to be. */
  nextSize(owner: number): number {
    const index = this.#owners.indexOf(owner);
    return index < 0 ? FIRST_BLOCKS : Math.min(LONGEST_BLOCKS, this.#sizes[index]! * 2);
  }

  /** Keeps blocks for an owner, instead of those that it had. */
  open(owner: number, start: number, count: number): void {
    invariant(
      owner >= 0 && start >= 0 && count > 0,
      "V1: a window without an owner, or of nothing",
    );
    let index = this.#owners.indexOf(owner);
    if (index < 0) {
      index = this.#next;
      this.#next = (index + 1) % WINDOWS;
    }
    this.#owners[index] = owner;
    this.#starts[index] = start;
    this.#ends[index] = start + count;
    this.#sizes[index] = count;
  }

  /** The owner has taken blocks up to `end`: what is before it is not kept any more. */
  advance(owner: number, end: number): void {
    const index = this.#owners.indexOf(owner);
    if (index < 0 || end <= this.#starts[index]! || end > this.#ends[index]!) return;
    this.#starts[index] = end;
  }

  /** The owner is gone. */
  close(owner: number): void {
    const index = this.#owners.indexOf(owner);
    if (index >= 0) this.#owners[index] = -1;
  }

  /** Blocks that are kept for others than the owner. */
  keptFrom(owner: number): number {
    let kept = 0;
    for (let index = 0; index < WINDOWS; index++) {
      const other = this.#owners[index]!;
      if (other >= 0 && other !== owner) kept += this.#ends[index]! - this.#starts[index]!;
    }
    return kept;
  }

  /** Blocks that are kept for the owner. */
  keptFor(owner: number): number {
    const index = this.#owners.indexOf(owner);
    return index < 0 ? 0 : this.#ends[index]! - this.#starts[index]!;
  }

  /** How many of `count` blocks from `start` on are not kept for another owner. */
  clip(start: number, count: number, owner: number): number {
    let end = start + count;
    for (let index = 0; index < WINDOWS; index++) {
      const other = this.#owners[index]!;
      if (other < 0 || other === owner) continue;
      if (this.#starts[index]! < end && this.#ends[index]! > start) {
        end = Math.max(start, this.#starts[index]!);
      }
    }
    return end - start;
  }

  /** Where another owner's window that holds `start` ends; the next block if no window does. */
  endAt(start: number, owner: number): number {
    for (let index = 0; index < WINDOWS; index++) {
      const other = this.#owners[index]!;
      if (other < 0 || other === owner) continue;
      if (this.#starts[index]! <= start && this.#ends[index]! > start) return this.#ends[index]!;
    }
    return start + 1;
  }

  /** Forgets all. */
  clear(): void {
    this.#owners.fill(-1);
  }
}
