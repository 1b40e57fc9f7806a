/**
 * Numbers of more than 32 bits, in two words, and the number of an inode, which is made so.
 *
 * Layer: abi. A volume's inode number has its place in the lower word and its generation in the upper
 * one: a place that is used again has another number. What `stat` shows is the lower word.
 *
 * @module
 */

const WORD = 2 ** 32;

/** The lower 32 bits of a whole number from 0 on. */
export function lowWord(value: number): number {
  return value % WORD;
}

/** What is above the lower 32 bits. */
export function highWord(value: number): number {
  return Math.floor(value / WORD);
}

/** The number that two words are. */
export function joinWords(low: number, high: number): number {
  return low + high * WORD;
}

/**
 * An inode's number without its generation, which is what `stat` shows.
 *
 * @example
 * ```ts
 * import { shownIno } from "@cairn/fs/abi";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(shownIno(5), 5);
 * assertEquals(shownIno(5 + 3 * 2 ** 32), 5);
 * ```
 */
export function shownIno(ino: number): number {
  return lowWord(ino);
}
