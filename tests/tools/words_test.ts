/**
 * The check of plain words, on texts of each kind.
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { findWords, judge, proseOf, type Word, WORDS } from "../../tools/words.ts";

const NEVER: Word = { word: "is none", instead: '"is missing"', limit: 0 };
const RARELY: Word = { word: "behind", instead: '"after"', limit: 1 };

/** The lines where one of the two stands. */
function linesOf(path: string, text: string): number[] {
  return findWords(path, text, [NEVER, RARELY]).map(({ line }) => line);
}

Deno.test("proseOf() keeps comments and sentences, and takes out names and code", () => {
  const text = 'const behind = "behind"; // is behind\nfail("is behind", behind);\n/* a\n b */';
  const prose = proseOf("a.ts", text);
  assertEquals(prose.length, text.length);
  const lines = prose.split("\n").map((line) => line.trim());
  assertEquals(lines, ["// is behind", '"is behind"', "/* a", "b */"]);
});

Deno.test("findWords() looks into comments, messages and docs", () => {
  assertEquals(linesOf("a.ts", "let a = 1;\n// It lies behind the end.\n"), [2]);
  assertEquals(linesOf("a.ts", 'fail("there is none");\nfail(`a ${b} is\nbehind it`);'), [1, 3]);
  assertEquals(linesOf("a.md", "A page.\n\nBehind it stands another."), [3]);
});

Deno.test("findWords() finds a phrase over the end of a line, and no part of a word", () => {
  assertEquals(linesOf("a.ts", "/**\n * One that is\n * none.\n */"), [2]);
  assertEquals(linesOf("a.ts", "// behindhand, this nonesuch"), []);
});

Deno.test("findWords() leaves names, paths and code alone", () => {
  assertEquals(linesOf("a.ts", 'behind("behind", `behind.txt`); import "./behind.ts";'), []);
});

Deno.test("judge() names the places of a word that is never right", () => {
  const [wrong, ...rest] = judge(findWords("a.ts", "// x\n// is none", [NEVER]), [NEVER]);
  assertEquals(rest, []);
  assertStringIncludes(wrong!, "a.ts:2");
  assertStringIncludes(wrong!, '"is missing"');
});

Deno.test("judge() lets a word become rarer, and its limit with it", () => {
  const once = findWords("a.ts", "// behind", [RARELY]);
  assertEquals(judge(once, [RARELY]), []);
  assertStringIncludes(judge([...once, ...once], [RARELY])[0]!, "2 times, 1 at most");
  assertStringIncludes(judge([], [RARELY])[0]!, "lower its limit");
});

Deno.test("each word stands in the table once, with what to write instead", () => {
  assertEquals(new Set(WORDS.map(({ word }) => word)).size, WORDS.length);
  for (const { word, instead } of WORDS) assertEquals(instead.length > 0, true, word);
});
