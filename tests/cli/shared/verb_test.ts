/**
 * How words are read, and how errors get their place.
 */
import { assertEquals, assertThrows } from "@std/assert";
import {
  at,
  atLength,
  byteCount,
  type Call,
  clauseOf,
  messageOf,
  numberOption,
  PlaceError,
  readWords,
  UsageError,
  type Verb,
} from "../../../cli/shared/verb.ts";

const verb: Verb = {
  name: "x",
  usage: "x A [B]",
  summary: "",
  help: "",
  options: { all: { type: "boolean", short: "a" }, size: { type: "string" } },
  words: [1, 2],
  run: () => 0,
};

Deno.test("readWords() reads options anywhere, and words after -- as they are", () => {
  const { values, words } = readWords(verb, ["one", "-a", "--size", "3", "--", "--all"]);
  assertEquals(words, ["one", "--all"]);
  assertEquals([values.all, values.size], [true, "3"]);
  assertEquals(readWords(verb, ["--help"]).values.help, true);
});

Deno.test("readWords() refuses unknown options and wrong numbers of words", () => {
  for (const args of [[], ["a", "b", "c"], ["--what", "a"], ["a", "--size"]]) {
    assertThrows(() => readWords(verb, args), UsageError);
  }
});

Deno.test("readWords() takes a number below zero as the value of the option before it", () => {
  const sized: Verb = { ...verb, options: { size: { type: "string", short: "s" } } };
  assertEquals(readWords(sized, ["-s", "-10", "a"]).values.size, "-10");
  assertEquals(readWords(sized, ["--size", "-1k", "a"]).values.size, "-1k");
  assertEquals(readWords(sized, ["a", "--", "-s", "-1"].slice(0, 3)).words, ["a", "-s"]);
  assertThrows(() => readWords(sized, ["-s", "-x", "a"]), UsageError);
});

Deno.test("readWords() lets a verb spell its words", () => {
  const spelling: Verb = { ...verb, spell: (args) => args.map((arg) => arg.replace("+", "--")) };
  assertEquals(readWords(spelling, ["+all", "a"]).values.all, true);
});

Deno.test("byteCount() reads units, and nothing else", () => {
  assertEquals(["7", "2k", "1M", "x", "-1", ""].map(byteCount), [
    ...[7, 2048, 2 ** 20, undefined, undefined, undefined],
  ]);
});

Deno.test("numberOption() reads units and refuses the rest", () => {
  const call = (size: string): Call => ({
    words: [],
    options: { size },
    terminal: null!,
    reportError: () => {},
  });
  const read = (size: string): number | undefined => numberOption(call(size), "size");
  assertEquals(["7", "4k", "2M", "1g"].map(read), [7, 4096, 2 ** 21, 2 ** 30]);
  assertEquals(numberOption(call("1"), "other"), undefined);
  for (const text of ["", "-1", "1.5", "k", "1kb", "0x10"]) {
    assertThrows(() => read(text), UsageError);
  }
});

Deno.test("at() names the innermost place, once", async () => {
  const inner = (): never =>
    at("inner", () => {
      throw new Error("broken");
    });
  const error = assertThrows(() => at("outer", inner), PlaceError);
  assertEquals(error.message, '"inner": broken');
  const later = await atLength("outer", () => Promise.reject("text")).catch((error) => error);
  assertEquals(later.message, '"outer": text');
  const usage = (): never => {
    throw new UsageError("x");
  };
  assertThrows(() => at("place", usage), UsageError);
});

Deno.test("messageOf() puts the host's code before the host's words", () => {
  const error = Object.assign(new Error("No space left (os error 28)"), { code: "ENOSPC" });
  assertEquals(messageOf(error), "ENOSPC: No space left");
  const told = Object.assign(new Error("ENOENT: no such file"), { code: "ENOENT" });
  assertEquals(messageOf(told), "ENOENT: no such file");
  const other = Object.assign(new Error("unknown option"), { code: "ERR_PARSE_ARGS" });
  assertEquals(messageOf(other), "unknown option");
});

Deno.test("messageOf() finds words in whatever is thrown", () => {
  assertEquals([new Error("a"), "b", null, undefined, { message: 1 }].map(messageOf), [
    "a",
    "b",
    "null",
    "undefined",
    "1",
  ]);
});

Deno.test("clauseOf() takes the full stop off a library's words", () => {
  assertEquals(clauseOf(new Error("Invalid block. Try again.")), "Invalid block. Try again");
  assertEquals(clauseOf("text"), "text");
});
