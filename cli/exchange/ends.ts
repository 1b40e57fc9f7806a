/**
 * The ends of an import and of an export: what each kind of source or target does for the verb.
 *
 * Layer: cli, below `import.ts` and `export.ts` and their kinds (`import_tar.ts`, `export_folder.ts`…).
 *
 * @module
 */
import type { Findings, TransferClock, TransferReport, VolumeOps } from "../../opfs/mod.ts";
import type { Steps } from "../shared/steps.ts";

/** A volume on its way, and what goes into it. */
export interface Target {
  /** The new volume. */
  volume: VolumeOps;
  /** The clock that it was opened with. */
  clock: TransferClock;
  /** The time for what has none, in ms. */
  nowMs: number;
  /** Where it is said what a reader of the result should know. */
  findings: Findings;
}

/** Something that can be imported. */
export interface ImportSource {
  /** Carries everything over. */
  steps(target: Target): Steps<TransferReport>;
  /** Lets go of it. */
  close(): void;
}

/** Where an export goes. */
export interface ExportTarget {
  /** Carries everything over. */
  steps(volume: VolumeOps): Steps<TransferReport>;
  /** Gives it its name. */
  keep(): void;
  /** Removes it, unless it has been kept. */
  discard(): void;
}
