/**
 * How much of a file of a version-1 image can be read, whatever its slot claims.
 *
 * Layer: opfs/volume. A size that its blocks do not hold is cut to them: what lies after that belongs to
 * another file. Pure arithmetic, so that no number from an image leads outside of it.
 *
 * @module
 */
import {
  isBlkdev,
  isChrdev,
  isFIFO,
  isSocket,
  PERMISSION_BITS,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from "../../../abi/mode.ts";
import * as L from "../format/layout.ts";
import type { Superblock } from "../format/superblock.ts";
import type { Slot } from "./format.ts";

/** What a file's slot comes to. */
export interface Contents {
  /** Bytes that can be read. */
  sizeBytes: number;
  /** Where they begin in the image, in bytes. */
  at: number;
  /** Blocks that they take. */
  neededBlocks: number;
  /** Why this is not what the slot claims, or null. */
  problem: { code: "size-wrong" | "contents-cut"; message: string } | null;
}

/** Measures the contents of a file or symbolic link. */
export function measure(slot: Slot, s: Superblock, imageBytes: number): Contents {
  const at = s.dataOffset + slot.firstBlock * s.blockSize;
  const held = slot.blockCount * s.blockSize;
  const claimed = sizeClaimed(slot, held);
  const there = Math.max(0, Math.min(claimed.sizeBytes, imageBytes - at));
  const neededBlocks = Math.ceil(there / s.blockSize);
  if (there === claimed.sizeBytes) {
    return { sizeBytes: there, at, neededBlocks, problem: claimed.problem };
  }
  const message = `${claimed.sizeBytes - there} of its ${claimed.sizeBytes} bytes lie past the ` +
    "end of the image";
  return { sizeBytes: there, at, neededBlocks, problem: { code: "contents-cut", message } };
}

function sizeClaimed(slot: Slot, held: number): Pick<Contents, "sizeBytes" | "problem"> {
  const { size, blockCount } = slot;
  const wrong = (message: string): Contents["problem"] => ({ code: "size-wrong", message });
  if (!Number.isFinite(size) || size < 0) {
    return { sizeBytes: held, problem: wrong(`its size is ${size}: it is taken for ${held}`) };
  }
  const whole = Math.floor(size);
  if (whole > held) {
    const message = `its size is ${size}, its ${blockCount} blocks hold ${held}`;
    return { sizeBytes: held, problem: wrong(message) };
  }
  const problem = whole === size ? null : wrong(`its size is ${size}: it is taken for ${whole}`);
  return { sizeBytes: whole, problem };
}

/** Whether a slot is a FIFO, a socket or a device: their way of saying it is ours alone. */
export function isSpecial({ type, blockCount, size, mode }: Slot): boolean {
  const isBare = type === L.TYPE.FILE && blockCount === 0 && size === 0;
  return isBare && (isFIFO(mode) || isSocket(mode) || isChrdev(mode) || isBlkdev(mode));
}

/** Whether a slot is a device, which has its number where others have their first block. */
export function isDevice(slot: Slot): boolean {
  return isSpecial(slot) && (isChrdev(slot.mode) || isBlkdev(slot.mode));
}

const TYPE_BITS: Readonly<Record<number, number>> = {
  [L.TYPE.FILE]: S_IFREG,
  [L.TYPE.DIRECTORY]: S_IFDIR,
  [L.TYPE.SYMLINK]: S_IFLNK,
};

/** The mode with the type that the slot has; its type bits do not count in version 1. */
export function modeOf(slot: Slot): number {
  const type = isSpecial(slot) ? slot.mode & S_IFMT : TYPE_BITS[slot.type]!;
  return type | slot.mode & PERMISSION_BITS;
}
