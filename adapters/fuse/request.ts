/**
 * One request of the kernel, read where it lies.
 *
 * Layer: adapters/fuse, over `protocol.ts`. One object serves every request in turn: `load(length)`
 * reads the header, the other methods read the body at offsets of `protocol.ts`.
 *
 * Names are bytes to the kernel and UTF-8 to a volume. One that is not UTF-8 is in no volume: asked
 * for, it is missing; to be made, it is EILSEQ.
 *
 * @module
 */
import { ErrnoError, isErrnoError, joinWords } from "../../mod.ts";
import { IN_HEADER, REQUEST_BYTES } from "./protocol.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A request in a buffer that is used again and again. */
export class Request {
  /** Where `read` puts what the kernel sends. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;
  /** Bytes of the whole request. */
  length = 0;
  /** What is asked for. */
  opcode = 0;
  /** The low word of the number that the reply carries back. */
  uniqueLow = 0;
  /** Its high word. */
  uniqueHigh = 0;
  /** The inode that it is about. */
  nodeId = 0;
  /** Who asks: user. */
  uid = 0;
  /** Who asks: group. */
  gid = 0;
  /** Who asks: process, 0 if it is out of sight. */
  pid = 0;

  /** A buffer for requests of up to `sizeBytes`. */
  constructor(sizeBytes: number = REQUEST_BYTES) {
    this.bytes = new Uint8Array(sizeBytes);
    this.#view = new DataView(this.bytes.buffer);
  }

  /**
   * Reads the header of a request of `length` bytes.
   *
   * @throws {ErrnoError} EPROTO if the bytes are not one whole request
   */
  load(length: number): this {
    const view = this.#view;
    if (length < IN_HEADER.BYTES || view.getUint32(IN_HEADER.LENGTH, true) !== length) {
      throw new ErrnoError("EPROTO", `read a request of ${length} bytes`);
    }
    this.length = length;
    this.opcode = view.getUint32(IN_HEADER.OPCODE, true);
    this.uniqueLow = view.getUint32(IN_HEADER.UNIQUE, true);
    this.uniqueHigh = view.getUint32(IN_HEADER.UNIQUE + 4, true);
    this.nodeId = this.#u64(IN_HEADER.NODE_ID);
    this.uid = view.getUint32(IN_HEADER.UID, true);
    this.gid = view.getUint32(IN_HEADER.GID, true);
    this.pid = view.getUint32(IN_HEADER.PID, true);
    return this;
  }

  /** The 32-bit number at `at` of the body. */
  u32(at: number): number {
    return this.#view.getUint32(this.#placeOf(at, 4), true);
  }

  /** Where `bytes` of the body are, from `at` on. */
  #placeOf(at: number, bytes: number): number {
    const place = IN_HEADER.BYTES + at;
    if (place + bytes <= this.length) return place;
    throw new ErrnoError(
      "EPROTO",
      `read ${bytes} bytes at ${place} of a request of ${this.length}`,
    );
  }

  /** The unsigned 64-bit number at `at` of the body; above 2^53 the nearest double. */
  u64(at: number): number {
    return this.#u64(this.#placeOf(at, 8));
  }

  /** The signed 64-bit number at `at` of the body. */
  i64(at: number): number {
    const place = this.#placeOf(at, 8);
    return joinWords(this.#view.getUint32(place, true), this.#view.getInt32(place + 4, true));
  }

  #u64(place: number): number {
    return joinWords(this.#view.getUint32(place, true), this.#view.getUint32(place + 4, true));
  }

  /** `length` bytes of the body from `at`, in place. */
  data(at: number, length: number): Uint8Array<ArrayBuffer> {
    const from = IN_HEADER.BYTES + at;
    if (from + length > this.length) {
      throw new ErrnoError("EPROTO", `read ${length} bytes of a request of ${this.length}`);
    }
    return this.bytes.subarray(from, from + length);
  }

  /**
   * The string at `at` of the body, which ends with a NUL.
   *
   * @throws {ErrnoError} EILSEQ if it is not UTF-8
   */
  text(at: number): string {
    const from = IN_HEADER.BYTES + at;
    const { bytes } = this;
    let text = "";
    for (let index = from; index < this.length; index++) {
      const byte = bytes[index]!;
      if (byte === 0) return text;
      if (byte >= 0x80) return this.#wideText(from);
      text += String.fromCharCode(byte);
    }
    throw new ErrnoError("EPROTO", "read a name without an end");
  }

  /** The string at `at` of the body; null if it is not UTF-8, for a name that is only looked for. */
  textOrNull(at: number): string | null {
    try {
      return this.text(at);
    } catch (error) {
      if (isErrnoError(error) && error.code === "EILSEQ") return null;
      throw error;
    }
  }

  #wideText(from: number): string {
    const end = this.bytes.indexOf(0, from);
    if (end < 0 || end >= this.length) {
      throw new ErrnoError("EPROTO", "read a name without an end");
    }
    try {
      return decoder.decode(this.bytes.subarray(from, end));
    } catch (error) {
      throw new ErrnoError("EILSEQ", "use a name that is not UTF-8", { cause: error });
    }
  }

  /** Where the string after the one at `at` begins. */
  textAfter(at: number): number {
    return this.bytes.indexOf(0, IN_HEADER.BYTES + at) + 1 - IN_HEADER.BYTES;
  }
}
