import { assertEquals } from "@std/assert";
import { Patience, sliceOf } from "../../../opfs/relay/patience.ts";

/** How many looks at these times it takes until the wait is over; 0 if it is not. */
function looksUntilOver(patience: Patience, times: readonly number[]): number {
  return times.findIndex((now) => patience.look(now)) + 1;
}

Deno.test("Patience runs out with the deadline while it looks in time", () => {
  const patience = new Patience(1000);
  patience.begin(0);
  const times = Array.from({ length: 100 }, (_, index) => (index + 1) * 50);
  assertEquals(looksUntilOver(patience, times), 21);
});

Deno.test("Patience counts a clock that jumps as one slice", () => {
  const patience = new Patience(1000);
  assertEquals(patience.sliceMs, 250);
  patience.begin(0);
  assertEquals(patience.look(3_600_000), false);
  assertEquals(patience.look(7_200_000), false);
  assertEquals(patience.look(7_200_250), false);
  assertEquals(patience.look(7_200_500), false);
  assertEquals(patience.look(7_200_501), true);
});

Deno.test("Patience takes no time for a clock that stands or goes back", () => {
  const patience = new Patience(100);
  patience.begin(1000);
  assertEquals(looksUntilOver(patience, [1000, 1000, 500, 500, 400]), 0);
  assertEquals(looksUntilOver(patience, [425, 450, 475, 500, 501]), 5);
});

Deno.test("Patience begins anew at a sign of life", () => {
  const patience = new Patience(100);
  patience.begin(0);
  assertEquals(looksUntilOver(patience, [25, 50, 75, 100]), 0);
  patience.begin(100);
  assertEquals(looksUntilOver(patience, [125, 150, 175, 200]), 0);
  assertEquals(patience.look(201), true);
});

Deno.test("sliceOf() asks at least four times, and every 250 ms", () => {
  assertEquals([sliceOf(30_000), sliceOf(200), sliceOf(1), sliceOf(30_000, 1000)], [
    250,
    50,
    1,
    1000,
  ]);
});
