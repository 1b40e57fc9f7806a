/**
 * Each source file has its test at the mirrored place: `fs/path.ts` → `tests/fs/path_test.ts`.
 * Part of the gate; prints what is missing. A file that has nothing to test is either recognised
 * (a barrel, a file of types, a generated one) or listed below with its reason.
 *
 * @module
 */
import { exists, isGenerated, PUBLISHED, readText, sourceFiles } from "./project.ts";

/** Files without a test of their own, and why. An entry that is no longer needed is an error. */
export const EXCEPTIONS: Readonly<Record<string, string>> = {};

/** Where the test of a source file stands. */
export function testOf(path: string): string {
  return `tests/${path.replace(/\.ts$/, "_test.ts")}`;
}

/** True if nothing of the text is left at run time but the import of other files. */
export function hasNoCode(text: string): boolean {
  const bare = text.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "");
  return statements(bare).every((line) => /^(import|interface|type|declare)\b/.test(line)) &&
    !/^import "/m.test(bare);
}

/** The first words of each statement at top level; `export … from` counts as an import. */
function statements(bare: string): string[] {
  return bare.split("\n").filter((line) => /^[a-z]/.test(line)).map((line) =>
    line.replace(/^export (\*|(type )?\{).*$/, "import").replace(/^export /, "")
  );
}

/** What is wrong with the mirror; the two functions answer for a path of the checkout. */
export function findGaps(
  paths: readonly string[],
  checkout: { exists(path: string): boolean; readText(path: string): string },
): string[] {
  const gaps: string[] = [];
  for (const path of paths) {
    if (isGenerated(path) || path in EXCEPTIONS || checkout.exists(testOf(path))) continue;
    if (!hasNoCode(checkout.readText(path))) gaps.push(`"${path}" has no "${testOf(path)}"`);
  }
  for (const path of Object.keys(EXCEPTIONS)) {
    if (!checkout.exists(path)) gaps.push(`"${path}" is gone, yet an exception names it`);
    else if (checkout.exists(testOf(path))) gaps.push(`"${path}" has a test and an exception`);
  }
  return gaps;
}

if (import.meta.main) {
  const gaps = findGaps(sourceFiles([...PUBLISHED, "tools"]), { exists, readText });
  for (const gap of gaps) console.error(gap);
  if (gaps.length > 0) Deno.exit(1);
}
