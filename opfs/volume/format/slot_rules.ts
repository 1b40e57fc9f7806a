/**
 * The rules that a slot's own 64 bytes keep, whatever else is in the image: docs/FORMAT.md, section 3.
 *
 * Layer: opfs/volume, under `scan.ts`, which looks at what slots say of each other. Nothing is
 * believed here, and nothing changed: each broken rule goes to `report`.
 *
 * @module
 */
import * as M from "../../../abi/mode.ts";
import * as L from "./layout.ts";
import { typeAt } from "./slots.ts";

/**
 * Called for a broken rule; `isDerivable` says that a mount corrects it and that nothing is lost.
 */
export type Report = (rule: string, message: string, isDerivable?: boolean) => void;

const SLOT_WORDS = L.SLOT_BYTES / 4;
/** All bits that a mode has. */
const MODE_BITS = M.S_IFMT | M.PERMISSION_BITS;

/** The type of slot that a mode belongs to; FREE if it belongs to none. */
export function slotTypeOf(mode: number): number {
  if (M.isDir(mode)) return L.TYPE.DIRECTORY;
  if (M.isLink(mode)) return L.TYPE.SYMLINK;
  const isOther = M.isFile(mode) || M.isFIFO(mode) || M.isSocket(mode) || M.isChrdev(mode) ||
    M.isBlkdev(mode);
  return isOther ? L.TYPE.FILE : L.TYPE.FREE;
}

/** The bits of a mode that say something. */
export function knownBits(mode: number): number {
  return mode & MODE_BITS;
}

/** A free slot is zero but for its generation; `words` are the whole table. */
export function checkFree(words: Uint32Array, slot: number, report: Report): void {
  const at = slot * SLOT_WORDS;
  let bits = words[at]! & 0xffff;
  for (let word = 1; word < SLOT_WORDS; word++) bits |= words[at + word]!;
  if (bits !== 0) report("V8", `slot ${slot} is free but not zero`);
}

/** Type, flags, mode, size and times of an inode. */
export function checkInode(view: DataView, slot: number, report: Report): void {
  const at = slot * L.SLOT_BYTES;
  const type = typeAt(view, at);
  const mode = view.getUint32(at + L.SLOT.MODE, L.LE);
  if (slotTypeOf(mode) !== type || knownBits(mode) >>> 0 !== mode) {
    report("V8", `slot ${slot} is of type ${type} and of mode 0${mode.toString(8)}`);
  }
  const size = view.getFloat64(at + L.SLOT.SIZE, L.LE);
  if (!isSizeOf(type, size)) report("V7", `slot ${slot} is ${size} bytes long`);
  const flags = view.getUint8(at + L.SLOT.FLAGS);
  const known = type === L.TYPE.DIRECTORY ? 0 : L.FLAG_CONTINUED;
  if ((flags & ~known) !== 0) report("V8", `slot ${slot} has flags ${flags}`);
  for (const field of [L.SLOT.MTIME, L.SLOT.CTIME, L.SLOT.ATIME]) {
    if (Number.isFinite(view.getFloat64(at + field, L.LE))) continue;
    report("V8", `slot ${slot} has an invalid time`);
  }
  const nlink = view.getUint16(at + L.SLOT.NLINK, L.LE);
  if (type !== L.TYPE.DIRECTORY || nlink <= 1) return;
  report("V4", `directory ${slot} has a count of ${nlink}`, true);
}

function isSizeOf(type: number, size: number): boolean {
  if (!Number.isSafeInteger(size) || size < 0) return false;
  if (type === L.TYPE.FILE) return true;
  return type === L.TYPE.SYMLINK ? size > 0 && size <= L.TARGET_BYTES_MAX : size === 0;
}

/** A further name has neither flags nor mode, size or blocks. */
export function checkLink(view: DataView, slot: number, report: Report): void {
  const at = slot * L.SLOT_BYTES;
  const isPlain = view.getFloat64(at + L.SLOT.SIZE, L.LE) === 0 &&
    view.getUint32(at + L.SLOT.BLOCK_COUNT, L.LE) === 0 &&
    view.getUint32(at + L.SLOT.MODE, L.LE) === 0 && view.getUint8(at + L.SLOT.FLAGS) === 0;
  if (!isPlain) report("V8", `slot ${slot} is a name and has flags, size, blocks or mode`);
}

/** A continuation has one to six pairs, one of them not a hole, and zeros where nothing is said. */
export function checkLeaf(view: DataView, slot: number, report: Report): void {
  const at = slot * L.SLOT_BYTES;
  const pairs = view.getUint8(at + L.CONTINUATION.RUNS);
  if (view.getUint16(at + L.CONTINUATION.ZERO, L.LE) !== 0) {
    report("V8", `slot ${slot} has something in a reserved field`);
  }
  if (pairs < 1 || pairs > L.PAIRS_MAX) {
    report("V7", `slot ${slot} has ${pairs} runs`);
    return;
  }
  for (let pair = 0; pair < pairs; pair++) {
    const block = view.getUint32(at + L.CONTINUATION.PAIRS + pair * L.PAIR_BYTES, L.LE);
    if (block !== L.HOLE_BLOCK) return;
  }
  report("V7", `slot ${slot} has nothing but holes`);
}

/** What a segment's descriptor does not say is zero. */
export function checkDescriptor(view: DataView, slot: number, report: Report): void {
  const at = slot * L.SLOT_BYTES;
  let bits = view.getUint32(at + L.SEGMENT.ZERO, L.LE);
  for (let field = L.SEGMENT.REST; field < L.SLOT_BYTES; field += 4) {
    bits |= view.getUint32(at + field, L.LE);
  }
  if (bits !== 0) report("V8", `descriptor ${slot} has something in a reserved field`);
}
