import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { InvariantError } from "../../abi/invariant.ts";
import { assertThrows } from "@std/assert";
import {
  BLOCK_BYTES,
  ChunkPool,
  PAGE_BYTES,
  QUARTER_BYTES,
  SMALL_BYTES,
  UNIT_BYTES,
} from "../../stream_ops/chunks.ts";

Deno.test("ChunkPool.take() hands out each size once and counts it", () => {
  const pool = new ChunkPool(Infinity);
  let ownedBytes = 0;
  for (
    const sizeBytes of [SMALL_BYTES, QUARTER_BYTES, PAGE_BYTES, BLOCK_BYTES, UNIT_BYTES] as const
  ) {
    const [first, second] = [pool.take(sizeBytes)!, pool.take(sizeBytes)!];
    assertEquals([first.length, second.length], [sizeBytes, sizeBytes]);
    first.fill(1);
    assertEquals(second.indexOf(1), -1);
    ownedBytes += 2 * sizeBytes;
    assertEquals(pool.usedBytes, ownedBytes);
  }
});

Deno.test("ChunkPool.give() keeps a chunk for the next taker", () => {
  const pool = new ChunkPool(UNIT_BYTES);
  const chunk = pool.take(UNIT_BYTES)!;
  pool.give(chunk);
  assertEquals(pool.usedBytes, 0);
  assertStrictEquals(pool.take(UNIT_BYTES), chunk);
});

Deno.test("ChunkPool.give() keeps no more than its shelves hold", () => {
  const pool = new ChunkPool(Infinity);
  const chunks = Array.from({ length: 65 }, () => pool.take(UNIT_BYTES)!);
  for (const chunk of chunks) pool.give(chunk);
  const again = new Set(Array.from({ length: 65 }, () => pool.take(UNIT_BYTES)!));
  assertEquals(chunks.filter((chunk) => again.has(chunk)).length, 64);
});

Deno.test("ChunkPool.take() gives null beyond the limit, takeBeyond() does not", () => {
  const pool = new ChunkPool(BLOCK_BYTES);
  assert(pool.take(PAGE_BYTES) !== null);
  assertEquals(pool.take(BLOCK_BYTES), null);
  const beyond = pool.takeBeyond(BLOCK_BYTES)!;
  assertEquals(pool.freeBytes, 0);
  pool.give(beyond);
  assertEquals(pool.freeBytes, BLOCK_BYTES - PAGE_BYTES);
  assertNotStrictEquals(pool.take(PAGE_BYTES), null);
});

Deno.test("ChunkPool.charge() and refund() share the limit with chunks", () => {
  const pool = new ChunkPool(PAGE_BYTES);
  assert(pool.charge(1));
  assertEquals(pool.take(PAGE_BYTES), null);
  assert(!pool.charge(PAGE_BYTES));
  pool.refund(1);
  assert(pool.take(PAGE_BYTES) !== null);
});

Deno.test("ChunkPool.refund() takes back no more than was taken", () => {
  assertThrows(() => new ChunkPool(10).refund(1), InvariantError);
});

Deno.test("ChunkPool.isRoomy() says whether a generous chunk leaves room for others", () => {
  assert(new ChunkPool(Infinity).isRoomy(UNIT_BYTES));
  assert(!new ChunkPool(UNIT_BYTES * 31).isRoomy(UNIT_BYTES));
});
