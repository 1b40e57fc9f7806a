/** Byte ranges with owners, against bytes that each know who holds them. */
import { assert, assertEquals } from "@std/assert";
import { F_RDLCK, F_UNLCK, F_WRLCK } from "../../abi/flags.ts";
import { LockTable, type RangeLock } from "../../abi/locks.ts";
import { Random } from "../support/random.ts";

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

Deno.test("LockTable.test() returns what is in the way, and no lock of one's own", () => {
  const table = new LockTable<string>();
  table.set("f", lock("a", F_WRLCK, 10, 20));
  assertEquals(table.test("f", lock("a", F_WRLCK, 0)), null);
  assertEquals(table.test("f", lock("b", F_RDLCK, 0)), lock("a", F_WRLCK, 10, 20));
  assertEquals(table.test("f", lock("b", F_RDLCK, 20)), null);
  assertEquals(table.test("f", lock("b", F_UNLCK, 0)), null);
});

Deno.test("LockTable.release() and releaseOwner() leave others alone, and nothing of their own", () => {
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

Deno.test("LockTable.set() joins on both sides at once, and never over a gap or another owner", () => {
  const table = new LockTable<string>();
  table.set("f", lock("a", F_RDLCK, 0, 10));
  table.set("f", lock("a", F_RDLCK, 20, 30));
  table.set("f", lock("b", F_RDLCK, 10, 20));
  table.set("f", lock("a", F_RDLCK, 31));
  assertEquals(table.listOf("f", "a").length, 3);
  table.set("f", lock("a", F_RDLCK, 10, 20));
  assertEquals(table.listOf("f", "a"), [lock("a", F_RDLCK, 0, 30), lock("a", F_RDLCK, 31)]);
  table.set("f", lock("a", F_RDLCK, 30, 31));
  assertEquals(table.listOf("f", "a"), [lock("a", F_RDLCK, 0)]);
  assertEquals(table.listOf("f", "b"), [lock("b", F_RDLCK, 10, 20)]);
});

const BYTES = 24;

/** Who holds each byte, and how: the plainest table there is. */
class ByteModel {
  readonly bytes: Map<string, number>[] = Array.from({ length: BYTES }, () => new Map());

  set({ owner, type, start, end }: RangeLock<string>): boolean {
    const range = this.bytes.slice(start, end);
    const isFree = range.every((held) =>
      [...held].every(([other, kind]) => other === owner || kind === F_RDLCK && type === F_RDLCK)
    );
    if (!isFree && type !== F_UNLCK) return false;
    for (const held of range) {
      if (type === F_UNLCK) held.delete(owner);
      else held.set(owner, type);
    }
    return true;
  }

  /** Runs of bytes that an owner holds in one way. */
  listOf(owner: string): RangeLock<string>[] {
    const runs: RangeLock<string>[] = [];
    for (const [at, held] of this.bytes.entries()) {
      const type = held.get(owner);
      const last = runs.at(-1);
      if (type === undefined) continue;
      if (last?.end === at && last.type === type) runs.splice(-1, 1, { ...last, end: at + 1 });
      else runs.push(lock(owner, type, at, at + 1));
    }
    return runs;
  }
}

Deno.test("LockTable says what bytes say that each know who holds them", () => {
  for (let seed = 1; seed <= 6; seed++) {
    const random = new Random(seed);
    const [table, model] = [new LockTable<string>(), new ByteModel()];
    for (let step = 0; step < 500; step++) {
      const start = random.below(BYTES);
      const end = start + 1 + random.below(BYTES - start);
      const owner = "abc"[random.below(3)]!;
      const wanted = lock(owner, [F_RDLCK, F_WRLCK, F_UNLCK][random.below(3)]!, start, end);
      const blocker = table.set("f", wanted);
      assertEquals(blocker === null, model.set(wanted), `seed ${seed}, step ${step}`);
      if (blocker !== null) assert(blocker.owner !== owner && blocker.start < end);
      for (const each of "abc") {
        assertEquals(table.listOf("f", each), model.listOf(each), `seed ${seed}, step ${step}`);
        assertEquals(table.holds(each, "f"), model.listOf(each).length > 0);
      }
      assertEquals(table.size, table.list("f").length > 0 ? 1 : 0);
    }
  }
});
