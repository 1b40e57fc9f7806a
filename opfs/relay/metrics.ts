/**
 * Metrics: for each operation the number of calls, their time, the time spent waiting, and the
 * bytes.
 *
 * Layer: relay. Both sides count; the relay's counters are sent to a client as s11n values.
 * Counting allocates nothing.
 *
 * Use: `metrics.add(Op.READ, { timeMs, waitMs: 0, bytes: n })` after each call.
 *
 * @module
 */
import { invariant } from "../../abi/invariant.ts";
import { largest } from "../../abi/lists.ts";
import { Op } from "./operations.ts";
import { PathOp } from "./path_operations.ts";
import type { Value } from "./s11n.ts";

/** The counters of one operation. */
export interface Metric {
  /** Calls. */
  count: number;
  /** Time in calls, waiting included, in ms. */
  timeMs: number;
  /** Time asleep or spinning for answers, in ms, without spins that found theirs. */
  waitMs: number;
  /** Payload bytes, both ways. */
  bytes: number;
}

const FIELDS = 4;
/** Operations by path have names of their own, because there is a READ of either kind. */
const NAMES: readonly [string, number][] = [
  ...Object.entries(PathOp).map(([name, op]): [string, number] => [`PATH_${name}`, op]),
  ...Object.entries(Op),
];
/** How many operations fit into one answer, which has at most 255 values. */
const PER_ANSWER = 50;
const HIGHEST_OP = largest(NAMES.map(([, op]) => op));

/** Counters of one side. */
export class Metrics {
  readonly #sums = new Float64Array((HIGHEST_OP + 1) * FIELDS);

  /** Counts one call that has ended. */
  add(op: number, { timeMs, waitMs, bytes }: Omit<Metric, "count">): void {
    invariant(bytes >= 0, "R2: a call has moved less than nothing");
    const at = op * FIELDS;
    this.#sums[at]! += 1;
    this.#sums[at + 1]! += timeMs;
    this.#sums[at + 2]! += waitMs;
    this.#sums[at + 3]! += bytes;
  }

  /** The counters by name; operations that were never called are left out. */
  snapshot(): Record<string, Metric> {
    const called = NAMES.filter(([, op]) => this.#sums[op * FIELDS]! > 0);
    return Object.fromEntries(called.map(([name, op]) => [name, this.#metric(op)]));
  }

  /**
   * The operations after number `after` as values to send, as many as one answer takes; and
   * the number of the last one, or 0 if no more come.
   */
  values(after = 0): { values: Value[]; last: number } {
    const called = NAMES.filter(([, op]) => op > after && this.#sums[op * FIELDS]! > 0);
    const shown = called.slice(0, PER_ANSWER);
    const values = shown.flatMap(([name, op]): Value[] => {
      const { count, timeMs, waitMs, bytes } = this.#metric(op);
      return [name, count, timeMs, waitMs, bytes];
    });
    return { values, last: called.length > shown.length ? shown.at(-1)![1] : 0 };
  }

  #metric(op: number): Metric {
    const [count, timeMs, waitMs, bytes] = this.#sums.subarray(op * FIELDS);
    return { count: count!, timeMs: timeMs!, waitMs: waitMs!, bytes: bytes! };
  }
}

/** The counters again, from what `Metrics.values` gave. */
export function metricsFrom(values: readonly Value[]): Record<string, Metric> {
  const metrics: Record<string, Metric> = {};
  for (let at = 0; at + FIELDS < values.length; at += FIELDS + 1) {
    const [count, timeMs, waitMs, bytes] = values.slice(at + 1, at + 1 + FIELDS).map(Number);
    metrics[String(values[at])] = {
      count: count!,
      timeMs: timeMs!,
      waitMs: waitMs!,
      bytes: bytes!,
    };
  }
  return metrics;
}
