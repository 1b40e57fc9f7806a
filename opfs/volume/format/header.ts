/**
 * The journal header: which state the volume is in, where replay begins, and the superblock.
 *
 * Layer: opfs/volume. There are two, A and B, written in turn; the newest valid one is the truth
 * (V9). Use: `newestHeader(bytes)` on the first 12,288 bytes of an image.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import { lowWord } from "../../../abi/words.ts";
import { crc32, turnedBit } from "./checksum.ts";
import * as L from "./layout.ts";
import { sumAt } from "./slots.ts";
import { pageSum } from "./page_sum.ts";
import { DamageError, type OnViolation, reportOrThrow } from "./report.ts";
import {
  decodeSuperblock,
  encodeSuperblock,
  firstSumBytes,
  type Superblock,
} from "./superblock.ts";

/** What a journal header says. */
export interface Header {
  /** STATE.FORMATTING, IN_USE or CLOSED. */
  state: number;
  /** +1 with every header written. */
  counter: number;
  /** Sequence of the first record to replay. */
  tailSequence: number;
  /** Where it stands in the ring, in bytes from the ring's start. */
  tailPlace: number;
  /** Checksum of the record before it. */
  tailChecksum: number;
  /** Changes at every mount for writing; two u32. */
  salt: [number, number];
  /** Mounts for writing so far. */
  term: number;
  /** Bytes of the ring. */
  ringBytes: number;
  /** FEATURE bits that no reader may ignore. */
  featuresIncompatible: number;
  /** FEATURE bits that a reader may ignore, and a writer may not. */
  featuresReadOnly: number;
  /** Geometry and counters. */
  superblock: Superblock;
  /** 16 random bytes. */
  volumeId: Uint8Array;
  /** What the volume is called, or "". */
  label: string;
  /** Bytes that the image may have at most; 0 is no limit. */
  limitBytes: number;
}

/** Whether the image keeps sums of its slots, names, targets and values. */
export function isSummed({ featuresIncompatible }: Header): boolean {
  return (featuresIncompatible & L.FEATURE_SUMS) !== 0;
}

/**
 * The salt of the records that follow a header. Where there are sums its second word is the low half
 * of the header's counter: so a record says how new the newest header was when it was written.
 */
export function saltOf(header: Header): [number, number] {
  const { salt, counter } = header;
  return isSummed(header) ? [salt[0], lowWord(counter)] : [salt[0], salt[1]];
}

/** A header and where it stood. */
export interface FoundHeader extends Header {
  /** HEADER_A_AT or HEADER_B_AT. */
  at: number;
  /** Where the headers stand of which one bit was wrong, and is right in memory. */
  mendedAt: number[];
  /**
   * Where replay begins by the other one, if that is whole, too: then none has got lost, though one may
   * have been refused. Else null.
   */
  olderTail: Tail | null;
}

/** Where replay begins. */
export interface Tail {
  /** Bytes from the ring's start. */
  place: number;
  /** Number of the first record. */
  sequence: number;
}

/** Writes the header's page: 256 bytes, zeros up to 4,096. */
export function encodeHeader(header: Header): Uint8Array<ArrayBuffer> {
  const H = L.HEADER;
  requireReadable(header);
  const page = new Uint8Array(L.PAGE_BYTES);
  const view = new DataView(page.buffer);
  view.setUint32(H.MAGIC, L.HEADER_MAGIC, L.LE);
  view.setUint32(H.VERSION, L.HEADER_VERSION, L.LE);
  view.setUint32(H.STATE, header.state, L.LE);
  view.setFloat64(H.COUNTER, header.counter, L.LE);
  view.setFloat64(H.TAIL_SEQUENCE, header.tailSequence, L.LE);
  view.setUint32(H.TAIL_PLACE, header.tailPlace, L.LE);
  view.setUint32(H.TAIL_CHECKSUM, header.tailChecksum, L.LE);
  const salt = saltOf(header);
  view.setUint32(H.SALT, salt[0], L.LE);
  view.setUint32(H.SALT_COUNTED, salt[1], L.LE);
  view.setUint32(H.RING_PAGE, L.RING_AT / L.PAGE_BYTES, L.LE);
  view.setUint32(H.RING_PAGES, header.ringBytes / L.PAGE_BYTES, L.LE);
  view.setUint32(H.TERM, header.term, L.LE);
  encodeSuperblock(header.superblock, view, H.SUPERBLOCK);
  view.setUint32(H.FEATURES_INCOMPATIBLE, header.featuresIncompatible, L.LE);
  view.setUint32(H.FEATURES_READ_ONLY, header.featuresReadOnly, L.LE);
  page.set(header.volumeId.subarray(0, L.VOLUME_ID_BYTES), H.VOLUME_ID);
  page.set(new TextEncoder().encode(header.label).subarray(0, L.LABEL_BYTES), H.LABEL);
  view.setFloat64(H.LIMIT, header.limitBytes, L.LE);
  view.setUint32(H.CRC, checksumOf(page), L.LE);
  return page;
}

/** What `decodeHeader` would refuse is not written. */
function requireReadable(header: Header): void {
  const { state, counter, tailSequence, tailPlace, superblock, volumeId, label } = header;
  const isState = state >= L.STATE.FORMATTING && state <= L.STATE.CLOSED;
  invariant(isState, "V9: a header of state {}", state);
  invariant(Number.isSafeInteger(counter) && counter > 0, "V9: a header number {}", counter);
  const isTail = Number.isSafeInteger(tailSequence) && tailSequence >= 0;
  invariant(isTail, "V9: a header with a tail at record {}", tailSequence);
  const { ringBytes, featuresIncompatible } = header;
  const isRing = ringEnd(ringBytes, featuresIncompatible, superblock) === superblock.inodeOffset;
  invariant(isRing, "V9: a header with a ring of {} bytes", ringBytes);
  const isPlace = tailPlace >= 0 && tailPlace % L.SECTOR_BYTES === 0 && tailPlace < ringBytes;
  invariant(isPlace, "V9: a header with a tail at {}", tailPlace);
  invariant(volumeId.length === L.VOLUME_ID_BYTES, "V9: an id of {} bytes", volumeId.length);
  invariant(label.length <= L.LABEL_BYTES, "V9: a label of {} letters", label.length);
}

/** Where the slots begin after a ring, and the sums that an image may have. */
function ringEnd(ringBytes: number, features: number, superblock: Superblock): number {
  const sums = (features & L.FEATURE_SUMS) !== 0 ? firstSumBytes(superblock) : 0;
  return L.RING_AT + ringBytes + sums;
}

function checksumOf(page: Uint8Array): number {
  const before = crc32(page, 0, L.HEADER.CRC);
  const zero = crc32(ZERO, 0, 4, before);
  return crc32(page, L.HEADER.CRC + L.CHECKSUM_BYTES, L.HEADER_BYTES, zero);
}

const ZERO = new Uint8Array(4);

/** Whether 256 bytes are a header that was written whole. */
export function isWholeHeader(page: Uint8Array): boolean {
  const view = viewOf(page);
  return view.getUint32(L.HEADER.MAGIC, L.LE) === L.HEADER_MAGIC &&
    view.getUint32(L.HEADER.CRC, L.LE) === checksumOf(page);
}

/**
 * Turns one bit of a header's 256 bytes back, if that makes it a whole one; whether it has. No header
 * is torn inside of them: they are in one sector.
 */
function mendHeader(page: Uint8Array): boolean {
  const view = viewOf(page);
  const difference = (checksumOf(page) ^ view.getUint32(L.HEADER.CRC, L.LE)) >>> 0;
  const isInSum = (difference & difference - 1) === 0;
  const bit = isInSum
    ? L.HEADER.CRC * 8 + 31 - Math.clz32(difference)
    : turnedBit(difference, L.HEADER_BYTES);
  if (difference === 0 || bit < 0) return false;
  page[bit >> 3]! ^= 1 << (bit & 7);
  if (isWholeHeader(page)) return true;
  page[bit >> 3]! ^= 1 << (bit & 7);
  return false;
}

/**
 * Reads one header, and puts it right when one bit of it is wrong; null if it is torn or none.
 *
 * @throws {ErrnoError} as {@link decodeHeader}
 */
export function readHeader(page: Uint8Array): { header: Header; isMended: boolean } | null {
  const bytes = page.slice(0, L.HEADER_BYTES);
  const isMended = !isWholeHeader(bytes) && mendHeader(bytes);
  const header = decodeHeader(bytes);
  return header === null ? null : { header, isMended };
}

/**
 * Reads one header as it is; null if it is torn or none.
 *
 * @throws {ErrnoError} ENOTSUP for a feature or version that is not known, EINVAL or EIO for a
 * superblock that cannot be
 */
export function decodeHeader(page: Uint8Array): Header | null {
  if (!isWholeHeader(page)) return null;
  const H = L.HEADER;
  const view = viewOf(page);
  const version = view.getUint32(H.VERSION, L.LE);
  if (version !== L.HEADER_VERSION) throw unsupported(`header version ${version} is not known`);
  const features = view.getUint32(H.FEATURES_INCOMPATIBLE, L.LE);
  const unknown = features & ~L.FEATURES_INCOMPATIBLE_KNOWN;
  if (unknown !== 0) throw unsupported(`feature bit ${31 - Math.clz32(unknown)} is not known`);
  const superblock = decodeSuperblock(view, H.SUPERBLOCK);
  checkRing(view, superblock);
  return {
    state: view.getUint32(H.STATE, L.LE),
    counter: view.getFloat64(H.COUNTER, L.LE),
    tailSequence: view.getFloat64(H.TAIL_SEQUENCE, L.LE),
    tailPlace: view.getUint32(H.TAIL_PLACE, L.LE),
    tailChecksum: view.getUint32(H.TAIL_CHECKSUM, L.LE),
    salt: [view.getUint32(H.SALT, L.LE), view.getUint32(H.SALT_COUNTED, L.LE)],
    term: view.getUint32(H.TERM, L.LE),
    ringBytes: view.getUint32(H.RING_PAGES, L.LE) * L.PAGE_BYTES,
    featuresIncompatible: features,
    featuresReadOnly: view.getUint32(H.FEATURES_READ_ONLY, L.LE),
    superblock,
    volumeId: page.slice(H.VOLUME_ID, H.VOLUME_ID + L.VOLUME_ID_BYTES),
    label: decodeLabel(page.slice(H.LABEL, H.LABEL + L.LABEL_BYTES)),
    limitBytes: view.getFloat64(H.LIMIT, L.LE),
  };
}

/** Counts that there is room to go on from. */
export const COUNTS_MAX: number = 2 ** 52;

/** Everything that a reader will trust without looking again. */
function checkRing(view: DataView, superblock: Superblock): void {
  const H = L.HEADER;
  const page = view.getUint32(H.RING_PAGE, L.LE);
  const pages = view.getUint32(H.RING_PAGES, L.LE);
  const ringBytes = pages * L.PAGE_BYTES;
  const features = view.getUint32(H.FEATURES_INCOMPATIBLE, L.LE);
  const isRing = page * L.PAGE_BYTES === L.RING_AT && ringBytes >= L.RING_BYTES_MIN &&
    ringEnd(ringBytes, features, superblock) === superblock.inodeOffset;
  if (!isRing) {
    throw impossible(`a journal of ${pages} pages at page ${page}`);
  }
  const place = view.getUint32(H.TAIL_PLACE, L.LE);
  if (place % L.SECTOR_BYTES !== 0 || place >= ringBytes) {
    throw impossible(`a journal that begins at ${place}`);
  }
  for (const field of [H.TAIL_SEQUENCE, H.COUNTER]) {
    const value = view.getFloat64(field, L.LE);
    const isCount = Number.isSafeInteger(value) && value >= 0 && value < COUNTS_MAX;
    if (!isCount) throw impossible(`a journal count of ${value}`);
  }
  const isCounted =
    view.getUint32(H.SALT_COUNTED, L.LE) === lowWord(view.getFloat64(H.COUNTER, L.LE));
  if ((features & L.FEATURE_SUMS) !== 0 && !isCounted) throw impossible("another header's salt");
  const limit = view.getFloat64(H.LIMIT, L.LE);
  if (!Number.isSafeInteger(limit) || limit < 0) throw impossible(`at most ${limit} bytes`);
  const state = view.getUint32(H.STATE, L.LE);
  if (state < L.STATE.FORMATTING || state > L.STATE.CLOSED) throw impossible(`state ${state}`);
}

function decodeLabel(bytes: Uint8Array<ArrayBuffer>): string {
  const end = bytes.indexOf(0);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(
    end < 0 ? bytes : bytes.subarray(0, end),
  );
}

function viewOf(page: Uint8Array): DataView {
  return new DataView(page.buffer, page.byteOffset, page.byteLength);
}

/**
 * The newest valid header of an image's first 12,288 bytes.
 *
 * @throws {ErrnoError} EINVAL, EIO or ENOTSUP that says why it is no volume. A caller that wants to
 * know of damage gets what the superblock's copy says, if both are damaged
 */
export function newestHeader(start: Uint8Array, onViolation?: OnViolation): FoundHeader {
  let newest: FoundHeader | null = null;
  const mendedAt: number[] = [];
  let refused: unknown = null;
  for (const at of [L.HEADER_A_AT, L.HEADER_B_AT]) {
    try {
      const found = readHeader(start.subarray(at, at + L.HEADER_BYTES));
      if (found === null) continue;
      if (found.isMended) mendedAt.push(at);
      const { header } = found;
      if (newest === null || header.counter > newest.counter) {
        newest = { ...header, at, mendedAt, olderTail: tailOf(newest) };
      } else newest.olderTail = tailOf(header);
    } catch (error) {
      if (!isErrnoError(error)) throw error;
      refused ??= error;
    }
  }
  if (refused !== null) throw refused;
  if (newest !== null) return newest;
  const fromCopy = headerFromCopy(start);
  reportOrThrow(new DamageError("V9", "both journal headers are damaged"), onViolation);
  return fromCopy;
}

function tailOf(header: Header | null): Tail | null {
  return header && { place: header.tailPlace, sequence: header.tailSequence };
}

/**
 * What can be said of an image without a header: the geometry of the superblock's copy, and nothing
 * to replay.
 *
 * @throws {ErrnoError} EINVAL, EIO or ENOTSUP if the copy is no superblock either
 */
function headerFromCopy(start: Uint8Array): FoundHeader {
  const superblock = decodeSuperblock(viewOf(start), L.SUPERBLOCK_AT);
  const sums = firstSumBytes(superblock);
  const isSummed = hasFirstSum(start, superblock.inodeOffset, sums);
  return {
    state: L.STATE.IN_USE,
    counter: 0,
    tailSequence: 0,
    tailPlace: 0,
    tailChecksum: 0,
    salt: [0, 0],
    term: 0,
    ringBytes: superblock.inodeOffset - L.RING_AT - (isSummed ? sums : 0),
    featuresIncompatible: isSummed ? L.FEATURE_SUMS : 0,
    featuresReadOnly: 0,
    superblock,
    volumeId: new Uint8Array(L.VOLUME_ID_BYTES),
    label: "",
    limitBytes: 0,
    at: L.HEADER_A_AT,
    mendedAt: [],
    olderTail: null,
  };
}

/**
 * Without a header: whether the image has sums, which it has if the first page of slots matches its
 * own.
 */
function hasFirstSum(start: Uint8Array, inodeOffset: number, sums: number): boolean {
  const end = inodeOffset + L.PAGE_BYTES;
  if (end > start.length || inodeOffset - sums < L.RING_AT + L.RING_BYTES_MIN) return false;
  const sum = sumAt(viewOf(start.subarray(inodeOffset - sums)), 0);
  return sum !== 0 && pageSum(start, inodeOffset, end) === sum;
}

function unsupported(why: string): ErrnoError {
  return new ErrnoError("ENOTSUP", "open the volume", { why });
}

function impossible(what: string): ErrnoError {
  return new ErrnoError("EINVAL", "open the volume", { why: `its header speaks of ${what}` });
}
