/**
 * The edges of a range that is zeroed: the parts of its first and its last block that lie in it.
 *
 * Layer: opfs/volume, used by `allocate.ts`. In place they are dirty bytes that a record takes. Where each
 * call is durable by itself, and blocks are so large that a record may not take both edges, the first would
 * become durable before the call is over: then each edge goes with its whole block into a new one, which
 * nothing speaks of before the record of the call does. It takes no space but for the time of the call.
 *
 * Use: `const edges = new Edges(state)` before the call's first visible step, then `edges.zero(slot, range)`.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import { NO_BLOCK } from "../memory/extent.ts";
import type { VolumeState } from "../state.ts";
import { allocateRun, zeroInBlock } from "./file_data.ts";

/** How many edges a range has. */
const EDGES = 2;

/** So many free blocks a call needs for the edges of its range, over those that it keeps. */
export function blocksForEdges({ committer, pool }: VolumeState): number {
  // One more block is dirty where the file becomes longer.
  return committer!.isEachCall && !pool.holds(EDGES + 1) ? EDGES : 0;
}

/** Zeroes the edges of one range. */
export class Edges {
  readonly #state: VolumeState;
  /** Whether they go into new blocks. */
  readonly isMoving: boolean;

  /** Decides how, by what is dirty now. */
  constructor(state: VolumeState) {
    this.#state = state;
    const { committer, pool, bitmap } = state;
    this.isMoving = committer!.isEachCall && !pool.holds(EDGES) && bitmap.free >= EDGES;
  }

  /** Zeroes bytes `[at, to)` of one block, as far as the file has them: steps of its own. */
  zero(slot: number, at: number, to: number): void {
    if (at >= to) return;
    const { extents, blockSize } = this.#state;
    invariant(to - at <= blockSize - at % blockSize, "V8: an edge ends {} bytes on", to - at);
    const { block, isUnwritten } = extents.find(slot, Math.floor(at / blockSize));
    if (block === NO_BLOCK || isUnwritten) return;
    if (this.isMoving) this.#move(slot, at, to);
    else zeroInBlock(this.#state, slot, at, to);
  }

  /** The block goes on as another one, with zeros in it. */
  #move(slot: number, at: number, to: number): void {
    const state = this.#state;
    const { extents, blockSize } = state;
    const fileBlock = Math.floor(at / blockSize);
    const from = at - fileBlock * blockSize;
    state.step(() => {
      const bytes = this.#copyOf(extents.find(slot, fileBlock).block).fill(0, from, from + to - at);
      extents.remove(slot, { from: fileBlock, to: fileBlock + 1 });
      const hole = { fileBlock, want: 1, isUnwritten: false, isPooled: false };
      const { block } = allocateRun(state, slot, hole);
      state.writeBlocks(bytes, block);
      state.pool.wroteDirectly(block, 1);
    });
  }

  #copyOf(block: number): Uint8Array {
    const { pool, blockSize } = this.#state;
    const frame = pool.get(block);
    const at = pool.offsetOf(frame);
    return pool.slabOf(frame).slice(at, at + blockSize);
  }
}
