/**
 * Work in steps, here or in another thread: one step for each request, and others are served between two.
 *
 * Layer: relay, over a MessagePort or an iterator. Compacting a volume is such work.
 *
 * Use: `serveSteps(port, volume.compact())` at one end, `runSteps(stepsOver(port), options)` at the
 * other; `runSteps(stepsHere(steps), options)` where the steps are made in this thread.
 *
 * @module
 */
import { type Deferred, deferred } from "../../abi/deferred.ts";
import { type DescribedError, describeError, restoreError } from "../../abi/described.ts";
import type { ErrnoError } from "../../abi/errno.ts";
import { invariant } from "../../abi/invariant.ts";
import { functionOption, optionsOf } from "../../abi/options.ts";
import { EventLoop } from "./event_loop.ts";

/** How far such work is. */
export interface StepProgress {
  /** Bytes that are done. */
  doneBytes: number;
  /** Bytes that there are to do, as far as that was known at the beginning. */
  totalBytes: number;
}

/** How work in steps is watched, and ended early. */
export interface StepOptions {
  /** Called after each step with how far it is. */
  onProgress?: (progress: StepProgress) => void;
  /** Ends the work after the step under way; what has been done stays. */
  signal?: AbortSignal;
}

/** Steps that are made when they are asked for. */
export interface StepSource<R> {
  /** Makes one step. */
  next(): Promise<IteratorResult<StepProgress, R>>;
  /** No further step is wanted. */
  stop(): void;
}

/**
 * Makes all steps.
 *
 * @throws {ErrnoError} EINVAL for the options, and what a step throws; the signal's reason; whatever
 * `onProgress` throws
 */
export async function runSteps<R>(source: StepSource<R>, options?: StepOptions): Promise<R> {
  try {
    const { onProgress, signal } = optionsOf(options, "options");
    const report = functionOption(onProgress, () => {}, "onProgress");
    for (;;) {
      signal?.throwIfAborted();
      const { value, done } = await source.next();
      if (done === true) return value;
      report(value);
    }
  } catch (error) {
    source.stop();
    throw error;
  }
}

/** Steps of this thread; its event loop turns before each of them. */
export function stepsHere<R>(steps: Generator<StepProgress, R, void>): StepSource<R> {
  const eventLoop = new EventLoop();
  return {
    async next(): Promise<IteratorResult<StepProgress, R>> {
      await eventLoop.turn();
      const result = steps.next();
      if (result.done === true) eventLoop.close();
      return result;
    },
    stop(): void {
      eventLoop.close();
    },
  };
}

type FromMaker =
  | { type: "progress"; progress: StepProgress }
  | { type: "done"; result: unknown }
  | { type: "error" } & DescribedError;
type ToMaker = { type: "next" } | { type: "stop" };

/** Makes a step for each request that comes from the other end of a port. */
export function serveSteps(port: MessagePort, make: () => Iterator<StepProgress, unknown>): void {
  let steps: Iterator<StepProgress, unknown> | null = null;
  const say = (message: FromMaker): void => port.postMessage(message);
  const end = (): void => {
    say({ type: "done", result: undefined });
    port.close();
  };
  port.onmessage = ({ data }: MessageEvent<ToMaker>) => {
    try {
      if (data.type === "stop") {
        steps?.return?.();
        return end();
      }
      steps ??= make();
      const { value, done } = steps.next();
      if (done !== true) return say({ type: "progress", progress: value as StepProgress });
      say({ type: "done", result: value });
    } catch (error) {
      say({ type: "error", ...describeError(error) });
    }
    port.close();
  };
}

/** Steps that are made at the other end of a port. */
export interface FarSteps<R> extends StepSource<R> {
  /** Ends them when the other end is gone. */
  fail(error: ErrnoError): void;
  /** Ends them while the other end is there, which learns of it. */
  end(error: ErrnoError): void;
}

/** Steps that are made at the other end of a port. */
export function stepsOver<R>(port: MessagePort): FarSteps<R> {
  let requested: Deferred<IteratorResult<StepProgress, R>> | null = null;
  let failure: ErrnoError | null = null;
  const ask = (message: ToMaker): void => port.postMessage(message);
  port.onmessage = ({ data }: MessageEvent<FromMaker>) => {
    const asked = requested;
    requested = null;
    if (data.type === "progress") asked?.resolve({ value: data.progress, done: false });
    else if (data.type === "done") asked?.resolve({ value: data.result as R, done: true });
    else asked?.reject(restoreError(data));
    if (data.type !== "progress") port.close();
  };
  return {
    next(): Promise<IteratorResult<StepProgress, R>> {
      if (failure !== null) return Promise.reject(failure);
      invariant(requested === null, "R2: a step is asked for inside of another");
      requested = deferred();
      ask({ type: "next" });
      return requested.promise;
    },
    // The other end's last word closes the port: closed at once it may lose this one.
    stop(): void {
      if (failure === null) ask({ type: "stop" });
    },
    fail(error: ErrnoError): void {
      failure = error;
      requested?.reject(error);
      port.close();
    },
    end(error: ErrnoError): void {
      if (failure === null) ask({ type: "stop" });
      failure = error;
      requested?.reject(error);
      requested = null;
    },
  };
}
