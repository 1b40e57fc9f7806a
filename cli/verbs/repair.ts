/**
 * The repairing half of `cairn check --repair`.
 *
 * Layer: cli. What is derivable is put right in place. For anything else the volume is made anew
 * beside its place, checked, and takes the name in one step; the damaged one stays, under a name of
 * its own.
 *
 * @module
 */
import {
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { codeOfHost, ErrnoError } from "../../mod.ts";
import {
  checkVolume,
  fileHandle,
  mendVolume,
  repairSteps,
  type Report,
  type StorageHandle,
  type TransferReport,
} from "../../opfs/mod.ts";
import { copyOwnerAndMode, makeTemporary } from "../shared/new_file.ts";
import { isSameFile } from "../shared/place.ts";
import { type Interrupts, pause, showing, takeSteps } from "../shared/steps.ts";
import { at, atLength, type Terminal } from "../shared/verb.ts";

/** What a repair came to. */
export interface Repaired {
  /** What was found before. */
  before: Report;
  /** How the new volume was filled; null if the old one was put right in place, or was clean. */
  transfer: TransferReport | null;
  /** Where the damaged volume is now; "" if it is where it was. */
  kept: string;
}

/** Repairs the volume in a host file. No other process may have it open. */
export async function repairImage(
  said: string,
  { terminal, interrupts }: { terminal: Terminal; interrupts: Interrupts },
): Promise<Repaired> {
  const handle = at(said, () => fileHandle(said, { create: false }));
  // Of a link what it leads to is repaired, under its own name.
  const image = at(said, () => isLinkAt(said) ? realpathSync(said) : said);
  try {
    const before = at(image, () => checkShown(handle, terminal));
    if (before.clean) return { before, transfer: null, kept: "" };
    await pause(interrupts);
    if (before.violations.every(({ isDerivable }) => isDerivable)) {
      at(image, () => mend(handle));
      return { before, transfer: null, kept: "" };
    }
    at(said, () => requireOneName(image));
    const temporary = at(image, () => makeTemporary(image, "repaired"));
    try {
      const transfer = await makeAnew(handle, temporary, { terminal, interrupts });
      const kept = at(image, () => exchange(image, temporary));
      return { before, transfer, kept };
    } finally {
      rmSync(temporary, { force: true });
    }
  } finally {
    handle.close();
  }
}

/** Checks a volume and shows how far that is. */
export function checkShown(handle: StorageHandle, terminal: Terminal): Report {
  const shown = { terminal, label: "checking" };
  return showing(shown, (onProgress) => checkVolume(handle, { onProgress }));
}

function mend(handle: StorageHandle): void {
  const [left] = mendVolume(handle).violations;
  if (left === undefined) return;
  throw new ErrnoError("EIO", "mend the volume", { why: `${left.rule}: ${left.message}` });
}

async function makeAnew(
  damaged: StorageHandle,
  path: string,
  { terminal, interrupts }: { terminal: Terminal; interrupts: Interrupts },
): Promise<TransferReport> {
  const target = at(path, () => fileHandle(path));
  try {
    const steps = repairSteps(damaged, target);
    const options = { terminal, label: "repairing", interrupts };
    const report = await atLength(path, () => takeSteps(steps, options));
    const [worst] = checkShown(target, terminal).violations;
    if (worst !== undefined) {
      throw new ErrnoError("EIO", "keep what was repaired", {
        why: `${worst.rule}: ${worst.message}`,
      });
    }
    target.flush();
    return report;
  } finally {
    target.close();
  }
}

function isLinkAt(path: string): boolean {
  return lstatSync(path).isSymbolicLink();
}

/** A second name would go on leading to the damaged volume. What an earlier repair has kept does no harm. */
function requireOneName(image: string): void {
  const { nlink } = statSync(image);
  const kept = keptNames(image, nlink).filter((name) => isSameFile(name, image));
  if (nlink - kept.length <= 1) return;
  const why = "it has several names, and the others would lead to the damaged volume";
  throw new ErrnoError("EMLINK", "repair it", { why: `${why}; copy it, and repair the copy` });
}

/** The first names that the damaged volume may get. */
function keptNames(image: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => keptName(image, index));
}

function keptName(image: string, index: number): string {
  return `${image}.damaged${index === 0 ? "" : `-${index + 1}`}`;
}

/** The new volume takes the name, the old one a new name; at no time has no file the name. */
function exchange(image: string, temporary: string): string {
  copyOwnerAndMode(temporary, statSync(image));
  const kept = keep(image);
  renameSync(temporary, image);
  const fd = openSync(dirname(image), "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  return kept;
}

/** Gives the damaged volume its new name, which no file has. */
function keep(image: string): string {
  for (let index = 0;; index++) {
    const kept = keptName(image, index);
    try {
      linkSync(image, kept);
      return kept;
    } catch (error) {
      if (codeOfHost(error) === "EEXIST") continue;
      // A filesystem that knows no second names: for a moment no file has the name.
      if (lstatSync(kept, { throwIfNoEntry: false }) !== undefined) continue;
      renameSync(image, kept);
      return kept;
    }
  }
}
