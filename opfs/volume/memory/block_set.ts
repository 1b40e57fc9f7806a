/**
 * A set of blocks: one bit for each, runs of them, and how many lie before one.
 *
 * Layer: opfs/volume, bottom. What is set and asked here has no transaction and no quarantine; that
 * is `bitmap.ts`.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import { BLOCKS_MAX } from "../format/layout.ts";

const FULL = 0xffffffff;
/** Words whose members are counted together, for `before`. */
const GROUP_WORDS = 32;

/** Some of the blocks of a volume. */
export class BlockSet {
  readonly #words: Uint32Array<ArrayBuffer>;
  /** Members before each group of words; null until `before` is asked, and after a change. */
  #sums: Float64Array<ArrayBuffer> | null = null;
  #count = 0;
  /** How many blocks there are, in the set or not. */
  readonly blocks: number;

  /** An empty set. */
  constructor(blocks: number) {
    invariant(
      Number.isInteger(blocks) && blocks >= 0 && blocks <= BLOCKS_MAX,
      "V7: a set of blocks",
    );
    this.blocks = blocks;
    this.#words = new Uint32Array(Math.ceil(blocks / 32));
  }

  /** How many blocks are in the set. */
  get count(): number {
    return this.#count;
  }

  /** The same blocks in a set of their own. */
  clone(): BlockSet {
    const copy = new BlockSet(this.blocks);
    copy.#words.set(this.#words);
    copy.#count = this.#count;
    return copy;
  }

  /** Whether a block is in the set. */
  has(block: number): boolean {
    return (this.#words[block >>> 5]! >>> (block & 31) & 1) !== 0;
  }

  /** Adds blocks; false, and nothing is added, if one of them is in it or does not exist. */
  add(block: number, count: number): boolean {
    invariant(block >= 0 && count > 0, "V7: {} blocks from {} on are added to a set", count, block);
    if (block + count > this.blocks || this.nextFrom(block, block + count) < block + count) {
      return false;
    }
    this.#each(block, count, true);
    this.#count += count;
    return true;
  }

  /** Takes blocks out, all of which are in it. */
  clear(block: number, count: number): void {
    invariant(block >= 0 && block + count <= this.blocks, "V7: blocks outside of the set");
    invariant(this.runAt(block, block + count) === count, "V1: blocks that are not in the set");
    this.#each(block, count, false);
    this.#count -= count;
  }

  #each(block: number, count: number, isIn: boolean): void {
    this.#sums = null;
    const end = block + count;
    for (let at = block; at < end;) {
      if ((at & 31) === 0 && end - at >= 32) {
        const words = end - at >>> 5;
        this.#words.fill(isIn ? FULL : 0, at >>> 5, (at >>> 5) + words);
        at += words * 32;
        continue;
      }
      if (isIn) this.#words[at >>> 5]! |= 1 << (at & 31);
      else this.#words[at >>> 5]! &= ~(1 << (at & 31));
      at++;
    }
  }

  /** The first member from `block` on and before `end`; `end` if that has no member. */
  nextFrom(block: number, end: number): number {
    return this.#skip(block, end, 0);
  }

  /** How many members follow each other from `block` on, before `end`. */
  runAt(block: number, end: number): number {
    return this.#skip(block, end, FULL) - block;
  }

  /** Where what differs from `pattern` begins. */
  #skip(block: number, end: number, pattern: number): number {
    let at = block;
    while (at < end) {
      const rest = (this.#words[at >>> 5]! ^ pattern) >>> (at & 31);
      if (rest !== 0) return Math.min(end, at + 31 - Math.clz32(rest & -rest));
      at = (at | 31) + 1;
    }
    return Math.max(block, end);
  }

  /** How many members lie before a block. */
  before(block: number): number {
    invariant(block >= 0 && block <= this.blocks, "V7: members before a block outside of the set");
    const sums = this.#sums ??= this.#sum();
    const word = block >>> 5;
    const group = Math.floor(word / GROUP_WORDS);
    let count = sums[group]!;
    for (let index = group * GROUP_WORDS; index < word; index++) count += bits(this.#words[index]!);
    return count + ((block & 31) === 0 ? 0 : bits(this.#words[word]! << (32 - (block & 31))));
  }

  #sum(): Float64Array<ArrayBuffer> {
    const sums = new Float64Array(Math.floor(this.#words.length / GROUP_WORDS) + 1);
    let count = 0;
    for (let word = 0; word < this.#words.length; word++) {
      if (word % GROUP_WORDS === 0) sums[word / GROUP_WORDS] = count;
      count += bits(this.#words[word]!);
    }
    if (this.#words.length % GROUP_WORDS === 0) sums[this.#words.length / GROUP_WORDS] = count;
    return sums;
  }
}

/** How many bits of a word are set. */
function bits(word: number): number {
  let rest = word - (word >>> 1 & 0x55555555);
  rest = (rest & 0x33333333) + (rest >>> 2 & 0x33333333);
  return Math.imul(rest + (rest >>> 4) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
