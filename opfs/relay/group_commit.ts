/**
 * GroupCommit: the requests of a turn that asked for durability, and the one commit for all of them.
 *
 * Layer: relay, part of `server.ts`. A client that was in one of the last commits may be about to
 * ask for the next; the relay waits a little for it, because a flush of the device takes longer
 * than a request's way. It waits as long as commits usually take.
 *
 * Use: `group.defer(channel, 0)`; `while (group.mayGrow(channels)) …`; `group.commit(answered)`.
 *
 * @module
 */
import { invariant } from "../../abi/invariant.ts";
import type { VolumeOps } from "../volume_ops.ts";
import { Op } from "./operations.ts";
import type { ServedChannel } from "./served_channel.ts";

/** A client is waited for if it was in one of so many last commits. */
const COMMITS_BACK = 3;
/** The longest wait for a client, in ms. */
const PATIENCE_MS = 2;

/** The requests that one commit answers. */
export class GroupCommit {
  readonly #volume: VolumeOps;
  readonly #waiting: ServedChannel[] = [];
  #commits = 0;
  #commitMs = 0;

  /** Commits of `volume`. */
  constructor(volume: VolumeOps) {
    this.#volume = volume;
  }

  /** How many wait for it. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Whether a request of the channel waits for it. */
  has(channel: ServedChannel): boolean {
    return channel.deferredIn === this.#commits;
  }

  /** How long it is worth to wait for others, in ms: as long as the commit that it may save. */
  get patienceMs(): number {
    return Math.min(PATIENCE_MS, this.#commitMs);
  }

  /** The request at hand is answered after the next commit; its answer is in the writer. */
  defer(channel: ServedChannel, status: number): void {
    invariant(!this.has(channel), "R2: a request is deferred twice");
    channel.deferredStatus = status;
    channel.deferredIn = this.#commits;
    this.#waiting.push(channel);
  }

  /** Whether a client that was in one of the last commits is not in this one yet. */
  mayGrow(channels: readonly ServedChannel[]): boolean {
    for (const { deferredIn, state } of channels) {
      const isLate = deferredIn !== this.#commits && state !== "LOCKED";
      if (isLate && this.#commits - deferredIn <= COMMITS_BACK) return true;
    }
    return false;
  }

  /** Commits, and answers all of them, with the error if it fails. Calls `count` for each first. */
  commit(count: (channel: ServedChannel) => void): void {
    invariant(this.#waiting.length > 0, "R2: a commit answers no request");
    const waiting = this.#waiting.splice(0);
    const startedAt = performance.now();
    this.#commits++;
    const failure = this.#make(waiting);
    // It rises slowly: a commit may have been long because its thread had to wait for a processor.
    this.#commitMs = Math.min(this.#commitMs * 1.5 + 0.02, performance.now() - startedAt);
    for (const channel of waiting) {
      count(channel);
      if (failure === null) channel.answer(channel.deferredStatus);
      else channel.answerError(failure.error);
    }
  }

  /** One inode if only one was asked for, else everything. */
  #make(waiting: readonly ServedChannel[]): { error: unknown } | null {
    const [first] = waiting;
    try {
      const isOne = waiting.length === 1 && first!.reader.op === Op.FSYNC;
      if (isOne) this.#volume.fsync(first!.synced);
      else this.#volume.sync();
      return null;
    } catch (error) {
      return { error };
    }
  }
}
