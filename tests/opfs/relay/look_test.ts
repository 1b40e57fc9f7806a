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
  for (let round = 0; round < 100; round++) {
    assert(look.budget() > 0);
    if (round % 3 === 0) look.miss();
    else look.hit();
  }
});

Deno.test("Look rests after misses in a row, longer each time, and a hit makes it short again", () => {
  const look = new Look();
  look.miss();
  look.miss();
  assertEquals(restOf(look), 0);
  look.miss();
  assertEquals(restOf(look), 16);
  look.miss();
  assertEquals(restOf(look), 32);
  for (let round = 0; round < 20; round++) {
    look.miss();
    restOf(look);
  }
  look.miss();
  assertEquals(restOf(look), 4096);
  look.hit();
  look.miss();
  look.miss();
  look.miss();
  assertEquals(restOf(look), 16);
});
