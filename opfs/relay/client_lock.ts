/**
 * The Web Lock of a client, held as long as the client's thread lives, however it ends.
 *
 * Layer: relay. A client takes the lock that is named after the volume and its channel and then
 * claims the channel; the relay queues for the same lock, and when it is granted the client is gone:
 * closed, terminated, or its page left. The same question, asked of the volume's own lock, shows a
 * page that its relay's worker is gone. Where there are no Web Locks (Deno) there is no notice.
 *
 * Use: `const release = await holdLock(name)`; `const stop = watchLock(name, () => …)`.
 *
 * @module
 */
import { deferred } from "../../abi/deferred.ts";
import { refusedStorage } from "../../abi/browser_errors.ts";
import { channelId, type ChannelMemory } from "./protocol.ts";

/** The part of `navigator.locks` that is used. */
export interface LockManager {
  /** Runs `held` with the lock, and keeps it as long as the result is open. */
  request(
    name: string,
    options: { signal?: AbortSignal; ifAvailable?: boolean },
    held: (lock: unknown) => unknown,
  ): Promise<unknown>;
}

/** The locks of this origin, if there are any. */
export function lockManager(): LockManager | undefined {
  return (globalThis as { navigator?: { locks?: LockManager } }).navigator?.locks;
}

/** The name of the lock of a channel's client. */
export function clientLockName(path: string, memory: Pick<ChannelMemory, "words">): string {
  return `cairn:${path}:${channelId(memory)}`;
}

/** How {@link holdLock} asks. */
export interface HoldOptions {
  /** Default: those of this origin. */
  locks?: LockManager;
  /** The purpose of the lock, for the text of an error. */
  action?: string;
}

/**
 * Takes a free lock; returns what releases it. Null if another client holds it.
 *
 * @throws {ErrnoError} EACCES where the browser gives no locks because site data is blocked
 */
export async function holdLock(
  name: string,
  { locks = lockManager(), action = "attach to the volume" }: HoldOptions = {},
): Promise<(() => void) | null> {
  if (locks === undefined) return () => {};
  const { promise: taken, resolve: take, reject } = deferred<boolean>();
  const { promise: released, resolve: release } = deferred<void>();
  const hold = (lock: unknown) => {
    take(lock !== null);
    return lock === null ? undefined : released;
  };
  try {
    locks.request(name, { ifAvailable: true }, hold).catch(reject);
    return await taken ? release : null;
  } catch (error) {
    throw refusedStorage(action, error);
  }
}

/** Calls `gone` once the holder releases the lock or dies. The returned function stops watching. */
export function watchLock(
  name: string,
  gone: () => void,
  locks: LockManager | undefined = lockManager(),
): () => void {
  if (locks === undefined) return () => {};
  const abort = new AbortController();
  const granted = () => {
    if (!abort.signal.aborted) gone();
  };
  // Aborting makes the request fail, which means nothing here.
  locks.request(name, { signal: abort.signal }, granted).catch(() => {});
  return () => abort.abort();
}
