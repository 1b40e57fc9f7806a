/**
 * What a workload of the long mount suite is: a program, or several, that people trust their files
 * with, run on a mounted volume.
 */
import { isThere } from "../../../tools/programs.ts";
import { type Place, run as runProgram, type RunOptions, type Server } from "../mounted.ts";

/** One workload. */
export interface Workload {
  /** What it is called. */
  name: string;
  /** Programs that have to be installed. */
  programs: readonly string[];
  /** A variable that names something from outside this checkout, and what that is. */
  outside?: { variable: string; what: string };
  /** Whether it takes root. */
  asRoot?: boolean;
  /** Whether it mounts and unmounts by itself. */
  mountsItself?: boolean;
  /** What else may stand in the way; null if nothing does. */
  whyNot?(): string | null;
  /** Options of `cairn mount`. */
  flags?: readonly string[];
  /** Does it, and says what was done. */
  run(site: Site): Promise<string>;
  /** Whether the server may be killed in the middle of it. */
  isVictim?: boolean;
  /** After such a kill, on the mounted volume: what has to be right in the folder it worked in. */
  verifyKilled?(directory: string): Promise<void>;
}

/** Where a workload works. */
export interface Site extends Place {
  /** What serves the mount; undefined for a workload that mounts by itself, and for a victim. */
  server: Server;
  /** A folder beside the mount, on the host. */
  host: string;
  /** The value of the workload's variable. */
  outside: string;
  /** How much is done: 1 in the ordinary form, more in the long one. */
  scale: number;
}

/** Why a workload cannot run here; null if it can. */
export function whyNot(workload: Workload): string | null {
  const { programs, outside, asRoot = false } = workload;
  const missing = programs.filter((program) => !isThere(program));
  if (missing.length > 0) return `not installed: ${missing.join(", ")}`;
  if (asRoot && Deno.uid() !== 0) return "it takes root";
  if (outside !== undefined && outsideOf(workload) === "") {
    return `${outside.variable} does not name ${outside.what}`;
  }
  return workload.whyNot?.() ?? null;
}

/** What a workload's variable names, "" for nothing. */
export function outsideOf({ outside }: Workload): string {
  return outside === undefined ? "" : Deno.env.get(outside.variable) ?? "";
}

/** Runs a program that must succeed; returns what it printed. */
export async function must(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, output } = await runProgram(command, options);
  if (code !== 0) {
    throw new Error(`${command.join(" ")} ended with ${code}:\n${output.slice(-3000)}`);
  }
  return output;
}

/** Numbers that look random and are the same each time. */
export function* numbers(seed: number): Generator<number, never, void> {
  let state = seed >>> 0;
  for (;;) {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    yield state >>> 8;
  }
}

/** Text of about `length` characters. */
export function textOf(random: Generator<number>, length: number): string {
  let text = "";
  while (text.length < length) {
    const { value } = random.next();
    text += (value % 11 === 0 ? "\n" : "") + (value as number).toString(36) + " ";
  }
  return text;
}
