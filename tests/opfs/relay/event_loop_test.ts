import { assert, assertEquals } from "@std/assert";
import { EventLoop } from "../../../opfs/relay/event_loop.ts";

Deno.test("EventLoop.turn() lets messages and timers of this thread through", async () => {
  const eventLoop = new EventLoop();
  const { port1, port2 } = new MessageChannel();
  let heard = 0;
  port1.onmessage = () => heard++;
  for (let count = 0; count < 3; count++) port2.postMessage(count);
  for (let left = 100; left > 0 && heard < 3; left--) await eventLoop.turn();
  assertEquals(heard, 3);
  port1.close();
  eventLoop.close();
});

Deno.test("EventLoop.turn() waits for no timer", async () => {
  const eventLoop = new EventLoop();
  const before = performance.now();
  for (let left = 200; left > 0; left--) await eventLoop.turn();
  // Timers are clamped to 4 ms when they nest: that would be 800.
  assert(performance.now() - before < 400, `${performance.now() - before} ms`);
  eventLoop.close();
});
