/**
 * The bitmap of a version-1 image: what it says, against what the slots own.
 *
 * Layer: opfs/volume. Nothing depends on it, since owners are known from the slots; it is only
 * compared. Bit b is byte b >> 3, bit b & 7; read in pieces, through the cache.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import type { Superblock } from "../format/superblock.ts";
import type { Findings } from "../upkeep/transfer.ts";
import type { CachedPages } from "./pages.ts";

const PIECE_BYTES = 16 * 1024;

/** Blocks from `from` up to, not including, `to`. */
export interface BlockRange {
  /** The first. */
  from: number;
  /** One past the last. */
  to: number;
}

/** How many blocks of a range are marked as used. */
export function countUsed(pages: CachedPages, s: Superblock, { from, to }: BlockRange): number {
  invariant(from <= to && to <= s.totalBlocks, "V2: bits are counted inside the bitmap");
  const piece = new Uint8Array(PIECE_BYTES);
  let used = 0;
  for (let block = from; block < to;) {
    const first = Math.floor(block / 8);
    const length = Math.min(PIECE_BYTES, Math.ceil(to / 8) - first);
    pages.copy(s.bitmapOffset + first, piece, length);
    const end = Math.min(to, (first + length) * 8);
    used += countBits(piece, block - first * 8, end - first * 8);
    block = end;
  }
  return used;
}

/** Set bits of `bytes` from bit `from` up to bit `to`. */
function countBits(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let index = from >> 3; index * 8 < to; index++) {
    let byte = bytes[index]!;
    if (index * 8 < from) byte &= 0xff << from - index * 8;
    if (to - index * 8 < 8) byte &= (1 << to - index * 8) - 1;
    for (; byte !== 0; byte &= byte - 1) count++;
  }
  return count;
}

/** Reports where bitmap and counter differ from `owned`, ranges in order that do not overlap. */
export function compareBitmap1(
  pages: CachedPages,
  s: Superblock,
  { owned, findings }: { owned: readonly BlockRange[]; findings: Findings },
): void {
  const used = countUsed(pages, s, { from: 0, to: s.totalBlocks });
  let ownedBlocks = 0;
  let marked = 0;
  let end = 0;
  for (const range of owned) {
    invariant(range.from >= end, "V1: blocks from {} on are counted twice", range.from);
    end = range.to;
    ownedBlocks += range.to - range.from;
    marked += countUsed(pages, s, range);
  }
  const addFinding = (code: string, message: string): void => {
    findings.add({ code, severity: "note", message });
  };
  if (ownedBlocks > marked) {
    addFinding("bits-clear", `${ownedBlocks - marked} blocks of files are marked as free`);
  }
  if (used > marked) addFinding("blocks-leaked", `${used - marked} used blocks have no owner`);
  if (s.totalBlocks - used !== s.freeBlocks) {
    const message = `the superblock counts ${s.freeBlocks} free blocks, the bitmap ` +
      `${s.totalBlocks - used}`;
    addFinding("free-count", message);
  }
}
