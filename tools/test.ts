/**
 * The runner of `deno task ok`, `test` and `test:long`. Runs all stages of a set even if one
 * fails, prints a line for each and the output of those that failed, and ends with one line that
 * counts the tests of all suites. Names after the set select stages: `deno task ok lint unit`.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { isNeeded, type Tool, TOOLS, whyBlocked } from "./needs.ts";
import { ROOT } from "./project.ts";
import { type Count, countTests } from "./reports.ts";
import { prepare } from "./setup.ts";
import { listStages, type Stage } from "./stages.ts";

/** What came of a stage. */
export interface Outcome {
  /** The tests of the stage. */
  count: Count;
  /** Everything it printed. */
  output: string;
}

/** A stage that takes longer hangs. The long forms have their own budgets inside. */
const TIME_LIMIT_MS = process.env.CAIRN_LONG === "1" ? 6 * 3600_000 : 20 * 60_000;

/** The stages of a set, or those of them that are named. Throws on a name that is not there. */
export function selectStages(
  stages: readonly Stage[],
  { set, names }: { set: string; names: readonly string[] },
): Stage[] {
  const inSet = stages.filter((stage) => set === "full" || stage.set === set);
  const unknown = names.find((name) => !inSet.some((stage) => stage.name === name));
  if (unknown !== undefined) {
    const known = inSet.map((stage) => stage.name).join(", ");
    throw new Error(`cannot run stage "${unknown}": there are ${known}`);
  }
  return names.length === 0 ? inSet : inSet.filter((stage) => names.includes(stage.name));
}

/** Runs one stage to its end, or to the end of its time. */
export async function runStage(
  stage: Stage,
  { timeLimitMs = TIME_LIMIT_MS }: { timeLimitMs?: number } = {},
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "cairn_stage_"));
  const [report, log] = [join(folder, "report"), join(folder, "log")];
  try {
    const status = await waitFor(start(stage, { report, log }), timeLimitMs);
    const text = existsSync(report) ? readFileSync(report, "utf8") : null;
    const late = status === null ? `\nstopped after ${timeLimitMs / 1000} s` : "";
    const output = readFileSync(log, "utf8") + late;
    return { count: countTests(stage.form, { text, status: status ?? 1 }), output };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Starts deno. The output goes to a file: a stray grandchild cannot hold it open. */
function start(stage: Stage, files: { report: string; log: string }): ChildProcess {
  const fill = (text: string): string => text.replace("{report}", files.report);
  const own = Object.entries(stage.env ?? {}).map(([name, value]) => [name, fill(value)]);
  const log = openSync(files.log, "w");
  try {
    return spawn(Deno.execPath(), stage.command.map(fill), {
      cwd: ROOT,
      // The leader of a group of its own, so that its browsers can be ended with it.
      detached: true,
      env: { ...process.env, NO_COLOR: "1", ...Object.fromEntries(own) },
      stdio: ["ignore", log, log],
    });
  } finally {
    closeSync(log);
  }
}

/** The exit status; null when the process was ended, by the limit or by another hand. */
async function waitFor(child: ChildProcess, timeLimitMs: number): Promise<number | null> {
  const stop = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  };
  const quit = (): void => {
    stop();
    process.exit(130);
  };
  const timer = setTimeout(stop, timeLimitMs);
  process.once("SIGINT", quit).once("SIGTERM", quit);
  try {
    return await new Promise((resolve, reject) => child.on("error", reject).on("exit", resolve));
  } finally {
    clearTimeout(timer);
    process.off("SIGINT", quit).off("SIGTERM", quit);
  }
}

/** The line of a stage: how it went, what it is called, how many tests, how long. */
export function describe(
  stage: Stage,
  { count, seconds, note }: { count: Count; seconds: number; note?: string },
): string {
  const state = count.failed === 0 ? "ok  " : "FAIL";
  const tests = stage.form === "exit" ? "" : `, ${count.passed} passed, ${count.failed} failed`;
  const ignored = count.ignored === 0 ? "" : `, ${count.ignored} ignored`;
  const why = note === undefined ? "" : `: ${note}`;
  return `${state} ${stage.name} (${seconds.toFixed(1)} s${tests}${ignored})${why}`;
}

/** The closing line. */
export function summarize(counts: readonly Count[]): string {
  const sum = (key: keyof Count): number => counts.reduce((all, count) => all + count[key], 0);
  return `${sum("passed")} passed, ${sum("failed")} failed`;
}

/** Runs a stage unless a tool is missing, prints its line, and its output if it failed. */
async function runAndPrint(stage: Stage, missing: readonly Tool[]): Promise<Count> {
  const start = performance.now();
  const note = whyBlocked(stage.name, missing) ?? undefined;
  const { count, output } = note === undefined
    ? await runStage(stage)
    : { count: { passed: 0, failed: 1, ignored: 0 }, output: "" };
  const seconds = (performance.now() - start) / 1000;
  console.log(describe(stage, { count, seconds, note }));
  const text = count.failed > 0 || stage.prints === true ? withoutDots(output) : "";
  if (text !== "") console.log(text);
  return count;
}

/** The dots of tests that passed say nothing where a test failed. */
function withoutDots(output: string): string {
  return output.replace(/^\.\n/gm, "").trim();
}

async function main([set = "ok", ...names]: readonly string[]): Promise<void> {
  const stages = selectStages(listStages(), { set, names });
  const needed = TOOLS.filter((tool) => stages.some((stage) => isNeeded(tool, stage.name)));
  const missing = prepare(needed);
  const counts: Count[] = [];
  for (const stage of stages) counts.push(await runAndPrint(stage, missing));
  console.log(summarize(counts));
  process.exitCode = counts.some((count) => count.failed > 0) ? 1 : 0;
}

if (import.meta.main) await main(Deno.args);
