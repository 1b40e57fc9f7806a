/**
 * What a volume is like, and what it has done: numbers for those who watch it.
 *
 * Layer: opfs/volume, under `volume.ts`.
 *
 * @module
 */
import type { PoolMetrics } from "./memory/pool_types.ts";
import type { Journal, JournalMetrics } from "./journal/journal.ts";
import type { VolumeState } from "./state.ts";

/** What a volume is like at the moment. */
export interface VolumeStats {
  /** "open", "failed" or "closed". */
  state: "open" | "failed" | "closed";
  /** Bytes of a block. */
  blockSize: number;
  /** Blocks in the file. */
  blocks: number;
  /** Blocks without an owner. */
  freeBlocks: number;
  /** Slots. */
  slots: number;
  /** Slots that are not used. */
  freeSlots: number;
  /** Names, hard links among them. */
  names: number;
  /** Bytes of the path table in use. */
  nameBytes: number;
  /** Unlinked files that are still open. */
  orphans: number;
  /** Mounts for writing so far. */
  term: number;
  /** Blocks in the memory pool. */
  poolBlocks: number;
  /** Blocks in the memory pool that differ from the device. */
  dirtyBlocks: number;
  /** Blocks that come free with the next durable commit or checkpoint. */
  quarantinedBlocks: number;
  /** Bytes of the journal's ring in use. */
  journalBytes: number;
}

/** What a volume has done since it was opened. */
export interface EngineMetrics extends PoolMetrics, JournalMetrics {}

/** The state and counts of a volume. */
export function statsOf(state: VolumeState, journal: Journal | null): VolumeStats {
  const { bitmap, tables, inodes, paths, orphans, header, failure, isClosed, pool } = state;
  return {
    state: isClosed ? "closed" : failure !== null ? "failed" : "open",
    blockSize: state.blockSize,
    blocks: bitmap.blocks,
    freeBlocks: bitmap.unowned,
    slots: tables.slotCount,
    freeSlots: inodes.free,
    names: paths.count,
    nameBytes: paths.usedBytes,
    orphans: orphans.size,
    term: header.term,
    poolBlocks: pool.blocks,
    dirtyBlocks: pool.dirtyBlocks,
    quarantinedBlocks: bitmap.quarantined,
    journalBytes: journal?.usedBytes ?? 0,
  };
}

/** What pool and journal have done. */
export function metricsOf(state: VolumeState, journal: Journal | null): EngineMetrics {
  return { ...state.pool.metrics, ...(journal?.metrics ?? NO_JOURNAL) };
}

const NO_JOURNAL: JournalMetrics = { commits: 0, checkpoints: 0, flushes: 0, recordBytes: 0 };
