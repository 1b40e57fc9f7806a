/**
 * What a browser's error means, in our words.
 *
 * Layer: abi. A browser refuses storage and locks with a SecurityError where site data is blocked, or
 * in some private windows: that is no other tab, and the message must not say so.
 *
 * Use: `throw refusedStorage('open "/notes.cairn"', error)`.
 *
 * @module
 */
import { ErrnoError } from "./errno.ts";

/**
 * No wait for another holder is shorter, in ms: what a tab, a worker or this thread has just let go of
 * a browser gives out a moment later.
 */
export const LEAST_WAIT_MS = 100;

/** The name of an error, of any kind. */
export function nameOf(error: unknown): string {
  return String((error as { name?: unknown } | null)?.name);
}

const BLOCKED = "the browser refuses storage here: site data is blocked, or this is a private " +
  "window; allow site data for this site, or use an ordinary window";

/** The ErrnoError for a browser that refuses storage or a lock: EACCES where it is not allowed. */
export function refusedStorage(action: string, cause: unknown): ErrnoError {
  const name = nameOf(cause);
  if (name === "ErrnoError") return cause as ErrnoError;
  const isBlocked = name === "SecurityError" || name === "NotAllowedError";
  const code = isBlocked ? "EACCES" : "EIO";
  const why = isBlocked ? `${BLOCKED} (${String(cause)})` : String(cause);
  return new ErrnoError(code, action, { why, cause });
}
