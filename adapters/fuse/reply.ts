/**
 * One reply to the kernel, written where it will be sent from.
 *
 * Layer: adapters/fuse, over `protocol.ts`. One object serves every reply in turn:
 * `begin(request)`, then the body, whose length the `end…` methods set, then `length` bytes of
 * `bytes` go to the device. A reply whose `length` is 0 is not sent.
 *
 * Times are milliseconds in the house and seconds with nanoseconds here; they are rounded to the
 * microsecond, which a double of milliseconds holds for some two hundred years around 1970.
 *
 * @module
 */
import { highWord, lowWord } from "../../mod.ts";
import type { Attr, DirEntry } from "../../mod.ts";
import {
  ATTR,
  ATTR_OUT,
  DIRENT,
  DIRENT_ALIGNMENT,
  ENTRY_OUT,
  OPEN_OUT,
  OUT_HEADER,
  REPLY_BYTES,
} from "./protocol.ts";
import type { Request } from "./request.ts";

const MICROSECONDS = 1_000_000;
const encoder = new TextEncoder();

/** An inode as the kernel gets to know it. */
export interface Entry {
  /** The whole inode number, generation and all: it never means another file. */
  nodeId: number;
  /** Its attributes. */
  attr: Attr;
  /** How long the kernel may believe name and attributes, in ms. */
  validMs: number;
  /** What stat shows as the preferred size of a read or write. */
  blockSize: number;
}

/** A reply in a buffer that is used again and again. */
export class Reply {
  /** The reply, header first. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;
  /** How many of them are to be sent. */
  length = 0;

  /** A buffer for replies of up to `sizeBytes`. */
  constructor(sizeBytes: number = REPLY_BYTES) {
    this.bytes = new Uint8Array(sizeBytes);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Starts an empty, successful answer. */
  begin(request: Request): void {
    this.#view.setUint32(OUT_HEADER.UNIQUE, request.uniqueLow, true);
    this.#view.setUint32(OUT_HEADER.UNIQUE + 4, request.uniqueHigh, true);
    this.#view.setInt32(OUT_HEADER.ERROR, 0, true);
    this.end(0);
  }

  /** The body has `length` bytes. */
  end(length: number): void {
    this.length = OUT_HEADER.BYTES + length;
    this.#view.setUint32(OUT_HEADER.LENGTH, this.length, true);
  }

  /** The answer is one of Linux's error numbers. */
  fail(errno: number): void {
    this.end(0);
    this.#view.setInt32(OUT_HEADER.ERROR, -errno, true);
  }

  /** There is no answer. */
  omit(): void {
    this.length = 0;
  }

  /** The place of the body, `length` bytes of it. */
  body(length: number): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(OUT_HEADER.BYTES, OUT_HEADER.BYTES + length);
  }

  /** Zeroes `length` bytes of the body from `at`, for records with fields that stay 0. */
  clear(at: number, length: number): void {
    this.#zero(at, at + length);
  }

  /** Puts a 16-bit number at `at` of the body. */
  u16(at: number, value: number): void {
    this.#view.setUint16(OUT_HEADER.BYTES + at, value, true);
  }

  /** Puts a 32-bit number at `at` of the body. */
  u32(at: number, value: number): void {
    this.#view.setUint32(OUT_HEADER.BYTES + at, value, true);
  }

  /** Puts a 64-bit number, signed or not, at `at` of the body. */
  u64(at: number, value: number): void {
    const high = highWord(value);
    this.#view.setUint32(OUT_HEADER.BYTES + at, lowWord(value), true);
    this.#view.setUint32(OUT_HEADER.BYTES + at + 4, high, true);
  }

  /** The whole answer is a string. */
  endText(text: string): void {
    const room = this.bytes.length - OUT_HEADER.BYTES;
    this.end(encoder.encodeInto(text, this.body(room)).written);
  }

  /** The whole answer is attributes. */
  endAttr(entry: Entry): void {
    this.clear(0, ATTR_OUT.ATTR);
    this.#valid(ATTR_OUT.VALID, ATTR_OUT.VALID_NS, entry.validMs);
    this.#attr(ATTR_OUT.ATTR, entry);
    this.end(ATTR_OUT.BYTES);
  }

  /** The whole answer is an entry. */
  endEntry(entry: Entry): void {
    this.entryAt(0, entry);
    this.end(ENTRY_OUT.BYTES);
  }

  /** The whole answer is: there is no such name, and that may be believed for `validMs`. */
  endAbsent(validMs: number): void {
    this.clear(0, ENTRY_OUT.BYTES);
    this.#valid(ENTRY_OUT.ENTRY_VALID, ENTRY_OUT.ENTRY_VALID_NS, validMs);
    this.end(ENTRY_OUT.BYTES);
  }

  /** The whole answer is an entry and an open file without a handle of its own. */
  endCreated(entry: Entry): void {
    this.entryAt(0, entry);
    this.#zero(ENTRY_OUT.BYTES, ENTRY_OUT.BYTES + OPEN_OUT.BYTES);
    this.end(ENTRY_OUT.BYTES + OPEN_OUT.BYTES);
  }

  /** Puts an entry at `at` of the body. */
  entryAt(at: number, entry: Entry): void {
    this.u64(at + ENTRY_OUT.NODE_ID, entry.nodeId);
    this.u64(at + ENTRY_OUT.GENERATION, highWord(entry.nodeId));
    this.#valid(at + ENTRY_OUT.ENTRY_VALID, at + ENTRY_OUT.ENTRY_VALID_NS, entry.validMs);
    this.#valid(at + ENTRY_OUT.ATTR_VALID, at + ENTRY_OUT.ATTR_VALID_NS, entry.validMs);
    this.#attr(at + ENTRY_OUT.ATTR, entry);
  }

  #valid(at: number, atNs: number, validMs: number): void {
    const seconds = Math.floor(validMs / 1000);
    this.u64(at, seconds);
    this.u32(atNs, Math.round((validMs - seconds * 1000) * MICROSECONDS));
  }

  #attr(at: number, { attr, blockSize }: Entry): void {
    this.u64(at + ATTR.INO, attr.ino);
    this.u64(at + ATTR.SIZE, attr.size);
    this.u64(at + ATTR.BLOCKS, attr.blocks);
    this.#time(at + ATTR.ATIME, at + ATTR.ATIME_NS, attr.atime);
    this.#time(at + ATTR.MTIME, at + ATTR.MTIME_NS, attr.mtime);
    this.#time(at + ATTR.CTIME, at + ATTR.CTIME_NS, attr.ctime);
    this.u32(at + ATTR.MODE, attr.mode);
    this.u32(at + ATTR.NLINK, attr.nlink);
    this.u32(at + ATTR.UID, attr.uid);
    this.u32(at + ATTR.GID, attr.gid);
    this.u32(at + ATTR.RDEV, attr.rdev);
    this.u32(at + ATTR.BLOCK_SIZE, blockSize);
    this.u32(at + ATTR.FLAGS, 0);
  }

  #time(at: number, atNs: number, timeMs: number): void {
    const microseconds = Math.round(timeMs * 1000);
    const seconds = Math.floor(microseconds / MICROSECONDS);
    const rest = microseconds - seconds * MICROSECONDS;
    this.u64(at, seconds);
    this.u32(atNs, Math.min(Math.max(rest, 0), MICROSECONDS - 1) * 1000);
  }

  /**
   * Puts a directory entry at `at` of the body, which may grow to `limit`. Returns where the next one
   * goes, or -1 if it does not fit.
   */
  dirent(at: number, entry: DirEntry, limit: number): number {
    const nameAt = at + DIRENT.NAME;
    if (nameAt + entry.name.length > limit) return -1;
    const place = this.bytes.subarray(OUT_HEADER.BYTES + nameAt, OUT_HEADER.BYTES + limit);
    const { read, written } = encoder.encodeInto(entry.name, place);
    const end = nameAt + Math.ceil(written / DIRENT_ALIGNMENT) * DIRENT_ALIGNMENT;
    if (read < entry.name.length || end > limit) return -1;
    this.#zero(nameAt + written, end);
    this.u64(at + DIRENT.INO, entry.ino);
    this.u64(at + DIRENT.OFFSET, entry.cursor);
    this.u32(at + DIRENT.NAME_LENGTH, written);
    this.u32(at + DIRENT.TYPE, entry.mode >> 12 & 0o17);
    return end;
  }

  #zero(from: number, to: number): void {
    this.bytes.fill(0, OUT_HEADER.BYTES + from, OUT_HEADER.BYTES + to);
  }
}
