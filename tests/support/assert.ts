/**
 * Assertions in plain code: they run in a browser page, where `@std/assert` is not served.
 *
 * Imports no builtin. Deno's tests elsewhere use `@std/assert`.
 *
 * @module
 */
import type { ErrnoCode } from "../../abi/errno.ts";

/** What a failed assertion throws. */
export class CheckError extends Error {
  /** Always `"CheckError"`. */
  override readonly name = "CheckError";
}

/** Fails unless `condition` holds. */
export function ok(condition: boolean, message = "it does not hold"): asserts condition {
  if (!condition) throw new CheckError(message);
}

/** Fails unless the two are the same, looking into arrays, bytes and plain objects. */
export function eq(actual: unknown, expected: unknown, message = ""): void {
  if (same(actual, expected)) return;
  const prefix = message === "" ? "" : `${message}: `;
  throw new CheckError(`${prefix}got ${show(actual)}, want ${show(expected)}`);
}

/** Fails unless `call` throws the ErrnoError of that name. */
export function fails(code: ErrnoCode, call: () => unknown, message = ""): void {
  let got: unknown = "nothing thrown";
  try {
    call();
  } catch (error) {
    const { name, code: thrown } = error as { name?: unknown; code?: unknown };
    if (name !== "ErrnoError") throw error;
    got = thrown;
  }
  eq(got, code, message);
}

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (ArrayBuffer.isView(a) !== ArrayBuffer.isView(b)) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return a.length === b.length && a.every((byte, index) => byte === b[index]);
  }
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return left.length === right.length &&
    left.every(([key, value]) => same(value, (b as Record<string, unknown>)[key]));
}

function show(value: unknown): string {
  if (value instanceof Uint8Array) {
    return `bytes [${value.slice(0, 32).join(" ")}] (${value.length})`;
  }
  if (typeof value === "bigint") return `${value}n`;
  return JSON.stringify(value) ?? String(value);
}
