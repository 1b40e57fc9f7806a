/**
 * Exporting to an image of `@componentor/fs`: the engine writes it, and this says how.
 *
 * Layer: cli, under `export.ts`.
 *
 * @module
 */
import { exportSteps, fileHandle, type Progress, type TransferReport } from "../../opfs/mod.ts";
import type { ExportTarget } from "./ends.ts";
import { newFile } from "../shared/new_file.ts";
import { at } from "../shared/verb.ts";

/** An image in a host file, with room for so many more names. */
export function toVersion1(
  path: string,
  { force, spareSlots }: { force: boolean; spareSlots: number | undefined },
): ExportTarget {
  const file = at(path, () => newFile(path, { force }));
  return {
    *steps(volume): Generator<Progress, TransferReport, void> {
      const handle = fileHandle(file.path);
      try {
        return yield* exportSteps(volume, handle, { spareSlots });
      } finally {
        handle.close();
      }
    },
    keep: () => file.keep(),
    discard: () => file.discard(),
  };
}
