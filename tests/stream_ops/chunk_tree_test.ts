import { assert, assertEquals } from "@std/assert";
import {
  BLOCK_BYTES,
  ChunkPool,
  PAGE_BYTES,
  QUARTER_BYTES,
  SMALL_BYTES,
  UNIT_BYTES,
} from "../../stream_ops/chunks.ts";
import { ChunkTree } from "../../stream_ops/chunk_tree.ts";
import { Random } from "../support/random.ts";

function tree(limitBytes = Infinity): { bytes: ChunkTree; pool: ChunkPool } {
  const pool = new ChunkPool(limitBytes);
  return { bytes: new ChunkTree(pool), pool };
}

function put(bytes: ChunkTree, position: number, data: Uint8Array): number {
  return bytes.write(data, 0, data.length, position);
}

function get(bytes: ChunkTree, position: number, length: number): Uint8Array {
  const into = new Uint8Array(length).fill(0xee);
  return into.subarray(0, bytes.read(into, 0, length, position));
}

/** Makes recycled chunks dirty, so that a byte which was not zeroed shows. */
function fillPool(pool: ChunkPool): void {
  for (
    const sizeBytes of [SMALL_BYTES, QUARTER_BYTES, PAGE_BYTES, BLOCK_BYTES, UNIT_BYTES] as const
  ) {
    const chunks = Array.from({ length: 32 }, () => pool.takeBeyond(sizeBytes)!);
    for (const chunk of chunks) pool.give(chunk.fill(0xdd));
  }
}

Deno.test("ChunkTree.write() stores small files in small chunks", () => {
  const { bytes } = tree();
  put(bytes, 0, new Uint8Array(10).fill(1));
  assertEquals(bytes.ownedBytes, SMALL_BYTES);
  put(bytes, 10, new Uint8Array(300).fill(2));
  assertEquals(bytes.ownedBytes, QUARTER_BYTES);
  put(bytes, 310, new Uint8Array(1000).fill(3));
  assertEquals(bytes.ownedBytes, PAGE_BYTES);
  put(bytes, 1310, new Uint8Array(PAGE_BYTES).fill(4));
  assertEquals(bytes.ownedBytes, 2 * PAGE_BYTES);
  assertEquals(get(bytes, 9, 2), new Uint8Array([1, 2]));
  assertEquals(get(bytes, 309, 2), new Uint8Array([2, 3]));
  assertEquals(get(bytes, 1309, 2), new Uint8Array([3, 4]));
});

Deno.test("ChunkTree.write() merges pages into blocks and blocks into units", () => {
  const { bytes, pool } = tree();
  const data = new Random(1).bytes(UNIT_BYTES);
  for (let at = UNIT_BYTES - PAGE_BYTES; at >= 0; at -= PAGE_BYTES) {
    put(bytes, at, data.subarray(at, at + PAGE_BYTES));
  }
  assertEquals(bytes.ownedBytes, UNIT_BYTES);
  assertEquals(pool.usedBytes, UNIT_BYTES);
  assertEquals(get(bytes, 0, UNIT_BYTES), data);
});

Deno.test("ChunkTree.write() far out owns one page", () => {
  const { bytes } = tree();
  const at = Number.MAX_SAFE_INTEGER - 10;
  assertEquals(put(bytes, at, new Uint8Array(10).fill(7)), 10);
  assertEquals(bytes.size, Number.MAX_SAFE_INTEGER);
  assertEquals(bytes.ownedBytes, PAGE_BYTES);
  assertEquals(get(bytes, at - 2, 4), new Uint8Array([0, 0, 7, 7]));
  assertEquals(bytes.nextData(0), Math.floor(at / PAGE_BYTES) * PAGE_BYTES);
});

Deno.test("ChunkTree.write() stops where the pool ends, and takes all of it", () => {
  const { bytes, pool } = tree(UNIT_BYTES + 3 * PAGE_BYTES);
  const data = new Random(2).bytes(2 * UNIT_BYTES);
  assertEquals(put(bytes, 0, data), UNIT_BYTES + 3 * PAGE_BYTES);
  assertEquals(pool.freeBytes, 0);
  assertEquals(put(bytes, bytes.size, data), 0);
  assertEquals(get(bytes, 0, bytes.size), data.subarray(0, bytes.size));
  bytes.resize(10);
  assertEquals(pool.usedBytes, PAGE_BYTES);
});

Deno.test("ChunkTree.resize() down and up again reads zeros", () => {
  const { bytes, pool } = tree();
  fillPool(pool);
  put(bytes, 0, new Uint8Array(100_000).fill(9));
  bytes.resize(50);
  assertEquals(bytes.ownedBytes, PAGE_BYTES);
  bytes.resize(100_000);
  assertEquals(get(bytes, 40, 20), new Uint8Array(20).fill(9, 0, 10));
  assertEquals(get(bytes, 50, 99_950).findIndex((byte) => byte !== 0), -1);
});

Deno.test("ChunkTree.punch() gives whole pages back and zeroes the rest", () => {
  const { bytes, pool } = tree();
  put(bytes, 0, new Uint8Array(UNIT_BYTES).fill(5));
  bytes.punch(PAGE_BYTES - 1, 3 * PAGE_BYTES + 1);
  assertEquals(bytes.ownedBytes, UNIT_BYTES - 2 * PAGE_BYTES);
  assertEquals(pool.usedBytes, bytes.ownedBytes);
  const around = get(bytes, PAGE_BYTES - 2, 2 * PAGE_BYTES + 4);
  assertEquals([around[0], around[1], around.at(-2), around.at(-1)], [5, 0, 0, 5]);
  assertEquals(bytes.nextHole(0), PAGE_BYTES);
  assertEquals(bytes.nextData(PAGE_BYTES), 3 * PAGE_BYTES);
  assertEquals(bytes.nextHole(3 * PAGE_BYTES), UNIT_BYTES);
});

Deno.test("ChunkTree.reserve() owns a range or nothing", () => {
  const { bytes, pool } = tree(10 * PAGE_BYTES);
  fillPool(pool);
  put(bytes, 3 * PAGE_BYTES, new Uint8Array(1).fill(1));
  assert(!bytes.reserve(0, 11 * PAGE_BYTES));
  assertEquals(bytes.ownedBytes, PAGE_BYTES);
  assert(bytes.reserve(0, 10 * PAGE_BYTES));
  assertEquals(bytes.ownedBytes, 10 * PAGE_BYTES);
  bytes.resize(10 * PAGE_BYTES);
  const sum = get(bytes, 0, bytes.size).reduce((total, byte) => total + byte, 0);
  assertEquals(sum, 1);
});

Deno.test("ChunkTree copies a file that grows at most twice", () => {
  const { bytes } = tree();
  const data = new Uint8Array(PAGE_BYTES);
  const { set } = Uint8Array.prototype;
  let copied = 0;
  Uint8Array.prototype.set = function (this: Uint8Array, from: ArrayLike<number>, at?: number) {
    copied += from.length;
    return set.call(this, from, at);
  };
  try {
    while (bytes.size < 8 * UNIT_BYTES) put(bytes, bytes.size, data);
  } finally {
    Uint8Array.prototype.set = set;
  }
  assert(copied <= 1.3 * bytes.size, `copied ${copied} bytes for ${bytes.size}`);
});

Deno.test("ChunkTree agrees with a flat array over random calls", () => {
  const seed = Number(Deno.env.get("CAIRN_SEED") ?? Date.now() % 1e9);
  console.log(`seed ${seed}`);
  const random = new Random(seed);
  const rounds = Deno.env.has("CAIRN_LONG") ? 200 : 12;
  for (let round = 0; round < rounds; round++) compare(random, 2 ** (9 + random.below(13)));
});

function compare(random: Random, maxBytes: number): void {
  const { bytes, pool } = tree();
  fillPool(pool);
  let flat = new Uint8Array(0);
  function extend(size: number): void {
    if (size <= flat.length) return;
    const longer = new Uint8Array(size);
    longer.set(flat);
    flat = longer;
  }
  for (let step = 0; step < 150; step++) {
    const at = random.below(maxBytes);
    const length = 1 + random.below(random.oneIn(3) ? maxBytes : Math.min(maxBytes, 5000));
    switch (random.below(6)) {
      case 0:
      case 1: {
        const data = random.bytes(Math.min(64, length));
        const long = new Uint8Array(length);
        for (let index = 0; index < length; index += data.length) {
          long.set(data.subarray(0, length - index), index);
        }
        const start = random.oneIn(2) ? flat.length : at;
        if (start + length > 4 * maxBytes) break;
        assertEquals(put(bytes, start, long), length);
        extend(start + length);
        flat.set(long, start);
        break;
      }
      case 2:
        bytes.resize(at);
        if (at < flat.length) flat = flat.slice(0, at);
        else extend(at);
        break;
      case 3:
        bytes.punch(at, at + length);
        flat.fill(0, at, at + length);
        break;
      case 4:
        if (random.oneIn(2)) {
          bytes.zero(at, at + length);
          flat.fill(0, at, at + length);
        } else {
          assert(bytes.reserve(at, at + length));
        }
        break;
      default: {
        const got = get(bytes, at, length);
        const want = flat.subarray(at, at + length);
        assert(got.length === want.length && got.every((byte, index) => byte === want[index]));
        assertHoles(bytes, flat, at);
      }
    }
    assertEquals(bytes.size, flat.length);
    assertEquals(bytes.ownedBytes, pool.usedBytes);
  }
  const all = get(bytes, 0, flat.length);
  assert(all.every((byte, index) => byte === flat[index]), "the whole file is the same");
  bytes.resize(0);
  assertEquals(pool.usedBytes, 0);
}

/** A hole reads as zeros; data and holes alternate. */
function assertHoles(bytes: ChunkTree, flat: Uint8Array, at: number): void {
  if (at >= bytes.size) return;
  const data = bytes.nextData(at);
  assert(data >= at && data <= bytes.size);
  assert(flat.subarray(at, data).every((byte) => byte === 0), "a hole reads as zeros");
  const hole = bytes.nextHole(data);
  assert(hole > data || data === bytes.size, `data at ${data}, hole at ${hole}`);
}
