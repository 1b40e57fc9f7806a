/**
 * Exports of published files that nothing needs, as a stage of the gate: what only tests use is dead
 * code, and what no other file imports need not leave its file. Prints them. An entry point's exports
 * are the package's own. A test may import what its file uses itself; a type that stands in what its
 * file exports needs no importer.
 *
 * @module
 */
import { posix } from "node:path";
import { entryPoints, isGenerated, PUBLISHED, readText, sourceFiles } from "./project.ts";

/** Exports that may stay although nothing needs them, and why. An entry that is no longer needed is an error. */
export const EXCEPTIONS: Readonly<Record<string, string>> = {
  "opfs/compose/open_relays.ts#countOpened": "the soak asks what stays open",
};

/** What a file exports and what it takes from others. */
export interface Names {
  /** Values that are declared here and exported. */
  values: string[];
  /** Types and interfaces that are declared here and exported. */
  types: string[];
  /** From each file, as written: the names that are taken, `*` for all. */
  taken: { from: string; names: string[] }[];
}

const DECLARED =
  /^export (?:declare |abstract |async )*(function\*?|class|const|let|interface|type) (\w+)/gm;
const LISTED = /^export (type )?\{([^}]*)\}(?: from "([^"]+)")?;/gm;
const IMPORTED = /^import (?:type )?(?:\w+,\s*)?(?:\{([^}]*)\}|\* as \w+|\w+) from "([^"]+)";/gm;
const STARRED = /^export \* (?:as \w+ )?from "([^"]+)";/gm;
const LAZY = /\bimport\(\s*"([^"]+)"/g;

/** Reads the exports and imports of a text, as the formatter leaves them. */
export function namesOf(text: string): Names {
  const bare = text.replace(/\/\*[^]*?\*\//g, "");
  const names: Names = { values: [], types: [], taken: [] };
  for (const [, kind, name] of bare.matchAll(DECLARED)) {
    (/^(interface|type)$/.test(kind!) ? names.types : names.values).push(name!);
  }
  for (const [, isType, list, from] of bare.matchAll(LISTED)) {
    const listed = namesIn(list!);
    if (from !== undefined) names.taken.push({ from, names: listed });
    else (isType === undefined ? names.values : names.types).push(...listed);
  }
  for (const [, list, from] of bare.matchAll(IMPORTED)) {
    names.taken.push({ from: from!, names: list === undefined ? ["*"] : namesIn(list) });
  }
  for (const pattern of [STARRED, LAZY]) {
    for (const [, from] of bare.matchAll(pattern)) names.taken.push({ from: from!, names: ["*"] });
  }
  return names;
}

/** `type A, B as C` are A and B. */
function namesIn(list: string): string[] {
  return list.split(",").map((one) => one.trim().replace(/^type /, "").replace(/ as \w+$/, ""))
    .filter((one) => one !== "");
}

/** What is wrong: `PATH#NAME`, and why. */
export function findUnused(
  texts: ReadonlyMap<string, string>,
  { entries, exceptions }: {
    entries: readonly string[];
    exceptions: Readonly<Record<string, string>>;
  },
): string[] {
  const all = new Map([...texts].map(([path, text]) => [path, namesOf(text)]));
  const bySource = takenIn(all, (path) => !isTest(path));
  const byTests = takenIn(all, isTest);
  const found = new Map<string, string>();
  for (const [path, { values, types }] of all) {
    if (!isPublished(path) || entries.includes(path)) continue;
    for (const name of [...values, ...types]) {
      const key = `${path}#${name}`;
      if (bySource.has(key)) continue;
      const isUsedHere = countOf(name, texts.get(path)!) > 1;
      if (!isUsedHere) found.set(key, "is used by nothing but tests");
      else if (!byTests.has(key) && values.includes(name)) {
        found.set(key, "leaves its file in vain");
      }
    }
  }
  const needless = Object.keys(exceptions).filter((key) => !found.has(key));
  return [
    ...[...found].filter(([key]) => !(key in exceptions)).map(([key, why]) => `"${key}" ${why}`),
    ...needless.map((key) => `"${key}" needs no exception`),
  ];
}

function isTest(path: string): boolean {
  return path.startsWith("tests/");
}

function isPublished(path: string): boolean {
  return PUBLISHED.some((folder) => path.startsWith(`${folder}/`));
}

/** Which exports some files take. */
function takenIn(all: ReadonlyMap<string, Names>, isMeant: (path: string) => boolean): Set<string> {
  const taken = new Set<string>();
  for (const [path, { taken: list }] of all) {
    if (!isMeant(path)) continue;
    for (const { from, names } of list) {
      const target = from.startsWith(".") ? posix.join(posix.dirname(path), from) : from;
      const { values = [], types = [] } = all.get(target) ?? {};
      const each = names.includes("*") ? [...values, ...types] : names;
      for (const name of each) taken.add(`${target}#${name}`);
    }
  }
  return taken;
}

/** How often a text says a name, comments left out. */
function countOf(name: string, text: string): number {
  const bare = text.replace(/\/\*[^]*?\*\//g, "");
  return bare.match(new RegExp(`\\b${name}\\b`, "g"))?.length ?? 0;
}

/** The texts of this checkout. */
export function readTexts(): Map<string, string> {
  const files = sourceFiles([...PUBLISHED, "tools", "bench", "examples", "tests"]).concat("mod.ts");
  return new Map(files.filter((path) => !isGenerated(path)).map((path) => [path, readText(path)]));
}

if (import.meta.main) {
  const unused = findUnused(readTexts(), { entries: entryPoints(), exceptions: EXCEPTIONS });
  for (const one of unused) console.error(one);
  if (unused.length > 0) Deno.exit(1);
}
