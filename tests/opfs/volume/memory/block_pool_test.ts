import { assert, assertEquals } from "@std/assert";
import { BlockPool } from "../../../../opfs/volume/memory/block_pool.ts";
import type { BlockDevice } from "../../../../opfs/volume/memory/pool_types.ts";
import { prng } from "../../../support/prng.ts";

const BLOCK = 512;

/** A device of blocks that notes its calls. */
class NotingDevice implements BlockDevice {
  readonly bytes = new Uint8Array(1000 * BLOCK);
  readonly reads: string[] = [];
  readonly writes: string[] = [];

  readBlocks(into: Uint8Array, block: number): void {
    this.reads.push(`${block}+${into.length / BLOCK}`);
    into.set(this.bytes.subarray(block * BLOCK, block * BLOCK + into.length));
  }

  writeBlocks(from: Uint8Array, block: number): void {
    this.writes.push(`${block}+${from.length / BLOCK}`);
    this.bytes.set(from, block * BLOCK);
  }
}

function poolOf(blocks: number): { pool: BlockPool; device: NotingDevice } {
  const device = new NotingDevice();
  return { device, pool: new BlockPool(device, { blockSize: BLOCK, poolBytes: blocks * BLOCK }) };
}

/** Sets one byte of a block. */
function put(pool: BlockPool, block: number, at: number, value: number): void {
  const frame = pool.get(block);
  pool.slabOf(frame)[pool.offsetOf(frame) + at] = value;
  pool.markDirty(frame, at, at + 1);
}

Deno.test("BlockPool writes neighbours in one call", () => {
  const { pool, device } = poolOf(64);
  for (const block of [7, 3, 5, 4, 100, 6]) {
    pool.markDirty(pool.fresh(block), 0, BLOCK);
  }
  pool.writeBack();
  assertEquals(device.writes, ["3+5", "100+1"]);
  assertEquals([pool.dirtyBlocks, pool.isUnflushed], [0, true]);
  pool.writeBack();
  assertEquals(device.writes.length, 2);
});

Deno.test("BlockPool widens the dirty part of a block as far as it is changed", () => {
  const { pool } = poolOf(64);
  put(pool, 9, 100, 1);
  put(pool, 9, 50, 1);
  put(pool, 9, 70, 1);
  const [frame] = pool.dirtyFrames("all");
  assertEquals([pool.blockOf(frame!), pool.dirtyFrom(frame!), pool.dirtyTo(frame!)], [9, 50, 101]);
});

Deno.test("BlockPool keeps to its size and gives clean blocks up first", () => {
  const { pool, device } = poolOf(64);
  put(pool, 0, 0, 1);
  for (let block = 1; block < 300; block++) pool.get(block);
  assertEquals(pool.blocks, 64);
  assertEquals(device.writes, []);
  assert(pool.peek(0) >= 0, "the dirty block is still there");
});

Deno.test("BlockPool writes back when everything is dirty", () => {
  const { pool, device } = poolOf(64);
  for (let block = 0; block < 65; block++) put(pool, block, 1, block + 1);
  assertEquals(device.writes, ["0+64"]);
  assertEquals(pool.metrics.writeBacks, 1);
  for (let block = 0; block < 64; block++) {
    const frame = pool.get(block);
    assertEquals(pool.slabOf(frame)[pool.offsetOf(frame) + 1], block + 1);
  }
});

Deno.test("BlockPool never writes a logged block to its place, except for a checkpoint", () => {
  const { pool, device } = poolOf(64);
  put(pool, 5, 0, 1);
  pool.logged(pool.dirtyFrames("all"));
  put(pool, 5, 1, 2);
  assert(pool.isLogged(5) && pool.loggedDirtyBytes > 0);
  for (let block = 100; block < 300; block++) put(pool, block, 0, 1);
  pool.writeBack();
  assert(device.writes.every((write) => write.startsWith("1") || write.startsWith("2")));
  assertEquals(pool.directRun(3, 10), 2);
  pool.logged(pool.dirtyFrames("logged"));
  device.writes.length = 0;
  pool.writeLoggedHome();
  assertEquals(device.writes, ["5+1"]);
  pool.retireLogged();
  assert(pool.isLogged(5), "until the header is durable");
  pool.releaseRetired();
  assert(!pool.isLogged(5));
  assertEquals([device.bytes[5 * BLOCK], device.bytes[5 * BLOCK + 1]], [1, 2]);
});

Deno.test("BlockPool keeps a block logged that is logged again before the header is durable", () => {
  const { pool } = poolOf(64);
  put(pool, 5, 0, 1);
  pool.logged(pool.dirtyFrames("all"));
  pool.retireLogged();
  put(pool, 5, 0, 2);
  pool.logged(pool.dirtyFrames("all"));
  pool.releaseRetired();
  assert(pool.isLogged(5));
});

Deno.test("BlockPool reads ahead when misses follow each other, and only then", () => {
  const { pool, device } = poolOf(512);
  pool.get(500, 100);
  pool.get(300, 100);
  assertEquals(device.reads, ["500+1", "300+1"]);
  device.reads.length = 0;
  for (let block = 0; block < 100; block++) pool.get(block, 100 - block);
  assert(device.reads.length < 10, device.reads.join(" "));
  assertEquals(pool.metrics.hits + pool.metrics.misses, 102);
});

Deno.test("BlockPool forgets what is dropped, dirty or not", () => {
  const { pool, device } = poolOf(64);
  for (let block = 0; block < 10; block++) put(pool, block, 0, 1);
  pool.dropRun(2, 5);
  pool.dropRun(8, 1_000_000);
  pool.writeBack();
  assertEquals(device.writes, ["0+2", "7+1"]);
});

Deno.test("BlockPool lays replayed bytes over what it reads", () => {
  const device = new NotingDevice();
  const patches = new Map([[3, [
    { offset: 1, bytes: new Uint8Array([7, 8]) },
    { offset: 2, bytes: new Uint8Array([9]) },
  ]]]);
  const pool = new BlockPool(device, { blockSize: BLOCK, poolBytes: 0, patches });
  const frame = pool.get(3);
  const at = pool.offsetOf(frame);
  assertEquals([...pool.slabOf(frame).subarray(at, at + 4)], [0, 7, 9, 0]);
  assertEquals(pool.absentRun(3, 4), 0, "nothing is read around the pool");
});

Deno.test("BlockPool agrees with plain memory under random calls", () => {
  const random = prng(3);
  const { pool, device } = poolOf(64);
  const model = new Uint8Array(device.bytes.length);
  for (let step = 0; step < 20_000; step++) {
    const block = random.below(200);
    const at = random.below(BLOCK);
    if (random.below(2) === 0) {
      put(pool, block, at, step & 0xff);
      model[block * BLOCK + at] = step & 0xff;
    } else {
      const frame = pool.get(block, 200 - block);
      assertEquals(pool.slabOf(frame)[pool.offsetOf(frame) + at], model[block * BLOCK + at]);
    }
  }
  pool.writeBack();
  assertEquals(device.bytes, model);
});

Deno.test("BlockPool leaves a quarter of its frames to blocks that no record holds", () => {
  const { pool } = poolOf(64);
  assertEquals([pool.mayPin(48), pool.mayPin(49)], [true, false]);
  for (let block = 0; block < 40; block++) put(pool, block, 0, 1);
  pool.logged(pool.dirtyFrames("all"));
  assertEquals([pool.needsCheckpoint, pool.mayPin(8), pool.mayPin(9)], [true, true, false]);
  pool.retireLogged();
  assertEquals([pool.needsCheckpoint, pool.mayPin(9)], [true, false]);
  pool.releaseRetired();
  assertEquals([pool.needsCheckpoint, pool.mayPin(48)], [false, true]);
});
