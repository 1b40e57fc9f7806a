import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../../../abi/invariant.ts";
import { Bitmap } from "../../../../opfs/volume/memory/bitmap.ts";
import { prng } from "../../../support/prng.ts";

function bitmapOf(blocks: number): Bitmap {
  const bitmap = new Bitmap();
  bitmap.grow(blocks);
  bitmap.begin();
  return bitmap;
}

Deno.test("Bitmap.allocate() takes the goal, else the first run that is long enough", () => {
  const bitmap = bitmapOf(1000);
  bitmap.take(0, 10);
  bitmap.take(12, 88);
  assertEquals(bitmap.allocate(-1, 5), { block: 100, count: 5 });
  assertEquals(bitmap.allocate(10, 5), { block: 10, count: 2 });
  assertEquals(bitmap.allocate(105, 5), { block: 105, count: 5 });
  assertEquals(bitmap.allocate(3, 895), { block: 110, count: 890 });
  assertEquals(bitmap.allocate(0, 1), null);
});

Deno.test("Bitmap.allocate() takes the longest run when none is long enough", () => {
  const bitmap = bitmapOf(100);
  bitmap.take(0, 100);
  bitmap.keep();
  bitmap.begin();
  for (const [start, count] of [[5, 2], [40, 9], [90, 4]] as const) bitmap.give(start, count);
  bitmap.keep();
  for (const [start, count] of [[5, 2], [40, 9], [90, 4]] as const) bitmap.release(start, count);
  assertEquals(bitmap.allocate(-1, 20), { block: 40, count: 9 });
});

Deno.test("Bitmap.revert() frees what was taken and keeps what was given", () => {
  const bitmap = bitmapOf(100);
  bitmap.take(0, 50);
  bitmap.keep();
  bitmap.begin();
  bitmap.allocate(60, 10);
  bitmap.give(0, 20);
  bitmap.revert();
  assertEquals([bitmap.free, bitmap.quarantined], [50, 0]);
  assert(!bitmap.anyUsed(50, 50) && !bitmap.anyFree(0, 50));
});

Deno.test("Bitmap gives a block back only after its quarantine", () => {
  const bitmap = bitmapOf(64);
  bitmap.take(0, 64);
  bitmap.keep();
  bitmap.begin();
  bitmap.give(8, 8);
  bitmap.keep();
  assertEquals([bitmap.free, bitmap.unowned, bitmap.quarantined], [0, 8, 8]);
  assertEquals(bitmap.allocate(8, 1), null);
  const runs = bitmap.takeQuarantine();
  assertEquals(runs, [8, 8]);
  bitmap.hold(8, 8);
  bitmap.releaseHeld();
  assertEquals(bitmap.free, 0, "held until a header is retired and durable");
  const image = new Uint8Array(8);
  bitmap.copyBytes(0, image);
  assertEquals([...image], [255, 0, 255, 255, 255, 255, 255, 255], "held blocks have no owner");
  bitmap.retireHeld();
  bitmap.releaseHeld();
  assertEquals(bitmap.free, 8);
});

Deno.test("Bitmap refuses to own a block twice", () => {
  const bitmap = bitmapOf(64);
  bitmap.take(3, 4);
  assertThrows(() => bitmap.take(6, 1), InvariantError, "V1");
  assert(!bitmap.claim(0, 4));
  assert(bitmap.claim(0, 3));
  assertThrows(() => bitmap.release(10, 1), InvariantError, "V15");
});

Deno.test("Bitmap cuts the free end and nothing else", () => {
  const bitmap = bitmapOf(200);
  bitmap.take(70, 3);
  assertEquals(bitmap.freeAtEnd, 127);
  assertThrows(() => bitmap.cut(128), InvariantError, "V1");
  bitmap.cut(127);
  assertEquals([bitmap.blocks, bitmap.freeAtEnd, bitmap.free], [73, 0, 70]);
});

Deno.test("Bitmap agrees with an array under random calls", () => {
  const random = prng(5);
  const bitmap = bitmapOf(777);
  const model = new Uint8Array(777);
  for (let step = 0; step < 3000; step++) {
    bitmap.begin();
    const run = bitmap.allocate(random.below(900) - 50, 1 + random.below(60));
    for (let index = 0; run !== null && index < run.count; index++) {
      assertEquals(model[run.block + index], 0);
      model[run.block + index] = 1;
    }
    const from = random.below(777);
    let count = 0;
    while (model[from + count] === 1 && count < random.below(80)) count++;
    if (count > 0) bitmap.give(from, count);
    bitmap.keep();
    const runs = bitmap.takeQuarantine();
    for (let index = 0; index < runs.length; index += 2) {
      bitmap.release(runs[index]!, runs[index + 1]!);
      model.fill(0, runs[index]!, runs[index]! + runs[index + 1]!);
    }
    assertEquals(bitmap.free, model.filter((bit) => bit === 0).length);
    const at = random.below(777);
    assertEquals(bitmap.isUsed(at), model[at] === 1);
  }
});
