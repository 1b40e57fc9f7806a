/**
 * Importing an image of `@componentor/fs`: the engine reads it, and this says how.
 *
 * Layer: cli, under `import.ts`.
 *
 * @module
 */
import { ErrnoError } from "../../mod.ts";
import {
  fileHandle,
  Findings,
  type HostFileHandle,
  importSteps,
  readVersion1,
  type TransferSteps,
  type Version1Image,
} from "../../opfs/mod.ts";
import type { ImportSource, Target } from "./ends.ts";
import { at, type Terminal } from "../shared/verb.ts";
import { findingLine } from "../shared/words.ts";

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
  handle: HostFileHandle,
  { volume, clock, nowMs }: Target,
  { repair, terminal }: { repair: boolean; terminal: Terminal },
): TransferSteps {
  const image = scan(handle, repair, terminal);
  return whole(handle, importSteps(image, volume, { clock, nowMs, repair }));
}

/** Its owner takes no lock that we could ask for: an image of two moments is not imported. */
function* whole(handle: HostFileHandle, steps: TransferSteps): TransferSteps {
  const report = yield* steps;
  if (!handle.isChanged()) return report;
  throw new ErrnoError("EBUSY", "import it", { why: "it was written while it was read" });
}

/** Reads the image; when that is refused, what was found up to there is said all the same. */
function scan(handle: HostFileHandle, repair: boolean, terminal: Terminal): Version1Image {
  const findings = new Findings();
  try {
    return readVersion1(handle, { repair, findings });
  } catch (error) {
    for (const finding of findings.list) terminal.say(findingLine(finding));
    throw error;
  }
}
