/**
 * Check: every broken rule of an image in one pass, without changing it.
 *
 * Layer: opfs/volume. V9 and V10 are found on the way in (`image.ts`), V1 to V8 and V17 in the slots
 * (`scan.ts`) and around the headers; counters and bitmap only when the volume was closed cleanly,
 * because they are allowed to be behind while it is in use. Every test of a volume ends with it.
 *
 * @module
 */
import { isErrnoError } from "../../abi/errno.ts";
import { append } from "../../abi/lists.ts";
import type { StorageHandle } from "../device/handle.ts";
import { decodeHeader, isWholeHeader } from "./header.ts";
import { compareBitmap, type Image, loadImage } from "./image.ts";
import * as L from "./layout.ts";
import { bitmapViolation, counterViolations } from "./mount.ts";
import type { Report, Violation } from "./report.ts";
import { type Derived, scan } from "./scan.ts";
import { encodeSuperblock } from "./superblock.ts";
import type { Progress } from "./transfer.ts";

/** How {@link checkVolume} goes about it. */
export interface CheckOptions {
  /** Told how much of the tables has been looked at. */
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
  const told = (doneBytes: number): void => options.onProgress?.({ doneBytes, totalBytes });
  const derived = scan(image.tables, image.superblock, image.segments, (count) => {
    told(count * L.SLOT_BYTES);
  });
  told(totalBytes);
  const violations = [...found, ...derived.violations];
  derived.violations = violations;
  const { wasClean } = image;
  if (wasClean) {
    append(violations, counterViolations(image, derived));
    const block = compareBitmap(handle, image, derived.bitmap);
    if (block >= 0) violations.push(bitmapViolation(block));
  }
  append(violations, headerViolations(image, wasClean));
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

/** V9 and the reserved bytes around it. */
function headerViolations(image: Image, wasClean: boolean): Violation[] {
  const { start } = image;
  const found: Violation[] = [];
  for (const at of [L.HEADER_A_AT, L.HEADER_B_AT]) {
    const page = start.subarray(at, at + L.PAGE_BYTES);
    if (wasClean && !isReadable(page)) {
      found.push({ rule: "V9", message: `the header at ${at} is damaged`, isDerivable: true });
    } else if (page.subarray(L.HEADER_BYTES).some((byte) => byte !== 0)) {
      found.push({
        rule: "V8",
        message: `the page of the header at ${at} is not zero behind it`,
        isDerivable: true,
      });
    }
  }
  const copy = new Uint8Array(L.SUPERBLOCK_BYTES);
  encodeSuperblock(image.superblock, new DataView(copy.buffer), 0);
  if (wasClean && copy.some((byte, index) => byte !== start[index])) {
    found.push({
      rule: "V9",
      message: "the superblock at 0 is not the header's",
      isDerivable: true,
    });
  }
  if (start.subarray(L.SUPERBLOCK_BYTES, L.HEADER_A_AT).some((byte) => byte !== 0)) {
    found.push({
      rule: "V8",
      message: "the first page is not zero behind the superblock",
      isDerivable: true,
    });
  }
  return found;
}

function isReadable(page: Uint8Array): boolean {
  try {
    return isWholeHeader(page) && decodeHeader(page.subarray(0, L.HEADER_BYTES)) !== null;
  } catch (error) {
    if (!isErrnoError(error)) throw error;
    return false;
  }
}
