/**
 * Volumes against their peers in a browser, one table of ratios: the engine in the calling worker,
 * `@componentor/fs` with its synchronous API in a worker, and two floors that are no file systems.
 *
 * In each round every subject has a fresh worker and a fresh store; every workload runs on all of them
 * in turns, with one sync at its end; the median of the rounds counts. Trust the ratios: absolute
 * times move with the machine. What a subject answers wrongly, or fails at, is said and not counted.
 *
 * Use: `deno run -A bench/peers.ts [--rounds=5] [--only=TEXT] [--firefox] [--componentor=FOLDER]`.
 * FOLDER is the `dist` of `@componentor/fs` 4.3.0, by default that of an `npm install` in the current
 * directory; without it the rest is measured. `--firefox` measures ours in both browsers instead.
 * CHROMIUM_BIN and FIREFOX_BIN name the browsers' programs if they are not in the PATH.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Bench, startBench } from "./peers_browser.ts";
import type { Workload } from "./peers_measure.ts";
import { MOUNTED_FILES, WORKLOADS } from "./peers_workloads.ts";

const SUBJECTS = ["cairn", "componentor", "wt", "bc"] as const;
type Subject = typeof SUBJECTS[number];

/** All that was measured: by workload and subject, a figure a round; and what went wrong. */
class Results {
  readonly #figures = new Map<string, number[]>();
  readonly #failures = new Map<string, string[]>();

  add(subject: string, workload: string, value: number): void {
    this.figures(subject, workload).push(value);
  }

  fail(subject: string, workload: string, why: string): void {
    const key = `${subject}: ${workload}: ${why}`;
    this.#failures.set(key, [...this.#failures.get(key) ?? [], why]);
  }

  figures(subject: string, workload: string): number[] {
    const key = `${subject}/${workload}`;
    const list = this.#figures.get(key) ?? [];
    this.#figures.set(key, list);
    return list;
  }

  median(subject: string, workload: string): number {
    const sorted = this.figures(subject, workload).toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? NaN;
  }

  get failures(): [string, number][] {
    return [...this.#failures].map(([what, times]) => [what, times.length]);
  }
}

/** One round: fresh stores, all workloads. */
async function round(
  bench: Bench,
  subjects: readonly string[],
  { results, only, number }: { results: Results; only: string; number: number },
): Promise<void> {
  const alive = new Set<string>();
  for (const subject of subjects) {
    const opened = await bench.ask(subject, { do: "open", subject, name: `${subject}${number}` });
    if ("error" in opened) results.fail(subject, "open", opened.error);
    else alive.add(subject);
  }
  for (const [index, { name, skip }] of WORKLOADS.entries()) {
    if (only !== "" && !name.includes(only) && !isNeeded(name)) continue;
    // What one leaves to the disk is not always the same one's burden.
    for (const subject of rotated(subjects, number + index)) {
      if (!alive.has(subject) || skip?.includes(subject)) continue;
      const answer = await bench.ask(subject, { do: "run", workload: name });
      if ("value" in answer) results.add(subject, name, answer.value);
      else {
        results.fail(subject, name, answer.error);
        alive.delete(subject);
      }
    }
  }
  for (const subject of alive) await bench.ask(subject, { do: "end" });
  for (const subject of subjects) await bench.stop(subject);
  await bench.wipe();
}

function rotated<T>(list: readonly T[], by: number): T[] {
  const first = by % list.length;
  return [...list.slice(first), ...list.slice(0, first)];
}

/** Workloads that others build upon. */
function isNeeded(name: string): boolean {
  return name.startsWith("create") || name.startsWith("random 4 KiB write");
}

const MOUNT = `mount of ${MOUNTED_FILES}, ms`;
const EMPTY_MOUNT = "mount of an empty volume, ms";

/** Mounts of a full and of an empty store, each in a worker that has just started. */
async function mounts(bench: Bench, subjects: readonly string[], results: Results): Promise<void> {
  for (const subject of subjects.filter((name) => name === "cairn" || name === "componentor")) {
    const [full, empty] = [`full ${subject}`, `empty ${subject}`];
    const made = await bench.ask("maker", { do: "mount", subject, name: full, files: 0 });
    const filled = "error" in made ? made : await bench.ask("maker", { do: "fill" });
    if ("error" in filled) results.fail(subject, MOUNT, filled.error);
    await bench.ask("maker", { do: "end" });
    await bench.stop("maker");
    for (const [name, workload] of [[empty, null], [full, MOUNT], [empty, EMPTY_MOUNT]] as const) {
      const files = name === full ? MOUNTED_FILES : 0;
      const answer = await bench.ask(subject, { do: "mount", subject, name, files });
      if ("error" in answer) results.fail(subject, workload ?? EMPTY_MOUNT, answer.error);
      else if (workload !== null) results.add(subject, workload, answer.value);
      await bench.ask(subject, { do: "end" });
      await bench.stop(subject);
    }
  }
  await bench.wipe();
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => index === 0 ? cell.padEnd(36) : cell.padStart(12)).join("");
}

function show(value: number): string {
  return Number.isNaN(value) ? "-" : value >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}

function verdict(isMet: boolean): string {
  return isMet ? "met" : "MISSED";
}

/** The bounds of a workload as text, with what was measured. */
function guardText(workload: Workload, results: Results): string {
  const of = (subject: string, name = workload.name) => results.median(subject, name);
  return (workload.guards ?? []).map(({ what, value, atMost, atLeast }) => {
    const found = value(of);
    const bound = atMost === undefined ? `>= ${atLeast}` : `<= ${atMost}`;
    const isMet = found <= (atMost ?? Infinity) && found >= (atLeast ?? -Infinity);
    return `${show(found)} ${what} (${bound}) ${verdict(isMet)}`;
  }).join(", ");
}

function print(results: Results): void {
  console.log(row(["µs a call", ...SUBJECTS, "ratio", "goal", ""]) + "   guard");
  for (const workload of WORKLOADS) {
    const { name, goal } = workload;
    if (results.figures("cairn", name).length === 0) continue;
    const micros = SUBJECTS.map((subject) => results.median(subject, name));
    const ratio = micros[1]! / micros[0]!;
    const met = goal === null || Number.isNaN(ratio) ? "" : verdict(ratio >= goal);
    const cells = [name, ...micros.map(show), show(ratio), goal === null ? "" : `${goal}`, met];
    console.log(row(cells) + "   " + guardText(workload, results));
  }
  for (const name of [MOUNT, EMPTY_MOUNT]) {
    const [ours, theirs] = [results.median("cairn", name), results.median("componentor", name)];
    if (Number.isNaN(ours)) continue;
    const goals = name === MOUNT ? ["4", verdict(!(theirs / ours < 4))] : ["", ""];
    console.log(row([name, show(ours), show(theirs), "", "", show(theirs / ours), ...goals]));
  }
  for (const [what, times] of results.failures) console.log(`failed, ${times} times: ${what}`);
}

function printBrowsers(chromium: Results, firefox: Results): void {
  console.log(row(["µs a call", "Chromium", "Firefox", "ratio", "goal", ""]));
  for (const { name } of WORKLOADS) {
    const [one, other] = [chromium, firefox].map((results) => results.median("cairn", name));
    const ratio = other! / one!;
    if (Number.isNaN(ratio)) continue;
    console.log(row([name, show(one!), show(other!), show(ratio), "<= 4", verdict(ratio <= 4)]));
  }
  for (const [what, times] of [...chromium.failures, ...firefox.failures]) {
    console.log(`failed, ${times} times: ${what}`);
  }
}

/** Ours in both browsers, in turns. */
async function compareBrowsers(rounds: number, only: string): Promise<void> {
  const benches = [await startBench("Chromium", null), await startBench("Firefox", null)];
  const results = benches.map(() => new Results());
  try {
    for (let number = 0; number < rounds; number++) {
      for (const [index, bench] of benches.entries()) {
        await round(bench, ["cairn"], { results: results[index]!, only, number });
      }
    }
  } finally {
    for (const bench of benches) await bench.close();
  }
  printBrowsers(results[0]!, results[1]!);
}

/** All subjects in Chromium. */
async function comparePeers(rounds: number, only: string, folder: string | null): Promise<void> {
  const subjects = SUBJECTS.filter((name: Subject) => name !== "componentor" || folder !== null);
  if (folder === null) console.log("@componentor/fs is not there: see the head of bench/peers.ts");
  const bench = await startBench("Chromium", folder);
  const results = new Results();
  try {
    for (let number = 0; number < rounds; number++) {
      await round(bench, subjects, { results, only, number });
      if (only === "" || "mount".includes(only)) await mounts(bench, subjects, results);
    }
  } finally {
    await bench.close();
  }
  print(results);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      rounds: { type: "string", default: "5" },
      only: { type: "string", default: "" },
      firefox: { type: "boolean", default: false },
      componentor: { type: "string", default: "node_modules/@componentor/fs/dist" },
    },
  });
  const { rounds, only, firefox, componentor } = values;
  if (firefox) return await compareBrowsers(Number(rounds), only);
  await comparePeers(Number(rounds), only, existsSync(componentor) ? componentor : null);
}

if (import.meta.main) await main();
