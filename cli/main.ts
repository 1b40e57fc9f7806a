/**
 * `cairn`: volumes and images from the command line.
 *
 * `deno run -A jsr:@cairn/fs/cli VERB ...`. One file per verb; each reads its words with `node:util`
 * parseArgs, knows `--help` and `--debug`, and ends with 0, or 1 for something that was found or left
 * out, or 2 for a failure, which is one line: what, where, why, what to do.
 *
 * @module
 */
import { existsSync } from "node:fs";
import process from "node:process";
import { isErrnoError } from "../mod.ts";
import { benchVerb } from "./verbs/bench.ts";
import { catVerb } from "./verbs/cat.ts";
import { checkVerb } from "./verbs/check.ts";
import { chmodVerb } from "./verbs/chmod.ts";
import { chownVerb } from "./verbs/chown.ts";
import { compactVerb } from "./verbs/compact.ts";
import { cpVerb } from "./verbs/cp.ts";
import { dfVerb } from "./verbs/df.ts";
import { duVerb } from "./verbs/du.ts";
import { dumpVerb } from "./verbs/dump.ts";
import { exportVerb } from "./verbs/export.ts";
import { findVerb } from "./verbs/find.ts";
import { getVerb } from "./verbs/get.ts";
import { hintFor } from "./hints.ts";
import { importVerb } from "./verbs/import.ts";
import { infoVerb } from "./verbs/info.ts";
import { lnVerb } from "./verbs/ln.ts";
import { lsVerb } from "./verbs/ls.ts";
import { mkdirVerb } from "./verbs/mkdir.ts";
import { mkfsVerb } from "./verbs/mkfs.ts";
import { mountVerb } from "./verbs/mount.ts";
import { mvVerb } from "./verbs/mv.ts";
import { putVerb } from "./verbs/put.ts";
import { rmVerb } from "./verbs/rm.ts";
import { runShell } from "./shell/shell.ts";
import { statVerb } from "./verbs/stat.ts";
import { Interrupted } from "./shared/steps.ts";
import { processTerminal, ReaderGone } from "./shared/terminal.ts";
import { touchVerb } from "./verbs/touch.ts";
import { treeVerb } from "./verbs/tree.ts";
import { truncateVerb } from "./verbs/truncate.ts";
import {
  EXIT_FAILED,
  EXIT_FOUND,
  EXIT_GOOD,
  EXIT_INTERRUPTED,
  ImageChanged,
  messageOf,
  readWords,
  type Terminal,
  UsageError,
  type Verb,
} from "./shared/verb.ts";
import { upgradeVerb } from "./verbs/upgrade.ts";
import { versionVerb } from "./verbs/version.ts";
import { printable } from "./shared/words.ts";

export type { Terminal };

const VERBS: readonly Verb[] = [
  mkfsVerb,
  infoVerb,
  lsVerb,
  statVerb,
  treeVerb,
  catVerb,
  putVerb,
  getVerb,
  cpVerb,
  mkdirVerb,
  rmVerb,
  mvVerb,
  lnVerb,
  chmodVerb,
  chownVerb,
  touchVerb,
  truncateVerb,
  findVerb,
  duVerb,
  dfVerb,
  mountVerb,
  checkVerb,
  compactVerb,
  dumpVerb,
  importVerb,
  exportVerb,
  upgradeVerb,
  benchVerb,
  versionVerb,
];

/**
 * Runs one command line, without the program's name, and returns the exit status. What it prints
 * goes to the process's own output unless `terminal` is given.
 *
 * @example
 * ```ts
 * import { main } from "@cairn/fs/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const image = `${Deno.makeTempDirSync()}/notes.cairn`;
 * assertEquals(await main(["mkfs", image]), 0);
 * assertEquals(await main(["check", image]), 0);
 * ```
 */
export async function main(
  args: readonly string[],
  terminal: Terminal = processTerminal(),
): Promise<number> {
  const [word, ...rest] = args;
  const name = word === "--version" ? versionVerb.name : word;
  const verb = VERBS.find((one) => one.name === name);
  try {
    const status = verb === undefined
      ? await without(name, { terminal, isOnly: rest.length === 0 })
      : await runVerb(verb, rest, terminal);
    return flushed(terminal, status);
  } catch (error) {
    return reportError(error, { name, isDebug: args.includes("--debug"), terminal });
  }
}

/** The status of what has been done, also when its output is read no further. */
function flushed(terminal: Terminal, status: number): number {
  try {
    terminal.flush();
  } catch (error) {
    if (!(error instanceof ReaderGone)) throw error;
  }
  return status;
}

async function runVerb(verb: Verb, args: string[], terminal: Terminal): Promise<number> {
  const { values, words } = readWords(verb, args);
  if (values.help === true) {
    terminal.print(`cairn ${verb.usage}\n\n${verb.summary}.\n\n${verb.help}`);
    return EXIT_GOOD;
  }
  const about = { name: verb.name, isDebug: values.debug === true, terminal };
  const report = (error: unknown): void => void reportError(error, about);
  return await verb.run({ words, options: values, terminal, reportError: report });
}

/** No verb, or none that is known: an image alone is a shell on it. */
async function without(
  name: string | undefined,
  { terminal, isOnly }: { terminal: Terminal; isOnly: boolean },
): Promise<number> {
  if (name === "--help" || name === "-h" || name === "help") {
    terminal.print(overview());
    return EXIT_GOOD;
  }
  if (name === undefined) throw new UsageError("a verb is missing");
  if (isOnly && isImage(name)) {
    const reportOf = (error: unknown, about: { name: string; isDebug: boolean }): number =>
      reportError(error, { ...about, terminal });
    return await runShell(name, { verbs: VERBS, terminal, reportError: reportOf });
  }
  throw new UsageError(`there is no verb "${name}"`);
}

/** A name with a dot or a slash is no misspelt verb. */
function isImage(name: string): boolean {
  return !name.startsWith("-") && (/[./]/.test(name) || existsSync(name));
}

function overview(): string {
  const width = VERBS.reduce((most, { name }) => Math.max(most, name.length), 0);
  const lines = VERBS.map((verb) => `  ${verb.name.padEnd(width)}  ${verb.summary}\n`);
  return `cairn VERB ...\ncairn IMAGE\n\n${lines.join("")}\n` +
    "`cairn IMAGE` alone is a shell on the image; `help` in there says what it has.\n" +
    "`cairn VERB --help` says more. Names that begin with a dash go after `--`.\n";
}

interface Failure {
  name: string | undefined;
  isDebug: boolean;
  terminal: Terminal;
}

/** Says what went wrong, in one line, and returns the exit status. */
function reportError(error: unknown, { name, isDebug, terminal }: Failure): number {
  if (error instanceof ReaderGone) return EXIT_GOOD;
  const who = VERBS.some((verb) => verb.name === name) ? `cairn ${name}` : "cairn";
  const hint = error instanceof UsageError ? `see "${who} --help"` : hintFor(name, rootOf(error));
  // Names are printed as `ls` prints them: a terminal must not obey them.
  terminal.say(`${who}: ${printable(messageOf(error))}${hint === "" ? "" : `; ${hint}`}`);
  if (isDebug) { for (const line of stackOf(error).split("\n")) terminal.say(printable(line)); }
  return statusOf(error);
}

function statusOf(error: unknown): number {
  if (error instanceof Interrupted) return EXIT_INTERRUPTED;
  return error instanceof ImageChanged && error.cause === undefined ? EXIT_FOUND : EXIT_FAILED;
}

/** The error that began it: the first with a code of its own. */
function rootOf(error: unknown): unknown {
  for (let at: unknown = error; at !== undefined; at = (at as { cause?: unknown } | null)?.cause) {
    if (isErrnoError(at) || typeof (at as { code?: unknown } | null)?.code === "string") return at;
  }
  return error;
}

function stackOf(error: unknown): string {
  const { stack, cause } = (error ?? {}) as { stack?: unknown; cause?: unknown };
  const own = String(stack ?? error);
  return cause === undefined ? own : `${own}\ncaused by ${stackOf(cause)}`;
}

// No reader waits for a pipe that is no longer wanted: everything has been written by now.
if (import.meta.main) process.exit(await main(process.argv.slice(2)));
