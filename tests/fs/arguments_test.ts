/** What callers hand in. */
import { assertEquals, assertStrictEquals } from "@std/assert";
import { Errno } from "../../abi/errno.ts";
import {
  byteCount,
  bytesOf,
  checkName,
  checkPath,
  checkTarget,
  integer,
  nameErrno,
  refuse,
} from "../../fs/arguments.ts";
import { assertErrno } from "../support/errno.ts";

Deno.test("nameErrno() finds what cannot be a name", () => {
  const long = "n".repeat(255);
  for (const name of ["a", long, "ü".repeat(127), "😀"]) assertEquals(nameErrno(name), 0);
  for (const name of [`${long}n`, "ü".repeat(128)]) assertEquals(nameErrno(name), 37);
  assertEquals(nameErrno("a\0b"), Errno.EINVAL);
  assertEquals(nameErrno("\ud800"), Errno.EILSEQ);
  assertEquals(Errno.ENAMETOOLONG, 37);
});

Deno.test("checkPath() counts bytes with the NUL after them", () => {
  checkPath("open", `/${"x".repeat(4094)}`);
  assertErrno("ENAMETOOLONG", () => checkPath("open", `/${"x".repeat(4095)}`));
  checkPath("open", `/${"ü".repeat(2047)}`);
  assertErrno("ENAMETOOLONG", () => checkPath("open", `//${"ü".repeat(2047)}`));
  assertErrno("EILSEQ", () => checkPath("open", `/${"x".repeat(2000)}\ud800`));
  assertErrno("ENOENT", () => checkPath("open", ""));
  assertErrno("EINVAL", () => checkPath("open", Symbol("path")));
});

Deno.test("checkName() counts bytes, and knows what no disk could hold", () => {
  checkName("open", "x".repeat(255));
  checkName("open", "ü".repeat(127));
  assertErrno("ENAMETOOLONG", () => checkName("open", "x".repeat(256)));
  assertErrno("ENAMETOOLONG", () => checkName("open", "ü".repeat(128)));
  assertErrno("EINVAL", () => checkName("open", "a\0b"));
  assertErrno("EILSEQ", () => checkName("open", "\udc00"));
});

Deno.test("checkTarget() refuses what a link cannot hold", () => {
  checkTarget("symlink", "any/where/../at all ");
  assertErrno("ENOENT", () => checkTarget("symlink", ""));
  assertErrno("EINVAL", () => checkTarget("symlink", "a\0"));
  assertErrno("EILSEQ", () => checkTarget("symlink", "\ud800"));
  assertErrno("ENAMETOOLONG", () => checkTarget("symlink", "x".repeat(4096)));
});

Deno.test("integer() and byteCount() take whole numbers only", () => {
  assertEquals(integer(-5, "seek"), -5);
  for (const value of [NaN, 0.5, Infinity, "1", 1n, null, 2 ** 53]) {
    assertErrno("EINVAL", () => integer(value, "seek"));
  }
  assertEquals(byteCount(2 ** 53 - 1, "truncate"), 2 ** 53 - 1);
  assertErrno("EINVAL", () => byteCount(-1, "truncate"));
  assertErrno("EFBIG", () => byteCount(2 ** 53, "truncate"));
  assertErrno("EFBIG", () => byteCount(Infinity, "truncate"));
});

Deno.test("bytesOf() gives a view's own bytes", () => {
  const bytes = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);
  assertStrictEquals(bytesOf(bytes, "write"), bytes);
  assertEquals([...bytesOf(new Int8Array(bytes.buffer, 2, 3), "write")], [3, 4, 5]);
  assertEquals([...bytesOf(new DataView(bytes.buffer, 6), "write")], [7, 8]);
  assertEquals(bytesOf(new Uint16Array([1, 2]), "write").length, 4);
  assertEquals(bytesOf(new ArrayBuffer(3), "write").length, 3);
  assertEquals(bytesOf(new SharedArrayBuffer(3), "write").length, 3);
  assertErrno("EINVAL", () => bytesOf("text", "write"));
});

Deno.test("refuse() says what was asked of what", () => {
  let message = "";
  try {
    refuse("ENOENT", "open", "/a");
  } catch (error) {
    message = (error as Error).message;
  }
  assertEquals(message, 'ENOENT: cannot open "/a"');
});
