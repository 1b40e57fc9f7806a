/**
 * A stream of bytes from one thread to another: a piece for each request.
 *
 * Layer: relay, over a MessagePort. Not every platform can send a stream itself, but all can send a
 * port. A piece is sent only when it was asked for, so none pile up.
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
 * stream when the other end is gone.
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
 * The other end wants no more. It waits for this answer before it closes its port: a port that is
 * closed right after a message may lose it (seen under Deno), and the stream would never end.
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
    // A copy, because what is sent is gone here.
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

/** A stream of what arrives at a port, and what ends it from here. */
export interface ReceivedPieces {
  /** What arrives. */
  stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Ends it when the other side is gone. */
  fail: (error: ErrnoError) => void;
  /** Ends it while the other side is there, and notifies that side. */
  end: (error: ErrnoError) => void;
}

/**
 * What arrives at a port, as a stream. `onEnd` is called when no more comes. A stream that its
 * owner drops without cancelling is cancelled once it has been collected, because its source holds
 * resources for it.
 */
export function receivePieces(port: MessagePort, onEnd: () => void = () => {}): ReceivedPieces {
  const receiver = new Receiver(port, onEnd);
  const called: UnderlyingDefaultSource<Uint8Array<ArrayBuffer>> = {
    async pull(controller): Promise<void> {
      const bytes = await receiver.next();
      if (bytes === null) controller.close();
      else controller.enqueue(bytes);
    },
    cancel: () => receiver.cancel(),
  };
  dropped.register(called, receiver, receiver);
  return {
    stream: new ReadableStream(called, { highWaterMark: 0 }),
    fail: (error) => receiver.fail(error),
    end: (error) => receiver.end(error),
  };
}

/**
 * Streams that may be dropped, by what they call: of a stream itself Chromium may collect its object in
 * JavaScript while a reader still reads. What is kept for a stream must not refer to it.
 */
const dropped = new FinalizationRegistry<Receiver>((receiver) => void receiver.cancel());

/**
 * The port's side of such a stream. It does not refer to the stream, so that this can be collected.
 */
class Receiver {
  readonly #port: MessagePort;
  readonly #onEnd: () => void;
  /** The piece that was asked for. */
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

  /** Asks for no more. */
  cancel(): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    if (this.#cancelled === null) {
      this.#cancelled = deferred<void>();
      this.#ask({ type: "cancel" });
    }
    return this.#cancelled.promise;
  }

  /** Ends the stream, and notifies the other side. */
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
      // A piece that was sent before the stream was cancelled is not received.
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
