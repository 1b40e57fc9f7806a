/**
 * A stream of bytes from one thread to another: a piece for each request.
 *
 * Layer: relay, over a MessagePort. Not every platform can send a stream as it is; a port they all
 * can. Nothing is sent that was not asked for, so nothing piles up.
 *
 * @module
 */
import { type Deferred, deferred } from "../../abi/deferred.ts";
import { type DescribedError, describeError, restoreError } from "../../abi/described.ts";
import type { ErrnoError } from "../../abi/errno.ts";

type FromSource =
  | { type: "piece"; bytes: Uint8Array<ArrayBuffer> }
  | { type: "end" }
  | { type: "error" } & DescribedError;
type ToSource = { type: "next" } | { type: "cancel" };

/**
 * Sends a stream's pieces to the other end of a port, as that asks for them. The result cancels the
 * stream when there is no other end any more.
 */
export function sendPieces(
  port: MessagePort,
  stream: ReadableStream<Uint8Array>,
): () => Promise<void> {
  const reader = stream.getReader();
  port.onmessage = ({ data }: MessageEvent<ToSource>) => {
    if (data.type === "cancel") void cancelSource(port, reader);
    else void sendNext(port, reader);
  };
  return () => reader.cancel().catch(() => {});
}

/**
 * The other end has had enough. It waits for our word before it closes its port: a port that is closed
 * right after a message may lose that message (seen under Deno), and the stream would never end.
 */
async function cancelSource(
  port: MessagePort,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<void> {
  await reader.cancel().catch(() => {});
  post(port, { type: "end" });
  port.close();
}

async function sendNext(
  port: MessagePort,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<void> {
  try {
    const { value, done } = await reader.read();
    if (done) {
      post(port, { type: "end" });
      port.close();
      return;
    }
    // A piece of its own, because what is sent is gone here.
    const isWhole = value.byteLength === value.buffer.byteLength &&
      value.buffer instanceof ArrayBuffer;
    const bytes = isWhole ? value as Uint8Array<ArrayBuffer> : value.slice();
    post(port, { type: "piece", bytes }, [bytes.buffer]);
  } catch (error) {
    sendError(port, error);
  }
}

/** Ends the stream at the other end with an error. */
export function sendError(port: MessagePort, error: unknown): void {
  post(port, { type: "error", ...describeError(error) });
  port.close();
}

function post(port: MessagePort, message: FromSource, transfer: Transferable[] = []): void {
  port.postMessage(message, transfer);
}

/** A stream of what arrives at a port, and how to end it from here. */
export interface ReceivedPieces {
  /** What arrives. */
  stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Ends it when the other side is gone. */
  fail: (error: ErrnoError) => void;
  /** Ends it while the other side is there, which learns of it. */
  end: (error: ErrnoError) => void;
}

/**
 * What arrives at a port as a stream. `onEnd` is called when nothing more comes. A stream that its owner
 * drops without a word is cancelled once it has been collected: its source holds on to things for it.
 */
export function receivePieces(port: MessagePort, onEnd: () => void = () => {}): ReceivedPieces {
  const receiver = new Receiver(port, onEnd);
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller): Promise<void> {
      const bytes = await receiver.next();
      if (bytes === null) controller.close();
      else controller.enqueue(bytes);
    },
    cancel: () => receiver.cancel(),
  }, { highWaterMark: 0 });
  dropped.register(stream, receiver, receiver);
  return {
    stream,
    fail: (error) => receiver.fail(error),
    end: (error) => receiver.end(error),
  };
}

/** Streams that may be dropped. What is kept for one must not lead to it. */
const dropped = new FinalizationRegistry<Receiver>((receiver) => void receiver.cancel());

/** The port's side of such a stream. It knows no stream, so that one can be collected. */
class Receiver {
  readonly #port: MessagePort;
  readonly #onEnd: () => void;
  /** The piece that is on its way. */
  #requested: Deferred<Uint8Array<ArrayBuffer> | null> | null = null;
  /** What ended it. */
  #failure: ErrnoError | null = null;
  #cancelled: Deferred<void> | null = null;
  #isOver = false;

  constructor(port: MessagePort, onEnd: () => void) {
    this.#port = port;
    this.#onEnd = onEnd;
    port.onmessage = ({ data }: MessageEvent<FromSource>) => this.#take(data);
  }

  /** The next piece, or null at the end. */
  next(): Promise<Uint8Array<ArrayBuffer> | null> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#isOver) return Promise.resolve(null);
    this.#requested = deferred();
    this.#ask({ type: "next" });
    return this.#requested.promise;
  }

  /** No more is wanted. */
  cancel(): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    if (this.#cancelled === null) {
      this.#cancelled = deferred<void>();
      this.#ask({ type: "cancel" });
    }
    return this.#cancelled.promise;
  }

  /** No more is to come, and the other side learns of it. */
  end(error: ErrnoError): void {
    if (this.#isOver) return;
    this.#failure = error;
    void this.cancel();
    this.#settle((requested) => requested.reject(error));
  }

  /** The other side is gone. */
  fail(error: ErrnoError): void {
    if (this.#isOver) return;
    this.#failure = error;
    this.#finish();
    this.#settle((requested) => requested.reject(error));
  }

  #take(data: FromSource): void {
    if (data.type === "piece") {
      // What was on its way when the stream was cancelled is not received.
      return this.#settle((requested) => requested.resolve(data.bytes));
    }
    const failure = data.type === "error" ? restoreError(data) : null;
    this.#failure ??= failure;
    this.#finish();
    this.#settle((requested) => {
      if (failure === null) requested.resolve(null);
      else requested.reject(failure);
    });
  }

  #settle(how: (requested: Deferred<Uint8Array<ArrayBuffer> | null>) => void): void {
    const requested = this.#requested;
    this.#requested = null;
    if (requested !== null) how(requested);
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#port.close();
    this.#onEnd();
    this.#cancelled?.resolve();
    dropped.unregister(this);
  }

  #ask(message: ToSource): void {
    this.#port.postMessage(message);
  }
}
