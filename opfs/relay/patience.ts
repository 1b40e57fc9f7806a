/**
 * Patience: how long to wait for a sign of life, counted in looks instead of by the clock.
 *
 * Layer: relay. A machine that sleeps, a stopped process and a frozen tab let hours pass in which
 * nothing was asked. So the time between two looks counts a slice at most: when it has run
 * out, the other side has really left that many questions unanswered.
 *
 * Use: `patience.begin(now)`; at each look `if (patience.look(now)) giveUp()`; `begin` again at each
 * sign of life.
 *
 * @module
 */
import { invariant } from "../../abi/invariant.ts";

/** The longest slice, in ms: a question is asked at least so often. */
const LONGEST_SLICE_MS = 250;
/** So many questions at least are left unanswered before a wait is given up. */
const QUESTIONS = 4;

/** How often to look while one waits `deadlineMs` at most. */
export function sliceOf(deadlineMs: number, longestMs: number = LONGEST_SLICE_MS): number {
  return Math.max(1, Math.min(longestMs, deadlineMs / QUESTIONS));
}

/** Waits that end after so many questions, not at a time. */
export class Patience {
  /** The time between two looks counts so much at most, in ms. */
  readonly sliceMs: number;
  readonly #deadlineMs: number;
  #waitedMs = 0;
  #lookedAt = 0;

  /** Waits `deadlineMs`, and looks every `sliceMs` or sooner. */
  constructor(deadlineMs: number, sliceMs: number = sliceOf(deadlineMs)) {
    invariant(deadlineMs > 0 && sliceMs > 0, "R5: a wait has no time");
    this.#deadlineMs = deadlineMs;
    this.sliceMs = sliceMs;
  }

  /** A wait begins, or there was a sign of life. */
  begin(nowMs: number): void {
    this.#waitedMs = 0;
    this.#lookedAt = nowMs;
  }

  /** There is no sign of life. Whether that is so for too long now. */
  look(nowMs: number): boolean {
    const passedMs = nowMs - this.#lookedAt;
    this.#lookedAt = nowMs;
    if (passedMs > 0) this.#waitedMs += Math.min(passedMs, this.sliceMs);
    return this.#waitedMs > this.#deadlineMs;
  }
}
