/**
 * Who owns which blocks of a version-1 image: runs that overlap, and runs in order.
 *
 * Layer: opfs/volume. Two files in one block are the one damage that shows a person's bytes to
 * another, so it is looked for over all runs before anything is carried over. What counts are the
 * blocks that a file's size needs: two preallocated tails may overlap, they are not read.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import type { BlockRange } from "./bitmap.ts";

/** Runs of blocks with their owners, collected, then sorted once. */
export class Runs {
  #first: number[] = [];
  #needed: number[] = [];
  #owned: number[] = [];
  #owners: number[] = [];
  #order: Uint32Array<ArrayBuffer> | null = null;

  /** A run that begins at block `first`: `owned` blocks, of which `needed` hold contents. */
  add(owner: number, run: { first: number; needed: number; owned: number }): void {
    const { first, needed, owned } = run;
    const isRun = first >= 0 && needed >= 0 && needed <= owned;
    invariant(isRun, "V7: {} of {} blocks at {} are needed", needed, owned, first);
    this.#owners.push(owner);
    this.#first.push(run.first);
    this.#needed.push(run.needed);
    this.#owned.push(run.owned);
    this.#order = null;
  }

  #sorted(): Uint32Array<ArrayBuffer> {
    if (this.#order !== null) return this.#order;
    const order = Uint32Array.from(this.#owners, (_, index) => index);
    const first = this.#first;
    this.#order = order.sort((a, b) => first[a]! - first[b]! || a - b);
    return this.#order;
  }

  /**
   * Reports each pair that shares blocks; a run that overlaps many is reported once, with the
   * longest.
   */
  eachOverlap(onOverlap: (one: number, other: number, shared: BlockRange) => void): void {
    let longest = -1;
    let end = 0;
    for (const index of this.#sorted()) {
      if (this.#needed[index] === 0) continue;
      const from = this.#first[index]!;
      const to = from + this.#needed[index]!;
      if (longest >= 0 && from < end) {
        onOverlap(this.#owners[longest]!, this.#owners[index]!, { from, to: Math.min(end, to) });
      }
      if (to > end || longest < 0) {
        end = to;
        longest = index;
      }
    }
  }

  /** Owned blocks below `limit`, in order, neighbours joined. */
  union(limit: number): BlockRange[] {
    const ranges: BlockRange[] = [];
    for (const index of this.#sorted()) {
      const from = Math.min(limit, this.#first[index]!);
      const to = Math.min(limit, from + this.#owned[index]!);
      const last = ranges.at(-1);
      if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
      else if (to > from) ranges.push({ from, to });
    }
    return ranges;
  }
}
