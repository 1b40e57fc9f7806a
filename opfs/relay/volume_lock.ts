/**
 * The Web Lock of a volume: one holder per volume in all tabs and workers of an origin.
 *
 * Layer: relay, used by whoever is about to open the device: the relay's worker, or `open.ts` for
 * direct access. Where there are no Web Locks (Deno), the device's own lock does this, and taking
 * one here changes nothing. It is never stolen.
 *
 * Use: `const release = await takeVolumeLock("/notes.cairn", { timeoutMs: 2000 })`.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";

interface LockManager {
  request(
    name: string,
    options: { signal?: AbortSignal; ifAvailable?: boolean },
    held: (lock: unknown) => unknown,
  ): Promise<unknown>;
}

/** How long to wait for a lock. */
export interface VolumeLockOptions {
  /** In ms; a holder that is going away lets go a moment later. */
  timeoutMs: number;
}

/** The name of a volume's lock. */
export function volumeLockName(path: string): string {
  return `cairn:${path}`;
}

/**
 * Takes the lock of the volume at `path`; the result lets it go.
 *
 * @throws {ErrnoError} EBUSY if somebody else holds it past the timeout
 */
export async function takeVolumeLock(
  path: string,
  { timeoutMs }: VolumeLockOptions,
): Promise<() => void> {
  const { locks } = (globalThis as { navigator?: { locks?: LockManager } }).navigator ?? {};
  if (locks === undefined) return () => {};
  const { promise: granted, resolve: grant, reject: fail } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeoutMs);
  const hold = () => {
    clearTimeout(timer);
    grant();
    return released;
  };
  locks.request(volumeLockName(path), { signal: abort.signal }, hold).catch(fail);
  try {
    await granted;
  } catch (cause) {
    const advice = 'close it there, or open it with access: "relay" and share() it';
    const text = `open "${path}": another tab or worker has it open; ${advice}`;
    throw new ErrnoError("EBUSY", text, { cause });
  }
  return release;
}
