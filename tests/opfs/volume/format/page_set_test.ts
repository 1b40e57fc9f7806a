import { assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../../../abi/invariant.ts";
import { PageSet } from "../../../../opfs/volume/format/page_set.ts";

Deno.test("PageSet counts each page once and gives them in order", () => {
  const pages = new PageSet();
  pages.resize(100);
  for (const page of [7, 3, 7, 99]) pages.add(page);
  assertEquals([pages.count, pages.toArray()], [3, [3, 7, 99]]);
  pages.clear();
  assertEquals([pages.count, pages.toArray()], [0, []]);
  assertThrows(() => pages.add(100), InvariantError);
});

Deno.test("PageSet.remove() forgets one, and no other", () => {
  const pages = new PageSet();
  pages.resize(10);
  for (const page of [2, 5]) pages.add(page);
  pages.remove(2);
  assertEquals([pages.count, pages.toArray()], [1, [5]]);
  assertThrows(() => pages.remove(2), InvariantError, "V11: page 2 is not marked");
});
