import { assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../../../abi/invariant.ts";
import { CELL_BYTES } from "../../../../opfs/volume/memory/cell_sums.ts";
import {
  DirtySums,
  type ShownTables,
  type SummedRecord,
} from "../../../../opfs/volume/memory/dirty_sums.ts";
import { pageSum } from "../../../../opfs/volume/format/page_sum.ts";
import { keyOf, PageSums, type SummedTable } from "../../../../opfs/volume/memory/page_sums.ts";
import { prng } from "../../../support/prng.ts";

const random = prng(4);
const tables = { slots: new Uint8Array(4 * 4096), names: new Uint8Array(4 * 4096) };
random.fill(tables.slots);
random.fill(tables.names);

/** Nothing is hidden but slot 1, which the image shows as zeros. */
function shown(dirtySlots: number[]): ShownTables {
  return {
    nameView: new DataView(tables.names.buffer),
    dirtySlots,
    copySlots(first, count, into, at): void {
      into.set(tables.slots.subarray(first * 64, (first + count) * 64), at);
      if (first <= 1 && first + count > 1) {
        into.fill(0, at + (1 - first) * 64, at + (2 - first) * 64);
      }
    },
  };
}

/** A view that counts the bytes that are read by words. */
class CountingView extends DataView<ArrayBuffer> {
  bytes = 0;
  override getInt32(at: number, isLittle?: boolean): number {
    this.bytes += 4;
    return super.getInt32(at, isLittle);
  }
}

/** A record that has the dirty slots as they are shown, and the sums that it gets. */
class Said implements SummedRecord {
  readonly sums: [number, number][] = [];
  readonly slotCount: number;
  readonly view: CountingView;

  constructor({ dirtySlots, copySlots }: ShownTables) {
    this.slotCount = dirtySlots.length;
    const bytes = new Uint8Array(this.placeOfSlot(this.slotCount));
    this.view = new CountingView(bytes.buffer);
    for (let index = 0; index < this.slotCount; index++) {
      copySlots(dirtySlots[index]!, 1, bytes, this.placeOfSlot(index));
    }
  }

  placeOfSlot(index: number): number {
    return 64 + index * 68 + 4;
  }

  sum(key: number, sum: number): void {
    this.sums.push([key, sum >>> 0]);
  }
}

/** What is said of what is dirty. */
function saidOf(dirty: DirtySums, slots: number[], nameRuns: Runs): [number, number][] {
  const parts = shown(slots);
  const said = new Said(parts);
  dirty.addTo(said, parts, nameRuns);
  return said.sums;
}

function pageOf(table: SummedTable, page: number): number {
  const bytes = tables[table].slice(page * 4096, page * 4096 + 4096);
  if (table === "slots" && page === 0) bytes.fill(0, 64, 128);
  return pageSum(bytes);
}
const sumsOf = () => new PageSums(new Uint32Array(4), new Uint32Array(4));

type Runs = readonly (readonly [number, number])[];

function markDirty(dirty: DirtySums, slots: readonly number[], nameRuns: Runs): void {
  for (const slot of slots) dirty.markSlot(slot);
  for (const [from, to] of nameRuns) dirty.markNames(from, to - from);
}

Deno.test("DirtySums says each touched page once, and its sums count when they are settled", () => {
  const sums = sumsOf();
  const dirty = new DirtySums(sums);
  const slots = [1, 3, 63, 64, 130];
  const nameRuns: Runs = [[4080, 4112]];
  markDirty(dirty, slots, nameRuns);
  assertEquals(dirty.bytes, 5 * 8);
  assertEquals(saidOf(dirty, slots, nameRuns), [
    [keyOf("slots", 0), pageOf("slots", 0)],
    [keyOf("slots", 1), pageOf("slots", 1)],
    [keyOf("slots", 2), pageOf("slots", 2)],
    [keyOf("names", 0), pageOf("names", 0)],
    [keyOf("names", 1), pageOf("names", 1)],
  ]);
  assertEquals([...sums.slots, ...sums.names], [0, 0, 0, 0, 0, 0, 0, 0]);
  dirty.settle();
  assertEquals(dirty.bytes, 0);
  for (let page = 0; page < 3; page++) assertEquals(sums.slots[page], pageOf("slots", page));
  assertEquals([...sums.names], [pageOf("names", 0), pageOf("names", 1), 0, 0]);
});

Deno.test("DirtySums follows what changes in pages that it knows, and what was refused", () => {
  const sums = sumsOf();
  const dirty = new DirtySums(sums);
  for (let round = 0; round < 60; round++) {
    const slots = [
      ...new Set(Array.from({ length: random.pick([1, 4, 90]) }, () => random.below(256))),
    ].sort((a, b) => a - b);
    // Two pieces in one cell, and one over the border of two pages.
    const nameRuns = [[16, 32], [48, 64], [64, 80], [8176, 8208]] as const;
    const before = { slots: tables.slots.slice(), names: tables.names.slice() };
    for (const slot of slots) random.fill(tables.slots.subarray(slot * 64, slot * 64 + 64));
    for (const [from, to] of nameRuns) random.fill(tables.names.subarray(from, to));
    markDirty(dirty, slots, nameRuns);
    saidOf(dirty, slots, nameRuns);
    for (const [key, sum] of saidOf(dirty, slots, nameRuns)) {
      const [table, page] = key < 2 ** 28
        ? ["slots", key] as const
        : ["names", key - 2 ** 28] as const;
      assertEquals(sum, pageOf(table, page), `round ${round}, ${table} ${page}`);
    }
    if (round % 4 > 0) {
      dirty.settle();
      continue;
    }
    dirty.clear();
    tables.slots.set(before.slots);
    tables.names.set(before.names);
  }
});

Deno.test("DirtySums.settle() wants the sums of all that is dirty", () => {
  const dirty = new DirtySums(sumsOf());
  dirty.markSlot(3);
  assertThrows(() => dirty.settle(), InvariantError, "V16");
});

Deno.test("DirtySums.markOnly() forgets what has been taken back", () => {
  const dirty = new DirtySums(sumsOf());
  markDirty(dirty, [3, 200], [[0, 16], [9000, 9016]]);
  dirty.markOnly([200], [0, 16]);
  assertEquals(dirty.bytes, 2 * 8);
  const said = saidOf(dirty, [200], [[0, 16]]);
  assertEquals(said.map(([key]) => key), [keyOf("slots", 3), keyOf("names", 0)]);
});

Deno.test("DirtySums has nothing to say where there are no sums", () => {
  const dirty = new DirtySums(null);
  markDirty(dirty, [3], [[0, 16]]);
  assertEquals(dirty.bytes, 0);
  assertEquals(saidOf(dirty, [3], [[0, 16]]), []);
  dirty.settle();
});

Deno.test("DirtySums.markOnly() knows each piece of names that is still dirty, and no other", () => {
  const dirty = new DirtySums(sumsOf());
  markDirty(dirty, [0, 200], [[0, 16], [8192, 8208], [12_288, 12_304]]);
  dirty.markOnly([64], [4096, 16, 8192, 16, 12_288, 16]);
  assertEquals(dirty.bytes, 4 * 8);
  const runs: Runs = [[4096, 4112], [8192, 8208], [12_288, 12_304]];
  const said = saidOf(dirty, [64], runs).map(([key]) => key);
  assertEquals(said, [keyOf("slots", 1), ...[1, 2, 3].map((page) => keyOf("names", page))]);
});

Deno.test("DirtySums reads 64 bytes for each dirty cell of pages that it knows, and no other", () => {
  const dirty = new DirtySums(sumsOf());
  const slots = [3, 9, 130];
  const nameRuns: Runs = [[16, 32], [48, 80]];
  markDirty(dirty, slots, nameRuns);
  saidOf(dirty, slots, nameRuns);
  dirty.settle();
  const nameView = new CountingView(tables.names.buffer);
  const parts = { ...shown(slots), nameView };
  const said = new Said(parts);
  parts.copySlots = () => assertEquals(1, 2);
  markDirty(dirty, slots, nameRuns);
  dirty.addTo(said, parts, nameRuns);
  for (const [key, sum] of said.sums) {
    const [table, page] = key < 2 ** 28 ? ["slots", key] as const : ["names", 0] as const;
    assertEquals(sum, pageOf(table, page));
  }
  // Three slots; two cells of names.
  assertEquals([said.view.bytes, nameView.bytes], [3 * CELL_BYTES, 2 * CELL_BYTES]);
});
