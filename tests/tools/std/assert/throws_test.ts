/**
 * The assertions about errors in tools/std/assert/throws.ts.
 */
import { assertEquals, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { AssertionError } from "../../../../tools/std/assert/assertion_error.ts";
import {
  assertInstanceOf,
  assertIsError,
  assertRejects,
  assertThrows,
} from "../../../../tools/std/assert/throws.ts";

/** The report of a failed assertion; by hand, since these are the calls under test. */
async function reportOf(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof AssertionError) return error.message;
    throw error;
  }
  return "no report";
}

const inner = new RangeError("too far");

function throwInner(): never {
  throw inner;
}

Deno.test("assertThrows() gives back what was thrown", () => {
  assertStrictEquals(assertThrows(throwInner), inner);
  assertStrictEquals(assertThrows(throwInner, RangeError, "far"), inner);
  assertStrictEquals(assertThrows(throwInner, Error), inner);
});

Deno.test("assertThrows() fails for nothing, another class, another message", async () => {
  assertStringIncludes(await reportOf(() => assertThrows(() => 1, "words")), "to throw: words");
  assertStringIncludes(await reportOf(() => assertThrows(throwInner, TypeError)), "TypeError");
  assertStringIncludes(await reportOf(() => assertThrows(throwInner, RangeError, "near")), "near");
});

Deno.test("assertRejects() gives back the reason", async () => {
  assertStrictEquals(await assertRejects(() => Promise.reject(inner), RangeError, "too"), inner);
  assertEquals(await assertRejects(() => Promise.reject("plain")), "plain");
});

Deno.test("assertRejects() fails for a promise that holds and for a throw", async () => {
  const held = await reportOf(() => assertRejects(() => Promise.resolve(1)));
  assertStringIncludes(held, "to be rejected");
  assertStringIncludes(await reportOf(() => assertRejects(throwInner)), "the function threw");
  const other = await reportOf(() => assertRejects(() => Promise.reject(inner), TypeError));
  assertStringIncludes(other, "TypeError");
});

Deno.test("assertIsError() asks for an error, a class and a part of the message", async () => {
  assertIsError(inner, RangeError, /^too/);
  assertStringIncludes(await reportOf(() => assertIsError("text")), "is not an error");
  assertStringIncludes(await reportOf(() => assertIsError(inner, Error, /^far/)), "far");
});

Deno.test("assertInstanceOf() asks for the class", async () => {
  assertInstanceOf(inner, RangeError);
  assertStringIncludes(await reportOf(() => assertInstanceOf([], Map)), "Map");
});
