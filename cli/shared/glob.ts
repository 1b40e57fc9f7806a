/**
 * Patterns of names: `*`, `?`, `[a-z]`, `[!a-z]`, `\` before what stands for itself.
 *
 * Layer: cli, bottom. As fnmatch reads them: "*" matches a dot and a slash, too.
 *
 * @module
 */
import { UsageError } from "./verb.ts";

/** A pattern that has been read. */
export interface Glob {
  /** Whether a whole name is what the pattern means. */
  test(name: string): boolean;
}

/** What one character must be; null: any characters, however many. */
type Part = ((char: string) => boolean) | null;

/** Reads a pattern. */
export function globPattern(
  pattern: string,
  { ignoresCase = false }: { ignoresCase?: boolean } = {},
): Glob {
  const flags = ignoresCase ? "sui" : "su";
  const parts: Part[] = [];
  const letters = [...pattern];
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at]!;
    const end = letter === "[" ? classEnd(letters, at) : -1;
    if (letter === "*") parts.push(null);
    else if (letter === "?") parts.push(() => true);
    else if (end > 0) {
      parts.push(charTest(classSource(letters.slice(at + 1, end).join("")), flags, pattern));
      at = end;
    } else {
      const plain = letter === "\\" && at + 1 < letters.length ? letters[++at]! : letter;
      parts.push(ignoresCase ? charTest(quoted(plain), flags, pattern) : (char) => char === plain);
    }
  }
  return { test: (name) => matches(parts, [...name]) };
}

function charTest(source: string, flags: string, pattern: string): (char: string) => boolean {
  try {
    const test = new RegExp(`^${source}$`, flags);
    return (char) => test.test(char);
  } catch {
    throw new UsageError(`"${pattern}" is no pattern: a range in it runs backwards`);
  }
}

/**
 * From left to right; after a mismatch the last "*" takes one character more. An earlier one never has
 * to: so the cost is at most length times length, whatever stands in the pattern.
 */
function matches(parts: readonly Part[], name: readonly string[]): boolean {
  let [part, at, star, taken] = [0, 0, -1, 0];
  while (at < name.length) {
    const test = parts[part];
    if (test === null) [star, taken, part] = [part, at, part + 1];
    else if (test?.(name[at]!) === true) [part, at] = [part + 1, at + 1];
    else if (star >= 0) [part, at] = [star + 1, ++taken];
    else return false;
  }
  return parts.slice(part).every((test) => test === null);
}

/** Where the class that begins at `at` ends; -1: it does not, and "[" is itself. */
function classEnd(letters: readonly string[], at: number): number {
  const first = /^\[[!^]?\]?/.exec(letters.slice(at, at + 3).join(""))![0].length;
  return letters.indexOf("]", at + first);
}

function classSource(inner: string): string {
  const isNot = /^[!^]/.test(inner);
  const chars = (isNot ? inner.slice(1) : inner).replace(/[\\\]^[]/g, "\\$&");
  return `[${isNot ? "^" : ""}${chars}]`;
}

function quoted(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
