import { assertEquals, assertThrows } from "@std/assert";
import { answerOf, NO_SPACE_ANSWER, requireWhole } from "../../../opfs/device/handle.ts";

Deno.test("answerOf() takes short counts and -8 for full, and other numbers for nothing", () => {
  const answers: [number, "whole" | "full" | "unknown"][] = [
    [100, "whole"],
    [99, "full"],
    [0, "full"],
    [4294967288, "full"],
    [4294967280, "unknown"],
    [-8, "unknown"],
    [101, "unknown"],
    [NaN, "unknown"],
    [Infinity, "unknown"],
  ];
  for (const [count, answer] of answers) assertEquals(answerOf(count, 100), answer, String(count));
  assertEquals(NO_SPACE_ANSWER, 4294967288);
});

Deno.test("requireWhole() is ENOSPC when it is full, and EIO when nothing is known", () => {
  requireWhole(7, 7, "copy");
  assertThrows(() => requireWhole(6, 7, "copy"), Error, "ENOSPC: cannot copy");
  assertThrows(() => requireWhole(4294967288, 7, "copy"), Error, "ENOSPC");
  assertThrows(() => requireWhole(4294967280, 7, "copy"), Error, "EIO");
});
