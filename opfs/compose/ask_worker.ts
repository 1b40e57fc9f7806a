/**
 * One piece of work that a page has a worker do, because a page cannot hold a device: a worker is
 * started, asked, and ended.
 *
 * Layer: composer, under `import_volume.ts` and `upgrade_volume.ts`.
 *
 * @module
 */
import { deferred } from "../../abi/deferred.ts";
import { restoreError } from "../../abi/described.ts";
import { ErrnoError } from "../../abi/errno.ts";
import { DEFAULT_DEADLINE_MS } from "../relay/channel.ts";
import { nudged, startWorker, type WorkerGiven } from "../relay/delivery.ts";
import type { FromWorker, ToWorker } from "../relay/messages.ts";
import type { Progress } from "../volume/upkeep/transfer.ts";

/** Messages that end a piece of work. */
type Answer<T extends FromWorker["type"]> = Extract<FromWorker, { type: T }>;

/** How {@link askWorker} goes about it. */
export interface AskOptions<T extends FromWorker["type"]> {
  /** The message that is the answer. */
  type: T;
  /** The worker, where its script is, or how to make one. Default: our own. */
  worker: WorkerGiven | undefined;
  /** What the message hands over. */
  transfer?: Transferable[];
  /** Hears how far the work is. */
  onProgress?: (progress: Progress) => void;
  /** Ends the work. */
  signal?: AbortSignal;
  /** How long the worker may show no sign of life, in ms. Default 30,000. */
  deadlineMs?: number;
}

const START_TIMEOUT_MS = 20_000;
/** How long a worker may take to clear away what it has begun, in ms. */
const ABORT_MS = 2000;

/**
 * Has a worker do something.
 *
 * A signal that ends the work is sent on to the worker, so that it can clear away what it has begun; one
 * that has done the work by then says so.
 *
 * @throws {ErrnoError} what the worker says, EIO if it fails or shows no sign of life, ENOTSUP if none can
 * be started; or the reason of the signal
 */
export async function askWorker<T extends FromWorker["type"]>(
  message: ToWorker,
  options: AskOptions<T>,
): Promise<Answer<T>> {
  const { type, transfer = [], onProgress, signal, deadlineMs = DEFAULT_DEADLINE_MS } = options;
  const worker = await startWorker(options.worker, START_TIMEOUT_MS);
  const { promise, resolve, reject } = deferred<Answer<T>>();
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    if (data.type === type) resolve(data as Answer<T>);
    else if (data.type === "progress") onProgress?.(data.progress);
    else if (data.type === "unavailable") reject(restoreError(data));
  };
  worker.onerror = (event) => {
    event.preventDefault?.();
    reject(
      new ErrnoError("EIO", `${message.type} a volume`, {
        why: `the worker failed: ${event.message}`,
      }),
    );
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const abort = (): void => {
    const order: ToWorker = { type: "abort" };
    worker.postMessage(order);
    timer = setTimeout(() => reject(signal?.reason), ABORT_MS);
  };
  signal?.addEventListener("abort", abort);
  try {
    signal?.throwIfAborted();
    worker.postMessage(message, transfer);
    return await nudged(worker, promise, { deadlineMs });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    worker.terminate();
  }
}
