/**
 * SpinWait: how long to spin on a word before sleeping on it.
 *
 * Layer: relay. To wake a sleeping thread costs more than a whole round trip when its core is idle, so
 * both sides first spin for a bounded number of loads. Where cores are contended, spinning only takes
 * the core from the other side. So a side spins while that pays, and pauses when it does not.
 *
 * Use: `if (!spin.until(isReady)) sleep()`.
 *
 * @module
 */
import { invariant } from "../../abi/invariant.ts";

/** Loads in one spin: at 50 to 100 ns each with a pause, less than it takes to wake an idle core. */
const LOADS = 750;
/** An answer with more loads left than this came soon: the other side runs on a core of its own. */
const SOON = LOADS - 500;
/** How many hits one miss outweighs: a miss costs about so many times what a hit saves. */
const MISS = 16;
/** Spinning pauses when the balance is worse. */
const WORST = 2 * MISS;
const FIRST_REST = 64;
const LONGEST_REST = 4096;

/** One side's experience with spinning. */
export class SpinWait {
  #balance = 0;
  #rest = 0;
  #restLength = FIRST_REST;

  /** Spins until `isReady`, for a bounded time; one call of it costs `loads`. False: go to sleep. */
  until(isReady: () => boolean, loads = 1): boolean {
    const budget = this.budget();
    for (let left = budget; left > 0; left -= loads) {
      if (isReady()) {
        this.hit(left);
        return true;
      }
      pause();
    }
    if (budget > 0) this.miss();
    return false;
  }

  /** How many loads this spin may take; 0 during a pause. */
  budget(): number {
    if (this.#rest === 0) return LOADS;
    this.#rest -= 1;
    return 0;
  }

  /** The answer came when `left` loads were left. A late answer is a miss. */
  hit(left: number): void {
    invariant(left >= 0 && left <= LOADS, "R5: a spin ends that was not begun");
    if (left < SOON) return this.miss();
    if (this.#balance > 0) this.#balance -= 1;
    else this.#restLength = FIRST_REST;
  }

  /** The answer did not come. After some misses spinning pauses, longer each time. */
  miss(): void {
    this.#balance += MISS;
    if (this.#balance <= WORST) return;
    this.#balance = WORST;
    this.#rest = this.#restLength;
    this.#restLength = Math.min(LONGEST_REST, this.#restLength * 2);
  }
}

/** Hints to the processor that this thread spins; does nothing where `Atomics.pause` is missing. */
export const pause: () => void =
  (Atomics as typeof Atomics & { pause?: () => void }).pause?.bind(Atomics) ?? (() => {});
