/**
 * The repairing half of `cairn check --repair`.
 *
 * Layer: cli. What is derivable is put right in place. For anything else the volume is made anew
 * beside its place, checked, and takes the name in one step; the damaged one stays, under a name of
 * its own.
 *
 * @module
 */
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { ErrnoError } from "../mod.ts";
import {
  checkVolume,
  fileHandle,
  mendVolume,
  repairSteps,
  type Report,
  type StorageHandle,
  type TransferReport,
} from "../opfs/mod.ts";
import { makeBeside } from "./new_file.ts";
import { type Interrupts, pause, showing, takeSteps } from "./steps.ts";
import { at, atLength, type Terminal } from "./verb.ts";

/** What a repair came to. */
export interface Repaired {
  /** What was found before. */
  before: Report;
  /** How the new volume was filled; null if the old one was put right in place, or was clean. */
  transfer: TransferReport | null;
  /** Where the damaged volume is now; "" if it is where it was. */
  kept: string;
}

/** Repairs the volume in a host file. Nobody else may have it open. */
export async function repairImage(
  image: string,
  { terminal, interrupts }: { terminal: Terminal; interrupts: Interrupts },
): Promise<Repaired> {
  const handle = at(image, () => fileHandle(image, { create: false }));
  try {
    const before = at(image, () => checkShown(handle, terminal));
    if (before.clean) return { before, transfer: null, kept: "" };
    await pause(interrupts);
    if (before.violations.every(({ isDerivable }) => isDerivable)) {
      at(image, () => mend(handle));
      return { before, transfer: null, kept: "" };
    }
    const temporary = at(image, () => makeBeside(image, "repaired"));
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
  throw new ErrnoError("EIO", `mend the volume: ${left.rule}: ${left.message}`);
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
      throw new ErrnoError("EIO", `keep what was repaired: ${worst.rule}: ${worst.message}`);
    }
    target.flush();
    return report;
  } finally {
    target.close();
  }
}

/** The new volume takes the name, the old one a new name; at no time has nobody the name. */
function exchange(image: string, temporary: string): string {
  let kept = `${image}.damaged`;
  for (let number = 2; existsSync(kept); number++) kept = `${image}.damaged-${number}`;
  linkSync(image, kept);
  renameSync(temporary, image);
  const fd = openSync(dirname(image), "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  return kept;
}
