/** The helpers of this suite: what they say when a compiler is missing or a program repeats itself. */
import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { byName, command } from "./programs.ts";

Deno.test("command() names the suite and the remedy when a tool is missing", async () => {
  const error = await assertRejects(() => command("cairn-has-no-such-tool", []), Error);
  assertEquals(
    error.message,
    'suite "programs" needs "cairn-has-no-such-tool": run "deno task setup"',
  );
});

Deno.test("command() shows what a failing tool said", async () => {
  const error = await assertRejects(() => command("sh", ["-c", "echo broken; exit 3"]), Error);
  assertStringIncludes(error.message, "broken");
});

Deno.test("byName() refuses a name that comes twice", () => {
  assertEquals([...byName(["a: 1", "b: c: d"])], [["a", "1"], ["b", "c: d"]]);
  assertThrows(() => byName(["a: 1", "a: 2"]), Error, 'the program says "a" twice');
});
