/**
 * Attributes and link targets that a cache knows, and the rule by which a read moves atime.
 *
 * Layer: opfs/cache, part of `../cache.ts`, which answers a read itself only where it moves nothing.
 * The rule is the engine's: once after a change, and once a day. When there are too many attributes,
 * or targets, all of them are forgotten.
 *
 * @module
 */
import type { Attr } from "../../abi/attr.ts";
import { invariant } from "../../abi/invariant.ts";
import { shownIno } from "../../abi/words.ts";
import type { Ino } from "../volume_ops.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** What is known of inodes. */
export class InodeCache {
  readonly #attrs = new Map<Ino, Attr>();
  readonly #targets = new Map<Ino, string>();
  readonly #entries: number;
  readonly #clock: () => number;

  /** Up to `entries` attributes, and as many targets; `clock` decides when a read moves atime. */
  constructor({ entries, clock }: { entries: number; clock: () => number }) {
    this.#entries = entries;
    this.#clock = clock;
  }

  /** Whether attributes are known. */
  has(ino: Ino): boolean {
    return this.#attrs.has(ino);
  }

  /** Attributes as they are kept: a caller gets a copy. */
  get(ino: Ino): Attr | undefined {
    return this.#attrs.get(ino);
  }

  /** Keeps a copy: the caller may change what it was given. */
  keep(ino: Ino, attr: Attr): Attr {
    invariant(attr.ino === shownIno(ino), "R8: attributes of another inode are kept");
    if (this.#attrs.size >= this.#entries) this.#attrs.clear();
    this.#attrs.set(ino, { ...attr });
    return attr;
  }

  /** What a link points to. */
  target(ino: Ino): string | undefined {
    return this.#targets.get(ino);
  }

  /** Keeps what a link points to; that never changes. */
  keepTarget(ino: Ino, target: string): void {
    if (this.#targets.size >= this.#entries) this.#targets.clear();
    this.#targets.set(ino, target);
  }

  /** Whether a read moves atime now. Without known attributes it may. */
  movesAccess(ino: Ino): boolean {
    const attr = this.#attrs.get(ino);
    if (attr === undefined) return true;
    const { atime, mtime, ctime } = attr;
    return atime <= mtime || atime <= ctime || this.#clock() - atime >= DAY_MS;
  }

  /** The volume has seen a read: forgets the attributes if it has moved atime. */
  accessed(ino: Ino): void {
    if (this.movesAccess(ino)) this.#attrs.delete(ino);
  }

  /** Forgets attributes; the target of a link stays. */
  changed(ino: Ino): void {
    this.#attrs.delete(ino);
  }

  /** Forgets an inode that is gone. */
  forget(ino: Ino): void {
    this.#attrs.delete(ino);
    this.#targets.delete(ino);
  }

  /** Forgets the attributes of all. */
  clearAttributes(): void {
    this.#attrs.clear();
  }

  /** Forgets everything. */
  clear(): void {
    this.#attrs.clear();
    this.#targets.clear();
  }
}
