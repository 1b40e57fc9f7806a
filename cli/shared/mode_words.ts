/**
 * Permissions in words: `644`, `u+x`, `go-w,a+rX`.
 *
 * Layer: cli, bottom. What POSIX's chmod understands. Who is not said means all users, less what the
 * umask takes away.
 *
 * @module
 */
import process from "node:process";
import { isDir } from "../../mod.ts";
import { UsageError } from "./verb.ts";

const CLASS_BITS: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 };
const PERMISSION: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: 0o111 };
const ALL = 0o7777;
const EXECUTE = 0o111;
const SET_IDS = 0o6000;
const STICKY = 0o1000;

/** The permission bits of a mode after the change; `mode` has its type bits. */
export function changedMode(mode: number, text: string, umask: number = process.umask()): number {
  if (/^[0-7]{1,5}$/.test(text)) return octal(mode, text);
  let bits = mode & ALL;
  for (const clause of text.split(",")) {
    const match = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(clause);
    if (match === null) throw refusal(text);
    const who = match[1]!;
    for (const [, sign, what] of match[2]!.matchAll(/([-+=])([rwxXstugo]*)/g)) {
      bits = applied(bits, { who, sign: sign!, what: what!, isFolder: isDir(mode), umask });
    }
  }
  return bits;
}

/** Up to four digits never take a directory's setuid and setgid away; a fifth says that it is meant. */
function octal(mode: number, text: string): number {
  const bits = parseInt(text, 8);
  if (bits > ALL) throw refusal(text);
  return isDir(mode) && text.length < 5 ? bits | mode & SET_IDS : bits;
}

interface Clause {
  who: string;
  sign: string;
  what: string;
  isFolder: boolean;
  umask: number;
}

function applied(bits: number, clause: Clause): number {
  const { who, sign, isFolder, umask } = clause;
  const places = who === "" ? ALL : [...who].reduce((sum, one) => sum | CLASS_BITS[one]!, 0);
  const wanted = bitsOf(bits, clause) & places & (who === "" ? ~(umask & 0o777) : ALL);
  if (sign === "+") return bits | wanted;
  if (sign === "-") return bits & ~wanted;
  // A directory keeps its setuid and setgid unless they are named.
  const cleared = isFolder ? places & ~SET_IDS : places;
  return bits & ~cleared | wanted;
}

/** What the letters stand for, in all places. */
function bitsOf(bits: number, { what, isFolder }: Clause): number {
  let wanted = 0;
  for (const letter of what) {
    if (letter in PERMISSION) wanted |= PERMISSION[letter]!;
    else if (letter === "s") wanted |= SET_IDS;
    else if (letter === "t") wanted |= STICKY;
    else if (letter === "X") wanted |= isFolder || bits & EXECUTE ? EXECUTE : 0;
    else wanted |= copied(bits, letter);
  }
  return wanted;
}

/** The permissions of one place, in all of them. */
function copied(bits: number, who: string): number {
  const shift = who === "u" ? 6 : who === "g" ? 3 : 0;
  return (bits >> shift & 7) * 0o111;
}

function refusal(text: string): UsageError {
  return new UsageError(`"${text}" is no mode: write 644, u+x or go-w,a+rX`);
}
