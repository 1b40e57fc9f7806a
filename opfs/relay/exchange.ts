/**
 * Exchange: one request and its answer, in as many chunks as they need.
 *
 * Layer: relay, between the client and its channel. The payload of a request is copied once, from
 * the caller's buffer into the area; the payload of an answer once, from the area into the caller's
 * buffer. The first chunk says how long the whole is. One object per channel, used again and again.
 *
 * Use: fill the writer; `start(bytes, …)`; wait; `while (!exchange.step()) wait`.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import { invariant } from "../../abi/invariant.ts";
import { type Channel, wholeMessage } from "./channel.ts";
import { Closed, type Header, RESPONSE_BYTES, Signal } from "./protocol.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

/** What a request carries and where its answer goes. */
export interface Payload {
  /** Bytes to send after what the writer holds. */
  from?: Uint8Array;
  /** How many bytes these were when the request was made. */
  fromBytes?: number;
  /** Where the answer's payload goes. */
  into?: Uint8Array;
}

/** The payload of a request that has only fields. */
export const NO_PAYLOAD: Payload = {};

/** One request and its answer. */
export class Exchange {
  /** Bytes that have been written to the caller's buffer. */
  received = 0;
  readonly #channel: Channel;
  readonly #header: Header = wholeMessage(0);
  #from = NOTHING;
  #into = NOTHING;
  /** Lengths at the start: memory may be detached, or change its length, during the call. */
  #fromBytes = 0;
  #intoBytes = 0;
  #isLost = false;
  #sent = 0;
  #nextChunk = 0;

  /** Exchanges over `channel`. */
  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** Publishes what the writer holds, and as much of the payload as fits. */
  start({ from = NOTHING, into = NOTHING }: Payload = NO_PAYLOAD): void {
    const { writer, memory } = this.#channel;
    invariant(writer.at <= memory.area.length, "R1: a request is longer than the area");
    this.#from = from;
    this.#into = into;
    this.#fromBytes = from.length;
    this.#intoBytes = into.length;
    this.#isLost = false;
    this.#sent = this.received = this.#nextChunk = 0;
    this.#header.totalBytes = writer.end(from.length);
    this.#header.chunkIndex = 0;
    this.#send(Signal.REQUEST, writer.at);
  }

  /**
   * Takes what has come. True when the whole answer is here, false if more follows.
   *
   * @throws {ErrnoError} EINVAL at the end, if the caller's memory went away during the call
   */
  step(): boolean {
    const { header } = this.#channel;
    if (header.signal === Signal.CHUNK_ACK) return this.#sendNext();
    const isLast = header.signal === Signal.RESPONSE;
    if (!isLast && header.signal !== Signal.CHUNK) throw this.#outOfStep(header);
    if (header.chunkIndex !== this.#nextChunk) throw this.#outOfStep(header);
    this.#receive(header);
    if (!isLast) {
      this.#acknowledge();
      return false;
    }
    this.#forget();
    if (this.#isLost) {
      throw new ErrnoError("EINVAL", "use bytes whose memory went away during the call");
    }
    return true;
  }

  /** Releases the caller's buffers. */
  #forget(): void {
    this.#from = this.#into = NOTHING;
  }

  /** Puts payload after byte `at` of the area and publishes. */
  #send(signal: number, at: number): void {
    const { area } = this.#channel.memory;
    const count = Math.min(area.length - at, this.#fromBytes - this.#sent);
    if (count > 0) area.set(this.#from.subarray(this.#sent, this.#sent + count), at);
    this.#sent += count;
    this.#header.signal = signal;
    this.#header.chunkBytes = at + count;
    this.#channel.publish(this.#header);
  }

  #sendNext(): false {
    if (this.#sent >= this.#fromBytes) throw this.#outOfStep(this.#channel.header);
    if (this.#from.length < this.#fromBytes) return this.#callOff();
    this.#header.chunkIndex += 1;
    this.#send(Signal.CHUNK, 0);
    return false;
  }

  /**
   * Sends a request in the place of the next chunk: the relay refuses it, and so ends the payload.
   */
  #callOff(): false {
    this.#isLost = true;
    this.#channel.publish(wholeMessage(0));
    return false;
  }

  #receive(header: Header): void {
    const { reader, memory } = this.#channel;
    if (header.chunkBytes > memory.area.length) throw this.#outOfStep(header);
    const isFirst = this.#nextChunk++ === 0;
    if (isFirst) reader.openResponse(header);
    if (reader.status < 0 || this.#intoBytes === 0) return;
    if (this.#into.length < this.#intoBytes) this.#isLost = true;
    if (this.#isLost) return;
    const at = isFirst ? RESPONSE_BYTES : 0;
    const room = this.#intoBytes - this.received;
    const count = Math.max(0, Math.min(header.chunkBytes - at, room));
    this.#into.set(memory.area.subarray(at, at + count), this.received);
    this.received += count;
  }

  #acknowledge(): void {
    const { chunkIndex, totalBytes } = this.#channel.header;
    this.#channel.publish({ signal: Signal.CHUNK_ACK, chunkBytes: 0, totalBytes, chunkIndex });
  }

  /** A relay that breaks the protocol is not called again. */
  #outOfStep({ signal, chunkIndex }: Header): ErrnoError {
    this.#forget();
    this.#channel.close(Closed.BAD);
    return new ErrnoError("EPROTO", `go on with signal ${signal} of chunk ${chunkIndex}`);
  }
}
