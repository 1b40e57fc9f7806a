/**
 * Shell scripts over the command line, small disks, and terminals.
 *
 * Layer: tests, beside `command_line.ts`. Linux. Nothing here needs root, but a system that lets
 * only root have a mount namespace of its own makes `onFullDisk` fail, and it says so.
 *
 * @module
 */
import { assert } from "@std/assert";
import { CAIRN, command, type Ended, endedOf, MANY } from "./command_line.ts";
import { hostCommand } from "../../tools/programs.ts";

const isRoot = Deno.uid() === 0;
const FUNCTIONS = `cairn() { ${shellWords(CAIRN)} "$@"; }
many() { ${shellWords(MANY)} "$@"; }`;

/**
 * Runs a shell script on a disk of its own, which is that small, mounted at `folder` for the script
 * alone. In it `cairn` is the command line, and `many JSON` runs many (`many_lines.ts`).
 */
export function onFullDisk(
  script: string,
  { folder, diskBytes }: { folder: string; diskBytes: number },
): Ended {
  const mount = `mount -t tmpfs -o size=${diskBytes} tmpfs "$1" || exit 99`;
  const text = `${mount}\n${FUNCTIONS}\ncd "$1"\n${script}`;
  const namespace = isRoot ? ["--mount"] : ["--user", "--map-root-user", "--mount"];
  const ended = run("unshare", [...namespace, "sh", "-c", text, "sh", folder]);
  if (ended.status === 99 || /^unshare: /m.test(ended.err)) {
    throw new Error(`a small disk takes root, or user namespaces: ${ended.err}`);
  }
  return ended;
}

/** Runs a shell script in which `cairn` is the command line. */
export function inShell(script: string, cwd: string): Ended {
  return run("sh", ["-c", `${FUNCTIONS}\n${script}`], cwd);
}

/** Runs the command line on a terminal; what it says and prints comes as one text. */
export function onTerminal(args: readonly string[], cwd: string, env = {}): string {
  const line = shellWords([...CAIRN, ...args]);
  return run("script", ["-qec", line, "/dev/null"], cwd, env).out;
}

/** What is to be stopped, and when. */
export interface Stopping {
  cwd: string;
  signal: "SIGINT" | "SIGKILL";
  /** Sets the stage, before each attempt. */
  prepare(): void;
  /** Whether the work has begun and is not over. */
  isUnderWay(): boolean;
}

const ATTEMPTS = 10;

/** Starts a command line and stops it midway. One that was faster than the signal is tried again. */
export async function stopped(args: readonly string[], stopping: Stopping): Promise<Ended> {
  const { cwd, signal, prepare, isUnderWay } = stopping;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    prepare();
    const child = command(args, { cwd }).spawn();
    let isOver = false;
    const ending = child.output().finally(() => isOver = true);
    while (!isOver && !isUnderWay()) await new Promise((resolve) => setTimeout(resolve, 1));
    if (!isOver) child.kill(signal);
    const ended = endedOf(await ending);
    assert(isOver && [0, 1, 130, 137].includes(ended.status), ended.err);
    if (ended.status >= 130) return ended;
  }
  throw new Error(`"${args.join(" ")}" could not be stopped in ${ATTEMPTS} attempts`);
}

/** Whether a file is locked by a process that works on it. */
export function isLocked(path: string): boolean {
  try {
    return Deno.statSync(`${path}.lock`).size > 0;
  } catch {
    return false;
  }
}

function run(
  program: string,
  args: string[],
  cwd?: string,
  env: Record<string, string> = { NO_COLOR: "1" },
): Ended {
  return endedOf(hostCommand(program, { args, cwd, env, stdin: "null" }).outputSync());
}

function shellWords(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}
