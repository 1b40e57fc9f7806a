/**
 * Delivery: gets the relay's worker started wherever the library runs.
 *
 * Layer: relay. It tries, in this order: what the caller gives; in Deno the source file; in a
 * browser the program as a Blob, then a script beside the library. Which of them works depends on
 * headers: a policy may forbid Blobs, and a static host may serve the script without COEP. A
 * failure is an `error` event before the worker has said anything.
 *
 * @module
 */
import { deferred } from "../../abi/deferred.ts";
import { reasonOf } from "../../abi/described.ts";
import { ErrnoError } from "../../abi/errno.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { Feature, preflight } from "./preflight.ts";
import { WORKER_SOURCE } from "./worker_source.ts";

/** A worker, where its script is, or how to make one. */
export type WorkerGiven = Worker | URL | string | (() => Worker);

const PROBE_MS = 250;

/** What can go wrong when a worker starts. */
const NO_WORKER =
  "no relay worker could be started: serve relay_worker.js beside the library with the header " +
  "Cross-Origin-Embedder-Policy: require-corp, or allow blob: in worker-src of the " +
  "Content-Security-Policy, or pass options.worker";

/**
 * Starts the relay's worker and waits until its program runs.
 *
 * @throws {ErrnoError} ENOTSUP if no way works, or if the worker finds something missing
 */
export async function startWorker(
  given: WorkerGiven | undefined,
  timeoutMs: number,
): Promise<Worker> {
  if (!isMade(given)) preflight("open the volume", [Feature.WORKER]);
  const causes: unknown[] = [];
  for (const make of given === undefined ? ownWays() : [() => workerFrom(given)]) {
    try {
      return await loaded(make(), timeoutMs);
    } catch (error) {
      if ((error as Error).name === "ErrnoError") throw error;
      causes.push(error);
    }
  }
  throw new ErrnoError("ENOTSUP", "open the volume", { why: NO_WORKER, cause: causes });
}

function workerFrom(given: WorkerGiven): Worker {
  if (typeof given === "function") return given();
  return isMade(given) ? given as Worker : new Worker(given as URL, { type: "module" });
}

/** Whether the caller brings a worker, or makes it: then none has to be started here. */
export function isMade(given: WorkerGiven | undefined): boolean {
  return typeof given === "function" || typeof given === "object" && "postMessage" in given;
}

function ownWays(): (() => Worker)[] {
  return "Deno" in globalThis ? [fromSource] : [fromBlob, fromScript];
}

/** Computed, so that no bundler takes the source file for one to be served. */
function fromSource(): Worker {
  return new Worker(import.meta.url.replace(/[^/]*$/, "../compose/worker.ts"), { type: "module" });
}

function fromBlob(): Worker {
  const url = URL.createObjectURL(new Blob([WORKER_SOURCE], { type: "text/javascript" }));
  try {
    return new Worker(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Literal, so that bundlers know it. */
function fromScript(): Worker {
  return new Worker(new URL("./relay_worker.js", import.meta.url), { type: "module" });
}

/** The worker, once it has said that its program runs. */
function loaded(worker: Worker, timeoutMs: number): Promise<Worker> {
  const { promise, resolve, reject } = deferred<Worker>();
  worker.onerror = (event) => {
    event.preventDefault?.();
    reject(new Error(event.message || "the worker's script could not be loaded"));
  };
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    if (data.type === "loaded") resolve(worker);
    else if (data.type === "unavailable") {
      reject(new ErrnoError(data.code, "open the volume", { why: reasonOf(data) }));
    }
  };
  // Ticks are counted, not the time: a machine that slept in between has not listened.
  let ticks = 0;
  const timer = setInterval(() => {
    if (++ticks * PROBE_MS < timeoutMs) return;
    reject(new Error(`the worker has said nothing for ${timeoutMs} ms`));
  }, PROBE_MS);
  return nudged(worker, promise).catch((error) => {
    worker.terminate();
    throw error;
  }).finally(() => clearInterval(timer));
}

/** How long {@link nudged} waits. */
export interface NudgeOptions {
  /** How long the worker may be silent, in ms. Default: for ever. */
  deadlineMs?: number;
  /**
   * Changes with each sign of life other than a message: a thread in a long call receives no
   * message.
   */
  beats?: () => number;
}

/**
 * Waits for what a worker says, and asks it again and again for its state: an older worker may have
 * said it before there was a listener, and a first message may get lost (seen under Deno).
 *
 * What ends the wait for a worker that is stuck, or gone without an error, is not time but
 * unanswered questions: a page that was asleep has asked none.
 *
 * @throws {ErrnoError} EIO if the worker leaves all questions of `deadlineMs` unanswered
 */
export async function nudged<T>(
  worker: Worker,
  said: Promise<T>,
  { deadlineMs = Infinity, beats = () => 0 }: NudgeOptions = {},
): Promise<T> {
  const announce: ToWorker = { type: "announce" };
  const { promise: silent, reject } = deferred<never>();
  let unanswered = 0;
  let heard = beats();
  const onMessage = () => unanswered = 0;
  const ask = () => {
    if (heard !== (heard = beats())) unanswered = 0;
    if (unanswered * PROBE_MS > deadlineMs) {
      const why = `the relay worker has shown no life for ${deadlineMs} ms`;
      reject(new ErrnoError("EIO", "wait for the volume", { why }));
    }
    unanswered += 1;
    worker.postMessage(announce);
  };
  worker.addEventListener("message", onMessage);
  const timer = setInterval(ask, PROBE_MS);
  ask();
  try {
    return await Promise.race([said, silent]);
  } finally {
    clearInterval(timer);
    worker.removeEventListener("message", onMessage);
  }
}
