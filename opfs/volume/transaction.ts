/**
 * The transaction over all parts of a mounted volume, and what is needed to revert a call.
 *
 * Layer: opfs/volume, below `state.ts`, the only user of the class. A call consists of steps; each step is done
 * completely or not at all. Where each call is durable before it returns, steps that are kept are
 * *held*: until the commit has succeeded, everything that undoes them is kept, and the space that
 * they free is not used. `settle` ends that after the commit; `undo` reverts all of them when it is
 * refused.
 *
 * @module
 */
import type { Bitmap } from "./memory/bitmap.ts";
import type { BlockPool } from "./memory/block_pool.ts";
import type { Extents } from "./memory/extent.ts";
import type { InodeTable } from "./memory/inode_table.ts";
import type { PathTable } from "./memory/path_table.ts";
import type { Tables } from "./memory/tables.ts";

/** What a step is. */
export interface StepOptions {
  /** Whether it frees space, which a full device allows. */
  isFreeing?: boolean;
  /** Whether it stays when the call around it is reverted: nothing depends on it. */
  isFinal?: boolean;
}

/** An ordinary step. */
export const PLAIN_STEP: StepOptions = {};
/** A step that frees space. */
export const FREEING: StepOptions = { isFreeing: true };
/** A step that stays, whatever happens to the call. */
export const FINAL: StepOptions = { isFinal: true };

/** What a transaction covers. */
export interface TransactionParts {
  /** Slots and names. */
  readonly tables: Tables;
  /** Inode slots. */
  readonly inodes: InodeTable;
  /** The index of names. */
  readonly paths: PathTable;
  /** Used blocks. */
  readonly bitmap: Bitmap;
  /** Block maps. */
  readonly extents: Extents;
  /** Cached file data. */
  readonly pool: BlockPool;
}

/** The open step of one volume, and the steps that wait for their commit. */
export class Transaction {
  readonly #parts: TransactionParts;
  readonly #undos: (() => void)[] = [];
  #undoMark = 0;
  #isHeld = false;
  #settled = 0;

  /** A transaction that is not open. */
  constructor(parts: TransactionParts) {
    this.#parts = parts;
  }

  /** Whether there are kept steps that may still be reverted. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** How often held steps have become final. */
  get settled(): number {
    return this.#settled;
  }

  /** Opens a step. */
  begin(): void {
    const { tables, inodes, paths, bitmap, extents } = this.#parts;
    if (this.#isHeld) {
      this.#mark();
      tables.reopen();
      return;
    }
    tables.begin();
    inodes.begin();
    paths.begin();
    bitmap.begin();
    extents.begin();
    if (this.#undos.length > 0) this.#undos.length = 0;
    this.#undoMark = 0;
  }

  /** Marks what the next revert leaves alone. */
  #mark(): void {
    const { inodes, paths, bitmap } = this.#parts;
    inodes.mark();
    paths.mark();
    bitmap.mark();
    this.#undoMark = this.#undos.length;
  }

  /** Closes the step: it is done, and nothing reverts it. */
  keep(): void {
    this.#parts.tables.keep();
    this.#finish();
  }

  /** Closes the step: it is done, unless the commit is refused. */
  hold(): void {
    this.#parts.tables.hold();
    this.#mark();
    this.#isHeld = true;
  }

  /** Frees what the steps gave back, now or with the next commit. */
  #finish(): void {
    const { inodes, paths, bitmap, extents } = this.#parts;
    inodes.keep();
    paths.keep();
    this.#dropRuns(bitmap.given);
    bitmap.keep();
    extents.keep();
    if (this.#undos.length > 0) this.#undos.length = 0;
  }

  /** Registers what undoes a change that no part records. */
  onRevert(undo: () => void): void {
    this.#undos.push(undo);
  }

  /** Closes the step: it is reverted. */
  revert(): void {
    const { tables, inodes, paths, bitmap, extents } = this.#parts;
    while (this.#undos.length > this.#undoMark) this.#undos.pop()!();
    tables.revert();
    inodes.revert();
    paths.revert();
    this.#dropRuns(bitmap.taken, bitmap.takenMark);
    bitmap.revert();
    extents.revert();
  }

  /**
   * Makes the held steps final: a commit has succeeded, or they are not to be reverted any more.
   */
  settle(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#settled++;
    this.#parts.tables.release();
    this.#parts.pool.forgetBefore();
    this.#finish();
  }

  /** Reverts all held steps. */
  undo(): void {
    if (!this.#isHeld) return;
    const { tables, inodes, paths, bitmap, pool } = this.#parts;
    this.#isHeld = false;
    this.#undoMark = 0;
    pool.takeBack();
    tables.takeBack();
    for (const part of [inodes, paths, bitmap]) part.unmark();
    this.revert();
  }

  #dropRuns(runs: readonly number[], from = 0): void {
    const { pool } = this.#parts;
    for (let index = from; index < runs.length; index += 2) {
      pool.dropRun(runs[index]!, runs[index + 1]!);
    }
  }
}
