/**
 * The headers of a tar, picked out of its bytes as they stream by.
 *
 * Layer: cli, bottom. modern-tar reads and writes the archive; it says nothing of device numbers,
 * shows attributes as text, and knows no sparse files. So a {@link Frames} stands beside it on the
 * same stream, sees each header before modern-tar does (or after it wrote one), and keeps what is
 * missing. Bodies pass by uncopied.
 *
 * @module
 */
import { ErrnoError } from "../../mod.ts";
import { parsePax, type PaxRecords, textOf } from "./pax.ts";

/** Bytes of a header, and of the grid that everything stands on. */
export const BLOCK_BYTES = 512;
/** What belongs to one header may be as long as this; modern-tar has the same bound. */
const META_BYTES_MAX = 8 * 1024 * 1024;

/** Where the fields of a header are. */
export const FIELD = {
  NAME: [0, 100],
  SIZE: [124, 12],
  MTIME: [136, 12],
  CHECKSUM: [148, 8],
  TYPE: 156,
  LINK_NAME: [157, 100],
  MAGIC: [257, 6],
  MAJOR: [329, 8],
  MINOR: [337, 8],
  PREFIX: [345, 155],
} as const;

/** One entry, as its headers say it. */
export interface Frame {
  /** The type flag: one character, "0" for a file. */
  type: string;
  /** The name, exactly: bytes that are no UTF-8 as `%FF`. */
  name: string;
  /** What a link points to, likewise. */
  linkName: string;
  /** Whether both were UTF-8. */
  isExact: boolean;
  /** Length of the body. */
  sizeBytes: number;
  /** Time of the last change in whole seconds; less than 0 before 1970. */
  mtimeSeconds: number;
  /** Major number of a device. */
  major: number;
  /** Minor number of a device. */
  minor: number;
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

  /** The listener hears of each entry before its body has gone by. */
  constructor(listener: FrameListener) {
    this.#listener = listener;
  }

  /**
   * Looks at the next bytes. No header may be split: where there may be one, whole blocks are
   * wanted (see {@link inBlocks}).
   *
   * @throws {ErrnoError} EIO for what is no header, ENOTSUP for one that cannot be read
   */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const count = this.#take(chunk.subarray(at));
      at += count;
      this.#doneBytes += count;
    }
  }

  /** Takes some of the bytes and returns how many. */
  #take(bytes: Uint8Array): number {
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
    if (header.every((byte) => byte === 0)) return;
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
    if (checksumOf(header) === numberIn(header, FIELD.CHECKSUM)) return;
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
    const name = textOf(pax.get("path") ?? this.#longName ?? nameIn(header));
    const link = textOf(pax.get("linkpath") ?? this.#longLink ?? bytesIn(header, FIELD.LINK_NAME));
    const said = pax.get("size");
    const size = said === undefined ? headerSize : Number(textOf(said).text);
    const isBodyless = "123456".includes(type);
    const sizeBytes = isBodyless ? 0 : size;
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
      throw new ErrnoError("EIO", "read the tar", { why: `"${name.text}" has no size` });
    }
    const [major, minor] = "34".includes(type)
      ? [numberIn(header, FIELD.MAJOR), numberIn(header, FIELD.MINOR)]
      : [0, 0];
    const isExact = name.isExact && link.isExact;
    const names = { name: name.text, linkName: link.text, isExact };
    this.#local = new Map();
    this.#longName = null;
    this.#longLink = null;
    this.#skipBytes = sizeBytes + (-sizeBytes & (BLOCK_BYTES - 1));
    const mtimeSeconds = numberIn(header, FIELD.MTIME);
    this.#listener({ type, ...names, sizeBytes, mtimeSeconds, major, minor, pax }, header);
  }
}

/** What a record costs in memory, about; so there cannot be millions either. */
function costOf(key: string, value: Uint8Array): number {
  return key.length + value.length + 256;
}

function bytesIn(header: Uint8Array, [at, length]: readonly [number, number]): Uint8Array {
  return untilNul(header.slice(at, at + length));
}

function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** POSIX's headers have a prefix; in GNU's other things stand there. */
function nameIn(header: Uint8Array): Uint8Array {
  const name = bytesIn(header, FIELD.NAME);
  const [at, length] = FIELD.MAGIC;
  const isPosix = textOf(header.slice(at, at + length)).text === "ustar\0";
  const prefix = isPosix ? bytesIn(header, FIELD.PREFIX) : new Uint8Array(0);
  return prefix.length === 0 ? name : joined(joined(prefix, new Uint8Array([0x2f])), name);
}

/** A number in octal digits, or in GNU's binary form, which may be negative; NaN for neither. */
function numberIn(header: Uint8Array, [at, length]: readonly [number, number]): number {
  const bytes = header.subarray(at, at + length);
  const first = bytes[0]!;
  if ((first & 0x80) !== 0) {
    const start = (first & 0x40) !== 0 ? first - 0x100 : first & 0x3f;
    return bytes.subarray(1).reduce((sum, byte) => sum * 256 + byte, start);
  }
  const text = textOf(untilNul(bytes)).text.trim();
  return /^[0-7]*$/.test(text) ? parseInt(text || "0", 8) : NaN;
}

/** The sum of a header's bytes, its own field read as spaces. */
function checksumOf(header: Uint8Array): number {
  const [at, length] = FIELD.CHECKSUM;
  const own = header.subarray(at, at + length).reduce((sum, byte) => sum + byte, 0);
  return header.reduce((sum, byte) => sum + byte, 0) - own + length * 0x20;
}

/** Writes a number into a header in place, and the checksum anew. */
export function putNumber(
  header: Uint8Array,
  [at, length]: readonly [number, number],
  value: number,
): void {
  put(header, at, `${value.toString(8).padStart(length - 1, "0")}\0`);
  put(header, FIELD.CHECKSUM[0], `${checksumOf(header).toString(8).padStart(6, "0")}\0 `);
}

function put(header: Uint8Array, at: number, text: string): void {
  header.set(new TextEncoder().encode(text), at);
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
