/** What mounting does, and what it refuses. */
import { assert, assertEquals } from "@std/assert";
import type { StorageHandle } from "../../../../opfs/device/handle.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { Journal } from "../../../../opfs/volume/journal/journal.ts";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { fullAtHome } from "../../../support/full_at_home.ts";
import { contentsOf } from "../../../support/model_tree.ts";
import { fails, FILE } from "../../../support/on_volume.ts";

Deno.test("Volume refuses changes for reading only", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array([1]), 0);
  volume.close();
  const before = handle.toBytes();
  const reading = openVolumeSync(handle, { readOnly: true });
  fails("EROFS", () => reading.create(reading.root, "b", FILE));
  fails("EROFS", () => reading.write(ino, new Uint8Array(1), 0));
  fails("EROFS", () => reading.unlink(reading.root, "a"));
  assertEquals(contentsOf(reading, ino), new Uint8Array([1]));
  reading.sync();
  reading.close();
  assertEquals(handle.toBytes(), before);
});

Deno.test("a fresh volume is under 1 MB", () => {
  const handle = memoryHandle();
  openVolumeSync(handle).close();
  assert(handle.getSize() < 1e6, `${handle.getSize()} bytes`);
});

/** An image with records that nothing has brought home, one of them of a block that is free by now. */
function withFreedBlockInRecords(): Uint8Array {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, { ringBytes: L.RING_BYTES_MIN });
  const bytes = (length: number) => new Uint8Array(length).fill(3);
  volume.write(volume.create(volume.root, "kept", FILE), bytes(50_000), 0);
  volume.sync();
  volume.write(volume.create(volume.root, "gone", FILE), bytes(100), 0);
  volume.sync();
  volume.unlink(volume.root, "gone");
  volume.sync();
  return handle.toBytes();
}

Deno.test("a mount on a full disk cuts off no block of which a record has bytes", () => {
  const handle = memoryHandle(withFreedBlockInRecords());
  let isFull = true;
  const full = fullAtHome(handle, () => isFull);
  const long = handle.getSize();
  for (let time = 0; time < 3; time++) fails("ENOSPC", () => openVolumeSync(full));
  assert(handle.getSize() < long, "the free end is given back");
  isFull = false;
  const volume = openVolumeSync(full);
  const kept = contentsOf(volume, volume.lookup(volume.root, "kept"));
  assert(kept.length === 50_000 && kept.every((byte) => byte === 3));
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
});

Deno.test("a record's bytes of a block that a later record has cut off do not count", () => {
  const handle = memoryHandle(withFreedBlockInRecords());
  const { shorten } = Journal.prototype;
  // What earlier writers did.
  Journal.prototype.shorten = function (): boolean {
    return shorten.call(this);
  };
  try {
    fails("ENOSPC", () => openVolumeSync(fullAtHome(handle, () => true)));
  } finally {
    Journal.prototype.shorten = shorten;
  }
  assertEquals(checkVolume(handle).violations, []);
  for (const readOnly of [true, false]) {
    const volume = openVolumeSync(handle, { readOnly });
    assertEquals(contentsOf(volume, volume.lookup(volume.root, "kept")).length, 50_000);
    volume.close();
  }
  assertEquals(checkVolume(handle).violations, []);
});

/** A device that lists the calls which change it, or make it durable. */
function listing(device: StorageHandle, calls: string[]): StorageHandle {
  return {
    read: (into, options) => device.read(into, options),
    write: (from, options) => (calls.push("write"), device.write(from, options)),
    getSize: () => device.getSize(),
    truncate: (sizeBytes) => (calls.push("truncate"), device.truncate(sizeBytes)),
    flush: () => void calls.push("flush"),
    close: () => {},
  };
}

Deno.test("a mount makes what says that a file is shorter durable before it cuts", () => {
  const device = memoryHandle();
  openVolumeSync(device).close();
  device.truncate(device.getSize() + 100_000);
  const calls: string[] = [];
  const volume = openVolumeSync(listing(device, calls));
  assertEquals(calls.slice(0, 2), ["flush", "truncate"]);
  volume.close();
});

Deno.test("a mount makes records durable before it brings home what they say", () => {
  const device = memoryHandle(withFreedBlockInRecords());
  const calls: string[] = [];
  const volume = openVolumeSync(listing(device, calls));
  assertEquals(calls.slice(0, 2), ["flush", "write"]);
  volume.close();
});
