/** Byte ranges with owners. */
import { assertEquals } from "@std/assert";
import { F_RDLCK, F_UNLCK, F_WRLCK } from "../../abi/flags.ts";
import { LockTable, type RangeLock } from "../../abi/locks.ts";

function lock(owner: string, type: number, start: number, end = Infinity): RangeLock<string> {
  return { owner, type, start, end };
}

Deno.test("LockTable.set() lets readers share and keeps writers apart", () => {
  const table = new LockTable<string>();
  assertEquals(table.set("f", lock("a", F_RDLCK, 0, 10)), null);
  assertEquals(table.set("f", lock("b", F_RDLCK, 5, 15)), null);
  assertEquals(table.set("f", lock("c", F_WRLCK, 12, 20)), lock("b", F_RDLCK, 5, 15));
  assertEquals(table.set("f", lock("c", F_WRLCK, 15, 20)), null);
  assertEquals(table.set("g", lock("c", F_WRLCK, 0)), null);
});

Deno.test("LockTable.set() replaces what its owner held, and splits it", () => {
  const table = new LockTable<string>();
  table.set("f", lock("a", F_WRLCK, 0, 30));
  table.set("f", lock("a", F_RDLCK, 10, 20));
  assertEquals(table.list("f"), [
    lock("a", F_WRLCK, 0, 10),
    lock("a", F_RDLCK, 10, 20),
    lock("a", F_WRLCK, 20, 30),
  ]);
  table.set("f", lock("a", F_UNLCK, 5, 25));
  assertEquals(table.list("f"), [lock("a", F_WRLCK, 0, 5), lock("a", F_WRLCK, 25, 30)]);
});

Deno.test("LockTable.set() joins neighbours of one kind", () => {
  const table = new LockTable<string>();
  table.set("f", lock("a", F_WRLCK, 10, 20));
  table.set("f", lock("a", F_WRLCK, 0, 10));
  assertEquals(table.list("f"), [lock("a", F_WRLCK, 0, 20)]);
});

Deno.test("LockTable.test() tells what is in the way, and nothing of one's own", () => {
  const table = new LockTable<string>();
  table.set("f", lock("a", F_WRLCK, 10, 20));
  assertEquals(table.test("f", lock("a", F_WRLCK, 0)), null);
  assertEquals(table.test("f", lock("b", F_RDLCK, 0)), lock("a", F_WRLCK, 10, 20));
  assertEquals(table.test("f", lock("b", F_RDLCK, 20)), null);
  assertEquals(table.test("f", lock("b", F_UNLCK, 0)), null);
});

Deno.test("LockTable.release() and releaseOwner() leave others alone, and nothing behind", () => {
  const table = new LockTable<string>();
  table.set("f", lock("a", F_RDLCK, 0));
  table.set("f", lock("b", F_RDLCK, 0));
  table.set("g", lock("a", F_WRLCK, 0));
  table.release("f", "a");
  assertEquals(table.list("f"), [lock("b", F_RDLCK, 0)]);
  table.releaseOwner("b");
  assertEquals(table.size, 1);
  table.releaseOwner("a");
  assertEquals(table.size, 0);
});
