/**
 * The rules of an image around its slots and names: counters, bitmap, headers, the superblock's copy.
 *
 * Layer: opfs/volume. Mount and check share these rules. Most of them hold only for a volume that
 * was closed: in use, the counters may be out of date. A mount corrects what can be derived from
 * the slots, or means nothing; a wrong counter after a clean close means that something is missing.
 *
 * @module
 */
import { isErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import { append } from "../../../abi/lists.ts";
import type { StorageHandle } from "../../device/handle.ts";
import { isWholeHeader, readHeader } from "../format/header.ts";
import { compareBitmap, type Image } from "./image.ts";
import * as L from "../format/layout.ts";
import type { Violation } from "../format/report.ts";
import type { Derived } from "./scan.ts";
import { bytesOf } from "../format/segments.ts";
import { encodeSuperblock } from "../format/superblock.ts";

/**
 * Finds every broken rule around the slots of an image. Wrong pages of the bitmap are marked to be
 * written home.
 */
export function imageViolations(
  handle: StorageHandle,
  image: Image,
  derived: Derived,
): Violation[] {
  const found = coverViolations(image, derived);
  const wrongBlock = compareBitmap(handle, image, derived.bitmap);
  if (image.wasClean) {
    append(found, counterViolations(image, derived));
    if (wrongBlock >= 0) {
      found.push(correctable("V2", `the bit of block ${wrongBlock} is not what the slots say`));
    }
    append(found, closedViolations(image, derived));
  }
  for (const { at, from, end, what } of strayPlaces(image)) {
    found.push(
      correctable("V8", `${what} at ${at} is not zero from byte ${from - at} to ${end - at}`),
    );
  }
  return found;
}

function correctable(rule: string, message: string): Violation {
  return { rule, message, isDerivable: true };
}

/** V2: there is a bit for each block. */
function coverViolations({ segments }: Image, { bitmap }: Derived): Violation[] {
  const bits = bytesOf(segments.bitmap) * 8;
  if (bits >= bitmap.blocks) return [];
  return [correctable("V2", `the bitmap has room for ${bits} of ${bitmap.blocks} blocks`)];
}

/** V3: the counters that a clean close has written. */
function counterViolations(image: Image, derived: Derived): Violation[] {
  const { freeBlocks, pathUsed } = image.superblock;
  const found: Violation[] = [];
  const lost = (message: string): void => {
    found.push({ rule: "V3", message, isDerivable: false });
  };
  const { unowned } = derived.bitmap;
  if (freeBlocks !== unowned) {
    lost(`${unowned} blocks are free, the superblock says ${freeBlocks}`);
  }
  const used = derived.paths.usedBytes;
  if (pathUsed !== used) lost(`${used} bytes of names are in use, the superblock says ${pathUsed}`);
  return found;
}

/** What else a clean close has written: both headers, the copy at 0, the features. */
function closedViolations(image: Image, derived: Derived): Violation[] {
  const { start, header } = image;
  const found: Violation[] = [];
  for (const at of [L.HEADER_A_AT, L.HEADER_B_AT]) {
    if (!isReadable(start.subarray(at, at + L.PAGE_BYTES))) {
      found.push(correctable("V9", `the header at ${at} is damaged`));
    }
  }
  const copy = new Uint8Array(L.SUPERBLOCK_BYTES);
  encodeSuperblock(header.superblock, new DataView(copy.buffer), 0);
  if (copy.some((byte, index) => byte !== start[index])) {
    found.push(correctable("V9", "the superblock at 0 is not the header's"));
  }
  const saysAttributes = (header.featuresReadOnly & L.FEATURE_XATTR) !== 0;
  const attributes = derived.counts[L.TYPE.XATTR]!;
  if (saysAttributes !== (attributes > 0)) {
    const said = saysAttributes ? "some" : "none";
    found.push(correctable("V9", `there are ${attributes} attributes, the header says ${said}`));
  }
  return found;
}

function isReadable(page: Uint8Array): boolean {
  try {
    return readHeader(page) !== null;
  } catch (error) {
    if (!isErrnoError(error)) throw error;
    return false;
  }
}

/** Reserved bytes of one place that are not zero. */
export interface StrayBytes {
  /** Where what they belong to begins. */
  at: number;
  /** The first of them. */
  from: number;
  /** Where they end. */
  end: number;
  /** What they belong to. */
  what: string;
}

/** Where unused bytes are not zero: after the superblock's copy, in headers and after them. */
export function strayPlaces({ start }: Image): StrayBytes[] {
  invariant(start.length >= L.RING_AT, "V8: the headers are looked for in {} bytes", start.length);
  const found: StrayBytes[] = [];
  const look = (at: number, from: number, end: number, what: string): void => {
    if (start.subarray(from, end).some((byte) => byte !== 0)) found.push({ at, from, end, what });
  };
  look(L.SUPERBLOCK_AT, L.SUPERBLOCK_BYTES, L.HEADER_A_AT, "the first page");
  for (const at of [L.HEADER_A_AT, L.HEADER_B_AT]) {
    look(at, at + L.HEADER_BYTES, at + L.PAGE_BYTES, "the page of the header");
    // A torn or damaged header has no rules to check.
    if (!isWholeHeader(start.subarray(at, at + L.PAGE_BYTES))) continue;
    look(at, at + L.HEADER.ZERO, at + L.HEADER.SUPERBLOCK, "the header");
    look(at, at + L.HEADER.REST, at + L.HEADER_BYTES, "the header");
  }
  return found;
}
