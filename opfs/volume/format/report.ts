/**
 * What mount and check have to say.
 *
 * Layer: opfs/volume, bottom.
 *
 * @module
 */

import { ErrnoError } from "../../../abi/errno.ts";

/** One broken rule of docs/FORMAT.md. */
export interface Violation {
  /** Its number, such as "V1". */
  rule: string;
  /** What is wrong, with the slots, blocks or offsets concerned. */
  message: string;
  /** Whether mounting for writing corrects it without losing anything. */
  isDerivable: boolean;
}

/** Receives each broken rule from those who can go on after it; without one they throw. */
export type OnViolation = (violation: Violation) => void;

/** An image that breaks a rule which nothing else in it restores. */
export class DamageError extends ErrnoError {
  /** The broken rule. */
  readonly violation: Violation;

  /** `message` says what is wrong, `action` what cannot be done because of it. */
  constructor(rule: string, message: string, action = "open the volume") {
    super("EIO", action, { why: `${rule}: ${message}` });
    this.violation = { rule, message, isDerivable: false };
  }
}

/** Reports the damage in an error to the listener; without one, and for other errors, throws. */
export function reportOrThrow(error: unknown, onViolation: OnViolation | undefined): void {
  if (onViolation === undefined || !(error instanceof DamageError)) throw error;
  onViolation(error.violation);
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
  /** Extended attributes. */
  attributes: number;
  /** Blocks in the file. */
  totalBlocks: number;
  /** Blocks owned by files and tables. */
  usedBlocks: number;
}
