/**
 * Random numbers for fuzz tests: they print their seed, and a failure is repeated with it.
 *
 * Imports no builtin: it runs in a page too.
 *
 * @module
 */

/** A generator of 32 random bits a step, good enough to shuffle calls, never for secrets. */
export class Random {
  #state: number;

  /** The same seed gives the same numbers. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 32 random bits. */
  bits(): number {
    this.#state = this.#state + 0x9e3779b9 >>> 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ bits >>> 16, 0x85ebca6b);
    bits = Math.imul(bits ^ bits >>> 13, 0xc2b2ae35);
    return (bits ^ bits >>> 16) >>> 0;
  }

  /** A whole number from 0 on, below `limit`. */
  below(limit: number): number {
    return Math.floor(this.bits() / 2 ** 32 * limit);
  }

  /** True once in `count` times. */
  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  /** One of several. */
  pick<T>(choices: readonly T[]): T {
    if (choices.length === 0) throw new RangeError("nothing to pick from");
    return choices[this.below(choices.length)] as T;
  }

  /** Random bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    for (let index = 0; index < length; index++) bytes[index] = this.bits();
    return bytes;
  }
}
