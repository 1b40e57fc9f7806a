import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { InodeTable } from "../../../opfs/volume/inode_table.ts";
import * as L from "../../../opfs/volume/layout.ts";
import { Tables } from "../../../opfs/volume/tables.ts";

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

Deno.test("InodeTable makes an old number stale when its slot is given to somebody else", () => {
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

Deno.test("InodeTable keeps generations through a time as continuation", () => {
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
});

Deno.test("InodeTable counts those who retain an inode", () => {
  const { inodes } = tableOf();
  inodes.retain(40);
  inodes.retain(40);
  assertEquals([inodes.letGo(40), inodes.isRetained(40)], [false, true]);
  assertEquals([inodes.letGo(40), inodes.isRetained(40)], [true, false]);
  assertThrows(() => inodes.letGo(40), ErrnoError, "EINVAL");
});
