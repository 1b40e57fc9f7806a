/**
 * `deno task mutants -- FILE... [--sample N] [--seed N] [--minutes N]`: breaks one place of a file at
 * a time, runs the tests mirrored to the file and then the suites near it, and lists what no test
 * noticed. Not in the gate: it says where tests are missing, and it takes its time.
 *
 * Works in a copy of the checkout, so a run that is stopped leaves nothing broken. A folder stands for
 * all files in it. With `--sample` a part of all mistakes is tried, chosen by the seed, which is
 * printed. Ends with 1 where more than a tenth survived.
 *
 * @module
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { describeMutation, mutate, MUTATING, type Mutation, readMutations } from "./mutation.ts";
import { testOf } from "./mirror.ts";
import { hostCommand, type ProgramOptions } from "./programs.ts";
import { isGenerated, ROOT, sourceFiles } from "./project.ts";

/** The suites that look at a folder's files from near by, the quickest first. */
const NEAR: readonly (readonly [folder: string, suites: readonly string[]])[] = [
  ["abi/", ["tests/abi", "tests/fs"]],
  ["fs/", ["tests/fs", "tests/conformance"]],
  ["node_ops/", ["tests/node_ops", "tests/conformance"]],
  ["stream_ops/", ["tests/stream_ops", "tests/conformance"]],
  ["opfs/relay/", ["tests/opfs/relay"]],
  ["opfs/device/", ["tests/opfs/device", "tests/faults"]],
  ["opfs/cache", ["tests/opfs/cache", "tests/opfs/cache_test.ts", "tests/opfs/relay"]],
  [
    "opfs/",
    ["tests/opfs/volume", "tests/invariants", "tests/faults", "tests/golden", "tests/crash"],
  ],
  ["adapters/", ["tests/adapters"]],
  ["cli/", ["tests/cli"]],
  ["tools/", ["tests/tools"]],
];

/** A test run may take this many times what it takes without a mistake, and no less than 20 s. */
const PATIENCE = 4;
const PATIENCE_MS_MIN = 20_000;
const HOUR_MS = 3600_000;
/** The share of mistakes that may survive. */
const SURVIVORS_MAX = 0.1;

/** A mistake in a file. */
export interface Mutant {
  /** Path from the root of the checkout. */
  path: string;
  /** The mistake. */
  mutation: Mutation;
}

/** Test files and folders that would notice a mistake in a file, the nearest first. */
export function suitesFor(path: string, exists: (path: string) => boolean): string[] {
  const near = NEAR.find(([folder]) => path.startsWith(folder))?.[1] ?? ["tests"];
  return [testOf(path), ...near].filter(exists);
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

/** `count` of them in their order, the same ones for the same seed. */
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
  return chosen.sort((a, b) => a - b).map((index) => all[index]!);
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

/** Tries mistakes in a copy of a checkout. */
export class Trial {
  readonly #root: string;
  readonly #limits: Map<string, number> = new Map();

  /** @param root the copy, which is changed and put right again */
  constructor(root: string) {
    this.#root = root;
  }

  /** Whether a test notices the mistake. */
  async isKilled({ path, mutation }: Mutant): Promise<boolean> {
    const suites = suitesFor(path, (one) => existsSync(join(this.#root, one)));
    const file = join(this.#root, path);
    const text = readFileSync(file, "utf8");
    for (const suite of suites) {
      const limitMs = await this.#limitFor(suite);
      writeFileSync(file, mutate(text, mutation));
      try {
        if (!await this.#passes(suite, limitMs)) return true;
      } finally {
        writeFileSync(file, text);
      }
    }
    return false;
  }

  /** How long a suite may take; it must pass without a mistake, or it would notice each. */
  async #limitFor(suite: string): Promise<number> {
    const known = this.#limits.get(suite);
    if (known !== undefined) return known;
    const begin = performance.now();
    if (!await this.#passes(suite)) throw new Error(`"${suite}" fails without a mistake`);
    const limit = Math.max(PATIENCE_MS_MIN, PATIENCE * (performance.now() - begin));
    this.#limits.set(suite, limit);
    return limit;
  }

  async #passes(suite: string, limitMs: number = HOUR_MS): Promise<boolean> {
    const args = ["test", "-A", "--no-check", "--fail-fast", "--parallel", "--quiet", suite];
    const command = hostCommand(Deno.execPath(), {
      args,
      cwd: this.#root,
      runsOthers: true,
      stdout: "null",
      stderr: "null",
    });
    const child = command.spawn();
    const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
    const { success } = await child.status;
    clearTimeout(timer);
    return success;
  }
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

async function main({ files, sampleCount, seed, minutes }: Settings): Promise<number> {
  if (files.length === 0) throw new Error("name files or folders");
  const all = listMutants(ROOT, files);
  const chosen = sample(all, { count: sampleCount, seed });
  console.log(`${chosen.length} of ${all.length} mistakes in ${files.length} files, seed ${seed}`);
  const root = copyCheckout();
  const end = performance.now() + minutes * 60_000;
  let [tried, survived] = [0, 0];
  try {
    const trial = new Trial(root);
    for (const mutant of chosen) {
      if (performance.now() > end) break;
      tried++;
      if (await trial.isKilled(mutant)) continue;
      survived++;
      const text = readFileSync(join(root, mutant.path), "utf8");
      console.log(`survived ${mutant.path}:${describeMutation(text, mutant.mutation)}`);
    }
  } finally {
    rmSync(root, { recursive: true });
  }
  console.log(`${tried} tried, ${tried - survived} killed, ${survived} survived`);
  return survived > tried * SURVIVORS_MAX ? 1 : 0;
}

if (import.meta.main) process.exitCode = await main(readSettings(Deno.args));
