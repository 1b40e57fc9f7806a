/**
 * Test runs for tools/mutants.ts that always end: a file with a mistake in it may loop for ever or wait
 * for ever. The time of the processor is bounded, so that a busy machine does not look like a mistake,
 * and the time on the wall, generously.
 *
 * Use: `await new TestRuns(root).run(["tests/abi/x_test.ts"], { seconds: 10 })`.
 *
 * @module
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { hostCommand } from "./programs.ts";

/** How a run ended: "stopped" when it took too long. */
export type Outcome = "passed" | "failed" | "stopped";

/** A run that has ended. */
export interface Run {
  /** How. */
  outcome: Outcome;
  /** How long it took. */
  ms: number;
}

/** What a run may take, and what it leaves. */
export interface RunOptions {
  /** Seconds of the processor; ten times as many may pass. */
  seconds: number;
  /** A folder for what Deno measures of the lines that ran. */
  coverage?: string;
}

/** Seconds on the wall for each second of the processor: others work on the machine too. */
const WALL_PER_SECOND = 10;
const WALL_SECONDS_MIN = 60;
/** Sets the bound, then becomes Deno. */
const BOUNDED = 'ulimit -t "$1"; shift; exec "$@"';
/** What a process that runs out of its time ends with; 128 and the signal. */
const OUT_OF_TIME: readonly (string | null)[] = ["SIGKILL", "SIGXCPU"];

/** Runs test files of a checkout, one process at a time. */
export class TestRuns {
  readonly #root: string;
  readonly #temporary: string;
  #child: Deno.ChildProcess | null = null;

  /**
   * @param root the checkout
   * @param temporary where tests put their temporary files
   */
  constructor(root: string, temporary: string = join(root, ".temporary")) {
    this.#root = root;
    this.#temporary = temporary;
    mkdirSync(temporary, { recursive: true });
  }

  /** Runs files in this order, without type check, up to the first test that fails. */
  async run(files: readonly string[], { seconds, coverage }: RunOptions): Promise<Run> {
    const measured = coverage === undefined
      ? []
      : [`--coverage=${coverage}`, "--coverage-raw-data-only"];
    const test = ["test", "-A", "--no-check", "--fail-fast", "--quiet", ...measured, ...files];
    const limit = String(Math.ceil(seconds));
    const begin = performance.now();
    this.#child = hostCommand("sh", {
      args: ["-c", BOUNDED, "sh", limit, Deno.execPath(), ...test],
      cwd: this.#root,
      env: { TMPDIR: this.#temporary },
      runsOthers: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const timer = setTimeout(() => this.stop(), 1000 * wallSeconds(seconds));
    const { success, signal } = await this.#child.status;
    clearTimeout(timer);
    this.#child = null;
    const ms = performance.now() - begin;
    if (success) return { outcome: "passed", ms };
    return { outcome: OUT_OF_TIME.includes(signal) ? "stopped" : "failed", ms };
  }

  /** Ends the run that goes on, if one does. */
  stop(): void {
    try {
      this.#child?.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

function wallSeconds(seconds: number): number {
  return Math.max(WALL_SECONDS_MIN, seconds * WALL_PER_SECOND);
}
