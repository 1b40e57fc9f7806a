/**
 * What a client holds: how often it has retained each inode, and not let go of it.
 *
 * Layer: relay. Both sides write it down: a client refuses to give back what it has not taken, and the
 * other side gives back what a client leaves (R7). An inode that is not held takes no place.
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

  /** It has been retained once more. */
  add(ino: Ino): void {
    invariant(ino > 0, "R7: no inode is retained");
    this.#counts.set(ino, this.count(ino) + 1);
  }

  /**
   * It is about to be released once; how often it is held then.
   *
   * @throws {ErrnoError} EINVAL if it is not held: nothing lets go for another
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

  /** Everything, each inode as often as it is held; none is held any more. */
  takeAll(): Ino[] {
    const all: Ino[] = [];
    for (const [ino, count] of this.#counts) {
      for (let left = count; left > 0; left--) all.push(ino);
    }
    this.#counts.clear();
    return all;
  }
}
