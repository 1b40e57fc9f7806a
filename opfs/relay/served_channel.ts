/**
 * ServedChannel: the relay's end of one channel, and what the relay knows of its client.
 *
 * Layer: relay. It checks whether there is a request, takes its header into private memory, and
 * publishes answers; it never waits. It records what a client holds (retained inodes, an append
 * turn, a transfer in progress), so that all of it is released when the client dies.
 *
 * Use: `if (channel.hasRequest()) channel.take()`, then `channel.answer(status)`.
 *
 * @module
 */
import { describeError } from "../../abi/described.ts";
import { Errno, ErrnoError } from "../../abi/errno.ts";
import { invariant } from "../../abi/invariant.ts";
import type { PathStream } from "../../abi/path_calls.ts";
import { joinWords } from "../../abi/words.ts";
import type { LockTicket } from "../locks.ts";
import type { Ino, VolumeOps } from "../volume_ops.ts";
import { closeChannel, wholeMessage } from "./channel.ts";
import { Reader, Writer } from "./cursor.ts";
import {
  type ChannelBuffers,
  type ChannelMemory,
  Claimed,
  Closed,
  type Header,
  Lease,
  openChannelMemory,
  readHeader,
  Signal,
  Word,
  writeHeader,
} from "./protocol.ts";
import { Held } from "./held.ts";
import { writeValues } from "./s11n.ts";
import type { Progress, Transfer } from "./transfer.ts";

/** What a channel is doing, seen from the relay. */
export type ChannelState = "IDLE" | "CHUNK_IN" | "CHUNK_OUT" | "LOCKED" | "CLOSED";

const TEXT_BYTES = 4096;

/** The relay's end of one channel. */
export class ServedChannel {
  /** What it is doing. */
  state: ChannelState = "IDLE";
  /** The header of the request at hand, in private memory. */
  readonly header: Header = wholeMessage(0);
  /** Reads the request. */
  readonly reader: Reader;
  /** Writes the answer. */
  readonly writer: Writer;
  /** The memory that both sides share. */
  readonly memory: ChannelMemory;
  /** The payload on its way; null without one. */
  transfer: Transfer | null = null;
  /** How far it is, or how far the last one went. */
  readonly progress: Progress = { done: 0, total: 0, chunkIndex: 0, movedAt: 0 };
  /** What the FSYNC at hand is about. */
  synced: Ino = 0;
  /** The inode whose append turn a LOCKED channel waits for. */
  awaited: Ino = 0;
  /** What a LOCKED channel waits for, if it is a lock. */
  ticket: LockTicket | null = null;
  /** The client's number, as owner of locks. */
  readonly id: number;
  /** The status that a request waiting for the commit will be answered with. */
  deferredStatus = 0;
  /** The commit in which a request of this channel was deferred last. */
  deferredIn: number = -Infinity;
  /** Stops watching whether the client's thread lives; null if it is not watched. */
  unwatch: (() => void) | null = null;
  /** When the request at hand was taken, in ms. */
  takenAt = 0;
  /** How often the client has retained each inode. */
  readonly retained: Held = new Held();
  /** The client's descriptors of operations by path. */
  readonly streams: Map<number, PathStream> = new Map();
  readonly #answer: Header = wholeMessage(0, Signal.RESPONSE);
  #answered: number;
  #taken: number;
  #released: number;
  #hasRemoved = false;
  #pausedAt = -1;
  #pausedMs = 0;

  /**
   * Attaches the relay to a channel.
   *
   * @throws {ErrnoError} EPROTO if the memory is no channel of this version, or is served already:
   * two would apply each request twice
   */
  constructor(buffers: ChannelBuffers, id = 0) {
    this.id = id;
    this.memory = openChannelMemory(buffers);
    if (Atomics.load(this.memory.words, Word.LEASE) !== Lease.NONE) {
      throw new ErrnoError("EPROTO", "attach a channel", { why: "it is served already" });
    }
    this.reader = new Reader(this.memory);
    this.writer = new Writer(this.memory);
    this.#answered = this.#taken = Atomics.load(this.memory.words, Word.ANSWER);
    this.#released = Atomics.load(this.memory.words, Word.RELEASED);
  }

  /** Whether a client has taken it, or either side has closed it. */
  isClaimed(): boolean {
    return Atomics.load(this.memory.words, Word.CLAIMED) !== Claimed.NONE || this.isClosed();
  }

  /** Shows the client that it is served. */
  admit(): void {
    Atomics.store(this.memory.words, Word.LEASE, Lease.SHARED);
    Atomics.notify(this.memory.words, Word.LEASE);
  }

  /** Whether there is something that has not been taken yet. */
  hasRequest(): boolean {
    return Atomics.load(this.memory.words, Word.REQUEST) !== this.#taken;
  }

  /** Keeps an inode alive for the client. */
  retain(volume: VolumeOps, ino: Ino): void {
    volume.retain(ino);
    this.noteRetained(ino);
  }

  /** An inode has been retained for the client already. */
  noteRetained(ino: Ino): void {
    this.retained.add(ino);
  }

  /**
   * Releases an inode for the client, which can release only what it has retained.
   *
   * @throws {ErrnoError} EINVAL if the client holds nothing, ESTALE if there is no such inode
   */
  release(volume: VolumeOps, ino: Ino): void {
    if (this.retained.count(ino) === 0) volume.getattr(ino);
    if (this.retained.remove(ino) > 0) return volume.release(ino);
    if (volume.getattr(ino).nlink === 0) this.noteRemoved();
    volume.release(ino);
  }

  /** Notes that this release frees an inode. */
  noteRemoved(): void {
    this.#hasRemoved = true;
  }

  /** Whether the last release may have freed an inode, which other clients may still know. */
  takeRemoved(): boolean {
    const hasRemoved = this.#hasRemoved;
    this.#hasRemoved = false;
    return hasRemoved;
  }

  /** Whether the client's thread holds a Web Lock that is not watched yet. */
  isUnwatched(): boolean {
    return this.unwatch === null &&
      Atomics.load(this.memory.words, Word.CLAIMED) === Claimed.LOCKED;
  }

  /** The transfer is polled after `passedMs`: for how long it has not moved, in ms of polling. */
  pause(passedMs: number): number {
    invariant(passedMs >= 0, "R5: a wait becomes shorter");
    const { movedAt } = this.progress;
    this.#pausedMs = movedAt === this.#pausedAt ? this.#pausedMs + passedMs : 0;
    this.#pausedAt = movedAt;
    return this.#pausedMs;
  }

  /** Whether the client has released an inode without waiting. */
  hasRelease(): boolean {
    return Atomics.load(this.memory.words, Word.RELEASES) !== this.#released;
  }

  /** The sequence of the request at hand. */
  get sequence(): number {
    return this.#taken;
  }

  /**
   * Carries such a release out, and returns its number. No client waits for it, so a failure is
   * reported to none.
   */
  takeRelease(volume: VolumeOps): number {
    const { words } = this.memory;
    const count = Atomics.load(words, Word.RELEASES);
    const ino = joinWords(words[Word.RELEASE_LOW]! >>> 0, words[Word.RELEASE_HIGH]! >>> 0);
    try {
      this.release(volume, ino);
    } catch {
      // A broken volume says so to every call that is waited for.
    }
    this.#released = count;
    Atomics.store(words, Word.RELEASED, count);
    return count;
  }

  /** Whether either side has closed it. */
  isClosed(): boolean {
    return Atomics.load(this.memory.words, Word.CLOSED) !== Closed.OPEN;
  }

  /** Closes it from the relay's side. */
  close(why: number): void {
    closeChannel(this.memory.words, why);
  }

  /** Takes the request's header into private memory. */
  take(): void {
    invariant(this.hasRequest(), "R2: a request is taken twice");
    this.#taken = Atomics.load(this.memory.words, Word.REQUEST);
    readHeader(this.memory.words, this.header);
  }

  /** Answers with what the writer holds; `payloadBytes` more follow it in the area. */
  answer(status: number, payloadBytes = 0): void {
    const totalBytes = this.writer.endResponse(status, payloadBytes);
    this.publish(Signal.RESPONSE, { chunkBytes: totalBytes, totalBytes, chunkIndex: 0 });
  }

  /** Answers that the call failed. An error that is not ours is EIO. */
  answerError(error: unknown): void {
    const { code, action = "", why = "" } = describeError(error);
    this.writer.beginResponse();
    const at = this.writer.at;
    const range = { at, end: at + TEXT_BYTES };
    const texts = [shortened(action), shortened(why)];
    this.writer.at = writeValues(texts, this.memory.area, range);
    this.answer(-Errno[code]);
  }

  /** Gives the area back, unless the client has closed the channel or sent something since. */
  publish(signal: number, { chunkBytes, totalBytes, chunkIndex }: Omit<Header, "signal">): void {
    const { words, area } = this.memory;
    invariant(chunkBytes <= totalBytes, "R1: a chunk is longer than its message");
    invariant(chunkBytes <= area.length, "R1: an answer is longer than the area");
    invariant(this.#answered !== this.#taken, "R2: a request is answered twice");
    if (this.isClosed()) return;
    if (Atomics.load(words, Word.REQUEST) !== this.#taken) return this.close(Closed.BAD);
    this.#answer.signal = signal;
    this.#answer.chunkBytes = chunkBytes;
    this.#answer.totalBytes = totalBytes;
    this.#answer.chunkIndex = chunkIndex;
    writeHeader(words, this.#answer);
    words[Word.ANSWER_GENERATION] = words[Word.GENERATION]!;
    this.#answered = this.#taken;
    Atomics.store(words, Word.ANSWER, this.#answered);
    Atomics.notify(words, Word.ANSWER);
  }

  /** Shows the client that the relay lives. */
  beat(): void {
    Atomics.add(this.memory.words, Word.HEARTBEAT, 1);
  }

  /** Shows the client that another one changed something. */
  bumpGeneration(): void {
    Atomics.add(this.memory.words, Word.GENERATION, 1);
    Atomics.notify(this.memory.words, Word.GENERATION);
  }
}

/** Text that fits into any area, and is well formed. */
function shortened(text: string): string {
  return text.slice(0, TEXT_BYTES / 8).toWellFormed();
}
