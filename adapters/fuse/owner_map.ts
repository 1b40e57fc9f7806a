/**
 * Whose files they are, when a user who is not root mounts.
 *
 * Layer: adapters/fuse. Most volumes were written by one user who was root in a page, so everything
 * in them belongs to 0:0. For an ordinary user's mount the two are swapped: what belongs to root in
 * the volume is shown as the user's own, and what the user makes belongs to root there. As the map
 * is its own reverse, one method serves both ways.
 *
 * @module
 */
import type { Owner } from "../../mod.ts";

/** Swaps root and another owner; with 0:0 nothing changes. */
export class OwnerMap {
  readonly #other: Owner;

  /** Swaps `other` with 0:0. */
  constructor(other: Owner) {
    this.#other = other;
  }

  /** A user on the other side. */
  uid(uid: number): number {
    return swapped(uid, this.#other.uid);
  }

  /** A group on the other side. */
  gid(gid: number): number {
    return swapped(gid, this.#other.gid);
  }

  /** Changes owner and group of a record to those on the other side, and returns it. */
  turn<T extends Owner>(record: T): T {
    record.uid = this.uid(record.uid);
    record.gid = this.gid(record.gid);
    return record;
  }
}

function swapped(id: number, other: number): number {
  return id === 0 ? other : id === other ? 0 : id;
}
