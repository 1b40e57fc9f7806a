/**
 * ReadAhead: the bytes of an answer beyond those asked for, as long as they are in the area.
 *
 * Layer: relay, part of `client.ts`. A client that reads a file in order, and does nothing else in
 * between, gets more each time, up to half a megabyte. These bytes stay in the request area, so
 * they need no memory and no copy more; the next request of any kind overwrites them. They are used
 * only while the generation is that of the answer: until another client changes something.
 *
 * Use: `ahead.take(…)`; where that is -1 ask for `ahead.more(…)` bytes more, and pass them to
 * `keep(…)`.
 *
 * @module
 */
import { invariant } from "../../abi/invariant.ts";
import type { Ino } from "../volume_ops.ts";
import { type ChannelMemory, Closed, RESPONSE_BYTES, Word } from "./protocol.ts";

const LONGEST_BYTES = 512 * 1024;

/** What is in one channel's area. */
export class ReadAhead {
  readonly #memory: ChannelMemory;
  readonly #longest: number;
  #ino: Ino = 0;
  /** The part of the file that is in the area, in bytes of the file. */
  #from = 0;
  #to = 0;
  #tag = 0;
  /** Where the next read in order begins, and how many there have been. */
  #next = -1;
  #streak = 0;

  /** Reads ahead in the area of `memory`. */
  constructor(memory: ChannelMemory) {
    this.#memory = memory;
    this.#longest = Math.min(LONGEST_BYTES, memory.area.length - RESPONSE_BYTES);
  }

  /** Fills `into` from the area and returns its length, or -1 if the bytes are not there. */
  take(ino: Ino, into: Uint8Array, at: number): number {
    const { words, area } = this.#memory;
    if (this.#to === 0 || ino !== this.#ino || !Number.isInteger(at)) return -1;
    const end = at + into.length;
    if (at < this.#from || end > this.#to) return -1;
    if (Atomics.load(words, Word.GENERATION) !== this.#tag) return -1;
    if (Atomics.load(words, Word.CLOSED) !== Closed.OPEN) return -1;
    const start = RESPONSE_BYTES + at - this.#from;
    into.set(area.subarray(start, start + into.length));
    this.#next = end;
    return into.length;
  }

  /** How many bytes to ask for beyond the `wanted` ones. Forgets what is in the area. */
  more(ino: Ino, wanted: number, at: number): number {
    const goesOn = wanted > 0 && ino === this.#ino && at === this.#next;
    this.#streak = goesOn ? this.#streak + 1 : 0;
    this.#ino = ino;
    this.#next = at + wanted;
    this.#to = this.#from = 0;
    const most = Math.min(this.#longest, wanted * 2 ** Math.min(this.#streak, 8));
    return Math.max(0, most - wanted);
  }

  /** The answer to the last `more` is in the area: `count` bytes of the file from byte `at`. */
  keep(at: number, count: number): void {
    invariant(count >= 0 && count <= this.#longest, "R8: more is kept than an area holds");
    this.#from = at;
    this.#to = at + count;
    this.#tag = this.#memory.words[Word.ANSWER_GENERATION]!;
  }

  /** The area is used for something else now. */
  interrupt(): void {
    this.#to = this.#from = 0;
    this.#streak = 0;
    this.#next = -1;
  }
}
