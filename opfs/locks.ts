/**
 * Locks that clients of one volume heed: who holds what, who waits for it, and who gets it next.
 *
 * Layer: opfs, over the pure tables of `abi/locks.ts`; the relay holds one and adds the client to
 * each owner. There are four kinds, which do not see each other: byte ranges (fcntl), whole files
 * (flock), SQLite's five levels, and its eight WAL slots. Who has to wait is queued, first come first
 * served: a new shared request waits behind a queued exclusive one. A wait that could never end is
 * EDEADLK. Nobody sleeps here: a request that waits is told so, and its ticket says when it is over.
 *
 * Use: `const ticket = locks.take(client, ino, request)`; null is held, else look at `ticket.isHeld`.
 *
 * @module
 */
import { ErrnoError } from "../abi/errno.ts";
import { F_RDLCK, F_UNLCK, F_WRLCK } from "../abi/flags.ts";
import { invariant } from "../abi/invariant.ts";
import { LockTable, type RangeLock } from "../abi/locks.ts";
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

/** Somebody who can hold locks: the client's number, a slash, its own number for the owner. */
type Owner = `${number}/${number}`;

interface Waiting extends LockTicket {
  readonly file: string;
  readonly owner: Owner;
  readonly request: LockRequest;
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
  readonly #waiting: Waiting[] = [];

  /** How many files have locks, each kind counted. */
  get size(): number {
    return this.#table.size;
  }

  /** How many requests wait. */
  get waitingCount(): number {
    return this.#waiting.length;
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
    const isFree = () => this.#blockers(waiting).length === 0 && this.#mayPass(waiting);
    if (this.#isDown(waiting) || isFree()) {
      this.#hold(waiting);
      // What was held before may have been more.
      this.#serve();
      return null;
    }
    if (!request.wait) {
      this.#holdPending(waiting);
      throw new ErrnoError("EAGAIN", `lock inode ${ino}: somebody else holds it`);
    }
    if (this.#waitsForItself(waiting)) {
      throw new ErrnoError("EDEADLK", `lock inode ${ino}: those who hold it wait for this client`);
    }
    this.#holdPending(waiting);
    this.#waiting.push(waiting);
    return waiting;
  }

  /** The first lock of somebody else that is in the way, or null. */
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
    this.#table.release(fileOf(ino, kind), `${client}/${owner}`);
    this.#serve();
  }

  /** A client is gone: what it holds is free, and what it waits for it gets no more. */
  releaseClient(client: number): void {
    for (let index = this.#waiting.length - 1; index >= 0; index--) {
      if (clientOf(this.#waiting[index]!.owner) === client) this.#waiting.splice(index, 1);
    }
    this.#table.releaseGone((owner) => clientOf(owner) === client);
    this.#serve();
  }

  /** Whether a request gives back only, so that it never waits. */
  #isDown({ file, owner, request }: Waiting): boolean {
    if (request.kind !== LockKind.SQLITE) return request.type === F_UNLCK;
    return request.type <= this.#level(file, owner);
  }

  /** The SQLite level that an owner has. */
  #level(file: string, owner: Owner): number {
    const held = this.#table.list(file).filter((lock) => lock.owner === owner);
    const has = (at: number, type: number) =>
      held.some((lock) => lock.start <= at && at < lock.end && lock.type === type);
    if (has(SHARED, F_WRLCK)) return SqliteLevel.EXCLUSIVE;
    if (has(PENDING, F_WRLCK)) return SqliteLevel.PENDING;
    if (has(RESERVED, F_WRLCK)) return SqliteLevel.RESERVED;
    return has(SHARED, F_RDLCK) ? SqliteLevel.SHARED : SqliteLevel.NONE;
  }

  /** The locks of others that are in the way. */
  #blockers({ file, owner, request }: Waiting): RangeLock<Owner>[] {
    const wanted = wantedOf(request, owner);
    return this.#table.list(file).filter((held) =>
      held.owner !== owner && wanted.some((lock) => !areApart(held, lock))
    );
  }

  /**
   * Whether nobody who came before waits for what is in the way of this. Who holds something here
   * already does not queue: the others may wait for just that. Nor does who would not wait.
   */
  #mayPass(waiting: Waiting): boolean {
    const { file, owner, request } = waiting;
    if (!request.wait || this.#table.list(file).some((lock) => lock.owner === owner)) return true;
    return this.#before(waiting).length === 0;
  }

  /** Those before it in the queue who want what it wants. */
  #before(waiting: Waiting): Waiting[] {
    const wanted = wantedOf(waiting.request, waiting.owner);
    const end = this.#waiting.indexOf(waiting);
    const queue = end < 0 ? this.#waiting : this.#waiting.slice(0, end);
    return queue.filter((other) =>
      other.file === waiting.file && other.owner !== waiting.owner &&
      wantedOf(other.request, other.owner).some((lock) =>
        wanted.some((own) => !areApart(lock, own))
      )
    );
  }

  /** Whether somebody whom this client would wait for waits, in the end, for this client. */
  #waitsForItself(waiting: Waiting): boolean {
    const client = clientOf(waiting.owner);
    const seen = new Set<number>();
    const open = this.#clientsBefore(waiting);
    while (open.length > 0) {
      const next = open.pop()!;
      if (next === client) return true;
      if (seen.has(next)) continue;
      seen.add(next);
      for (const other of this.#waiting) {
        if (clientOf(other.owner) === next) open.push(...this.#clientsBefore(other));
      }
    }
    return false;
  }

  #clientsBefore(waiting: Waiting): number[] {
    const holders = this.#blockers(waiting).map((lock) => clientOf(lock.owner));
    const isHolder = this.#table.list(waiting.file).some((lock) => lock.owner === waiting.owner);
    if (isHolder) return holders;
    return [...holders, ...this.#before(waiting).map((other) => clientOf(other.owner))];
  }

  /** Whoever can go on now does, in the order in which they came. */
  #serve(): void {
    for (const waiting of [...this.#waiting]) {
      if (this.#blockers(waiting).length > 0 || !this.#mayPass(waiting)) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      this.#hold(waiting);
      waiting.isHeld = true;
    }
  }

  #hold({ file, owner, request }: Waiting): void {
    if (request.kind === LockKind.SQLITE) return this.#holdLevel(file, owner, request.type);
    for (const lock of wantedOf(request, owner)) this.#table.set(file, lock);
    const mayBe = this.#blockers({ file, owner, request, isHeld: false }).length === 0;
    invariant(mayBe, "L1: two hold what excludes each other");
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

  /** EXCLUSIVE that has to wait for readers keeps new ones out meanwhile: PENDING. */
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
