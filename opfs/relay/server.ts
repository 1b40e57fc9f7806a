/**
 * Relay: serves the channels of all clients on one volume, one operation after the other.
 *
 * Layer: relay, the top of the owner's side. A turn serves one request of every ready channel,
 * round robin, then makes one commit for all of them that asked for durability, then answers those.
 * The relay never waits for one client (R5): a client that has to wait is a state of its channel.
 * The relay returns to its event loop every few milliseconds, because a loop of Atomics.wait
 * receives no message; when nothing has come for a while it sleeps in the event loop only.
 *
 * Use: `const relay = new Relay(volume, { doorbell })`; `relay.attach(memory.buffer)`, `relay.run()`;
 * `await relay.stop()`.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import { invariant } from "../../abi/invariant.ts";
import { VolumeLocks } from "../locks.ts";
import type { VolumeOps } from "../volume_ops.ts";
import { changesSomething, dispatch, kindOf, mayFailHalfway } from "./dispatch.ts";
import { DEFAULT_DEADLINE_MS } from "./channel.ts";
import { Doorbell, type SleepOptions } from "./doorbell.ts";
import { GroupCommit } from "./group_commit.ts";
import { EventLoop } from "./event_loop.ts";
import { SpinWait } from "./spin_wait.ts";
import { Metrics } from "./metrics.ts";
import { serveLock } from "./lock_requests.ts";
import { Op } from "./operations.ts";
import { sliceOf } from "./patience.ts";
import { isPathOp, PathOp } from "./path_operations.ts";
import { PathOps } from "./path_ops.ts";
import { type ChannelBuffers, Closed, FLAG_FLUSH, Signal } from "./protocol.ts";
import { type Value, writeValues } from "./s11n.ts";
import { ServedChannel } from "./served_channel.ts";
import { type Step, Transfers } from "./transfers.ts";
import type { RelayOptions } from "./relay_options.ts";
import { UnclaimedChannels } from "./unclaimed_channels.ts";

/** Longest time until it returns to the event loop, in ms. */
const BUSY_SLICE_MS = 10;
/** After so long without a request the relay sleeps in its event loop, in ms. */
const IDLE_AFTER_MS = 50;
/** Longest sleep, and so the longest time until a stopped transfer is noticed, in ms. */
const IDLE_SLICE_MS = 1000;

export type { RelayOptions };

/** Serves channels on one volume. */
export class Relay {
  /** The doorbell by which clients wake it. */
  readonly doorbell: Doorbell;
  /** Counts and times of what it has done. */
  readonly counters: Metrics = new Metrics();
  readonly #volume: VolumeOps;
  readonly #locks = new VolumeLocks();
  readonly #paths: PathOps | null;
  readonly #transfers: Transfers;
  readonly #deadlineMs: number;
  readonly #idleSliceMs: number;
  readonly #trace: RelayOptions["trace"];
  readonly #watchClient: RelayOptions["watchClient"];
  readonly #stats: () => Record<string, Value>;
  readonly #channels: ServedChannel[] = [];
  readonly #unclaimed: UnclaimedChannels;
  readonly #onLeft: RelayOptions["onLeft"];
  readonly #group: GroupCommit;
  readonly #spin = new SpinWait();
  readonly #sleep: SleepOptions = { ready: () => this.#anyReady(), timeoutMs: 0 };
  #first = 0;
  #nowMs = 0;
  #lookedAt = performance.now();
  #nextId = 1;
  #stopping = false;
  #isTurning = false;
  #finished: Promise<void> | null = null;

  /** Serves `volume`, once it runs. */
  constructor(volume: VolumeOps, options: RelayOptions = {}) {
    this.#volume = volume;
    this.#paths = options.paths === undefined ? null : new PathOps(options.paths);
    this.#transfers = new Transfers(volume, this.#paths);
    this.#group = new GroupCommit(volume);
    this.doorbell = options.doorbell ?? new Doorbell();
    this.#deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS;
    this.#idleSliceMs = sliceOf(this.#deadlineMs, IDLE_SLICE_MS);
    this.#trace = options.trace;
    this.#watchClient = options.watchClient;
    this.#onLeft = options.onLeft;
    this.#unclaimed = new UnclaimedChannels(this.doorbell);
    this.#stats = options.stats ?? (() => ({}));
  }

  /**
   * Serves a client from now on.
   *
   * @throws {ErrnoError} EPROTO if the memory is no channel of this version, or served already; EIO
   * if the relay is about to end
   */
  attach(buffers: ChannelBuffers): void {
    this.#admit(this.#served(buffers));
    this.doorbell.ring();
  }

  /**
   * Serves a client once it has claimed its channel: a ticket may never be claimed.
   *
   * @throws {ErrnoError} as `attach`
   */
  expect(buffers: ChannelBuffers): void {
    this.#unclaimed.add(this.#served(buffers));
    this.doorbell.ring();
  }

  #served(buffers: ChannelBuffers): ServedChannel {
    if (this.#stopping) throw new ErrnoError("EIO", "attach a channel", { why: "the relay ends" });
    return new ServedChannel(buffers, this.#nextId++);
  }

  #admit(channel: ServedChannel): void {
    this.#channels.push(channel);
    channel.admit();
  }

  /** How many channels wait for a client to claim them. */
  get unclaimedCount(): number {
    return this.#unclaimed.count;
  }

  /** How many clients it serves. */
  get clientCount(): number {
    return this.#channels.length;
  }

  /** Serves until `stop`. */
  run(): Promise<void> {
    return this.#finished ??= this.#run();
  }

  /** Ends serving: closes every channel and releases what the clients held. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.doorbell.ring();
    await this.#finished;
    this.#unclaimed.takeAll((channel) => this.#channels.push(channel));
    for (const channel of [...this.#channels]) {
      channel.close(Closed.RELAY_GONE);
      this.#drop(channel);
    }
  }

  /** Shows all clients that the relay lives: in its loop, and between the calls of its device. */
  beat(): void {
    for (const channel of this.#channels) channel.beat();
  }

  /** One turn over all channels. Returns whether there was something to do. */
  turn(): boolean {
    invariant(!this.#isTurning, "R5: the relay is entered while it serves");
    this.#isTurning = true;
    try {
      return this.#turn();
    } finally {
      this.#isTurning = false;
    }
  }

  #turn(): boolean {
    this.#readClock();
    if (this.#unclaimed.hasNewClaims()) this.#unclaimed.take((channel) => this.#admit(channel));
    this.beat();
    const worked = this.#pass();
    if (this.#group.size > 0) {
      this.#gather();
      this.#group.commit((channel) => this.#countSync(channel));
    }
    this.#dropClosed();
    return worked;
  }

  /** One request of every ready channel. Returns whether there was one. */
  #pass(): boolean {
    const count = this.#channels.length;
    let worked = false;
    for (let step = 0; step < count; step++) {
      const channel = this.#channels[(this.#first + step) % count]!;
      if (channel.isClosed()) continue;
      // In this order: a release that was sent before a request takes effect before it.
      const hasWork = this.#hasWork(channel);
      const hasRelease = channel.hasRelease();
      if (!hasWork && !hasRelease) continue;
      worked = true;
      if (hasRelease) this.#release(channel);
      if (hasWork) this.#serve(channel);
    }
    this.#first = count === 0 ? 0 : (this.#first + 1) % count;
    return worked;
  }

  /** Waits, asleep and not for long, for clients that may be about to ask for this commit too. */
  #gather(): void {
    const until = performance.now() + this.#group.patienceMs;
    while (this.#group.mayGrow(this.#channels)) {
      const timeoutMs = until - performance.now();
      if (timeoutMs <= 0) return;
      if (this.#pass()) continue;
      this.#sleep.timeoutMs = timeoutMs;
      this.doorbell.sleep(this.#sleep);
    }
  }

  async #run(): Promise<void> {
    const eventLoop = new EventLoop();
    let workedAt = performance.now();
    while (!this.#stopping) {
      const now = performance.now();
      this.#expire(now);
      this.#watchClients();
      // Without clients only messages can arrive.
      if (now - workedAt > IDLE_AFTER_MS || this.#channels.length === 0) {
        this.#sleep.timeoutMs = this.#idleSliceMs;
        await this.doorbell.sleepAsync(this.#sleep);
        if (!this.turn()) continue;
      }
      workedAt = this.#busySlice(workedAt);
      await eventLoop.turn();
    }
    eventLoop.close();
  }

  /** Turns and short sleeps, up to one slice. Returns when it worked last. */
  #busySlice(workedAt: number): number {
    const until = this.#readClock() + BUSY_SLICE_MS;
    while (this.#nowMs < until && !this.#stopping) {
      if (this.#anyReady() || this.#spin.until(this.#sleep.ready, 1 + this.#channels.length)) {
        if (this.turn()) workedAt = this.#nowMs;
        continue;
      }
      this.#sleep.timeoutMs = until - this.#nowMs;
      this.doorbell.sleep(this.#sleep);
      // A turn shows life, and reads the clock, itself.
      if (this.#anyReady()) continue;
      this.beat();
      this.#readClock();
    }
    return workedAt;
  }

  /** Reading the clock costs as much as a small request, so it is read at a turn's begin and end. */
  #readClock(): number {
    return this.#nowMs = performance.now();
  }

  #isReady(channel: ServedChannel): boolean {
    return this.#hasWork(channel) || channel.hasRelease();
  }

  #hasWork(channel: ServedChannel): boolean {
    if (channel.state !== "LOCKED") return channel.hasRequest() && !this.#group.has(channel);
    return channel.ticket?.isHeld ?? this.#transfers.isTurnFree(channel.awaited);
  }

  #anyReady(): boolean {
    for (const channel of this.#channels) {
      if (this.#isReady(channel) || channel.isClosed()) return true;
    }
    return this.#stopping || this.#unclaimed.hasNewClaims();
  }

  #release(channel: ServedChannel): void {
    const startedAt = this.#nowMs;
    const number = channel.takeRelease(this.#volume);
    if (channel.takeRemoved()) this.#bumpOthers(channel);
    const timeMs = this.#readClock() - startedAt;
    this.counters.add(Op.RELEASE, { timeMs, waitMs: 0, bytes: 0 });
    this.#trace?.(channel.id, -number);
  }

  #serve(channel: ServedChannel): void {
    if (channel.state !== "LOCKED") channel.take();
    channel.takenAt = this.#nowMs;
    this.#trace?.(channel.id, channel.sequence);
    const wasWriting = channel.state === "CHUNK_IN";
    try {
      this.#step(channel);
    } catch (error) {
      const { op } = channel.reader;
      // The caller does not know either what its call has changed.
      if (wasWriting || mayFailHalfway(op)) this.#bumpOthers(null);
      this.#forgetTransfer(channel);
      this.#count(channel, 0);
      channel.answerError(error);
    }
    // A stream that was closed by the request may have been the last holder of its file.
    if (channel.takeRemoved()) this.#bumpOthers(channel);
  }

  /** Continues what the channel is doing, or serves the request that it has sent. */
  #step(channel: ServedChannel): void {
    const { state, header, reader } = channel;
    if (state === "CHUNK_IN" && header.signal === Signal.CHUNK) {
      return this.#ended(channel, this.#transfers.continueIn(channel));
    }
    if (state === "CHUNK_OUT" && header.signal === Signal.CHUNK_ACK) {
      return this.#ended(channel, this.#transfers.continueOut(channel));
    }
    const mayBegin = state === "IDLE" || state === "LOCKED";
    if (!mayBegin || header.signal !== Signal.REQUEST || header.chunkIndex !== 0) {
      throw new ErrnoError("EPROTO", `take signal ${header.signal} while ${state}`);
    }
    channel.state = "IDLE";
    reader.openRequest(header);
    this.#begin(channel);
  }

  #begin(channel: ServedChannel): void {
    const { op } = channel.reader;
    const kind = kindOf(op);
    const isPath = isPathOp(op);
    if (isPath && this.#paths === null) {
      throw new ErrnoError("ENOSYS", `serve operation ${op} by path`);
    }
    if (kind === "sends" || kind === "fetches") {
      return this.#ended(channel, this.#transfers.begin(channel));
    }
    assertOnePiece(channel);
    if (kind === "commits") return this.#beginSync(channel);
    if (kind === "locks") return this.#lock(channel);
    if (kind === "reports") return this.#answerReport(channel);
    const status = isPath ? this.#paths!.run(channel) : dispatch(this.#volume, channel);
    this.#finish(channel, { status, bytes: 0 });
  }

  /** A client that has left holds nothing, even if the relay has not looked at its channel yet. */
  #lock(channel: ServedChannel): void {
    for (const other of this.#channels) {
      if (other.isClosed()) this.#locks.releaseClient(other.id);
    }
    if (serveLock(this.#locks, channel)) this.#finish(channel, { status: 0, bytes: 0 });
    else channel.state = "LOCKED";
  }

  /** Control calls answer with s11n values. */
  #answerReport(channel: ServedChannel): void {
    const { reader, writer, memory } = channel;
    const after = reader.op === Op.METRICS && reader.at < reader.end ? reader.u32() : 0;
    const { values, last } = reader.op === Op.METRICS
      ? this.counters.values(after)
      : { values: Object.entries(this.#stats()).flat(), last: 0 };
    const at = writer.beginResponse().at;
    writer.at = writeValues(values, memory.area, { at, end: memory.area.length });
    this.#count(channel, 0);
    channel.answer(last);
  }

  /** After a step of a transfer. A read has answered by itself. */
  #ended(channel: ServedChannel, step: Step): void {
    // A piece changes the file already, whatever follows: others learn of it now.
    if (channel.state === "CHUNK_IN") this.#bumpOthers(channel);
    if (typeof step === "string") return;
    const { op } = channel.reader;
    // A fetch was answered with its last piece.
    if (kindOf(op) === "fetches") return this.#count(channel, step);
    const status = op === Op.WRITE || op === Op.STORE ? step : 0;
    this.#finish(channel, { status, bytes: step });
  }

  /** Others learn of a change before its caller has the answer. */
  #finish(channel: ServedChannel, { status, bytes }: { status: number; bytes: number }): void {
    const { op, flags } = channel.reader;
    invariant(status >= 0 && Number.isInteger(status), "R2: a result looks like an error");
    this.#count(channel, bytes);
    if (changesSomething(op) || channel.takeRemoved()) this.#bumpOthers(channel);
    // Most operations by path have another use for that bit.
    const mayFlush = op === PathOp.WRITE || !isPathOp(op);
    if (flags & FLAG_FLUSH && mayFlush) this.#group.defer(channel, status);
    else channel.answer(status);
  }

  #beginSync(channel: ServedChannel): void {
    const { reader, writer } = channel;
    if (reader.op === PathOp.FSYNC) {
      this.#paths!.checkSync(channel);
    } else {
      const ino = reader.op === Op.FSYNC ? reader.ino() : this.#volume.root;
      this.#volume.getattr(ino);
      channel.synced = ino;
    }
    writer.beginResponse();
    this.#group.defer(channel, 0);
  }

  /** What was a request for durability and nothing else is counted when it is done. */
  #countSync(channel: ServedChannel): void {
    if (kindOf(channel.reader.op) === "commits") this.#count(channel, 0);
  }

  #count(channel: ServedChannel, bytes: number): void {
    const timeMs = this.#readClock() - channel.takenAt;
    this.counters.add(channel.reader.op, { timeMs, waitMs: 0, bytes });
  }

  #bumpOthers(channel: ServedChannel | null): void {
    for (const other of this.#channels) if (other !== channel) other.bumpGeneration();
  }

  #dropClosed(): void {
    for (let index = this.#channels.length - 1; index >= 0; index--) {
      const channel = this.#channels[index]!;
      if (channel.isClosed()) this.#drop(channel);
    }
  }

  /** Gives back everything that a client held. */
  #drop(channel: ServedChannel): void {
    this.#channels.splice(this.#channels.indexOf(channel), 1);
    channel.unwatch?.();
    this.#forget(channel);
    this.#locks.releaseClient(channel.id);
    channel.state = "CLOSED";
    const held = channel.retained.takeAll();
    for (const ino of held) this.#releaseQuietly(ino);
    // Some of it may be gone now.
    if (channel.takeRemoved() || held.length > 0) this.#bumpOthers(channel);
    if (!this.#stopping) this.#onLeft?.(channel.memory);
  }

  #forget(channel: ServedChannel): void {
    this.#forgetTransfer(channel);
    this.#paths?.closeAll(channel);
  }

  /** The first failure is reported, not that the file could not be closed either. */
  #forgetTransfer(channel: ServedChannel): void {
    try {
      this.#transfers.forget(channel);
    } catch {
      // A volume that is broken says so to every call; here no call waits.
    }
  }

  /** A volume that has failed refuses this too; then there is nothing left to give back. */
  #releaseQuietly(ino: number): void {
    try {
      this.#volume.release(ino);
    } catch {
      // As above.
    }
  }

  /** Begins to watch the clients that have come with a Web Lock. */
  #watchClients(): void {
    if (this.#watchClient === undefined) return;
    for (const channel of this.#channels) {
      if (!channel.isUnwatched()) continue;
      channel.unwatch = this.#watchClient(channel.memory, () => {
        channel.close(Closed.CLIENT_GONE);
        this.doorbell.ring();
      });
    }
  }

  /**
   * Closes the channels whose clients have stopped in the middle of a transfer. Time in which this
   * thread did not look counts a slice at most: it may have been asleep with its clients.
   */
  #expire(now: number): void {
    const passedMs = Math.min(now - this.#lookedAt, this.#idleSliceMs);
    this.#lookedAt = now;
    for (const channel of this.#channels) {
      const isTransfer = channel.state === "CHUNK_IN" || channel.state === "CHUNK_OUT";
      if (isTransfer && channel.pause(passedMs) > this.#deadlineMs) {
        channel.close(Closed.CLIENT_GONE);
      }
    }
    this.#dropClosed();
  }
}

/** Only payloads travel in chunks. */
function assertOnePiece({ header, reader }: ServedChannel): void {
  if (header.chunkBytes === header.totalBytes) return;
  throw new ErrnoError("EMSGSIZE", `take operation ${reader.op} in chunks`);
}
