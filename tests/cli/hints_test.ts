/**
 * What to do about a failure.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { hintFor } from "../../cli/hints.ts";
import { ErrnoError } from "../../abi/errno.ts";

Deno.test("hintFor() goes by verb and code, and is empty when there is nothing to add", () => {
  assertMatch(hintFor("import", new ErrnoError("EIO")), /--repair/);
  for (const action of ["read the tar", "open the volume", "keep the volume"]) {
    assertEquals(hintFor("import", new ErrnoError("EIO", action, { why: "V1: x" })), "");
  }
  assertEquals(hintFor("ls", new ErrnoError("EINVAL", 'read "open the volume"')), "");
  assertMatch(hintFor("export", new ErrnoError("EEXIST")), /--force/);
  assertMatch(
    hintFor("ls", new ErrnoError("EINVAL", "open the volume", { why: "x" })),
    /cairn mkfs/,
  );
  assertEquals(hintFor("ls", new ErrnoError("EINVAL", "read")), "");
  assertEquals(hintFor("ls", new ErrnoError("EBUSY")), "");
  assertMatch(hintFor("mkdir", new ErrnoError("EEXIST")), /-p/);
  assertEquals(hintFor("rm", new ErrnoError("EISDIR")), "");
  assertEquals(hintFor("mount", new ErrnoError("EPERM")), "");
  assertEquals(hintFor(undefined, "text"), "");
});
