/**
 * Counts tests from the reports that the test programs write: JUnit from `deno test`, JSON from
 * Playwright. Pure; the runner (tools/test.ts) feeds it the texts.
 *
 * @module
 */

/** How many tests of a suite went which way. */
export interface Count {
  /** Ran and held. */
  passed: number;
  /** Ran and did not hold, or could not run. */
  failed: number;
  /** Switched off in the source. */
  ignored: number;
}

/** The forms of report that we can read; `exit` is a program that has nothing to count. */
export type ReportForm = "junit" | "playwright" | "exit";

/** The count in a report. `text` is null when the program wrote none. */
export function countTests(
  form: ReportForm,
  { text, status }: { text: string | null; status: number },
): Count {
  if (form === "exit") return oneTest(status);
  const count = text === null ? null : form === "junit" ? readJunit(text) : readPlaywright(text);
  if (count === null) return { passed: 0, failed: 1, ignored: 0 };
  // A file that fails to load is in no report, and a suite that ran nothing proves nothing.
  const isSilentFailure = count.failed === 0 && (status !== 0 || count.passed === 0);
  return isSilentFailure ? { ...count, failed: 1 } : count;
}

function oneTest(status: number): Count {
  return status === 0 ? { passed: 1, failed: 0, ignored: 0 } : { passed: 0, failed: 1, ignored: 0 };
}

/** Reads the totals of Deno's JUnit report; null if they are not there. */
export function readJunit(text: string): Count | null {
  const head = /<testsuites [^>]*>/.exec(text)?.[0];
  if (head === undefined) return null;
  const failed = attribute(head, "failures") + attribute(head, "errors");
  const ignored = text.match(/<skipped\b/g)?.length ?? 0;
  const passed = attribute(head, "tests") - failed - ignored;
  return Number.isNaN(passed) ? null : { passed, failed, ignored };
}

function attribute(head: string, name: string): number {
  const value = new RegExp(`\\b${name}="(\\d+)"`).exec(head)?.[1];
  return value === undefined ? NaN : Number(value);
}

/** Reads the totals of Playwright's JSON report; null if they are not there. */
export function readPlaywright(text: string): Count | null {
  const { stats, errors } = parse(text);
  if (stats === undefined) return null;
  const failed = stats.unexpected + stats.flaky + (errors?.length ?? 0);
  return { passed: stats.expected, failed, ignored: stats.skipped };
}

interface PlaywrightReport {
  stats?: { expected: number; unexpected: number; flaky: number; skipped: number };
  errors?: unknown[];
}

function parse(text: string): PlaywrightReport {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
