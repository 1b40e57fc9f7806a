/**
 * Patience: how long to wait for a sign of life, counted in polls instead of by the clock.
 *
 * Layer: relay. While a machine sleeps, a process is stopped or a tab is frozen, hours pass in
 * which nothing was asked. So the time between two polls counts as one slice at most: when the
 * deadline is over, the other side has really left that many questions unanswered.
 *
 * Use: `patience.begin(now)`; at each poll `if (patience.look(now)) giveUp()`; `begin` again at
 * each sign of life.
 *
 * @module
 */
import { invariant } from "../../abi/invariant.ts";

/** The longest slice, in ms: a question is asked at least that often. */
const LONGEST_SLICE_MS = 250;
/** How many questions at least are left unanswered before a wait ends. */
const QUESTIONS = 4;

/** How often to poll during a wait of `deadlineMs`. */
export function sliceOf(deadlineMs: number, longestMs: number = LONGEST_SLICE_MS): number {
  return Math.max(1, Math.min(longestMs, deadlineMs / QUESTIONS));
}

/** Waits that end after a number of questions, not at a time. */
export class Patience {
  /** The most that the time between two polls counts, in ms. */
  readonly sliceMs: number;
  readonly #deadlineMs: number;
  #waitedMs = 0;
  #lookedAt = 0;

  /** A wait of `deadlineMs`, polled every `sliceMs` or sooner. */
  constructor(deadlineMs: number, sliceMs: number = sliceOf(deadlineMs)) {
    invariant(deadlineMs > 0 && sliceMs > 0, "R5: a wait has no time");
    this.#deadlineMs = deadlineMs;
    this.sliceMs = sliceMs;
  }

  /** Begins a wait, or notes a sign of life. */
  begin(nowMs: number): void {
    this.#waitedMs = 0;
    this.#lookedAt = nowMs;
  }

  /** Notes a poll without a sign of life. Returns whether the wait is over. */
  look(nowMs: number): boolean {
    const passedMs = nowMs - this.#lookedAt;
    this.#lookedAt = nowMs;
    if (passedMs > 0) this.#waitedMs += Math.min(passedMs, this.sliceMs);
    return this.#waitedMs > this.#deadlineMs;
  }
}
