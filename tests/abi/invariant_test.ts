/** Invariants stop, and are no ErrnoError. */
import { assert, assertThrows } from "@std/assert";
import { isErrnoError } from "../../abi/errno.ts";
import { invariant, InvariantError } from "../../abi/invariant.ts";

Deno.test("invariant() passes what holds and stops at what does not", () => {
  invariant(true, "V1: holds");
  const error = assertThrows(() => invariant(false, "V2: block 7"), InvariantError, "V2: block 7");
  assert(!isErrnoError(error));
});

Deno.test("invariant() puts its message together only when it stops", () => {
  let asked = 0;
  const value = { toString: () => `block ${++asked}` };
  invariant(true, "V2: {} is owned", value);
  assert(asked === 0);
  assertThrows(
    () => invariant(false, "V2: {} is owned {} times by {}", value, 2, undefined),
    InvariantError,
    "V2: block 1 is owned 2 times by undefined",
  );
  assertThrows(() => invariant(false, "V2: {}", "{} $&"), InvariantError, "V2: {} $&");
});
