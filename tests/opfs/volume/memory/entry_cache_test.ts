import { assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../../../abi/invariant.ts";
import { EntryCache } from "../../../../opfs/volume/memory/entry_cache.ts";
import type { Volume } from "../../../../opfs/volume/volume.ts";
import { DIRECTORY, FILE, onVolume } from "../../../support/on_volume.ts";

function entries(count: number): { ino: number; mode: number; name: string; cursor: number }[] {
  return Array.from({ length: count }, (_, index) => ({
    ino: index + 1,
    mode: 0o100644,
    name: `${index}`,
    cursor: index + 1,
  }));
}

Deno.test("EntryCache gives each caller an array of his own, until the directory changes", () => {
  const cache = new EntryCache();
  const two = entries(2);
  cache.keep(7, 0, two);
  two.pop();
  cache.find(7, 0)!.pop();
  assertEquals(cache.find(7, 0), entries(2));
  assertEquals([cache.find(7, 1), cache.find(8, 0), cache.count], [null, null, 2]);
  cache.keep(8, 0, []);
  assertEquals(cache.find(8, 0), []);
  cache.forget(7);
  assertEquals([cache.find(7, 0), cache.find(8, 0), cache.count], [null, [], 0]);
  cache.clear();
  assertEquals(cache.find(8, 0), null);
});

Deno.test("EntryCache keeps no more than its bound", () => {
  const cache = new EntryCache();
  cache.keep(1, 0, entries(10_000));
  cache.keep(2, 0, entries(10_000));
  assertEquals([cache.count, cache.find(1, 0)], [10_000, null]);
  cache.keep(3, 0, entries(20_000));
  assertEquals([cache.count, cache.find(3, 0)], [10_000, null]);
  assertThrows(() => cache.keep(2, 0, []), InvariantError, "V5");
});

/** All that a directory shows, asked for in batches. */
function listing(volume: Volume, directory: number): string[] {
  const found: string[] = [];
  for (let after = 0;;) {
    const batch = volume.readdir(directory, after);
    if (batch.length === 0) return found.sort();
    for (const { name, mode } of batch) found.push(`${name} ${mode.toString(8)}`);
    after = batch.at(-1)!.cursor;
  }
}

Deno.test("Volume.readdir() shows every change, whatever it has answered before", () => {
  onVolume((volume) => {
    const { root } = volume;
    const expected = new Map<string, number>();
    const check = () => {
      const wanted = [...expected].map(([name, mode]) => `${name} ${mode.toString(8)}`).sort();
      assertEquals(listing(volume, root), wanted);
      assertEquals(listing(volume, root), wanted);
    };
    const file = volume.create(root, "a", FILE);
    expected.set("a", 0o100644);
    check();
    volume.link(file, root, "b");
    expected.set("b", 0o100644);
    check();
    volume.setattr(file, { mode: 0o600 });
    expected.set("a", 0o100600).set("b", 0o100600);
    check();
    volume.rename(root, "a", root, "c", 0);
    volume.rename(root, "c", root, "d", 0);
    expected.delete("a");
    expected.set("d", 0o100600);
    check();
    volume.unlink(root, "b");
    expected.delete("b");
    check();
    const below = volume.create(root, "below", DIRECTORY);
    expected.set("below", 0o040755);
    check();
    volume.rename(root, "d", below, "d", 0);
    expected.delete("d");
    check();
    assertEquals(listing(volume, below), ["d 100600"]);
    const nameless = volume.tmpfile(root, { mode: 0o600, uid: 0, gid: 0 });
    check();
    volume.link(nameless, root, "late");
    volume.release(nameless);
    expected.set("late", 0o100600);
    check();
    volume.unlink(below, "d");
    volume.rmdir(root, "below");
    expected.delete("below");
    check();
  });
});

Deno.test("Volume.readdir() shows a file to all who begin after it was made", () => {
  onVolume((volume) => {
    const { root } = volume;
    for (let index = 0; index < 600; index++) volume.create(root, `f${index}`, FILE);
    const { cursor } = volume.readdir(root, 0).at(-1)!;
    volume.create(root, "late", FILE);
    // A caller goes on with what it began before; it is not what others are to see.
    assertEquals(volume.readdir(root, cursor).length, 88);
    assertEquals(volume.readdir(root, 0).at(-1)!.cursor, cursor);
    assertEquals(volume.readdir(root, cursor).length, 89);
    assertEquals(listing(volume, root).length, 601);
  });
});
