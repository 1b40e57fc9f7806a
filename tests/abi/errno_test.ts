/** The error table: numbers, names, and the one error class. */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { codeOf, Errno, ErrnoAlias, ErrnoError, isErrnoError } from "../../abi/errno.ts";

Deno.test("Errno has each number once, and codeOf() inverts it", () => {
  const numbers = Object.values(Errno);
  assertEquals(new Set(numbers).size, numbers.length);
  for (const [code, errno] of Object.entries(Errno)) assertEquals(codeOf(errno), code);
});

Deno.test("Errno has WASI's order and Emscripten's ENOTSUP", () => {
  const { E2BIG, EBADF, EISDIR, ENOENT, ENOSPC, EROFS, EXDEV, ENOTSUP, ENXIO, EAGAIN } = Errno;
  assertEquals([E2BIG, EAGAIN, EBADF, EISDIR, ENOENT, ENOSPC], [1, 6, 8, 31, 44, 51]);
  assertEquals([ENXIO, EROFS, EXDEV, ENOTSUP], [60, 69, 75, 138]);
});

Deno.test("ErrnoAlias gives second names to numbers that exist", () => {
  for (const errno of Object.values(ErrnoAlias)) assert(codeOf(errno) !== "EIO");
});

Deno.test("codeOf() is EIO for a number that is in no table", () => {
  assertEquals(codeOf(99), "EIO");
  assertEquals(codeOf(-1), "EIO");
});

Deno.test("ErrnoError is made from a name or from a number", () => {
  const cause = new Error("below");
  const byName = new ErrnoError("ENOENT", 'open "/a"', { cause });
  assertEquals([byName.code, byName.errno, byName.name], ["ENOENT", 44, "ErrnoError"]);
  assertEquals(byName.message, 'ENOENT: cannot open "/a"');
  assertStrictEquals(byName.cause, cause);
  assertEquals([byName.action, byName.why], ['open "/a"', undefined]);
  const byNumber = new ErrnoError(44);
  assertEquals([byNumber.code, byNumber.errno, byNumber.message], ["ENOENT", 44, "ENOENT"]);
  assertEquals([byNumber.action, byNumber.why], [undefined, undefined]);
  assert(byNumber instanceof Error && byNumber.stack !== undefined);
});

Deno.test("ErrnoError says what was wrong after what could not be done", () => {
  const cause = new Error("below");
  const error = new ErrnoError("EBUSY", "open it", { why: "it is in use", cause });
  assertEquals([error.action, error.why], ["open it", "it is in use"]);
  assertEquals(error.message, "EBUSY: cannot open it: it is in use");
  assertStrictEquals(error.cause, cause);
  assertEquals(new ErrnoError("EBUSY", undefined, { why: "it is" }).message, "EBUSY: it is");
  assert(!("cause" in new ErrnoError("EBUSY", "open it", { why: "it is" })));
});

Deno.test("isErrnoError() goes by name, so that realms do not matter", () => {
  assert(isErrnoError(new ErrnoError("EIO")));
  assert(isErrnoError({ name: "ErrnoError", errno: 44 }));
  assert(!isErrnoError(new Error("ErrnoError")));
  assert(!isErrnoError({ name: "ErrnoError" }));
  assert(!isErrnoError(null));
});
