/** Crashes at every call of single steps: growth, a checkpoint, and the exchange with version 1. */
import { assert, assertEquals } from "@std/assert";
import { isErrnoError } from "../../abi/errno.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import type { Journal } from "../../opfs/volume/journal/journal.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { runToEnd, TransferClock } from "../../opfs/volume/upkeep/transfer.ts";
import { importSteps } from "../../opfs/volume/version1/import.ts";
import { readVersion1 } from "../../opfs/volume/version1/read.ts";
import { exportSteps } from "../../opfs/volume/version1/write.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import type { StorageHandle } from "../../opfs/device/handle.ts";
import { CrashHandle } from "../support/crash_handle.ts";
import { stateOf } from "../support/engine_state.ts";
import { contentsOf, differences, type Shown, treeOf } from "../support/model_tree.ts";
import { DIRECTORY, FILE } from "../support/on_volume.ts";
import { prng } from "../support/prng.ts";

const OPTIONS = { ringBytes: 128 * 1024, poolBytes: 1 << 18 };

for (const isSparse of [false, true]) {
  const kind = isSparse ? "sparse device" : "device";
  Deno.test(`a crash while a volume grows on a ${kind} keeps what was synced, and the bytes of each file`, () => {
    const handle = new CrashHandle();
    handle.isSparse = isSparse;
    const volume = openVolumeSync(handle, OPTIONS);
    const names = ["small", "large"];
    const [small, large] = names.map((name) => volume.create(volume.root, name, FILE));
    volume.sync();
    const from = handle.changes.length;
    const sizes = new Set([0]);
    const syncs = [{ point: from, rounds: 0 }];
    for (let round = 1; round <= 12; round++) {
      // One goes through the pool, the other to its place at once.
      volume.append(small!, new Uint8Array(7000).fill(1));
      volume.append(large!, new Uint8Array(130_000).fill(2));
      if (round % 4 === 0) {
        volume.sync();
        syncs.push({ point: handle.changes.length, rounds: round });
      }
      sizes.add(volume.stats().blocks);
    }
    assert(sizes.size > 3, "it has grown several times");
    volume.close();
    let images = 0;
    for (const { bytes, model, point } of handle.crashes(prng(1), from)) {
      images++;
      const where = `${model} at ${point} of ${from} to ${handle.changes.length}`;
      const device = memoryHandle(bytes);
      const again = openVolumeSync(device, OPTIONS);
      assertEquals(again.report.corrected, [], where);
      const { rounds } = syncs.findLast((sync) => sync.point <= point)!;
      names.forEach((name, index) => {
        const read = contentsOf(again, again.lookup(again.root, name));
        assert(read.every((byte) => byte === index + 1), `${where}: ${name}`);
        assert(read.length >= rounds * [7000, 130_000][index]!, `${where}: ${name} is short`);
      });
      again.append(again.lookup(again.root, "small"), new Uint8Array(300_000).fill(1));
      again.close();
      assertEquals(checkVolume(device).violations, [], where);
    }
    console.log(`images looked at: ${images}`);
  });
}

Deno.test("a crash at every call of checkpoints, with logged blocks, tables and blocks given back", () => {
  const handle = new CrashHandle();
  const volume = openVolumeSync(handle, OPTIONS);
  for (let index = 0; index < 30; index++) {
    const ino = volume.create(volume.root, `f${index}`, FILE);
    volume.write(ino, new Uint8Array(9000).fill(index + 1), 0);
  }
  volume.sync();
  const from = handle.changes.length;
  const before = volume.metrics().checkpoints;
  for (let round = 0; round < 4; round++) {
    for (let index = round; index < 30; index += 4) {
      const ino = volume.lookup(volume.root, `f${index}`);
      volume.write(ino, new Uint8Array(500).fill(index + 1), 100 * round);
      volume.setattr(ino, { size: 8000 - round });
    }
    volume.sync();
    // An export begins with a checkpoint.
    void volume.exportImage().cancel();
  }
  assertEquals(volume.metrics().checkpoints - before, 4);
  volume.close();
  let images = 0;
  for (const { bytes, model, point } of handle.crashes(prng(2), from)) {
    images++;
    const where = `${model} at ${point}`;
    const device = memoryHandle(bytes);
    const again = openVolumeSync(device, OPTIONS);
    assertEquals(again.report.corrected, [], where);
    for (let index = 0; index < 30; index++) {
      const read = contentsOf(again, again.lookup(again.root, `f${index}`));
      assert(read.length >= 7990 && read.every((byte) => byte === index + 1), `${where}: ${index}`);
    }
    again.close();
    assertEquals(checkVolume(device).violations, [], where);
  }
  console.log(`images looked at: ${images}`);
});

Deno.test("a crash at every call of a copy leaves a prefix of it, and the source", () => {
  const handle = new CrashHandle();
  const volume = openVolumeSync(handle, { ...OPTIONS, durability: "op" });
  const size = 420_000;
  const bytes = new Uint8Array(size);
  prng(5).fill(bytes);
  bytes.fill(0, 280_000, 340_000);
  const source = volume.create(volume.root, "source", FILE);
  volume.write(source, bytes.subarray(0, 280_000), 0);
  volume.write(source, bytes.subarray(340_000), 340_000);
  const fresh = volume.create(volume.root, "fresh", FILE);
  const full = volume.create(volume.root, "full", FILE);
  const old = new Uint8Array(size).fill(1);
  volume.write(full, old, 0);
  volume.sync();
  const from = handle.changes.length;
  assertEquals(volume.copyRange(source, 0, fresh, 0, size), size);
  assertEquals(volume.copyRange(source, 0, full, 0, size), size);
  const synced = handle.changes.length;
  volume.close();
  let images = 0;
  let parts = 0;
  for (const { bytes: image, model, point } of handle.crashes(prng(6), from)) {
    images++;
    const where = `${model} at ${point} of ${from} to ${synced}`;
    const device = memoryHandle(image);
    const again = openVolumeSync(device, OPTIONS);
    assertEquals(again.report.corrected, [], where);
    const contents = (name: string) => contentsOf(again, again.lookup(again.root, name));
    assertEquals(contents("source"), bytes, where);
    const copied = contents("fresh");
    assertEquals(copied, bytes.subarray(0, copied.length), `${where}: fresh`);
    if (copied.length > 0 && copied.length < size) parts++;
    const over = contents("full");
    assertEquals(over.length, size, where);
    assert(over.every((byte, at) => byte === bytes[at] || byte === 1), `${where}: full`);
    if (point >= synced) assertEquals([copied.length, over], [size, bytes], where);
    again.close();
    assertEquals(checkVolume(device).violations, [], where);
  }
  assert(parts > 0, "some have a part of it");
  console.log(`images looked at: ${images}, ${parts} of them have a part`);
});

function populated(): Volume {
  const volume = openVolumeSync(memoryHandle(), OPTIONS);
  const directory = volume.create(volume.root, "d", DIRECTORY);
  for (let index = 0; index < 12; index++) {
    const ino = volume.create(directory, `f${index}`, FILE);
    volume.write(ino, new Uint8Array(index * 9000).fill(index + 1), 0);
  }
  volume.link(volume.lookup(directory, "f3"), volume.root, "second");
  volume.create(volume.root, "l", { ...FILE, mode: 0o120777, target: "d/f1" });
  return volume;
}

function imported(source: StorageHandle, target: StorageHandle): void {
  const clock = new TransferClock();
  const volume = openVolumeSync(target, { ...OPTIONS, clock: clock.read });
  runToEnd(importSteps(readVersion1(source), volume, { clock, nowMs: 5 }));
  volume.close();
}

/** Whether what a crash left is all of it; else it is a part that is clean, or refused. */
function isWhole(device: StorageHandle, expected: Map<string, Shown>, where: string): boolean {
  const volume = openVolumeSync(device, { ...OPTIONS, create: false });
  assertEquals(volume.report.corrected, [], where);
  const whole = differences(treeOf(volume), expected) === "";
  volume.close();
  assertEquals(checkVolume(device).violations, [], where);
  return whole;
}

Deno.test("importSteps() from version 1 can crash at every call: a clean part, all, or nothing", () => {
  const volume = populated();
  const expected = treeOf(volume);
  const source = memoryHandle();
  runToEnd(exportSteps(volume, source, { maxBlocks: 10_000, spareSlots: 10 }));
  const target = new CrashHandle();
  imported(source, target);
  let [whole, part, none] = [0, 0, 0];
  for (const { bytes, model, point } of target.crashes(prng(3))) {
    try {
      if (isWhole(memoryHandle(bytes), expected, `${model} at ${point}`)) whole++;
      else part++;
    } catch (error) {
      if (!isErrnoError(error)) throw error;
      none++;
    }
  }
  console.log(`images looked at: ${whole} whole, ${part} in part, ${none} no volume`);
  assert(whole > 0 && part > 0 && none > 0);
});

Deno.test("exportSteps() to version 1 can crash at every call: the whole image, or none", () => {
  const volume = populated();
  const expected = treeOf(volume);
  const target = new CrashHandle();
  runToEnd(exportSteps(volume, target, { maxBlocks: 10_000, spareSlots: 10 }));
  let [whole, none] = [0, 0];
  for (const { bytes, model, point } of target.crashes(prng(4))) {
    const back = memoryHandle();
    try {
      imported(memoryHandle(bytes), back);
    } catch (error) {
      assert(isErrnoError(error), `${model} at ${point}: ${error}`);
      none++;
      continue;
    }
    assert(isWhole(back, expected, `${model} at ${point}`), `${model} at ${point}`);
    whole++;
  }
  console.log(`images looked at: ${whole} whole, ${none} none`);
  assert(whole > 0 && none > 0);
});

Deno.test("a crash while a full volume gives its free end back finds a file as long as its record says", () => {
  const handle = new CrashHandle();
  const volume = openVolumeSync(handle, OPTIONS);
  const kept = volume.create(volume.root, "kept", FILE);
  volume.write(kept, new Uint8Array(50_000).fill(3), 0);
  const gone = volume.create(volume.root, "gone", FILE);
  volume.write(gone, new Uint8Array(2_000_000).fill(4), 0);
  volume.sync();
  volume.unlink(volume.root, "gone");
  volume.sync();
  const journal = stateOf(volume).committer as Journal;
  journal.reclaim();
  const from = handle.changes.length;
  const long = handle.getSize();
  assert(journal.shorten(), "there was a free end");
  assert(handle.getSize() < long - 1_900_000);
  volume.write(volume.create(volume.root, "later", FILE), new Uint8Array(9000).fill(5), 0);
  volume.close();
  let images = 0;
  for (const { bytes, model, point } of handle.crashes(prng(5), from)) {
    images++;
    const where = `${model} at ${point} of ${from} to ${handle.changes.length}`;
    const device = memoryHandle(bytes);
    const again = openVolumeSync(device, OPTIONS);
    assertEquals(again.report.corrected, [], where);
    const read = contentsOf(again, again.lookup(again.root, "kept"));
    assert(read.length === 50_000 && read.every((byte) => byte === 3), where);
    again.close();
    assertEquals(checkVolume(device).violations, [], where);
  }
  console.log(`images looked at: ${images}`);
});
