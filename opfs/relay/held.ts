/**
 * What a client holds: how often it has retained each inode and not released it.
 *
 * Layer: relay. Both sides count: a client refuses to release what it has not retained, and the
 * relay releases what a client leaves (R7). An inode that is not held takes no memory.
 *
 * Use: `held.add(ino)` after retaining, `held.remove(ino)` before releasing, `held.takeAll()` at the end.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import { invariant } from "../../abi/invariant.ts";
import { shown } from "../../abi/options.ts";
import type { Ino } from "../volume_ops.ts";

/** Inodes, each with a count. */
export class Held {
  readonly #counts = new Map<Ino, number>();

  /** How many inodes are held. */
  get size(): number {
    return this.#counts.size;
  }

  /** How often an inode is held. */
  count(ino: Ino): number {
    return this.#counts.get(ino) ?? 0;
  }

  /** Counts one more retain. */
  add(ino: Ino): void {
    invariant(ino > 0, "R7: no inode is retained");
    this.#counts.set(ino, this.count(ino) + 1);
  }

  /**
   * Counts one retain less, before a release; returns how often the inode is held then.
   *
   * @throws {ErrnoError} EINVAL if it is not held: a client releases only its own
   */
  remove(ino: Ino): number {
    const count = this.count(ino);
    if (count === 0) {
      throw new ErrnoError("EINVAL", `release inode ${shown(ino)}`, { why: "not retained" });
    }
    if (count === 1) this.#counts.delete(ino);
    else this.#counts.set(ino, count - 1);
    return count - 1;
  }

  /** Everything, each inode as often as it is held; after it nothing is held. */
  takeAll(): Ino[] {
    const all: Ino[] = [];
    for (const [ino, count] of this.#counts) {
      for (let left = count; left > 0; left--) all.push(ino);
    }
    this.#counts.clear();
    return all;
  }
}
