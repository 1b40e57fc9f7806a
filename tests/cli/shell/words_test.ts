/** A line of the shell as words. */
import { assertEquals, assertThrows } from "@std/assert";
import { quoted, wordsOf } from "../../../cli/shell/words.ts";

const texts = (line: string): string[] => wordsOf(line).map(({ text }) => text);

Deno.test("wordsOf() takes quotes, backslashes and comments as other shells do", () => {
  assertEquals(texts("  ls -l\ta "), ["ls", "-l", "a"]);
  assertEquals(texts(`a' b 'c "d \\"e\\\\ \\x" f\\ g ''`), ["a b c", 'd "e\\ \\x', "f g", ""]);
  assertEquals(texts("# nothing"), []);
  assertEquals(texts("a#b # c"), ["a#b"]);
  assertEquals(texts("end\\"), ["end\\"]);
  assertThrows(() => wordsOf("a 'b"), Error, "a quote is not closed");
  assertEquals(wordsOf("a 'b c", { isOpenAllowed: true }).at(-1)!.text, "b c");
});

Deno.test("wordsOf() takes for a pattern what was not quoted", () => {
  const patterns = wordsOf(`*.txt '*'.txt a\\*b* "[x]"?`).map(({ pattern }) => pattern);
  assertEquals(patterns, ["*.txt", null, "a\\*b*", "\\[x]?"]);
});

Deno.test("quoted() is read again as it was", () => {
  for (const name of ["a b", `it's "x"`, "*?[", "#a", "\\", "plain", "tab\there"]) {
    assertEquals(texts(quoted(name)), [name]);
  }
});
