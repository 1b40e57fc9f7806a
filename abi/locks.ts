/**
 * Locks on files: byte ranges with owners, and whole files. Pure tables; nobody waits here.
 *
 * Layer: abi (imports nothing but numbers). Ranges are those of fcntl: an owner's later lock replaces
 * its earlier one where they overlap, neighbours of one kind become one, and a test tells the truth
 * about what is in the way. What an owner is, the user of the table says: a process, a client, an
 * open file description.
 *
 * Use: `table.set(file, { owner, type: F_WRLCK, start: 0, end: 10 })` gives what is in the way, or
 * null and the lock is held.
 *
 * @module
 */
import { F_UNLCK, F_WRLCK } from "./flags.ts";

/** A range and who wants or holds it. */
export interface RangeLock<O = unknown> {
  /** Who. Two locks of one owner are never in each other's way. */
  readonly owner: O;
  /** F_RDLCK or F_WRLCK; F_UNLCK to unlock. */
  readonly type: number;
  /** First byte. */
  readonly start: number;
  /** Byte after the last; Infinity for all there will ever be. */
  readonly end: number;
}

/** Ranges by file. A file is whatever key its user gives it. */
export class LockTable<O = unknown> {
  readonly #files = new Map<string, RangeLock<O>[]>();

  /** How many files have locks. */
  get size(): number {
    return this.#files.size;
  }

  /** The locks of a file, lowest first. */
  list(file: string): readonly RangeLock<O>[] {
    return this.#files.get(file) ?? [];
  }

  /** The first lock of somebody else that is in the way, or null. */
  test(file: string, wanted: RangeLock<O>): RangeLock<O> | null {
    if (wanted.type === F_UNLCK) return null;
    return this.list(file).find((held) => isInTheWay(held, wanted)) ?? null;
  }

  /** Takes the lock, or gives what is in the way and changes nothing. F_UNLCK always succeeds. */
  set(file: string, wanted: RangeLock<O>): RangeLock<O> | null {
    const blocker = this.test(file, wanted);
    if (blocker !== null) return blocker;
    const kept = this.list(file).flatMap((held) =>
      held.owner === wanted.owner ? without(held, wanted) : [held]
    );
    if (wanted.type !== F_UNLCK) kept.push(wanted);
    this.#store(file, joined(kept));
    return null;
  }

  /** Takes every lock of an owner on a file away. */
  release(file: string, owner: O): void {
    const held = this.#files.get(file);
    if (held !== undefined) this.#store(file, held.filter((lock) => lock.owner !== owner));
  }

  /** Takes every lock of an owner away, as when a client dies. */
  releaseOwner(owner: O): void {
    for (const file of [...this.#files.keys()]) this.release(file, owner);
  }

  /** Takes the locks of all owners away that `isGone` says are gone. */
  releaseGone(isGone: (owner: O) => boolean): void {
    for (const [file, held] of [...this.#files]) {
      this.#store(file, held.filter((lock) => !isGone(lock.owner)));
    }
  }

  #store(file: string, locks: RangeLock<O>[]): void {
    if (locks.length === 0) this.#files.delete(file);
    else this.#files.set(file, locks);
  }
}

function overlaps(left: RangeLock, right: RangeLock): boolean {
  return left.start < right.end && right.start < left.end;
}

function isInTheWay(held: RangeLock, wanted: RangeLock): boolean {
  return held.owner !== wanted.owner && overlaps(held, wanted) &&
    (held.type === F_WRLCK || wanted.type === F_WRLCK);
}

/** What is left of a lock when a range is cut out of it. */
function without<O>(held: RangeLock<O>, cut: RangeLock<O>): RangeLock<O>[] {
  if (!overlaps(held, cut)) return [held];
  const parts: RangeLock<O>[] = [];
  if (held.start < cut.start) parts.push({ ...held, end: cut.start });
  if (cut.end < held.end) parts.push({ ...held, start: cut.end });
  return parts;
}

/** In order, with touching ranges of one owner and kind as one. */
function joined<O>(locks: RangeLock<O>[]): RangeLock<O>[] {
  const sorted = locks.sort((left, right) => left.start - right.start);
  const result: RangeLock<O>[] = [];
  for (const lock of sorted) {
    const index = result.findIndex((other) =>
      other.owner === lock.owner && other.type === lock.type && other.end === lock.start
    );
    const before = result[index];
    if (before === undefined) result.push(lock);
    else result[index] = { ...before, end: lock.end };
  }
  return result;
}
