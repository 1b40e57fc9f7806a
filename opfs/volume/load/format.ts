/**
 * Format: makes an empty volume. The order of its writes is such that after a crash at any point
 * the device can be formatted again, or has a whole volume.
 *
 * Layer: opfs/volume. Use: `formatVolume(handle, { blockSize: 4096 })`; `openVolumeSync` does it by
 * itself on an empty device.
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import { countOption, functionOption, textOption } from "../../../abi/options.ts";
import { S_IFDIR } from "../../../abi/mode.ts";
import { requireWhole, type StorageHandle } from "../../device/handle.ts";
import { encodeHeader, type Header, readHeader } from "../format/header.ts";
import { finiteClock } from "../clock.ts";
import * as L from "../format/layout.ts";
import { putSum } from "../format/slots.ts";
import { pageSum } from "../format/page_sum.ts";
import { isUnknownOutcome, readDevice } from "../state.ts";
import {
  encodeSuperblock,
  firstSumBytes,
  freshSuperblock,
  imageBytes,
  isBlockSize,
  type Superblock,
} from "../format/superblock.ts";

/** Options of an empty volume. */
export interface FormatOptions {
  /** The time in ms. Default `Date.now`. */
  clock?: () => number;
  /** Fills an array with random bytes. Default `crypto.getRandomValues`. */
  random?: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** Bytes of a block: a power of two from 512 to 1,048,576. Default 4096. */
  blockSize?: number;
  /** Bytes of the journal's ring, a multiple of 4,096, at least 131,072. Default 524,288. */
  ringBytes?: number;
  /** What the volume is called: up to 64 bytes of UTF-8. Default "". */
  label?: string;
  /** Slots to begin with: a multiple of 64, at most 2^24; more come when needed. Default 1024. */
  slots?: number;
  /** Bytes that the image may ever have, however it is opened. Default 0: no limit. */
  limitBytes?: number;
  /** Whether the contents of the device may be lost. Default false: EEXIST unless it is empty. */
  force?: boolean;
  /** Bytes that the image may have this time. Default: no limit. */
  maxBytes?: number;
}

/** As many slots as make a multiple of 4,096 bytes. */
const SLOTS_STEP = 64;
const ROOT_MODE = S_IFDIR | 0o755;

/**
 * Makes an empty volume: a root directory, mode 0755, owned by 0:0.
 *
 * @throws {ErrnoError} EEXIST if something is there, EINVAL for an option, ENOSPC
 * @example
 * ```ts
 * import { checkVolume, formatVolume, memoryHandle } from "@cairn/fs/opfs";
 * import { assert } from "@std/assert";
 *
 * const handle = memoryHandle();
 * formatVolume(handle, { label: "notes" });
 * assert(checkVolume(handle).clean);
 * ```
 */
export function formatVolume(handle: StorageHandle, options: FormatOptions = {}): void {
  const { force = false } = options;
  const blockSize = countOption(options.blockSize, L.BLOCK_BYTES_DEFAULT, "blockSize");
  const ringBytes = countOption(options.ringBytes, L.RING_BYTES_DEFAULT, "ringBytes");
  const slots = countOption(options.slots, L.FRESH_SLOTS, "slots");
  const limitBytes = countOption(options.limitBytes, 0, "limitBytes");
  const label = textOption(options.label, "", "label");
  functionOption(options.random, () => {}, "random");
  functionOption(options.clock, Date.now, "clock");
  if (!isBlockSize(blockSize)) throw new ErrnoError("EINVAL", `format with blocks of ${blockSize}`);
  const isRing = ringBytes % L.PAGE_BYTES === 0 &&
    ringBytes >= L.RING_BYTES_MIN && ringBytes < 2 ** 31;
  if (!isRing) throw new ErrnoError("EINVAL", `format with a journal of ${ringBytes} bytes`);
  const isKept = label.isWellFormed() && !label.includes("\0");
  if (!isKept || new TextEncoder().encode(label).length > L.LABEL_BYTES) {
    throw new ErrnoError("EINVAL", `format with the label "${label}"`);
  }
  const isSlots = slots % SLOTS_STEP === 0 && slots > 0 &&
    slots <= L.SLOTS_MAX;
  if (!isSlots) throw new ErrnoError("EINVAL", `format with ${slots} slots`);
  if (!force && !isFormattable(handle)) {
    throw new ErrnoError("EEXIST", "format", { why: "there is something on the device" });
  }
  const header = freshHeader(freshSuperblock(blockSize, ringBytes, slots), options);
  const most = Math.min(options.maxBytes ?? Infinity, limitBytes || Infinity);
  if (imageBytes(header.superblock) > most) {
    throw new ErrnoError("ENOSPC", `format a volume of ${most} bytes`);
  }
  try {
    writeImage(handle, header, finiteClock(options.clock)());
  } catch (error) {
    if ((error as { name?: unknown } | null)?.name === "ErrnoError") throw error;
    const code = isUnknownOutcome(error) ? "EIO" : "ENOSPC";
    throw new ErrnoError(code, "format", { why: "the device does not write", cause: error });
  }
}

function freshHeader(superblock: Superblock, options: FormatOptions): Header {
  const random = options.random ?? ((bytes) => void crypto.getRandomValues(bytes));
  const volumeId = new Uint8Array(L.VOLUME_ID_BYTES);
  random(volumeId);
  return {
    state: L.STATE.FORMATTING,
    counter: 1,
    tailSequence: 1,
    tailPlace: 0,
    tailChecksum: 0,
    salt: randomSalt(random),
    term: 0,
    ringBytes: ringBytesOf(superblock),
    featuresIncompatible: L.FEATURE_SUMS,
    featuresReadOnly: 0,
    superblock,
    volumeId,
    label: options.label ?? "",
    limitBytes: options.limitBytes ?? 0,
  };
}

function ringBytesOf(superblock: Superblock): number {
  return superblock.inodeOffset - firstSumBytes(superblock) - L.RING_AT;
}

/** Two random words. */
export function randomSalt(random: (bytes: Uint8Array<ArrayBuffer>) => void): [number, number] {
  const words = new Uint32Array(2);
  random(new Uint8Array(words.buffer));
  return [words[0]!, words[1]!];
}

function writeImage(handle: StorageHandle, header: Header, now: number): void {
  const { superblock } = header;
  if (handle.getSize() > 0) {
    handle.truncate(0);
    handle.flush();
  }
  handle.truncate(imageBytes(superblock));
  if (handle.getSize() < imageBytes(superblock)) {
    throw new ErrnoError("ENOSPC", "format", { why: "the device is full" });
  }
  put(handle, encodeHeader(header), L.HEADER_A_AT);
  handle.flush();
  put(handle, new Uint8Array(header.ringBytes), L.RING_AT);
  // Really written, like the ring: then writing home needs no more disk space later.
  const sumsAt = L.RING_AT + header.ringBytes;
  const tablesAt = superblock.inodeOffset - sumsAt;
  const tables = new Uint8Array(superblock.dataOffset - sumsAt);
  tables.set(rootSlot(now), tablesAt);
  const root = pageSum(tables, tablesAt, tablesAt + L.PAGE_BYTES);
  putSum(new DataView(tables.buffer), 0, root);
  put(handle, tables, sumsAt);
  handle.flush();
  // Only now: with a header in use, a crash that loses the root would leave a volume without one.
  put(handle, encodeHeader({ ...header, state: L.STATE.IN_USE, counter: 2 }), L.HEADER_B_AT);
  const copy = new Uint8Array(L.SUPERBLOCK_BYTES);
  encodeSuperblock(superblock, new DataView(copy.buffer), 0);
  put(handle, copy, L.SUPERBLOCK_AT);
  handle.flush();
}

function put(handle: StorageHandle, bytes: Uint8Array, at: number): void {
  requireWhole(handle.write(bytes, { at }), bytes.length, "format");
}

function rootSlot(now: number): Uint8Array<ArrayBuffer> {
  const slot = new Uint8Array(L.SLOT_BYTES);
  const view = new DataView(slot.buffer);
  view.setUint8(L.SLOT.TYPE, L.TYPE.DIRECTORY);
  view.setUint16(L.SLOT.NLINK, 1, L.LE);
  view.setUint32(L.SLOT.MODE, ROOT_MODE, L.LE);
  for (const field of [L.SLOT.MTIME, L.SLOT.CTIME, L.SLOT.ATIME]) view.setFloat64(field, now, L.LE);
  return slot;
}

/**
 * Whether formatting loses nothing: the device is empty, an earlier format was interrupted, or it
 * holds nothing but zeros and perhaps a torn first header.
 */
export function isFormattable(handle: StorageHandle): boolean {
  const sizeBytes = handle.getSize();
  if (sizeBytes === 0) return true;
  const start = new Uint8Array(Math.min(sizeBytes, L.RING_AT));
  readDevice(handle, start, 0);
  const state = newestState(start);
  if (state !== NO_STATE) return state === L.STATE.FORMATTING;
  if (sizeBytes > FRESH_BYTES_MAX) return false;
  const bytes = new Uint8Array(sizeBytes);
  readDevice(handle, bytes, 0);
  return isZero(bytes.subarray(0, L.HEADER_A_AT)) && isZero(bytes.subarray(L.HEADER_B_AT));
}

/** No header is valid. */
const NO_STATE = 0;
/** A header is whole but unknown to this version: the device holds a user's volume. */
const UNKNOWN_STATE = -1;

/** A fresh image with default options is no longer than this. */
const FRESH_BYTES_MAX = imageBytes(
  freshSuperblock(L.BLOCK_BYTES_DEFAULT, L.RING_BYTES_DEFAULT),
);

function newestState(bytes: Uint8Array): number {
  let newest: Header | null = null;
  for (const at of [L.HEADER_A_AT, L.HEADER_B_AT]) {
    if (bytes.length < at + L.HEADER_BYTES) continue;
    try {
      const found = readHeader(bytes.subarray(at, at + L.HEADER_BYTES));
      if (found !== null && found.header.counter > (newest?.counter ?? -1)) newest = found.header;
    } catch {
      return UNKNOWN_STATE;
    }
  }
  return newest?.state ?? NO_STATE;
}

function isZero(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) if (bytes[index] !== 0) return false;
  return true;
}
