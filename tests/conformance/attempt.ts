/**
 * One case on a fresh instance of one backend, and every case with what is pending taken into
 * account. Imports no builtin: Deno's runner and the browser suite share it.
 *
 * @module
 */
import type { BackendRow } from "../support/backends.ts";
import { pendingReason } from "../support/pending.ts";
import { type Case, type CaseClock, runCase, SkipCase } from "./case.ts";

const START_MS = 1_700_000_000_000.25;

/** What came of the cases on one backend. */
export interface Tally {
  /** Cases that hold. */
  passed: number;
  /** Cases that fail, as expected. */
  pending: number;
  /** Cases that the backend cannot be asked. */
  skipped: number;
  /** What is wrong, by case. */
  failures: string[];
}

/** Runs one case, lets go of its instance, and throws what failed. False if it was skipped. */
export async function attempt(row: BackendRow, test: Case): Promise<boolean> {
  if ((test.isSmall || test.testsLimit) && row.hasOwnSpace) return false;
  const clock: CaseClock = { now: START_MS, isFixed: row.hasOwnClock === true };
  const instance = await row.make({ clock: () => clock.now, isSmall: test.isSmall === true });
  clock.moved = () => instance.moved?.();
  let failure: unknown = null;
  let isSkipped = false;
  try {
    const last = await runCase(test, instance.fs, clock, instance.remount?.bind(instance));
    last.quit();
  } catch (error) {
    if (error instanceof SkipCase) isSkipped = true;
    else failure = error;
  }
  try {
    await instance.close();
  } catch (error) {
    failure ??= error;
  }
  if (failure !== null) throw failure;
  return !isSkipped;
}

/** Runs cases one by one; a pending one that passes is a failure. */
export async function tally(
  row: BackendRow,
  cases: readonly Case[],
  pendingAs: string = row.name,
): Promise<Tally> {
  const found: Tally = { passed: 0, pending: 0, skipped: 0, failures: [] };
  for (const test of cases) {
    const why = pendingReason(pendingAs, test.name);
    try {
      if (!await attempt(row, test)) found.skipped += 1;
      else if (why === null) found.passed += 1;
      else found.failures.push(`${test.name}: it passes now, yet it is pending: ${why}`);
    } catch (error) {
      if (why === null) found.failures.push(`${test.name}: ${String(error)}`);
      else found.pending += 1;
    }
  }
  row.dispose?.();
  return found;
}
