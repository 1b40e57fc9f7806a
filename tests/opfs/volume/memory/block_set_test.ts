import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../../../abi/invariant.ts";
import { BlockSet } from "../../../../opfs/volume/memory/block_set.ts";
import { prng } from "../../../support/prng.ts";

Deno.test("BlockSet is a set of numbers with runs and ranks", () => {
  const random = prng(7);
  const blocks = 5000;
  const set = new BlockSet(blocks);
  const model = new Set<number>();
  for (let round = 0; round < 400; round++) {
    const first = random.below(blocks);
    const count = 1 + random.below(round % 10 === 0 ? 300 : 20);
    const all = Array.from({ length: count }, (_, index) => first + index);
    if (random.below(3) > 0) {
      const isNew = all.every((block) => !model.has(block) && block < blocks);
      assertEquals(set.add(first, count), isNew);
      if (isNew) { for (const block of all) model.add(block); }
    } else if (all.every((block) => model.has(block))) {
      set.clear(first, count);
      for (const block of all) model.delete(block);
    }
    const at = random.below(blocks);
    let next = at;
    while (next < blocks && !model.has(next)) next++;
    let run = 0;
    while (model.has(at + run)) run++;
    let before = 0;
    for (const block of model) if (block < at) before++;
    assertEquals(
      [set.has(at), set.nextFrom(at, blocks), set.runAt(at, blocks), set.before(at), set.count],
      [model.has(at), next, run, before, model.size],
    );
  }
  const copy = set.clone();
  const first = set.nextFrom(0, blocks);
  copy.clear(first, 1);
  assert(set.has(first) && !copy.has(first));
  assertThrows(() => copy.clear(first, 1), InvariantError, "not in the set");
});
