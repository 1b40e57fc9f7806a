/**
 * Patterns of names.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { globPattern } from "../../../cli/shared/glob.ts";
import { UsageError } from "../../../cli/shared/verb.ts";

Deno.test("globPattern() matches what fnmatch matches", () => {
  const rows: [pattern: string, matching: string[], other: string[]][] = [
    ["*.jpg", ["a.jpg", ".jpg", "a/b.jpg", "a\n.jpg"], ["a.jpgx", "ajpg", "a.JPG"]],
    ["?", ["a", "ü", "😀", "\n"], ["", "ab"]],
    ["[a-c]x", ["ax", "cx"], ["dx", "-x"]],
    ["[!a-c]", ["d", "!"], ["a"]],
    ["[^a]", ["b"], ["a"]],
    ["[]x]", ["]", "x"], ["[", "[]x]"]],
    ["[a\\]", ["a", "\\"], ["]"]],
    ["[&&]", ["&"], ["a"]],
    ["[abc", ["[abc"], ["a"]],
    ["\\*\\[", ["*["], ["a["]],
    ["a\\", ["a\\"], ["a"]],
    ["a.b(c)|{d}$^+/-", ["a.b(c)|{d}$^+/-"], ["axb(c)|{d}$^+/-"]],
    ["", [""], ["a"]],
  ];
  for (const [pattern, matching, other] of rows) {
    const found = [...matching, ...other].filter((name) => globPattern(pattern).test(name));
    assertEquals(found, matching, pattern);
  }
});

Deno.test("globPattern() can look past large and small letters", () => {
  assertEquals(globPattern("*.Jpg", { ignoresCase: true }).test("A.jPG"), true);
});

Deno.test("globPattern() refuses a range that runs backwards", () => {
  assertThrows(() => globPattern("[z-a]"), UsageError, '"[z-a]" is no pattern');
});

Deno.test("globPattern() does not try every way to divide a name among its stars", () => {
  const name = "a".repeat(255);
  assertEquals(globPattern(`${"*a".repeat(30)}b`).test(name), false);
  assertEquals(globPattern(`${"*a".repeat(30)}*`).test(name), true);
  assertEquals(globPattern("*?[a]*\\a**").test("aab"), false);
  assertEquals(globPattern("*?[a]*\\a**").test("xaxab"), true);
});
