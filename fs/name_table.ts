/**
 * The name table: (parent node, name) → FSNode, in one hash table for all mounts.
 *
 * Layer: fs. The key is the parent *node* by identity, since inode numbers repeat between mounts;
 * the hash mixes the mount, the parent's inode number and the name. It doubles when it holds half as
 * many nodes as it has buckets, so that most chains are one node long. Above a bound it forgets nodes
 * that are not held and whose backend can look them up again. A directory that leaves while children
 * of it are cached leaves them where no path reaches them; they go by a sweep as soon as it
 * pays.
 *
 * Finding neither allocates nor cuts the name out of its path: `find(parent, path, from, to, hash)`.
 *
 * @module
 */
import { invariant } from "../abi/invariant.ts";
import type { FSNode } from "../abi/node.ts";

/** Buckets of an empty table. A power of two, as every later size. */
const FIRST_BUCKETS = 1024;
/** Buckets that one `trim` looks at, at most. */
const TRIM_BUCKETS = 256;
/** A sweep is due when this many buckets or fewer are looked at for each unreachable node. */
const SWEEP_BUCKETS = 64;

/** An inode among those of all mounts, as a key: its names and descriptors have one. */
export function inodeKey(node: FSNode): string {
  return `${node.mount.dev}:${node.data.ino}`;
}

/** Where the hash of a name in `parent` starts. */
export function hashStart(parent: FSNode): number {
  return startOf(parent.data.ino ^ Math.imul(parent.mount.dev, 0x2c1b3c6d));
}

function startOf(parent: number): number {
  return Math.imul(parent, 0x297a2d39);
}

/** The hash of a name whose parent is known by a number only. */
export function hashNumber(parent: number, name: string): number {
  let hash = startOf(parent);
  for (let index = 0; index < name.length; index++) hash = hashUnit(hash, name.charCodeAt(index));
  return hashEnd(hash);
}

/** One more UTF-16 unit of the name. */
export function hashUnit(hash: number, unit: number): number {
  return Math.imul(hash ^ unit, 0x01000193);
}

/** Spreads the last units over all bits, for the low ones pick the bucket. */
export function hashEnd(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x735a2d97);
  return mixed ^ (mixed >>> 13);
}

function hashOf(node: FSNode): number {
  const { name } = node;
  let hash = hashStart(node.parent);
  for (let index = 0; index < name.length; index++) {
    hash = hashUnit(hash, name.charCodeAt(index));
  }
  return hashEnd(hash);
}

/** The table. */
export class NameTable {
  /** Chains by hash, linked through `name_next`. */
  buckets: (FSNode | null)[] = new Array(FIRST_BUCKETS).fill(null);
  /** How many nodes it holds. */
  count = 0;
  #mask = FIRST_BUCKETS - 1;
  #hand = 0;
  /** Children of directories that have left since the last sweep, at most. */
  #leftBehind = 0;

  /** The node whose parent is `parent` and whose name is `path` from `from` to `to`, or null. */
  find(parent: FSNode, path: string, from: number, to: number, hash: number): FSNode | null {
    let node = this.buckets[hash & this.#mask] as FSNode | null;
    while (node !== null) {
      if (node.parent === parent && isName(node.name, path, from, to)) return node;
      node = node.name_next;
    }
    return null;
  }

  /** The child of that name, or null. */
  get(parent: FSNode, name: string): FSNode | null {
    let hash = hashStart(parent);
    for (let index = 0; index < name.length; index++) {
      hash = hashUnit(hash, name.charCodeAt(index));
    }
    return this.find(parent, name, 0, name.length, hashEnd(hash));
  }

  /** Whether this very node is in the table, whatever its name leads to. */
  has(node: FSNode): boolean {
    let current = this.buckets[hashOf(node) & this.#mask] as FSNode | null;
    while (current !== null && current !== node) current = current.name_next;
    return current !== null;
  }

  /** Adds an attached node, and pins its parent. */
  add(node: FSNode): void {
    invariant(node.name_next === null, "F2: a node comes into the table twice");
    if (this.count * 2 >= this.buckets.length) this.#grow();
    this.#push(node);
    this.count++;
    if (node.parent !== node) node.parent.pins++;
  }

  /** Takes a node out; false if it was not there. */
  remove(node: FSNode): boolean {
    const bucket = hashOf(node) & this.#mask;
    let before: FSNode | null = null;
    let current = this.buckets[bucket] as FSNode | null;
    while (current !== node) {
      if (current === null) return false;
      before = current;
      current = current.name_next;
    }
    this.#cut(bucket, before, node);
    return true;
  }

  /** Takes out every node of a mount. */
  removeMount(dev: number): void {
    for (let bucket = 0; bucket < this.buckets.length; bucket++) {
      this.#filter(bucket, (node) => node.mount.dev !== dev);
    }
  }

  /** Whether `sweep` would be worth its time. */
  get isSweepDue(): boolean {
    return this.#leftBehind * SWEEP_BUCKETS >= this.buckets.length;
  }

  /** Takes note that a directory has left while something is still pinned to it. */
  leftBehind(directory: FSNode): void {
    this.#leftBehind += directory.pins;
  }

  /**
   * Takes out what no root leads to: the nodes below a directory that is not in the table, unless
   * a caller holds that directory and may still walk from it.
   */
  sweep(): void {
    this.#leftBehind = 0;
    const census = new Census(this);
    for (const first of this.buckets) {
      for (let node = first; node !== null; node = node.name_next) census.count(node);
    }
    for (let bucket = 0; bucket < this.buckets.length; bucket++) {
      this.#filter(bucket, (node) => census.isReachable(node.parent));
    }
  }

  /** Forgets some nodes that are not held, while there are more than `maxNodes`. */
  trim(maxNodes: number): void {
    for (let turns = TRIM_BUCKETS; turns > 0 && this.count > maxNodes; turns--) {
      this.#hand = (this.#hand + 1) & this.#mask;
      this.#filter(this.#hand, (node) => !mayForget(node));
    }
  }

  /** Nodes in the longest chain, and the mean over chains that have any. */
  chains(): { longest: number; mean: number } {
    let longest = 0;
    let used = 0;
    for (const first of this.buckets) {
      let length = 0;
      for (let node = first; node !== null; node = node.name_next) length++;
      longest = Math.max(longest, length);
      if (length > 0) used++;
    }
    return { longest, mean: used === 0 ? 0 : this.count / used };
  }

  #push(node: FSNode): void {
    const bucket = hashOf(node) & this.#mask;
    node.name_next = this.buckets[bucket] as FSNode | null;
    this.buckets[bucket] = node;
  }

  #cut(bucket: number, before: FSNode | null, node: FSNode): void {
    if (before === null) this.buckets[bucket] = node.name_next;
    else before.name_next = node.name_next;
    node.name_next = null;
    this.count--;
    if (node.parent === node) return;
    invariant(node.parent.pins > 0, "F2: a directory loses a child that was not pinned to it");
    node.parent.pins--;
  }

  #filter(bucket: number, keeps: (node: FSNode) => boolean): void {
    let before: FSNode | null = null;
    let node = this.buckets[bucket] as FSNode | null;
    while (node !== null) {
      const next: FSNode | null = node.name_next;
      if (keeps(node)) before = node;
      else this.#cut(bucket, before, node);
      node = next;
    }
  }

  #grow(): void {
    const old = this.buckets;
    this.buckets = new Array(old.length * 2).fill(null);
    this.#mask = this.buckets.length - 1;
    for (const first of old) {
      let node = first;
      while (node !== null) {
        const next: FSNode | null = node.name_next;
        this.#push(node);
        node = next;
      }
    }
  }
}

/** Which directories can still be reached; made for one sweep. */
class Census {
  readonly #table: NameTable;
  /** Cached children of directories that are not in the table; null for one that is, or a root. */
  readonly #children = new Map<FSNode, number | null>();
  /** Whether a directory can be reached, once it is known. */
  readonly #known = new Map<FSNode, boolean>();

  constructor(table: NameTable) {
    this.#table = table;
  }

  /** Counts a node for its parent. */
  count({ parent }: FSNode): void {
    const before = this.#children.get(parent);
    if (before === undefined) this.#children.set(parent, this.#isInside(parent) ? null : 1);
    else if (before !== null) this.#children.set(parent, before + 1);
  }

  #isInside(directory: FSNode): boolean {
    return directory.parent === directory ||
      this.#table.get(directory.parent, directory.name) === directory;
  }

  /** Whether a root leads to the directory, or a caller holds it beside its cached children. */
  isReachable(directory: FSNode): boolean {
    const way: FSNode[] = [];
    let at = directory;
    let answer = this.#answer(at);
    while (answer === null) {
      way.push(at);
      at = at.parent;
      answer = this.#answer(at);
    }
    for (const node of way) this.#known.set(node, answer);
    return answer;
  }

  /** The answer for this directory, or null if it is its parent's. */
  #answer(directory: FSNode): boolean | null {
    const known = this.#known.get(directory);
    if (known !== undefined) return known;
    const children = this.#children.get(directory) ?? null;
    if (children === null) return directory.parent === directory ? true : null;
    const isHeld = directory.pins > children;
    this.#known.set(directory, isHeld);
    return isHeld;
  }
}

function isName(name: string, path: string, from: number, to: number): boolean {
  return name.length === to - from && path.startsWith(name, from);
}

function mayForget(node: FSNode): boolean {
  return node.pins === 0 && node.parent.node_ops.lookup !== undefined;
}
