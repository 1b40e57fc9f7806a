import { assertEquals } from "@std/assert";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { LazyTimes } from "../../../../opfs/volume/memory/lazy_times.ts";

/** What two slots from 40 on show, whose own time is 9. */
function shown(times: LazyTimes): number[] {
  const bytes = new Uint8Array(10 + 2 * L.SLOT_BYTES);
  const view = new DataView(bytes.buffer, 10);
  for (const slot of [0, 1]) view.setFloat64(slot * L.SLOT_BYTES + L.SLOT.ATIME, 9, true);
  times.show(40, 2, bytes, 10);
  return [0, 1].map((slot) => view.getFloat64(slot * L.SLOT_BYTES + L.SLOT.ATIME, true));
}

Deno.test("LazyTimes shows the first time that moved, until a record has the slot", () => {
  const times = new LazyTimes();
  assertEquals(shown(times), [9, 9]);
  times.move(41, 5.5);
  times.move(41, 6);
  times.move(42, 7);
  assertEquals([times.count, [...times.slots()], shown(times)], [2, [41, 42], [9, 5.5]]);
  times.settle(41, false);
  times.settle(40, false);
  times.takeBack();
  assertEquals([times.count, shown(times)], [1, [9, 9]]);
});

Deno.test("LazyTimes.takeBack() brings back what was held, and nothing that was released", () => {
  const times = new LazyTimes();
  times.move(40, 1);
  times.move(41, 2);
  times.settle(40, true);
  times.release();
  times.settle(41, true);
  assertEquals(shown(times), [9, 9]);
  times.takeBack();
  assertEquals(shown(times), [9, 2]);
});
