/**
 * The name table as it grows: looking up a name that is there, one that is not, and making one, with
 * 10,000, 100,000 and 1,000,000 names in MEMFS.
 *
 * Prints ns per call, and how many times as long as with 10,000 names: the goal is 1.5 at most for
 * the same 500 names again and again, where only the table's size differs. Beside it stand other
 * names each time, in order and at random: with a million of them the processor's caches hold none,
 * and the goal is to pay no more for that than a bare `Map` from paths to numbers.
 * Use: `deno run -A bench/names.ts [rounds]`.
 *
 * @module
 */
import { createFS, type FS, MEMFS } from "../mod.ts";

const SIZES = [10_000, 100_000, 1_000_000];
const PER_DIRECTORY = 100;
const CALLS = 10_000;
/** As many as the caches of a processor hold with all that belongs to them. */
const FEW = 500;

/** ns per call of each question. */
type Times = Record<string, number>;

function directoryOf(index: number): string {
  const directory = Math.floor(index / PER_DIRECTORY);
  return `/${Math.floor(directory / PER_DIRECTORY)}/${directory}`;
}

function pathOf(index: number): string {
  return `${directoryOf(index)}/file${index}`;
}

function fill(count: number): FS {
  const fs = createFS({ root: { type: MEMFS, options: {} }, maxNodes: 2 ** 24 });
  for (let index = 0; index < count; index++) {
    if (index % PER_DIRECTORY === 0) fs.mkdirTree(directoryOf(index));
    fs.create(pathOf(index));
  }
  return fs;
}

/** Which names are visited: always the same few, neighbours from a random start, or any. */
const ORDERS = ["again", "in order", "random"] as const;

function places(count: number, order: typeof ORDERS[number]): number[] {
  const start = Math.floor((order === "again" ? 0.5 : Math.random()) * (count - CALLS));
  return Array.from({ length: CALLS }, (_, index) => {
    if (order === "random") return Math.floor(Math.random() * count);
    return start + (order === "again" ? index % FEW : index);
  });
}

/** ns per path; the paths are made before the clock runs. */
function time(paths: readonly string[], call: (path: string) => unknown): number {
  const start = performance.now();
  for (const path of paths) call(path);
  return (performance.now() - start) * 1e6 / paths.length;
}

function missing(fs: FS, path: string): void {
  if (fs.analyzePath(path).exists) throw new Error(`"${path}" is there`);
}

/** Paths as a program has them: one piece of text, not a join that is still to be made. */
function pathsOf(indexes: readonly number[], more = ""): string[] {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  return indexes.map((index) => decoder.decode(encoder.encode(pathOf(index) + more)));
}

function measure(fs: FS, bare: Map<string, number>, count: number): Times {
  const times: Times = {};
  for (const order of ORDERS) {
    const indexes = places(count, order);
    const [paths, others] = [pathsOf(indexes), pathsOf(indexes, "x")];
    if (order === "again") paths.slice(0, FEW).forEach((path) => fs.lstat(path));
    times[`hit, ${order}`] = time(paths, (path) => fs.lstat(path));
    times[`miss, ${order}`] = time(others, (path) => missing(fs, path));
    times[`make and remove, ${order}`] = time(others, (path) => {
      fs.create(path);
      fs.unlink(path);
    });
    times[`a bare Map, ${order}`] = time(paths, (path) => bare.get(path));
  }
  return times;
}

function best(rounds: readonly Times[], question: string): number {
  return Math.min(...rounds.map((times) => times[question]!));
}

function main(): void {
  const rounds = Number(Deno.args[0] ?? 15);
  const table = SIZES.map((count) => {
    const fs = fill(count);
    const bare = new Map(Array.from({ length: count }, (_, index) => [pathOf(index), index]));
    console.error(`${count} names: chains ${JSON.stringify(fs.names.chains())}`);
    return Array.from({ length: rounds }, () => measure(fs, bare, count));
  });
  console.log(
    `${"ns per call".padEnd(28)}${SIZES.map((n) => `${n}`.padStart(10)).join("")}   ratio`,
  );
  for (const question of Object.keys(table[0]![0]!)) {
    const values = table.map((results) => best(results, question));
    const ratio = values.at(-1)! / values[0]!;
    const cells = values.map((value) => value.toFixed(0).padStart(10)).join("");
    const verdict = question.includes("again") && !question.startsWith("a bare")
      ? ratio <= 1.5 ? "met" : "MISSED"
      : "";
    console.log(`${question.padEnd(28)}${cells}${ratio.toFixed(2).padStart(8)} ${verdict}`);
  }
}

if (import.meta.main) main();
