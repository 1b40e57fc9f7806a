import { assertEquals } from "@std/assert";
import type { Attr } from "../../../abi/attr.ts";
import { InodeCache } from "../../../opfs/cache/inodes.ts";
import type { Ino } from "../../../opfs/volume_ops.ts";

const A = 7 as Ino;
const B = 8 as Ino;

const attrOf = (ino: number, atime = 5, mtime = 4, ctime = 4) =>
  ({ ino, atime, mtime, ctime }) as Attr;

Deno.test("InodeCache.movesAccess() is true once after a change, once a day, and when unknown", () => {
  let now = 6;
  const cache = new InodeCache({ entries: 10, clock: () => now });
  const moves = (atime: number, mtime: number, ctime: number) => {
    cache.keep(A, attrOf(7, atime, mtime, ctime));
    return cache.movesAccess(A);
  };
  assertEquals(cache.movesAccess(A), true);
  assertEquals(moves(5, 4, 4), false);
  assertEquals(moves(5, 5, 4), true);
  assertEquals(moves(5, 4, 5), true);
  now = 5 + 86_400_000;
  assertEquals(moves(5, 4, 4), true);
  now--;
  assertEquals(moves(5, 4, 4), false);
});

Deno.test("InodeCache.accessed() forgets attributes that a read has moved, and no others", () => {
  const cache = new InodeCache({ entries: 10, clock: () => 6 });
  cache.keep(A, attrOf(7));
  cache.keep(B, attrOf(8, 5, 5));
  cache.accessed(A);
  cache.accessed(B);
  assertEquals([cache.has(A), cache.has(B)], [true, false]);
});

Deno.test("InodeCache keeps copies, and what a link points to as long as the inode", () => {
  const cache = new InodeCache({ entries: 2, clock: () => 6 });
  const attr = attrOf(7);
  assertEquals(cache.keep(A, attr) === attr, true);
  attr.atime = 99;
  assertEquals(cache.get(A)?.atime, 5);
  cache.keepTarget(A, "b");
  cache.changed(A);
  assertEquals([cache.has(A), cache.target(A)], [false, "b"]);
  cache.forget(A);
  assertEquals(cache.target(A), undefined);
});

Deno.test("InodeCache forgets all when there are too many, of each kind by itself", () => {
  const cache = new InodeCache({ entries: 2, clock: () => 6 });
  for (const ino of [1, 2]) {
    cache.keep(ino as Ino, attrOf(ino));
    cache.keepTarget(ino as Ino, "t");
  }
  cache.keep(A, attrOf(7));
  assertEquals([cache.has(1 as Ino), cache.has(A), cache.target(1 as Ino)], [false, true, "t"]);
  cache.keepTarget(A, "t");
  assertEquals([cache.target(1 as Ino), cache.target(A), cache.has(A)], [undefined, "t", true]);
  cache.clearAttributes();
  assertEquals([cache.has(A), cache.target(A)], [false, "t"]);
  cache.clear();
  assertEquals(cache.target(A), undefined);
});
