/**
 * What import and export have in common: findings, progress, and the clock that gives each inode
 * the times of its source.
 *
 * Layer: opfs/volume, bottom. Long work is a generator that yields {@link Progress} often enough to
 * react to a signal or repaint in between; `runToEnd(steps)` runs it at once.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import type { VolumeOps } from "../../volume_ops.ts";

/**
 * How much a finding matters. `"note"`: nothing is missing. `"changed"`: it is there, but not as it
 * was. `"lost"`: it is not there. `"refused"`: the whole transfer stops unless a repair is asked for.
 */
export type Severity = "note" | "changed" | "lost" | "refused";

/** One thing that a reader of the result should know. */
export interface Finding {
  /** What kind of thing, such as `"path-used"`: stable, for programs. */
  code: string;
  /** How much it matters. */
  severity: Severity;
  /** What, with the numbers concerned: for people. */
  message: string;
  /** Whom it is about. */
  path?: string;
  /** Which slot of a version-1 image it is about. */
  slot?: number;
}

/** More findings than this are counted but not kept: a hostile image has millions. */
export const FINDINGS_MAX = 10_000;

/** Collects findings in bounded memory. */
export class Findings {
  /** The first {@link FINDINGS_MAX}, in the order in which they were made. */
  readonly list: Finding[] = [];
  readonly #counts: Record<Severity, number> = { note: 0, changed: 0, lost: 0, refused: 0 };

  /** Takes one more. Of path and message it keeps the first 1,024 letters. */
  add(finding: Finding): void {
    this.#counts[finding.severity]++;
    if (this.list.length < FINDINGS_MAX) this.list.push(clipped(finding));
    else if (finding.severity === "refused") this.#makeRoomFor(clipped(finding));
  }

  /** Gives findings that name only a slot the path that it has got. */
  namePaths(pathOf: (slot: number) => string | undefined): void {
    this.list.forEach((finding, index) => {
      const { slot, path } = finding;
      const found = slot === undefined || path !== undefined ? undefined : pathOf(slot);
      if (found !== undefined) this.list[index] = clipped({ ...finding, path: found });
    });
  }

  /** What stops everything is kept even when the list is full. */
  #makeRoomFor(finding: Finding): void {
    if (this.#counts.refused > 1) return;
    this.list[FINDINGS_MAX - 1] = finding;
  }

  /** How many findings have a severity, including those that were not kept. */
  count(severity: Severity): number {
    return this.#counts[severity];
  }

  /** How many were not kept. */
  get dropped(): number {
    const { note, changed, lost, refused } = this.#counts;
    return note + changed + lost + refused - this.list.length;
  }

  /** Whether everything is there, as it was. */
  get isComplete(): boolean {
    return this.#counts.changed + this.#counts.lost + this.#counts.refused === 0;
  }
}

/** A path of version 1 may have 65,535 bytes; it is not worth ten thousand reads. */
const TEXT_CHARS_MAX = 1024;

function clipped(finding: Finding): Finding {
  const { path, message } = finding;
  const isShort = message.length <= TEXT_CHARS_MAX && (path?.length ?? 0) <= TEXT_CHARS_MAX;
  if (isShort) return finding;
  const short = { ...finding, message: clip(message) };
  return path === undefined ? short : { ...short, path: clip(path) };
}

function clip(text: string): string {
  if (text.length <= TEXT_CHARS_MAX) return text;
  // A copy, because a slice would keep the whole text alive.
  return new TextDecoder().decode(new TextEncoder().encode(`${text.slice(0, TEXT_CHARS_MAX)}…`));
}

/** What has been carried over. */
export interface TransferCounts {
  /** Regular files. */
  files: number;
  /** Directories, the root among them. */
  directories: number;
  /** Symbolic links. */
  symlinks: number;
  /** FIFOs, sockets, devices. */
  special: number;
  /** Second names. */
  hardLinks: number;
  /** Bytes of contents. */
  bytes: number;
}

/** Nothing yet. */
export function noCounts(): TransferCounts {
  return { files: 0, directories: 0, symlinks: 0, special: 0, hardLinks: 0, bytes: 0 };
}

/** How a transfer ended. */
export interface TransferReport extends TransferCounts {
  /** Whether everything is there, as it was. */
  isComplete: boolean;
  /** The findings, in order; at most {@link FINDINGS_MAX}. */
  findings: Finding[];
  /** Findings that were only counted. */
  droppedFindings: number;
}

/** The report of a transfer. */
export function reportOf(counts: TransferCounts, findings: Findings): TransferReport {
  const { isComplete, list, dropped } = findings;
  return { ...counts, isComplete, findings: list, droppedFindings: dropped };
}

/** How far a transfer is. */
export interface Progress {
  /** Bytes of contents carried over. */
  doneBytes: number;
  /** Bytes of contents in all. */
  totalBytes: number;
}

/** A transfer, step by step; its result is the report. */
export type TransferSteps = Generator<Progress, TransferReport, void>;

/** Takes all steps and returns the report. */
export function runToEnd(
  steps: TransferSteps,
  onProgress?: (progress: Progress) => void,
): TransferReport {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    onProgress?.(step.value);
  }
}

/**
 * A clock that says the time it was set to: the volume under it stamps each inode with the ctime
 * that the source has. Use: `openVolumeSync(handle, { clock: clock.read })`.
 */
export class TransferClock {
  /** The time in ms. */
  nowMs = 0;
  /** Reads the clock; made to be handed in. */
  readonly read = (): number => this.nowMs;
}

/** Contents are carried in pieces of this many bytes. */
export const PIECE_BYTES: number = 1024 * 1024;

/** Every entry of a directory, by name; what the volume hands out piece by piece. */
export function namesIn(volume: VolumeOps, directory: number): string[] {
  const names: string[] = [];
  for (let after = 0;;) {
    const entries = volume.readdir(directory, after);
    if (entries.length === 0) return names;
    for (const entry of entries) {
      invariant(entry.cursor > after, "V5: a listing goes from {} to {}", after, entry.cursor);
      names.push(entry.name);
      after = entry.cursor;
    }
  }
}
