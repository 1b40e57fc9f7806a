import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../../../abi/invariant.ts";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { Tables } from "../../../../opfs/volume/memory/tables.ts";

const tablesOf = () => new Tables(new Uint8Array(128 * 64), new Uint8Array(4096));

Deno.test("Tables.revert() brings back every record as it was", () => {
  const tables = tablesOf();
  tables.begin();
  for (let slot = 0; slot < 100; slot++) tables.view.setUint32(tables.edit(slot) + 4, slot, true);
  tables.keep();
  tables.settle();
  const before = tables.slots.slice();
  tables.begin();
  for (const slot of [3, 70, 3, 99]) tables.slots.fill(9, tables.edit(slot), slot * 64 + 64);
  assertEquals(tables.editedCount, 3);
  tables.revert();
  assertEquals(tables.slots, before);
  assert(tables.isClean);
});

Deno.test("Tables.keep() makes edited slots dirty once, and counts what a record takes", () => {
  const tables = tablesOf();
  for (let round = 0; round < 3; round++) {
    tables.begin();
    tables.edit(5);
    tables.edit(6);
    tables.editNames(32, 16);
    tables.keep();
  }
  assertEquals(tables.dirtySlots, [5, 6]);
  assertEquals(tables.pendingBytes, 2 * 68 + 3 * 24);
  assertEquals(tables.dirtyNameRuns(), [[32, 48]]);
  tables.settle();
  assertEquals([tables.isClean, tables.pendingBytes], [true, 0]);
  assertEquals([tables.homeSlots.toArray(), tables.homeNames.toArray()], [[0], [0]]);
});

Deno.test("Tables.dirtyNameRuns() joins neighbours", () => {
  const tables = tablesOf();
  tables.begin();
  for (const [at, length] of [[64, 16], [0, 16], [16, 32], [160, 16], [48, 16]] as const) {
    tables.editNames(at, length);
  }
  tables.keep();
  assertEquals(tables.dirtyNameRuns(), [[0, 80], [160, 176]]);
});

Deno.test("Tables refuses edits outside of a transaction", () => {
  const tables = tablesOf();
  assertThrows(() => tables.edit(1), InvariantError);
  assertThrows(() => tables.editNames(0, 16), InvariantError);
  tables.begin();
  assertThrows(() => tables.begin(), InvariantError);
  assertThrows(() => tables.settle(), InvariantError, "V14");
});

Deno.test("Tables shows a hidden slot as free, and writes it once", () => {
  const tables = tablesOf();
  const edit = () => {
    tables.begin();
    const at = tables.edit(40);
    tables.slots.fill(7, at, at + 64);
    return at;
  };
  edit();
  tables.view.setUint8(40 * 64, L.TYPE.FILE);
  tables.hide(40);
  tables.keep();
  assertEquals(tables.dirtySlots, [40]);
  const shown = new Uint8Array(64);
  tables.copySlots(40, 1, shown, 0);
  const expected = new Uint8Array(64);
  expected.fill(7, 2, 4);
  assertEquals(shown, expected);
  tables.settle();
  edit();
  tables.keep();
  assert(tables.isClean, "a hidden slot needs no further record");
});

Deno.test("Tables.markLazyDirty() makes lazy changes dirty up to a limit", () => {
  const tables = tablesOf();
  for (let slot = 32; slot < 64; slot++) {
    tables.slots[slot * 64] = L.TYPE.FILE;
    tables.touchLazily(slot, 0);
  }
  assert(tables.isClean && tables.hasLazy);
  tables.markLazyDirty(68 * 10 + 8);
  assertEquals(tables.dirtySlots.length, 10);
  tables.markLazyDirty(1e6);
  assertEquals([tables.dirtySlots.length, tables.hasLazy], [32, false]);
});

Deno.test("Tables grows with zeros and keeps what it has", () => {
  const tables = tablesOf();
  tables.slots.fill(3);
  tables.names.fill(4);
  tables.growSlots(1024);
  tables.growNames(8192);
  assertEquals([tables.slotCount, tables.slots[8191], tables.slots[8192]], [1024, 3, 0]);
  assertEquals([tables.names.length, tables.names[4095], tables.names[4096]], [8192, 4, 0]);
  tables.begin();
  tables.edit(1000);
  tables.keep();
  tables.settle();
  assertEquals(tables.homeSlots.toArray(), [15]);
});

Deno.test("Tables.replaySlot() takes whole slots that there are", () => {
  const tables = new Tables(new Uint8Array(64 * 64), new Uint8Array(4096));
  assertThrows(() => tables.replaySlot(64, new Uint8Array(64)), InvariantError, "V10");
  assertThrows(() => tables.replaySlot(1, new Uint8Array(63)), InvariantError, "V10");
});

Deno.test("Tables.revert() brings back names, and what was hidden", () => {
  const tables = tablesOf();
  tables.names.fill(5);
  tables.slots.fill(1, 40 * 64, 42 * 64);
  tables.begin();
  for (const offset of [32, 32, 64]) {
    tables.editNames(offset, 32);
    tables.names.fill(offset + tables.names[offset]!, offset, offset + 32);
  }
  tables.edit(40);
  tables.hide(40);
  tables.hideQuietly(41);
  tables.revert();
  assertEquals(tables.names, new Uint8Array(4096).fill(5));
  assertEquals([tables.isHidden(40), tables.isHidden(41)], [false, false]);
});

Deno.test("Tables.copySlots() shows what the last record has: times of access, and hidden slots", () => {
  const tables = tablesOf();
  tables.slots.fill(6, 40 * 64, 41 * 64);
  tables.view.setFloat64(33 * 64 + L.SLOT.ATIME, 7, true);
  tables.touchLazily(33, 7);
  tables.view.setFloat64(33 * 64 + L.SLOT.ATIME, 8, true);
  tables.touchLazily(33, 8);
  tables.begin();
  tables.slots.fill(9, tables.edit(40) + 16, 41 * 64);
  tables.hideQuietly(40);
  tables.keep();
  const shown = new Uint8Array(128 * 64);
  tables.copySlots(0, 128, shown, 0);
  assertEquals(new DataView(shown.buffer).getFloat64(33 * 64 + L.SLOT.ATIME, true), 7);
  assertEquals(shown.slice(40 * 64, 41 * 64), new Uint8Array(64).fill(6));
  assert(tables.isClean, "nothing of it needs a record");
  tables.becomeShown(40);
  assertEquals([tables.isHidden(40), tables.slots[40 * 64 + 16]], [false, 6]);
  tables.markLazyDirty(1e6);
  tables.settle();
  tables.copySlots(33, 1, shown, 0);
  assertEquals(new DataView(shown.buffer).getFloat64(L.SLOT.ATIME, true), 8);
});
