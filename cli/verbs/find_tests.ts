/**
 * What `cairn find` asks of each entry.
 *
 * Layer: cli, under `find.ts`. Each option becomes one question; an entry is found if all say yes.
 *
 * @module
 */
import { isDir, isFile } from "../../mod.ts";
import { globPattern } from "../shared/glob.ts";
import type { Found } from "../shared/image.ts";
import { type Call, UsageError } from "../shared/verb.ts";
import { typeName } from "../shared/words.ts";

/** What an entry is asked. */
export type Question = (found: Found, isEmpty: () => boolean) => boolean;

const TYPES: Readonly<Record<string, string>> = {
  f: "file",
  d: "dir",
  l: "symlink",
  p: "fifo",
  s: "socket",
  c: "char",
  b: "block",
};
const SIZE_UNITS: Readonly<Record<string, number>> = {
  c: 1,
  b: 512,
  "": 512,
  k: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
};
const DAY_MS = 86_400_000;

/** Each test by its option; `nowMs` is what ages are counted from. */
const MAKERS: Readonly<Record<string, (text: string, nowMs: number) => Question>> = {
  name: (text) => matching(text, lastOf),
  iname: (text) => matching(text, lastOf, true),
  path: (text) => matching(text, ({ path }) => path),
  type: ofType,
  size: ofSize,
  mtime: ofAge,
  perm: ofMode,
  uid: (text) => counted("uid", text, ({ attr }) => attr.uid),
  gid: (text) => counted("gid", text, ({ attr }) => attr.gid),
  links: (text) => counted("links", text, ({ attr }) => attr.nlink),
};

/** The questions that the options mean. */
export function questionsOf(options: Call["options"], nowMs: number): Question[] {
  const questions: Question[] = [];
  for (const [name, make] of Object.entries(MAKERS)) {
    const text = options[name];
    if (typeof text === "string") questions.push(make(text, nowMs));
  }
  if (options.empty === true) questions.push((_found, isEmpty) => isEmpty());
  return questions;
}

/** The last name of where an entry is; "/" for the root. */
function lastOf({ path }: Found): string {
  const bare = path.replace(/\/+$/, "");
  return bare === "" ? "/" : bare.slice(bare.lastIndexOf("/") + 1);
}

function matching(text: string, of: (found: Found) => string, ignoresCase = false): Question {
  const pattern = globPattern(text, { ignoresCase });
  return (found) => pattern.test(of(found));
}

function ofType(text: string): Question {
  const names = text.split(",").map((letter) => {
    const name = TYPES[letter];
    if (name === undefined) throw new UsageError(`-type is "${letter}" and none of fdlpscb`);
    return name;
  });
  return ({ attr }) => names.includes(typeName(attr.mode));
}

/** Sizes are rounded up to the unit before they are compared. */
function ofSize(text: string): Question {
  const match = /^([-+]?)(\d+)([cbkMG]?)$/.exec(text);
  if (match === null) throw new UsageError(`-size is "${text}": write [+-]N and c, k, M or G`);
  const unit = SIZE_UNITS[match[3]!]!;
  const holds = comparison(match[1]!, Number(match[2]));
  return ({ attr }) => holds(Math.ceil(attr.size / unit));
}

/** Whole days since the last change of contents. */
function ofAge(text: string, nowMs: number): Question {
  return counted("mtime", text, ({ attr }) => Math.floor((nowMs - attr.mtime) / DAY_MS));
}

function ofMode(text: string): Question {
  const match = /^([-/]?)([0-7]{1,4})$/.exec(text);
  if (match === null) throw new UsageError(`-perm is "${text}": write octal, with - or / before`);
  const bits = parseInt(match[2]!, 8);
  if (match[1] === "-") return ({ attr }) => (attr.mode & bits) === bits;
  if (match[1] === "/") return ({ attr }) => bits === 0 || (attr.mode & bits) !== 0;
  return ({ attr }) => (attr.mode & 0o7777) === bits;
}

function counted(name: string, text: string, of: (found: Found) => number): Question {
  const match = /^([-+]?)(\d+)$/.exec(text);
  if (match === null) throw new UsageError(`-${name} is "${text}": write N, +N or -N`);
  const holds = comparison(match[1]!, Number(match[2]));
  return (found) => holds(of(found));
}

/** `+N` more, `-N` less, `N` just so many. */
function comparison(sign: string, bound: number): (value: number) => boolean {
  if (sign === "+") return (value) => value > bound;
  if (sign === "-") return (value) => value < bound;
  return (value) => value === bound;
}

/** Whether an entry has nothing in it; other than files and directories have no inside. */
export function isEmptyEntry({ attr }: Found, hasNames: () => boolean): boolean {
  return isDir(attr.mode) ? !hasNames() : isFile(attr.mode) && attr.size === 0;
}
