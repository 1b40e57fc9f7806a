/**
 * What has been carried over, and the report that comes of it.
 *
 * Layer: cli, bottom, under whatever copies, imports and exports.
 *
 * @module
 */
import type { Findings, TransferCounts, TransferReport } from "../../opfs/mod.ts";

/** Nothing yet. */
export function noCounts(): TransferCounts {
  return { files: 0, directories: 0, symlinks: 0, special: 0, hardLinks: 0, bytes: 0 };
}

/** The report of what has been counted and found. */
export function reportOf(counts: TransferCounts, findings: Findings): TransferReport {
  const { isComplete, list, dropped } = findings;
  return { ...counts, isComplete, findings: list, droppedFindings: dropped };
}
