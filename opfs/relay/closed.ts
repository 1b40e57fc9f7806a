/**
 * What a client says of a volume that it has closed itself, whichever way it calls.
 *
 * Layer: relay. Use: `throw closed("share the volume")`.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";

/** EBADF for what is asked of a volume that has been closed here. */
export function closed(action: string): ErrnoError {
  return new ErrnoError("EBADF", action, { why: "the volume has been closed here" });
}
