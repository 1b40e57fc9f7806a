/**
 * How much work a piece of code is, exactly: the engine counts how often each block of our sources runs.
 * The same on a busy machine and on a quiet one. What the engine does by itself (copying a list, growing
 * a map) does not count.
 *
 * Layer: tests. It takes an inspector of this isolate's own, so `measure.ts` runs in a process of its own.
 */
import { Session } from "node:inspector/promises";

const CHECKOUT = new URL("../../", import.meta.url).href;
/** What makes the work is not the work. */
const OURS = new URL("./", import.meta.url).href;

interface Coverage {
  result: { url: string; functions: { ranges: { count: number }[] }[] }[];
}

/** Counts blocks. */
export class StepCounter {
  readonly #session = new Session();

  /** Starts to count. */
  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post("Profiler.enable");
    await this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** How many blocks of the checkout's sources the work runs. */
  async count(work: () => unknown): Promise<number> {
    await this.#take();
    await work();
    return await this.#take();
  }

  /** What has run since the last look. */
  async #take(): Promise<number> {
    const { result } = await this.#session.post("Profiler.takePreciseCoverage") as Coverage;
    let steps = 0;
    for (const { url, functions } of result) {
      if (!url.startsWith(CHECKOUT) || url.startsWith(OURS)) continue;
      for (const { ranges } of functions) for (const { count } of ranges) steps += count;
    }
    return steps;
  }

  /** Ends it. */
  stop(): void {
    this.#session.disconnect();
  }
}
