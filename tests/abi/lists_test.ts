/** Lists of any length: also of more than a call takes as arguments. */
import { assertEquals } from "@std/assert";
import { append, largest } from "../../abi/lists.ts";

const MANY = 500_000;

Deno.test("append() and largest() take more than a call takes as arguments", () => {
  const numbers = Array.from({ length: MANY }, (_, index) => index);
  const list = [-1];
  append(list, numbers);
  assertEquals([list.length, list[0], list.at(-1)], [MANY + 1, -1, MANY - 1]);
  assertEquals(largest(numbers), MANY - 1);
});

Deno.test("largest() of nothing is the least there may be", () => {
  assertEquals([largest([]), largest([], 0), largest([-5, -3], -4)], [-Infinity, 0, -3]);
  assertEquals(largest(new Set([3, 7, 5])), 7);
});
