/** A stream over a port. */
import { assertEquals, assertRejects } from "@std/assert";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ErrnoError } from "../../../abi/errno.ts";
import { receivePieces, sendError, sendPieces } from "../../../opfs/relay/pieces.ts";

/** Numbers as pieces; counts how many have been taken, and notes whether it was cancelled. */
function source(count: number): { stream: ReadableStream<Uint8Array>; seen: [number, boolean] } {
  const seen: [number, boolean] = [0, false];
  const shared = new Uint8Array(100);
  const stream = new ReadableStream<Uint8Array>({
    pull(controller): void {
      if (seen[0] === count) return controller.close();
      shared.fill(++seen[0]);
      controller.enqueue(seen[0] % 2 === 0 ? shared.subarray(10, 20) : new Uint8Array([seen[0]]));
    },
    cancel(): void {
      seen[1] = true;
    },
  }, { highWaterMark: 0 });
  return { stream, seen };
}

Deno.test("sendPieces() and receivePieces() carry a stream, a piece for each request", async () => {
  const { port1, port2 } = new MessageChannel();
  const { stream, seen } = source(5);
  sendPieces(port1, stream);
  const reader = receivePieces(port2).stream.getReader();
  assertEquals((await reader.read()).value, new Uint8Array([1]));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(seen[0], 1);
  assertEquals((await reader.read()).value, new Uint8Array(10).fill(2));
  for (const value of [1, 10, 1]) assertEquals((await reader.read()).value?.length, value);
  assertEquals((await reader.read()).done, true);
});

Deno.test("receivePieces() passes a cancel on, and errors of the source and of its thread", async () => {
  const cancelled = new MessageChannel();
  const { stream, seen } = source(5);
  sendPieces(cancelled.port1, stream);
  const received = receivePieces(cancelled.port2).stream;
  // When that returns the source has been let go of: no message of a closed port is trusted.
  await received.cancel();
  assertEquals(seen[1], true);
  const late = new MessageChannel();
  const ends: string[] = [];
  const { stream: early, fail: failEarly } = receivePieces(late.port2, () => ends.push("end"));
  const cancelling = early.cancel();
  sendPieces(late.port1, source(5).stream);
  await cancelling;
  assertEquals(ends, ["end"]);
  const dead = new MessageChannel();
  const last = receivePieces(dead.port2);
  const ending = last.stream.cancel();
  last.fail(new ErrnoError("EBADF", "read"));
  await ending;
  failEarly(new ErrnoError("EBADF", "read"));
  dead.port1.close();

  const refused = new MessageChannel();
  const reader = receivePieces(refused.port2).stream.getReader();
  const reading = reader.read();
  sendError(refused.port1, new ErrnoError("ENOSPC", "go on"));
  await assertRejects(() => reading, ErrnoError, "ENOSPC: cannot go on");

  const gone = new MessageChannel();
  const { stream: waiting, fail } = receivePieces(gone.port2);
  const waits = waiting.getReader().read();
  fail(new ErrnoError("EBADF", "read: the relay has gone"));
  await assertRejects(() => waits, ErrnoError, "the relay has gone");
  gone.port2.close();
  gone.port1.close();
});

/** Collects what nothing leads to. */
async function collect(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  for (let left = 3; left > 0; left--) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    gc();
  }
}

Deno.test("receivePieces() cancels its source when the stream is dropped without a word", async () => {
  for (const pieces of [0, 2]) {
    const { port1, port2 } = new MessageChannel();
    const { stream, seen } = source(5);
    sendPieces(port1, stream);
    let ends = 0;
    await (async () => {
      const reader = receivePieces(port2, () => ends++).stream.getReader();
      for (let left = pieces; left > 0; left--) await reader.read();
    })();
    for (let left = 50; left > 0 && ends === 0; left--) await collect();
    assertEquals([seen[1], ends], [true, 1], `after ${pieces} pieces`);
  }
});

Deno.test("receivePieces() ends a stream from here, and its source learns of it", async () => {
  const { port1, port2 } = new MessageChannel();
  const { stream, seen } = source(5);
  sendPieces(port1, stream);
  const { promise, resolve: onEnd } = Promise.withResolvers<void>();
  const received = receivePieces(port2, onEnd);
  const reader = received.stream.getReader();
  await reader.read();
  const waits = reader.read();
  received.end(new ErrnoError("EBADF", "export the image"));
  await assertRejects(() => waits, ErrnoError, "EBADF");
  await promise;
  assertEquals(seen[1], true);
});
