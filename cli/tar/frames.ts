/**
 * The headers of a tar, picked out of its bytes as they stream by.
 *
 * Layer: cli, bottom. modern-tar reads and writes the archive; it says nothing of device numbers,
 * shows attributes as text, and knows no sparse files. So a {@link Frames} stands beside it on the
 * same stream, sees each header before modern-tar does (or after it wrote one), and keeps what is
 * missing. Bodies pass by uncopied. What modern-tar must not see goes no further: the further blocks
 * of an old sparse header, and everything after the end.
 *
 * @module
 */
import { ErrnoError } from "../../mod.ts";
import {
  BLOCK_BYTES,
  bytesIn,
  checksumOf,
  FIELD,
  isSumOfSigned,
  numberIn,
  seal,
  untilNul,
} from "./header.ts";
import { nameFrom, shownName } from "./names.ts";
import { parsePax, type PaxRecords, textOf } from "./pax.ts";
import { OLD_SPARSE, oldPieces, oldSparseHead, type Piece, type SparseHead } from "./sparse.ts";

/** What belongs to one header may be as long as this; modern-tar has the same bound. */
const META_BYTES_MAX = 8 * 1024 * 1024;

/** One entry, as its headers say it. */
export interface Frame {
  /** The type flag: one character, "0" for a file. */
  type: string;
  /** The name, as {@link nameFrom} gives it: whatever its bytes are, no two names are one. */
  name: string;
  /** What a link points to, likewise. */
  linkName: string;
  /** Length of the body. */
  sizeBytes: number;
  /** Time of the last change in whole seconds; less than 0 before 1970. */
  mtimeSeconds: number;
  /** Major number of a device. */
  major: number;
  /** Minor number of a device. */
  minor: number;
  /** The permission bits. */
  mode: number;
  /** The owner; NaN if that is no number. */
  uid: number;
  /** The group, likewise. */
  gid: number;
  /** Where the data of a file in GNU's old sparse format is: complete when its body comes. */
  sparse: SparseHead | null;
  /** The records of extended headers, global ones among them. */
  pax: PaxRecords;
}

/** Gets each entry: the frame, and its header, which may be changed in place. */
export type FrameListener = (frame: Frame, header: Uint8Array) => void;

/** Walks over the bytes of a tar. */
export class Frames {
  readonly #listener: FrameListener;
  readonly #global: PaxRecords = new Map();
  #globalBytes = 0;
  #local: PaxRecords = new Map();
  #longName: Uint8Array | null = null;
  #longLink: Uint8Array | null = null;
  /** Bytes that belong to a header, as far as they have come. */
  #pending: { into: Uint8Array; done: number; type: string } | null = null;
  /** Bytes of a body and its padding that are still to come. */
  #skipBytes = 0;
  #doneBytes = 0;
  /** The pieces of an old sparse file, while blocks with more of them come. */
  #morePieces: Piece[] | null = null;
  #zeroBlocks = 0;
  #isEndPassed = false;
  /** Whether what was taken last goes no further. */
  #isKeptBack = false;

  /** Whether anything but zeros has come after the end. */
  hasTail = false;

  /** The listener hears of each entry before its body has gone by. */
  constructor(listener: FrameListener) {
    this.#listener = listener;
  }

  /**
   * Looks at the next bytes, and passes on what is for modern-tar. No header may be split: where there
   * may be one, whole blocks are wanted (see {@link inBlocks}).
   *
   * @throws {ErrnoError} EIO for what is no header, ENOTSUP for one that cannot be read
   */
  push(chunk: Uint8Array, pass: (bytes: Uint8Array) => void = () => {}): void {
    let passedTo = 0;
    for (let at = 0; at < chunk.length;) {
      this.#isKeptBack = false;
      const count = this.#take(chunk.subarray(at));
      if (this.#isKeptBack) {
        if (at > passedTo) pass(chunk.subarray(passedTo, at));
        if (this.isOver && !this.#isEndPassed) this.#passEnd(pass);
        passedTo = at + count;
      }
      at += count;
      this.#doneBytes += count;
    }
    if (passedTo < chunk.length) pass(chunk.subarray(passedTo));
  }

  /** Whether two blocks of zeros have come, which are the end. */
  get isOver(): boolean {
    return this.#zeroBlocks === 2;
  }

  #passEnd(pass: (bytes: Uint8Array) => void): void {
    this.#isEndPassed = true;
    pass(new Uint8Array(2 * BLOCK_BYTES));
  }

  /** Takes some of the bytes and returns how many. */
  #take(bytes: Uint8Array): number {
    if (this.isOver) return this.#takeTail(bytes);
    if (this.#morePieces !== null && bytes.length >= BLOCK_BYTES) return this.#takePieces(bytes);
    if (this.#pending !== null) return this.#takePending(this.#pending, bytes);
    if (this.#skipBytes > 0) {
      const count = Math.min(this.#skipBytes, bytes.length);
      this.#skipBytes -= count;
      return count;
    }
    if (bytes.length < BLOCK_BYTES) {
      throw new ErrnoError("EIO", "read the tar", { why: "it is cut short" });
    }
    this.#header(bytes.subarray(0, BLOCK_BYTES));
    return BLOCK_BYTES;
  }

  #takeTail(bytes: Uint8Array): number {
    this.#isKeptBack = true;
    this.hasTail ||= bytes.some((byte) => byte !== 0);
    return bytes.length;
  }

  #takePieces(bytes: Uint8Array): number {
    this.#isKeptBack = true;
    const block = bytes.subarray(0, BLOCK_BYTES);
    const hasMore = oldPieces(block, OLD_SPARSE.MORE, this.#morePieces!);
    if (!hasMore) this.#morePieces = null;
    return BLOCK_BYTES;
  }

  #takePending(
    pending: { into: Uint8Array; done: number; type: string },
    bytes: Uint8Array,
  ): number {
    const count = Math.min(pending.into.length - pending.done, bytes.length);
    pending.into.set(bytes.subarray(0, count), pending.done);
    pending.done += count;
    if (pending.done < pending.into.length) return count;
    this.#pending = null;
    this.#meta(pending.type, pending.into);
    return count;
  }

  #header(header: Uint8Array): void {
    if (header.every((byte) => byte === 0)) {
      this.#isKeptBack = true;
      this.#zeroBlocks++;
      return;
    }
    this.#zeroBlocks = 0;
    this.#checkSum(header);
    const type = String.fromCharCode(header[FIELD.TYPE]! || 0x30);
    const sizeBytes = numberIn(header, FIELD.SIZE);
    if ("xgLK".includes(type)) {
      if (!(sizeBytes <= META_BYTES_MAX)) {
        throw new ErrnoError("EIO", "read the tar", { why: `a header of ${sizeBytes} bytes` });
      }
      this.#begin(type, sizeBytes);
    } else {
      this.#entry(type, sizeBytes, header);
    }
  }

  #checkSum(header: Uint8Array): void {
    const said = numberIn(header, FIELD.CHECKSUM);
    if (checksumOf(header) === said) return;
    // Once some systems took bytes for numbers with a sign.
    if (isSumOfSigned(header, said)) return seal(header);
    const at = this.#doneBytes;
    const what = at === 0 ? "it is not a tar" : `the header at byte ${at} is damaged`;
    throw new ErrnoError("EIO", "read the tar", { why: what });
  }

  #begin(type: string, sizeBytes: number): void {
    if (sizeBytes === 0) return this.#meta(type, new Uint8Array(0));
    this.#pending = { into: new Uint8Array(sizeBytes), done: 0, type };
  }

  /** What stands before an entry and belongs to it, or to all that follow. */
  #meta(type: string, bytes: Uint8Array): void {
    this.#skipBytes = -bytes.length & (BLOCK_BYTES - 1);
    if (type === "L") this.#longName = untilNul(bytes);
    else if (type === "K") this.#longLink = untilNul(bytes);
    else if (type === "x") this.#local = parsePax(bytes);
    else for (const [key, value] of parsePax(bytes)) this.#setGlobal(key, value);
  }

  /** Global records pile up over the whole archive: all together may take what one header may. */
  #setGlobal(key: string, value: Uint8Array): void {
    const old = this.#global.get(key);
    this.#globalBytes += costOf(key, value) - (old === undefined ? 0 : costOf(key, old));
    if (this.#globalBytes > META_BYTES_MAX) {
      throw new ErrnoError("EIO", "read the tar", {
        why: `global headers of over ${META_BYTES_MAX} bytes`,
      });
    }
    this.#global.set(key, value);
  }

  #entry(type: string, headerSize: number, header: Uint8Array): void {
    const pax: PaxRecords = new Map([...this.#global, ...this.#local]);
    const name = nameFrom(pax.get("path") ?? this.#longName ?? nameIn(header));
    const linkName = nameFrom(
      pax.get("linkpath") ?? this.#longLink ?? bytesIn(header, FIELD.LINK_NAME),
    );
    const said = pax.get("size");
    const size = said === undefined ? headerSize : Number(textOf(said).text);
    const isBodyless = "123456".includes(type);
    const sizeBytes = isBodyless ? 0 : size;
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
      throw new ErrnoError("EIO", "read the tar", { why: `"${shownName(name)}" has no size` });
    }
    const [major, minor] = "34".includes(type)
      ? [numberIn(header, FIELD.MAJOR), numberIn(header, FIELD.MINOR)]
      : [0, 0];
    this.#local = new Map();
    this.#longName = null;
    this.#longLink = null;
    this.#skipBytes = sizeBytes + (-sizeBytes & (BLOCK_BYTES - 1));
    const mtimeSeconds = numberIn(header, FIELD.MTIME);
    const [mode, uid, gid] = ["MODE", "UID", "GID"].map((field) =>
      numberIn(header, FIELD[field as "MODE"])
    ) as [number, number, number];
    const sparse = type === "S" ? this.#oldSparse(header) : null;
    const numbers = { sizeBytes, mtimeSeconds, major, minor, mode, uid, gid };
    this.#listener({ type, name, linkName, ...numbers, sparse, pax }, header);
  }

  /** For modern-tar it is a plain file, as long as what is there of it. */
  #oldSparse(header: Uint8Array): SparseHead {
    const { head, hasMore } = oldSparseHead(header);
    this.#morePieces = hasMore ? head.pieces : null;
    header[FIELD.TYPE] = 0x30;
    header.fill(0, OLD_SPARSE.HEADER.at);
    seal(header);
    return head;
  }
}

/** What a record costs in memory, about; so there cannot be millions either. */
function costOf(key: string, value: Uint8Array): number {
  return key.length + value.length + 256;
}

/** POSIX's headers have a prefix; in GNU's other things stand there. */
function nameIn(header: Uint8Array): Uint8Array {
  const name = bytesIn(header, FIELD.NAME);
  const [at, length] = FIELD.MAGIC;
  const isPosix = textOf(header.slice(at, at + length)).text === "ustar\0";
  const prefix = isPosix ? bytesIn(header, FIELD.PREFIX) : new Uint8Array(0);
  return prefix.length === 0 ? name : joined(joined(prefix, new Uint8Array([0x2f])), name);
}

/** Cuts a stream of bytes so that each piece is whole blocks of 512; the last is what is left. */
export function inBlocks(): TransformStream<Uint8Array, Uint8Array> {
  let rest = new Uint8Array(0);
  return new TransformStream({
    transform(chunk, controller) {
      const bytes = rest.length === 0 ? chunk : joined(rest, chunk);
      const whole = bytes.length - bytes.length % BLOCK_BYTES;
      if (whole > 0) controller.enqueue(bytes.subarray(0, whole));
      rest = bytes.slice(whole);
    },
    flush(controller) {
      if (rest.length > 0) controller.enqueue(rest);
    },
  });
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(one.length + other.length);
  bytes.set(one);
  bytes.set(other, one.length);
  return bytes;
}
