/**
 * Look: how long to look at a word before sleeping on it.
 *
 * Layer: relay. Waking a sleeper costs more than a whole round trip when its core is idle, so both
 * sides look a bounded number of times first; where cores are contended, looking only takes the
 * core from the other side. So: keep looking while it pays, stop for a while when it does not.
 *
 * Use: `if (!look.find(isThere)) sleep()`.
 *
 * @module
 */
import { invariant } from "../../abi/invariant.ts";

/** Loads in one look: at 50 to 100 ns each with a pause, less than waking a core that has gone idle. */
const LOADS = 750;
/** What comes while more than this is left came soon: the other side runs on a core of its own. */
const SOON = LOADS - 500;
/** What one miss weighs in good looks: it costs about so many times what a good one saves. */
const MISS = 16;
/** Looking rests when the balance is worse. */
const WORST = 2 * MISS;
const FIRST_REST = 64;
const LONGEST_REST = 4096;

/** One side's experience with looking. */
export class Look {
  #balance = 0;
  #rest = 0;
  #restLength = FIRST_REST;

  /** Looks a bounded number of times; `loads` is what one question costs. False: sleep. */
  find(isThere: () => boolean, loads = 1): boolean {
    const budget = this.budget();
    for (let left = budget; left > 0; left -= loads) {
      if (isThere()) {
        this.hit(left);
        return true;
      }
      pause();
    }
    if (budget > 0) this.miss();
    return false;
  }

  /** How many loads this look may take; 0 while it rests. */
  budget(): number {
    if (this.#rest === 0) return LOADS;
    this.#rest -= 1;
    return 0;
  }

  /** What was looked for came when `left` loads were left. Coming late is a miss. */
  hit(left: number): void {
    invariant(left >= 0 && left <= LOADS, "R5: a look ends that was not begun");
    if (left < SOON) return this.miss();
    if (this.#balance > 0) this.#balance -= 1;
    else this.#restLength = FIRST_REST;
  }

  /** It did not come. After some misses looking rests, longer each time. */
  miss(): void {
    this.#balance += MISS;
    if (this.#balance <= WORST) return;
    this.#balance = WORST;
    this.#rest = this.#restLength;
    this.#restLength = Math.min(LONGEST_REST, this.#restLength * 2);
  }
}

/** Tells the processor that this is a look; nothing where there is no such thing. */
export const pause: () => void =
  (Atomics as typeof Atomics & { pause?: () => void }).pause?.bind(Atomics) ?? (() => {});
