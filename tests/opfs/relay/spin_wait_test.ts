import { assert, assertEquals } from "@std/assert";
import { SpinWait } from "../../../opfs/relay/spin_wait.ts";

/** How many spins in a row are refused. */
function restOf(spin: SpinWait): number {
  let count = 0;
  while (spin.budget() === 0) count += 1;
  return count;
}

Deno.test("SpinWait goes on while it pays", () => {
  const spin = new SpinWait();
  for (let round = 0; round < 1000; round++) {
    const budget = spin.budget();
    assert(budget > 0);
    if (round % 20 === 0) spin.miss();
    else spin.hit(budget - 10);
  }
});

Deno.test("SpinWait pauses where misses outweigh hits, and a late hit is a miss", () => {
  for (const late of [(spin: SpinWait) => spin.miss(), (spin: SpinWait) => spin.hit(100)]) {
    const spin = new SpinWait();
    let rests = 0;
    for (let round = 0; round < 100; round++) {
      const budget = spin.budget();
      if (budget === 0) rests += 1;
      else if (round % 4 === 0) late(spin);
      else spin.hit(budget - 10);
    }
    assert(rests >= 60, `${rests} rests`);
  }
});

Deno.test("SpinWait pauses longer each time, and sustained hits make it short again", () => {
  const spin = new SpinWait();
  spin.miss();
  spin.miss();
  assertEquals(restOf(spin), 0);
  for (const rest of [64, 128, 256, 512, 1024, 2048, 4096, 4096]) {
    spin.miss();
    assertEquals(restOf(spin), rest);
  }
  for (let round = 0; round < 40; round++) spin.hit(spin.budget());
  for (let round = 0; round < 3; round++) spin.miss();
  assertEquals(restOf(spin), 64);
});
