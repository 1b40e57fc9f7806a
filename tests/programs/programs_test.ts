/** The helpers of this suite: what they say when a compiler is missing or a program repeats itself. */
import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { byName, command } from "./programs.ts";

Deno.test("command() refuses a program that nothing installs", async () => {
  const error = await assertRejects(() => command("cairn-has-no-such-tool", []), Error);
  assertStringIncludes(error.message, "it has no row in tools/needs.ts");
});

Deno.test("command() shows what a failing tool said", async () => {
  const error = await assertRejects(() => command("sh", ["-c", "echo broken; exit 3"]), Error);
  assertStringIncludes(error.message, "broken");
});

Deno.test("byName() refuses a name that comes twice", () => {
  assertEquals([...byName(["a: 1", "b: c: d"])], [["a", "1"], ["b", "c: d"]]);
  assertThrows(() => byName(["a: 1", "a: 2"]), Error, 'the program says "a" twice');
});
