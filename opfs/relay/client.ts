/**
 * RelayClient: a volume that another thread owns, called synchronously.
 *
 * Layer: relay, the top of the client's side. Each call is one request and one answer over the
 * channel, as its row of `operations.ts` says; data is copied once each way. Frequent calls, and
 * those that need more than their row, are written out here; the others are made from the table.
 *
 * Use: `const client = new RelayClient(new Channel(memory, doorbell), { root })`.
 *
 * @module
 */
import type { Attr, AttrChange } from "../../abi/attr.ts";
import { requireBytes } from "../../abi/bytes.ts";
import { invariant } from "../../abi/invariant.ts";
import { append } from "../../abi/lists.ts";
import type { Appended } from "../../abi/node.ts";
import { fieldsOf, requireList } from "../../abi/options.ts";
import { highWord, lowWord, shownIno } from "../../abi/words.ts";
import {
  type ChangeOps,
  type CompoundOps,
  type CreateOptions,
  type Found,
  type Ino,
  LOCK_FIELDS,
  type LockOps,
  type LockRequest,
  type TmpfileOptions,
  type VolumeOps,
} from "../volume_ops.ts";
import type { Channel } from "./channel.ts";
import { attrsThatFit } from "./compound.ts";
import type { Writer } from "./cursor.ts";
import { Exchange, NO_PAYLOAD, type Payload } from "./exchange.ts";
import { Held } from "./held.ts";
import { Metrics } from "./metrics.ts";
import type { CallName } from "./operation.ts";
import { Op, type OpCode, OPERATIONS } from "./operations.ts";
import { type AnyRow, CALL_ROWS, defineCalls } from "./rows.ts";
import { type ChannelMemory, Closed, RESPONSE_BYTES, VALUE_BYTES_MAX } from "./protocol.ts";
import { ReadAhead } from "./read_ahead.ts";
import * as ask from "./requests.ts";

const { LOOKUP, CREATE, TMPFILE, UNLINK, GETATTR, SETATTR, READ, WRITE, APPEND } = OPERATIONS;
const { RETAIN, RELEASE, LOOKUP_ATTR, LOOKUP_RETAIN, CREATE_RETAIN, GETATTRS, LOCK } = OPERATIONS;

/** What a client gets when it attaches. */
export interface RelayClientOptions {
  /** The volume's root directory. */
  root: Ino;
  /** Whether sequential reads ask for more than the caller has asked for. Default false. */
  readsAhead?: boolean;
}

/** Calls that are written out here. */
type ByHand =
  | "lookup"
  | "create"
  | "tmpfile"
  | "unlink"
  | "getattr"
  | "setattr"
  | "read"
  | "write"
  | "append"
  | "retain"
  | "release"
  | "lookupAttr"
  | "lookupRetain"
  | "createRetain"
  | "getattrs"
  | "lock";

/** The calls that are made from the table. */
const Derived: new () => Required<Pick<VolumeOps, Exclude<CallName, ByHand>>> = class {} as never;

/** A volume that another thread owns. */
export class RelayClient extends Derived implements VolumeOps, CompoundOps, LockOps, ChangeOps {
  /** The root directory. */
  readonly root: Ino;
  /** Counts and times of this client's calls. */
  readonly counters: Metrics = new Metrics();
  readonly #channel: Channel;
  readonly #exchange: Exchange;
  readonly #ahead: ReadAhead | null;
  /** Receives the values of attributes; allocated for the first one. */
  #value: Uint8Array<ArrayBuffer> | null = null;
  #startedAt = 0;
  #waitedBefore = 0;
  /** How often this client has retained each inode. */
  readonly #held = new Held();
  /** Changes of names and attributes that this client has made itself. */
  #ownChanges = 0;

  static {
    defineCalls(Derived.prototype, CALL_ROWS, (row) => {
      return function (this: RelayClient, ...args: never[]): unknown {
        return this.#call(row, args);
      };
    });
  }

  /** Calls over `channel`. */
  constructor(channel: Channel, { root, readsAhead = false }: RelayClientOptions) {
    super();
    this.root = root;
    this.#channel = channel;
    this.#exchange = new Exchange(channel);
    this.#ahead = readsAhead ? new ReadAhead(channel.memory) : null;
  }

  /** What this client shares with the relay; for tests. */
  get memory(): ChannelMemory {
    return this.#channel.memory;
  }

  /** Grows by 1 with each change that this client or another makes. */
  get generation(): number {
    return this.#channel.generation + this.#ownChanges;
  }

  /** The named entry of a directory, or 0. */
  lookup(parent: Ino, name: string): Ino {
    LOOKUP.ask(this.#open(Op.LOOKUP), parent, name);
    this.#run(Op.LOOKUP);
    return LOOKUP.take(this.#channel.reader);
  }

  /** Makes a file, directory, link or special file. */
  create(parent: Ino, name: string, options: CreateOptions): Ino {
    CREATE.ask(this.#open(Op.CREATE), parent, name, options);
    this.#run(Op.CREATE);
    this.#ownChanges++;
    return CREATE.take(this.#channel.reader);
  }

  /** Makes a file without a name, retained once. */
  tmpfile(parent: Ino, options: TmpfileOptions): Ino {
    TMPFILE.ask(this.#open(Op.TMPFILE), parent, options);
    this.#run(Op.TMPFILE);
    const ino = TMPFILE.take(this.#channel.reader);
    this.#held.add(ino);
    return ino;
  }

  /** Removes a name. */
  unlink(parent: Ino, name: string): void {
    UNLINK.ask(this.#open(Op.UNLINK), parent, name);
    this.#run(Op.UNLINK);
    this.#ownChanges++;
  }

  /** Attributes, as a new object. */
  getattr(ino: Ino): Attr {
    GETATTR.ask(this.#open(Op.GETATTR), ino);
    this.#run(Op.GETATTR);
    const attr = GETATTR.take(this.#channel.reader);
    invariant(attr.ino === shownIno(ino), "R2: an answer is to another question");
    return attr;
  }

  /** Changes what `change` has in one step. */
  setattr(ino: Ino, change: AttrChange): void {
    SETATTR.ask(this.#open(Op.SETATTR), ino, change);
    this.#run(Op.SETATTR);
    this.#ownChanges++;
  }

  /** Bytes read at byte `at`; 0 at the end. `isQuiet` leaves atime alone. */
  read(ino: Ino, into: Uint8Array, at: number, isQuiet = false): number {
    requireBytes(into);
    // Read-ahead data has already moved atime, so a quiet read neither uses nor fills it.
    const ahead = isQuiet ? null : this.#ahead;
    const known = ahead?.take(ino, into, at) ?? -1;
    if (known >= 0) {
      this.counters.add(Op.READ, { timeMs: 0, waitMs: 0, bytes: known });
      return known;
    }
    const writer = this.#open(Op.READ);
    if (isQuiet) this.#ahead?.interrupt();
    const more = Number.isInteger(at) && ahead?.more(ino, into.length, at) || 0;
    this.#run(Op.READ, READ.ask(writer, ino, into, at, isQuiet, more));
    if (more > 0) ahead?.keep(at, this.#channel.header.chunkBytes - RESPONSE_BYTES);
    return this.#exchange.received;
  }

  /** Bytes written at byte `at`. */
  write(ino: Ino, from: Uint8Array, at: number): number {
    const payload = WRITE.ask(this.#open(Op.WRITE), ino, from, at);
    this.#run(Op.WRITE, payload);
    return WRITE.take(this.#channel.reader, payload);
  }

  /** Writes at the end of the file; where, and how many bytes. */
  append(ino: Ino, from: Uint8Array): Appended {
    const payload = APPEND.ask(this.#open(Op.APPEND), ino, from);
    this.#run(Op.APPEND, payload);
    return APPEND.take(this.#channel.reader, payload);
  }

  /**
   * Keeps the inode alive after its last name is gone; if the client dies, the relay releases it.
   */
  retain(ino: Ino): void {
    RETAIN.ask(this.#open(Op.RETAIN), ino);
    this.#run(Op.RETAIN);
    this.#held.add(ino);
  }

  /** Undoes one `retain`. Does not wait for it if the one before has been carried out. */
  release(ino: Ino): void {
    const writer = this.#open(Op.RELEASE);
    // The inode may be gone now, and what was read ahead of it is invalid then.
    this.#ahead?.interrupt();
    const isHeld = this.#held.count(ino) > 0;
    if (isHeld) this.#held.remove(ino);
    // If this client does not hold it, the relay says what is wrong.
    if (isHeld && this.#channel.postRelease(lowWord(ino), highWord(ino))) {
      this.counters.add(Op.RELEASE, { timeMs: 0, waitMs: 0, bytes: 0 });
      return;
    }
    RELEASE.ask(writer, ino);
    this.#run(Op.RELEASE);
  }

  /** `lookup` and `getattr` in one round trip. */
  lookupAttr(parent: Ino, name: string): Found | null {
    LOOKUP_ATTR.ask(this.#open(Op.LOOKUP_ATTR), parent, name);
    this.#run(Op.LOOKUP_ATTR);
    return LOOKUP_ATTR.take(this.#channel.reader);
  }

  /** `lookup`, `retain` and `getattr` in one step: nothing comes between. */
  lookupRetain(parent: Ino, name: string): Found | null {
    LOOKUP_RETAIN.ask(this.#open(Op.LOOKUP_RETAIN), parent, name);
    this.#run(Op.LOOKUP_RETAIN);
    const found = LOOKUP_RETAIN.take(this.#channel.reader);
    if (found !== null) this.#held.add(found.ino);
    return found;
  }

  /** `create`, `retain` and `getattr` in one step. */
  createRetain(parent: Ino, name: string, options: CreateOptions): Found {
    CREATE_RETAIN.ask(this.#open(Op.CREATE_RETAIN), parent, name, options);
    this.#run(Op.CREATE_RETAIN);
    this.#ownChanges++;
    const found = CREATE_RETAIN.take(this.#channel.reader);
    this.#held.add(found.ino);
    return found;
  }

  /** Attributes of many inodes in as few round trips as the area allows; null for one gone. */
  getattrs(inos: readonly Ino[]): (Attr | null)[] {
    requireList(inos);
    const size = attrsThatFit(this.#channel.memory.area.length);
    const attrs: (Attr | null)[] = [];
    for (let at = 0; at < inos.length; at += size) {
      const asked = inos.slice(at, at + size);
      GETATTRS.ask(this.#open(Op.GETATTRS), asked);
      this.#run(Op.GETATTRS);
      const { reader } = this.#channel;
      invariant(reader.status === asked.length, "R2: an answer is to another question");
      append(attrs, GETATTRS.take(reader));
    }
    return attrs;
  }

  /** Leaves the relay as a crash would: what is not durable may be lost. */
  abandon(): void {
    this.#channel.close(Closed.CLIENT_GONE);
  }

  /** Makes everything durable and leaves the relay. */
  close(): void {
    this.sync();
    this.#channel.close();
  }

  /** Calls `listener` from the event loop after others have changed something. */
  onChange(listener: () => void): () => void {
    return this.#channel.onGeneration(listener);
  }

  /** Takes, changes or releases a lock. A page that spins never waits for one: EAGAIN. */
  lock(ino: Ino, request: LockRequest): void {
    const writer = this.#open(Op.LOCK);
    const given = fieldsOf(request, LOCK_FIELDS, "lock");
    LOCK.ask(writer, ino, { ...given, wait: given.wait && this.#channel.maySleep });
    this.#run(Op.LOCK);
  }

  /** A call that its row describes completely. */
  #call(row: AnyRow, args: never[]): unknown {
    const op = row.number as OpCode;
    const payload = row.ask(this.#open(op), ...args) ?? this.#room(row);
    this.#run(op, payload);
    if (row.changes === "names") this.#ownChanges++;
    return row.take(this.#channel.reader, payload, this.#exchange.received);
  }

  /** Where the answer of a fetch is received if the caller gives no buffer. */
  #room({ kind }: AnyRow): Payload {
    if (kind !== "fetches") return NO_PAYLOAD;
    return { into: this.#value ??= new Uint8Array(VALUE_BYTES_MAX) };
  }

  /** Begins a request. */
  #open(op: OpCode): Writer {
    const action = ask.actionOf(op);
    this.#channel.assertOpen(action);
    this.#channel.assertMayBlock(action);
    if (op !== Op.READ) this.#ahead?.interrupt();
    this.#waitedBefore = this.#channel.waitMs;
    this.#startedAt = performance.now();
    return this.#channel.writer.begin(op);
  }

  #run(op: OpCode, payload?: Payload): void {
    const action = ask.actionOf(op);
    this.#exchange.start(payload);
    this.#channel.wait(action, this.#startedAt);
    while (!this.#exchange.step()) this.#channel.wait(action);
    const bytes = (payload?.from?.length ?? 0) + this.#exchange.received;
    const waitMs = this.#channel.waitMs - this.#waitedBefore;
    this.counters.add(op, { timeMs: performance.now() - this.#startedAt, waitMs, bytes });
    ask.throwAnswered(this.#channel.reader, this.#channel.memory);
  }
}
