import { assert, assertEquals, assertThrows } from "@std/assert";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { HeartbeatHandle } from "../../../opfs/device/heartbeat_handle.ts";
import { RelayedVolume } from "../../support/relayed_volume.ts";

Deno.test("HeartbeatHandle beats around every call that takes its time, and counts", () => {
  const device = memoryHandle();
  let beats = 0;
  const handle = new HeartbeatHandle(device, () => beats += 1);
  const beatsOf = (work: () => unknown): number => {
    const before = beats;
    work();
    return beats - before;
  };
  assertEquals(beatsOf(() => handle.truncate(100)), 1);
  assertEquals(beatsOf(() => handle.write(new Uint8Array(30).fill(7), { at: 10 })), 1);
  const into = new Uint8Array(20);
  assertEquals(beatsOf(() => handle.read(into, { at: 20 })), 1);
  assert(into.every((byte) => byte === 7));
  assertEquals(beatsOf(() => handle.flush()), 2);
  assertEquals([handle.getSize(), device.getSize()], [100, 100]);
  const counts = { reads: 1, readBytes: 20, writes: 1, writtenBytes: 30, flushes: 1 };
  assertEquals(handle.counts, counts);
});

Deno.test("HeartbeatHandle says of the device what it says itself", () => {
  const device = memoryHandle();
  const plain = new HeartbeatHandle(device, () => {});
  assertEquals([plain.isSparse, plain.getSpareBytes()], [false, Infinity]);
  const small = Object.assign(memoryHandle(), { isSparse: true, getSpareBytes: () => 4096 });
  const handle = new HeartbeatHandle(small, () => {});
  assertEquals([handle.isSparse, handle.getSpareBytes()], [true, 4096]);
});

Deno.test("HeartbeatHandle hands on what the device throws", () => {
  const device = memoryHandle();
  device.flush = () => {
    throw new Error("broken");
  };
  assertThrows(() => new HeartbeatHandle(device, () => {}).flush(), Error, "broken");
});

Deno.test("a long operation of many device calls is not taken for death", async () => {
  const relayed = await RelayedVolume.open({ limitBytes: 0, clock: () => 0, deadlineMs: 1000 });
  const options = { mode: 0o100644, uid: 0, gid: 0 };
  const ino = relayed.client.create(relayed.client.root, "scattered", options);
  for (let block = 11; block >= 0; block--) {
    relayed.client.write(ino, new Uint8Array(4096).fill(block), block * 4096);
    relayed.client.sync();
  }
  await relayed.reopen();
  relayed.slow(250);
  const before = performance.now();
  const into = new Uint8Array(12 * 4096);
  assertEquals(relayed.client.read(ino, into, 0), into.length);
  assert(performance.now() - before > 1500, "one operation was not longer than the deadline");
  relayed.slow(0);
  await relayed.close();
  RelayedVolume.dispose();
});
