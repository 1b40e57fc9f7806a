import { assert, assertEquals } from "@std/assert";
import { Hop } from "../../../opfs/relay/hop.ts";

Deno.test("Hop.once() lets messages and timers of this thread through", async () => {
  const hop = new Hop();
  const { port1, port2 } = new MessageChannel();
  let heard = 0;
  port1.onmessage = () => heard++;
  for (let count = 0; count < 3; count++) port2.postMessage(count);
  for (let left = 100; left > 0 && heard < 3; left--) await hop.once();
  assertEquals(heard, 3);
  port1.close();
  hop.close();
});

Deno.test("Hop.once() waits for no timer", async () => {
  const hop = new Hop();
  const before = performance.now();
  for (let left = 200; left > 0; left--) await hop.once();
  // Timers are clamped to 4 ms when they nest: that would be 800.
  assert(performance.now() - before < 400, `${performance.now() - before} ms`);
  hop.close();
});
