/**
 * Locks on files: byte ranges with owners, and whole files. Pure tables; no caller waits here.
 *
 * Layer: abi. Ranges are those of fcntl: an owner's later lock replaces its earlier one where they
 * overlap, neighbours of one kind become one, and a test returns what is really in the way.
 * What an owner is, the user of the table says: a process, a client, an open file description. No
 * call walks through all locks of a file: each costs the logarithm of their number, and what it takes
 * away or gives.
 *
 * Use: `table.set(file, { owner, type: F_WRLCK, start: 0, end: 10 })` gives what is in the way, or
 * null and the lock is held.
 *
 * @module
 */
import { F_UNLCK, F_WRLCK } from "./flags.ts";
import { Intervals } from "./intervals.ts";

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

/** Locks of many owners, held or wanted, with the question which of them exclude one. */
export class RangeSet<O = unknown> {
  readonly #writers = new Intervals<RangeLock<O>>();
  readonly #readers = new Intervals<RangeLock<O>>();

  /** Adds a lock; the same object only once. */
  add(lock: RangeLock<O>): void {
    this.#ofKind(lock).insert(lock);
  }

  /** Takes a lock out, by identity. */
  delete(lock: RangeLock<O>): void {
    this.#ofKind(lock).delete(lock);
  }

  /** The lowest lock that excludes the wanted one and that is meant, or null. */
  find(
    { type, start, end }: RangeLock<O>,
    isMeant: (held: RangeLock<O>) => boolean,
  ): RangeLock<O> | null {
    if (type === F_UNLCK) return null;
    const writer = this.#writers.find(start, end, isMeant);
    // A reader is in the way of writers only, so many readers of one place cost nothing.
    const reader = type === F_WRLCK ? this.#readers.find(start, end, isMeant) : null;
    if (writer === null || reader === null) return writer ?? reader;
    return reader.start < writer.start ? reader : writer;
  }

  #ofKind({ type }: RangeLock<O>): Intervals<RangeLock<O>> {
    return type === F_WRLCK ? this.#writers : this.#readers;
  }
}

/** The locks of one file. */
interface FileLocks<O> {
  /** Of all owners. */
  readonly all: RangeSet<O>;
  /** Each owner's, of both kinds; no two of one owner overlap. */
  readonly owners: Map<O, Intervals<RangeLock<O>>>;
}

/** Ranges by file. A file is whatever key its user gives it. */
export class LockTable<O = unknown> {
  readonly #files = new Map<string, FileLocks<O>>();
  /** Where each owner has locks. */
  readonly #filesOf = new Map<O, Set<string>>();

  /** How many files have locks. */
  get size(): number {
    return this.#files.size;
  }

  /** The locks of a file, lowest first: a walk through all. */
  list(file: string): readonly RangeLock<O>[] {
    const locks = this.#files.get(file);
    if (locks === undefined) return [];
    const all = [...locks.owners.values()].flatMap((own) => own.items());
    return all.sort((left, right) => left.start - right.start);
  }

  /** What an owner holds on a file, lowest first. */
  listOf(file: string, owner: O): readonly RangeLock<O>[] {
    return this.#files.get(file)?.owners.get(owner)?.items() ?? [];
  }

  /** Whether an owner holds something on a file; without one, on any. */
  holds(owner: O, file?: string): boolean {
    const files = this.#filesOf.get(owner);
    return files !== undefined && (file === undefined || files.has(file));
  }

  /** The first lock of another owner that is in the way, or null. */
  test(file: string, wanted: RangeLock<O>): RangeLock<O> | null {
    const isOther = (held: RangeLock<O>): boolean => held.owner !== wanted.owner;
    return this.#files.get(file)?.all.find(wanted, isOther) ?? null;
  }

  /** All locks of other owners that are in the way. */
  blockers(file: string, wanted: RangeLock<O>): RangeLock<O>[] {
    const found: RangeLock<O>[] = [];
    const note = (held: RangeLock<O>): boolean =>
      held.owner !== wanted.owner && found.push(held) < 0;
    this.#files.get(file)?.all.find(wanted, note);
    return found;
  }

  /** Takes the lock, or gives what is in the way and changes nothing. F_UNLCK always succeeds. */
  set(file: string, wanted: RangeLock<O>): RangeLock<O> | null {
    const blocker = this.test(file, wanted);
    if (blocker !== null) return blocker;
    const { owner, type, start, end } = wanted;
    for (const held of this.#own(file, owner)?.overlapping(start, end) ?? []) {
      this.#remove(file, held);
      if (held.start < start) this.#add(file, { ...held, end: start });
      if (end < held.end) this.#add(file, { ...held, start: end });
    }
    if (type !== F_UNLCK) this.#add(file, this.#joined(file, wanted));
    this.#tidy(file, owner);
    return null;
  }

  /** Takes every lock of an owner on a file away. */
  release(file: string, owner: O): void {
    for (const held of this.#own(file, owner)?.items() ?? []) this.#remove(file, held);
    this.#tidy(file, owner);
  }

  /** Takes every lock of an owner away, as when a client dies; where it had some. */
  releaseOwner(owner: O): string[] {
    const files = [...this.#filesOf.get(owner) ?? []];
    for (const file of files) this.release(file, owner);
    return files;
  }

  #own(file: string, owner: O): Intervals<RangeLock<O>> | undefined {
    return this.#files.get(file)?.owners.get(owner);
  }

  /** A lock together with its owner's of the same kind that touch it, which it takes the place of. */
  #joined(file: string, lock: RangeLock<O>): RangeLock<O> {
    let { start, end } = lock;
    const own = this.#own(file, lock.owner);
    const isSame = (held: RangeLock<O>) => held.type === lock.type;
    // A range touches what has the byte before it, or the one that it ends at.
    for (const held of own?.overlapping(start - 1, end + 2) ?? []) {
      if (!isSame(held) || held.end !== start && held.start !== end) continue;
      this.#remove(file, held);
      start = Math.min(start, held.start);
      end = Math.max(end, held.end);
    }
    return start === lock.start && end === lock.end ? lock : { ...lock, start, end };
  }

  #add(file: string, lock: RangeLock<O>): void {
    let locks = this.#files.get(file);
    if (locks === undefined) {
      locks = { all: new RangeSet(), owners: new Map() };
      this.#files.set(file, locks);
    }
    let own = locks.owners.get(lock.owner);
    if (own === undefined) locks.owners.set(lock.owner, own = new Intervals());
    own.insert(lock);
    locks.all.add(lock);
    const files = this.#filesOf.get(lock.owner);
    if (files === undefined) this.#filesOf.set(lock.owner, new Set([file]));
    else files.add(file);
  }

  #remove(file: string, lock: RangeLock<O>): void {
    const locks = this.#files.get(file);
    locks?.owners.get(lock.owner)?.delete(lock);
    locks?.all.delete(lock);
  }

  /** Forgets an owner that has no lock on a file any more, and a file that has none. */
  #tidy(file: string, owner: O): void {
    const locks = this.#files.get(file);
    if (locks === undefined || (locks.owners.get(owner)?.size ?? 0) > 0) return;
    locks.owners.delete(owner);
    if (locks.owners.size === 0) this.#files.delete(file);
    const files = this.#filesOf.get(owner);
    files?.delete(file);
    if (files?.size === 0) this.#filesOf.delete(owner);
  }
}
