/** Numbers in two words. */
import { assertEquals } from "@std/assert";
import { highWord, joinWords, lowWord, shownIno } from "../../abi/words.ts";

Deno.test("lowWord() and highWord() take a number apart, joinWords() makes it again", () => {
  const rows = [[0, 0, 0], [7, 7, 0], [2 ** 32 - 1, 2 ** 32 - 1, 0], [2 ** 32, 0, 1], [
    3 * 2 ** 32 + 5,
    5,
    3,
  ], [2 ** 53 - 1, 2 ** 32 - 1, 2 ** 21 - 1]] as const;
  for (const [value, low, high] of rows) {
    assertEquals([lowWord(value), highWord(value)], [low, high]);
    assertEquals(joinWords(low, high), value);
  }
});

Deno.test("shownIno() is the same for every generation of a place", () => {
  assertEquals([5, 5 + 2 ** 32, 5 + 65_535 * 2 ** 32].map(shownIno), [5, 5, 5]);
});
