import { assert, assertEquals } from "@std/assert";
import { Look } from "../../../opfs/relay/look.ts";

/** How many looks in a row are refused. */
function restOf(look: Look): number {
  let count = 0;
  while (look.budget() === 0) count += 1;
  return count;
}

Deno.test("Look goes on while it pays", () => {
  const look = new Look();
  for (let round = 0; round < 1000; round++) {
    const budget = look.budget();
    assert(budget > 0);
    if (round % 20 === 0) look.miss();
    else look.hit(budget - 10);
  }
});

Deno.test("Look rests where misses outweigh hits, and a late hit is a miss", () => {
  for (const late of [(look: Look) => look.miss(), (look: Look) => look.hit(100)]) {
    const look = new Look();
    let rests = 0;
    for (let round = 0; round < 100; round++) {
      const budget = look.budget();
      if (budget === 0) rests += 1;
      else if (round % 4 === 0) late(look);
      else look.hit(budget - 10);
    }
    assert(rests >= 60, `${rests} rests`);
  }
});

Deno.test("Look rests longer each time, and sustained hits make it short again", () => {
  const look = new Look();
  look.miss();
  look.miss();
  assertEquals(restOf(look), 0);
  for (const rest of [64, 128, 256, 512, 1024, 2048, 4096, 4096]) {
    look.miss();
    assertEquals(restOf(look), rest);
  }
  for (let round = 0; round < 40; round++) look.hit(look.budget());
  for (let round = 0; round < 3; round++) look.miss();
  assertEquals(restOf(look), 64);
});
