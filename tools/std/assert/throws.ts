/**
 * The assertions about errors. Part of the stand-in for `@std/assert`; the forms and their meaning
 * are std's: class, then a part of the message, then the caller's own words.
 *
 * @module
 */
import { AssertionError, explain, show } from "./assertion_error.ts";

// deno-lint-ignore no-explicit-any
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

/** Fails unless `actual` is an instance of `expected`. */
export function assertInstanceOf<T>(
  actual: unknown,
  // deno-lint-ignore no-explicit-any
  expected: abstract new (...args: any[]) => T,
  message?: string,
): asserts actual is T {
  if (actual instanceof expected) return;
  throw new AssertionError(explain(`${show(actual)} is not of class ${expected.name}`, message));
}

/** Fails unless `error` is an error, of that class, whose message contains `part`. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  errorClass?: ErrorClass<E>,
  part?: string | RegExp,
  message?: string,
): asserts error is E {
  if (!(error instanceof Error)) {
    throw new AssertionError(explain(`${show(error)} is not an error`, message));
  }
  if (errorClass !== undefined && !(error instanceof errorClass)) {
    const report = `Expected an error of class ${errorClass.name}, got ${show(error)}`;
    throw new AssertionError(explain(report, message), { cause: error });
  }
  const found = part === undefined ||
    (typeof part === "string" ? error.message.includes(part) : part.test(error.message));
  if (found) return;
  const report = `Expected the message to contain ${show(String(part))}, got ${
    show(error.message)
  }`;
  throw new AssertionError(explain(report, message), { cause: error });
}

/** Fails unless `fn` throws; gives back what it threw. */
export function assertThrows(fn: () => unknown, message?: string): unknown;
/** Fails unless `fn` throws an error of that class with that part in its message. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass: ErrorClass<E>,
  part?: string,
  message?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  ...expected: [string?] | [ErrorClass<Error>, string?, string?]
): unknown {
  try {
    fn();
  } catch (error) {
    return checked(error, expected);
  }
  throw new AssertionError(explain("Expected the function to throw", ownWords(expected)));
}

/** Fails unless the promise of `fn` is rejected; gives back the reason. */
export function assertRejects(fn: () => PromiseLike<unknown>, message?: string): Promise<unknown>;
/** Fails unless the promise is rejected by an error of that class with that part in its message. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass: ErrorClass<E>,
  part?: string,
  message?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  ...expected: [string?] | [ErrorClass<Error>, string?, string?]
): Promise<unknown> {
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (error) {
    const report = explain("Expected a rejection, but the function threw", ownWords(expected));
    throw new AssertionError(report, { cause: error });
  }
  try {
    await promise;
  } catch (error) {
    return checked(error, expected);
  }
  throw new AssertionError(explain("Expected the promise to be rejected", ownWords(expected)));
}

type Expected = [string?] | [ErrorClass<Error>, string?, string?];

function checked(error: unknown, expected: Expected): unknown {
  const [errorClass, part, message] = expected;
  if (typeof errorClass === "function") assertIsError(error, errorClass, part, message);
  return error;
}

function ownWords(expected: Expected): string | undefined {
  return typeof expected[0] === "function" ? expected[2] : expected[0];
}
