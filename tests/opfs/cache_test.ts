/** CachedVolume: what it need not ask, what it must forget, and that it answers like its volume. */
import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../abi/errno.ts";
import { S_IFDIR, S_IFLNK, S_IFREG } from "../../abi/mode.ts";
import { createFS } from "../../fs/create_fs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { CachedVolume } from "../../opfs/cache.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import type { RelayClient } from "../../opfs/relay/client.ts";
import { Word } from "../../opfs/relay/protocol.ts";
import { ModelVolume } from "../support/model_volume.ts";
import { RandomOps } from "../support/random_ops.ts";
import { rigTest } from "../support/relay_rig.ts";
import { turnedRelay } from "../support/turned_relay.ts";

const file = { mode: S_IFREG | 0o644, uid: 0, gid: 0 };
const dir = { mode: S_IFDIR | 0o755, uid: 0, gid: 0 };
const ROUNDS = Deno.env.get("CAIRN_LONG") === "1" ? 100_000 : 4000;

function requests(client: RelayClient, work: () => void): number {
  const { words } = client.memory;
  const before = words[Word.REQUEST]!;
  work();
  return words[Word.REQUEST]! - before;
}

function seedOf(): number {
  const seed = Number(Deno.env.get("CAIRN_SEED") ?? Date.now() % 1e9);
  console.log(`seed ${seed}`);
  return seed;
}

Deno.test("CachedVolume answers random operations like the volume itself", () => {
  const inner = new ModelVolume();
  const ops = new RandomOps(new CachedVolume(inner), new ModelVolume(), { seed: seedOf() });
  for (let round = 0; round < ROUNDS; round++) ops.step();
  ops.finish();
});

Deno.test("CachedVolume over the engine answers like the model", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const cached = new CachedVolume(volume, { pageBytes: 65_536, entries: 20 });
  const ops = new RandomOps(cached, new ModelVolume(), { seed: seedOf() });
  for (let round = 0; round < ROUNDS; round++) ops.step();
  ops.finish();
  cached.close();
  assertEquals(checkVolume(handle).violations, []);
});

rigTest("two CachedVolumes over one relay answer like one volume", async (rig) => {
  const caches = [await rig.client(), await rig.client()].map((c) => new CachedVolume(c));
  const model = new ModelVolume();
  const one = new RandomOps(caches[0]!, model, { seed: seedOf() });
  // The other's changes are seen through the first one's cache.
  for (let round = 0; round < ROUNDS / 4; round++) {
    one.step();
    const [name, parent] = [`other ${round % 5}`, caches[1]!.root];
    for (const volume of [caches[1]!, model]) {
      if (volume.lookup(parent, name) === 0) volume.create(parent, name, file);
      else volume.unlink(parent, name);
    }
  }
  one.finish();
  assert(caches[0]!.counts.resets > 10);
});

rigTest("FS over CachedVolume asks nothing while nothing has changed", async (rig) => {
  const client = await rig.client();
  const cached = new CachedVolume(client);
  const FS = createFS({ root: { type: VOLUMEFS, options: { volume: cached } } });
  FS.mkdirTree("/a/b/c");
  FS.writeFile("/a/b/c/f", "text");
  FS.symlink("b/c/f", "/a/link");
  // Reading the link would move its atime, which only the volume can.
  const link = client.lookup(client.lookup(client.root, "a"), "link");
  client.setattr(link, { atime: Date.now() + 60_000 });
  const look = () => {
    assertEquals(FS.stat("/a/b/c/f").size, 4);
    assertEquals(FS.stat("/a/link").size, 4);
    assertEquals(FS.lstat("/a/b").nlink, 3);
    assertThrows(() => FS.stat("/a/b/none"), Error);
  };
  look();
  assertEquals(requests(client, look), 0);
  const other = await rig.client();
  other.setattr(other.lookup(other.root, "a"), { mode: 0o700 });
  assert(requests(client, look) > 0);
  assertEquals(FS.stat("/a").mode & 0o777, 0o700);
  assertEquals(requests(client, look), 0);
});

rigTest(
  "FS over CachedVolume makes a file in two round trips, and stats it in one",
  async (rig) => {
    const client = await rig.client();
    const FS = createFS({
      root: { type: VOLUMEFS, options: { volume: new CachedVolume(client) } },
    });
    for (const name of ["a", "b", "c", "d"]) FS.writeFile(`/${name}`, "");
    const bytes = new Uint8Array(1024).fill(7);
    const count = requests(client, () => {
      for (let index = 0; index < 50; index++) FS.writeFile(`/f${index}`, bytes);
    });
    assertEquals(count, 100);
    assertEquals(requests(client, () => FS.stat("/f1")), 1);
  },
);

Deno.test("FS over CachedVolume renames in one round trip, and lists again in none", () => {
  let now = Date.now();
  const clock = () => now++;
  const { client: attach } = turnedRelay(openVolumeSync(memoryHandle(), { clock }));
  const client = attach();
  const volume = new CachedVolume(client, { clock });
  const FS = createFS({ root: { type: VOLUMEFS, options: { volume } } });
  for (let index = 0; index < 50; index++) FS.writeFile(`/f${index}`, "");
  FS.rename("/f0", "/g0");
  const count = requests(client, () => {
    for (let index = 1; index < 50; index++) FS.rename(`/f${index}`, `/g${index}`);
  });
  assertEquals(count, 49);
  const names = FS.readdir("/");
  assertEquals([names.length, FS.stat("/g7").size], [52, 0]);
  FS.stat("/");
  assertEquals(requests(client, () => assertEquals(FS.readdir("/"), names)), 0);
  const other = attach();
  other.unlink(other.root, "g9");
  assertEquals(FS.readdir("/").length, 51);
  FS.unlink("/g8");
  assertEquals(FS.readdir("/").length, 50);
  const modeOf = () => volume.readdir(volume.root, 0).find(({ name }) => name === "g7")?.mode;
  assertEquals(modeOf(), FS.stat("/g7").mode);
  FS.chmod("/g7", 0o600);
  assertEquals(modeOf(), S_IFREG | 0o600);
});

rigTest("CachedVolume lists a directory in which many names are asked for", async (rig) => {
  const client = await rig.client();
  for (let index = 0; index < 200; index++) client.create(client.root, `n${index}`, file);
  const cached = new CachedVolume(client);
  const count = requests(client, () => {
    for (let index = 0; index < 200; index++) {
      const found = cached.lookupAttr(cached.root, `n${index}`);
      assertEquals(found?.attr.size, 0);
      assertEquals(cached.lookup(cached.root, `missing ${index}`), 0);
    }
  });
  assert(count < 8, `${count} requests`);
  assertThrows(() => cached.lookup(cached.root, "x".repeat(300)), Error, "ENAMETOOLONG");
  assertThrows(() => cached.lookup(cached.root, "a/b"), Error, "EINVAL");
});

rigTest("CachedVolume reads small pieces out of pages, and never old ones", async (rig) => {
  const client = await rig.client();
  const other = await rig.client();
  const cached = new CachedVolume(client);
  const ino = cached.create(cached.root, "f", file);
  const bytes = Uint8Array.from({ length: 40_000 }, (_, index) => index * 7 + (index >> 8));
  assertEquals(cached.write(ino, bytes, 0), 40_000);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const into = new Uint8Array(100);
  const readAll = () => {
    for (let at = 0; at < 40_000; at += 100) {
      assertEquals(cached.read(ino, into, at), 100);
      assertEquals(into, bytes.subarray(at, at + 100));
    }
  };
  readAll();
  cached.setattr(ino, { atime: Date.now() + 1000 });
  cached.getattr(ino);
  assert(requests(client, readAll) <= 4);
  assertEquals(requests(client, readAll), 0);
  assertEquals(cached.read(ino, into, 39_950), 50);
  assertEquals(cached.read(ino, into, 50_000), 0);
  const change = Uint8Array.of(1, 2, 3);
  assertEquals(other.write(ino, change, 150), 3);
  bytes.set(change, 150);
  readAll();
  cached.write(ino, change, 39_999);
  assertEquals([cached.read(ino, into, 39_999), into[2]], [3, 3]);
  cached.append(ino, change);
  assertEquals(cached.read(ino, into, 39_999), 6);
  cached.setattr(ino, { size: 10 });
  assertEquals(cached.read(ino, into, 0), 10);
  other.setattr(ino, { size: 5 });
  assertEquals(cached.read(ino, into, 0), 5);
});

rigTest("CachedVolume takes its own changes for its own, and no other's", async (rig) => {
  const client = await rig.client();
  const other = await rig.client();
  const cached = new CachedVolume(client);
  const d = cached.create(cached.root, "d", dir);
  assertEquals(cached.lookup(d, "new"), 0);
  // Another client's change comes between the two ends of this one's own.
  const { create } = client;
  client.create = (...args) => {
    const made = create.apply(client, args);
    other.create(d, "new", file);
    return made;
  };
  cached.create(cached.root, "e", dir);
  assertNotEquals(cached.lookup(d, "new"), 0);
});

Deno.test("CachedVolume gives each asker a copy, and keeps links", () => {
  const cached = new CachedVolume(new ModelVolume({ now: () => 5 }));
  const ino = cached.create(cached.root, "f", file);
  cached.getattr(ino).size = 99;
  assertEquals(cached.getattr(ino).size, 0);
  assertEquals(cached.counts.hits, 1);
  const link = cached.create(cached.root, "l", { ...file, mode: S_IFLNK | 0o777, target: "f" });
  assertEquals([cached.readlink(link), cached.readlink(link)], ["f", "f"]);
});

rigTest("a failed store() leaves nothing old in any cache", async (rig) => {
  const [client, other] = [await rig.client(), await rig.client()];
  const [cached, seen] = [new CachedVolume(client), new CachedVolume(other)];
  const ino = cached.store!(cached.root, "f", file, new Uint8Array(10)).ino;
  assertEquals([seen.getattr(ino).size, cached.getattr(ino).size], [10, 10]);
  assertEquals(cached.store!(cached.root, "f", file, new Uint8Array(3)), { ino, count: 3 });
  assertEquals([seen.getattr(ino).size, cached.getattr(ino).size], [3, 3]);
});

Deno.test("CachedVolume answers nothing after its client has left, or its relay", () => {
  for (const end of ["close", "abandon"] as const) {
    const { client } = turnedRelay();
    const inner = client();
    const cached = new CachedVolume(inner);
    const ino = cached.create(1, "a", file);
    cached.write(ino, Uint8Array.of(1, 2, 3), 0);
    assertEquals([cached.getattr(ino).size, cached.lookup(1, "a")], [3, ino]);
    assertEquals(cached.read(ino, new Uint8Array(3), 0), 3);
    inner[end]();
    const code = end === "close" ? "EBADF" : "EIO";
    assertThrows(() => cached.getattr(ino), Error, code);
    assertThrows(() => cached.lookup(1, "a"), Error, code);
    assertThrows(() => cached.read(ino, new Uint8Array(3), 0), Error, code);
  }
});

Deno.test("CachedVolume keeps nothing of a file that a failed call may have changed, in any client", () => {
  let now = Date.now();
  const volume = openVolumeSync(memoryHandle(), { clock: () => now++ });
  const { client } = turnedRelay(volume);
  const clients = [client(), client()];
  const [mine, other] = [new CachedVolume(clients[0]!), new CachedVolume(clients[1]!)];
  const ino = mine.create(1, "a", file);
  const cut = volume.setattr.bind(volume);
  const full = (): never => {
    throw new ErrnoError("ENOSPC", "go on");
  };
  const halfway = (call: () => void) => {
    mine.write(ino, new Uint8Array(100).fill(7), 0);
    // The first read moves the time of access; what the second one finds is kept.
    for (const each of [mine, mine, mine, other, other]) {
      each.read(ino, new Uint8Array(100), 0);
      each.getattr(ino);
    }
    for (const [index, each] of [mine, other].entries()) {
      const again = (): unknown => each.read(ino, new Uint8Array(100), 0);
      assertEquals(requests(clients[index]!, again), 0, `client ${index} keeps it`);
    }
    volume.setattr = volume.allocate = () => {
      cut(ino, { size: 10 });
      full();
    };
    assertThrows(call, Error, "ENOSPC");
    volume.setattr = cut;
    for (const each of [mine, other]) {
      const into = new Uint8Array(100);
      assertEquals([each.getattr(ino).size, each.read(ino, into, 0), into[50]], [10, 10, 0]);
    }
  };
  halfway(() => mine.setattr(ino, { size: 5 }));
  halfway(() => mine.allocate(ino, 0x10, 0, 50));
});
