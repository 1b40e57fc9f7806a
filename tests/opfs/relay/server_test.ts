import { assert, assertEquals, assertThrows } from "@std/assert";
import { S_IFREG } from "../../../abi/mode.ts";
import { ErrnoError } from "../../../abi/errno.ts";
import { InvariantError } from "../../../abi/invariant.ts";
import { CachedVolume } from "../../../opfs/cache.ts";
import { Channel, wholeMessage } from "../../../opfs/relay/channel.ts";
import { Op } from "../../../opfs/relay/operations.ts";
import { createChannelMemory, FLAG_FLUSH, Signal, Word } from "../../../opfs/relay/protocol.ts";
import { RelayPromises } from "../../../opfs/relay/promises.ts";
import { Relay } from "../../../opfs/relay/server.ts";
import { ModelVolume } from "../../support/model_volume.ts";
import { type Rig, startRig } from "../../support/relay_rig.ts";
import { turnedRelay } from "../../support/turned_relay.ts";

const file = { mode: S_IFREG | 0o644, uid: 0, gid: 0 };

/** A relay that is turned by hand, and channels to it. */
function byHand(volume = new ModelVolume()) {
  const relay = new Relay(volume);
  const open = () => {
    const memory = createChannelMemory(16_384);
    relay.attach(memory.buffers);
    return new Channel(memory, relay.doorbell);
  };
  return { relay, volume, open };
}

/** Takes the answer of what was published. */
function statusOf(channel: Channel): number {
  assert(channel.isAnswered(), "no answer");
  channel.wait("test");
  channel.reader.openResponse(channel.header);
  return channel.reader.status;
}

async function runClients(rig: Rig, jobs: Record<string, unknown>[]): Promise<unknown[]> {
  return await Promise.all(jobs.map(async (job) => {
    const { buffers } = await rig.memory(16_384);
    const url = new URL("../../support/client_worker.ts", import.meta.url).href;
    const worker = new Worker(url, { type: "module" });
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage({ buffers, doorbell: rig.doorbell.buffer, ...job });
    return promise.finally(() => worker.terminate());
  }));
}

Deno.test("Relay.turn() gives every ready channel one request", () => {
  const { relay, open } = byHand();
  const channels = [open(), open(), open()];
  for (const channel of channels) {
    channel.publish(wholeMessage(channel.writer.begin(Op.STATFS).end()));
  }
  assert(relay.turn());
  assertEquals(channels.map(statusOf), [0, 0, 0]);
  assert(!relay.turn());
});

Deno.test("Relay.turn() makes one commit for all that asked for one", () => {
  const { relay, volume, open } = byHand();
  const ino = volume.create(volume.root, "f", file);
  const [a, b, c] = [open(), open(), open()];
  a.publish(wholeMessage(a.writer.begin(Op.FSYNC).ino(ino).end()));
  b.publish(wholeMessage(b.writer.begin(Op.SYNC).end()));
  c.publish(wholeMessage(c.writer.begin(Op.UNLINK, FLAG_FLUSH).path("f").ino(volume.root).end()));
  relay.turn();
  assertEquals([a, b, c].map(statusOf), [0, 0, 0]);
  assertEquals([volume.calls.get("sync"), volume.calls.get("fsync")], [1, undefined]);
  a.publish(wholeMessage(a.writer.begin(Op.FSYNC).ino(volume.root).end()));
  relay.turn();
  assertEquals([statusOf(a), volume.calls.get("fsync")], [0, 1]);
});

Deno.test("Relay.turn() answers a failed commit to all clients in it", () => {
  const volume = new ModelVolume();
  volume.sync = () => {
    throw new InvariantError("V2: block 7 is owned but free");
  };
  const { relay, open } = byHand(volume);
  const a = open();
  a.publish(wholeMessage(a.writer.begin(Op.SYNC).end()));
  relay.turn();
  assertEquals(statusOf(a), -29);
});

Deno.test("Relay.turn() bumps the generation of all others before it answers a change", () => {
  const { relay, volume, open } = byHand();
  const [a, b] = [open(), open()];
  const write = volume.create.bind(volume);
  let seenAtChange = -1;
  volume.create = (...args) => {
    seenAtChange = b.generation;
    return write(...args);
  };
  a.writer.begin(Op.CREATE).path("f").ino(volume.root).u32(file.mode).u32(0).u32(0).u32(0);
  a.publish(wholeMessage(a.writer.end()));
  relay.turn();
  assertEquals([seenAtChange, a.generation, b.generation], [0, 0, 1]);
  b.publish(wholeMessage(b.writer.begin(Op.LOOKUP).path("f").ino(volume.root).end()));
  relay.turn();
  assertEquals([a.generation, b.generation], [0, 1]);
  assertEquals(b.memory.words[Word.ANSWER_GENERATION], 1);
});

Deno.test("Relay.turn() answers what it does not know, or cannot take, and goes on", () => {
  const { relay, volume, open } = byHand();
  const a = open();
  const ask = (fill: () => number, header: object = {}) => {
    a.publish({ ...wholeMessage(fill()), ...header });
    relay.turn();
    return statusOf(a);
  };
  const { view } = a.memory;
  const statfs = () => a.writer.begin(Op.STATFS).end();
  assertEquals(ask(() => a.writer.begin(127).end()), -52);
  assertEquals(ask(() => a.writer.begin(2).end()), -52);
  assertEquals(ask(statfs, { signal: Signal.CHUNK }), -65);
  assertEquals(ask(statfs, { signal: 77 }), -65);
  assertEquals(ask(statfs, { chunkIndex: 4 }), -65);
  assertEquals(ask(statfs, { totalBytes: 17 }), -65);
  assertEquals(ask(() => a.writer.begin(Op.LOOKUP).path("x").u32(1).end()), -65);
  const lengths = (pathLen: number, dataLen: number) => {
    a.writer.begin(Op.LOOKUP).end();
    view.setUint32(8, pathLen, true);
    view.setUint32(12, dataLen, true);
    return 16;
  };
  assertEquals(ask(() => lengths(0xffffffff, 0)), -65);
  assertEquals(ask(() => lengths(0, 0xffffffff)), -65);
  assertEquals(ask(() => lengths(16_384, 0), { totalBytes: 16_400 }), -65);
  a.memory.area[16] = 0xff;
  assertEquals(ask(() => a.writer.begin(Op.LOOKUP).path("é").ino(volume.root).end()), 0);
  const bad = () => {
    const total = a.writer.begin(Op.LOOKUP).path("é").ino(volume.root).end();
    a.memory.area[16] = 0xc0;
    return total;
  };
  assertEquals(ask(bad), -25);
  assertEquals(ask(() => a.writer.begin(Op.READ).ino(volume.root).f64(0).u32(5).end()), -31);
  assertEquals(ask(statfs), 0);
});

Deno.test("Relay.turn() survives whatever a channel's words hold", () => {
  const { relay, volume, open } = byHand();
  let seed = 42;
  const random = () => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) >>> 8;
  const good = open();
  for (let round = 0; round < 3000; round++) {
    const channel = open();
    const { area, words } = channel.memory;
    for (let at = 0; at < 64; at++) area[at] = random() % 4 === 0 ? random() : 0;
    area[0] = 64 + random() % 20;
    area[1] = area[2] = area[3] = 0;
    const chunkBytes = random() % 3 === 0 ? random() % 200 : 16 + area[8]! + area[12]!;
    for (let message = 0; message < 3; message++) {
      words[Word.CHUNK_LEN] = chunkBytes;
      words[Word.TOTAL_LOW] = random() % 3 === 0 ? random() : chunkBytes;
      words[Word.SIGNAL] = random() % 5;
      words[Word.CHUNK_INDEX] = message;
      Atomics.add(words, Word.REQUEST, 1);
      relay.turn();
    }
    assertEquals(Atomics.load(words, Word.ANSWER), Atomics.load(words, Word.REQUEST));
    channel.close();
  }
  good.publish(wholeMessage(good.writer.begin(Op.GETATTR).ino(volume.root).end()));
  relay.turn();
  assertEquals([statusOf(good), relay.clientCount], [0, 1]);
});

Deno.test("Relay refuses memory that is no channel", () => {
  const { relay } = byHand();
  const { buffers, words } = createChannelMemory(16_384);
  const shared = (bytes: number) => new SharedArrayBuffer(bytes);
  const refused = (with_: object | null, why: string) =>
    assertThrows(() => relay.attach((with_ && { ...buffers, ...with_ }) as never), ErrnoError, why);
  refused(null, "EPROTO");
  refused({ words: shared(64) }, "its size");
  refused({ words: shared(256) }, "magic");
  refused({ words: new ArrayBuffer(256) }, "its memory");
  refused({ area: undefined }, "its memory");
  refused({ area: shared(8192) }, "sizes");
  for (const areaAt of [8, 4, -8, 0.5, NaN, "8"]) refused({ areaAt }, "sizes");
  const whole = shared(16_384 + 256);
  new Int32Array(whole).set(words);
  for (const areaAt of [undefined, 0, 248]) {
    refused({ words: whole, area: whole, areaAt }, "sizes");
  }
  relay.attach({ words: whole, area: whole, areaAt: 256 });
  words[Word.AREA_BYTES] = 1 << 30;
  refused({}, "sizes");
});

Deno.test("Relay serves no channel twice, and none when it ends", async () => {
  const { relay, volume, open } = byHand();
  const a = open();
  assertThrows(() => relay.attach(a.memory.buffers), ErrnoError, "served already");
  a.writer.begin(Op.CREATE).path("f").ino(volume.root).u32(file.mode).u32(0).u32(0).u32(0);
  a.publish(wholeMessage(a.writer.end()));
  relay.turn();
  assertEquals([statusOf(a), relay.clientCount, volume.calls.get("create")], [0, 1, 1]);
  await relay.stop();
  assertThrows(() => relay.attach(createChannelMemory(16_384).buffers), ErrnoError, "relay ends");
});

Deno.test("Relay carries out a release before the request that was sent after it", () => {
  const volume = new ModelVolume();
  const [one, two] = ["one", "two"].map((name) => volume.create(volume.root, name, file));
  const order: string[] = [];
  // When it has carried out the first release, the client lets go of a second inode, and asks.
  const relay: Relay = new Relay(volume, {
    trace(_client, sequence) {
      order.push(sequence < 0 ? `release ${-sequence}` : "request");
      if (sequence !== -1) return;
      a.postRelease(two!, 0);
      a.publish(wholeMessage(a.writer.begin(Op.STATFS).end()));
    },
  });
  const memory = createChannelMemory(16_384);
  relay.attach(memory.buffers);
  const a = new Channel(memory, relay.doorbell);
  for (const ino of [one!, two!]) {
    a.publish(wholeMessage(a.writer.begin(Op.RETAIN).ino(ino).end()));
    relay.turn();
    assertEquals(statusOf(a), 0);
  }
  order.length = 0;
  a.postRelease(one!, 0);
  relay.turn();
  relay.turn();
  assertEquals(order, ["release 1", "release 2", "request"]);
});

Deno.test("Relay signals to others when an unlinked inode goes with its last holder", () => {
  for (const dies of [false, true]) {
    const { client, relay } = turnedRelay();
    const [a, b] = [client(), new CachedVolume(client())];
    const { ino } = a.createRetain(a.root, "f", file);
    a.retain(ino);
    a.unlink(a.root, "f");
    assertEquals(b.getattr(ino).nlink, 0);
    a.release(ino);
    assertEquals(b.getattr(ino).nlink, 0);
    if (dies) a.abandon();
    else a.release(ino);
    relay.turn();
    assertThrows(() => b.getattr(ino), ErrnoError, "ESTALE");
  }
});

Deno.test("Relay waits for those who were in the last commits, and not for ever", () => {
  const { relay, volume, open } = byHand();
  const [a, b] = [open(), open()];
  const ask = (channel: Channel) =>
    channel.publish(wholeMessage(channel.writer.begin(Op.SYNC).end()));
  const pause = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  volume.sync = pause;
  for (let round = 0; round < 12; round++) {
    for (const channel of [a, b]) ask(channel);
    relay.turn();
    assertEquals([a, b].map(statusOf), [0, 0]);
  }
  const waits: number[] = [];
  volume.sync = () => waits.push(performance.now());
  for (let round = 0; round < 12; round++) {
    ask(a);
    const before = performance.now();
    relay.turn();
    waits.push(waits.pop()! - before);
    assertEquals(statusOf(a), 0);
  }
  // The other one is silent: it is waited for three times, a commit long but 2 ms at most each.
  assert(waits[0]! > 0.2 && Math.min(...waits.slice(3)) < 0.2, `${waits}`);
});

Deno.test("Relay writes no answer into a closed channel", () => {
  const { relay, open } = byHand();
  const a = open();
  a.publish(wholeMessage(a.writer.begin(Op.STATFS).end()));
  a.close();
  relay.turn();
  assertEquals([a.isAnswered(), a.memory.words[Word.SIGNAL], relay.clientCount], [false, 1, 0]);
});

Deno.test("Relay gives back what a closed channel held", () => {
  const { relay, volume, open } = byHand();
  const ino = volume.create(volume.root, "f", file);
  const a = open();
  for (let round = 0; round < 2; round++) {
    a.publish(wholeMessage(a.writer.begin(Op.RETAIN).ino(ino).end()));
    relay.turn();
    assertEquals(statusOf(a), 0);
  }
  volume.unlink(volume.root, "f");
  assertEquals(volume.inodeCount, 2);
  a.close();
  relay.turn();
  assertEquals(volume.inodeCount, 1);
});

Deno.test("Relay keeps appends in chunks apart", async () => {
  const rig = await startRig();
  const client = await rig.client();
  const ino = client.create(client.root, "log", file);
  const jobs = [1, 2, 3].map((mark) => ({
    job: "append",
    ino,
    mark,
    rounds: 8,
    recordBytes: 40_000,
  }));
  assertEquals(await runClients(rig, jobs), ["done", "done", "done"]);
  const bytes = new Uint8Array(24 * 40_000 + 1);
  assertEquals(client.read(ino, bytes, 0), 24 * 40_000);
  for (let record = 0; record < 24; record++) {
    const piece = bytes.subarray(record * 40_000, (record + 1) * 40_000);
    assert(piece.every((byte) => byte === piece[0]), `record ${record} is mixed`);
  }
  await rig.stop();
});

Deno.test("Relay takes the append turn from a client that stops in the middle", async () => {
  const rig = await startRig({ deadlineMs: 300 });
  const client = await rig.client();
  const ino = client.create(client.root, "log", file);
  assertEquals(await runClients(rig, [{ job: "stall", ino }]), ["done"]);
  const channel = new Channel(await rig.memory(16_384), rig.doorbell);
  const tooLate = setTimeout(() => channel.close(), 10_000);
  const before = performance.now();
  const { at } = await new RelayPromises(channel).append(ino, Uint8Array.of(9));
  clearTimeout(tooLate);
  assertEquals(at, 16_384 - 24);
  const waited = performance.now() - before;
  assert(waited > 100 && waited < 3000, `waited ${waited} ms`);
  await rig.stop();
});

Deno.test("Relay serves several clients at once, none of them a wrong answer", async () => {
  const rig = await startRig();
  const jobs = [1, 2, 3, 4].map((mark) => ({ job: "files", mark, rounds: 1000 }));
  assertEquals(await runClients(rig, jobs), ["done", "done", "done", "done"]);
  await rig.stop();
});

Deno.test("Relay.stop() ends every wait of its clients", async () => {
  const rig = await startRig();
  const client = await rig.client();
  await rig.stop();
  assertThrows(() => client.statfs(), Error, "the relay worker has ended");
});
