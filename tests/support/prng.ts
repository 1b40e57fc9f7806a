/**
 * Seeded randomness for tests: the same seed gives the same test.
 *
 * Layer: tests. Use: `const random = prng(seed); random.below(10)`; print the seed.
 *
 * @module
 */

/** A source of repeatable random numbers. */
export interface Prng {
  /** An integer from 0 to `count` - 1. */
  below(count: number): number;
  /** One of the items. */
  pick<T>(items: readonly T[]): T;
  /** Fills an array. */
  fill(bytes: Uint8Array): void;
}

/** Random numbers that depend on the seed alone. */
export function prng(seed: number): Prng {
  let state = seed >>> 0 || 1;
  function next(): number {
    state = state + 0x9e3779b9 >>> 0;
    let value = state;
    value = Math.imul(value ^ value >>> 16, 0x21f0aaad);
    value = Math.imul(value ^ value >>> 15, 0x735a2d97);
    return (value ^ value >>> 15) >>> 0;
  }
  return {
    below: (count) => next() % count,
    pick: (items) => items[next() % items.length]!,
    fill: (bytes) => {
      for (let index = 0; index < bytes.length; index++) bytes[index] = next() & 0xff;
    },
  };
}
