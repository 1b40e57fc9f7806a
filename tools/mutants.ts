/**
 * `deno task mutants -- FILE... [--sample N] [--seed N] [--minutes N]`: breaks one place of a file at
 * a time, runs the test mirrored to the file and then those near it that run the broken line, and lists
 * what no test noticed. Not in the gate: it says where tests are missing, and it takes its time: a
 * minute or three to learn what runs which lines, then a second for what a near test notices.
 *
 * Works in a copy of the checkout, so a run that is stopped leaves nothing broken. A folder stands for
 * all files in it. With `--sample` a part of all mistakes is tried, chosen by the seed, which is
 * printed. Ends with 1 where more than a tenth survived.
 *
 * @module
 */
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { describeMutation, mutate, MUTATING, type Mutation, readMutations } from "./mutation.ts";
import { testOf } from "./mirror.ts";
import { Reach, type Reached } from "./mutant_reach.ts";
import { type Outcome, TestRuns } from "./mutant_runs.ts";
import { hostCommand, type ProgramOptions } from "./programs.ts";
import { isGenerated, ROOT, sourceFiles } from "./project.ts";

/** The suites that look at a folder's files from near by. */
const NEAR: readonly (readonly [folder: string, suites: readonly string[]])[] = [
  ["abi/", ["tests/abi", "tests/fs"]],
  ["fs/", ["tests/fs", "tests/conformance"]],
  ["node_ops/", ["tests/node_ops", "tests/conformance"]],
  ["stream_ops/", ["tests/stream_ops", "tests/conformance"]],
  ["opfs/relay/", ["tests/opfs/relay"]],
  ["opfs/device/", ["tests/opfs/device", "tests/faults"]],
  ["opfs/cache", ["tests/opfs/cache", "tests/opfs/cache_test.ts", "tests/opfs/relay"]],
  [
    "opfs/volume/",
    ["tests/opfs/volume", "tests/invariants", "tests/faults", "tests/golden", "tests/crash"],
  ],
  ["opfs/", ["tests/opfs"]],
  ["adapters/", ["tests/adapters"]],
  ["cli/", ["tests/cli"]],
  ["tools/", ["tests/tools"]],
];

/** A test run may take this many times what it takes without a mistake, and no less than 5 s. */
const PATIENCE = 4;
const SECONDS_MIN = 5;
const HOUR_SECONDS = 3600;
/** What is left to the others on the machine. */
const NICE = 10;
/** The share of mistakes that may survive. */
const SURVIVORS_MAX = 0.1;

/** A mistake in a file. */
export interface Mutant {
  /** Path from the root of the checkout. */
  path: string;
  /** The mistake. */
  mutation: Mutation;
}

/** Test files and folders that look at a file from near by. */
export function nearOf(path: string): readonly string[] {
  return NEAR.find(([folder]) => path.startsWith(folder))?.[1] ?? ["tests"];
}

/** The test files in files and folders of a checkout. */
function testsIn(root: string, places: readonly string[]): string[] {
  return places.filter((place) => existsSync(join(root, place))).flatMap((place) => {
    if (place.endsWith(".ts")) return [place];
    const names = readdirSync(join(root, place), { recursive: true, encoding: "utf8" });
    return names.map((name) => `${place}/${name}`).filter((name) => name.endsWith("_test.ts"));
  }).sort();
}

/** Every mistake of the files, as the linter lists them. */
export function listMutants(root: string, paths: readonly string[]): Mutant[] {
  return paths.flatMap((path) => {
    const args = ["lint", "--json", path];
    const text = outputOf(Deno.execPath(), { args, cwd: root, env: { [MUTATING]: "1" } });
    if (!text.startsWith("{")) throw new Error(`cannot list the mistakes of "${path}": ${text}`);
    return readMutations(text).map((mutation) => ({ path, mutation }));
  });
}

/**
 * `count` of them, the same ones for the same seed. They are mixed, so that a run that ends early has
 * looked everywhere.
 */
export function sample<T>(
  all: readonly T[],
  { count, seed }: { count: number; seed: number },
): T[] {
  const left = all.map((_, index) => index);
  const chosen: number[] = [];
  let state = seed >>> 0;
  while (chosen.length < count && left.length > 0) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const [index] = left.splice(Math.floor(state / 2 ** 32 * left.length), 1);
    chosen.push(index!);
  }
  return chosen.map((index) => all[index]!);
}

function outputOf(program: string, options: ProgramOptions): string {
  return new TextDecoder().decode(hostCommand(program, options).outputSync().stdout);
}

/** A copy of what git knows of the checkout and of what is new in it. */
export function copyCheckout(): string {
  const to = mkdtempSync(join(tmpdir(), "cairn_mutants_"));
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  for (const path of outputOf("git", { args, cwd: ROOT }).split("\0")) {
    if (path !== "" && existsSync(ROOT + path)) cpSync(ROOT + path, join(to, path));
  }
  return to;
}

/** What became of a mistake; "unreached" when no near test runs its line. */
export type Verdict = "killed" | "stopped" | "survived" | "unreached";

/** Tries mistakes in a copy of a checkout. */
export class Trial {
  readonly #root: string;
  readonly #runs: TestRuns;
  readonly #sources: readonly string[];
  readonly #seconds: Map<string, number> = new Map();
  readonly #reaches: Map<string, Reach> = new Map();

  /**
   * @param root the copy, which is changed and put right again
   * @param sources the files that mistakes are made in
   */
  constructor(root: string, sources: readonly string[]) {
    this.#root = root;
    this.#runs = new TestRuns(root);
    this.#sources = sources;
  }

  /** Whether a test notices the mistake: first the mirrored one, then those near that run its line. */
  async judge(mutant: Mutant): Promise<Verdict> {
    const mirrored = testOf(mutant.path);
    const isMirrored = existsSync(join(this.#root, mirrored));
    if (isMirrored) {
      const seconds = await this.#secondsFor(mirrored);
      const outcome = await this.#tryOut(mutant, { files: [mirrored], seconds });
      if (outcome !== "passed") return outcome === "failed" ? "killed" : "stopped";
    }
    const near = await this.#near(mutant);
    const files = near.map(({ test }) => test).filter((test) => test !== mirrored);
    if (files.length === 0) return isMirrored && near.length > 0 ? "survived" : "unreached";
    const ms = near.reduce((total, one) => total + one.ms, 0);
    const outcome = await this.#tryOut(mutant, { files, seconds: bound(ms) });
    if (outcome === "passed") return "survived";
    return outcome === "failed" ? "killed" : "stopped";
  }

  /** Ends what runs. */
  stop(): void {
    this.#runs.stop();
  }

  async #tryOut(
    { path, mutation }: Mutant,
    { files, seconds }: { files: readonly string[]; seconds: number },
  ): Promise<Outcome> {
    const file = join(this.#root, path);
    const text = readFileSync(file, "utf8");
    writeFileSync(file, mutate(text, mutation));
    try {
      return (await this.#runs.run(files, { seconds })).outcome;
    } finally {
      writeFileSync(file, text);
    }
  }

  /** How long a test may take; it must pass without a mistake, or it would notice each. */
  async #secondsFor(test: string): Promise<number> {
    const known = this.#seconds.get(test);
    if (known !== undefined) return known;
    const { outcome, ms } = await this.#runs.run([test], { seconds: HOUR_SECONDS });
    if (outcome !== "passed") throw new Error(`"${test}" fails without a mistake`);
    this.#seconds.set(test, bound(ms));
    return bound(ms);
  }

  async #near({ path, mutation }: Mutant): Promise<Reached[]> {
    const folders = nearOf(path);
    const key = folders.join();
    let reach = this.#reaches.get(key);
    if (reach === undefined) {
      const tests = testsIn(this.#root, folders);
      reach = await Reach.measure(this.#runs, { root: this.#root, sources: this.#sources, tests });
      this.#reaches.set(key, reach);
      if (reach.leftOut.length > 0) console.log(`too slow to be near: ${reach.leftOut.join(" ")}`);
    }
    return reach.filesFor(path, linesOf(readFileSync(join(this.#root, path), "utf8"), mutation));
  }
}

/** Seconds that a run may take which took so many milliseconds without a mistake. */
function bound(ms: number): number {
  return Math.max(SECONDS_MIN, PATIENCE * ms / 1000);
}

/** First and last line of a mistake. */
function linesOf(text: string, { from, to }: Mutation): [number, number] {
  const first = text.slice(0, from).split("\n").length;
  return [first, first + text.slice(from, to).split("\n").length - 1];
}

interface Settings {
  files: string[];
  sampleCount: number;
  seed: number;
  minutes: number;
}

function readSettings(args: readonly string[]): Settings {
  const { values, positionals } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    allowPositionals: true,
    options: { sample: { type: "string" }, seed: { type: "string" }, minutes: { type: "string" } },
  });
  const files = positionals.flatMap((name) => name.endsWith(".ts") ? [name] : sourceFiles([name]));
  return {
    files: files.filter((path) => !isGenerated(path)),
    sampleCount: Number(values.sample ?? Infinity),
    seed: Number(values.seed ?? 1),
    minutes: Number(values.minutes ?? 60),
  };
}

async function main(settings: Settings): Promise<number> {
  const { files, sampleCount, seed, minutes } = settings;
  if (files.length === 0) throw new Error("name files or folders");
  setPriority(NICE);
  const all = listMutants(ROOT, files);
  const chosen = sample(all, { count: sampleCount, seed });
  console.log(`${chosen.length} of ${all.length} mistakes in ${files.length} files, seed ${seed}`);
  const root = copyCheckout();
  const trial = new Trial(root, files);
  const end = performance.now() + minutes * 60_000;
  const tallies = new Map<string, Tally>();
  let [isStopped, tried] = [false, 0];
  Deno.addSignalListener("SIGINT", () => {
    isStopped = true;
    trial.stop();
  });
  try {
    for (const mutant of chosen) {
      if (isStopped || performance.now() > end) break;
      const verdict = await trial.judge(mutant);
      if (isStopped) break;
      const tally = tallies.get(mutant.path) ?? emptyTally();
      tally[verdict]++;
      tried++;
      tallies.set(mutant.path, tally);
      if (verdict === "killed" || verdict === "stopped") continue;
      const text = readFileSync(join(root, mutant.path), "utf8");
      const place = `${mutant.path}:${describeMutation(text, mutant.mutation)}`;
      console.log(`${tried} of ${chosen.length}: ${verdict} ${place}`);
    }
  } finally {
    rmSync(root, { recursive: true });
  }
  return report(tallies);
}

/** How many of a file's mistakes came to what. */
type Tally = Record<Verdict, number>;

const emptyTally = (): Tally => ({ killed: 0, stopped: 0, survived: 0, unreached: 0 });

/** Prints a line for each file and one for all. Returns 1 where too many survived. */
function report(tallies: ReadonlyMap<string, Tally>): number {
  const whole = emptyTally();
  for (const [path, tally] of tallies) {
    for (const verdict of Object.keys(tally) as Verdict[]) whole[verdict] += tally[verdict];
    console.log(`${path}: ${inWords(tally)}`);
  }
  console.log(inWords(whole));
  const tried = Object.values(whole).reduce((a, b) => a + b, 0);
  return whole.survived + whole.unreached > tried * SURVIVORS_MAX ? 1 : 0;
}

function inWords({ killed, stopped, survived, unreached }: Tally): string {
  const tried = killed + stopped + survived + unreached;
  return `${tried} tried, ${killed} killed, ${stopped} stopped, ${survived} survived, ` +
    `${unreached} not reached`;
}

if (import.meta.main) process.exitCode = await main(readSettings(Deno.args));
