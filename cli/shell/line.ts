/**
 * What a line of the shell means: a verb, with the image put in and the paths made whole.
 *
 * Layer: cli, under `shell.ts`. The verbs are those of the command line and know nothing of it. Which
 * of a verb's words are paths in the volume stands in the table; they begin where the shell is.
 *
 * @module
 */
import { basename } from "node:path";
import type { FS } from "../../mod.ts";
import { isDir } from "../../mod.ts";
import { globPattern } from "../shared/glob.ts";
import { type Call, UsageError } from "../shared/verb.ts";
import type { Word } from "./words.ts";

/** What a word of a verb is. */
export type WordKind = "inside" | "host" | "text";

/** How a verb's words are taken. */
export interface VerbShape {
  /** The kind of the word at an index, the image not counted. */
  kindAt(index: number, count: number): WordKind;
  /** Whether, without words, it is about the place where the shell is. */
  takesPlace?: boolean;
  /** Whether it matters to it that a path ends with a dot. */
  heedsDots?: boolean;
  /** How many words are as they were said although they look like a pattern. */
  fixed?: number;
}

const INSIDE: VerbShape = { kindAt: () => "inside" };
const TAKING: VerbShape = { kindAt: () => "inside", heedsDots: true };
const HERE: VerbShape = { kindAt: () => "inside", takesPlace: true };
const TEXT: VerbShape = { kindAt: () => "text" };
const MODE_FIRST: VerbShape = { kindAt: (index) => index === 0 ? "text" : "inside", fixed: 1 };
const HOST: VerbShape = { kindAt: () => "host" };

/** The verbs of the command line that the shell has, too. */
export const SHAPES: Readonly<Record<string, VerbShape>> = {
  ls: HERE,
  du: HERE,
  find: HERE,
  cat: INSIDE,
  stat: INSIDE,
  mkdir: INSIDE,
  rm: TAKING,
  mv: TAKING,
  touch: INSIDE,
  truncate: INSIDE,
  cp: TAKING,
  ln: INSIDE,
  chmod: MODE_FIRST,
  chown: MODE_FIRST,
  put: { kindAt: (index) => index === 0 ? "host" : "inside" },
  get: { kindAt: (index) => index === 0 ? "inside" : "host" },
  export: HOST,
  dump: TEXT,
  tree: TEXT,
  df: TEXT,
  info: TEXT,
  check: TEXT,
  compact: TEXT,
};

/** Where the shell is. */
export interface Place {
  /** The image. */
  image: string;
  /** The directory in it. */
  directory: string;
}

/** A path as the shell means it: from where it is, without dots. */
export function wholePath(directory: string, path: string): string {
  const parts: string[] = [];
  for (const part of `${path.startsWith("/") ? "" : directory}/${path}`.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  const end = path.endsWith("/") && parts.length > 0 ? "/" : "";
  return `/${parts.join("/")}${end}`;
}

/**
 * A path as a verb gets it. What leads up from where the shell is goes by names, as `cd` does; after a
 * name ".." is left to the volume, since the name may be a link. Where a verb takes away or copies what
 * a path names, a "." or ".." at the end stays one: no verb removes the place where the shell is.
 */
function insidePath(directory: string, path: string, { heedsDots = false }: VerbShape): string {
  if (path === "") return path;
  const [up, rest] = [/^(\.{1,2}(\/+|$))*/.exec(path)![0], path.replace(/^(\.{1,2}(\/+|$))*/, "")];
  const base = path.startsWith("/") ? "/" : wholePath(directory, up.replace(/\/+$/, ""));
  const parts = rest.split("/").filter((part) => part !== "" && part !== ".");
  const whole = `${base === "/" ? "" : base}/${parts.join("/")}`.replace(/(?<=.)\/$/, "");
  if (heedsDots && /(^|\/)\.{1,2}\/*$/.test(path)) {
    return parts.at(-1) === ".." ? whole : `${whole}/.`;
  }
  return path.endsWith("/") && whole !== "/" ? `${whole}/` : whole;
}

/** The words of a call as the verb wants them: paths whole, and the image where it belongs. */
export function callWords(
  name: string,
  words: readonly string[],
  { place, options }: { place: Place; options: Call["options"] },
): string[] {
  const { image, directory } = place;
  const shape = SHAPES[name]!;
  const whole = (path: string): string => insidePath(directory, path, shape);
  if (name === "cp") return words.map((path) => `${image}:${whole(path)}`);
  if (name === "ln" && options.symbolic === true) return [image, words[0]!, whole(words[1] ?? "")];
  if (name === "put" && words[0] === "-") throw new UsageError("put - takes no input in here");
  if (name === "put" && words.length === 1) return [image, words[0]!, whole(basename(words[0]!))];
  if (words.length === 0 && shape.takesPlace === true) return [image, directory];
  return [
    image,
    ...words.map((word, index) =>
      shape.kindAt(index, words.length) === "inside" ? whole(word) : word
    ),
  ];
}

/** Replaces patterns by the names that match, sorted; one that matches nothing stays as it is. */
export function expand(words: readonly Word[], directory: string, files: () => FS): string[] {
  return words.flatMap(({ text, pattern }) => {
    if (pattern === null || text.startsWith("-")) return [text];
    const found = matches(pattern, directory, files());
    // A file called "-r" is a name here, and no option.
    return found.length === 0 ? [text] : found.map((name) => name.replace(/^(?=-)/, "./"));
  });
}

function matches(pattern: string, directory: string, files: FS): string[] {
  let found = [pattern.startsWith("/") ? "/" : ""];
  for (const part of pattern.split("/").filter((one) => one !== "")) {
    found = found.flatMap((base) => below(base, part, { directory, files }));
  }
  return found;
}

function below(
  base: string,
  part: string,
  { directory, files }: { directory: string; files: FS },
): string[] {
  const join = (name: string): string =>
    base === "" || base.endsWith("/") ? base + name : `${base}/${name}`;
  if (!/(?<!\\)(\\\\)*[*?[]/.test(part)) return [join(part.replace(/\\(.)/g, "$1"))];
  const folder = insidePath(directory, base === "" ? "." : base, INSIDE);
  const found = files.findObject(folder);
  if (found === null || !isDir(files.stat(folder).mode)) return [];
  const test = globPattern(part);
  const isDotted = part.startsWith(".");
  return files.readdir(folder)
    .filter((name) => name !== "." && name !== ".." && (isDotted || !name.startsWith(".")))
    .filter((name) => test.test(name)).sort().map(join);
}
