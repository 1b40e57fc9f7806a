/**
 * One run of the torture: clients, a relay, and threads that keep the processors busy; then the
 * replay of everything that was answered, in the order in which it was applied.
 *
 * Use: `const { wrong, calls } = await runTorture({ start, calls: 5000, seed })`. Imports no builtin:
 * it runs in a page too.
 */
import { createChannelMemory } from "../../opfs/relay/protocol.ts";
import type { ClientReport } from "./client.ts";
import { type Record, replayAll } from "./replay.ts";

/** A mistake that a run must find; "none" is the real thing. */
export type Control =
  | "none"
  | "no-loop"
  | "stale-answer"
  | "no-bump"
  | "lock-kept"
  | "no-locks"
  | "two-steps"
  | "kept-ahead";

/** What a run is made of. */
export interface TortureOptions {
  /** Starts a thread with the program `worker.ts`. */
  start: () => Worker;
  /** Calls of each client. */
  calls: number;
  seed: number;
  /** Default 4. */
  clients?: number;
  /** Threads that keep the processors busy. Default 2. */
  burners?: number;
  /** A file in the origin private file system. Default: memory. */
  path?: string;
  control?: Control;
  /** After which a run counts as hung, in ms. */
  timeoutMs: number;
}

/** What a run has found. */
export interface TortureResult {
  /** Calls that were made and compared. */
  calls: number;
  /** What was wrong; the first of it. */
  wrong: string[];
}

/** Runs the torture. */
export async function runTorture(options: TortureOptions): Promise<TortureResult> {
  const workers: Worker[] = [];
  const start = (): Worker => {
    const worker = options.start();
    workers.push(worker);
    return worker;
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<TortureResult>((resolve) => {
    const hung = { calls: 0, wrong: [`it hangs: no end after ${options.timeoutMs} ms`] };
    timer = setTimeout(() => resolve(hung), options.timeoutMs);
  });
  try {
    return await Promise.race([run(options, start), late]);
  } catch (error) {
    return { calls: 0, wrong: [String(error)] };
  } finally {
    clearTimeout(timer);
    for (const worker of workers) worker.terminate();
  }
}

async function run(options: TortureOptions, start: () => Worker): Promise<TortureResult> {
  const { calls, seed, clients = 4, burners = 2, path = "", control = "none" } = options;
  const doorbell = new SharedArrayBuffer(64);
  // Two channels a client: its calls, and its looks at others through a cache.
  const channels = Array.from({ length: clients * 2 }, () => createChannelMemory(16_384).buffers);
  const relay = start();
  await ask(relay, { role: "relay", doorbell, channels, path, control });
  const stop = new SharedArrayBuffer(4);
  const burning = Array.from({ length: burners }, () => {
    return ask(start(), { role: "burner", stop, channels });
  });
  const batons = new SharedArrayBuffer(4 * (clients + 1));
  const reports = await Promise.all(Array.from({ length: clients }, (_, index) => {
    const job = { client: index + 1, clients, calls, seed, batons };
    const buffers = channels.slice(index * 2, index * 2 + 2);
    const message = { role: "client", buffers, doorbell, root: 1, control, job };
    return ask(start(), message) as Promise<ClientReport>;
  }));
  Atomics.store(new Int32Array(stop), 0, 1);
  await Promise.all(burning);
  const served = await ask(relay, { finish: true }) as {
    trace: Int32Array;
    violations: string[];
    root: number;
  };
  // The relay numbers channels from 1; each client's first is that of its calls.
  const records = new Map(reports.map((report, index): [number, Record[]] => {
    return [index * 2 + 1, report.records];
  }));
  const wrong = [
    ...reports.flatMap((report) => report.wrong),
    ...served.violations,
    ...replayAll(served.trace, records, served.root),
  ];
  return { calls: reports.reduce((sum, report) => sum + report.records.length, 0), wrong };
}

/** Sends a message, and waits for its answer. */
export function ask(worker: Worker, message: unknown): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  worker.onmessage = ({ data }) => {
    if (data?.error) reject(new Error(data.error));
    else resolve(data);
  };
  worker.onerror = (event) => {
    event.preventDefault?.();
    reject(new Error(event.message));
  };
  worker.postMessage(message);
  return promise;
}
