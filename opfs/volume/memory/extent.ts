/**
 * Which blocks a file has: file block -> device block, holes and unwritten blocks included.
 *
 * Layer: opfs/volume, over tables, inode table and bitmap. A file's blocks are in leaves: the pair
 * in its own record, which begins at file block 0, and continuation slots of up to six pairs each,
 * ordered by their first file block. `find` answers with one small object; `insert` and `remove` change
 * a leaf or two, whatever the size of the file.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import { append } from "../../../abi/lists.ts";
import type { Bitmap } from "./bitmap.ts";
import type { InodeTable } from "./inode_table.ts";
import * as L from "../format/layout.ts";
import { blockOfPair, countOfPair, putPair, typeOf } from "../format/slots.ts";
import { generationOf, liveOwnerOf } from "../format/slot_owner.ts";
import type { Tables } from "./tables.ts";

/** Blocks of one file that follow each other on the device. */
export interface Run {
  /** First block in the file. */
  fileBlock: number;
  /** First block on the device. */
  block: number;
  /** How many. */
  count: number;
  /** Whether they read as zeros. */
  isUnwritten: boolean;
}

/** What a file has from one of its blocks on. */
export interface Extent {
  /** The device block, or NO_BLOCK for a hole. */
  readonly block: number;
  /** How many file blocks, from the one asked for, go on in the same way. */
  readonly count: number;
  /** Whether they are owned and read as zeros. */
  readonly isUnwritten: boolean;
}

/** In {@link Extent.block}: nothing is there. */
export const NO_BLOCK = -1;

/** The block maps of one volume. */
export class Extents {
  readonly #tables: Tables;
  readonly #inodes: InodeTable;
  readonly #bitmap: Bitmap;
  /** Continuation slots by owner, in order of their first file block. */
  readonly #leaves = new Map<number, number[]>();
  /** Owners whose list of leaves has changed since the last `keep`. */
  readonly #changed = new Set<number>();
  /** Blocks of files that have leaves, as far as they were asked for. */
  readonly #totals = new Map<number, number>();
  /** Blocks that the last `#cut` took away. */
  #cutBlocks = 0;

  /** Block maps over loaded tables; `mount.ts` adds the continuation slots. */
  constructor(parts: { tables: Tables; inodes: InodeTable; bitmap: Bitmap }) {
    this.#tables = parts.tables;
    this.#inodes = parts.inodes;
    this.#bitmap = parts.bitmap;
  }

  /** At mount: the continuation slots of a file, in order. */
  setLeaves(owner: number, slots: number[]): void {
    this.#leaves.set(owner, slots);
  }

  /** Forgets what the open transaction did; call it at its beginning. */
  begin(): void {
    if (this.#changed.size > 0) this.#changed.clear();
  }

  /** What has been changed stays. */
  keep(): void {
    this.begin();
  }

  /** After the tables were reverted: finds the leaves of changed files again. */
  revert(): void {
    for (const owner of this.#changed) this.#leaves.set(owner, this.#scan(owner));
    this.#totals.clear();
  }

  #scan(owner: number): number[] {
    const { slotCount } = this.#tables;
    const found: number[] = [];
    for (let slot = L.FIRST_FILE_SLOT; slot < slotCount; slot++) {
      if (this.#isLeafOf(owner, slot)) found.push(slot);
    }
    return found.sort((a, b) => this.#startOf(a) - this.#startOf(b));
  }

  #isLeafOf(owner: number, slot: number): boolean {
    const { view } = this.#tables;
    return typeOf(view, slot) === L.TYPE.CONTINUATION &&
      liveOwnerOf(view, slot) === owner;
  }

  #startOf(leaf: number): number {
    return this.#tables.view.getUint32(leaf * L.SLOT_BYTES + L.CONTINUATION.FILE_BLOCK, L.LE);
  }

  /** What the file has at one of its blocks. */
  find(owner: number, fileBlock: number): Extent {
    invariant(fileBlock >= 0, "V7: a block before the first of a file");
    const { view } = this.#tables;
    const at = owner * L.SLOT_BYTES;
    const ownCount = view.getUint32(at + L.SLOT.BLOCK_COUNT, L.LE);
    const ownBlocks = ownCount & ~L.UNWRITTEN;
    if (fileBlock < ownBlocks) {
      const block = view.getUint32(at + L.SLOT.FIRST_BLOCK, L.LE) + fileBlock;
      return { block, count: ownBlocks - fileBlock, isUnwritten: ownCount >>> 31 !== 0 };
    }
    const isContinued = (view.getUint8(at + L.SLOT.FLAGS) & L.FLAG_CONTINUED) !== 0;
    if (isContinued) return this.#findInLeaves(this.#listOf(owner), fileBlock);
    return { block: NO_BLOCK, count: L.BLOCKS_MAX - fileBlock, isUnwritten: false };
  }

  #findInLeaves(leaves: readonly number[], fileBlock: number): Extent {
    const index = this.#leafBefore(leaves, fileBlock);
    const found = index < 0 ? null : this.#findInLeaf(leaves[index]!, fileBlock);
    if (found !== null) return found;
    const isLast = index + 1 >= leaves.length;
    const end = isLast ? L.BLOCKS_MAX : this.#startOf(leaves[index + 1]!);
    return { block: NO_BLOCK, count: end - fileBlock, isUnwritten: false };
  }

  /** Null if the leaf does not reach the block: the hole goes on to the next leaf. */
  #findInLeaf(leaf: number, fileBlock: number): Extent | null {
    const { view } = this.#tables;
    const at = leaf * L.SLOT_BYTES;
    let start = view.getUint32(at + L.CONTINUATION.FILE_BLOCK, L.LE);
    const pairs = view.getUint8(at + L.CONTINUATION.RUNS);
    for (let pair = 0; pair < pairs; pair++) {
      const pairAt = at + L.CONTINUATION.PAIRS + pair * L.PAIR_BYTES;
      const block = blockOfPair(view, pairAt);
      const count = countOfPair(view, pairAt);
      const blocks = count & ~L.UNWRITTEN;
      if (fileBlock < start + blocks) {
        return {
          block: block === L.HOLE_BLOCK ? NO_BLOCK : block + fileBlock - start,
          count: start + blocks - fileBlock,
          isUnwritten: count >>> 31 !== 0,
        };
      }
      start += blocks;
    }
    return null;
  }

  #listOf(owner: number): number[] {
    let leaves = this.#leaves.get(owner);
    if (leaves === undefined) this.#leaves.set(owner, leaves = []);
    return leaves;
  }

  /** Index of the last leaf that begins at or before a file block; -1 if none does. */
  #leafBefore(leaves: readonly number[], fileBlock: number): number {
    let low = 0;
    let high = leaves.length;
    while (low < high) {
      const middle = low + high >>> 1;
      if (this.#startOf(leaves[middle]!) <= fileBlock) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** How many blocks the file owns. */
  blocksOf(owner: number): number {
    const { view } = this.#tables;
    const at = owner * L.SLOT_BYTES;
    const own = view.getUint32(at + L.SLOT.BLOCK_COUNT, L.LE) & ~L.UNWRITTEN;
    if ((view.getUint8(at + L.SLOT.FLAGS) & L.FLAG_CONTINUED) === 0) return own;
    let total = this.#totals.get(owner);
    if (total !== undefined) return total;
    total = own;
    for (const leaf of this.#listOf(owner)) {
      for (const run of this.#load(leaf)) total += run.count;
    }
    this.#totals.set(owner, total);
    return total;
  }

  #addToTotal(owner: number, count: number): void {
    const total = this.#totals.get(owner);
    if (total !== undefined) this.#totals.set(owner, total + count);
  }

  /** Every run of the file, in order. */
  runsOf(owner: number): Run[] {
    const runs = this.#loadOwn(owner);
    for (const leaf of this.#listOf(owner)) append(runs, this.#load(leaf));
    return runs;
  }

  #loadOwn(owner: number): Run[] {
    const { view } = this.#tables;
    const at = owner * L.SLOT_BYTES;
    const count = view.getUint32(at + L.SLOT.BLOCK_COUNT, L.LE);
    if (count === 0) return [];
    const block = view.getUint32(at + L.SLOT.FIRST_BLOCK, L.LE);
    return [{ fileBlock: 0, block, count: count & ~L.UNWRITTEN, isUnwritten: count >>> 31 !== 0 }];
  }

  #load(leaf: number): Run[] {
    return runsOfContinuation(this.#tables.view, leaf * L.SLOT_BYTES);
  }

  /** Gives the file a run where it has none. */
  insert(owner: number, run: Run): void {
    invariant(run.count > 0 && run.fileBlock >= 0, "V7: a run of no blocks");
    const isThere = run.block >= 0 && run.block + run.count <= this.#bitmap.blocks;
    invariant(isThere, "V7: a run of blocks that are not there");
    invariant(
      !this.#bitmap.anyFree(run.block, run.count),
      "V2: a run of blocks that was not taken",
    );
    const { view } = this.#tables;
    const ownCount = view.getUint32(owner * L.SLOT_BYTES + L.SLOT.BLOCK_COUNT, L.LE);
    invariant(run.fileBlock >= (ownCount & ~L.UNWRITTEN), "V7: a run over the file's first one");
    invariant(run.fileBlock + run.count <= L.BLOCKS_MAX, "V7: a run past the end of all files");
    this.#addToTotal(owner, run.count);
    this.#place(owner, run);
  }

  #place(owner: number, run: Run): void {
    if (this.#insertOwn(owner, run)) return;
    const leaves = this.#listOf(owner);
    const index = Math.max(0, this.#leafBefore(leaves, run.fileBlock));
    if (leaves.length === 0) {
      this.#addLeaf(owner, 0, [run]);
      return;
    }
    this.#requireOwn(owner, leaves[index]!);
    const runs = this.#load(leaves[index]!);
    const isLast = place(runs, run) && index === leaves.length - 1;
    if (pairsOf(runs) <= L.PAIRS_MAX) this.#store(leaves[index]!, runs);
    else this.#split(owner, index, runs, isLast ? runs.length - 1 : runs.length >> 1);
  }

  /** Whether the run fits into, or continues, the own pair. */
  #insertOwn(owner: number, run: Run): boolean {
    const own = this.#loadOwn(owner)[0];
    if (own === undefined ? run.fileBlock !== 0 : !continues(own, run)) return false;
    this.#storeOwn(owner, own === undefined ? run : { ...own, count: own.count + run.count });
    return true;
  }

  #storeOwn(owner: number, run: Run | null): void {
    const at = this.#tables.edit(owner);
    const { view } = this.#tables;
    const count = run === null ? 0 : run.count + (run.isUnwritten ? L.UNWRITTEN : 0);
    view.setUint32(at + L.SLOT.FIRST_BLOCK, run === null ? 0 : run.block, L.LE);
    view.setUint32(at + L.SLOT.BLOCK_COUNT, count, L.LE);
  }

  /** A leaf is changed by its owner alone, of the generation that it knows. */
  #requireOwn(owner: number, leaf: number): void {
    const isOwn = this.#isLeafOf(owner, leaf);
    invariant(isOwn, "V7: runs of one file in a slot of another");
  }

  #addLeaf(owner: number, index: number, runs: Run[]): void {
    const type = typeOf(this.#tables.view, owner);
    const mayHave = type === L.TYPE.FILE || type === L.TYPE.SYMLINK;
    invariant(mayHave, "V7: slot {} of type {} gets runs", owner, type);
    const leaf = this.#inodes.allocate(L.TYPE.CONTINUATION);
    const { view } = this.#tables;
    const at = leaf * L.SLOT_BYTES;
    const ownerAt = this.#tables.edit(owner);
    view.setUint16(at + L.CONTINUATION.OWNER_GENERATION, generationOf(view, owner), L.LE);
    view.setUint32(at + L.CONTINUATION.OWNER, owner, L.LE);
    view.setUint8(ownerAt + L.SLOT.FLAGS, L.FLAG_CONTINUED);
    if (this.#tables.isHidden(owner)) this.#tables.hide(leaf);
    this.#changed.add(owner);
    this.#listOf(owner).splice(index, 0, leaf);
    this.#store(leaf, runs);
  }

  #store(leaf: number, runs: readonly Run[]): void {
    const at = this.#tables.edit(leaf);
    const { view, slots } = this.#tables;
    invariant(pairsOf(runs) <= L.PAIRS_MAX && runs.length > 0, "V7: a leaf of too many runs");
    slots.fill(0, at + L.CONTINUATION.PAIRS, at + L.SLOT_BYTES);
    view.setUint8(at + L.CONTINUATION.RUNS, pairsOf(runs));
    view.setUint32(at + L.CONTINUATION.FILE_BLOCK, runs[0]!.fileBlock, L.LE);
    let pairAt = at + L.CONTINUATION.PAIRS;
    let expected = runs[0]!.fileBlock;
    for (const run of runs) {
      if (run.fileBlock > expected) {
        putPair(view, pairAt, L.HOLE_BLOCK, run.fileBlock - expected);
        pairAt += L.PAIR_BYTES;
      }
      putPair(view, pairAt, run.block, run.count + (run.isUnwritten ? L.UNWRITTEN : 0));
      pairAt += L.PAIR_BYTES;
      expected = run.fileBlock + run.count;
    }
  }

  /** Runs before `at` stay in the leaf, the others go to a new one after it. */
  #split(owner: number, index: number, runs: Run[], at: number): void {
    this.#store(this.#listOf(owner)[index]!, runs.slice(0, at));
    this.#addLeaf(owner, index + 1, runs.slice(at));
  }

  /**
   * Takes file blocks `[from, to)` away from the file, beginning at the end, and gives them back
   * unless they are `kept`. Changes at most about `leavesMax` leaves; whether nothing is left to do.
   */
  remove(
    owner: number,
    range: { from: number; to: number; kept?: boolean; leavesMax?: number },
  ): boolean {
    const { from, to, leavesMax = Infinity } = range;
    invariant(from >= 0 && from <= to, "V7: a range that ends before it begins");
    const leaves = this.#listOf(owner);
    let changes = 0;
    for (let index = this.#leafBefore(leaves, to - 1); index >= 0; index--) {
      const runs = this.#load(leaves[index]!);
      const last = runs[runs.length - 1]!;
      if (last.fileBlock + last.count <= from) break;
      if (changes++ >= leavesMax) return false;
      const rest = this.#cut(runs, range);
      this.#addToTotal(owner, -this.#cutBlocks);
      this.#putLeaf(owner, index, rest);
    }
    const own = this.#loadOwn(owner);
    if (own.length > 0 && own[0]!.count > from) this.#removeOwn(owner, own, range);
    return true;
  }

  #putLeaf(owner: number, index: number, runs: Run[]): void {
    const leaves = this.#listOf(owner);
    this.#requireOwn(owner, leaves[index]!);
    if (runs.length === 0) {
      this.#inodes.release(leaves[index]!);
      this.#changed.add(owner);
      leaves.splice(index, 1);
      if (leaves.length === 0) this.#endContinuation(owner);
    } else if (pairsOf(runs) <= L.PAIRS_MAX) this.#store(leaves[index]!, runs);
    else this.#split(owner, index, runs, runs.length >> 1);
  }

  #endContinuation(owner: number): void {
    this.#tables.view.setUint8(this.#tables.edit(owner) + L.SLOT.FLAGS, 0);
  }

  #removeOwn(owner: number, own: Run[], range: { from: number; to: number; kept?: boolean }): void {
    const rest = this.#cut(own, range);
    this.#addToTotal(owner, -this.#cutBlocks);
    const first = rest[0]?.fileBlock === 0 ? rest.shift()! : null;
    this.#storeOwn(owner, first);
    for (const run of rest) this.#place(owner, run);
  }

  /** What of the runs lies outside of the range. */
  #cut(runs: readonly Run[], range: { from: number; to: number; kept?: boolean }): Run[] {
    const rest: Run[] = [];
    this.#cutBlocks = 0;
    for (const run of runs) {
      const end = run.fileBlock + run.count;
      const from = Math.max(run.fileBlock, range.from);
      const to = Math.min(end, range.to);
      if (from >= to) {
        rest.push(run);
        continue;
      }
      this.#cutBlocks += to - from;
      if (!range.kept) this.#bitmap.give(run.block + from - run.fileBlock, to - from);
      if (from > run.fileBlock) rest.push({ ...run, count: from - run.fileBlock });
      if (to < end) {
        const block = run.block + to - run.fileBlock;
        rest.push({ ...run, fileBlock: to, block, count: end - to });
      }
    }
    return rest;
  }

  /** The continuation slots of an unlinked file: without their owner they are free on disk. */
  hide(owner: number): void {
    for (const leaf of this.#leaves.get(owner) ?? []) this.#tables.hideQuietly(leaf);
  }

  /** The continuation slots of a file, in order. */
  leavesOf(owner: number): readonly number[] {
    return this.#leaves.get(owner) ?? [];
  }

  /** The file is gone. */
  forget(owner: number): void {
    if (this.#leaves.delete(owner)) this.#changed.add(owner);
    this.#totals.delete(owner);
  }
}

/** The runs of the continuation slot at `at`, holes left out. */
export function runsOfContinuation(view: DataView, at: number): Run[] {
  const runs: Run[] = [];
  let fileBlock = view.getUint32(at + L.CONTINUATION.FILE_BLOCK, L.LE);
  const pairs = Math.min(L.PAIRS_MAX, view.getUint8(at + L.CONTINUATION.RUNS));
  for (let pair = 0; pair < pairs; pair++) {
    const pairAt = at + L.CONTINUATION.PAIRS + pair * L.PAIR_BYTES;
    const block = blockOfPair(view, pairAt);
    const stored = countOfPair(view, pairAt);
    const count = stored & ~L.UNWRITTEN;
    if (block !== L.HOLE_BLOCK) {
      runs.push({ fileBlock, block, count, isUnwritten: stored >>> 31 !== 0 });
    }
    fileBlock += count;
  }
  return runs;
}

function continues(before: Run, run: Run): boolean {
  return before.fileBlock + before.count === run.fileBlock &&
    before.block + before.count === run.block && before.isUnwritten === run.isUnwritten;
}

/** Puts a run among others in order, joined to its neighbours; whether it is or joined the last. */
function place(runs: Run[], run: Run): boolean {
  let index = runs.length;
  while (index > 0 && runs[index - 1]!.fileBlock > run.fileBlock) index--;
  const before = runs[index - 1];
  const after = runs[index];
  invariant(
    before === undefined || before.fileBlock + before.count <= run.fileBlock,
    "V7: a run over another one",
  );
  if (before !== undefined && continues(before, run)) {
    runs[--index] = run = { ...before, count: before.count + run.count };
  } else runs.splice(index, 0, run);
  if (after !== undefined && continues(run, after)) {
    runs.splice(index, 2, { ...run, count: run.count + after.count });
  }
  return index === runs.length - 1;
}

/** How many pairs a leaf of these runs has: each gap is one. */
function pairsOf(runs: readonly Run[]): number {
  let pairs = runs.length;
  for (let index = 1; index < runs.length; index++) {
    const before = runs[index - 1]!;
    if (before.fileBlock + before.count < runs[index]!.fileBlock) pairs++;
  }
  return pairs;
}
