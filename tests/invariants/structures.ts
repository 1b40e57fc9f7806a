/**
 * Each invariant of the engine's lower parts, made false from outside: by asking for what no caller may
 * ask for, or by breaking the state first.
 *
 * Layer: tests. A row is what the message says, and what breaks it; `invariants_test.ts` runs them.
 *
 * @module
 */
import { Bitmap } from "../../opfs/volume/memory/bitmap.ts";
import { BlockPool } from "../../opfs/volume/memory/block_pool.ts";
import { BlockSet } from "../../opfs/volume/memory/block_set.ts";
import { crc32 } from "../../opfs/volume/format/checksum.ts";
import { EntryCache } from "../../opfs/volume/memory/entry_cache.ts";
import { Extents } from "../../opfs/volume/memory/extent.ts";
import { HIDDEN, HiddenSlots } from "../../opfs/volume/memory/hidden_slots.ts";
import { encodeHeader, type Header } from "../../opfs/volume/format/header.ts";
import { InodeTable } from "../../opfs/volume/memory/inode_table.ts";
import * as L from "../../opfs/volume/format/layout.ts";
import { decodeName } from "../../opfs/volume/format/names.ts";
import { PathTable } from "../../opfs/volume/memory/path_table.ts";
import type { BlockDevice } from "../../opfs/volume/memory/pool_types.ts";
import { RecordWriter } from "../../opfs/volume/format/record.ts";
import { encodeSegment, locate } from "../../opfs/volume/format/segments.ts";
import { encodeSuperblock, freshSuperblock } from "../../opfs/volume/format/superblock.ts";
import { Tables } from "../../opfs/volume/memory/tables.ts";
import { Windows } from "../../opfs/volume/memory/windows.ts";
import { storeValueRuns } from "../../opfs/volume/memory/xattr_record.ts";
import { patched } from "./patched.ts";

/** What a message says, and what breaks the rule. */
export type Row = readonly [message: string, act: () => unknown];

function bitmapOf(blocks = 64): Bitmap {
  const bitmap = new Bitmap();
  bitmap.grow(blocks);
  bitmap.begin();
  return bitmap;
}

/** With blocks 0 to 15 used. */
function usedBitmap(): Bitmap {
  const bitmap = bitmapOf();
  bitmap.claim(0, 16);
  return bitmap;
}

/** With blocks given back, and the transaction kept. */
function givenBack(times = 1): Bitmap {
  const bitmap = usedBitmap();
  for (let round = 0; round < times; round++) bitmap.give(0, 16);
  bitmap.keep();
  return bitmap;
}

const bitmapRows: readonly Row[] = [
  ["V7: the bitmap grows upwards", () => bitmapOf().grow(63)],
  ["V7: more blocks than there can be", () => bitmapOf().grow(2 ** 31)],
  ["V7: 64 of 64 blocks are cut", () => bitmapOf().cut(64)],
  ["V1: a block beyond the end is owned", () => usedBitmap().cut(50)],
  ["V15: more blocks in quarantine than are used", () => givenBack(2)],
  ["V7: a part of a block is wanted", () => bitmapOf().allocate(-1, 1.5)],
  ["V3: the free count promises a block that is not there", () => {
    const bitmap = bitmapOf();
    bitmap.claim(0, 64);
    Object.defineProperty(bitmap, "free", { value: 5 });
    bitmap.allocate(-1, 1);
  }],
  ["V1: nothing has been taken that could be given back", () => bitmapOf().untake()],
  ["V1: blocks at 3 are owned already", () => usedBitmap().take(3, 1)],
  ["V1: blocks at 4 are owned already", () => usedBitmap().borrow(4, 1)],
  ["V1: a block at 20 that was borrowed is free", () => usedBitmap().giveBack(20, 1)],
  ["V2: blocks are given back that are free", () => usedBitmap().give(10, 10)],
  ["V7: a run of no blocks is taken", () => bitmapOf().take(0, 0)],
  ["V7: blocks past the end are taken", () => bitmapOf().take(60, 10)],
  ["V7: blocks that are not there become free", () => usedBitmap().giveBack(0, 0)],
  ["V15: a block at 20 in quarantine is free", () => givenBack().release(20, 1)],
  ["V15: 4 blocks leave a quarantine of fewer", () => usedBitmap().release(0, 4)],
  ["V15: a free block at 20 is held", () => usedBitmap().hold(20, 4)],
  ["V2: bits from byte -1 on", () => bitmapOf().copyBytes(-1, new Uint8Array(4))],
  ["V1: a window without an owner, or of nothing", () => new Windows().open(-1, 0, 1)],
  ["V7: a set of blocks", () => new BlockSet(-1)],
  ["V7: 0 blocks from 3 on are added to a set", () => new BlockSet(9).add(3, 0)],
  ["V7: blocks outside of the set", () => new BlockSet(9).clear(8, 2)],
  ["V1: blocks that are not in the set", () => new BlockSet(9).clear(1, 2)],
  ["V7: members before a block outside of the set", () => new BlockSet(9).before(10)],
];

const device: BlockDevice = { readBlocks: () => {}, writeBlocks: () => {} };
const poolOf = (): BlockPool => new BlockPool(device, { blockSize: 512, poolBytes: 0 });

/** A pool whose block 3 is in a record. */
function loggedPool(): BlockPool {
  const pool = poolOf();
  const frame = pool.fresh(3);
  pool.markDirty(frame, 0, 10);
  pool.logged([frame]);
  return pool;
}

const poolRows: readonly Row[] = [
  [
    "V7: a pool of 0 bytes, blocks of 500",
    () => new BlockPool(device, { blockSize: 500, poolBytes: 0 }),
  ],
  ["V7: a frame for a block before the first", () => poolOf().get(-1)],
  ["V15: the journal pins every frame of the pool", () => {
    const pool = poolOf();
    for (let block = 0; block < pool.capacity; block++) pool.markDirty(pool.fresh(block), 0, 1);
    pool.logged(pool.dirtyFrames("all"));
    pool.get(pool.capacity);
  }],
  ["V7: bytes outside of their block", () => poolOf().markDirty(0, 500, 513)],
  ["V15: a frame without a block becomes dirty", () => poolOf().markDirty(0, 0, 1)],
  ["V12: fewer blocks are dirty than are counted", () => {
    // A pool whose marks are lost: what is set reads as 0.
    let pool: BlockPool | undefined;
    const Forgetful = function (): object {
      return new Proxy({}, { get: () => 0, set: () => true });
    };
    patched(globalThis as { Uint8Array: unknown }, { Uint8Array: Forgetful }, () => {
      pool = poolOf();
    });
    pool!.markDirty(pool!.fresh(3), 0, 1);
    pool!.dirtyFrames("all");
  }],
  ["V15: a logged block goes to its place", () => {
    const pool = loggedPool();
    // Its frame is lost while the record still counts.
    pool.drop(3);
    pool.markDirty(pool.fresh(3), 0, 1);
    pool.writeBack();
  }],
  ["V12: a record with bytes of a clean frame", () => {
    const pool = poolOf();
    pool.logged([pool.fresh(3)]);
  }],
  ["V15: block 3 is nowhere as it was", () => {
    const pool = poolOf();
    const frame = pool.fresh(3);
    pool.markDirty(frame, 0, 1);
    pool.logged([frame]);
    pool.markDirty(frame, 0, 1);
    pool.takeBack();
  }],
];

function tablesOf(): Tables {
  const tables = new Tables(new Uint8Array(64 * 64), new Uint8Array(4096));
  tables.begin();
  return tables;
}

/** Tables between two transactions. */
function closedTables(): Tables {
  const tables = tablesOf();
  tables.keep();
  return tables;
}

const tableRows: readonly Row[] = [
  ["V11: a page of a table that ends before it", () => tablesOf().homeSlots.add(99)],
  ["V5: tables of 65 and 16 bytes", () => new Tables(new Uint8Array(65), new Uint8Array(16))],
  ["V14: a transaction inside a transaction", () => tablesOf().begin()],
  ["V14: an edit outside of a transaction", () => closedTables().edit(3)],
  ["V4: an edit of a slot that is not there", () => tablesOf().edit(64)],
  ["V14: a name written outside of a transaction", () => closedTables().editNames(0, 16)],
  ["V5: a name written outside of the granules", () => tablesOf().editNames(3, 16)],
  ["V14: keep without begin", () => closedTables().keep()],
  ["V14: an open transaction is taken back with those before it", () => tablesOf().takeBack()],
  ["V4: slot 9 is hidden but not edited", () => tablesOf().hide(9)],
  ["V14: a slot is hidden outside of a transaction", () => closedTables().hideQuietly(9)],
  ["V4: slot 9 is shown but not edited", () => {
    const tables = tablesOf();
    tables.edit(9);
    tables.hide(9);
    tables.keep();
    tables.begin();
    tables.unhide(9);
  }],
  ["V14: slot 9 becomes what it shows inside a transaction", () => tablesOf().becomeShown(9)],
  ["V5: 16 bytes of names are remembered for no place", () => {
    const tables = tablesOf();
    patched(Array.prototype as { push: unknown }, { push: () => 0 }, () => tables.editNames(0, 16));
    tables.revert();
  }],
  ["V4: slot 9 in state 1 keeps 64 bytes", () => {
    new HiddenSlots(64).set(9, HIDDEN.NEXT, new Uint8Array(64));
  }],
  ["V4: a slot that is not there is touched", () => tablesOf().touchLazily(64, 0)],
  ["V14: a commit inside a transaction", () => tablesOf().settle()],
  ["V11: a slot is dirty in one list and clean in the other", () => {
    const tables = closedTables();
    tables.dirtySlots.push(9);
    tables.settle();
  }],
  [
    "V4: slots that are not there are copied",
    () => tablesOf().copySlots(60, 5, new Uint8Array(320), 0),
  ],
  ["V10: slot 3 of 5 bytes", () => tablesOf().replaySlot(3, new Uint8Array(5))],
  ["V10: slot 64 is past the table", () => tablesOf().replaySlot(64, new Uint8Array(64))],
  ["V10: names at 4096 are past the table", () => {
    tablesOf().replayNames(4096, new Uint8Array(16));
  }],
  ["V4: slots grow upwards, to what there can be", () => tablesOf().growSlots(64)],
  ["V5: names grow upwards, to what there can be", () => tablesOf().growNames(4096)],
];

/** Slots from 32 on are free. */
function inodesOf(firstUnused = 32): { inodes: InodeTable; tables: Tables } {
  const tables = tablesOf();
  const inodes = new InodeTable(tables);
  inodes.setFree([], firstUnused);
  inodes.begin();
  return { inodes, tables };
}

/** The same with one file. */
function withFile(type: number = L.TYPE.FILE): ReturnType<typeof inodesOf> & { slot: number } {
  const made = inodesOf();
  return { ...made, slot: made.inodes.allocate(type) };
}

const inodeRows: readonly Row[] = [
  ["V3: 65 slots are in use, there are 64", () => inodesOf(65)],
  ["V3: the table has grown by nothing", () => inodesOf().inodes.grow(0)],
  ["V8: a slot of type 5 is wanted", () => inodesOf().inodes.allocate(L.TYPE.SEGMENT)],
  ["V4: a slot is given out while it is in use", () => {
    const { inodes, tables } = inodesOf();
    tables.view.setUint8(32 * 64, L.TYPE.FILE);
    inodes.allocate(L.TYPE.FILE);
  }],
  ["V6: the root is never given back", () => inodesOf().inodes.release(0)],
  ["V4: a slot is given back that is free", () => {
    const { inodes, slot } = withFile();
    inodes.release(slot);
    inodes.release(slot);
  }],
  ["V4: slot 32 of type 1 is left as it is", () => {
    const { inodes, slot } = withFile();
    inodes.abandon(slot);
  }],
  ["V17: slot 32 is given out, and dead slots name it", () => {
    const { inodes, tables } = inodesOf(33);
    tables.view.setUint8(40 * 64, L.TYPE.CONTINUATION);
    tables.view.setUint32(40 * 64 + L.CONTINUATION.OWNER, 32, true);
    tables.keep();
    inodes.keep();
    // Slot 32 is on the list before the one that names it.
    inodes.setFree([32], 41);
    inodes.setFree([40], 41);
    tables.begin();
    inodes.begin();
    inodes.allocate(L.TYPE.FILE);
    inodes.allocate(L.TYPE.FILE);
  }],
  ["V17: a dead slot of slot 33 was not counted", () => {
    const { inodes, tables } = inodesOf();
    tables.view.setUint8(32 * 64, L.TYPE.XATTR);
    tables.view.setUint32(32 * 64 + L.XATTR.OWNER, 33, true);
    inodes.allocate(L.TYPE.FILE);
    tables.keep();
    inodes.keep();
  }],
  ["V4: a slot that is not there is retained", () => inodesOf().inodes.retain(64)],
  ["V6: directory 0 has lost a child", () => inodesOf().inodes.addSubdirectories(0, -1)],
];

function pathsOf(): { paths: PathTable; tables: Tables } {
  const tables = tablesOf();
  const segment = { logical: 0, bytes: 4096, at: 0, firstBlock: -1, blockCount: 0 };
  const paths = new PathTable(tables, [segment], 10);
  paths.begin();
  return { paths, tables };
}

const pathRows: readonly Row[] = [
  [
    "V5: the length of an entry is out of range",
    () => pathsOf().paths.write(0, new Uint8Array(9), 0),
  ],
  ["V5: granules are given back that are free", () => {
    const { paths } = pathsOf();
    const offset = paths.write(0, new Uint8Array(9).fill(65), 9);
    paths.drop(offset, 9);
    paths.drop(offset, 9);
    paths.keep();
  }],
  ["V5: an entry of 5 bytes at 8", () => pathsOf().paths.claimEntry(8, 5)],
  ["V5: slot 40 is not in the index", () => {
    const { paths, tables } = pathsOf();
    tables.view.setUint16(40 * 64 + L.SLOT.PATH_LENGTH, 9, true);
    paths.remove(40);
  }],
  ["V5: a directory is listed twice and has not changed", () => {
    const cache = new EntryCache();
    cache.keep(3, 0, []);
    cache.keep(3, 0, []);
  }],
  ["V5: a name past the end of its bytes", () => decodeName(new Uint8Array(4), 2, 3)],
  ["V10: a checksum of bytes that are not there", () => crc32(new Uint8Array(4), 0, 5)],
];

/** A file without blocks in a volume of 64 blocks, all of them taken. */
function fileOf(type: number = L.TYPE.FILE): {
  extents: Extents;
  slot: number;
  tables: Tables;
  inodes: InodeTable;
} {
  const { inodes, tables, slot } = withFile(type);
  const bitmap = bitmapOf();
  bitmap.claim(0, 60);
  return { extents: new Extents({ tables, inodes, bitmap }), slot, tables, inodes };
}

function insert(fileBlock: number, block: number, count: number): Extents {
  const { extents, slot } = fileOf();
  extents.insert(slot, { fileBlock, block, count, isUnwritten: false });
  return extents;
}

/** Another file's leaf is said to be this one's. */
function withStolenLeaf(): { extents: Extents; slot: number } {
  const { extents, slot, inodes } = fileOf();
  const other = inodes.allocate(L.TYPE.FILE);
  extents.insert(other, { fileBlock: 5, block: 5, count: 2, isUnwritten: false });
  extents.setLeaves(slot, [...extents.leavesOf(other)]);
  return { extents, slot };
}

const extentRows: readonly Row[] = [
  ["V7: a block before the first of a file", () => {
    const { extents, slot } = fileOf();
    extents.find(slot, -1);
  }],
  ["V7: a run of no blocks", () => insert(0, 0, 0)],
  ["V7: a run of blocks that are not there", () => insert(0, 60, 10)],
  ["V2: a run of blocks that was not taken", () => insert(0, 58, 4)],
  ["V7: a run over the file's first one", () => {
    const { extents, slot } = fileOf();
    extents.insert(slot, { fileBlock: 0, block: 0, count: 5, isUnwritten: false });
    extents.insert(slot, { fileBlock: 3, block: 9, count: 1, isUnwritten: false });
  }],
  ["V7: a run past the end of all files", () => insert(L.BLOCKS_MAX - 1, 0, 2)],
  ["V7: runs of one file in a slot of another", () => {
    const { extents, slot } = withStolenLeaf();
    extents.insert(slot, { fileBlock: 30, block: 30, count: 1, isUnwritten: false });
  }],
  ["V7: runs of one file in a slot of another", () => {
    const { extents, slot } = withStolenLeaf();
    extents.remove(slot, { from: 0, to: 100 });
  }],
  ["V7: slot 32 of type 2 gets runs", () => {
    const { extents, slot } = fileOf(L.TYPE.DIRECTORY);
    extents.insert(slot, { fileBlock: 9, block: 9, count: 1, isUnwritten: false });
  }],
  ["V7: a leaf of too many runs", () => {
    const { extents, slot } = fileOf();
    const run = (at: number) => ({
      fileBlock: at * 2,
      block: at * 3,
      count: 1,
      isUnwritten: false,
    });
    for (const at of [1, 2, 3]) extents.insert(slot, run(at));
    // A leaf that does not get shorter when it is split.
    const slice = function (this: unknown[]): unknown[] {
      return this;
    };
    patched(Array.prototype as { slice: unknown }, { slice }, () => extents.insert(slot, run(4)));
  }],
  ["V7: a range that ends before it begins", () => {
    const { extents, slot } = fileOf();
    extents.remove(slot, { from: 5, to: 4 });
  }],
  ["V7: a run over another one", () => {
    const { extents, slot } = fileOf();
    extents.insert(slot, { fileBlock: 5, block: 5, count: 10, isUnwritten: false });
    extents.insert(slot, { fileBlock: 7, block: 30, count: 1, isUnwritten: false });
  }],
];

const superblock = freshSuperblock(4096, L.RING_BYTES_DEFAULT);
const header: Header = {
  state: 2,
  counter: 5,
  tailSequence: 7,
  tailPlace: 512,
  tailChecksum: 1,
  salt: [1, 2],
  term: 1,
  ringBytes: L.RING_BYTES_DEFAULT,
  featuresIncompatible: L.FEATURE_SUMS,
  featuresReadOnly: 0,
  superblock,
  volumeId: new Uint8Array(16),
  label: "",
  limitBytes: 0,
};

function segmentWith(change: object): void {
  const segment = { logical: 0, bytes: 4096, at: 0, firstBlock: 0, blockCount: 1 };
  const view = new DataView(new ArrayBuffer(64));
  encodeSegment(view, 0, { ...segment, table: 1, ordinal: 1, ...change });
}

const headerRows: readonly Row[] = [
  ["V9: a header of state 4", () => encodeHeader({ ...header, state: 4 })],
  ["V9: a header number 0", () => encodeHeader({ ...header, counter: 0 })],
  [
    "V9: a header with a tail at record -1",
    () => encodeHeader({ ...header, tailSequence: -1 }),
  ],
  ["V9: a header with a tail at 7", () => encodeHeader({ ...header, tailPlace: 7 })],
  ["V9: an id of 4 bytes", () => encodeHeader({ ...header, volumeId: new Uint8Array(4) })],
  ["V9: a label of 70 letters", () => encodeHeader({ ...header, label: "x".repeat(70) })],
  ["V9: a superblock that would be refused: block size 5 is impossible", () => {
    encodeSuperblock({ ...superblock, blockSize: 5 }, new DataView(new ArrayBuffer(64)), 0);
  }],
  ["V11: a table has no byte -1", () => {
    locate([{ logical: 0, bytes: 4096, at: 0, firstBlock: -1, blockCount: 0 }], -1);
  }],
  ["V1: a segment of 5 bytes in 1 blocks at 0", () => segmentWith({ bytes: 5 })],
  ["V1: segment 0 of table 1", () => segmentWith({ ordinal: 0 })],
  ["V7: a value in 6 runs", () => {
    const runs = Array.from({ length: 6 }, () => ({ block: 1, count: 1 }));
    storeValueRuns(new DataView(new ArrayBuffer(64)), 0, runs);
  }],
];

function recordOf(bytes = 512): RecordWriter {
  const writer = new RecordWriter(bytes);
  writer.begin();
  return writer;
}

const head = { sequence: 1, salt: [1, 2] as const, previous: 0, totalBlocks: 64, time: 0 };

const recordRows: readonly Row[] = [
  ["V10: a slot after other lists", () => {
    const writer = recordOf();
    writer.names(0, new Uint8Array(16));
    writer.slot(1);
  }],
  ["V10: a slot in a full record", () => recordOf(64).slot(1)],
  ["V10: names after the list of data", () => {
    const writer = recordOf();
    writer.data(1, 0, new Uint8Array(4));
    writer.names(0, new Uint8Array(16));
  }],
  ["V5: 16 bytes of names at 3", () => recordOf().names(3, new Uint8Array(16))],
  ["V7: 0 bytes at 0 of block 1", () => recordOf().data(1, 0, new Uint8Array(0))],
  ["V10: bytes in a full record", () => recordOf().data(1, 0, new Uint8Array(600))],
  ["V10: a record number -1", () => recordOf().end({ ...head, sequence: -1 })],
  ["V7: a record of 0 blocks", () => recordOf().end({ ...head, totalBlocks: 0 })],
];

/** All of them. */
export const structureRows: readonly Row[] = [
  ...bitmapRows,
  ...poolRows,
  ...tableRows,
  ...inodeRows,
  ...pathRows,
  ...extentRows,
  ...headerRows,
  ...recordRows,
];
