/**
 * The time that is stored: whatever a caller's clock says, it is a number.
 *
 * Layer: opfs/volume, bottom. An invalid time breaks V8, and an image with one is refused by the
 * next mount. So where the caller's clock says none, the host's counts.
 *
 * @module
 */

/** A clock that always says a time. */
export function finiteClock(clock: () => unknown = Date.now): () => number {
  return () => {
    const now = clock();
    return typeof now === "number" && Number.isFinite(now) ? now : Date.now();
  };
}
