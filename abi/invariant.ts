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
 * Stops unless `condition` holds. The message names the invariant; each `{}` in it stands for the next of
 * `values`: "V2: block {} is owned but free". It is put together only when the condition does not hold,
 * because this is asked many times in each call.
 *
 * @throws {InvariantError} if it does not hold
 * @example
 * ```ts
 * import { invariant } from "@cairn/fs/abi";
 *
 * const runs: number[] = [3, 4];
 * invariant(runs.length % 2 === 0, "V7: {} numbers are no pairs", runs.length);
 * ```
 */
export function invariant(
  condition: boolean,
  message: string,
  ...values: readonly unknown[]
): asserts condition {
  if (!condition) throw new InvariantError(filledIn(message, values));
}

function filledIn(message: string, values: readonly unknown[]): string {
  let used = 0;
  return message.replaceAll("{}", () => String(values[used++]));
}
