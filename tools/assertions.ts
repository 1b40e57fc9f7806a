/**
 * How many assertions the source has: calls of `invariant` for each 100 lines of code, comments and
 * blank lines left out, by folder and for the files that have the fewest. Printed by the gate, so that
 * a drift shows; the engine's goal is 3, the relay's 2.
 *
 * Use: `deno run tools/assertions.ts [FOLDER...]`.
 *
 * @module
 */
import { dirname } from "node:path";
import { isGenerated, readText, sourceFiles } from "./project.ts";

/** What is counted of a text. */
export interface Tally {
  /** Calls of `invariant`. */
  assertions: number;
  /** Lines that hold more than blanks and comments. */
  codeLines: number;
}

/** Folders that are looked at when none is named. */
const FOLDERS = ["abi", "fs", "node_ops", "stream_ops", "opfs"];

/** Counts one text. Comments inside of strings are rare enough to be taken for comments. */
export function tally(text: string): Tally {
  const bare = text.replace(/\/\*[^]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
  return {
    assertions: bare.match(/(?<!function )\binvariant\(/g)?.length ?? 0,
    codeLines: bare.split("\n").filter((line) => line.trim() !== "").length,
  };
}

/** Assertions for each 100 lines of code, to one digit. */
export function rate({ assertions, codeLines }: Tally): string {
  return codeLines === 0 ? "0.0" : (assertions * 100 / codeLines).toFixed(1);
}

/** The tallies of some texts in one. */
export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce((all, one) => ({
    assertions: all.assertions + one.assertions,
    codeLines: all.codeLines + one.codeLines,
  }), { assertions: 0, codeLines: 0 });
}

/** The tallies of files under the name of their folder, and under "all". */
export function byFolder(files: ReadonlyMap<string, Tally>): Map<string, Tally> {
  const folders = new Map<string, Tally>();
  for (const [path, one] of files) {
    const folder = dirname(path);
    folders.set(folder, sum([folders.get(folder) ?? { assertions: 0, codeLines: 0 }, one]));
  }
  return folders.set("all", sum([...files.values()]));
}

function line(name: string, one: Tally): string {
  return `${rate(one).padStart(5)}  ${name} (${one.assertions} in ${one.codeLines} lines)`;
}

function main(folders: readonly string[]): void {
  const paths = sourceFiles(folders.length === 0 ? FOLDERS : folders);
  const files = new Map(
    paths.filter((path) => !isGenerated(path)).map((path) => [path, tally(readText(path))]),
  );
  for (const [folder, one] of byFolder(files)) console.log(line(folder, one));
  const poorest = [...files].filter(([, one]) => one.codeLines >= 60)
    .sort(([, a], [, b]) => Number(rate(a)) - Number(rate(b))).slice(0, 5);
  console.log("the files with the fewest:");
  for (const [path, one] of poorest) console.log(line(path, one));
}

if (import.meta.main) main(Deno.args);
