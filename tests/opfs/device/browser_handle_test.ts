/** A browser's handle behaves as a device must, whichever way it says that it is full. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { BrowserHandle, type StorageEstimate } from "../../../opfs/device/browser_handle.ts";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import { FILE } from "../../support/on_volume.ts";

const full = (act: () => unknown) => {
  const error = assertThrows(act) as Error;
  assertEquals(error.name, "QuotaExceededError");
};
const bytes = new Uint8Array(100);
const tick = () => new Promise((resolve) => setTimeout(resolve, 0));

function rig(answers: { write?: number; grows?: boolean } = {}) {
  const memory = memoryHandle();
  const estimate: StorageEstimate & { asked: number } = { quota: 1000, usage: 400, asked: 0 };
  const inner = {
    read: memory.read.bind(memory),
    write: (from: Uint8Array, options: { at: number }) =>
      answers.write ?? memory.write(from, options),
    truncate: (size: number) => answers.grows === false ? undefined : memory.truncate(size),
    getSize: memory.getSize.bind(memory),
    flush: memory.flush.bind(memory),
    close: memory.close.bind(memory),
  };
  const ask = () => {
    estimate.asked++;
    return Promise.resolve(estimate);
  };
  return { handle: new BrowserHandle(inner, ask), memory, inner, estimate };
}

Deno.test("BrowserHandle passes on what a browser does right, and is sparse", () => {
  const { handle, memory } = rig();
  assert(handle.isSparse);
  assertEquals(handle.write(bytes.fill(3), { at: 5 }), 100);
  assertEquals(handle.getSize(), 105);
  handle.truncate(300);
  const into = new Uint8Array(200);
  assertEquals(handle.read(into, { at: 101 }), 199);
  assertEquals([...into.subarray(0, 6)], [3, 3, 3, 3, 0, 0]);
  handle.truncate(10);
  assertEquals(memory.getSize(), 10);
});

Deno.test("BrowserHandle takes -8 and no bytes for full, passes a short count on, and refuses others", () => {
  for (const count of [4294967288, 0]) {
    const { handle } = rig({ write: count });
    full(() => handle.write(bytes, { at: 0 }));
  }
  assertEquals(rig({ write: 40 }).handle.write(bytes, { at: 0 }), 40);
  for (const count of [4294967280, 101, -1, NaN]) {
    const { handle } = rig({ write: count });
    assertThrows(() => handle.write(bytes, { at: 0 }), Error, "EIO");
  }
});

Deno.test("BrowserHandle.truncate() is full when the size has not followed upwards", () => {
  const { handle, memory } = rig({ grows: false });
  memory.truncate(50);
  full(() => handle.truncate(60));
  assertEquals(handle.getQuotaBytes(), 59, "no byte more was to be had");
  handle.truncate(40);
  assertEquals(handle.getSize(), 50, "downwards it need not follow");
});

Deno.test("BrowserHandle.read() refuses a number that cannot be", () => {
  const { inner } = rig();
  const handle = new BrowserHandle({ ...inner, read: () => 4294967280 });
  assertThrows(() => handle.read(bytes, { at: 0 }), Error, "EIO");
  assertEquals(rig().handle.read(bytes, { at: 0 }), 0, "nothing is read at the end");
});

Deno.test("BrowserHandle knows the quota at open, and anew after each refusal", async () => {
  const answers: { write?: number } = {};
  const { handle, estimate } = rig(answers);
  assertEquals(handle.getQuotaBytes(), Infinity, "nothing is invented");
  await handle.estimate();
  assertEquals(handle.getQuotaBytes(), 600);
  handle.write(bytes, { at: 0 });
  assertEquals([handle.getQuotaBytes(), estimate.asked], [600, 1]);
  answers.write = 4294967288;
  estimate.usage = 950;
  full(() => handle.write(bytes, { at: 0 }));
  full(() => handle.write(bytes, { at: 0 }));
  await tick();
  assertEquals(estimate.asked, 2, "one question at a time");
  assertEquals(handle.getQuotaBytes(), 100, "no byte more was to be had");
  const over = rig();
  over.memory.truncate(70);
  over.estimate.usage = 1200;
  await over.handle.estimate();
  assertEquals(over.handle.getQuotaBytes(), 70, "more is used than may be: what is there stays");
  for (const quota of [undefined, NaN]) {
    const unknown = rig();
    Object.assign(unknown.estimate, { quota });
    await unknown.handle.estimate();
    assertEquals(unknown.handle.getQuotaBytes(), Infinity);
  }
});

Deno.test("BrowserHandle remembers what was refused beside an estimate that never falls", async () => {
  const answers: { write?: number } = {};
  const { handle, estimate } = rig(answers);
  estimate.quota = 1e10;
  await handle.estimate();
  answers.write = 4294967288;
  full(() => handle.write(bytes, { at: 900 }));
  full(() => handle.write(bytes, { at: 400 }));
  await tick();
  assertEquals(handle.getQuotaBytes(), 499, "the least that was refused");
  await tick();
  assertEquals(handle.getQuotaBytes(), 499, "nothing has changed");
  estimate.usage = 300;
  handle.getQuotaBytes();
  await tick();
  assert(handle.getQuotaBytes() > 1e9, "the origin uses less: there may be room");
  full(() => handle.write(bytes, { at: 400 }));
  assertEquals(handle.getQuotaBytes(), 499);
  delete answers.write;
  handle.truncate(500);
  assert(handle.getQuotaBytes() > 1e9, "what was refused has been had");
  answers.write = 4294967288;
  full(() => handle.write(bytes, { at: 500 }));
  assertEquals(handle.getQuotaBytes(), 599);
  delete answers.write;
  assertEquals(handle.write(bytes, { at: 500 }), 100);
  assert(handle.getQuotaBytes() > 1e9, "by a write, too");
});

Deno.test("BrowserHandle asks the browser's own storage, where there is one", async () => {
  const { inner } = rig();
  inner.truncate(50);
  const handle = new BrowserHandle(inner);
  const before = Object.getOwnPropertyDescriptor(navigator, "storage");
  const quotas: number[] = [];
  for (
    const storage of [undefined, {}, { estimate: () => Promise.resolve({ quota: 9, usage: 4 }) }]
  ) {
    Object.defineProperty(navigator, "storage", { value: storage, configurable: true });
    await handle.estimate();
    quotas.push(handle.getQuotaBytes());
  }
  if (before === undefined) delete (navigator as { storage?: unknown }).storage;
  else Object.defineProperty(navigator, "storage", before);
  assertEquals(quotas, [Infinity, Infinity, 55]);
});

Deno.test("BrowserHandle.estimate() lives with a browser that fails, or says nothing at all", async () => {
  const { inner } = rig();
  const failing = new BrowserHandle(inner, () => Promise.reject(new Error("no")));
  await failing.estimate();
  const silent = new BrowserHandle(inner, () => new Promise(() => {}));
  await silent.estimate();
  assertEquals([failing.getQuotaBytes(), silent.getQuotaBytes()], [Infinity, Infinity]);
});

Deno.test("statfs() reports what the browser estimates, and nothing is refused for it", async () => {
  const memory = memoryHandle();
  let usage = 1 << 20;
  const handle = new BrowserHandle(memory, () => Promise.resolve({ quota: 5 << 20, usage }));
  const volume = openVolumeSync(handle);
  assert(volume.statfs().freeBlocks > 2 ** 30);
  await handle.estimate();
  const { blocks } = volume.statfs();
  assert(blocks * 4096 <= handle.getSize() + (4 << 20) && blocks > 4 << 8, `${blocks} blocks`);
  const ino = volume.create(volume.root, "a", FILE);
  assertEquals(volume.write(ino, new Uint8Array(8 << 20), 0), 8 << 20, "the estimate was wrong");
  volume.allocate(ino, 0, 8 << 20, 1 << 20);
  usage = 6 << 20;
  await handle.estimate();
  assertEquals(volume.statfs().blocks, volume.stats().blocks);
  volume.close();
});
