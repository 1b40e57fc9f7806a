/**
 * RelayClient: a volume that another thread owns, called synchronously.
 *
 * Layer: relay, its top on the client's side. Each method is one request and one answer over the
 * channel; data is copied once each way. The caller cannot tell it from the engine.
 *
 * Use: `const client = new RelayClient(new Channel(memory, doorbell), { root })`.
 *
 * @module
 */
import type { Attr, AttrChange, DirEntry, StatFs } from "../../abi/attr.ts";
import { requireBytes } from "../../abi/bytes.ts";
import { ErrnoError } from "../../abi/errno.ts";
import { shown } from "../../abi/options.ts";
import { invariant } from "../../abi/invariant.ts";
import { append } from "../../abi/lists.ts";
import type { Appended } from "../../abi/node.ts";
import type {
  BlockingLock,
  ChangeOps,
  CompoundOps,
  CreateOptions,
  Found,
  FoundEntry,
  Ino,
  LockOps,
  LockRequest,
  Stored,
  TmpfileOptions,
  VolumeOps,
} from "../volume_ops.ts";
import type { Channel } from "./channel.ts";
import * as compound from "./compound.ts";
import { Exchange, type Payload } from "./exchange.ts";
import * as lock from "./lock_requests.ts";
import { Metrics } from "./metrics.ts";
import {
  type ChannelMemory,
  Closed,
  MAX_TRANSFER_BYTES,
  Op,
  type OpCode,
  RESPONSE_BYTES,
} from "./protocol.ts";
import { ReadAhead } from "./read_ahead.ts";
import { readAttr, readEntries, readStatFs, unpackNames } from "./records.ts";
import * as ask from "./requests.ts";

const TWO_32 = 2 ** 32;

/** What a client is told when it attaches. */
export interface RelayClientOptions {
  /** The volume's root directory. */
  root: Ino;
  /** Whether more is asked for than a reader in order has asked for. Default false. */
  readsAhead?: boolean;
}

/** A volume that another thread owns. */
export class RelayClient implements VolumeOps, CompoundOps, LockOps, ChangeOps {
  /** The root directory. */
  readonly root: Ino;
  /** Counts and times of this client's calls. */
  readonly counters: Metrics = new Metrics();
  readonly #channel: Channel;
  readonly #exchange: Exchange;
  readonly #ahead: ReadAhead | null;
  /** Where values of attributes come in; made when the first one does. */
  #value: Uint8Array<ArrayBuffer> | null = null;
  #startedAt = 0;
  #waitedBefore = 0;
  /** How often this client has retained each inode. */
  readonly #held = new Map<Ino, number>();
  /** Changes of names and attributes that this client has made itself. */
  #ownChanges = 0;

  /** Calls over `channel`. */
  constructor(channel: Channel, { root, readsAhead = false }: RelayClientOptions) {
    this.root = root;
    this.#channel = channel;
    this.#exchange = new Exchange(channel);
    this.#ahead = readsAhead ? new ReadAhead(channel.memory) : null;
  }

  /** What this client shares with the relay; for tests that count. */
  get memory(): ChannelMemory {
    return this.#channel.memory;
  }

  /** Grows by 1 with each change of this client's own, and with each that another makes. */
  get generation(): number {
    return this.#channel.generation + this.#ownChanges;
  }

  /** The named entry of a directory, or 0. */
  lookup(parent: Ino, name: string): Ino {
    this.#open(Op.LOOKUP);
    ask.askName(this.#channel.writer, Op.LOOKUP, parent, name);
    this.#run(Op.LOOKUP);
    return this.#channel.reader.ino();
  }

  /** Makes a file, directory, link or special file. */
  create(parent: Ino, name: string, options: CreateOptions): Ino {
    this.#open(Op.CREATE);
    ask.askCreate(this.#channel.writer, parent, name, options);
    this.#run(Op.CREATE);
    this.#ownChanges++;
    return this.#channel.reader.ino();
  }

  /** Makes a file without a name, retained once. */
  tmpfile(parent: Ino, options: TmpfileOptions): Ino {
    this.#open(Op.TMPFILE);
    ask.askTmpfile(this.#channel.writer, parent, options);
    this.#run(Op.TMPFILE);
    const ino = this.#channel.reader.ino();
    this.#hold(ino);
    return ino;
  }

  /** Adds a name. */
  link(ino: Ino, parent: Ino, name: string): void {
    this.#open(Op.LINK);
    ask.askLink(this.#channel.writer, ino, parent, name);
    this.#run(Op.LINK);
    this.#ownChanges++;
  }

  /** Removes a name. */
  unlink(parent: Ino, name: string): void {
    this.#open(Op.UNLINK);
    ask.askName(this.#channel.writer, Op.UNLINK, parent, name);
    this.#run(Op.UNLINK);
    this.#ownChanges++;
  }

  /** Removes an empty directory. */
  rmdir(parent: Ino, name: string): void {
    this.#open(Op.RMDIR);
    ask.askName(this.#channel.writer, Op.RMDIR, parent, name);
    this.#run(Op.RMDIR);
    this.#ownChanges++;
  }

  /** Moves a name in one step, replacing what is there. */
  rename(parent: Ino, name: string, newParent: Ino, newName: string, flags: number): void {
    this.#open(Op.RENAME);
    ask.askRename(this.#channel.writer, { parent, name, newParent, newName, flags });
    this.#run(Op.RENAME);
    this.#ownChanges++;
  }

  /** Entries after cursor `after`, as many as fit into the area; none at the end. */
  readdir(ino: Ino, after: number): DirEntry[] {
    this.#open(Op.READDIR);
    ask.askReaddir(this.#channel.writer, ino, after);
    this.#run(Op.READDIR);
    return readEntries(this.#channel.reader);
  }

  /** What a symbolic link points to. */
  readlink(ino: Ino): string {
    this.#askIno(Op.READLINK, ino);
    return this.#channel.reader.text();
  }

  /** Attributes, as a fresh object. */
  getattr(ino: Ino): Attr {
    this.#askIno(Op.GETATTR, ino);
    const attr = readAttr(this.#channel.reader);
    invariant(attr.ino === ino % TWO_32, "R2: an answer is to another question");
    return attr;
  }

  /** Changes what `change` has in one step. */
  setattr(ino: Ino, change: AttrChange): void {
    this.#open(Op.SETATTR);
    ask.askSetattr(this.#channel.writer, ino, change);
    this.#run(Op.SETATTR);
    this.#ownChanges++;
  }

  /** Bytes read at byte `at`; 0 at the end. `isQuiet` leaves atime alone. */
  read(ino: Ino, into: Uint8Array, at: number, isQuiet = false): number {
    // What has come along was read aloud, and what a quiet read brings must not answer another.
    const ahead = isQuiet ? null : this.#ahead;
    const known = ahead?.take(ino, into, at) ?? -1;
    if (known >= 0) {
      this.counters.add(Op.READ, { timeMs: 0, waitMs: 0, bytes: known });
      return known;
    }
    this.#open(Op.READ);
    if (isQuiet) this.#ahead?.interrupt();
    const more = ahead?.more(ino, into.length, at) ?? 0;
    const piece = ask.askRead(this.#channel.writer, ino, into, at, isQuiet, more);
    this.#run(Op.READ, { into: piece });
    if (more > 0) ahead?.keep(at, this.#channel.header.chunkBytes - RESPONSE_BYTES);
    return this.#exchange.received;
  }

  /** Bytes written at byte `at`. */
  write(ino: Ino, from: Uint8Array, at: number): number {
    this.#open(Op.WRITE);
    const piece = ask.askWrite(this.#channel.writer, ino, from, at);
    this.#run(Op.WRITE, { from: piece });
    const { status } = this.#channel.reader;
    invariant(status <= piece.length, "R3: more is written than was sent");
    return status;
  }

  /** Writes at the end of the file; where, and how many bytes. */
  append(ino: Ino, from: Uint8Array): Appended {
    this.#open(Op.APPEND);
    const piece = ask.askAppend(this.#channel.writer, ino, from);
    this.#run(Op.APPEND, { from: piece });
    return ask.readAppended(this.#channel.reader, piece);
  }

  /** The next data, or the next hole, at or behind `at`. */
  seek(ino: Ino, at: number, whence: number): number {
    this.#open(Op.SEEK);
    ask.askSeek(this.#channel.writer, ino, at, whence);
    this.#run(Op.SEEK);
    return this.#channel.reader.f64();
  }

  /** Owns, zeroes or gives back a range. */
  allocate(ino: Ino, mode: number, at: number, length: number): void {
    this.#open(Op.ALLOCATE);
    ask.askAllocate(this.#channel.writer, ino, { mode, at, length });
    this.#run(Op.ALLOCATE);
  }

  /** Value of an extended attribute, or null. */
  getxattr(ino: Ino, name: string): Uint8Array<ArrayBuffer> | null {
    this.#open(Op.GETXATTR);
    ask.askXattr(this.#channel.writer, Op.GETXATTR, ino, name);
    const value = this.#runForValue(Op.GETXATTR);
    return this.#channel.reader.status === 0 ? null : value;
  }

  /** Sets an extended attribute, whole or not at all. */
  setxattr(ino: Ino, name: string, value: Uint8Array, flags: number): void {
    this.#open(Op.SETXATTR);
    const from = ask.askSetxattr(this.#channel.writer, ino, { name, value, flags });
    this.#run(Op.SETXATTR, { from });
  }

  /** Names of the extended attributes. */
  listxattr(ino: Ino): string[] {
    this.#open(Op.LISTXATTR);
    ask.askIno(this.#channel.writer, Op.LISTXATTR, ino);
    return unpackNames(this.#runForValue(Op.LISTXATTR));
  }

  /** Removes an extended attribute; false if there is none. */
  removexattr(ino: Ino, name: string): boolean {
    this.#open(Op.REMOVEXATTR);
    ask.askXattr(this.#channel.writer, Op.REMOVEXATTR, ino, name);
    this.#run(Op.REMOVEXATTR);
    return this.#channel.reader.status !== 0;
  }

  #runForValue(op: OpCode): Uint8Array<ArrayBuffer> {
    const into = this.#value ??= new Uint8Array(ask.XATTR_BYTES_MAX);
    this.#run(op, { into });
    return into.slice(0, this.#exchange.received);
  }

  /** Keeps the inode alive after its last name is gone; the relay gives it back at death. */
  retain(ino: Ino): void {
    this.#askIno(Op.RETAIN, ino);
    this.#hold(ino);
  }

  /** Takes one `retain` back. Nobody waits for it if the one before has been carried out. */
  release(ino: Ino): void {
    this.#open(Op.RELEASE);
    this.#letGo(ino);
    // It may be gone now, and what has come along of it with it.
    this.#ahead?.interrupt();
    if (this.#channel.postRelease(ino % TWO_32, Math.floor(ino / TWO_32))) {
      this.counters.add(Op.RELEASE, { timeMs: 0, waitMs: 0, bytes: 0 });
      return;
    }
    ask.askIno(this.#channel.writer, Op.RELEASE, ino);
    this.#run(Op.RELEASE);
  }

  /** `lookup` and `getattr` in one round trip. */
  lookupAttr(parent: Ino, name: string): Found | null {
    return this.#find(Op.LOOKUP_ATTR, parent, name);
  }

  /** `lookup`, `retain` and `getattr` in one step: nothing comes between. */
  lookupRetain(parent: Ino, name: string): Found | null {
    const found = this.#find(Op.LOOKUP_RETAIN, parent, name);
    if (found !== null) this.#hold(found.ino);
    return found;
  }

  /** `create`, `retain` and `getattr` in one step. */
  createRetain(parent: Ino, name: string, options: CreateOptions): Found {
    this.#open(Op.CREATE_RETAIN);
    compound.askCreateRetain(this.#channel.writer, parent, name, options);
    this.#run(Op.CREATE_RETAIN);
    this.#ownChanges++;
    const found = compound.readFound(this.#channel.reader) as Found;
    this.#hold(found.ino);
    return found;
  }

  /** Entries with their attributes, as many as fit into the area; none at the end. */
  readdirAttr(ino: Ino, after: number): FoundEntry[] {
    this.#open(Op.READDIR_ATTR);
    compound.askReaddirAttr(this.#channel.writer, ino, after);
    this.#run(Op.READDIR_ATTR);
    return compound.readFoundEntries(this.#channel.reader);
  }

  /** Attributes of many inodes in as few round trips as the area allows; null for one gone. */
  getattrs(inos: readonly Ino[]): (Attr | null)[] {
    const size = compound.attrsThatFit(this.#channel.memory.area.length);
    const attrs: (Attr | null)[] = [];
    for (let at = 0; at < inos.length; at += size) {
      this.#open(Op.GETATTRS);
      const asked = inos.slice(at, at + size);
      compound.askGetattrs(this.#channel.writer, asked);
      this.#run(Op.GETATTRS);
      append(attrs, compound.readAttrs(this.#channel.reader, asked.length));
    }
    return attrs;
  }

  /** Makes or cuts a file and writes it, in one request. */
  store(parent: Ino, name: string, options: CreateOptions, from: Uint8Array): Stored {
    this.#open(Op.STORE);
    requireBytes(from);
    const piece = from.subarray(0, MAX_TRANSFER_BYTES);
    compound.askStore(this.#channel.writer, parent, name, options);
    this.#run(Op.STORE, { from: piece });
    this.#ownChanges++;
    return { ino: this.#channel.reader.ino(), count: this.#channel.reader.status };
  }

  /** Makes the inode, its data and the names that lead to it durable. */
  fsync(ino: Ino): void {
    this.#askIno(Op.FSYNC, ino);
  }

  /** Makes everything before this call durable. */
  sync(): void {
    this.#askNothing(Op.SYNC);
  }

  /** Space. */
  statfs(): StatFs {
    this.#askNothing(Op.STATFS);
    return readStatFs(this.#channel.reader);
  }

  /** Leaves the relay as a death would: what was not made durable may be lost. */
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

  /** Takes, changes or gives back a lock. A page that spins never waits for one: EAGAIN. */
  lock(ino: Ino, request: LockRequest): void {
    this.#open(Op.LOCK);
    const wait = request.wait && this.#channel.maySleep;
    lock.askLock(this.#channel.writer, Op.LOCK, ino, { ...request, wait });
    this.#run(Op.LOCK);
  }

  /** The first lock in the way of such a request, or null. */
  testLock(ino: Ino, request: LockRequest): BlockingLock | null {
    this.#open(Op.TESTLOCK);
    lock.askLock(this.#channel.writer, Op.TESTLOCK, ino, request);
    this.#run(Op.TESTLOCK);
    return lock.readBlocking(this.#channel.reader);
  }

  /** Gives back all that an owner holds on an inode, of one kind. */
  unlock(ino: Ino, owner: number, kind: number): void {
    this.#open(Op.UNLOCK);
    lock.askUnlock(this.#channel.writer, ino, owner, kind);
    this.#run(Op.UNLOCK);
  }

  #find(
    op: typeof Op.LOOKUP_ATTR | typeof Op.LOOKUP_RETAIN,
    parent: Ino,
    name: string,
  ): Found | null {
    this.#open(op);
    ask.askName(this.#channel.writer, op, parent, name);
    this.#run(op);
    return compound.readFound(this.#channel.reader);
  }

  #hold(ino: Ino): void {
    this.#held.set(ino, (this.#held.get(ino) ?? 0) + 1);
  }

  #letGo(ino: Ino): void {
    const count = this.#held.get(ino) ?? 0;
    if (count === 0) throw new ErrnoError("EINVAL", `release inode ${shown(ino)}: not retained`);
    if (count === 1) this.#held.delete(ino);
    else this.#held.set(ino, count - 1);
  }

  #askNothing(op: OpCode): void {
    this.#open(op);
    this.#channel.writer.begin(op);
    this.#run(op);
  }

  #askIno(op: OpCode, ino: Ino): void {
    this.#open(op);
    ask.askIno(this.#channel.writer, op, ino);
    this.#run(op);
  }

  /** Before anything is put into the area. */
  #open(op: OpCode): void {
    const action = ask.actionOf(op);
    this.#channel.assertOpen(action);
    this.#channel.assertMayBlock(action);
    if (op !== Op.READ) this.#ahead?.interrupt();
    this.#waitedBefore = this.#channel.waitMs;
    this.#startedAt = performance.now();
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
