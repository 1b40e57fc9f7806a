/**
 * Runs the unmodified scripts of a pjdfstest checkout against our file systems, without a mount.
 *
 * Use: `deno task conformance -- CHECKOUT [--backend memfs|volume|relay|page] [--fs EXT4] [--only
 * rename/00,open] [--jobs 2] [--verbose]`. The last line is `pjdfstest: N / M`; the exit status is 0
 * if both are the same. README.md beside this file says how it works and what is counted.
 *
 * @module
 */
import { join, resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { hostCommand } from "../programs.ts";
import { BACKENDS } from "./backends.ts";
import { type Frame, makeFrame } from "./frame.ts";
import { PAGE_BACKENDS } from "./page_backend.ts";
import { FileSystemServer } from "./server.ts";
import type { SessionStats } from "./session.ts";

const SCRIPT_TIMEOUT_MS = 600_000;

/** How one script went. */
export interface ScriptResult {
  /** Its name. */
  script: string;
  /** Assertions that passed. */
  passed: number;
  /** Assertions that count. */
  total: number;
  /** Why it does not count, or "". */
  notApplicable: string;
  /** What it printed of each that failed. */
  failures: string[];
}

function readOptions() {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2).filter((word) => word !== "--"),
    allowPositionals: true,
    options: {
      backend: { type: "string", default: "memfs" },
      fs: { type: "string", default: "JSFS" },
      only: { type: "string", default: "" },
      jobs: { type: "string", default: "2" },
      verbose: { type: "boolean", default: false },
    },
  });
  const backends = { ...BACKENDS, ...PAGE_BACKENDS };
  const backend = backends[values.backend];
  const [suite] = positionals;
  if (suite === undefined || backend === undefined) {
    const known = Object.keys(backends).join("|");
    console.error(`use: deno task conformance -- CHECKOUT [--backend ${known}] [--fs EXT4]`);
    process.exit(2);
  }
  return { ...values, suite: resolve(suite), backend };
}

/** Runs one script in a shell and gives what it printed. */
async function runScript(frame: Frame, script: string, socketPath: string): Promise<string> {
  const child = hostCommand("sh", {
    args: [join(frame.path, "tests", script)],
    cwd: join(frame.path, "cwd"),
    env: { PJD_SOCK: socketPath, VCWD: "/" },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    runsOthers: true,
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), SCRIPT_TIMEOUT_MS);
  const { stdout } = await child.output();
  clearTimeout(timer);
  return new TextDecoder().decode(stdout);
}

/** Counts what a script printed: its plan, less what the suite itself marks as to do on Linux. */
export function count(script: string, output: string, stats: SessionStats): ScriptResult {
  const lines = output.split("\n");
  const planned = Number(lines.find((line) => /^1\.\.\d+$/.test(line))?.slice(3) ?? 0);
  const results = lines.filter((line) => /^(not )?ok\b/.test(line));
  const counted = results.filter((line) => !line.includes(" # TODO"));
  const total = Math.max(planned, results.length) - (results.length - counted.length);
  const passed = counted.filter((line) => line.startsWith("ok")).length;
  const skips = planned === 1 && results.length === 1;
  return {
    script,
    passed: Math.min(passed, total),
    total,
    notApplicable: skips ? "skips itself" : stats.faulted ? "wild pointers" : "",
    failures: counted.filter((line) => line.startsWith("not ok")),
  };
}

/** Takes scripts from the list until none is left. */
async function work(
  server: FileSystemServer,
  { frame, scripts, exceptions }: {
    frame: Frame;
    scripts: string[];
    exceptions: Record<string, number>;
  },
): Promise<ScriptResult[]> {
  const results: ScriptResult[] = [];
  await server.listen();
  for (let script = scripts.shift(); script !== undefined; script = scripts.shift()) {
    const session = await server.reset();
    const output = await runScript(frame, script, server.socketPath);
    results.push(count(script, output, session.stats));
    for (const [text, times] of Object.entries(session.stats.exceptions)) {
      exceptions[text] = (exceptions[text] ?? 0) + times;
    }
  }
  await server.close();
  return results;
}

function report(
  results: readonly ScriptResult[],
  isVerbose: boolean,
): { passed: number; total: number } {
  const folders = new Map<string, { passed: number; total: number }>();
  const all = { passed: 0, total: 0 };
  for (const result of results) {
    if (result.notApplicable !== "") continue;
    const name = result.script.split("/")[0] ?? "";
    const folder = folders.get(name) ?? { passed: 0, total: 0 };
    folders.set(name, folder);
    for (const sum of [folder, all]) {
      sum.passed += result.passed;
      sum.total += result.total;
    }
    if (result.passed < result.total) {
      console.log(`${result.script}: ${result.passed} / ${result.total}`);
      for (const line of result.failures.slice(0, isVerbose ? 50 : 3)) console.log(`    ${line}`);
    }
  }
  for (const [name, { passed, total }] of [...folders].sort()) {
    console.log(`${name.padEnd(10)} ${passed} / ${total}`);
  }
  return all;
}

async function main(): Promise<void> {
  const { suite, backend, fs, only, jobs, verbose } = readOptions();
  const frame = makeFrame({ suite, fs, only: only.split(",").filter(Boolean) });
  const scripts = [...frame.scripts];
  const exceptions: Record<string, number> = {};
  try {
    const count = Math.min(Number(jobs), backend.maxJobs ?? Infinity);
    const workers = Array.from({ length: count }, (_, index) => {
      const server = new FileSystemServer(backend, join(frame.path, `socket${index}`));
      return work(server, { frame, scripts, exceptions });
    });
    const results = (await Promise.all(workers)).flat();
    console.log(backend.name);
    const { passed, total } = report(results, verbose);
    for (const [text, times] of Object.entries(exceptions)) {
      console.log(`no error of a file system, ${times} times: ${text}`);
    }
    console.log(`pjdfstest: ${passed} / ${total}`);
    process.exitCode = passed === total ? 0 : 1;
  } finally {
    await backend.dispose?.();
    frame.remove();
  }
}

if (import.meta.main) await main();
