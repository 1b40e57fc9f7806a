/**
 * Which test files run which lines, for tools/mutants.ts: a mistake in a line is tried by the files that
 * run it, the quickest first. Each file runs once with Deno's coverage; one that takes too long for that
 * is left out, so that no mistake costs minutes.
 *
 * Use: `const reach = await Reach.measure(runs, { root, sources, tests })`, then
 * `reach.filesFor("abi/x.ts", [3, 4])`.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestRuns } from "./mutant_runs.ts";
import { hostCommand } from "./programs.ts";

/** What is known of a test file. */
export interface Reached {
  /** Its path. */
  test: string;
  /** How long it took. */
  ms: number;
  /** The lines that it runs, by source file. */
  lines: Record<string, number[]>;
}

/** What to measure. */
export interface ReachOptions {
  /** The checkout. */
  root: string;
  /** Source files whose lines count. */
  sources: readonly string[];
  /** Test files. */
  tests: readonly string[];
  /** Seconds of the processor that a file may take; it runs some three times as long as usual. */
  seconds?: number;
}

const SECONDS = 25;

/** The lines that ran, by file, of a report in lcov's form. */
export function readReport(report: string, root: string): Record<string, number[]> {
  const files: Record<string, number[]> = {};
  let lines: number[] = [];
  for (const row of report.split("\n")) {
    const [key, value = ""] = row.split(/:(.*)/);
    if (key === "SF") files[value.replace(root, "").replace(/^\//, "")] = lines = [];
    if (key !== "DA") continue;
    const [line, count] = value.split(",").map(Number);
    if (count! > 0) lines.push(line!);
  }
  return files;
}

/** Which test files run which lines. */
export class Reach {
  /** What is known of each file, the quickest first. */
  readonly files: readonly Reached[];
  /** Files that failed, or took too long. */
  readonly leftOut: readonly string[];

  /**
   * @param files what is known
   * @param leftOut files of which nothing is known
   */
  constructor(files: readonly Reached[], leftOut: readonly string[] = []) {
    this.files = [...files].sort((a, b) => a.ms - b.ms);
    this.leftOut = leftOut;
  }

  /** Runs each file once. */
  static async measure(runs: TestRuns, options: ReachOptions): Promise<Reach> {
    const { root, sources, tests, seconds = SECONDS } = options;
    const files: Reached[] = [];
    const leftOut: string[] = [];
    for (const test of tests) {
      const coverage = mkdtempSync(join(tmpdir(), "cairn_reach_"));
      const { outcome, ms } = await runs.run([test], { seconds, coverage });
      if (outcome === "passed") files.push({ test, ms, lines: linesOf(coverage, root, sources) });
      else leftOut.push(test);
      rmSync(coverage, { recursive: true });
    }
    return new Reach(files, leftOut);
  }

  /**
   * The files that run one of these lines, or one beside them: a line that ran in part is reported as
   * one that did not.
   */
  filesFor(path: string, [first, last]: readonly [number, number]): Reached[] {
    return this.files.filter(({ lines }) =>
      lines[path]?.some((line) => line >= first - 1 && line <= last + 1)
    );
  }
}

function linesOf(
  coverage: string,
  root: string,
  sources: readonly string[],
): Record<string, number[]> {
  const include = `(${sources.map((path) => path.replaceAll(".", "\\.")).join("|")})$`;
  const args = ["coverage", "--lcov", `--include=${include}`, coverage];
  const { stdout } = hostCommand(Deno.execPath(), { args, cwd: root }).outputSync();
  return readReport(new TextDecoder().decode(stdout), root);
}
