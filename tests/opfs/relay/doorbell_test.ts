import { assert, assertEquals } from "@std/assert";
import { Doorbell, waitWord } from "../../../opfs/relay/doorbell.ts";

Deno.test("Doorbell.ring() wakes only who sleeps, and once", async () => {
  const doorbell = new Doorbell();
  assertEquals(doorbell.ring(), false);
  const asleep = doorbell.sleepAsync({ ready: () => false, timeoutMs: 5000 });
  const same = new Doorbell(doorbell.buffer);
  assertEquals([same.ring(), same.ring()], [true, false]);
  const before = performance.now();
  await asleep;
  assert(performance.now() - before < 1000);
  assertEquals(same.ring(), false);
});

Deno.test("Doorbell.sleep() does not sleep when something came in the meantime", () => {
  const doorbell = new Doorbell();
  let word = -1;
  const before = performance.now();
  doorbell.sleep({
    ready() {
      word = new Int32Array(doorbell.buffer)[0]!;
      return true;
    },
    timeoutMs: 5000,
  });
  assert(performance.now() - before < 1000);
  assertEquals([word, doorbell.ring()], [1, false], "the second look comes after the store");
});

Deno.test("Doorbell.sleep() ends by itself", () => {
  const before = performance.now();
  new Doorbell().sleep({ ready: () => false, timeoutMs: 30 });
  assert(performance.now() - before >= 25);
});

Deno.test("waitWord() ends at a change, at a timeout, and at once if there was one", async () => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  await waitWord(words, { index: 1, value: 7, timeoutMs: 5000 });
  const before = performance.now();
  await waitWord(words, { index: 1, value: 0, timeoutMs: 30 });
  assert(performance.now() - before >= 25);
  const waiting = waitWord(words, { index: 1, value: 0, timeoutMs: 5000 });
  Atomics.store(words, 1, 1);
  Atomics.notify(words, 1);
  await waiting;
  assert(performance.now() - before < 2000);
});
