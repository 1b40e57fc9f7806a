/** The torture in Deno: the short form, and with CAIRN_LONG=1 the long one; and what it must find. */
import { assert, assertEquals } from "@std/assert";
import { type Control, runTorture } from "./run.ts";

const IS_LONG = Deno.env.get("CAIRN_LONG") === "1";
const CALLS = IS_LONG ? 250_000 : 5000;
const CONTROLS: readonly Control[] = [
  "no-loop",
  "stale-answer",
  "no-bump",
  "lock-kept",
  "two-steps",
  "kept-ahead",
];

function start(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url).href, { type: "module" });
}

function seedOf(): number {
  const seed = Number(Deno.env.get("CAIRN_SEED") ?? Date.now() % 1e9);
  console.log(`seed ${seed}`);
  return seed;
}

Deno.test("torture: four clients at once, no answer wrong and none missing", async () => {
  const timeoutMs = IS_LONG ? 3_600_000 : 240_000;
  const { calls, wrong } = await runTorture({ start, calls: CALLS, seed: seedOf(), timeoutMs });
  assertEquals(wrong, []);
  console.log(`${calls} calls, none wrong`);
  assert(calls > CALLS * 3, `${calls} calls`);
});

/** A mistake shows by chance, mostly at once; so many runs without it, and the suite is blind. */
const CONTROL_RUNS = 20;

for (const control of CONTROLS) {
  Deno.test(`torture finds the mistake "${control}"`, async () => {
    const options = { start, calls: 3000, control, timeoutMs: 60_000 };
    for (let seed = seedOf(), left = CONTROL_RUNS; left > 0; seed++, left--) {
      const { wrong } = await runTorture({ ...options, seed });
      if (wrong.length > 0) return console.log(wrong[0]?.slice(0, 200));
    }
    throw new Error("it found nothing");
  });
}
