import { assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../../abi/invariant.ts";
import { DirtySums } from "../../../opfs/volume/dirty_sums.ts";
import { keyOf, PageSums } from "../../../opfs/volume/page_sums.ts";

const sumsOf = () => new PageSums(new Uint32Array(4), new Uint32Array(4));

Deno.test("DirtySums says each touched page once, and its sums count when they are settled", () => {
  const sums = sumsOf();
  const dirty = new DirtySums(sums);
  for (const slot of [3, 63, 64, 130]) dirty.soilSlot(slot);
  dirty.soilNames(4080, 32);
  assertEquals(dirty.bytes, 5 * 8);
  const said = new Map<number, number>();
  const sumOf = (table: string, page: number): number => (table === "slots" ? 100 : 200) + page;
  dirty.say(sumOf, (key, sum) => said.set(key, sum));
  const expected = [
    [keyOf("slots", 0), 100],
    [keyOf("slots", 1), 101],
    [keyOf("slots", 2), 102],
    [keyOf("names", 0), 200],
    [keyOf("names", 1), 201],
  ];
  assertEquals([...said], expected);
  assertEquals([...sums.slots, ...sums.names], [0, 0, 0, 0, 0, 0, 0, 0]);
  dirty.settle();
  assertEquals([...sums.slots, ...sums.names], [100, 101, 102, 0, 200, 201, 0, 0]);
  assertEquals(dirty.bytes, 0);
});

Deno.test("DirtySums.clear() forgets what a refused record said, and settle() wants all said", () => {
  const sums = sumsOf();
  const dirty = new DirtySums(sums);
  dirty.soilSlot(3);
  dirty.say(() => 7, () => {});
  dirty.clear();
  dirty.settle();
  assertEquals([...sums.slots], [0, 0, 0, 0]);
  dirty.soilSlot(3);
  assertThrows(() => dirty.settle(), InvariantError, "V16");
});

Deno.test("DirtySums has nothing to say where there are no sums", () => {
  const dirty = new DirtySums(null);
  dirty.soilSlot(3);
  dirty.soilNames(0, 16);
  assertEquals(dirty.bytes, 0);
  dirty.settle();
});
