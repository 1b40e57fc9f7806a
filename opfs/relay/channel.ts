/**
 * Channel: a client's end of one channel, where a call waits for its answer.
 *
 * Layer: relay. A message is published by raising the request sequence after everything else, and
 * is answered when the answer sequence has the same value. The client waits in a loop on that
 * value, never on one wake: a late wake of an earlier answer changes nothing. Each round of the
 * loop checks `closed` and the heartbeat. When the heartbeat does not move for the deadline,
 * counted in questions that were left unanswered, the channel is closed for good: this call and all
 * later ones are EIO.
 *
 * Use: fill the area through `writer`, `publish(…)`, `wait(…)` or `await waitAsync(…)`, then
 * take the answer out through `header` and `reader`.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import { invariant } from "../../abi/invariant.ts";
import { Reader, Writer } from "./cursor.ts";
import { type Doorbell, waitWord } from "./doorbell.ts";
import { pause, SpinWait } from "./spin_wait.ts";
import { Patience } from "./patience.ts";
import {
  type ChannelMemory,
  Claimed,
  Closed,
  type Header,
  Lease,
  readHeader,
  Signal,
  Word,
  writeHeader,
} from "./protocol.ts";

/** What a thread does while it waits for an answer. */
export type Blocking = "wait" | "spin" | "never";

/** How a client's end behaves. */
export interface ChannelOptions {
  /** How synchronous calls wait. Default: as the thread can. */
  blocking?: Blocking;
  /**
   * How long the relay may show no sign of life, counted only while the client asks. Default
   * 30,000.
   */
  deadlineMs?: number;
}

/** How long the relay may show no sign of life, in ms, unless the caller says otherwise. */
export const DEFAULT_DEADLINE_MS = 30_000;

const WATCH_SLICE_MS = 250;
const SPIN_LOADS = 4096;

const WHY_CLOSED: Readonly<Record<number, string>> = {
  [Closed.LEFT]: "the volume has been closed here",
  [Closed.RELAY_GONE]: "the relay worker has ended, or the volume was closed where it was opened",
  [Closed.DEADLINE]: "an earlier call waited past its deadline",
  [Closed.CLIENT_GONE]: "the relay learned that this client has ended",
  [Closed.BAD]: "the relay refused what was sent",
  [Closed.UNCLAIMED]: "the ticket was not taken while many newer ones were made",
};

/** A client's end of one channel. */
export class Channel {
  /** Writes requests into the area. */
  readonly writer: Writer;
  /** Reads answers out of the area. */
  readonly reader: Reader;
  /** The header of the last answer, in private memory. */
  readonly header: Header = { signal: 0, chunkBytes: 0, totalBytes: 0, chunkIndex: 0 };
  /** The memory that both sides share. */
  readonly memory: ChannelMemory;
  /** Time spent waiting so far, in ms. */
  waitMs = 0;
  readonly #doorbell: Doorbell;
  readonly #spin = new SpinWait();
  readonly #isAnswered = (): boolean => this.isAnswered();
  readonly #blocking: Blocking;
  readonly #deadlineMs: number;
  readonly #patience: Patience;
  #sequence: number;
  #heartbeat = 0;

  /** The client's end of `memory`, whose relay listens to `doorbell`. */
  constructor(memory: ChannelMemory, doorbell: Doorbell, options: ChannelOptions = {}) {
    this.memory = memory;
    this.writer = new Writer(memory);
    this.reader = new Reader(memory);
    this.#doorbell = doorbell;
    this.#blocking = options.blocking ?? (threadMayWait() ? "wait" : "never");
    this.#deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS;
    this.#patience = new Patience(this.#deadlineMs);
    this.#sequence = Atomics.load(memory.words, Word.REQUEST);
  }

  /**
   * Throws unless a synchronous call can be made at all, before anything is sent.
   *
   * @throws {ErrnoError} ENOTSUP on a page's main thread that has not chosen to spin
   */
  assertMayBlock(action: string): void {
    if (this.#blocking !== "never") return;
    const way = 'open the volume with blocking: "spin", or await volume.promises';
    throw new ErrnoError("ENOTSUP", `${action} synchronously on a page's main thread; ${way}`);
  }

  /** Whether the thread can sleep while it waits, instead of spinning. */
  get maySleep(): boolean {
    return this.#blocking === "wait";
  }

  /**
   * Throws unless the channel is open.
   *
   * @throws {ErrnoError} EBADF if it has been closed here, EIO if it is closed for another reason
   */
  assertOpen(action: string): void {
    const why = Atomics.load(this.memory.words, Word.CLOSED);
    if (why === Closed.LEFT) throw new ErrnoError("EBADF", action, { why: WHY_CLOSED[why] });
    if (why !== Closed.OPEN) throw gone(action, WHY_CLOSED[why] ?? `for reason ${why}`);
  }

  /** Hands the area over to the relay and wakes it if it sleeps. */
  publish(header: Header): void {
    const { words, area } = this.memory;
    invariant(this.isAnswered(), "R1: a message is published while another is under way");
    invariant(header.chunkBytes <= area.length, "R1: a chunk is longer than the area");
    invariant(header.chunkBytes <= header.totalBytes, "R1: a chunk is longer than its message");
    writeHeader(words, header);
    this.#sequence = (this.#sequence + 1) | 0;
    Atomics.store(words, Word.REQUEST, this.#sequence);
    this.#doorbell.ring();
  }

  /** Whether the relay has answered everything that was published. */
  isAnswered(): boolean {
    return Atomics.load(this.memory.words, Word.ANSWER) === this.#sequence;
  }

  /**
   * Blocks the thread until the answer is here, then reads its header. `sinceMs` is when the wait
   * began, if the caller knows: reading a clock costs as much as a look at the word.
   *
   * @throws {ErrnoError} EIO if the channel is closed or the relay shows no life past the deadline
   */
  wait(action: string, sinceMs?: number): void {
    if (!this.#spin.until(this.#isAnswered)) {
      this.#sleepUntilAnswered(action, sinceMs ?? performance.now());
    }
    readHeader(this.memory.words, this.header);
  }

  /**
   * Waits for the answer without blocking the thread, then reads its header.
   *
   * @throws {ErrnoError} EIO as `wait`
   */
  async waitAsync(action: string): Promise<void> {
    const { words } = this.memory;
    const since = performance.now();
    this.#startWatch(since);
    for (;;) {
      const seen = Atomics.load(words, Word.ANSWER);
      if (seen === this.#sequence) break;
      this.#watch(action);
      await waitWord(words, {
        index: Word.ANSWER,
        value: seen,
        timeoutMs: this.#patience.sliceMs,
      });
    }
    this.waitMs += performance.now() - since;
    // The area of a channel that has been closed here may be another channel's by now.
    if (Atomics.load(words, Word.CLOSED) === Closed.LEFT) this.assertOpen(action);
    readHeader(words, this.header);
  }

  /**
   * Waits until the relay has admitted the channel.
   *
   * @throws {ErrnoError} EIO if it does not within the deadline, or is closed already
   */
  async admitted(action: string): Promise<void> {
    const { words } = this.memory;
    this.#startWatch(performance.now());
    while (Atomics.load(words, Word.LEASE) === Lease.NONE) {
      this.#watch(action);
      const timeoutMs = this.#patience.sliceMs;
      await waitWord(words, { index: Word.LEASE, value: Lease.NONE, timeoutMs });
    }
    this.assertOpen(action);
  }

  /**
   * Closes the channel for good. Every wait on it ends, and the relay releases what the client
   * holds.
   */
  close(why: number = Closed.LEFT): void {
    closeChannel(this.memory.words, why);
    this.#doorbell.ring();
  }

  /**
   * Releases an inode without waiting, if the last such release has been carried out by now. The
   * relay does it before the next request of this channel, or at once when it is asleep.
   */
  postRelease(low: number, high: number): boolean {
    const { words } = this.memory;
    invariant(this.isAnswered(), "R1: an inode is let go of inside of a call");
    const count = words[Word.RELEASES]!;
    if (Atomics.load(words, Word.RELEASED) !== count) return false;
    words[Word.RELEASE_LOW] = low | 0;
    words[Word.RELEASE_HIGH] = high | 0;
    Atomics.store(words, Word.RELEASES, (count + 1) | 0);
    this.#doorbell.ring();
    return true;
  }

  /**
   * Calls `listener` from the event loop whenever the generation has changed, until the returned
   * function is called or the channel is closed.
   */
  onGeneration(listener: () => void): () => void {
    const { words } = this.memory;
    let isStopped = false;
    const isOver = () => isStopped || Atomics.load(words, Word.CLOSED) !== Closed.OPEN;
    const watch = async () => {
      for (let seen = Atomics.load(words, Word.GENERATION); !isOver();) {
        const timeoutMs = WATCH_SLICE_MS;
        await waitWord(words, { index: Word.GENERATION, value: seen, timeoutMs });
        const now = Atomics.load(words, Word.GENERATION);
        if (now !== seen && !isOver()) listener();
        seen = now;
      }
    };
    watch();
    return () => {
      isStopped = true;
      Atomics.notify(words, Word.GENERATION);
    };
  }

  /**
   * Counts the changes of other clients, as the relay reports them. It changes once more when the
   * channel is closed, so that nothing kept under it answers a call from then on.
   */
  get generation(): number {
    const { words } = this.memory;
    const isClosed = Atomics.load(words, Word.CLOSED) !== Closed.OPEN;
    return (Atomics.load(words, Word.GENERATION) >>> 0) + (isClosed ? 1 : 0);
  }

  #sleepUntilAnswered(action: string, sinceMs: number): void {
    const { words } = this.memory;
    this.#startWatch(sinceMs);
    for (;;) {
      const seen = Atomics.load(words, Word.ANSWER);
      if (seen === this.#sequence) break;
      this.assertOpen(action);
      // While the answer is on its way there is no need to check whether the relay lives.
      if (!this.#moved(seen)) this.#watch(action);
    }
    this.waitMs += performance.now() - sinceMs;
  }

  /** Sleeps, or spins, for one slice at most. False if there is still no answer. */
  #moved(seen: number): boolean {
    const { words } = this.memory;
    if (this.#blocking === "wait") {
      return Atomics.wait(words, Word.ANSWER, seen, this.#patience.sliceMs) !== "timed-out";
    }
    for (let left = SPIN_LOADS; left > 0; left--) {
      if (Atomics.load(words, Word.ANSWER) !== seen) return true;
      pause();
    }
    return false;
  }

  #startWatch(sinceMs: number): void {
    this.#heartbeat = Atomics.load(this.memory.words, Word.HEARTBEAT);
    this.#patience.begin(sinceMs);
  }

  /**
   * Ends the wait if the channel is closed, and closes it if the relay has been silent for too
   * long.
   */
  #watch(action: string): void {
    this.assertOpen(action);
    const heartbeat = Atomics.load(this.memory.words, Word.HEARTBEAT);
    const now = performance.now();
    if (heartbeat !== this.#heartbeat) {
      this.#heartbeat = heartbeat;
      this.#patience.begin(now);
    } else if (this.#patience.look(now)) {
      this.close(Closed.DEADLINE);
      throw gone(action, `the relay has shown no life for ${this.#deadlineMs} ms`);
    } else {
      // The relay may be asleep, as while this call waits for a lock: a ring makes it show life.
      this.#doorbell.ring();
    }
  }
}

/**
 * Throws unless this client is the only one at its end: two writers would mix their requests. `how`
 * says whether the client's thread holds its Web Lock, so that the relay can watch it.
 *
 * @throws {ErrnoError} EBUSY if another has
 */
export function claimChannel({ words }: ChannelMemory, how: number = Claimed.CLIENT): void {
  invariant(how !== Claimed.NONE, "R1: a channel is claimed for no client");
  if (Atomics.compareExchange(words, Word.CLAIMED, Claimed.NONE, how) === 0) return;
  throw new ErrnoError("EBUSY", "attach with a ticket that is in use", {
    why: "share() one for each client",
  });
}

/** Closes a channel, from either side. The first reason counts. */
export function closeChannel(words: Int32Array, why: number): void {
  invariant(why !== Closed.OPEN, "R1: a channel is closed for no reason");
  Atomics.compareExchange(words, Word.CLOSED, Closed.OPEN, why);
  Atomics.notify(words, Word.ANSWER);
  Atomics.notify(words, Word.LEASE);
  Atomics.notify(words, Word.GENERATION);
}

/** Whether this thread may sleep in Atomics.wait: not a page's main thread. */
export function threadMayWait(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}

/** A message of one chunk. */
export function wholeMessage(totalBytes: number, signal: number = Signal.REQUEST): Header {
  return { signal, chunkBytes: totalBytes, totalBytes, chunkIndex: 0 };
}

function gone(action: string, why: string): ErrnoError {
  return new ErrnoError(
    "EIO",
    action,
    { why: `${why}; this channel stays closed, open the volume again` },
  );
}
