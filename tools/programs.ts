/**
 * The one place that starts programs for tests, benches and tools. It refuses what has no row in
 * tools/needs.ts, so no test can lean on a program that a fresh machine lacks; and a shell, or what
 * else is in every Debian, sees a PATH of the listed programs alone, so neither can a script inside a
 * test. What a package brings sees the machine's PATH: it may be a script that starts others.
 *
 * The lint rule `starting/one-helper` (tools/starting.ts) keeps every other way of starting one out.
 * Playwright loads this file as CommonJS: no `import.meta` here or below.
 *
 * Use: `hostCommand("sh", { args: ["-c", script] }).outputSync()`.
 *
 * @module
 */
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import process from "node:process";
import { type Environment, findProgram, programNames, toolOf } from "./needs.ts";

/** How a program is started: as Deno.Command has it, and whose scripts it runs. */
export interface ProgramOptions extends Deno.CommandOptions {
  /** It runs scripts that others wrote: they see the machine's PATH. */
  runsOthers?: boolean;
}

/**
 * A command, not yet started. The program is a name with a row in tools/needs.ts, this Deno, or a
 * path outside the folders of the PATH: what a test has built, or a variable names.
 */
export function hostCommand(name: string, options: ProgramOptions = {}): Deno.Command {
  const { runsOthers = toolOf(name) !== undefined, env, ...rest } = options;
  const seen = { PATH: runsOthers ? hostPath() : narrowPath(), [WHOLE]: hostPath() };
  return new Deno.Command(pathOf(name), { ...rest, env: { ...env, ...seen } });
}

/** Passes the machine's PATH to the programs that we start, which may start others. */
const WHOLE = "CAIRN_HOST_PATH";

/** The machine's PATH, also in a process that was started with the narrow one. */
function hostPath(env: Environment = process.env): string {
  return env[WHOLE] ?? env.PATH ?? "";
}

/** The path of a program that may be started. Throws for a name that no row has. */
export function pathOf(name: string, env: Environment = process.env): string {
  if (name === Deno.execPath()) return name;
  if (isAbsolute(name)) return refuseSystem(name, env);
  if (!programNames().includes(name)) {
    throw new Error(`cannot start "${name}": it has no row in tools/needs.ts`);
  }
  const path = findNamed(name, env);
  if (path === null) throw new Error(`cannot find "${name}": run "deno task setup"`);
  return path;
}

/** Whether a program that has a row is there. */
export function isThere(name: string): boolean {
  if (!programNames().includes(name)) pathOf(name);
  return findNamed(name, process.env) !== null;
}

/** That very name, unless a variable names the program outright. */
function findNamed(name: string, env: Environment): string | null {
  const variable = toolOf(name)?.variable;
  const tool = { commands: [name], ...(variable === undefined ? {} : { variable }) };
  return findProgram(tool, { ...env, PATH: hostPath(env) });
}

/** A path into a folder of programs would go round the table. */
function refuseSystem(path: string, env: Environment): string {
  const folders = hostPath(env).split(delimiter);
  const isKnown = programNames().some((name) => findNamed(name, env) === path);
  if (isKnown || !folders.includes(dirname(path))) return path;
  throw new Error(`cannot start "${path}": name it, and give it a row in tools/needs.ts`);
}

function widening(path: string): string {
  const quoted = [hostPath(), path].map((text) => `'${text.replaceAll("'", `'\\''`)}'`);
  return `#!${findNamed("sh", process.env)}\nPATH=${quoted[0]} exec ${quoted[1]} "$@"\n`;
}

let narrow: string | null = null;

/**
 * A folder of the listed programs that are there; it goes when this process ends. What a package
 * brings stands there as a script that gives it the machine's PATH back.
 */
function narrowPath(): string {
  if (narrow !== null) return narrow;
  const folder = mkdtempSync(join(tmpdir(), "cairn_programs_"));
  // Programs of other users run from it too.
  chmodSync(folder, 0o755);
  for (const name of new Set(programNames())) {
    const path = findNamed(name, process.env);
    if (path === null) continue;
    if (toolOf(name) === undefined) symlinkSync(path, join(folder, name));
    else writeFileSync(join(folder, name), widening(path), { mode: 0o755 });
  }
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  globalThis.addEventListener("unload", remove);
  return narrow = folder;
}
