import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { entryBytes, PathTable } from "../../../../opfs/volume/memory/path_table.ts";
import type { Segment } from "../../../../opfs/volume/format/segments.ts";
import { Tables } from "../../../../opfs/volume/memory/tables.ts";
import { prng } from "../../../support/prng.ts";

const encode = (name: string): Uint8Array => new TextEncoder().encode(name);

/** Names in a table of two segments. */
class Names {
  readonly tables: Tables;
  readonly paths: PathTable;

  constructor(slots: number, bytes: number, border = bytes) {
    this.tables = new Tables(new Uint8Array(slots * 64), new Uint8Array(bytes));
    const segments = [{ logical: 0, bytes: border }, { logical: border, bytes: bytes - border }];
    this.paths = new PathTable(this.tables, segments as Segment[], 4);
  }

  step<T>(act: () => T): T {
    this.tables.begin();
    this.paths.begin();
    try {
      const result = act();
      this.tables.keep();
      this.paths.keep();
      return result;
    } catch (error) {
      this.tables.revert();
      this.paths.revert();
      throw error;
    }
  }

  add(slot: number, parent: number, name: string): void {
    this.step(() => {
      const bytes = encode(name);
      const offset = this.paths.write(parent, bytes, bytes.length);
      const at = this.tables.edit(slot);
      this.tables.view.setUint8(at, L.TYPE.FILE);
      this.tables.view.setUint32(at + L.SLOT.PATH_OFFSET, offset, true);
      this.tables.view.setUint16(at + L.SLOT.PATH_LENGTH, bytes.length, true);
      this.paths.insert(slot);
    });
  }

  remove(slot: number): void {
    this.step(() => {
      const length = this.tables.view.getUint16(slot * 64 + L.SLOT.PATH_LENGTH, true);
      this.paths.drop(this.paths.offsetOf(slot), length);
      this.paths.remove(slot);
      this.tables.slots[this.tables.edit(slot)] = L.TYPE.FREE;
    });
  }

  find(parent: number, name: string): number {
    return this.paths.find(parent, encode(name), encode(name).length);
  }
}

Deno.test("entryBytes() counts whole granules", () => {
  assertEquals([1, 12, 13, 28, 255].map(entryBytes), [16, 16, 32, 32, 272]);
});

Deno.test("PathTable finds names by their parent and bytes", () => {
  const names = new Names(64, 4096);
  names.add(40, 0, "a");
  names.add(41, 40, "a");
  names.add(42, 0, "é");
  assertEquals([names.find(0, "a"), names.find(40, "a"), names.find(0, "é")], [40, 41, 42]);
  assertEquals([names.find(0, "b"), names.find(41, "a"), names.find(0, "aa")], [-1, -1, -1]);
  assertEquals([names.paths.parentOf(41), names.paths.usedBytes], [40, 48]);
});

Deno.test("PathTable reuses the granules of dropped names, and is full only when it is", () => {
  const names = new Names(300, 4096);
  for (let slot = 32; slot < 288; slot++) names.add(slot, 0, `n${slot}`);
  assertThrows(() => names.add(290, 0, "x"), ErrnoError, "ENOSPC");
  assert(!names.paths.hasRoom);
  for (let slot = 32; slot < 288; slot += 2) names.remove(slot);
  for (let slot = 32; slot < 288; slot += 2) names.add(slot, 0, `again ${slot}`.slice(0, 12));
  assertThrows(() => names.add(290, 0, "x"), ErrnoError, "ENOSPC");
  names.remove(100);
  names.remove(101);
  assertThrows(() => names.add(290, 0, "y".repeat(40)), ErrnoError, "ENOSPC");
});

Deno.test("PathTable lays no entry over the border of two segments", () => {
  const names = new Names(300, 8192, 4096);
  for (let slot = 32; slot < 60; slot++) names.add(slot, 0, `${slot}`.padEnd(200, "x"));
  for (let slot = 32; slot < 60; slot++) {
    const from = names.paths.offsetOf(slot);
    assert(from + entryBytes(200) <= 4096 || from >= 4096, `entry at ${from}`);
  }
});

Deno.test("PathTable frees granules of a reverted transaction", () => {
  const names = new Names(64, 4096);
  assertThrows(() =>
    names.step(() => {
      names.paths.write(0, encode("gone"), 4);
      throw new Error("no");
    })
  );
  assertEquals(names.paths.usedBytes, 0);
});

Deno.test("PathTable.list() goes on where it was while names come and go", () => {
  const names = new Names(400, 16384);
  for (let slot = 40; slot < 300; slot++) names.add(slot, 0, `n${slot}`);
  const seen = new Set<number>();
  for (let from = 0;;) {
    const slots = names.paths.list(0, from, 10);
    if (slots.length === 0) break;
    for (const slot of slots) {
      assert(!seen.has(slot));
      seen.add(slot);
      from = names.paths.offsetOf(slot) + 16;
    }
    names.remove(slots[0]!);
    names.add(slots[0]! >= 300 ? 399 : 300 + seen.size / 10, 0, `new ${seen.size}`);
  }
  for (let slot = 40; slot < 300; slot++) assert(seen.has(slot), `slot ${slot} was left out`);
});

Deno.test("PathTable agrees with a map under random calls", () => {
  const random = prng(11);
  const names = new Names(1100, 65536);
  const model = new Map<string, number>();
  const free = Array.from({ length: 1000 }, (_, index) => 64 + index);
  for (let step = 0; step < 10_000; step++) {
    const parent = random.below(4);
    const name = `${random.below(400)}`.padEnd(1 + random.below(20), "-");
    const key = `${parent}/${name}`;
    const slot = names.find(parent, name);
    assertEquals(slot, model.get(key) ?? -1);
    if (slot >= 0 && random.below(3) > 0) {
      names.remove(slot);
      model.delete(key);
      free.push(slot);
    } else if (slot < 0 && free.length > 0) {
      const taken = free.pop()!;
      names.add(taken, parent, name);
      model.set(key, taken);
    }
    assertEquals(names.paths.count, model.size);
  }
  for (let parent = 0; parent < 4; parent++) {
    const expected = [...model].filter(([key]) => key.startsWith(`${parent}/`)).map(([, s]) => s);
    assertEquals(names.paths.list(parent, 0, 2000).sort(), expected.sort());
    assertEquals(names.paths.isEmpty(parent), expected.length === 0);
  }
});
