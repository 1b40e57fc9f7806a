import { assertEquals } from "@std/assert";
import { RENAME_EXCHANGE } from "../../../abi/flags.ts";
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

/** Directory 1 is known as a whole and has "a" 5 and "b" 6; directory 2 has "c" 7. */
function filled(): NameCache {
  const names = new NameCache(100);
  names.missed(1);
  names.set(1, "a", 5);
  names.set(1, "b", 6);
  names.set(2, "c", 7);
  names.setWhole(1);
  return names;
}

Deno.test("NameCache.move() knows where both names lead afterwards, and who has lost one", () => {
  const names = filled();
  const change = { parent: 1, name: "a", newParent: 2, newName: "c", flags: 0 };
  assertEquals(names.move(change), { changed: [1, 2, 5, 7], lost: 7 });
  assertEquals([names.get(1, "a"), names.get(2, "c")], [0, 5]);
  const swap = { parent: 2, name: "c", newParent: 1, newName: "b", flags: RENAME_EXCHANGE };
  assertEquals(names.move(swap), { changed: [2, 1, 5, 6], lost: 0 });
  assertEquals([names.get(2, "c"), names.get(1, "b")], [6, 5]);
  const free = { parent: 1, name: "b", newParent: 1, newName: "n", flags: 0 };
  assertEquals(names.move(free), { changed: [1, 1, 5, 0], lost: 0 });
  assertEquals([names.get(1, "b"), names.get(1, "n"), names.get(1, "x")], [0, 5, 0]);
});

Deno.test("NameCache.move() leaves two names of one file, and says when it does not know", () => {
  const names = filled();
  names.set(1, "also a", 5);
  const same = { parent: 1, name: "a", newParent: 1, newName: "also a", flags: 0 };
  assertEquals(names.move(same), { changed: [5], lost: 0 });
  assertEquals([names.get(1, "a"), names.get(1, "also a")], [5, 5]);
  assertEquals(names.move({ ...same, newParent: 2 }), null);
  assertEquals(names.move({ ...same, parent: 2, name: "d" }), null);
});

Deno.test("NameCache keeps listings until a name in them, or any mode, changes", () => {
  const names = filled();
  const entry = { ino: 5, mode: 0o100644, name: "a", cursor: 1 };
  const list = () => {
    names.keepListing(1, 0, [entry]);
    names.keepListing(1, 1, []);
  };
  list();
  names.listing(1, 0)!.pop();
  assertEquals([names.listing(1, 0), names.listing(1, 1)], [[entry], []]);
  assertEquals([names.listing(1, 2), names.listing(2, 0)], [undefined, undefined]);
  names.set(1, "a", 5);
  assertEquals(names.listing(1, 0), [entry]);
  const changes = [
    () => names.change(1, "a", 0),
    () => names.move({ parent: 2, name: "c", newParent: 1, newName: "z", flags: 0 }),
    () => names.forget(1, "b"),
    () => names.forgetListings(),
    () => names.forgetDirectory(1),
    () => names.clear(),
  ];
  for (const change of changes) {
    list();
    change();
    assertEquals(names.listing(1, 0), undefined, String(change));
  }
});

Deno.test("NameCache counts listed entries among its names", () => {
  const names = new NameCache(3);
  names.set(1, "a", 5);
  const entry = { ino: 5, mode: 0o100644, name: "a", cursor: 1 };
  names.keepListing(1, 0, [entry, entry, entry, entry]);
  assertEquals([names.listing(1, 0), names.get(1, "a")], [undefined, 5]);
  names.keepListing(2, 0, [entry, entry, entry]);
  assertEquals([names.listing(2, 0)?.length, names.get(1, "a")], [3, undefined]);
});
