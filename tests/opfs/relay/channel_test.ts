import { assert, assertEquals, assertThrows } from "@std/assert";
import { S_IFREG } from "../../../abi/mode.ts";
import { Channel } from "../../../opfs/relay/channel.ts";
import { RelayClient } from "../../../opfs/relay/client.ts";
import { Doorbell } from "../../../opfs/relay/doorbell.ts";
import { Closed, createChannelMemory, readHeader, Word } from "../../../opfs/relay/protocol.ts";
import { type Rig, type RigClientOptions, startRig } from "../../support/relay_rig.ts";

const file = { mode: S_IFREG | 0o644, uid: 0, gid: 0 };

/** The wait as the closest peer has it: one wake counts as the answer. */
class LooplessChannel extends Channel {
  override wait(): void {
    const { words } = this.memory;
    const seen = Atomics.load(words, Word.ANSWER);
    if (!this.isAnswered()) Atomics.wait(words, Word.ANSWER, seen);
    readHeader(words, this.header);
  }
}

/** Writes and reads a counter under a rain of late wakes; returns how many answers were wrong. */
async function wrongAnswersUnderLateWakes(rig: Rig, make?: RigClientOptions["make"]) {
  const memory = await rig.memory();
  const channel = make?.(memory, rig.doorbell, {}) ?? new Channel(memory, rig.doorbell);
  const client = new RelayClient(channel, { root: 1 });
  const ino = client.create(client.root, `f${Math.random()}`, file);
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const waker = new Worker(new URL("../../support/waker_worker.ts", import.meta.url).href, {
    type: "module",
  });
  waker.postMessage({ buffer: memory.buffers.words, stop: stop.buffer });
  await new Promise((resolve) => waker.onmessage = resolve);
  let wrong = 0;
  const into = new Uint8Array(8);
  try {
    for (let round = 0; round < 3000 && wrong === 0; round++) {
      const bytes = new Uint8Array(8).fill(round % 251 + 1);
      try {
        client.write(ino, bytes, 0);
        if (client.read(ino, into, 0) !== 8 || into[7] !== bytes[0]) wrong += 1;
      } catch {
        wrong += 1;
      }
    }
  } finally {
    Atomics.store(stop, 0, 1);
    waker.terminate();
    channel.close();
  }
  return wrong;
}

Deno.test("Channel.wait() is not misled by late wakes", async () => {
  const rig = await startRig();
  assertEquals(await wrongAnswersUnderLateWakes(rig), 0);
  await rig.stop();
});

Deno.test("Channel.wait() without its loop gives wrong answers (negative control)", async () => {
  const rig = await startRig();
  const make: RigClientOptions["make"] = (...args) => new LooplessChannel(...args);
  assert(await wrongAnswersUnderLateWakes(rig, make) > 0);
  await rig.stop();
});

Deno.test("Channel.wait() ends within the deadline when the relay stands still", async () => {
  const rig = await startRig();
  const client = await rig.client({ deadlineMs: 200 });
  assertEquals(client.lookup(1, "a"), 0);
  await rig.ask({ stall: 1500 });
  const before = performance.now();
  assertThrows(() => client.lookup(1, "a"), Error, "shown no life for 200 ms");
  const waited = performance.now() - before;
  assert(waited > 150 && waited < 1200, `waited ${waited} ms`);
  const again = performance.now();
  assertThrows(() => client.lookup(1, "a"), Error, "EIO");
  assert(performance.now() - again < 50);
  const second = await rig.client();
  assertEquals(second.lookup(1, "a"), 0);
  await rig.stop();
});

Deno.test("Channel.wait() goes on waiting while the heartbeat moves", () => {
  const memory = createChannelMemory(16_384);
  const channel = new Channel(memory, new Doorbell(), { deadlineMs: 120 });
  const beater = new Worker(
    "data:text/javascript," + encodeURIComponent(`onmessage = ({ data }) => {
      const words = new Int32Array(data, 0, 64);
      for (let beat = 0; beat < 20; beat++) {
        Atomics.add(words, ${Word.HEARTBEAT}, 1);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 25);
      }
      Atomics.store(words, ${Word.ANSWER}, 1);
      Atomics.notify(words, ${Word.ANSWER});
    }`),
    { type: "module" },
  );
  beater.postMessage(memory.buffers.words);
  channel.publish({ signal: 1, chunkBytes: 16, totalBytes: 16, chunkIndex: 0 });
  const before = performance.now();
  channel.wait("look");
  assert(performance.now() - before > 300);
  beater.terminate();
});

Deno.test("Channel.close() ends waits at once, and for good", async () => {
  const memory = createChannelMemory(16_384);
  const doorbell = new Doorbell();
  const channel = new Channel(memory, doorbell);
  channel.publish({ signal: 1, chunkBytes: 16, totalBytes: 16, chunkIndex: 0 });
  const waiting = channel.waitAsync("look");
  const other = new Channel(memory, doorbell);
  other.close(Closed.RELAY_GONE);
  const before = performance.now();
  let message = "";
  await waiting.catch((error) => message = error.message);
  assert(message.includes("the relay worker has ended"), message);
  assert(performance.now() - before < 1000);
  other.close(Closed.LEFT);
  assertEquals(Atomics.load(memory.words, Word.CLOSED), Closed.RELAY_GONE);
});

Deno.test("Channel refuses synchronous calls where the thread may not wait", async () => {
  const rig = await startRig();
  const client = await rig.client({ blocking: "never" });
  const error = assertThrows(() => client.lookup(1, "a")) as Error;
  assert(error.message.startsWith("ENOTSUP") && error.message.includes('blocking: "spin"'));
  await rig.stop();
});

Deno.test("Channel.wait() spins where the option says so", async () => {
  const rig = await startRig();
  const client = await rig.client({ blocking: "spin" });
  for (let round = 0; round < 50; round++) assertEquals(client.lookup(1, "a"), 0);
  await rig.ask({ stall: 60 });
  assertEquals(client.lookup(1, "a"), 0);
  await rig.stop();
});

Deno.test("Channel's sequence wraps", async () => {
  const rig = await startRig();
  const memory = createChannelMemory(16_384);
  memory.words[Word.REQUEST] = memory.words[Word.ANSWER] = 0x7ffffffd;
  await rig.ask({ attach: memory.buffers });
  const client = new RelayClient(new Channel(memory, rig.doorbell), { root: 1 });
  for (let round = 0; round < 6; round++) assertEquals(client.lookup(1, "a"), 0);
  assertEquals(memory.words[Word.REQUEST], -2147483645);
  await rig.stop();
});
