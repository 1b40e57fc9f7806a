/**
 * Check: every broken rule of an image in one pass, without changing it.
 *
 * Layer: opfs/volume. V9 and V10 are found on the way in (`image.ts`), V1 to V8 and V17 in the slots
 * (`scan.ts`) and around the headers; counters and bitmap only when the volume was closed cleanly,
 * because they may be out of date while it is in use. Every test of a volume ends with it.
 *
 * @module
 */
import { append } from "../../../abi/lists.ts";
import type { StorageHandle } from "../../device/handle.ts";
import { summedViolations } from "./check_sums.ts";
import { loadImage } from "../load/image.ts";
import { imageViolations } from "../load/image_rules.ts";
import * as L from "../format/layout.ts";
import type { Report, Violation } from "../format/report.ts";
import { type Derived, scan } from "../load/scan.ts";
import type { Progress } from "../upkeep/transfer.ts";

/** How {@link checkVolume} goes about it. */
export interface CheckOptions {
  /** Called with how much of the tables has been looked at. */
  onProgress?: (progress: Progress) => void;
}

/**
 * Looks at everything in an image and changes nothing. What is wrong is listed, not thrown, as long
 * as there is enough to go on with.
 *
 * @throws {ErrnoError} EINVAL or ENOTSUP for what is no volume of ours, EIO for one of which not
 * even the tables are there
 * @example
 * ```ts
 * import { checkVolume, memoryHandle, openVolumeSync } from "@cairn/fs/opfs";
 * import { assertEquals } from "@std/assert";
 *
 * const handle = memoryHandle();
 * openVolumeSync(handle).close();
 * assertEquals(checkVolume(handle).violations, []);
 * ```
 */
export function checkVolume(handle: StorageHandle, options: CheckOptions = {}): Report {
  const found: Violation[] = [];
  const image = loadImage(handle, (violation) => void found.push(violation));
  const { slots, names } = image.tables;
  const totalBytes = slots.length + names.length;
  const progress = (doneBytes: number): void => options.onProgress?.({ doneBytes, totalBytes });
  const derived = scan(image.tables, image.superblock, image.segments, (count) => {
    progress(count * L.SLOT_BYTES);
  });
  progress(totalBytes);
  const violations = [...found, ...derived.violations];
  derived.violations = violations;
  append(violations, imageViolations(handle, image, derived));
  const { wasClean } = image;
  append(violations, summedViolations(handle, image, derived));
  const replayedRecords = image.replay.records.length;
  return reportOf(derived, { wasClean, replayedRecords, totalBlocks: derived.bitmap.blocks });
}

function reportOf(
  derived: Derived,
  more: { wasClean: boolean; totalBlocks: number; replayedRecords: number },
): Report {
  const { violations, counts, bitmap } = derived;
  return {
    clean: violations.length === 0,
    violations,
    files: counts[L.TYPE.FILE]!,
    directories: counts[L.TYPE.DIRECTORY]!,
    symlinks: counts[L.TYPE.SYMLINK]!,
    hardLinks: counts[L.TYPE.LINK]!,
    attributes: counts[L.TYPE.XATTR]!,
    usedBlocks: bitmap.blocks - bitmap.unowned,
    ...more,
  };
}
