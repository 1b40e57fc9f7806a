/**
 * MEMFS against its peers: Emscripten's MEMFS, memfs and ZenFS, one table of ratios.
 *
 * Each subject runs in a process of its own, all in turns, and the median of the rounds counts.
 * Trust the ratios: absolute times move with the machine. Use: `deno run -A bench/memfs.ts [rounds]
 * [subjects]`; without subjects, all of them. ZenFS makes fewer calls, or it would take minutes.
 *
 * @module
 */
import { SUBJECTS } from "./memfs_subjects.ts";
import { WORKLOADS } from "./memfs_workloads.ts";
import { hostCommand } from "../tools/programs.ts";

interface Result {
  micros: Record<string, number>;
  set: Record<string, number>;
}

async function run(name: string): Promise<Result | null> {
  const program = new URL("./memfs_workloads.ts", import.meta.url).pathname;
  const command = hostCommand(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--no-check", program, name],
    stderr: "inherit",
  });
  const { success, stdout } = await command.output();
  return success ? JSON.parse(new TextDecoder().decode(stdout)) : null;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => index === 0 ? cell.padEnd(36) : cell.padStart(13)).join("");
}

function show(value: number): string {
  return Number.isNaN(value) ? "-" : value.toPrecision(3);
}

async function main(): Promise<void> {
  const [rounds = "3", ...asked] = Deno.args;
  const names = Object.keys(SUBJECTS).filter((name) => asked.length === 0 || asked.includes(name));
  const results = new Map<string, Result[]>(names.map((name) => [name, []]));
  for (let round = 0; round < Number(rounds); round++) {
    for (const [name, list] of results) {
      const result = await run(name);
      if (result !== null) list.push(result);
    }
  }
  const micros = (name: string, workload: string): number =>
    median((results.get(name) ?? []).map((result) => result.micros[workload] ?? NaN));
  console.log(row(["", "cairn µs", "/emscripten", "goal", "", "/memfs", "/zenfs"]));
  for (const { name, goal } of WORKLOADS) {
    const ours = micros("cairn", name);
    const ratios = ["emscripten", "memfs", "zenfs"].map((peer) => micros(peer, name) / ours);
    const verdict = goal === null ? "" : ratios[0]! >= goal ? "met" : "MISSED";
    const [first, ...others] = ratios.map(show);
    console.log(
      row([name, show(ours), first!, goal === null ? "" : `${goal}`, verdict, ...others]),
    );
  }
  console.log("\nFS.write into existing bytes, as a multiple of one set() (goal: 1.3 at most)");
  for (const size of Object.keys(results.get("cairn")?.[0]?.set ?? {})) {
    console.log(
      row([size, show(median(results.get("cairn")!.map((result) => result.set[size]!)))]),
    );
  }
}

if (import.meta.main) await main();
