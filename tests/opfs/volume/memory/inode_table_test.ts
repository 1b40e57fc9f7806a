import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import { InodeTable } from "../../../../opfs/volume/memory/inode_table.ts";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { Tables } from "../../../../opfs/volume/memory/tables.ts";

function tableOf(
  slots = 64,
): { inodes: InodeTable; tables: Tables; begin: () => void; keep: () => void } {
  const tables = new Tables(new Uint8Array(slots * 64), new Uint8Array(4096));
  const inodes = new InodeTable(tables);
  inodes.setFree([], 32);
  return {
    inodes,
    tables,
    begin: () => (tables.begin(), inodes.begin()),
    keep: () => (tables.keep(), inodes.keep()),
  };
}

Deno.test("InodeTable gives out every slot once, and then ENOSPC", () => {
  const { inodes, begin } = tableOf();
  begin();
  const slots = Array.from({ length: 32 }, () => inodes.allocate(L.TYPE.FILE));
  assertEquals(slots, Array.from({ length: 32 }, (_, index) => 32 + index));
  assertEquals(inodes.free, 0);
  assertThrows(() => inodes.allocate(L.TYPE.FILE), ErrnoError, "ENOSPC");
});

Deno.test("InodeTable makes an old number stale when its slot is given to another inode", () => {
  const { inodes, begin, keep } = tableOf();
  begin();
  const slot = inodes.allocate(L.TYPE.FILE);
  keep();
  const ino = inodes.inoOf(slot);
  assertEquals([inodes.slotOf(ino), ino >>> 0], [slot, slot + 1]);
  begin();
  inodes.release(slot);
  keep();
  assertThrows(() => inodes.slotOf(ino), ErrnoError, "ESTALE");
  begin();
  assertEquals(inodes.allocate(L.TYPE.DIRECTORY), slot);
  keep();
  assertThrows(() => inodes.slotOf(ino), ErrnoError, "ESTALE");
  assert(inodes.inoOf(slot) !== ino);
});

Deno.test("InodeTable.slotOf() refuses every number that is no inode", () => {
  const { inodes } = tableOf();
  for (const ino of [0, -1, 0.5, 33, 65, 2 ** 32, 2 ** 53, NaN, Infinity]) {
    assertThrows(() => inodes.slotOf(ino), ErrnoError, "ESTALE");
  }
});

Deno.test("InodeTable gives a slot back only when the transaction is kept", () => {
  const { inodes, begin, keep, tables } = tableOf(34);
  begin();
  const slots = [inodes.allocate(L.TYPE.FILE), inodes.allocate(L.TYPE.FILE)];
  keep();
  begin();
  inodes.release(slots[0]!);
  assertThrows(() => inodes.allocate(L.TYPE.FILE), ErrnoError, "ENOSPC");
  tables.revert();
  inodes.revert();
  assertEquals([inodes.free, tables.slots[slots[0]! * 64]], [0, L.TYPE.FILE]);
  begin();
  inodes.release(slots[0]!);
  keep();
  begin();
  assertEquals(inodes.allocate(L.TYPE.FILE), slots[0]);
  tables.revert();
  inodes.revert();
  assertEquals(inodes.free, 1);
});

Deno.test("InodeTable keeps generations through a time as continuation, and through a mount", () => {
  const { inodes, begin, keep, tables } = tableOf(33);
  const generations: number[] = [];
  for (const type of [L.TYPE.FILE, L.TYPE.CONTINUATION, L.TYPE.FILE, L.TYPE.FILE]) {
    begin();
    const slot = inodes.allocate(type);
    if (type === L.TYPE.CONTINUATION) tables.view.setUint16(slot * 64 + 2, 777, true);
    else generations.push(Math.floor(inodes.inoOf(slot) / 2 ** 32));
    keep();
    begin();
    inodes.release(slot);
    keep();
  }
  assertEquals(generations, [1, 3, 4]);
  begin();
  assertEquals(inodes.allocate(L.TYPE.CONTINUATION), 32);
  tables.view.setUint32(32 * 64 + L.CONTINUATION.OWNER, 99, true);
  keep();
  const later = new InodeTable(tables);
  later.setFree([32], 33);
  begin();
  later.begin();
  assertEquals(later.allocate(L.TYPE.FILE), 32);
  assertEquals(later.inoOf(32), 33 + 6 * 2 ** 32);
});

/** Files in slots 32 and 33; the one in 32 has a continuation in 34 and an attribute in 35. */
function withBelongings(slots = 40): ReturnType<typeof tableOf> {
  const made = tableOf(slots);
  const { inodes, tables, begin, keep } = made;
  begin();
  for (const type of [L.TYPE.FILE, L.TYPE.FILE, L.TYPE.CONTINUATION, L.TYPE.XATTR]) {
    inodes.allocate(type);
  }
  tables.view.setUint32(34 * 64 + L.CONTINUATION.OWNER, 32, true);
  tables.view.setUint16(34 * 64 + L.CONTINUATION.OWNER_GENERATION, 1, true);
  tables.view.setUint32(35 * 64 + L.XATTR.OWNER, 32, true);
  tables.view.setUint16(35 * 64 + L.XATTR.OWNER_GENERATION, 1, true);
  keep();
  return made;
}

/** The file in slot 32 goes, and leaves its belongings as they are. */
function leaveDead({ inodes, begin, keep }: ReturnType<typeof tableOf>): void {
  begin();
  inodes.abandon(34);
  inodes.abandon(35);
  inodes.release(32);
  keep();
}

Deno.test("InodeTable holds a slot as long as dead ones name it, and gives these out first", () => {
  const made = withBelongings(38);
  const { inodes, begin, keep } = made;
  leaveDead(made);
  assertEquals([inodes.free, inodes.isFree(32), inodes.isFree(34)], [4, false, true]);
  begin();
  assertEquals([inodes.allocate(L.TYPE.FILE), inodes.allocate(L.TYPE.FILE)], [35, 34]);
  assertEquals(inodes.isFree(32), false, "the transaction may not happen");
  keep();
  assertEquals([inodes.free, inodes.isFree(32)], [3, true]);
  begin();
  assertEquals(inodes.allocate(L.TYPE.FILE), 32);
});

Deno.test("InodeTable counts a dead slot again when the transaction that took it is reverted", () => {
  const made = withBelongings(36);
  const { inodes, tables, begin, keep } = made;
  leaveDead(made);
  for (let round = 0; round < 3; round++) {
    begin();
    for (const slot of [35, 34]) assertEquals(inodes.allocate(L.TYPE.FILE), slot);
    assertThrows(() => inodes.allocate(L.TYPE.FILE), ErrnoError, "ENOSPC");
    tables.revert();
    inodes.revert();
    assertEquals([inodes.free, inodes.isFree(32)], [2, false]);
  }
  begin();
  inodes.allocate(L.TYPE.FILE);
  keep();
  assertEquals([inodes.free, inodes.isFree(32)], [1, false]);
  begin();
  inodes.allocate(L.TYPE.FILE);
  keep();
  assertEquals([inodes.free, inodes.isFree(32)], [1, true]);
});

Deno.test("InodeTable holds what dead slots name at a mount, used or not, and when the table grows", () => {
  const { tables } = withBelongings(36);
  tables.view.setUint8(32 * 64, L.TYPE.FREE);
  tables.view.setUint8(33 * 64, L.TYPE.FREE);
  // The attribute names a slot past the table's end.
  tables.view.setUint32(35 * 64 + L.XATTR.OWNER, 37, true);
  const inodes = new InodeTable(tables);
  inodes.setFree([32, 33, 34, 35], 36);
  assertEquals(inodes.free, 3);
  tables.growSlots(40);
  inodes.grow(4);
  assertEquals(inodes.free, 6);
  tables.begin();
  inodes.begin();
  const taken = Array.from({ length: 6 }, () => inodes.allocate(L.TYPE.FILE));
  assertEquals(taken, [34, 35, 33, 36, 38, 39]);
  assertThrows(() => inodes.allocate(L.TYPE.FILE), ErrnoError, "ENOSPC");
  tables.keep();
  inodes.keep();
  assertEquals(inodes.free, 2);
  tables.begin();
  assertEquals([inodes.allocate(L.TYPE.FILE), inodes.allocate(L.TYPE.FILE)].sort(), [32, 37]);
});

Deno.test("InodeTable shows a slot that is taken again after its taker was hidden and reverted", () => {
  const { inodes, tables, begin, keep } = tableOf();
  begin();
  const slot = inodes.allocate(L.TYPE.FILE);
  tables.hide(slot);
  tables.revert();
  inodes.revert();
  begin();
  assertEquals(inodes.allocate(L.TYPE.FILE), slot);
  keep();
  assertEquals([tables.isHidden(slot), tables.dirtySlots], [false, [slot]]);
});

Deno.test("InodeTable counts those who retain an inode", () => {
  const { inodes } = tableOf();
  inodes.retain(40);
  inodes.retain(40);
  assertEquals([inodes.unretain(40), inodes.isRetained(40)], [false, true]);
  assertEquals([inodes.unretain(40), inodes.isRetained(40)], [true, false]);
  assertThrows(() => inodes.unretain(40), ErrnoError, "EINVAL");
});
