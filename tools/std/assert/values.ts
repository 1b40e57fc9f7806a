/**
 * The assertions about values. Part of the stand-in for `@std/assert`: only calls that mean the
 * same as std's, so that `deno task test:std` may swap the real package in.
 *
 * @module
 */
import { AssertionError, explain, show } from "./assertion_error.ts";
import { equal } from "./equal.ts";

/** Fails unless `condition` is truthy. */
export function assert(condition: unknown, message = ""): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Fails unless `condition` is falsy. */
export function assertFalse(condition: unknown, message?: string): void {
  if (condition) throw new AssertionError(explain(`Expected a falsy value`, message));
}

/** Always fails. */
export function fail(message?: string): never {
  throw new AssertionError(explain("Failed assertion", message));
}

/** Fails unless both are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  if (equal(actual, expected)) return;
  const report = `Values are not equal\n    actual ${show(actual)}\n  expected ${show(expected)}`;
  throw new AssertionError(explain(report, message));
}

/** Fails if both are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  if (!equal(actual, expected)) return;
  throw new AssertionError(explain(`Expected something other than ${show(expected)}`, message));
}

/** Fails unless both are the same by `Object.is`. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  const report = `Values are not the same\n    actual ${show(actual)}\n  expected ${
    show(expected)
  }`;
  throw new AssertionError(explain(report, message));
}

/** Fails if both are the same by `Object.is`. */
export function assertNotStrictEquals<T>(actual: T, expected: T, message?: string): void {
  if (!Object.is(actual, expected)) return;
  throw new AssertionError(explain(`Expected another value than ${show(expected)}`, message));
}

/** Fails if `actual` is null or undefined. */
export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T> {
  if (actual !== undefined && actual !== null) return;
  throw new AssertionError(explain(`Expected a value, got ${show(actual)}`, message));
}

/** Fails unless `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  if (actual.includes(expected)) return;
  throw new AssertionError(explain(`${show(actual)} does not contain ${show(expected)}`, message));
}

/** Fails unless `actual` contains an equal of each item of `expected`. */
export function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  message?: string,
): void {
  const items = Array.from(actual);
  const missing = Array.from(expected).filter((item) => !items.some((have) => equal(have, item)));
  if (missing.length === 0) return;
  throw new AssertionError(explain(`${show(items)} does not include ${show(missing)}`, message));
}

/** Fails unless `actual` matches `expected`. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  if (expected.test(actual)) return;
  throw new AssertionError(explain(`${show(actual)} does not match ${expected}`, message));
}

/** Fails if `actual` matches `expected`. */
export function assertNotMatch(actual: string, expected: RegExp, message?: string): void {
  if (!expected.test(actual)) return;
  throw new AssertionError(explain(`${show(actual)} matches ${expected}`, message));
}

/** Fails unless `actual` > `expected`. */
export function assertGreater<T>(actual: T, expected: T, message?: string): void {
  if (actual > expected) return;
  throw new AssertionError(explain(`Expected ${show(actual)} > ${show(expected)}`, message));
}

/** Fails unless `actual` >= `expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void {
  if (actual >= expected) return;
  throw new AssertionError(explain(`Expected ${show(actual)} >= ${show(expected)}`, message));
}

/** Fails unless `actual` < `expected`. */
export function assertLess<T>(actual: T, expected: T, message?: string): void {
  if (actual < expected) return;
  throw new AssertionError(explain(`Expected ${show(actual)} < ${show(expected)}`, message));
}

/** Fails unless `actual` <= `expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void {
  if (actual <= expected) return;
  throw new AssertionError(explain(`Expected ${show(actual)} <= ${show(expected)}`, message));
}
