/** The numbers that VolumeOps brings along: they go over the wire and to SQLite. */
import { assertEquals } from "@std/assert";
import { LockKind, SqliteLevel } from "../../opfs/volume_ops.ts";

Deno.test("LockKind has a number of its own for each kind", () => {
  const numbers = Object.values(LockKind);
  assertEquals(new Set(numbers).size, numbers.length);
});

Deno.test("SqliteLevel has SQLite's own numbers, each level above the one before", () => {
  assertEquals(Object.entries(SqliteLevel), [
    ["NONE", 0],
    ["SHARED", 1],
    ["RESERVED", 2],
    ["PENDING", 3],
    ["EXCLUSIVE", 4],
  ]);
});
