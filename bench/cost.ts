/**
 * What one engine costs beside another, by processor time: an image with sums beside one without, or
 * this checkout beside an older one.
 *
 * Each side has a process of its own, and the two do a row in turns, so that a machine that others use
 * slows both. Processor time, user's and system's, is what counts: waiting for a disk does not. Each row
 * is done unmeasured first, one on a host file in memory too, so compiling is not measured. The processes
 * are started anew for each third of the rounds, since what a compiler makes of a program differs from
 * run to run. Printed are the times and the ratio, each the median of the rounds; between what that of
 * all rounds there could be is, in 95 of 100 cases; the ratio of the least times; and what each call asks
 * of the device. A row is "open" while the goal is inside of what the ratio may be: more rounds decide it.
 *
 * Use: `deno run -A bench/cost.ts [--rounds 9] [--file FOLDER] [--against CHECKOUT] [WORD ...]`: rows
 * with one of the words in their name, in memory or on a host file in FOLDER. `--against` takes the
 * folder of another checkout (`git worktree add FOLDER COMMIT`) and compares this one with it; without
 * it an image with sums is compared with one without.
 *
 * @module
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { hostCommand } from "../tools/programs.ts";
import type { Measured } from "./cost_process.ts";
import { ROWS } from "./cost_rows.ts";

const HERE = fileURLToPath(new URL("..", import.meta.url));
/** How often the processes are started anew. */
const STARTS = 3;
/** Runs of a row that compile it; on a host file it has been compiled in memory before. */
const UNMEASURED = { memory: 4, file: 1 };
const GOAL = 1.05;
/** Opening is held by what it takes more, in µs. */
const GOAL_OPEN_MICROS = 6000;

/** An engine in a process. */
class Side {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(checkout: string, kind: string, path?: string) {
    const program = fileURLToPath(new URL("./cost_process.ts", import.meta.url));
    const flags = ["--no-lock", "--no-check", "--v8-flags=--expose-gc"];
    const given = path === undefined ? [] : [path];
    this.#child = hostCommand(Deno.execPath(), {
      args: ["run", "-A", ...flags, program, checkout, kind, ...given],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Does a row. */
  async measure(row: string): Promise<Measured> {
    await this.#input.write(new TextEncoder().encode(`${row}\n`));
    while (!this.#text.includes("\n")) {
      const { value, done } = await this.#output.read();
      if (done) throw new Error(`a process has ended in "${row}"`);
      this.#text += value;
    }
    const line = this.#text.slice(0, this.#text.indexOf("\n"));
    this.#text = this.#text.slice(line.length + 1);
    return JSON.parse(line);
  }

  async end(): Promise<void> {
    await this.#input.close();
    await this.#child.status;
  }
}

/** Both sides in one round. */
type Pair = readonly [Measured, Measured];

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * share)] ?? NaN;
}

/** Between what the median of all rounds there could be is, in 95 of 100 cases: by the ranks of these. */
function surely(values: readonly number[]): [number, number] {
  const sorted = values.toSorted((a, b) => a - b);
  const least = Math.max(0, Math.floor(values.length / 2 - 0.98 * Math.sqrt(values.length)));
  return [sorted[least]!, sorted[values.length - 1 - least]!];
}

const median = (values: readonly number[]): number => quantile(values, 0.5);

/** The line of a row. */
function lineOf(name: string, pairs: readonly Pair[]): string {
  const ratios = pairs.map(([before, now]) => now.micros / before.micros);
  const times = [0, 1].map((side) => median(pairs.map((pair) => pair[side]!.micros)));
  const least = [0, 1].map((side) => Math.min(...pairs.map((pair) => pair[side]!.micros)));
  const isOpen = name.startsWith("open");
  const [low, high] = surely(ratios);
  const isMet = isOpen ? times[1]! - times[0]! <= GOAL_OPEN_MICROS : high <= GOAL;
  const isMissed = isOpen ? !isMet : low > GOAL;
  const cells = [
    name.padEnd(30),
    ...times.map((value) => value.toPrecision(4).padStart(9)),
    median(ratios).toFixed(3).padStart(8),
    `${low.toFixed(2)}-${high.toFixed(2)}`.padStart(11),
    (least[1]! / least[0]!).toFixed(3).padStart(8),
    isMet ? "met   " : isMissed ? "MISSED" : "open  ",
    countsOf(pairs.at(-1)!),
  ];
  return cells.join(" ");
}

/** What a call asks of the device: both sides where they differ. */
function countsOf([before, now]: Pair): string {
  const shown = (value: number): string => String(Number(value.toPrecision(4)));
  const parts = (["writes", "flushes", "bytes", "reads"] as const).map((what) => {
    const [old, own] = [shown(before[what]), shown(now[what])];
    return old === own ? own === "0" ? "" : `${own} ${what}` : `${old} -> ${own} ${what}`;
  });
  return parts.filter((part) => part !== "").join(", ");
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...Deno.args],
    options: {
      rounds: { type: "string", default: "9" },
      file: { type: "string" },
      against: { type: "string" },
    },
    allowPositionals: true,
  });
  const isAsked = (name: string): boolean =>
    positionals.length === 0 || positionals.some((word) => name.includes(word));
  const rows = ROWS.map((row) => row.name).filter(isAsked);
  const rounds = Math.ceil(Number(values.rounds) / STARTS);
  const { file, against } = values;
  const unmeasured = file === undefined ? UNMEASURED.memory : UNMEASURED.file;
  const path = (side: string): string | undefined =>
    file === undefined ? undefined : `${file}/cairn-cost-${process.pid}-${side}`;
  const measured = new Map<string, Pair[]>(rows.map((name) => [name, []]));
  for (let start = 0; start < STARTS; start++) {
    const before = new Side(against ?? HERE, against === undefined ? "plain" : "sums", path("a"));
    const now = new Side(HERE, "sums", path("b"));
    for (const name of rows) {
      for (let run = 0; run < unmeasured; run++) {
        await inTurns(before, now, { name, isSwapped: false });
      }
      for (let round = 0; round < rounds; round++) {
        measured.get(name)!.push(await inTurns(before, now, { name, isSwapped: round % 2 > 0 }));
      }
    }
    await before.end();
    await now.end();
  }
  const sides = against === undefined ? ["no sums", "sums"] : ["other", "this"];
  const heads = [
    ...sides.map((side) => side.padStart(9)),
    "   ratio",
    "  in 95 %".padEnd(11),
    "of least",
  ];
  console.log(["µs of processor time".padEnd(30), ...heads].join(" "));
  for (const [name, pairs] of measured) console.log(lineOf(name, pairs));
}

async function inTurns(
  before: Side,
  now: Side,
  { name, isSwapped }: { name: string; isSwapped: boolean },
): Promise<Pair> {
  if (!isSwapped) return [await before.measure(name), await now.measure(name)];
  const own = await now.measure(name);
  return [await before.measure(name), own];
}

if (import.meta.main) await main();
