/**
 * Options of a relay, for `server.ts`.
 *
 * Layer: relay (types only).
 *
 * @module
 */
import type { PathCalls } from "../../abi/path_calls.ts";
import type { Doorbell } from "./doorbell.ts";
import type { ChannelMemory } from "./protocol.ts";
import type { Value } from "./s11n.ts";

/** Options of a relay. */
export interface RelayOptions {
  /** The doorbell by which clients wake it. Default: a new one. */
  doorbell?: Doorbell;
  /**
   * How long a client may pause in the middle of a transfer, counted only while the relay polls.
   * Default 30,000.
   */
  deadlineMs?: number;
  /**
   * Makes the file system that serves operations by path, for the first of them. Default: they are
   * ENOSYS.
   */
  paths?: () => PathCalls;
  /**
   * Watches a client whose thread holds the Web Lock of its channel: calls `gone` when it has died,
   * and returns a function that stops this. Default: no thread is watched, and a client ends by
   * closing its channel.
   */
  watchClient?: (channel: ChannelMemory, gone: () => void) => () => void;
  /**
   * Gets the order in which requests are applied: the client's number and the request's sequence,
   * or less than 0 for a release without a waiter, its number negated. Default: none.
   */
  trace?: (client: number, sequence: number) => void;
  /** Gets each channel that is served no longer. Default: none. */
  onLeft?: (channel: ChannelMemory) => void;
  /** The answer to a STATS request: names and values. Default: nothing. */
  stats?: () => Record<string, Value>;
}
