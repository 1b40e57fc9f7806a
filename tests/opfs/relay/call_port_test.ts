/** Calls by messages: what a page has that may not share memory. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { InvariantError } from "../../../abi/invariant.ts";
import { PortPromises, serveCalls, withoutSync } from "../../../opfs/relay/call_port.ts";
import { everyCall } from "../../support/every_call.ts";
import { ModelVolume } from "../../support/model_volume.ts";
import { within } from "../../support/within.ts";

const file = { mode: 0o100644, uid: 0, gid: 0 };

function rig({ deadlineMs = 5000, isAlive = () => Promise.resolve(true) } = {}) {
  const volume = new ModelVolume();
  const { port1, port2 } = new MessageChannel();
  serveCalls(port2, volume, () => ({ state: "open" }));
  const port = new PortPromises(port1, { isAlive, deadlineMs });
  return { volume, port, calls: port.calls, end: () => port2.close() };
}

Deno.test("PortPromises has every call of a volume", async () => {
  const { calls, volume } = rig();
  await everyCall(calls);
  assertEquals(volume.calls.get("sync"), 2);
  await assertRejects(() => calls.sync(), ErrnoError, "EBADF");
});

Deno.test("PortPromises sends no more than the bytes that are meant, and takes none away", async () => {
  const { calls, end } = rig();
  const ino = await calls.create(1, "f", file);
  const heap = new Uint8Array(1_000_000).fill(7);
  assertEquals(await calls.write(ino, heap.subarray(10, 20), 0), 10);
  assertEquals(heap.length, 1_000_000, "the caller's buffer is there yet");
  const into = heap.subarray(500, 600);
  into.fill(0);
  assertEquals(await calls.read(ino, into, 0), 10);
  assertEquals([heap[499], heap[509], heap[510]], [7, 7, 0]);
  assertEquals(await calls.read(ino, into, 10), 0);
  await calls.close();
  end();
});

Deno.test("PortPromises carries calls out in their order, errors with code, number and text", async () => {
  const { calls, port } = rig();
  const done: string[] = [];
  await Promise.all([
    calls.create(1, "a", file).then(() => done.push("create")),
    calls.unlink(1, "b").catch(({ code, errno, message }) => done.push(code, errno, message)),
    calls.rename(1, "a", 1, "b", 0).then(() => done.push("rename")),
    calls.unlink(1, "b").then(() => done.push("unlink")),
  ]);
  assertEquals(
    done,
    ["create", "ENOENT", 44, 'ENOENT: cannot find "b"', "rename", "unlink"]
      .map((each) => each as string),
  );
  assertEquals(await port.stats(), { state: "open" });
  await assertRejects(() => calls.release(1), ErrnoError, "EINVAL");
  await calls.close();
});

Deno.test("serveCalls() gives back what a client held, and serves nothing else", async () => {
  const { calls, volume } = rig();
  const ino = await calls.tmpfile(1, file);
  await calls.retain(ino);
  await calls.release(ino);
  assertEquals(volume.inodeCount, 2);
  await calls.close();
  assertEquals(volume.inodeCount, 1);
  const { port1, port2 } = new MessageChannel();
  serveCalls(port2, volume, () => ({}));
  const answer = await new Promise<{ code: string }>((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
    port1.postMessage({ id: 1, call: "constructor", args: [] });
  });
  assertEquals(answer.code, "ENOSYS");
  for (const port of [port1, port2]) port.close();
});

Deno.test("PortPromises asks whether the other side lives, and ends with it", async () => {
  const { port1, port2 } = new MessageChannel();
  let asked = 0;
  const port: PortPromises = new PortPromises(port1, {
    deadlineMs: 20,
    isAlive: () => {
      asked += 1;
      if (asked > 2) port.fail(new ErrnoError("EIO", "go on: it has ended"));
      return Promise.resolve(asked <= 2);
    },
  });
  await assertRejects(() => port.calls.statfs(), ErrnoError, "it has ended");
  await assertRejects(() => port.calls.statfs(), ErrnoError, "it has ended");
  assertEquals(asked, 3);
  port2.close();
});

Deno.test("PortPromises takes no answer to no question", async () => {
  const { port1, port2 } = new MessageChannel();
  new PortPromises(port1, { deadlineMs: 1000, isAlive: () => Promise.resolve(true) });
  const hear = port1.onmessage!;
  const event = new MessageEvent("message", { data: { id: 7 } });
  assertThrows(() => hear.call(port1, event), InvariantError, "R2: an answer is to no question");
  for (const port of [port1, port2]) port.close();
  await Promise.resolve();
});

Deno.test("withoutSync() says why there is no synchronous call, and what to do", () => {
  const volume = withoutSync(7, "serve the headers");
  assertEquals([volume.root, volume.generation], [7, 0]);
  for (const call of [() => volume.getattr(7), () => volume.sync(), () => volume.close()]) {
    const error = assertThrows(call, ErrnoError, "ENOTSUP") as Error;
    assert(error.message.endsWith("() synchronously: serve the headers"), error.message);
  }
});

Deno.test("PortPromises answers every call also after a close that has failed", async () => {
  const { calls, volume, port } = rig();
  volume.sync = () => {
    throw new ErrnoError("ENOSPC", "sync");
  };
  await assertRejects(() => within(5000, calls.close()), ErrnoError, "ENOSPC");
  await assertRejects(() => within(5000, calls.sync()), ErrnoError, "EBADF");
  await assertRejects(() => within(5000, port.stats()), ErrnoError, "EBADF");
});

Deno.test("PortPromises asks for no more memory than a file has bytes", async () => {
  const { calls, volume } = rig();
  const ino = await calls.create(1, "f", file);
  await calls.write(ino, new Uint8Array(10), 0);
  const lengths: number[] = [];
  const read = volume.read.bind(volume);
  volume.read = (ino, into, at) => {
    lengths.push(into.length);
    return read(ino, into, at);
  };
  assertEquals(await calls.read(ino, new Uint8Array(1_000_000), 4), 6);
  assertEquals(lengths, [6]);
  await calls.close();
});

Deno.test("PortPromises takes a deadline longer than a timer can be for a long one", async () => {
  for (const deadlineMs of [2 ** 31, 2 ** 32, 2 ** 40]) {
    const { port1, port2 } = new MessageChannel();
    let asked = 0;
    const isAlive = () => Promise.resolve(asked++ > 1e6);
    const port = new PortPromises(port1, { deadlineMs, isAlive });
    const open = port.calls.statfs();
    await new Promise((resolve) => setTimeout(resolve, 50));
    port.fail(new ErrnoError("EIO", "go on"));
    await assertRejects(() => open, ErrnoError, "EIO");
    assertEquals(asked, 0, String(deadlineMs));
    port2.close();
  }
});
