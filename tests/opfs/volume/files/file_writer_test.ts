/** How much of a write is answered when the device takes only a part of it. */
import { assertEquals } from "@std/assert";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { stateOf } from "../../../support/engine_state.ts";
import { contentsOf } from "../../../support/model_tree.ts";
import { fails, FILE } from "../../../support/on_volume.ts";
import { patched } from "../../../invariants/patched.ts";

const KIB = 1024;
const full = (): never => {
  throw Object.assign(new Error("no room"), { name: "QuotaExceededError" });
};

Deno.test("Volume.write() counts what a device took of bytes that it writes over", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array(128 * KIB).fill(1), 0);
  volume.sync();
  const short = (from: Uint8Array, { at }: { at: number }): number =>
    Object.getPrototypeOf(handle).write.call(handle, from.subarray(0, 10_000), { at });
  patched(handle, { write: short }, () => {
    assertEquals(volume.write(ino, new Uint8Array(128 * KIB).fill(2), 0), 10_000);
  });
  const bytes = new Uint8Array(128 * KIB);
  volume.read(ino, bytes, 0);
  assertEquals([bytes.lastIndexOf(2), bytes.indexOf(1)], [9999, 10_000]);
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
});

Deno.test("a write over old bytes that a device takes in part leaves what waits in the pool", () => {
  for (const [most, answer] of [[64 * KIB, 64 * KIB], [65_000, 15 * 4096], [100, -1]]) {
    const handle = memoryHandle();
    const volume = openVolumeSync(handle, { durability: "fsync" });
    const ino = volume.create(volume.root, "a", FILE);
    const model = new Uint8Array(256 * KIB).fill(1);
    volume.write(ino, model, 0);
    volume.sync();
    for (const at of [200, 65_100, 200_000]) {
      volume.write(ino, model.fill(2, at, at + 100).subarray(at, at + 100), at);
    }
    const short = (from: Uint8Array, { at }: { at: number }): number =>
      Object.getPrototypeOf(handle).write.call(handle, from.subarray(0, most), { at });
    const from = new Uint8Array(256 * KIB).fill(3);
    patched(handle, { write: short }, () => {
      if (answer! < 0) fails("ENOSPC", () => volume.write(ino, from, 0));
      else assertEquals(volume.write(ino, from, 0), answer);
    });
    if (answer! > 0) model.fill(3, 0, answer);
    assertEquals(contentsOf(volume, ino), model);
    volume.sync();
    const crashed = openVolumeSync(memoryHandle(handle.toBytes()));
    assertEquals(contentsOf(crashed, crashed.lookup(crashed.root, "a")), model);
    volume.close();
  }
});

Deno.test("bytes that landed although they were refused are read at once, and not later", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, { durability: "fsync" });
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array(128 * KIB).fill(1), 0);
  volume.sync();
  volume.read(ino, new Uint8Array(100), 5000);
  const lands = (from: Uint8Array, options: { at: number }): number => {
    Object.getPrototypeOf(handle).write.call(handle, from, options);
    return full();
  };
  patched(handle, { write: lands }, () => {
    fails("ENOSPC", () => volume.write(ino, new Uint8Array(128 * KIB).fill(2), 0));
  });
  assertEquals(contentsOf(volume, ino), new Uint8Array(128 * KIB).fill(2));
  volume.close();
});

Deno.test("Volume.write() answers the count so far when the journal has no room for more", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, { ringBytes: 128 * KIB });
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array(64 * KIB), 0);
  volume.sync();
  const state = stateOf(volume);
  const journal = state.committer!;
  let steps = 0;
  Object.defineProperty(journal, "isStuck", { get: () => ++steps > 3, configurable: true });
  const isShort = volume.write(ino, new Uint8Array(40 * KIB).fill(1), 1);
  assertEquals(isShort, 3 * 4096 - 1);
  steps = 3;
  fails("ENOSPC", () => volume.write(ino, new Uint8Array(10).fill(1), 1));
  Object.defineProperty(journal, "isStuck", { get: () => false });
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
});

Deno.test("a durable write over old bytes whose commit is refused answers what cannot be undone", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, { durability: "op" });
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array(128 * KIB).fill(1), 0);
  let writes = 0;
  const write = (from: Uint8Array, options: { at: number }): number =>
    ++writes > 1 ? full() : Object.getPrototypeOf(handle).write.call(handle, from, options);
  patched(handle, { write }, () => {
    assertEquals(volume.write(ino, new Uint8Array(200 * KIB).fill(2), 0), 128 * KIB);
  });
  assertEquals(volume.getattr(ino).size, 128 * KIB);
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
});
