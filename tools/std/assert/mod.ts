/**
 * A stand-in for `@std/assert`, linked from deno.json so that the tests run where JSR is out of
 * reach. Tests write `import { assertEquals } from "@std/assert"` and never learn the difference;
 * `deno task test:std` runs them over the real package.
 *
 * @module
 */
export { AssertionError } from "./assertion_error.ts";
export { equal } from "./equal.ts";
export { assertInstanceOf, assertIsError, assertRejects, assertThrows } from "./throws.ts";
export {
  assert,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertNotMatch,
  assertNotStrictEquals,
  assertStrictEquals,
  assertStringIncludes,
  fail,
} from "./values.ts";
