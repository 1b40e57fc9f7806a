/** The table of operations by path: its numbers, and what each says that it changes. */
import { assertEquals } from "@std/assert";
import { changesSomething } from "../../../opfs/relay/dispatch.ts";
import { isPathOp, PathOp } from "../../../opfs/relay/path_operations.ts";

Deno.test("isPathOp() and changesSomething() know the numbers of operations by path", () => {
  assertEquals([0, 1, 34, 35, 64].map(isPathOp), [false, true, true, false, false]);
  const reading = Object.entries(PathOp).filter(([, op]) => !changesSomething(op));
  assertEquals(reading.map(([name]) => name), [
    "READ",
    "STAT",
    "LSTAT",
    "READDIR",
    "EXISTS",
    "ACCESS",
    "REALPATH",
    "READLINK",
    "CLOSE",
    "FREAD",
    "FSTAT",
    "FSYNC",
    "OPENDIR",
    "STATFS",
  ]);
});
