/**
 * What a backend does not do yet, and what will make it do so.
 *
 * A pending case must fail while it stands here: the runner says so when one passes, and then its
 * row goes.
 *
 * @module
 */

/** Cases that a backend fails for one reason. */
export interface Pending {
  /** Names of rows in `tests/support/backends.ts`. */
  backends: readonly string[];
  /** Names of conformance cases. */
  cases: readonly string[];
  /** What is missing, and what will bring it. */
  why: string;
}

/** Everything that is pending: nothing. */
export const PENDING: readonly Pending[] = [];

/** Why a case is pending on a backend, or null. */
export function pendingReason(backend: string, test: string): string | null {
  const row = PENDING.find((row) => row.backends.includes(backend) && row.cases.includes(test));
  return row?.why ?? null;
}
