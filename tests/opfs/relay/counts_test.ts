/** What is counted: requests, flushes, and that both sides' own counters are true. */
import { assert, assertEquals } from "@std/assert";
import { S_IFREG } from "../../../abi/mode.ts";
import { createFS } from "../../../fs/create_fs.ts";
import { VOLUMEFS } from "../../../node_ops/volume.ts";
import { CachedVolume } from "../../../opfs/cache.ts";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { openVolume } from "../../../opfs/compose/open.ts";
import { wholeMessage } from "../../../opfs/relay/channel.ts";
import type { RelayClient } from "../../../opfs/relay/client.ts";
import { type Metric, metricsFrom } from "../../../opfs/relay/metrics.ts";
import { Op } from "../../../opfs/relay/operations.ts";
import { Word } from "../../../opfs/relay/protocol.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import { Random } from "../../support/random.ts";
import { turnedRelay } from "../../support/turned_relay.ts";

const file = { mode: S_IFREG | 0o644, uid: 0, gid: 0 };

function requests(client: RelayClient, work: () => void): number {
  const { words } = client.memory;
  const before = words[Word.REQUEST]!;
  work();
  return words[Word.REQUEST]! - before;
}

Deno.test("a file is made, written and closed in 3 requests, 2 with a cache, and 1 as store()", () => {
  const bytes = new Uint8Array(1024).fill(7);
  for (const [want, isCached] of [[3, false], [2, true]] as const) {
    const client = turnedRelay().client();
    const volume = isCached ? new CachedVolume(client) : client;
    const FS = createFS({ root: { type: VOLUMEFS, options: { volume } } });
    for (const name of ["a", "b", "c", "d"]) FS.writeFile(`/${name}`, "");
    assertEquals(requests(client, () => FS.writeFile("/f", bytes)), want);
  }
  const client = turnedRelay().client();
  assertEquals(requests(client, () => client.store(client.root, "f", file, bytes)), 1);
  assertEquals(client.getattr(client.lookup(client.root, "f")).size, 1024);
});

Deno.test("no client asks for attributes and names that are known and have not changed", () => {
  const client = turnedRelay().client();
  const cached = new CachedVolume(client);
  const FS = createFS({ root: { type: VOLUMEFS, options: { volume: cached } } });
  FS.mkdirTree("/a/b");
  FS.writeFile("/a/b/f", "text");
  FS.stat("/a/b/f");
  assertEquals(requests(client, () => void FS.stat("/a/b/f")), 0);
});

Deno.test("a copy is one request for 16 MiB, and none of its bytes come to the client", () => {
  const { client: attach } = turnedRelay(openVolumeSync(memoryHandle()));
  const client = attach();
  const cached = new CachedVolume(client);
  const source = cached.create(1, "source", file);
  cached.write(source, new Uint8Array(20 << 20).fill(7), 0);
  for (const [size, want] of [[100, 1], [1 << 20, 1], [16 << 20, 1], [20 << 20, 2]] as const) {
    const target = cached.create(1, `${size}`, file);
    let done = 0;
    const count = requests(client, () => {
      while (done < size) done += cached.copyRange(source, done, target, done, size - done);
    });
    assertEquals([count, done], [want, size]);
    assertEquals(cached.getattr(target).size, size);
  }
  assertEquals(client.counters.snapshot()["COPY_RANGE"]!.bytes, 0);
});

Deno.test("both sides count every call once, whatever comes of it, and every byte", () => {
  const seed = Number(Deno.env.get("CAIRN_SEED") ?? Date.now() % 1e9);
  console.log(`seed ${seed}`);
  const random = new Random(seed);
  const { relay, client: attach } = turnedRelay();
  const clients = [attach(), attach(), attach()];
  const counted = clients.map(() => new Map<string, { count: number; bytes: number }>());
  const [ino] = [clients[0]!.create(1, "f", file)];
  const count = (index: number, op: string, bytes: number) => {
    const known = counted[index]!.get(op) ?? { count: 0, bytes: 0 };
    counted[index]!.set(op, { count: known.count + 1, bytes: known.bytes + bytes });
  };
  count(0, "CREATE", 0);
  const calls: readonly [string, (client: RelayClient) => unknown, (size: number) => number][] = [
    ["LOOKUP", (c) => c.lookup(1, random.pick(["f", "none"])), () => 0],
    ["GETATTR", (c) => c.getattr(random.pick([ino, 99])), () => 0],
    ["UNLINK", (c) => c.unlink(1, "none"), () => 0],
    ["RETAIN", (c) => c.retain(ino), () => 0],
    ["RELEASE", (c) => c.release(ino), () => 0],
    ["FSYNC", (c) => c.fsync(ino), () => 0],
    ["SYNC", (c) => c.sync(), () => 0],
    [
      "LOCK",
      (c) => c.lock(1, { kind: 1, owner: 1, type: 0, start: 0, end: 0, wait: false }),
      () => 0,
    ],
  ];
  for (let round = 0; round < 600; round++) {
    const index = random.below(clients.length);
    const client = clients[index]!;
    const size = random.below(40_000);
    if (random.oneIn(3)) {
      client.write(ino, new Uint8Array(size), 0);
      count(index, "WRITE", size);
      assertEquals(client.read(ino, new Uint8Array(size), 0), size);
      count(index, "READ", size);
      continue;
    }
    const [op, call] = random.pick(calls);
    const held = counted[index]!.get("RETAIN")?.count ?? 0;
    if (op === "RELEASE" && held === (counted[index]!.get("RELEASE")?.count ?? 0)) continue;
    try {
      call(client);
    } catch { /* It is counted all the same. */ }
    count(index, op, 0);
  }
  relay.turn();
  const plain = (metrics: Record<string, Metric>) =>
    Object.entries(metrics).map(([op, { count, bytes }]) => [op, count, bytes]).sort();
  const all = new Map<string, { count: number; bytes: number }>();
  for (const [index, client] of clients.entries()) {
    const want = [...counted[index]!].map(([op, { count, bytes }]) => [op, count, bytes]).sort();
    assertEquals(plain(client.counters.snapshot()), want);
    for (const [op, { count, bytes }] of counted[index]!) {
      const known = all.get(op) ?? { count: 0, bytes: 0 };
      all.set(op, { count: known.count + count, bytes: known.bytes + bytes });
    }
  }
  const want = [...all].map(([op, { count, bytes }]) => [op, count, bytes]).sort();
  assertEquals(plain(metricsFrom(relay.counters.values().values)), want);
});

Deno.test("those who ask at the same time share a commit: 4 x 500 fsyncs are 500 flushes", () => {
  const device = memoryHandle();
  const flush = device.flush.bind(device);
  let flushes = 0;
  device.flush = () => {
    flushes += 1;
    flush();
  };
  const { relay, volume, channel } = turnedRelay(openVolumeSync(device));
  const channels = [channel(), channel(), channel(), channel()];
  const inos = channels.map((_, index) => volume.create(volume.root, `${index}`, file));
  volume.sync();
  const before = flushes - volume.metrics().checkpoints;
  for (let round = 0; round < 500; round++) {
    for (const [index, ino] of inos.entries()) volume.write(ino, Uint8Array.of(index), round);
    for (const [index, { writer }] of channels.entries()) {
      channels[index]!.publish(wholeMessage(writer.begin(Op.FSYNC).ino(inos[index]!).end()));
    }
    relay.turn();
    assert(channels.every((one) => one.isAnswered()), "one turn answers all");
  }
  assertEquals(flushes - volume.metrics().checkpoints - before, 500);
  volume.close();
});

Deno.test("four threads with 500 durable writes each cost 800 flushes at most", async () => {
  const directory = Deno.makeTempDirSync();
  const volume = await openVolume({ name: `${directory}/a.cairn`, access: "relay" });
  const url = new URL("../../support/durable_worker.ts", import.meta.url).href;
  const stop: (() => void)[] = [];
  try {
    const start = async (mark: number) => {
      const worker = new Worker(url, { type: "module" });
      stop.push(() => worker.terminate());
      const ask = (message: unknown) => {
        const { promise, resolve } = Promise.withResolvers<unknown>();
        worker.onmessage = ({ data }) => resolve(data);
        worker.postMessage(message);
        return promise;
      };
      await ask({ ticket: volume.share(), mark });
      return ask;
    };
    const clients = await Promise.all([1, 2, 3, 4].map(start));
    const before = Number((await volume.metrics()).device["flushes"]);
    await Promise.all(clients.map((ask) => ask({ rounds: 500 })));
    const { device, relay } = await volume.metrics();
    assertEquals([relay["FSYNC"]?.count, relay["WRITE"]?.count], [2000, 2000]);
    const flushes = Number(device["flushes"]) - before;
    console.log(`${flushes} flushes`);
    assert(flushes >= 500 && flushes <= 800, `${flushes} flushes`);
  } finally {
    for (const end of stop) end();
    await volume.close();
    Deno.removeSync(directory, { recursive: true });
  }
});
