/**
 * Plain words: comments, docs and messages are in the field's everyday English, which a reader in any
 * country understands at once. The table below lists what is not, and what to say instead. A word with
 * a right use beside the wrong one ("behind" in space) has a limit: it may become rarer, never more
 * frequent, and the limit follows it down. Part of the gate.
 *
 * Use: `deno run -A tools/words.ts [WORD]`; with a word it lists the places where that word stands.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { exists, isGenerated, PUBLISHED, readText, ROOT } from "./project.ts";

/** A word that is wrong, or that is often wrong. */
export interface Word {
  /** As it is written in a sentence. */
  word: string;
  /** What to write instead. */
  instead: string;
  /** How often it may stand in the whole tree: 0 is never. */
  limit: number;
}

/** Every word that is looked for. To forbid another one, add a row. */
export const WORDS: readonly Word[] = [
  {
    word: "nobody",
    instead: '"no client", "no entry", "nothing" or a passive without an agent',
    limit: 6,
  },
  {
    word: "somebody",
    instead: 'who it is: "another client", "the caller", "a process"',
    limit: 2,
  },
  { word: "anybody", instead: 'who it is: "any client", "a caller"', limit: 0 },
  { word: "everybody", instead: 'who it is: "all clients", "every process"', limit: 0 },
  { word: "whoever", instead: '"the caller", "the client that"', limit: 0 },
  { word: "is none", instead: '"is missing", "is not a ..." or "there is no ..."', limit: 0 },
  { word: "are none", instead: '"are missing" or "there are no ..."', limit: 0 },
  {
    word: "behind",
    instead: '"after" in time and in a file; it stands for what is out of sight',
    limit: 0,
  },
  {
    word: "tell",
    instead: '"say", "report", "distinguish"; it stands for ftell and FS.tell',
    limit: 0,
  },
  { word: "told", instead: '"said", "reported", "asked"', limit: 0 },
  { word: "tells", instead: '"says", "reports", "shows"', limit: 0 },
  { word: "meanwhile", instead: '"in the meantime", "while ..." with what happens', limit: 0 },
];

/** A place where a word stands. */
export interface Place {
  /** The file, from the root of the checkout. */
  path: string;
  /** From 1. */
  line: number;
  /** The word as the table has it. */
  word: string;
}

/** These name the words that they look for. */
const OWN = ["tools/words.ts", "tests/tools/words_test.ts"];

/** A comment, or a string, in the order in which they stand in a source text. */
const PROSE =
  /\/\*[^]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[^])*`/g;

/** A text with everything that is no prose taken out; lines stay where they are. */
export function proseOf(path: string, text: string): string {
  if (!path.endsWith(".ts")) return text;
  let prose = "";
  let at = 0;
  for (const { 0: piece, index } of text.matchAll(PROSE)) {
    prose += blank(text.slice(at, index));
    prose += isSentence(piece) ? piece : blank(piece);
    at = index + piece.length;
  }
  return prose + blank(text.slice(at));
}

/** A string without a blank is a name, a path or a word of an interface. */
function isSentence(piece: string): boolean {
  return piece.startsWith("/") || piece.includes(" ");
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

/** Where one of the words stands in a text; a phrase may go over the end of a line. */
export function findWords(path: string, text: string, words: readonly Word[]): Place[] {
  const prose = proseOf(path, text);
  return words.flatMap(({ word }) =>
    [...prose.matchAll(patternOf(word))].map(({ index }) => ({
      path,
      line: prose.slice(0, index).split("\n").length,
      word,
    }))
  );
}

function patternOf(word: string): RegExp {
  return new RegExp(`\\b${word.replaceAll(" ", "[\\s*/]+")}\\b`, "gi");
}

/** What is wrong with the counts: too many, with their places, or fewer than the limit says. */
export function judge(places: readonly Place[], words: readonly Word[]): string[] {
  return words.flatMap(({ word, instead, limit }) => {
    const found = places.filter((place) => place.word === word);
    if (found.length === limit) return [];
    if (found.length < limit) {
      return [`"${word}" stands ${found.length} times: lower its limit of ${limit} in ${OWN[0]}`];
    }
    const shown = limit === 0 ? found.map(({ path, line }) => `\n  ${path}:${line}`).join("") : "";
    return [`"${word}" stands ${found.length} times, ${limit} at most: write ${instead}${shown}`];
  });
}

/** Where people write, beside what is published and the root itself. */
const FOLDERS = [...PUBLISHED, "bench", "docs", "examples", "tests", "tools"];

/** The texts of the checkout that people read. */
function texts(): string[] {
  const inside = FOLDERS.filter(exists).flatMap((folder) =>
    readdirSync(ROOT + folder, { recursive: true, encoding: "utf8" }).map((name) =>
      `${folder}/${name.replaceAll("\\", "/")}`
    )
  );
  return [...readdirSync(ROOT), ...inside].filter((path) =>
    /\.(ts|md)$/.test(path) && !isGenerated(path) && !OWN.includes(path)
  ).sort();
}

function main([wanted]: readonly string[]): void {
  const words = WORDS.filter(({ word }) => wanted === undefined || word === wanted);
  const places = texts().flatMap((path) => findWords(path, readText(path), words));
  if (wanted !== undefined) {
    for (const { path, line } of places) console.log(`${path}:${line}`);
    return;
  }
  const wrong = judge(places, words);
  for (const one of wrong) console.error(one);
  if (wrong.length > 0) Deno.exit(1);
  const counts = words.filter(({ limit }) => limit > 0).map(({ word, limit }) =>
    `${word} ${limit}`
  );
  console.log(`${words.length} words looked for; may only become rarer: ${counts.join(", ")}`);
}

if (import.meta.main) main(Deno.args);
