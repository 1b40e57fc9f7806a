/** MEMFS's listing in pieces: what it gives, and how many names it looks at for that. */
import { assertEquals } from "@std/assert";
import { MemfsListing } from "../../stream_ops/memfs_listing.ts";
import { Random } from "../support/random.ts";

interface Entry {
  name: string;
  cursor: number;
}

/** A map that counts its look-ups. */
class Counted extends Map<string, Entry> {
  looks = 0;

  override get(name: string): Entry | undefined {
    this.looks++;
    return super.get(name);
  }
}

function directory(count: number): { entries: Counted; listing: MemfsListing<Entry> } {
  const entries = new Counted();
  for (let cursor = 1; cursor <= count; cursor++) entries.set(`f${cursor}`, nameAt(cursor));
  return { entries, listing: new MemfsListing(entries) };
}

function nameAt(cursor: number): Entry {
  return { name: `f${cursor}`, cursor };
}

Deno.test("MemfsListing.after() gives what a walk through all names gives", () => {
  const { entries, listing } = directory(40);
  const random = new Random(7);
  for (let step = 0, last = 40; step < 2000; step++) {
    const cursor = 1 + random.below(last);
    if (random.below(2) === 0) entries.delete(`f${cursor}`);
    if (random.below(3) === 0) {
      const entry = nameAt(++last);
      entries.set(entry.name, entry);
      listing.add(entry);
    }
    // Another file under the same name, at its place: what a rename over it leaves.
    const old = entries.get(`f${cursor}`);
    if (old !== undefined) entries.set(old.name, { ...old });
    const [after, most] = [random.below(last + 2), 1 + random.below(9)];
    const right = [...entries.values()].filter((entry) => entry.cursor > after).slice(0, most);
    assertEquals(listing.after(after, most), right, `step ${step}`);
  }
});

Deno.test("MemfsListing.after() looks at few names beside those that it gives", () => {
  const count = 10_000;
  const { entries, listing } = directory(count);
  let pieces = 0;
  for (let after = 0; after < count; pieces++) after = listing.after(after, 32).at(-1)!.cursor;
  assertEquals(entries.looks <= count + pieces, true, `${entries.looks} looks`);
  // What is listed is removed, and the next listing begins anew.
  entries.looks = 0;
  for (let piece = listing.after(0, 32); piece.length > 0; piece = listing.after(0, 32)) {
    for (const { name } of piece) entries.delete(name);
  }
  assertEquals([entries.size, entries.looks < 4 * count], [0, true], `${entries.looks} looks`);
});

Deno.test("MemfsListing.after() knows a name that went and came again by its new place", () => {
  const { entries, listing } = directory(3);
  entries.delete("f1");
  const again = { name: "f1", cursor: 4 };
  entries.set("f1", again);
  listing.add(again);
  assertEquals(listing.after(0, 9).map(({ cursor }) => cursor), [2, 3, 4]);
});
