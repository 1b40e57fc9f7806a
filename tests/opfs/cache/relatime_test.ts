import { assertEquals } from "@std/assert";
import { movesAccess } from "../../../opfs/cache/relatime.ts";
import type { Attr } from "../../../abi/attr.ts";

Deno.test("movesAccess() is true once after a change, once a day, and when nobody knows", () => {
  const attr = (atime: number, mtime: number, ctime: number) => ({ atime, mtime, ctime }) as Attr;
  assertEquals(movesAccess(undefined, 0), true);
  assertEquals(movesAccess(attr(5, 4, 4), 6), false);
  assertEquals(movesAccess(attr(5, 5, 4), 6), true);
  assertEquals(movesAccess(attr(5, 4, 5), 6), true);
  assertEquals(movesAccess(attr(5, 4, 4), 5 + 86_400_000), true);
});
