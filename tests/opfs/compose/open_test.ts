import { ErrnoError } from "../../../abi/errno.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { S_IFREG } from "../../../abi/mode.ts";
import { fileHandle } from "../../../opfs/device/file.ts";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { type OpenedVolume, type OpenOptions, openVolume } from "../../../opfs/compose/open.ts";
import { checkVolume } from "../../../opfs/volume/tools/check.ts";
import { ModelVolume } from "../../support/model_volume.ts";
import { RandomOps } from "../../support/random_ops.ts";

const file = { mode: S_IFREG | 0o644, uid: 0, gid: 0 };
const isLong = Deno.env.get("CAIRN_LONG") === "1";

/** A path for a volume, gone afterwards; the image is checked at the end. */
async function withPath(run: (path: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync();
  const path = `${directory}/notes.cairn`;
  try {
    await run(path);
    const handle = fileHandle(path, { readOnly: true });
    const { clean, violations } = checkVolume(handle);
    handle.close();
    assert(clean, JSON.stringify(violations));
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function put(volume: OpenedVolume, name: string, text: string): number {
  const ino = volume.create(volume.root, name, file);
  volume.write(ino, new TextEncoder().encode(text), 0);
  return ino;
}

function get(volume: OpenedVolume, name: string): string {
  const into = new Uint8Array(1000);
  const ino = volume.lookup(volume.root, name);
  return new TextDecoder().decode(into.subarray(0, volume.read(ino, into, 0)));
}

Deno.test("openVolume() is direct under Deno, and what was written is there again", async () => {
  await withPath(async (path) => {
    const volume = await openVolume(path);
    assertEquals([volume.transport, volume.report.formatted], ["direct", true]);
    put(volume, "a", "kept");
    assertEquals((await volume.stats()).names, 1);
    assertEquals(await volume.promises.lookup(volume.root, "a"), volume.lookup(volume.root, "a"));
    await volume.close();
    await volume.close();
    await using again = await openVolume({ name: path });
    assertEquals([again.report.formatted, again.report.wasClean], [false, true]);
    assertEquals(get(again, "a"), "kept");
    assertEquals(again.report.persisted, null);
  });
});

Deno.test("openVolume() through a relay finds what a direct one wrote, and back", async () => {
  await withPath(async (path) => {
    const direct = await openVolume(path);
    put(direct, "a", "direct");
    await direct.close();
    const relayed = await openVolume({ name: path, access: "relay" });
    assertEquals([relayed.transport, get(relayed, "a")], ["relay", "direct"]);
    put(relayed, "b", "relayed");
    await relayed.close();
    assertThrows(() => relayed.statfs(), Error, "EBADF");
    await using again = await openVolume(path);
    assertEquals(get(again, "b"), "relayed");
  });
});

Deno.test("openVolume() a second time shares the relay of this thread", async () => {
  await withPath(async (path) => {
    const one = await openVolume({ name: path, access: "relay" });
    const two = await openVolume({ name: path, access: "relay" });
    put(one, "a", "from one");
    // The create is one's own change; to its caller, the write changes no names and no attributes.
    assertEquals([get(two, "a"), one.generation, two.generation], ["from one", 1, 2]);
    await one.close();
    assertEquals(get(two, "a"), "from one");
    await two.close();
  });
});

Deno.test("OpenedVolume.share() lets a worker in, each ticket once", async () => {
  await withPath(async (path) => {
    await using volume = await openVolume({ name: path, access: "relay" });
    const url = new URL("../../support/ticket_worker.ts", import.meta.url).href;
    const workers = await Promise.all([1, 2].map(async (mark) => {
      const worker = new Worker(url, { type: "module" });
      const answer = new Promise<MessageEvent>((resolve) => worker.onmessage = resolve);
      worker.postMessage({ ticket: volume.share(), mark });
      assertEquals((await answer).data, `worker ${mark} reads back its word over relay`);
      return worker;
    }));
    assertEquals(get(volume, "from 2"), "word of 2");
    for (const worker of workers) worker.terminate();
    const ticket = volume.share();
    const first = await openVolume(ticket);
    const error = await assertRejects(() => openVolume(ticket), Error, "EBUSY");
    assert((error as Error).message.includes("share() one for each client"));
    assertThrows(() => first.share(), Error, "ENOTSUP");
    await first.close();
  });
});

Deno.test("openVolume() of a ticket whose volume is closed fails at once, and says why", async () => {
  await withPath(async (path) => {
    const volume = await openVolume({ name: path, access: "relay" });
    const tickets = [volume.share(), volume.share()];
    await volume.close();
    for (const ticket of tickets) {
      const error = await assertRejects(() => openVolume(ticket)) as Error;
      assert(error.message.startsWith("EIO: ") && error.message.includes("was closed where"));
    }
  });
});

Deno.test("OpenedVolume.metrics() and stats() are true", async () => {
  await withPath(async (path) => {
    await using volume = await openVolume({ name: path, access: "relay" });
    const before = (await volume.metrics()).device;
    const ino = put(volume, "a", "12345");
    volume.write(ino, new Uint8Array(1_500_000), 0);
    volume.fsync(ino);
    const { calls, relay, engine, device: after } = await volume.metrics();
    assertEquals(Object.keys(calls).sort(), ["CREATE", "FSYNC", "WRITE"]);
    assertEquals([calls.WRITE?.count, calls.WRITE?.bytes], [2, 1_500_005]);
    assertEquals([relay.WRITE?.count, relay.WRITE?.bytes], [2, 1_500_005]);
    assert(calls.FSYNC!.timeMs >= calls.FSYNC!.waitMs && calls.FSYNC!.timeMs > 0);
    assert(Number(after.flushes) > Number(before.flushes));
    assert(Number(after.writtenBytes) - Number(before.writtenBytes) >= 1_500_000);
    const { state, names } = await volume.stats();
    assertEquals([state, names, typeof Object.values(engine)[0]], ["open", 1, "number"]);
  });
});

Deno.test("openVolume() over a relay caches, unless cacheBytes is 0", async () => {
  await withPath(async (path) => {
    const cached = await openVolume({ name: path, access: "relay" });
    const plain = await openVolume({ name: path, access: "relay", cacheBytes: 0 });
    put(cached, "a", "text");
    for (let round = 0; round < 10; round++) {
      for (const volume of [cached, plain]) {
        assertEquals(volume.getattr(volume.lookup(volume.root, "a")).size, 4);
      }
    }
    const [kept, asked] = [await cached.metrics(), await plain.metrics()];
    assertEquals(kept.calls["GETATTR"]?.count, 1);
    assertEquals([kept.cache?.hits, asked.cache], [19, null]);
    assertEquals([asked.calls["LOOKUP"]?.count, asked.calls["GETATTR"]?.count], [10, 10]);
    await plain.close();
    await cached.close();
  });
});

Deno.test("openVolume() on a handle is direct", async () => {
  const handle = memoryHandle();
  const volume = await openVolume(handle);
  put(volume, "a", "kept");
  assertThrows(() => volume.share(), Error, 'access: "relay"');
  await volume.close();
  assert(checkVolume(memoryHandle(handle.toBytes())).clean);
  await assertRejects(() => openVolume({ handle, access: "relay" }), Error, "EINVAL");
});

Deno.test("openVolume() says who holds a volume, and loses nothing", async () => {
  await withPath(async (path) => {
    for (const access of ["direct", "relay"] as const) {
      const volume = await openVolume({ name: path, access });
      put(volume, access, "kept");
      const other = access === "direct" ? "relay" : "direct";
      for (const name of [path, `${path}`]) {
        const error = await assertRejects(() => openVolume({ name, access: other })) as Error;
        assert(
          error.message.startsWith("EBUSY: cannot open") && error.message.includes("close it"),
        );
      }
      assertEquals(get(volume, access), "kept");
      await volume.close();
    }
  });
});

Deno.test("openVolume() refuses what is no volume and leaves it as it was", async () => {
  const directory = Deno.makeTempDirSync();
  const path = `${directory}/bad.cairn`;
  const volume = await openVolume(path);
  put(volume, "a", "kept");
  await volume.close();
  const image = Deno.readFileSync(path);
  const bad: [string, Uint8Array][] = [
    ["text", new TextEncoder().encode("This is not a volume.\n".repeat(500))],
    ["truncated", image.slice(0, image.length / 2)],
    ["cut in the superblock", image.slice(0, 40)],
  ];
  for (const [what, bytes] of bad) {
    Deno.writeFileSync(path, bytes);
    for (const access of ["direct", "relay"] as const) {
      const error = await assertRejects(() => openVolume({ name: path, access })) as Error;
      assertEquals(error.name, "ErrnoError", what);
      assert(/^(EINVAL|EIO|ENOTSUP): cannot open/.test(error.message), `${what}: ${error.message}`);
      assertEquals(Deno.readFileSync(path), bytes, what);
    }
  }
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("openVolume() checks its options", async () => {
  const refused: [OpenOptions | string, string][] = [
    [{}, "give one of"],
    [{ name: "a", handle: memoryHandle() }, "give one of"],
    ["", "EINVAL"],
    ["a\0b", "EINVAL"],
    [{ name: "/nowhere/at/all.cairn" }, "ENOENT"],
    [{ name: "/nowhere/at/all.cairn", access: "relay" }, "ENOENT"],
    [{ name: "missing", create: false }, "ENOENT"],
    [{ name: "missing", create: false, access: "relay" }, "ENOENT"],
    [{ name: "missing", clock: () => 0, access: "relay" }, "EINVAL"],
  ];
  for (const [options, message] of refused) {
    await assertRejects(() => openVolume(options), Error, message);
  }
  await assertRejects(
    () => openVolume({ name: "missing", access: "relay", worker: "data:text/javascript,throw 1" }),
    Error,
    "Content-Security-Policy",
  );
});

Deno.test("openVolume() makes a volume durable that is not called, if periodically", async () => {
  await withPath(async (path) => {
    for (const [durability, grows] of [["periodic", true], ["fsync", false]] as const) {
      const name = path;
      await using volume = await openVolume({
        name,
        access: "relay",
        durability,
        commitIntervalMs: 30,
      });
      const { device: before } = await volume.metrics();
      put(volume, durability, "kept");
      await new Promise((resolve) => setTimeout(resolve, 300));
      const { device: after } = await volume.metrics();
      assertEquals(Number(after.flushes) > Number(before.flushes), grows, durability);
    }
  });
});

Deno.test("openVolume() for reading only refuses changes, direct and relayed", async () => {
  await withPath(async (path) => {
    const volume = await openVolume({ name: path, blockSize: 512, label: "kept" });
    put(volume, "a", "kept");
    assertEquals(volume.statfs().blockSize, 512);
    await volume.close();
    const before = Deno.readFileSync(path);
    for (const access of ["direct", "relay"] as const) {
      await using reader = await openVolume({ name: path, access, readOnly: true });
      assertEquals(get(reader, "a"), "kept");
      assertThrows(() => put(reader, "b", "no"), Error, "EROFS");
    }
    assertEquals(Deno.readFileSync(path), before);
  });
});

Deno.test("openVolume() with sanityCheck tries the device out, and leaves nothing there", async () => {
  await withPath(async (path) => {
    for (const access of ["direct", "relay"] as const) {
      await using volume = await openVolume({ name: path, access, sanityCheck: true });
      assertEquals(volume.readdir(volume.root, 0), []);
    }
  });
  const device = memoryHandle();
  const flush = device.flush.bind(device);
  let flushes = 0;
  let allowed = Infinity;
  Object.assign(device, {
    flush() {
      flushes += 1;
      if (flushes > allowed) throw new Error("the device is broken");
      flush();
    },
  });
  await (await openVolume(device)).close();
  flushes = 0;
  const mounted = await openVolume(device);
  const needed = flushes;
  await mounted.close();
  flushes = 0;
  allowed = needed;
  await assertRejects(
    () => openVolume({ handle: device, sanityCheck: true }),
    Error,
    'sanity check "sync" failed',
  );
});

Deno.test("a relayed volume answers random operations like the model, over remounts", async () => {
  const seed = Number(Deno.env.get("CAIRN_SEED") ?? Date.now() % 1e9);
  console.log(`seed ${seed}`);
  await withPath(async (path) => {
    const areaBytes = 16_384;
    await using volume = await openVolume({ name: path, access: "relay", areaBytes });
    const ops = new RandomOps(volume, new ModelVolume(), { seed, maxBytes: 50_000 });
    for (let round = 0; round < (isLong ? 100_000 : 3000); round++) ops.step();
    ops.finish();
  });
});

Deno.test("a volume that has been closed is closed in all it can do, on every way", async () => {
  for (const access of ["direct", "relay", "ticket"] as const) {
    const name = `${Deno.makeTempDirSync()}/v.cairn`;
    const first = await openVolume({ name, access: access === "direct" ? "direct" : "relay" });
    const volume = access === "direct"
      ? first
      : await openVolume(access === "ticket" ? first.share() : { name, access });
    await volume.close();
    const calls: Record<string, () => unknown> = {
      share: () => volume.share(),
      exportImage: () => volume.exportImage(),
      compact: () => volume.compact(),
      stats: () => volume.stats(),
      metrics: () => volume.metrics(),
      getattr: () => volume.getattr(volume.root),
      promised: () => volume.promises.getattr(volume.root),
    };
    for (const [call, run] of Object.entries(calls)) {
      const error = await assertRejects(async () => await run(), ErrnoError) as ErrnoError;
      assertEquals(error.code, "EBADF", `${access} ${call}`);
    }
    await first.close();
  }
});

Deno.test("an image and a compaction end with the volume that began them, not with its relay", async () => {
  const name = `${Deno.makeTempDirSync()}/v.cairn`;
  const other = await openVolume({ name, access: "relay" });
  const volume = await openVolume({ name, access: "relay" });
  const ino = volume.create(volume.root, "f", { mode: 0o100644, uid: 0, gid: 0 });
  for (let at = 0; at < 8; at++) volume.write(ino, new Uint8Array(1 << 20).fill(at + 1), at << 20);
  const reader = volume.exportImage().getReader();
  await reader.read();
  const compacting = assertRejects(
    () => volume.compact({ onProgress: () => void volume.close() }),
    ErrnoError,
    "EBADF",
  );
  await compacting;
  await assertRejects(
    async () => {
      while (!(await reader.read()).done) { /* The volume has been closed. */ }
    },
    ErrnoError,
    "EBADF",
  );
  await volume.close();
  assertEquals(other.getattr(ino).size, 8 << 20);
  assert((await other.compact()).cutBlocks >= 0);
  await other.close();
});
