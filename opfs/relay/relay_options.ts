/**
 * How a relay behaves: what `server.ts` is given.
 *
 * Layer: relay (types only).
 *
 * @module
 */
import type { PathCalls } from "../../abi/path_calls.ts";
import type { Doorbell } from "./doorbell.ts";
import type { ChannelMemory } from "./protocol.ts";
import type { Value } from "./s11n.ts";

/** How a relay behaves. */
export interface RelayOptions {
  /** By which clients wake it. Default: a new one. */
  doorbell?: Doorbell;
  /**
   * How long a client may pause in the middle of a transfer, in ms in which the relay looks for it.
   * Default 30,000.
   */
  deadlineMs?: number;
  /** Makes what serves operations by path, when the first comes. Default: they are ENOSYS. */
  paths?: () => PathCalls;
  /**
   * Watches a client whose thread holds the Web Lock of its channel: calls `gone` when it has died,
   * and returns how to stop. Default: no thread is watched, and a client ends by closing its channel.
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
