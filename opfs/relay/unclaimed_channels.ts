/**
 * UnclaimedChannels: the channels of tickets that no client has claimed, or ever will.
 *
 * Layer: relay, used by `server.ts`. A ticket that is never claimed must not slow down any call, so
 * its channels are not polled one by one: a client that claims one increments a word beside the
 * doorbell, and only then are all of them looked through. `host.ts` bounds how many there may be.
 *
 * Use: `unclaimed.add(channel)`; `if (unclaimed.hasNewClaims()) unclaimed.take(serve)`.
 *
 * @module
 */
import { invariant } from "../../abi/invariant.ts";
import type { Doorbell } from "./doorbell.ts";
import type { ServedChannel } from "./served_channel.ts";

/** The channels that no client has claimed yet. */
export class UnclaimedChannels {
  readonly #doorbell: Doorbell;
  readonly #channels = new Set<ServedChannel>();
  #seen: number;

  /** Channels whose claims are counted at `doorbell`. */
  constructor(doorbell: Doorbell) {
    this.#doorbell = doorbell;
    this.#seen = doorbell.claims;
  }

  /** How many there are. */
  get count(): number {
    return this.#channels.size;
  }

  /** Adds a channel; it may have been claimed before the relay got it. */
  add(channel: ServedChannel): void {
    invariant(!this.#channels.has(channel), "R1: a channel waits twice for its client");
    this.#channels.add(channel);
    this.#seen = this.#doorbell.claims - 1 | 0;
  }

  /** Whether one may have been claimed since `take`. */
  hasNewClaims(): boolean {
    return this.#channels.size > 0 && this.#doorbell.claims !== this.#seen;
  }

  /** Removes those that have been claimed, and hands them to `serve`. */
  take(serve: (channel: ServedChannel) => void): void {
    // First: a claim that comes during the loop counts as new again.
    this.#seen = this.#doorbell.claims;
    for (const channel of this.#channels) {
      if (!channel.isClaimed()) continue;
      this.#channels.delete(channel);
      serve(channel);
    }
  }

  /** Removes all of them, at the end, and hands them to `end`. */
  takeAll(end: (channel: ServedChannel) => void): void {
    for (const channel of this.#channels) end(channel);
    this.#channels.clear();
  }
}
