/**
 * What a failed assertion says, in tools/std/assert/assertion_error.ts.
 */
import { assertEquals } from "@std/assert";
import { AssertionError, explain, show } from "../../../../tools/std/assert/assertion_error.ts";

Deno.test("AssertionError carries name, message and cause", () => {
  const cause = new Error("inner");
  const error = new AssertionError("outer", { cause });
  assertEquals([error.name, error.message, error.cause], ["AssertionError", "outer", cause]);
});

Deno.test("explain() puts the caller's words after the report", () => {
  assertEquals([explain("report"), explain("report", "why")], ["report", "report: why"]);
});

Deno.test("show() distinguishes different values", () => {
  const values = [0, -0, 1n, 1, "1", null, undefined, [], {}, [undefined], { a: undefined }];
  const shown = [...values, new Map([[1, 2]]), new Set([1]), new Error("x")].map(show);
  assertEquals(new Set(shown).size, shown.length, shown.join(" "));
});

Deno.test("show() ends with a cycle and cuts long views", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  assertEquals(show(cycle).includes("[seen]"), true);
  assertEquals(show(new Uint8Array(65)).endsWith(", …]"), true);
  assertEquals(show(new Uint8Array([1, 2])), "Uint8Array(2) [1, 2]");
});
