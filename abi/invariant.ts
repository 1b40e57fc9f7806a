/**
 * What is provably true, said aloud: a broken invariant is a bug or damage, never a caller's error.
 *
 * Layer: abi (imports nothing). A volume that meets one goes to FAILED and writes nothing more.
 * Numbers such as V2 are those of docs/ARCHITECTURE.md, section "Invariants".
 *
 * @module
 */

/** A broken invariant. Never thrown for a caller's mistake: that is an ErrnoError. */
export class InvariantError extends Error {
  /** Always `"InvariantError"`. */
  override readonly name = "InvariantError";
}

/**
 * Stops unless `condition` holds. The message names the invariant: `"V2: block 7 is owned but free"`.
 *
 * @throws {InvariantError} if it does not hold
 * @example
 * ```ts
 * import { invariant } from "@cairn/fs/abi";
 *
 * const runs: number[] = [3, 4];
 * invariant(runs.length % 2 === 0, "V7: a run is a pair");
 * ```
 */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
