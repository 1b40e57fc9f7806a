/**
 * Look: how long to look at a word before sleeping on it.
 *
 * Layer: relay. Waking a sleeper costs more than a whole round trip when its core is idle, so both
 * sides look a bounded number of times first; where cores are contended, looking only takes the
 * core from the other side. So: keep looking while it pays, stop for a while when it does not.
 *
 * Use: `for (let left = look.budget(); left > 0; left--) { if (ready()) return look.hit(); pause(); }`
 * then `look.miss()` and sleep.
 *
 * @module
 */

/** Loads in one look: a few microseconds. */
const LOADS = 2000;
/** Looks that may miss in a row before looking stops. */
const PATIENCE = 3;
const FIRST_REST = 16;
const LONGEST_REST = 4096;

/** One side's experience with looking. */
export class Look {
  #misses = 0;
  #rest = 0;
  #restLength = FIRST_REST;

  /** How many loads this look may take; 0 while it rests. */
  budget(): number {
    if (this.#rest === 0) return LOADS;
    this.#rest -= 1;
    return 0;
  }

  /** What was looked for came in time. */
  hit(): void {
    this.#misses = 0;
    this.#restLength = FIRST_REST;
  }

  /** It did not. After some misses in a row looking rests, longer each time. */
  miss(): void {
    this.#misses += 1;
    if (this.#misses < PATIENCE) return;
    this.#misses = PATIENCE - 1;
    this.#rest = this.#restLength;
    this.#restLength = Math.min(LONGEST_REST, this.#restLength * 2);
  }
}

/** Tells the processor that this is a look; nothing where there is no such thing. */
export const pause: () => void =
  (Atomics as typeof Atomics & { pause?: () => void }).pause?.bind(Atomics) ?? (() => {});
