/**
 * The Web Lock of a volume: one holder per volume in all tabs and workers of an origin.
 *
 * Layer: relay, used by the code that is about to open the device: the relay's worker, or `open.ts` for
 * direct access. Where there are no Web Locks (Deno), the device's own lock does this, and taking
 * one here changes nothing. It is never stolen.
 *
 * Use: `const release = await takeVolumeLock("/notes.cairn", { timeoutMs: 2000 })`.
 *
 * @module
 */
import { deferred } from "../../abi/deferred.ts";
import { LEAST_WAIT_MS, nameOf, refusedStorage } from "../../abi/browser_errors.ts";
import { ErrnoError } from "../../abi/errno.ts";
import { holdLock, lockManager } from "./client_lock.ts";

/** How long to wait for a lock. */
export interface VolumeLockOptions {
  /** In ms, 100 at least; a holder that is going away lets go a moment later. */
  timeoutMs: number;
}

/** The name of a volume's lock. */
export function volumeLockName(path: string): string {
  return `cairn:${path}`;
}

const TICK_MS = 50;

/**
 * Takes the lock of the volume at `path`; the result lets it go.
 *
 * @throws {ErrnoError} EBUSY if another tab or worker holds it past the timeout, EACCES where the
 * browser gives no locks because site data is blocked
 */
export async function takeVolumeLock(
  path: string,
  { timeoutMs }: VolumeLockOptions,
): Promise<() => void> {
  const locks = lockManager();
  if (locks === undefined) return () => {};
  // However long the browser takes to answer: a lock that is free is no lock that is held.
  const free = await holdLock(volumeLockName(path), { locks, action: `open "${path}"` });
  if (free !== null) return free;
  const { promise: granted, resolve: grant, reject: fail } = deferred<void>();
  const { promise: released, resolve: release } = deferred<void>();
  const abort = new AbortController();
  const stopCounting = afterTicks(Math.max(timeoutMs, LEAST_WAIT_MS), () => abort.abort());
  const hold = () => {
    grant();
    return released;
  };
  try {
    locks.request(volumeLockName(path), { signal: abort.signal }, hold).catch(fail);
    await granted;
  } catch (cause) {
    throw refusalOf(path, cause);
  } finally {
    stopCounting();
  }
  return release;
}

/** Only an end of the waiting means that there is another holder. */
function refusalOf(path: string, cause: unknown): ErrnoError {
  if (nameOf(cause) !== "AbortError") return refusedStorage(`open "${path}"`, cause);
  const why = "another tab or worker has it open; close it there " +
    "(a page and the workers that it gives a ticket of share() can use one together, tabs cannot)";
  return new ErrnoError("EBUSY", `open "${path}"`, { why, cause });
}

/** Ticks are counted, not the time: a machine that slept in between has not waited. */
function afterTicks(timeoutMs: number, call: () => void): () => void {
  let leftMs = timeoutMs;
  const timer = setInterval(() => {
    leftMs -= TICK_MS;
    if (leftMs > 0) return;
    clearInterval(timer);
    call();
  }, TICK_MS);
  return () => clearInterval(timer);
}
