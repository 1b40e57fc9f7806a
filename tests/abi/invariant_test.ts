/** Invariants stop, and are no ErrnoError. */
import { assert, assertThrows } from "@std/assert";
import { isErrnoError } from "../../abi/errno.ts";
import { invariant, InvariantError } from "../../abi/invariant.ts";

Deno.test("invariant() passes what holds and stops at what does not", () => {
  invariant(true, "V1: holds");
  const error = assertThrows(() => invariant(false, "V2: block 7"), InvariantError, "V2: block 7");
  assert(!isErrnoError(error));
});
