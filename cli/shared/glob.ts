/**
 * Patterns of names: `*`, `?`, `[a-z]`, `[!a-z]`, `\` before what stands for itself.
 *
 * Layer: cli, bottom. As fnmatch reads them: "*" matches a dot and a slash, too.
 *
 * @module
 */
import { UsageError } from "./verb.ts";

/** What matches exactly the whole names that the pattern means. */
export function globPattern(
  pattern: string,
  { ignoresCase = false }: { ignoresCase?: boolean } = {},
): RegExp {
  let source = "";
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]!;
    const end = char === "[" ? classEnd(pattern, at) : -1;
    if (end > 0) {
      source += classSource(pattern.slice(at + 1, end));
      at = end;
    } else if (char === "*") source += ".*";
    else if (char === "?") source += ".";
    else source += quoted(char === "\\" && at + 1 < pattern.length ? pattern[++at]! : char);
  }
  try {
    return new RegExp(`^${source}$`, ignoresCase ? "sui" : "su");
  } catch {
    throw new UsageError(`"${pattern}" is no pattern: a range in it runs backwards`);
  }
}

/** Where the class that begins at `at` ends; -1: it does not, and "[" is itself. */
function classEnd(pattern: string, at: number): number {
  const first = /^\[[!^]?\]?/.exec(pattern.slice(at))![0].length;
  return pattern.indexOf("]", at + first);
}

function classSource(inner: string): string {
  const isNot = /^[!^]/.test(inner);
  const chars = (isNot ? inner.slice(1) : inner).replace(/[\\\]^[]/g, "\\$&");
  return `[${isNot ? "^" : ""}${chars}]`;
}

function quoted(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
