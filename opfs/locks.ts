/**
 * Locks that clients of one volume heed: who holds what, who waits for it, and who gets it next.
 *
 * Layer: opfs, over the pure tables of `abi/locks.ts`; the relay holds one and adds the client to
 * each owner. There are four kinds, which do not see each other: byte ranges (fcntl), whole files
 * (flock), SQLite's five levels, and its eight WAL slots. Who has to wait is queued, first come first
 * served: a new shared request waits after a queued exclusive one. A wait that could never end is
 * EDEADLK. No thread sleeps here: a request that waits gets a ticket, which says when the wait is
 * over.
 *
 * Use: `const ticket = locks.take(client, ino, request)`; null is held, else look at `ticket.isHeld`.
 *
 * @module
 */
import { ErrnoError } from "../abi/errno.ts";
import { shown } from "../abi/options.ts";
import { F_RDLCK, F_UNLCK, F_WRLCK } from "../abi/flags.ts";
import { invariant } from "../abi/invariant.ts";
import { LockTable, type RangeLock, RangeSet } from "../abi/locks.ts";
import {
  type BlockingLock,
  type Ino,
  LockKind,
  type LockRequest,
  SqliteLevel,
} from "./volume_ops.ts";

/** A request that waits. */
export interface LockTicket {
  /** Whether it is over: the lock is held. */
  isHeld: boolean;
}

/** An owner of locks: the client's number, a slash, its own number for the owner. */
type Owner = `${number}/${number}`;

interface Waiting extends LockTicket {
  readonly file: string;
  readonly owner: Owner;
  readonly request: LockRequest;
}

/** Those who wait for locks of one file. */
interface Queue {
  /** First come first. */
  readonly waiting: Waiting[];
  /** What they want. */
  readonly wants: RangeSet<Owner>;
}

/** Bytes of a SQLite lock's table: one for each of its three locks. */
const PENDING = 0;
const RESERVED = 1;
const SHARED = 2;
/** How many WAL slots there are. */
const WAL_SLOTS = 8;

/** Everything that is locked and waited for on one volume. */
export class VolumeLocks {
  readonly #table = new LockTable<Owner>();
  /** Those who wait, by file. */
  readonly #queues = new Map<string, Queue>();
  /** Those who wait, by client. */
  readonly #waitingOf = new Map<number, Set<Waiting>>();
  /** The owners of each client that may hold something. */
  readonly #ownersOf = new Map<number, Set<Owner>>();

  /** How many files have locks, each kind counted. */
  get size(): number {
    return this.#table.size;
  }

  /** How many requests wait; for tests: 0 when all clients have left. */
  get waitingCount(): number {
    let count = 0;
    for (const { waiting } of this.#queues.values()) count += waiting.length;
    return count;
  }

  /**
   * Takes, changes or gives back a lock. Null is done; a ticket is to be waited for.
   *
   * @throws {ErrnoError} EAGAIN if it is not free and the request does not wait, EDEADLK if it would
   * wait for ever, EINVAL for a request that makes no sense
   */
  take(client: number, ino: Ino, request: LockRequest): LockTicket | null {
    check(request);
    const owner: Owner = `${client}/${request.owner}`;
    const waiting = { file: fileOf(ino, request.kind), owner, request, isHeld: false };
    if (this.#isDown(waiting) || !this.#isBlocked(waiting) && this.#mayPass(waiting)) {
      this.#hold(waiting);
      // What was held before may have been more.
      this.#serve(waiting.file);
      return null;
    }
    if (!request.wait) {
      this.#holdPending(waiting);
      throw new ErrnoError("EAGAIN", `lock inode ${shown(ino)}`, { why: "another owner holds it" });
    }
    if (this.#waitsForItself(waiting)) {
      throw new ErrnoError(
        "EDEADLK",
        `lock inode ${shown(ino)}`,
        { why: "those who hold it wait for this client" },
      );
    }
    this.#holdPending(waiting);
    this.#enqueue(waiting);
    return waiting;
  }

  /** The first lock of another owner that is in the way, or null. */
  test(client: number, ino: Ino, request: LockRequest): BlockingLock | null {
    check(request);
    const owner: Owner = `${client}/${request.owner}`;
    const file = fileOf(ino, request.kind);
    const [first] = this.#blockers({ file, owner, request, isHeld: false });
    if (first === undefined) return null;
    const { type, start, end } = first;
    return { type, start, end, owner: clientOf(first.owner) === client ? idOf(first.owner) : -1 };
  }

  /** Gives back what an owner holds on an inode, of one kind. */
  release(client: number, ino: Ino, { owner, kind }: Pick<LockRequest, "owner" | "kind">): void {
    const file = fileOf(ino, kind);
    this.#table.release(file, `${client}/${owner}`);
    this.#forgetIdle(`${client}/${owner}`);
    this.#serve(file);
  }

  /** A client is gone: what it holds is free, and what it waits for it gets no more. */
  releaseClient(client: number): void {
    // Their places in the queues go when these are served.
    const touched = new Set<string>();
    for (const waiting of this.#waitingOf.get(client) ?? []) touched.add(waiting.file);
    this.#waitingOf.delete(client);
    for (const owner of this.#ownersOf.get(client) ?? []) {
      for (const file of this.#table.releaseOwner(owner)) touched.add(file);
    }
    this.#ownersOf.delete(client);
    for (const file of touched) this.#serve(file);
  }

  #enqueue(waiting: Waiting): void {
    this.#join(waiting);
    const client = clientOf(waiting.owner);
    const own = this.#waitingOf.get(client);
    if (own === undefined) this.#waitingOf.set(client, new Set([waiting]));
    else own.add(waiting);
  }

  /** Puts a request at the end of its file's queue. */
  #join(waiting: Waiting): void {
    let queue = this.#queues.get(waiting.file);
    if (queue === undefined) {
      this.#queues.set(waiting.file, queue = { waiting: [], wants: new RangeSet() });
    }
    queue.waiting.push(waiting);
    for (const lock of wantedOf(waiting.request, waiting.owner)) queue.wants.add(lock);
  }

  #leave(waiting: Waiting): void {
    const client = clientOf(waiting.owner);
    const own = this.#waitingOf.get(client);
    own?.delete(waiting);
    if (own?.size === 0) this.#waitingOf.delete(client);
  }

  /** An owner that holds nothing any more is remembered no longer. */
  #forgetIdle(owner: Owner): void {
    if (this.#table.holds(owner)) return;
    const own = this.#ownersOf.get(clientOf(owner));
    own?.delete(owner);
    if (own?.size === 0) this.#ownersOf.delete(clientOf(owner));
  }

  /** Whether a request gives back only, so that it never waits. */
  #isDown({ file, owner, request }: Waiting): boolean {
    if (request.kind !== LockKind.SQLITE) return request.type === F_UNLCK;
    return request.type <= this.#level(file, owner);
  }

  /** The SQLite level that an owner has. */
  #level(file: string, owner: Owner): number {
    const held = this.#table.listOf(file, owner);
    const has = (at: number, type: number) =>
      held.some((lock) => lock.start <= at && at < lock.end && lock.type === type);
    if (has(SHARED, F_WRLCK)) return SqliteLevel.EXCLUSIVE;
    if (has(PENDING, F_WRLCK)) return SqliteLevel.PENDING;
    if (has(RESERVED, F_WRLCK)) return SqliteLevel.RESERVED;
    return has(SHARED, F_RDLCK) ? SqliteLevel.SHARED : SqliteLevel.NONE;
  }

  /** Whether a lock of another owner is in the way. */
  #isBlocked({ file, owner, request }: Waiting): boolean {
    return wantedOf(request, owner).some((lock) => this.#table.test(file, lock) !== null);
  }

  /** The locks of others that are in the way. */
  #blockers({ file, owner, request }: Waiting): RangeLock<Owner>[] {
    return wantedOf(request, owner).flatMap((lock) => this.#table.blockers(file, lock));
  }

  /**
   * Whether no earlier request waits for what is in the way of this. Who holds something here already
   * does not queue: the others may wait for just that. Nor does who would not wait.
   */
  #mayPass({ file, owner, request }: Waiting): boolean {
    const ahead = this.#queues.get(file)?.wants;
    if (ahead === undefined || !request.wait || this.#table.holds(owner, file)) return true;
    return wantedOf(request, owner).every((lock) =>
      ahead.find(lock, (other) => other.owner !== owner) === null
    );
  }

  /** Those before it in the queue who want what it wants. */
  #before(waiting: Waiting): Waiting[] {
    const wanted = wantedOf(waiting.request, waiting.owner);
    const queue = this.#queues.get(waiting.file)?.waiting ?? [];
    const end = queue.indexOf(waiting);
    return (end < 0 ? queue : queue.slice(0, end)).filter((other) =>
      other.owner !== waiting.owner &&
      wantedOf(other.request, other.owner).some((lock) =>
        wanted.some((own) => !areApart(lock, own))
      )
    );
  }

  /** Whether a client that this one would wait for waits, in the end, for this one. */
  #waitsForItself(waiting: Waiting): boolean {
    const client = clientOf(waiting.owner);
    // Nothing can wait for a client that holds nothing and stands in no queue.
    if (!this.#ownersOf.has(client) && !this.#waitingOf.has(client)) return false;
    const seen = new Set<number>();
    const open = [...this.#clientsBefore(waiting)];
    while (open.length > 0) {
      const next = open.pop()!;
      if (next === client) return true;
      if (seen.has(next)) continue;
      seen.add(next);
      for (const other of this.#waitingOf.get(next) ?? []) {
        for (const one of this.#clientsBefore(other)) open.push(one);
      }
    }
    return false;
  }

  #clientsBefore(waiting: Waiting): Set<number> {
    const clients = new Set(this.#blockers(waiting).map((lock) => clientOf(lock.owner)));
    if (this.#table.holds(waiting.owner, waiting.file)) return clients;
    for (const other of this.#before(waiting)) clients.add(clientOf(other.owner));
    return clients;
  }

  /** Serves all of a file's queue that can go on now, in the order in which they came. */
  #serve(file: string): void {
    while (this.#serveOnce(file)) { /* An earlier one may go on now. */ }
  }

  /** One walk through the queue; whether an earlier one may go on after it. */
  #serveOnce(file: string): boolean {
    const queue = this.#queues.get(file);
    if (queue === undefined) return false;
    let mayBeFree = false;
    // It fills again with those who still wait.
    this.#queues.delete(file);
    for (const waiting of queue.waiting) {
      if (!this.#waits(waiting)) continue;
      if (this.#isBlocked(waiting) || !this.#mayPass(waiting)) {
        this.#join(waiting);
        continue;
      }
      this.#leave(waiting);
      // It may give something back here, or need not queue any more with what else it waits for.
      mayBeFree ||= this.#table.holds(waiting.owner, file) ||
        this.#waitingOf.has(clientOf(waiting.owner));
      this.#hold(waiting);
      waiting.isHeld = true;
    }
    return mayBeFree;
  }

  /** Whether a client is still there to wait for what it asked for. */
  #waits(waiting: Waiting): boolean {
    return this.#waitingOf.get(clientOf(waiting.owner))?.has(waiting) ?? false;
  }

  #hold({ file, owner, request }: Waiting): void {
    this.#remember(owner);
    if (request.kind === LockKind.SQLITE) this.#holdLevel(file, owner, request.type);
    else {
      for (const lock of wantedOf(request, owner)) this.#table.set(file, lock);
      const mayBe = !this.#isBlocked({ file, owner, request, isHeld: false });
      invariant(mayBe, "L1: two hold what excludes each other");
    }
    this.#forgetIdle(owner);
  }

  /** An owner may hold something from now on. */
  #remember(owner: Owner): void {
    const client = clientOf(owner);
    const own = this.#ownersOf.get(client);
    if (own === undefined) this.#ownersOf.set(client, new Set([owner]));
    else own.add(owner);
  }

  /** From a level to another: what it has not is given back, what it has is taken. */
  #holdLevel(file: string, owner: Owner, level: number): void {
    const set = (at: number, type: number) =>
      void this.#table.set(file, { owner, type, start: at, end: at + 1 });
    set(
      SHARED,
      level === SqliteLevel.EXCLUSIVE ? F_WRLCK : level === SqliteLevel.NONE ? F_UNLCK : F_RDLCK,
    );
    set(RESERVED, level >= SqliteLevel.RESERVED ? F_WRLCK : F_UNLCK);
    set(PENDING, level >= SqliteLevel.PENDING ? F_WRLCK : F_UNLCK);
  }

  /** EXCLUSIVE that has to wait for readers keeps new ones out while it waits: PENDING. */
  #holdPending({ file, owner, request }: Waiting): void {
    if (request.kind !== LockKind.SQLITE || request.type !== SqliteLevel.EXCLUSIVE) return;
    const pending = { owner, type: F_WRLCK, start: PENDING, end: PENDING + 1 };
    if (this.#level(file, owner) >= SqliteLevel.SHARED) this.#table.set(file, pending);
  }
}

function clientOf(owner: Owner): number {
  return parseInt(owner);
}

function idOf(owner: Owner): number {
  return parseInt(owner.slice(owner.indexOf("/") + 1));
}

function fileOf(ino: Ino, kind: number): string {
  return `${kind}:${ino}`;
}

/** What a request wants of its table. */
function wantedOf(request: LockRequest, owner: Owner): RangeLock<Owner>[] {
  const { kind, type, start, end } = request;
  if (kind === LockKind.FLOCK) return [{ owner, type, start: 0, end: Infinity }];
  if (kind !== LockKind.SQLITE) return [{ owner, type, start, end }];
  const at = (byte: number, type: number) => ({ owner, type, start: byte, end: byte + 1 });
  if (type === SqliteLevel.SHARED) return [at(PENDING, F_RDLCK), at(SHARED, F_RDLCK)];
  if (type === SqliteLevel.RESERVED) return [at(RESERVED, F_WRLCK), at(PENDING, F_RDLCK)];
  if (type === SqliteLevel.PENDING) return [at(RESERVED, F_WRLCK), at(PENDING, F_WRLCK)];
  if (type === SqliteLevel.EXCLUSIVE) {
    return [at(RESERVED, F_WRLCK), at(PENDING, F_WRLCK), at(SHARED, F_WRLCK)];
  }
  return [];
}

/** Whether two locks of different owners can be held at the same time. */
function areApart(left: RangeLock<Owner>, right: RangeLock<Owner>): boolean {
  if (left.start >= right.end || right.start >= left.end || right.type === F_UNLCK) return true;
  return left.type === F_RDLCK && right.type === F_RDLCK;
}

function check({ kind, type, start, end }: LockRequest): void {
  const isKnown = kind === LockKind.SQLITE
    ? type >= SqliteLevel.NONE && type <= SqliteLevel.EXCLUSIVE
    : type === F_RDLCK || type === F_WRLCK || type === F_UNLCK;
  const isRange = kind === LockKind.FLOCK || kind === LockKind.SQLITE || start >= 0 && start < end;
  const isSlot = kind !== LockKind.WAL || end <= WAL_SLOTS;
  const isKind = kind >= LockKind.RANGE && kind <= LockKind.WAL;
  if (!isKnown || !isRange || !isSlot || !isKind || !Number.isInteger(type)) {
    throw new ErrnoError("EINVAL", `lock with kind ${kind}, type ${type}, from ${start} to ${end}`);
  }
}
