import { assert, assertEquals } from "@std/assert";
import { nameOf, refusedStorage } from "../../abi/browser_errors.ts";
import { ErrnoError } from "../../abi/errno.ts";

Deno.test("refusedStorage() says that storage is blocked, and names no other tab", () => {
  for (const name of ["SecurityError", "NotAllowedError"]) {
    const cause = new DOMException("not here", name);
    const error = refusedStorage('open "/a"', cause);
    assertEquals([error.code, error.cause], ["EACCES", cause]);
    for (const word of ["site data is blocked", "private window", "not here"]) {
      assert(error.message.includes(word), error.message);
    }
    assert(!error.message.includes("tab"));
  }
});

Deno.test("refusedStorage() hands other errors on as EIO, and ours as they are", () => {
  const other = refusedStorage('open "/a"', new DOMException("gone", "InvalidStateError"));
  assertEquals([other.code, other.message.includes("gone")], ["EIO", true]);
  const ours = new ErrnoError("ENOSPC", "write");
  assertEquals(refusedStorage('open "/a"', ours), ours);
  assertEquals([nameOf(null), nameOf({ name: "A" })], ["undefined", "A"]);
});
