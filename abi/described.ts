/**
 * An error as it travels to another thread: its code, what could not be done, and what was wrong. A
 * structured clone of an error keeps its message alone.
 *
 * Layer: abi. Threads of a program that call through messages can use it as the relay does.
 *
 * @module
 */
import { codeOf, type ErrnoCode, ErrnoError, isErrnoError } from "./errno.ts";
import { messageOf } from "./thrown.ts";

/** What travels of an error: plain data. */
export interface DescribedError {
  /** Its code. */
  code: ErrnoCode;
  /** What could not be done. */
  action?: string | undefined;
  /** What was wrong. */
  why?: string | undefined;
}

/**
 * Takes an error apart; EIO and the whole text for what is no ErrnoError.
 *
 * @example
 * ```ts
 * import { describeError, ErrnoError, restoreError } from "@cairn/fs/abi";
 * import { assertEquals } from "@std/assert";
 *
 * const travelling = structuredClone(describeError(new ErrnoError("ENOENT", 'open "/a"')));
 * assertEquals(restoreError(travelling).message, 'ENOENT: cannot open "/a"');
 * ```
 */
export function describeError(error: unknown): DescribedError {
  if (!isErrnoError(error)) {
    return { code: "EIO", action: messageOf(error) };
  }
  // One of a program's own class, as Emscripten's drivers throw it: a number, and its own words.
  if (!("action" in error)) return foreign(error);
  const { code, action, why } = error;
  return { code, action, why };
}

function foreign({ errno, message }: { errno: number; message: string }): DescribedError {
  return { code: codeOf(errno), action: message };
}

/** The error that {@link describeError} has taken apart. */
export function restoreError({ code, action, why }: DescribedError): ErrnoError {
  return new ErrnoError(code, action, { why });
}

/** Action and reason in one, where they are the reason of another error. */
export function reasonOf({ code, action, why }: DescribedError): string {
  if (action === undefined) return why ?? code;
  return why === undefined ? action : `${action}: ${why}`;
}
