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

/** Sends a stream's pieces to the other end of a port, as that asks for them. */
export function sendPieces(port: MessagePort, stream: ReadableStream<Uint8Array>): void {
  const reader = stream.getReader();
  port.onmessage = ({ data }: MessageEvent<ToSource>) => {
    if (data.type === "cancel") void cancelSource(port, reader);
    else void sendNext(port, reader);
  };
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

/**
 * What arrives at a port as a stream; `fail` ends it when the other side is gone. `onEnd` is called
 * when nothing more comes.
 */
export function receivePieces(
  port: MessagePort,
  onEnd: () => void = () => {},
): { stream: ReadableStream<Uint8Array<ArrayBuffer>>; fail: (error: ErrnoError) => void } {
  let requested: Deferred<void> | null = null;
  let failure: ErrnoError | null = null;
  let cancelled: Deferred<void> | null = null;
  const ask = (message: ToSource): void => port.postMessage(message);
  const end = (): void => {
    port.close();
    onEnd();
  };
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller): void {
      port.onmessage = ({ data }: MessageEvent<FromSource>) => {
        if (cancelled !== null) {
          // What was on its way is not received; what ends it lets go of it.
          if (data.type === "piece") return;
          end();
          return cancelled.resolve();
        }
        if (data.type === "piece") controller.enqueue(data.bytes);
        else if (data.type === "end") controller.close();
        else controller.error(restoreError(data));
        if (data.type !== "piece") end();
        requested?.resolve();
      };
    },
    pull(): Promise<void> {
      if (failure !== null) throw failure;
      requested = deferred<void>();
      ask({ type: "next" });
      return requested.promise;
    },
    cancel(): Promise<void> {
      cancelled = deferred<void>();
      if (failure !== null) cancelled.resolve();
      else ask({ type: "cancel" });
      return cancelled.promise;
    },
  }, { highWaterMark: 0 });
  const fail = (error: ErrnoError): void => {
    failure = error;
    requested?.reject(error);
    cancelled?.resolve();
    port.close();
  };
  return { stream, fail };
}
