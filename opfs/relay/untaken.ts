/**
 * Untaken: channels of tickets that are on their way, or were dropped.
 *
 * Layer: relay, used by `server.ts`. A ticket that is never taken must cost a call nothing, so its
 * channels are not looked at one by one: a taker counts up one word beside the doorbell, and only
 * then are they all looked through. How many there may be is bounded by `host.ts`.
 *
 * Use: `untaken.add(channel)`; `if (untaken.hasNews()) untaken.take(serve)`.
 *
 * @module
 */
import { invariant } from "../../abi/invariant.ts";
import type { Doorbell } from "./doorbell.ts";
import type { ServedChannel } from "./served_channel.ts";

/** The channels that no client has taken yet. */
export class Untaken {
  readonly #doorbell: Doorbell;
  readonly #channels = new Set<ServedChannel>();
  #seen: number;

  /** Channels whose takers count at `doorbell`. */
  constructor(doorbell: Doorbell) {
    this.#doorbell = doorbell;
    this.#seen = doorbell.claims;
  }

  /** How many there are. */
  get count(): number {
    return this.#channels.size;
  }

  /** One more; it may have been taken before the relay heard of it. */
  add(channel: ServedChannel): void {
    invariant(!this.#channels.has(channel), "R1: a channel waits twice for its client");
    this.#channels.add(channel);
    this.#seen = this.#doorbell.claims - 1 | 0;
  }

  /** Whether one may have been taken since `take`. */
  hasNews(): boolean {
    return this.#channels.size > 0 && this.#doorbell.claims !== this.#seen;
  }

  /** Hands over those that have been taken. */
  take(serve: (channel: ServedChannel) => void): void {
    // In this order: a claim that comes now is news again.
    this.#seen = this.#doorbell.claims;
    for (const channel of this.#channels) {
      if (!channel.isTaken()) continue;
      this.#channels.delete(channel);
      serve(channel);
    }
  }

  /** Hands over all of them, at the end. */
  takeAll(end: (channel: ServedChannel) => void): void {
    for (const channel of this.#channels) end(channel);
    this.#channels.clear();
  }
}
