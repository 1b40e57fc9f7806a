/**
 * Lists of data, of any length. What a call takes as arguments has an end: an engine says that its stack
 * is full when some 100,000 are spread into one. These walk.
 *
 * Layer: abi (imports nothing). The lint rule of tools/spreading.ts sends people here.
 *
 * @module
 */

/** Puts all of `more` at the end of `list`. */
export function append<T>(list: T[], more: Iterable<T>): void {
  for (const item of more) list.push(item);
}

/** The largest of the numbers and `least`. */
export function largest(numbers: Iterable<number>, least: number = -Infinity): number {
  let found = least;
  for (const number of numbers) if (number > found) found = number;
  return found;
}
