/**
 * Importing an image of `@componentor/fs`: the engine reads it, and this says how.
 *
 * Layer: cli, under `import.ts`.
 *
 * @module
 */
import {
  fileHandle,
  Findings,
  importSteps,
  readVersion1,
  type StorageHandle,
  type TransferSteps,
  type Version1Image,
} from "../opfs/mod.ts";
import type { ImportSource, Target } from "./ends.ts";
import { at, type Terminal } from "./verb.ts";
import { findingLine } from "./words.ts";

/** An image in a host file; with `repair` also one whose damage would mix files up. */
export function openVersion1(
  path: string,
  { repair, terminal }: { repair: boolean; terminal: Terminal },
): ImportSource {
  const handle = at(path, () => fileHandle(path, { create: false, readOnly: true }));
  return {
    steps: (target) => at(path, () => stepsOf(handle, target, { repair, terminal })),
    close: () => handle.close(),
  };
}

function stepsOf(
  handle: StorageHandle,
  { volume, clock, nowMs }: Target,
  { repair, terminal }: { repair: boolean; terminal: Terminal },
): TransferSteps {
  return importSteps(scan(handle, repair, terminal), volume, { clock, nowMs, repair });
}

/** Reads the image; when that is refused, what was found up to there is said all the same. */
function scan(handle: StorageHandle, repair: boolean, terminal: Terminal): Version1Image {
  const findings = new Findings();
  try {
    return readVersion1(handle, { repair, findings });
  } catch (error) {
    for (const finding of findings.list) terminal.say(findingLine(finding));
    throw error;
  }
}
