/**
 * Completion in the shell: verbs, paths in the volume, paths of the host.
 *
 * Layer: cli, under `shell.ts`. What cannot be looked at completes to nothing; a name comes back as it
 * has to be typed.
 *
 * @module
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type FS, isDir } from "../../mod.ts";
import { SHAPES, wholePath } from "./line.ts";
import { quoted, type Word, wordsOf } from "./words.ts";
import { visible } from "../shared/words.ts";

/** What there is to choose from. */
export interface Choices {
  /** The verbs of the shell. */
  verbs: readonly string[];
  /** The directory in the volume. */
  directory: string;
  /** The calls of the volume's files; opened when needed. */
  withFiles: <T>(work: (files: FS) => T) => T;
}

/** The ends that a line could have, and the part of it that they replace. */
export function complete(line: string, choices: Choices): [ends: string[], typed: string] {
  const words = wordsOf(line, { isOpenAllowed: true });
  const isFresh = line === "" || (/[ \t]$/.test(line) && !/\\[ \t]$/.test(line));
  const word: Word = isFresh
    ? { text: "", pattern: null, start: line.length }
    : words.at(-1) ?? { text: "", pattern: null, start: line.length };
  const typed = line.slice(word.start);
  const before = isFresh ? words : words.slice(0, -1);
  const verb = before[0]?.text;
  if (verb === undefined) {
    return [
      choices.verbs.filter((name) => name.startsWith(word.text)).map((name) => `${name} `),
      typed,
    ];
  }
  if (verb === "help") return [choices.verbs.filter((name) => name.startsWith(word.text)), typed];
  return [pathsFor(verb, { before, word: word.text, choices }).sort(), typed];
}

interface Asked {
  before: readonly Word[];
  word: string;
  choices: Choices;
}

function pathsFor(verb: string, { before, word, choices }: Asked): string[] {
  const index = before.slice(1).filter(({ text }) => !text.startsWith("-")).length;
  const kind = verb === "cd" ? "inside" : SHAPES[verb]?.kindAt(index, index + 1) ?? "text";
  if (kind === "text") return [];
  const slash = word.lastIndexOf("/") + 1;
  const [base, start] = [word.slice(0, slash), word.slice(slash)];
  try {
    const entries = kind === "inside" ? entriesInside(base, choices) : entriesOfHost(base);
    return entries
      .filter(({ name, isFolder }) => name.startsWith(start) && (verb !== "cd" || isFolder))
      .filter(({ name }) => start.startsWith(".") || !name.startsWith("."))
      // Not to be typed, and a list of names must not move the cursor.
      .filter(({ name }) => visible(name) === name)
      .map(({ name, isFolder }) => quoted(base + name) + (isFolder ? "/" : " "));
  } catch {
    return [];
  }
}

interface Entry {
  name: string;
  isFolder: boolean;
}

function entriesInside(base: string, { directory, withFiles }: Choices): Entry[] {
  const folder = wholePath(directory, base === "" ? "." : base);
  return withFiles((files) =>
    files.readdir(folder).filter((name) => name !== "." && name !== "..").map((name) => {
      const path = wholePath(folder, name);
      const found = files.findObject(path);
      return { name, isFolder: found !== null && isDir(files.stat(path).mode) };
    })
  );
}

function entriesOfHost(base: string): Entry[] {
  const folder = base === "" ? "." : base;
  return readdirSync(folder).map((name) => {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false });
    return { name, isFolder: stat?.isDirectory() === true };
  });
}
