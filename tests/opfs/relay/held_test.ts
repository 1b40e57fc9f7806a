import { assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { InvariantError } from "../../../abi/invariant.ts";
import { Held } from "../../../opfs/relay/held.ts";

Deno.test("Held gives back what has been taken, as often, and no more", () => {
  const held = new Held();
  for (const ino of [5, 7, 5]) held.add(ino);
  assertEquals([held.size, held.count(5), held.count(7), held.count(9)], [2, 2, 1, 0]);
  assertEquals([held.remove(5), held.remove(7)], [1, 0]);
  assertThrows(() => held.remove(7), ErrnoError, "EINVAL");
  held.add(8);
  held.add(8);
  assertEquals(held.takeAll(), [5, 8, 8]);
  assertEquals([held.size, held.takeAll()], [0, []]);
  assertThrows(() => held.remove(8), ErrnoError, "EINVAL");
  assertThrows(() => held.add(0), InvariantError, "R7");
});

Deno.test("Held takes no place for what has been let go of", () => {
  const held = new Held();
  for (let ino = 1; ino <= 1000; ino++) {
    held.add(ino);
    held.remove(ino);
  }
  assertEquals(held.size, 0);
});
