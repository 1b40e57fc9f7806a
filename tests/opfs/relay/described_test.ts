/** An error is the same one after it has travelled. */
import { assertEquals } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { described } from "../../../opfs/relay/described.ts";

Deno.test("described() takes an ErrnoError apart so that it can be made again", () => {
  const error = new ErrnoError("ENOENT", 'open "/a"');
  assertEquals(described(error), { code: "ENOENT", reason: 'open "/a"' });
  const { code, reason } = described(error);
  assertEquals(new ErrnoError(code, reason).message, error.message);
});

Deno.test("described() gives other things whole, as EIO", () => {
  assertEquals(described(new TypeError("odd")), { code: "EIO", reason: "odd" });
  assertEquals(described("odd"), { code: "EIO", reason: "odd" });
});
