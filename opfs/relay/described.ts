/**
 * An error as it travels to another thread: its code, and what could not be done.
 *
 * Layer: relay, bottom. The other side makes an ErrnoError of the two again, whose message says the
 * code and "cannot" itself.
 *
 * @module
 */
import { type ErrnoCode, isErrnoError } from "../../abi/errno.ts";

/** Code and reason of whatever was thrown; EIO and the whole text for what is no ErrnoError. */
export function described(error: unknown): { code: ErrnoCode; reason: string } {
  const code = isErrnoError(error) ? error.code : "EIO";
  const text = error instanceof Error ? error.message : String(error);
  const prefix = `${code}: cannot `;
  return { code, reason: text.startsWith(prefix) ? text.slice(prefix.length) : text };
}
