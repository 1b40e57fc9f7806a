/** Ranges of an open file. */
import { assert, assertEquals } from "@std/assert";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
} from "../../abi/flags.ts";
import { createFS } from "../../fs/create_fs.ts";
import { assertErrno } from "../support/errno.ts";

function make() {
  const fs = createFS();
  fs.writeFile("/f", "0123456789");
  return { fs, one: fs.open("/f", "r+"), two: fs.open("/f", "r+") };
}

Deno.test("allocate() and fallocate() own, keep the size, punch and zero", () => {
  const { fs, one } = make();
  fs.allocate(one, 5, 10);
  assertEquals(fs.fstat(one).size, 15);
  fs.fallocate(one, FALLOC_FL_KEEP_SIZE, 0, 100_000);
  assert(fs.fstat(one).size === 15 && fs.fstat(one).blocks * 512 >= 100_000);
  fs.fallocate(one, FALLOC_FL_ZERO_RANGE, 2, 3);
  fs.fallocate(one.fd!, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 7, 2);
  assertEquals(fs.readFile("/f", { encoding: "utf8" }).slice(0, 10), "01\0\0\x0056\0\x009");
  assertErrno("EINVAL", () => fs.allocate(one, 0, 0));
  assertErrno("EINVAL", () => fs.allocate(one, -1, 5));
  assertErrno("EFBIG", () => fs.allocate(one, 2 ** 53 - 1, 5));
  assertErrno("ENOTSUP", () => fs.fallocate(one, FALLOC_FL_PUNCH_HOLE, 0, 5));
  assertErrno("EBADF", () => fs.allocate(fs.open("/f", "r"), 0, 5));
  assertErrno("ENODEV", () => fs.allocate(fs.open("/dev/null", "r+"), 0, 5));
});
