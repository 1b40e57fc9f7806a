/**
 * Cursors: values one after the other in the request area, written by one side and read by the
 * other.
 *
 * Layer: relay, above `protocol.ts`. Each value is read once, into private memory, and checked
 * against the end of its message, because the other side may write at any time.
 *
 * Use: a client calls `writer.begin(Op.LOOKUP).path(name).ino(parent).end()`; the relay calls
 * `reader.openRequest(header)`, then `reader.ino()` and `reader.path()`.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import { invariant } from "../../abi/invariant.ts";
import { shown } from "../../abi/options.ts";
import { decodeUtf8, encodeUtf8 } from "../../abi/utf8.ts";
import { highWord, joinWords, lowWord } from "../../abi/words.ts";
import type { Ino } from "../volume_ops.ts";
import {
  type ChannelMemory,
  type Header,
  REQUEST_BYTES,
  RequestAt,
  RESPONSE_BYTES,
  ResponseAt,
  Word,
} from "./protocol.ts";

/** Bytes that always fit after a name: no operation has more fields than that. */
const FIELDS_BYTES = 128;

/** Throws unless what a caller hands over as text is a string. */
function requireText(text: string): void {
  if (typeof text !== "string") throw new ErrnoError("EINVAL", `use ${shown(text)} as a name`);
}

/** Writes values one after the other into an area. One object per channel, used again and again. */
export class Writer {
  /** Where the next value goes, in bytes of the area. */
  at = 0;
  readonly #memory: ChannelMemory;
  #pathBytes = 0;

  /** Writes into the area of `memory`. */
  constructor(memory: ChannelMemory) {
    this.#memory = memory;
  }

  /** Begins a request; a name, if any, comes next. */
  begin(op: number, flags = 0): this {
    this.#memory.view.setUint32(RequestAt.OP, op, true);
    this.flags(flags);
    this.#memory.words[Word.OPCODE] = op;
    this.#pathBytes = 0;
    this.at = REQUEST_BYTES;
    return this;
  }

  /** The flags of the request that was begun. */
  flags(flags: number): this {
    this.#memory.view.setUint32(RequestAt.FLAGS, flags, true);
    return this;
  }

  /** Begins a response. */
  beginResponse(): this {
    this.at = RESPONSE_BYTES;
    return this;
  }

  /** The request's name or path. */
  path(name: string): this {
    requireText(name);
    const { area } = this.#memory;
    const end = area.length - FIELDS_BYTES;
    this.at = encodeUtf8(name, area, { at: this.at, end });
    this.#pathBytes = this.at - REQUEST_BYTES;
    return this;
  }

  /** A text up to the end of the data. */
  text(text: string): this {
    requireText(text);
    const { area } = this.#memory;
    this.at = encodeUtf8(text, area, { at: this.at, end: area.length });
    return this;
  }

  /** A text of at most 65,535 bytes, after its length. */
  shortText(text: string): this {
    const from = this.at;
    this.at += 2;
    this.text(text);
    invariant(this.at - from - 2 <= 0xffff, "R1: a short text is long");
    this.#memory.view.setUint16(from, this.at - from - 2, true);
    return this;
  }

  /** An unsigned number of 8 bits. */
  u8(value: number): this {
    this.#memory.view.setUint8(this.at, value);
    this.at += 1;
    return this;
  }

  /** An unsigned number of 32 bits. */
  u32(value: number): this {
    // Less than 0 would come out as another number at the other end.
    if (typeof value !== "number" || value >>> 0 !== value) {
      throw new ErrnoError("EINVAL", `send the number ${shown(value)}`);
    }
    this.#memory.view.setUint32(this.at, value, true);
    this.at += 4;
    return this;
  }

  /** A double. */
  f64(value: number): this {
    if (typeof value !== "number") {
      throw new ErrnoError("EINVAL", `send the number ${shown(value)}`);
    }
    this.#memory.view.setFloat64(this.at, value, true);
    this.at += 8;
    return this;
  }

  /** An inode: slot + 1, then the slot's generation. */
  ino(ino: Ino): this {
    if (!Number.isSafeInteger(ino) || ino < 0) {
      throw new ErrnoError("ESTALE", `use inode ${shown(ino)}`);
    }
    return this.u32(lowWord(ino)).u32(highWord(ino));
  }

  /** Ends a request whose data goes on for `payloadBytes`; returns the bytes of the whole. */
  end(payloadBytes = 0): number {
    invariant(payloadBytes >= 0, "R1: a payload is shorter than nothing");
    const dataBytes = this.at - REQUEST_BYTES - this.#pathBytes + payloadBytes;
    this.#memory.view.setUint32(RequestAt.PATH_LEN, this.#pathBytes, true);
    this.#memory.view.setUint32(RequestAt.DATA_LEN, dataBytes, true);
    return REQUEST_BYTES + this.#pathBytes + dataBytes;
  }

  /** Ends a response whose data goes on for `payloadBytes`; returns the bytes of the whole. */
  endResponse(status: number, payloadBytes = 0): number {
    invariant(payloadBytes >= 0, "R1: a payload is shorter than nothing");
    const dataBytes = this.at - RESPONSE_BYTES + payloadBytes;
    this.#memory.view.setInt32(ResponseAt.STATUS, status, true);
    this.#memory.view.setUint32(ResponseAt.DATA_LEN, dataBytes, true);
    this.#memory.words[Word.STATUS] = status;
    return RESPONSE_BYTES + dataBytes;
  }
}

/** Takes values out of a message. Each is read once and checked against the message's end. */
export class Reader {
  /** The operation of the open request. */
  op = 0;
  /** Its flags. */
  flags = 0;
  /** The status of the open response. */
  status = 0;
  /** The next value, in bytes of the area. */
  at = 0;
  /** Where this chunk ends in the area. */
  end = 0;
  /** Bytes of data of the whole message, beyond this chunk too. */
  dataBytes = 0;
  readonly #memory: ChannelMemory;
  #pathEnd = 0;

  /** Reads from the area of `memory`. */
  constructor(memory: ChannelMemory) {
    this.#memory = memory;
  }

  /**
   * Opens the request whose first chunk is in the area.
   *
   * @throws {ErrnoError} EPROTO if its lengths contradict each other
   */
  openRequest(header: Header): void {
    const { view, area } = this.#memory;
    if (header.chunkBytes > area.length || header.chunkBytes < REQUEST_BYTES) throw badLength();
    this.op = view.getUint32(RequestAt.OP, true);
    this.flags = view.getUint32(RequestAt.FLAGS, true);
    const pathBytes = view.getUint32(RequestAt.PATH_LEN, true);
    this.dataBytes = view.getUint32(RequestAt.DATA_LEN, true);
    this.#pathEnd = this.at = REQUEST_BYTES + pathBytes;
    this.end = header.chunkBytes;
    const total = this.#pathEnd + this.dataBytes;
    if (this.#pathEnd > this.end || total !== header.totalBytes || total < this.end) {
      throw badLength();
    }
  }

  /**
   * Opens the response whose first chunk is in the area.
   *
   * @throws {ErrnoError} EPROTO if its lengths contradict each other
   */
  openResponse(header: Header): void {
    const { view, area } = this.#memory;
    if (header.chunkBytes > area.length || header.chunkBytes < RESPONSE_BYTES) throw badLength();
    this.status = view.getInt32(ResponseAt.STATUS, true);
    this.dataBytes = view.getUint32(ResponseAt.DATA_LEN, true);
    this.at = RESPONSE_BYTES;
    this.end = header.chunkBytes;
    const total = RESPONSE_BYTES + this.dataBytes;
    if (total !== header.totalBytes || total < this.end) throw badLength();
  }

  /** Bytes of the request's data from here on, over all its chunks. */
  payloadBytes(): number {
    return this.#pathEnd + this.dataBytes - this.at;
  }

  /** The request's name or path, which stands before its data. */
  path(): string {
    return decodeUtf8(this.#memory.area, { at: REQUEST_BYTES, end: this.#pathEnd });
  }

  /** The text from here to the end of the chunk. */
  text(): string {
    const text = decodeUtf8(this.#memory.area, this);
    this.at = this.end;
    return text;
  }

  /** A text after its length. */
  shortText(): string {
    const length = this.#memory.view.getUint16(this.#take(2), true);
    const at = this.#take(length);
    return decodeUtf8(this.#memory.area, { at, end: at + length });
  }

  /** A text after its length of 32 bits. */
  longText(): string {
    const length = this.u32();
    const at = this.#take(length);
    return decodeUtf8(this.#memory.area, { at, end: at + length });
  }

  /** An unsigned number of 32 bits. */
  u32(): number {
    return this.#memory.view.getUint32(this.#take(4), true);
  }

  /** A double. */
  f64(): number {
    return this.#memory.view.getFloat64(this.#take(8), true);
  }

  /** An inode. */
  ino(): Ino {
    const low = this.u32();
    return joinWords(low, this.u32());
  }

  #take(bytes: number): number {
    const at = this.at;
    if (at + bytes > this.end) throw badLength();
    this.at = at + bytes;
    return at;
  }
}

function badLength(): ErrnoError {
  return new ErrnoError("EPROTO", "read a message whose lengths contradict each other");
}
