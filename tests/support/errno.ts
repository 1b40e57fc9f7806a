/**
 * assertErrno: the call fails with this error and with nothing else.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { type ErrnoCode, isErrnoError } from "../../abi/errno.ts";

/** Runs `call` and fails unless it throws the ErrnoError of that name. */
export function assertErrno(code: ErrnoCode, call: () => unknown): void {
  let got: unknown = "nothing thrown";
  try {
    call();
  } catch (error) {
    if (!isErrnoError(error)) throw error;
    got = error.code;
  }
  assertEquals(got, code);
}
