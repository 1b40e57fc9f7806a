/**
 * The timer of a volume that is not called: without it the last changes would become durable only
 * with the next call.
 *
 * Layer: relay, used by the owner of an engine: the relay's worker, or `open.ts` for direct access.
 * It runs for `durability: "periodic"` only, and keeps no process alive.
 *
 * Use: `const stop = startCommitTimer(volume, options)`, `stop()` before closing.
 *
 * @module
 */
import { isErrnoError } from "../../abi/errno.ts";
import type { VolumeOps } from "../volume_ops.ts";

/** When a volume becomes durable by itself. */
export interface CommitTimerOptions {
  /** Only "periodic", which is the default, has a timer. */
  durability?: "op" | "fsync" | "periodic";
  /** Default 5,000. */
  commitIntervalMs?: number;
  /** Whether nothing is ever written. */
  readOnly?: boolean;
}

const INTERVAL_MS = 5000;

interface Host {
  Deno?: { unrefTimer?(id: unknown): void };
}

/** The longest time that a timer takes; a longer interval would wrap around to a short one. */
const LONGEST_MS = 2 ** 31 - 1;

/** Starts the timer; the result stops it. A volume that has failed stops it too. */
export function startCommitTimer(volume: VolumeOps, options: CommitTimerOptions): () => void {
  const { durability = "periodic", commitIntervalMs = INTERVAL_MS, readOnly = false } = options;
  if (durability !== "periodic" || readOnly) return () => {};
  const sync = volume.sync.bind(volume);
  const timer: unknown = setInterval(() => {
    try {
      sync();
    } catch (error) {
      // A full device may have room the next time. A volume that has failed says why to its next
      // caller.
      if (!isErrnoError(error) || error.code !== "ENOSPC") stop();
    }
  }, Math.min(commitIntervalMs, LONGEST_MS));
  const stop = () => clearInterval(timer as number);
  (globalThis as Host).Deno?.unrefTimer?.(timer);
  (timer as { unref?: () => void }).unref?.();
  return stop;
}
