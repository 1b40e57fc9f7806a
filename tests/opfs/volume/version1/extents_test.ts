/**
 * Runs of blocks: which overlap, and what they cover.
 */
import { assertEquals } from "@std/assert";
import { Runs } from "../../../../opfs/volume/version1/extents.ts";
import { Random } from "../../../support/random.ts";

Deno.test("Runs.eachOverlap() names all who share a block, and no other", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new Random(seed);
    const runs = new Runs();
    const users = new Map<number, number[]>();
    for (let owner = 0; owner < 8; owner++) {
      const first = random.below(40);
      const needed = random.below(5);
      runs.add(owner, { first, needed, owned: needed + random.below(3) });
      for (let block = first; block < first + needed; block++) {
        users.set(block, [...users.get(block) ?? [], owner]);
      }
    }
    const expected = new Set([...users.values()].filter((all) => all.length > 1).flat());
    const told = new Set<number>();
    runs.eachOverlap((one, other, { from, to }) => {
      for (let block = from; block < to; block++) {
        assertEquals([one, other].every((owner) => users.get(block)!.includes(owner)), true);
      }
      told.add(one).add(other);
    });
    assertEquals([...told].sort(), [...expected].sort(), `seed ${seed}`);
  }
});

Deno.test("Runs.eachOverlap() does not mind preallocated tails", () => {
  const runs = new Runs();
  runs.add(1, { first: 0, needed: 2, owned: 8 });
  runs.add(2, { first: 2, needed: 2, owned: 8 });
  const told: number[] = [];
  runs.eachOverlap((one, other) => void told.push(one, other));
  assertEquals(told, []);
});

Deno.test("Runs.union() joins neighbours and stays below the limit", () => {
  const runs = new Runs();
  runs.add(1, { first: 4, needed: 2, owned: 2 });
  runs.add(2, { first: 0, needed: 1, owned: 2 });
  runs.add(3, { first: 2, needed: 1, owned: 1 });
  runs.add(4, { first: 9, needed: 4, owned: 9 });
  runs.add(5, { first: 30, needed: 4, owned: 9 });
  assertEquals(runs.union(12), [{ from: 0, to: 3 }, { from: 4, to: 6 }, { from: 9, to: 12 }]);
});
