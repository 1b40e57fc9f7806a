/**
 * Bytes that a caller hands over: looked at before anything depends on them.
 *
 * Layer: abi. Memory can be detached, or become shorter than the view that looks at it; such a view is
 * zero bytes long, and every method of it throws. Use: `requireBytes(from)`.
 *
 * @module
 */
import { ErrnoError } from "./errno.ts";

const NOTHING = new Uint8Array(0);

/**
 * Stops unless a value is a view of bytes whose memory is there.
 *
 * @throws {ErrnoError} EINVAL
 */
export function requireBytes(bytes: Uint8Array): void {
  if (ArrayBuffer.isView(bytes) && bytes.BYTES_PER_ELEMENT === 1 && isThere(bytes)) return;
  throw new ErrnoError("EINVAL", "use bytes whose memory is not there, or what is no Uint8Array");
}

function isThere(bytes: Uint8Array): boolean {
  if (bytes.length > 0) return true;
  try {
    bytes.set(NOTHING);
    return true;
  } catch {
    return false;
  }
}
