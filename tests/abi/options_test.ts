import { assertEquals, assertStrictEquals } from "@std/assert";
import {
  choiceOption,
  countOption,
  functionOption,
  optionsOf,
  textOption,
} from "../../abi/options.ts";
import { assertErrno } from "../support/errno.ts";

Deno.test("optionsOf() takes an object or nothing", () => {
  const options = { a: 1 };
  assertStrictEquals(optionsOf(options, "x"), options);
  assertEquals(optionsOf(undefined, "x"), {});
  for (const wrong of [null, 5, "x", Symbol()]) {
    assertErrno("EINVAL", () => optionsOf(wrong as never, "x"));
  }
});

Deno.test("countOption() takes whole numbers that are not too small", () => {
  assertEquals([countOption(undefined, 7, "n"), countOption(0, 7, "n")], [7, 0]);
  for (const wrong of [-1, 0.5, NaN, 2 ** 53, "1", null, 1n, Symbol()]) {
    assertErrno("EINVAL", () => countOption(wrong as never, 7, "n"));
  }
  assertErrno("EINVAL", () => countOption(0, 7, "n", 1));
});

Deno.test("functionOption(), textOption() and choiceOption() take their own kind", () => {
  const work = (): number => 5;
  assertStrictEquals(functionOption(undefined, work, "f"), work);
  assertStrictEquals(functionOption(work, Date.now, "f"), work);
  assertEquals([textOption(undefined, "/", "t"), textOption("", "/", "t")], ["", "/"].reverse());
  assertEquals(choiceOption(undefined, ["a", "b"], "c"), "a");
  assertEquals(choiceOption("b", ["a", "b"], "c"), "b");
  assertErrno("EINVAL", () => functionOption(5 as never, work, "f"));
  assertErrno("EINVAL", () => textOption(5 as never, "/", "t"));
  assertErrno("EINVAL", () => choiceOption("z" as never, ["a", "b"], "c"));
});
