/**
 * The superblock of a version-1 image: believed, restored, or refused.
 *
 * Layer: opfs/volume. A crash of the peer can leave it torn, its first half new and its second half,
 * checksum included, old. Such a one is recognised by its own checksum: with one value of the only
 * counter that can differ the checksum fits, the value is a possible one, and the bitmap agrees with
 * the counter that stands there. Any other mismatch is refused, unless a repair is asked for: then
 * the one 32-bit word is searched with which checksum and geometry both fit.
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import type { StorageHandle } from "../../device/handle.ts";
import { crc32 } from "../format/checksum.ts";
import * as L from "../format/layout.ts";
import type { Superblock } from "../format/superblock.ts";
import type { Findings } from "../upkeep/transfer.ts";
import { countUsed } from "./bitmap.ts";
import { decodeSuperblock1, geometryProblem1, type RawSuperblock } from "./format.ts";
import { CachedPages, readDevice1 } from "./pages.ts";

/** How a superblock is read. */
export interface SuperblockOptions {
  /** Whether a damaged one is restored where that is certain. */
  repair: boolean;
  /** Where findings are reported. */
  findings: Findings;
}

/**
 * Reads the superblock.
 *
 * @throws {ErrnoError} EINVAL if it is no image, ENOTSUP for another version, EIO for a damaged one
 */
export function readSuperblock1(handle: StorageHandle, options: SuperblockOptions): Superblock {
  const imageBytes = handle.getSize();
  const bytes = new Uint8Array(L.SUPERBLOCK_BYTES);
  if (readDevice1(handle, bytes, 0) < bytes.length) {
    throw refusal("EINVAL", `${imageBytes} bytes are no volume`);
  }
  const raw = decodeSuperblock1(bytes);
  const problem = problemOf(raw, bytes, imageBytes);
  const { findings, repair } = options;
  if (problem === null) {
    if (raw.crc === 0) note(findings, "crc-missing", "the superblock has no checksum");
    return raw;
  }
  if (problem.code === "crc" && isTorn(handle, raw, bytes)) {
    note(findings, "superblock-torn", "the superblock was being written when its writer stopped");
    return raw;
  }
  const isOurs = raw.magic === L.SUPERBLOCK_MAGIC && raw.version === L.VERSION_2;
  if (!repair || isOurs) throw problem.error;
  return restore(raw, bytes, { imageBytes, findings, problem });
}

interface Problem {
  code: "magic" | "version" | "geometry" | "crc";
  error: ErrnoError;
}

/** In fixed order: magic, version, geometry, checksum, each with its own message. */
function problemOf(raw: RawSuperblock, bytes: Uint8Array, imageBytes: number): Problem | null {
  if (raw.magic !== L.SUPERBLOCK_MAGIC) {
    return { code: "magic", error: refusal("EINVAL", magicMessage(raw.magic)) };
  }
  if (raw.version !== L.VERSION_1) {
    return { code: "version", error: refusal("ENOTSUP", versionMessage(raw.version)) };
  }
  const geometry = geometryProblem1(raw, imageBytes);
  if (geometry !== null) return { code: "geometry", error: refusal("EIO", geometry) };
  const computed = crc32(bytes, 0, L.SUPERBLOCK.CRC);
  if (raw.crc === 0 || raw.crc === computed) return null;
  const why = `superblock checksum is ${hex(raw.crc)}, its bytes give ${hex(computed)}`;
  return { code: "crc", error: refusal("EIO", why) };
}

function magicMessage(magic: number): string {
  if ((magic & 0xffff) === 0x8b1f) return "it is compressed with gzip: unpack it first";
  return `magic is ${hex(magic)}, not ${hex(L.SUPERBLOCK_MAGIC)}`;
}

function versionMessage(version: number): string {
  return version === L.VERSION_2
    ? "it is a version-2 volume already: open it as it is"
    : `version ${version} is not known`;
}

/** Whether the first half is newer than the second, and nothing else is wrong. */
function isTorn(handle: StorageHandle, raw: RawSuperblock, bytes: Uint8Array): boolean {
  const used = countUsed(new CachedPages(handle), raw, { from: 0, to: raw.totalBlocks });
  if (raw.totalBlocks - used !== raw.freeBlocks) return false;
  const before = bytes.slice();
  const view = new DataView(before.buffer);
  for (const totalBlocks of [raw.totalBlocks, raw.totalBlocks / 2]) {
    if (!Number.isInteger(totalBlocks)) continue;
    view.setUint32(L.SUPERBLOCK.TOTAL_BLOCKS, totalBlocks, L.LE);
    if (solveWord(before, L.SUPERBLOCK.FREE_BLOCKS) <= totalBlocks) return true;
  }
  return false;
}

/** What `restore` looks at besides the bytes. */
interface Damage {
  imageBytes: number;
  findings: Findings;
  problem: Problem;
}

function restore(raw: RawSuperblock, bytes: Uint8Array, damage: Damage): Superblock {
  const { findings, imageBytes, problem } = damage;
  const restored = raw.crc === 0 ? null : restoreWord(bytes, imageBytes);
  if (restored !== null) {
    const message = `"${restored.field}" of the superblock was damaged; its checksum gives ` +
      `${restored.superblock[restored.field]}`;
    findings.add({ code: "superblock-restored", severity: "note", message });
    return restored.superblock;
  }
  if (geometryProblem1(raw, imageBytes) !== null) throw problem.error;
  const message = `the superblock is damaged, its geometry is whole: ${problem.error.message}`;
  findings.add({ code: "superblock-damaged", severity: "note", message });
  return raw;
}

/** Fields by the words they lie in; counters first, because those change all the time. */
const WORDS: readonly [field: keyof RawSuperblock, at: number][] = [
  ["freeBlocks", L.SUPERBLOCK.FREE_BLOCKS],
  ["pathUsed", L.SUPERBLOCK.PATH_USED],
  ["totalBlocks", L.SUPERBLOCK.TOTAL_BLOCKS],
  ["blockSize", L.SUPERBLOCK.BLOCK_SIZE],
  ["inodeCount", L.SUPERBLOCK.INODE_COUNT],
  ["magic", L.SUPERBLOCK.MAGIC],
  ["version", L.SUPERBLOCK.VERSION],
  ["inodeOffset", L.SUPERBLOCK.INODE_OFFSET],
  ["inodeOffset", L.SUPERBLOCK.INODE_OFFSET + 4],
  ["pathOffset", L.SUPERBLOCK.PATH_OFFSET],
  ["pathOffset", L.SUPERBLOCK.PATH_OFFSET + 4],
  ["dataOffset", L.SUPERBLOCK.DATA_OFFSET],
  ["dataOffset", L.SUPERBLOCK.DATA_OFFSET + 4],
  ["bitmapOffset", L.SUPERBLOCK.BITMAP_OFFSET],
  ["bitmapOffset", L.SUPERBLOCK.BITMAP_OFFSET + 4],
];

interface Restored {
  field: keyof RawSuperblock;
  superblock: RawSuperblock;
}

/** The superblock with the one word changed that makes everything fit, or null. */
function restoreWord(bytes: Uint8Array, imageBytes: number): Restored | null {
  for (const [field, at] of WORDS) {
    const candidate = bytes.slice();
    new DataView(candidate.buffer).setUint32(at, solveWord(bytes, at), L.LE);
    const superblock = decodeSuperblock1(candidate);
    if (isWhole(superblock, candidate, imageBytes)) return { field, superblock };
  }
  return null;
}

function isWhole(s: RawSuperblock, bytes: Uint8Array, imageBytes: number): boolean {
  return problemOf(s, bytes, imageBytes) === null && s.freeBlocks <= s.totalBlocks &&
    s.pathUsed <= s.bitmapOffset - s.pathOffset &&
    s.dataOffset + s.totalBlocks * s.blockSize <= imageBytes;
}

/**
 * The 32-bit value at `at` with which the superblock's stored checksum fits its other bytes. There
 * is always exactly one: the checksum is run forward to the word and backward to it.
 */
export function solveWord(bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let after = ~view.getUint32(L.SUPERBLOCK.CRC, L.LE);
  for (let index = L.SUPERBLOCK.CRC - 1; index >= at + 4; index--) {
    after = stepBack(after, bytes[index]!);
  }
  for (let zeros = 0; zeros < 4; zeros++) after = stepBack(after, 0);
  const before = ~crc32(bytes, 0, at);
  return (before ^ after) >>> 0;
}

/** The state of the checksum before `byte` went in. */
function stepBack(state: number, byte: number): number {
  let before = state;
  for (let bit = 0; bit < 8; bit++) {
    const carry = before < 0;
    before = (carry ? before ^ 0xedb88320 : before) << 1 | (carry ? 1 : 0);
  }
  return before ^ byte;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}

function note(findings: Findings, code: string, message: string): void {
  findings.add({ code, severity: "note", message });
}

function refusal(code: "EINVAL" | "ENOTSUP" | "EIO", why: string): ErrnoError {
  return new ErrnoError(code, "read the version-1 image", { why });
}
