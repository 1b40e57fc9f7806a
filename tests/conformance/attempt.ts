/**
 * One case on a fresh instance of one backend, and every case with what the backend lacks taken into
 * account. Imports no builtin: Deno's runner and the browser suite share it.
 *
 * @module
 */
import type { BackendRow } from "../support/backends.ts";
import { pendingReason } from "../support/pending.ts";
import { lackOf } from "./capabilities.ts";
import { type Case, type CaseClock, runCase } from "./case.ts";

const START_MS = 1_700_000_000_000.25;

/** What came of the cases on one backend. */
export interface Tally {
  /** Cases that hold. */
  passed: number;
  /** Cases that fail, as expected. */
  pending: number;
  /** Cases that need what the backend says it lacks. */
  lacked: number;
  /** What is wrong, by case. */
  failures: string[];
}

/** Runs one case, lets go of its instance, and throws what failed. */
export async function attempt(row: BackendRow, test: Case): Promise<void> {
  const isForeign = row.lacks?.includes("clock") === true;
  const clock: CaseClock = { now: START_MS, isForeign };
  const instance = await row.make({ clock: () => clock.now, isSmall: test.isSmall === true });
  clock.moved = () => instance.moved?.();
  let failure: unknown = null;
  try {
    const last = await runCase(test, instance.fs, clock, instance.remount?.bind(instance));
    last.quit();
  } catch (error) {
    failure = error;
  }
  try {
    await instance.close();
  } catch (error) {
    failure ??= error;
  }
  if (failure !== null) throw failure;
}

/** Runs cases one by one; a pending one that passes is a failure. */
export async function tally(
  row: BackendRow,
  cases: readonly Case[],
  pendingAs: string = row.name,
): Promise<Tally> {
  const found: Tally = { passed: 0, pending: 0, lacked: 0, failures: [] };
  for (const test of cases) {
    if (lackOf(row, test) !== null) {
      found.lacked += 1;
      continue;
    }
    const why = pendingReason(pendingAs, test.name);
    try {
      await attempt(row, test);
      if (why === null) found.passed += 1;
      else found.failures.push(`${test.name}: it passes now, yet it is pending: ${why}`);
    } catch (error) {
      if (why === null) found.failures.push(`${test.name}: ${String(error)}`);
      else found.pending += 1;
    }
  }
  row.dispose?.();
  return found;
}
