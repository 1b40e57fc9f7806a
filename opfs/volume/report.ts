/**
 * What mount and check have to say.
 *
 * Layer: opfs/volume, bottom (types only).
 *
 * @module
 */

/** One broken rule of docs/FORMAT.md. */
export interface Violation {
  /** Its number, such as "V1". */
  rule: string;
  /** What is wrong, with the slots, blocks or offsets concerned. */
  message: string;
  /** Whether mounting for writing corrects it without losing anything. */
  isDerivable: boolean;
}

/** What mounting found. */
export interface MountReport {
  /** Whether the device was empty and has been formatted. */
  formatted: boolean;
  /** Whether the last holder closed it cleanly. */
  wasClean: boolean;
  /** Journal records that were replayed. */
  replayedRecords: number;
  /** What was wrong in derivable fields, and is right now. */
  corrected: Violation[];
}

/** What a check found. */
export interface Report {
  /** Whether nothing is wrong. */
  clean: boolean;
  /** Whether the last holder closed it cleanly. */
  wasClean: boolean;
  /** Everything that is wrong. */
  violations: Violation[];
  /** Journal records that a mount would replay. */
  replayedRecords: number;
  /** Regular and special files. */
  files: number;
  /** Directories, the root among them. */
  directories: number;
  /** Symbolic links. */
  symlinks: number;
  /** Second names. */
  hardLinks: number;
  /** Blocks in the file. */
  totalBlocks: number;
  /** Blocks owned by files and tables. */
  usedBlocks: number;
}
