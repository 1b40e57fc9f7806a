/**
 * The doorbell: one shared word for all channels of a relay, by which clients wake it.
 *
 * Layer: relay. Before it sleeps, the relay stores 1 in the word, checks every channel again, and
 * sleeps while the word is 1. A client first publishes; then, if the word is 1 and it is the client
 * that sets it back to 0, it wakes the relay. So either that second check sees a request, or its
 * client rings.
 *
 * Use: the client calls `doorbell.ring()` after each publishing; the relay `doorbell.sleep(…)` in
 * its busy time and `doorbell.sleepAsync(…)` when idle.
 *
 * @module
 */
import { invariant } from "../../abi/invariant.ts";

/** The word that counts tickets that have been taken or called off. */
const CLAIMS = 4;
const AWAKE = 0;
const ASLEEP = 1;

/** How long to sleep, and what must not be missed. */
export interface SleepOptions {
  /** Checked once more after the word says that the relay sleeps. */
  ready: () => boolean;
  /** The longest sleep, in ms. */
  timeoutMs: number;
}

/** The word between a relay and all its clients, and the count of tickets that were taken. */
export class Doorbell {
  /** What both sides share. */
  readonly buffer: SharedArrayBuffer;
  readonly #word: Int32Array;

  /** The doorbell of a relay, or a new one. */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(64)) {
    this.buffer = buffer;
    this.#word = new Int32Array(buffer, 0, CLAIMS + 1);
  }

  /** Wakes the relay if it sleeps. Returns whether it slept. */
  ring(): boolean {
    if (Atomics.load(this.#word, 0) !== ASLEEP) return false;
    if (Atomics.compareExchange(this.#word, 0, ASLEEP, AWAKE) !== ASLEEP) return false;
    Atomics.notify(this.#word, 0);
    return true;
  }

  /** How often a ticket has been taken or called off, modulo 2^32. */
  get claims(): number {
    return Atomics.load(this.#word, CLAIMS);
  }

  /** A ticket has been taken, or called off: the relay has to find out which. */
  claim(): void {
    Atomics.add(this.#word, CLAIMS, 1);
    this.ring();
  }

  /** Sleeps and blocks the thread. */
  sleep({ ready, timeoutMs }: SleepOptions): void {
    invariant(timeoutMs < Infinity, "R5: the relay sleeps for ever");
    Atomics.store(this.#word, 0, ASLEEP);
    if (!ready()) Atomics.wait(this.#word, 0, ASLEEP, timeoutMs);
    Atomics.store(this.#word, 0, AWAKE);
  }

  /** Sleeps without blocking the thread: messages arrive, and their handlers ring. */
  async sleepAsync({ ready, timeoutMs }: SleepOptions): Promise<void> {
    invariant(timeoutMs < Infinity, "R5: the relay sleeps for ever");
    Atomics.store(this.#word, 0, ASLEEP);
    if (!ready()) await waitWord(this.#word, { index: 0, value: ASLEEP, timeoutMs });
    Atomics.store(this.#word, 0, AWAKE);
  }
}

/** What to wait for: a word that differs from `value`. */
export interface WaitWord {
  /** Which word. */
  index: number;
  /** The value that it has now. */
  value: number;
  /** The longest wait, in ms. */
  timeoutMs: number;
}

/** `Atomics.waitAsync` beside a timer, because a wait alone keeps no event loop alive. */
export async function waitWord(
  words: Int32Array,
  { index, value, timeoutMs }: WaitWord,
): Promise<void> {
  const wait = Atomics.waitAsync(words, index, value, timeoutMs);
  if (!wait.async) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, timeoutMs));
  await Promise.race([wait.value, late]);
  clearTimeout(timer);
}
