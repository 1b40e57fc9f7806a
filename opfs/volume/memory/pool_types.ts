/**
 * What the pool of blocks needs, and what it counts.
 *
 * Layer: opfs/volume, beside `block_pool.ts`.
 *
 * @module
 */

/** How the pool reaches the blocks of the device. */
export interface BlockDevice {
  /** Fills `into` from the start of a block on. */
  readBlocks(into: Uint8Array, block: number): void;
  /** Writes whole blocks. */
  writeBlocks(from: Uint8Array, block: number): void;
}

/** What the pool has done, since the volume was opened. */
export interface PoolMetrics {
  /** Blocks that were asked for and were there. */
  hits: number;
  /** Blocks that had to be read. */
  misses: number;
  /** Times that all dirty blocks were written back for want of room. */
  writeBacks: number;
}

/** Bytes of a replayed record that lie over a block. */
export interface Patch {
  /** Where in the block. */
  offset: number;
  /** What. */
  bytes: Uint8Array;
}
