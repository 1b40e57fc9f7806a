import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../../../abi/invariant.ts";
import { Bitmap } from "../../../../opfs/volume/memory/bitmap.ts";
import {
  Extents,
  NO_BLOCK,
  type Run,
  runsOfContinuation,
} from "../../../../opfs/volume/memory/extent.ts";
import { InodeTable } from "../../../../opfs/volume/memory/inode_table.ts";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { Tables } from "../../../../opfs/volume/memory/tables.ts";
import { prng } from "../../../support/prng.ts";

/** One file and what its map needs. */
function fileOf(slots = 1024): {
  extents: Extents;
  tables: Tables;
  bitmap: Bitmap;
  owner: number;
  step: (act: () => void) => void;
} {
  const tables = new Tables(new Uint8Array(slots * 64), new Uint8Array(4096));
  const inodes = new InodeTable(tables);
  inodes.setFree([], 32);
  const bitmap = new Bitmap();
  bitmap.grow(100_000);
  bitmap.claim(0, 100_000);
  const extents = new Extents({ tables, inodes, bitmap });
  const parts = [tables, inodes, bitmap, extents];
  const step = (act: () => void): void => {
    for (const part of parts) part.begin();
    try {
      act();
      for (const part of [tables, inodes, bitmap]) part.keep();
    } catch (error) {
      for (const part of parts) part.revert();
      throw error;
    }
  };
  let owner = 0;
  step(() => owner = inodes.allocate(L.TYPE.FILE));
  return { extents, tables, bitmap, owner, step };
}

const run = (fileBlock: number, block: number, count: number, isUnwritten = false): Run => ({
  fileBlock,
  block,
  count,
  isUnwritten,
});

function lookAt(extents: Extents, owner: number, fileBlock: number): [number, number] {
  const { block, count } = extents.find(owner, fileBlock);
  return [block, count];
}

Deno.test("Extents of an empty file is one hole", () => {
  const { extents, owner } = fileOf();
  assertEquals(lookAt(extents, owner, 5), [NO_BLOCK, L.BLOCKS_MAX - 5]);
  assertEquals(lookAt(extents, owner, 0), [NO_BLOCK, L.BLOCKS_MAX]);
  assertEquals(extents.blocksOf(owner), 0);
});

Deno.test("Extents joins runs that go on", () => {
  const { extents, owner, step, tables } = fileOf();
  for (let index = 0; index < 50; index++) {
    step(() => extents.insert(owner, run(index, 10 + index, 1)));
  }
  assertEquals(extents.runsOf(owner), [run(0, 10, 50)]);
  step(() => extents.insert(owner, run(60, 200, 5)));
  step(() => extents.insert(owner, run(65, 205, 5)));
  step(() => extents.insert(owner, run(58, 198, 2)));
  assertEquals(extents.runsOf(owner), [run(0, 10, 50), run(58, 198, 12)]);
  assertEquals(lookAt(extents, owner, 50), [NO_BLOCK, 8]);
  assertEquals(lookAt(extents, owner, 61), [201, 9]);
  assertEquals(tables.view.getUint8(owner * 64 + 1), L.FLAG_CONTINUED);
});

Deno.test("Extents.insert() refuses a block that the file has", () => {
  const { extents, owner, step } = fileOf();
  step(() => extents.insert(owner, run(5, 100, 10)));
  assertThrows(() => step(() => extents.insert(owner, run(7, 300, 1))), InvariantError, "V7");
  assertEquals(extents.runsOf(owner), [run(5, 100, 10)]);
});

Deno.test("Extents.remove() from the end goes in steps that are each valid", () => {
  const { extents, owner, step } = fileOf();
  for (let index = 0; index < 200; index++) {
    step(() => extents.insert(owner, run(index * 2, 1000 + index * 3, 1)));
  }
  let rounds = 0;
  let isDone = false;
  while (!isDone) {
    rounds++;
    step(() => {
      isDone = extents.remove(owner, { from: 100, to: L.BLOCKS_MAX, leavesMax: 5 });
    });
    const runs = extents.runsOf(owner);
    assertEquals(runs, [...runs].sort((a, b) => a.fileBlock - b.fileBlock));
  }
  assert(rounds > 3);
  assertEquals(lookAt(extents, owner, 99), [NO_BLOCK, L.BLOCKS_MAX - 99]);
  assertEquals(extents.runsOf(owner).length, 50);
});

Deno.test("Extents.revert() finds the leaves again", () => {
  const { extents, owner, step } = fileOf();
  for (let index = 0; index < 30; index++) {
    step(() => extents.insert(owner, run(index * 2, 1000 + index * 3, 1)));
  }
  const before = extents.runsOf(owner);
  assertThrows(() =>
    step(() => {
      extents.remove(owner, { from: 0, to: 40 });
      extents.insert(owner, run(500, 9000, 1));
      throw new Error("no");
    })
  );
  assertEquals(extents.runsOf(owner), before);
  assertEquals(lookAt(extents, owner, 10), [1015, 1]);
});

Deno.test("Extents agrees with an array under random calls", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = prng(seed);
    const { extents, owner, step, tables, bitmap } = fileOf();
    const model = new Int32Array(300).fill(NO_BLOCK);
    const unwritten = new Uint8Array(300);
    let next = 1;
    for (let round = 0; round < 300; round++) {
      const from = random.below(300);
      if (random.below(3) > 0) {
        let count = 0;
        while (count < 1 + random.below(12) && from + count < 300 && model[from + count]! < 0) {
          count++;
        }
        if (count === 0) continue;
        if (random.below(3) > 0 && from > 0 && model[from - 1]! >= 0) next = model[from - 1]! + 1;
        if (model.some((block) => block >= next && block < next + count)) {
          next = 1000 * (round + 1) % 90_000;
        }
        const isUnwritten = random.below(5) === 0;
        bitmap.begin();
        step(() => extents.insert(owner, run(from, next, count, isUnwritten)));
        for (let index = 0; index < count; index++) {
          model[from + index] = next + index;
          unwritten[from + index] = Number(isUnwritten);
        }
        next += count + random.below(3);
      } else {
        const to = from + 1 + random.below(20);
        step(() => extents.remove(owner, { from, to, kept: true }));
        model.fill(NO_BLOCK, from, Math.min(300, to));
      }
      for (let fileBlock = 0; fileBlock < 300; fileBlock++) {
        const { block, count, isUnwritten } = extents.find(owner, fileBlock);
        assertEquals(block, model[fileBlock], `seed ${seed}, file block ${fileBlock}`);
        if (block >= 0) assertEquals(Number(isUnwritten), unwritten[fileBlock]);
        assert(count > 0);
      }
      assertEquals(extents.blocksOf(owner), model.filter((block) => block >= 0).length);
      for (const leaf of extents.leavesOf(owner)) {
        const runs = runsOfContinuation(tables.view, leaf * 64);
        assert(runs.length > 0 && tables.view.getUint8(leaf * 64 + 1) <= L.PAIRS_MAX);
      }
    }
  }
});
