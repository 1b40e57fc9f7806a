import { assertEquals } from "@std/assert";
import { NameCache } from "../../../opfs/cache/names.ts";

Deno.test("NameCache knows names, missing names, and nothing else", () => {
  const names = new NameCache(100);
  assertEquals(names.get(1, "a"), undefined);
  names.set(1, "a", 5);
  names.set(1, "b", 0);
  assertEquals([names.get(1, "a"), names.get(1, "b"), names.get(2, "a")], [5, 0, undefined]);
  names.forget(1, "a");
  assertEquals([names.get(1, "a"), names.get(1, "b")], [undefined, 0]);
  names.forgetDirectory(1);
  assertEquals(names.get(1, "b"), undefined);
});

Deno.test("NameCache answers for missing names of a directory known as a whole", () => {
  const names = new NameCache(100);
  names.setWhole(1);
  assertEquals(names.get(1, "x"), undefined);
  assertEquals([names.missed(1), names.missed(1)], [1, 2]);
  names.set(1, "a", 5);
  names.setWhole(1);
  assertEquals([names.get(1, "a"), names.get(1, "x")], [5, 0]);
  for (const odd of ["", ".", "..", "a/b", "\0", "\udc00", "é".repeat(100)]) {
    assertEquals(names.get(1, odd), undefined, odd);
  }
  names.forget(1, "a");
  assertEquals([names.get(1, "a"), names.get(1, "x")], [undefined, undefined]);
});

Deno.test("NameCache forgets all names when there are too many", () => {
  const names = new NameCache(3);
  names.missed(1);
  for (const name of ["a", "b", "c"]) names.set(1, name, 7);
  names.set(1, "d", 8);
  names.setWhole(1);
  assertEquals([names.get(1, "a"), names.get(1, "d")], [undefined, 8]);
});
