/**
 * Ranges that may overlap, in order, with the question "which of them touch this one" answered without
 * a walk through all: a tree in which each node knows the farthest end below it.
 *
 * Layer: abi (imports nothing). The tables of locks (`locks.ts`) stand on it. Its order is by start,
 * then by arrival. It is a treap: the priorities are a fixed sequence that looks random, so depth grows
 * with the logarithm of the number of ranges, whatever order they come in.
 *
 * Use: `ranges.insert(range)`, `ranges.find(start, end, isWanted)`, `ranges.delete(range)`.
 *
 * @module
 */

/** A range; `end` is the byte after the last, Infinity for all there will ever be. */
export interface Interval {
  /** First byte. */
  readonly start: number;
  /** Byte after the last. */
  readonly end: number;
}

interface Node<T extends Interval> {
  readonly item: T;
  /** When it came, to order those that start together. */
  readonly order: number;
  readonly priority: number;
  left: Node<T> | null;
  right: Node<T> | null;
  /** The farthest end here and below. */
  farthest: number;
}

type Tree<T extends Interval> = Node<T> | null;

/** The ranges. */
export class Intervals<T extends Interval> {
  #root: Tree<T> = null;
  readonly #orders = new Map<T, number>();
  #count = 0;

  /** How many there are. */
  get size(): number {
    return this.#orders.size;
  }

  /** Adds a range; the same object only once. */
  insert(item: T): void {
    if (this.#orders.has(item)) return;
    const order = this.#count++;
    this.#orders.set(item, order);
    const { start, end } = item;
    const node = { item, order, priority: mixBits(order), left: null, right: null, farthest: end };
    const [before, after] = split(this.#root, start, order);
    this.#root = merge(merge(before, node), after);
  }

  /** Takes a range out, by identity; false if it is not there. */
  delete(item: T): boolean {
    const order = this.#orders.get(item);
    if (order === undefined) return false;
    this.#orders.delete(item);
    const [before, rest] = split(this.#root, item.start, order);
    const [, after] = split(rest, item.start, order + 1);
    this.#root = merge(before, after);
    return true;
  }

  /** The first range that has a byte of these and that is wanted, or null. */
  find(start: number, end: number, isWanted: (item: T) => boolean): T | null {
    return find(this.#root, { start, end }, isWanted);
  }

  /** Those that have a byte of these, in order. */
  overlapping(start: number, end: number): T[] {
    const found: T[] = [];
    find(this.#root, { start, end }, (item) => found.push(item) < 0);
    return found;
  }

  /** All, in order. */
  items(): T[] {
    return this.overlapping(-Infinity, Infinity);
  }
}

/** Spreads the bits of a counter (the finisher of murmur3). */
function mixBits(count: number): number {
  let bits = Math.imul(count ^ count >>> 16, 0x85ebca6b);
  bits = Math.imul(bits ^ bits >>> 13, 0xc2b2ae35);
  return (bits ^ bits >>> 16) >>> 0;
}

function measure<T extends Interval>(node: Node<T>): Node<T> {
  const { item, left, right } = node;
  node.farthest = Math.max(item.end, left?.farthest ?? -Infinity, right?.farthest ?? -Infinity);
  return node;
}

/** Those before a place in the order, and those from it on. */
function split<T extends Interval>(
  node: Tree<T>,
  start: number,
  order: number,
): [before: Tree<T>, after: Tree<T>] {
  if (node === null) return [null, null];
  const isBefore = node.item.start < start || node.item.start === start && node.order < order;
  const [before, after] = split(isBefore ? node.right : node.left, start, order);
  if (isBefore) {
    node.right = before;
    return [measure(node), after];
  }
  node.left = after;
  return [before, measure(node)];
}

/** One tree of two, all of the first before all of the second. */
function merge<T extends Interval>(first: Tree<T>, second: Tree<T>): Tree<T> {
  if (first === null) return second;
  if (second === null) return first;
  if (first.priority > second.priority) {
    first.right = merge(first.right, second);
    return measure(first);
  }
  second.left = merge(first, second.left);
  return measure(second);
}

function find<T extends Interval>(
  node: Tree<T>,
  range: Interval,
  isWanted: (item: T) => boolean,
): T | null {
  // An item has a byte of the range if it ends after its start and starts before its end.
  if (node === null || node.farthest <= range.start) return null;
  const lower = find(node.left, range, isWanted);
  if (lower !== null || node.item.start >= range.end) return lower;
  if (node.item.end > range.start && isWanted(node.item)) return node.item;
  return find(node.right, range, isWanted);
}
