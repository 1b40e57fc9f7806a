import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import { BLOCKS_MAX, SEGMENT, TABLE } from "../../../../opfs/volume/format/layout.ts";
import {
  bytesOf,
  encodeSegment,
  firstSegments,
  isInside,
  locate,
  readSegments,
  tableLimit,
} from "../../../../opfs/volume/format/segments.ts";
import { freshSuperblock } from "../../../../opfs/volume/format/superblock.ts";

const PLAIN = { isSummed: false };
const superblock = { ...freshSuperblock(4096, 512 * 1024), totalBlocks: 1000 };
const good = {
  table: 1,
  ordinal: 1,
  logical: 65536,
  bytes: 262144,
  firstBlock: 64,
  blockCount: 64,
};

function slotsWith(...segments: Partial<typeof good>[]): Uint8Array {
  const slots = new Uint8Array(32 * 64);
  const view = new DataView(slots.buffer);
  slots[0] = 2;
  segments.forEach((segment, index) => {
    const at = (31 - index) * 64;
    encodeSegment(view, at, { ...good, at: 0 });
    const { table, ordinal, firstBlock, blockCount, logical, bytes } = { ...good, ...segment };
    view.setUint8(at + SEGMENT.TABLE, table);
    view.setUint16(at + SEGMENT.ORDINAL, ordinal, true);
    view.setUint32(at + SEGMENT.FIRST_BLOCK, firstBlock, true);
    view.setUint32(at + SEGMENT.BLOCK_COUNT, blockCount, true);
    view.setFloat64(at + SEGMENT.LOGICAL, logical, true);
    view.setFloat64(at + SEGMENT.BYTES, bytes, true);
  });
  return slots;
}

Deno.test("readSegments() finds the tables' parts in order of their ordinal", () => {
  const later = { ordinal: 2, logical: 327680, bytes: 4096, firstBlock: 200, blockCount: 1 };
  const { slots, names } = readSegments(superblock, slotsWith(later, {}), PLAIN);
  assertEquals(slots.map(({ logical, at }) => [logical, at]), [
    [0, superblock.inodeOffset],
    [65536, superblock.dataOffset + 64 * 4096],
    [327680, superblock.dataOffset + 200 * 4096],
  ]);
  assertEquals([bytesOf(slots), bytesOf(names)], [331776, 65536]);
  assertEquals(locate(slots, 65536 + 4096), { at: slots[1]!.at + 4096, bytes: 258048 });
});

Deno.test("readSegments() refuses descriptors that cannot be", () => {
  const bad: Partial<typeof good>[] = [
    { table: 0 },
    { table: 4 },
    { ordinal: 2 },
    { logical: 65535 },
    { logical: NaN },
    { bytes: 4096 },
    { bytes: 0, blockCount: 0 },
    { firstBlock: 990 },
    { firstBlock: 2 ** 32 - 1 },
    { bytes: 2 ** 31, blockCount: 2 ** 19 },
  ];
  for (const change of bad) {
    assertThrows(() => readSegments(superblock, slotsWith(change), PLAIN), ErrnoError, "V1");
  }
  const other = slotsWith();
  other[5 * 64] = 1;
  assertThrows(() => readSegments(superblock, other, PLAIN), ErrnoError, "slot 5 is of type 1");
});

Deno.test("firstSegments() lie one after the other", () => {
  const { slots, names, bitmap } = firstSegments(superblock);
  assertEquals([slots[0]!.at + slots[0]!.bytes, names[0]!.at + names[0]!.bytes], [
    names[0]!.at,
    bitmap[0]!.at,
  ]);
});

Deno.test("isInside() wants all bytes in one segment", () => {
  const segment = { at: 0, firstBlock: -1, blockCount: 0 };
  const two = [{ ...segment, logical: 0, bytes: 100 }, { ...segment, logical: 100, bytes: 50 }];
  assertEquals([isInside(two, 0, 100), isInside(two, 100, 50), isInside(two, 99, 1)], [
    true,
    true,
    true,
  ]);
  assertEquals([isInside(two, 99, 2), isInside(two, 100, 51), isInside(two, 150, 1)], [
    false,
    false,
    false,
  ]);
});

Deno.test("tableLimit() is what FORMAT says of slots and names, and bits for every block", () => {
  const { SLOTS, NAMES, BITMAP } = TABLE;
  assertEquals(tableLimit(SLOTS) / 64, 2 ** 24);
  assertEquals(tableLimit(NAMES), 2 ** 32 - 16);
  assert(tableLimit(BITMAP) * 8 >= BLOCKS_MAX);
});
