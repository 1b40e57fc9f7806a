import { assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../../../abi/invariant.ts";
import { Windows } from "../../../../opfs/volume/memory/windows.ts";

Deno.test("Windows keeps blocks for their owner and clips the others", () => {
  const windows = new Windows();
  windows.open(7, 100, 50);
  assertEquals([windows.clip(90, 100, 7), windows.clip(90, 100, 8)], [100, 10]);
  assertEquals([windows.clip(100, 10, 8), windows.clip(150, 10, 8), windows.clip(0, 0, 8)], [
    0,
    10,
    0,
  ]);
  assertEquals([windows.endAt(120, 8), windows.endAt(10, 8), windows.endAt(120, 7)], [
    150,
    11,
    121,
  ]);
});

Deno.test("Windows doubles a window each time, up to a limit", () => {
  const windows = new Windows();
  const sizes = [];
  for (let round = 0; round < 10; round++) {
    const size = windows.nextSize(3);
    sizes.push(size);
    windows.open(3, round * 5000, size);
  }
  assertEquals(sizes, [16, 32, 64, 128, 256, 256, 256, 256, 256, 256]);
  assertEquals(windows.clip(0, 16, 9), 16, "any owner may have the window before");
  windows.clear();
  assertEquals(windows.nextSize(3), 16);
});

Deno.test("Windows counts what is kept, for an owner and from it", () => {
  const windows = new Windows();
  windows.open(7, 100, 50);
  windows.open(8, 200, 30);
  assertEquals([windows.keptFor(7), windows.keptFrom(7), windows.keptFrom(9)], [50, 30, 80]);
  windows.advance(7, 120);
  windows.advance(7, 5000);
  assertEquals([windows.keptFor(7), windows.clip(110, 5, 9)], [30, 5]);
  windows.close(7);
  assertEquals([windows.keptFor(7), windows.keptFrom(8)], [0, 0]);
});

Deno.test("Windows.open() has an owner and a length", () => {
  for (const [owner, start, count] of [[-1, 0, 1], [1, -1, 1], [1, 0, 0]] as const) {
    assertThrows(() => new Windows().open(owner, start, count), InvariantError, "V1");
  }
});
