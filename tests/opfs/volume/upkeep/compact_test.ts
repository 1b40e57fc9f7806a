/** Compaction: what moves, what is cut, and that nothing is lost on the way. */
import { assert, assertEquals } from "@std/assert";
import type { StorageHandle } from "../../../../opfs/device/handle.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import type { CompactReport } from "../../../../opfs/volume/upkeep/compact.ts";
import { openVolumeSync, type VolumeOptions } from "../../../../opfs/volume/load/mount.ts";
import type { Volume } from "../../../../opfs/volume/volume.ts";
import { CrashHandle } from "../../../support/crash_handle.ts";
import { differences, modelTree, treeOf } from "../../../support/model_tree.ts";
import { fails, FILE } from "../../../support/on_volume.ts";
import { prng } from "../../../support/prng.ts";
import { Pair } from "../../../support/random_pair.ts";

/** Compacts to the end, and does something between the steps. */
function compacted(volume: Volume, between: () => void = () => {}): CompactReport {
  const steps = volume.compact();
  for (;;) {
    const { value, done } = steps.next();
    if (done === true) return value;
    assert(value.doneBytes >= 0 && value.totalBytes >= 0);
    between();
  }
}

/** Twenty files, every second one removed again. */
function holed(handle: StorageHandle, options: VolumeOptions = {}, bytes = 90_000): Volume {
  const volume = openVolumeSync(handle, options);
  for (let index = 0; index < 20; index++) {
    const ino = volume.create(volume.root, `f${index}`, FILE);
    volume.write(ino, new Uint8Array(bytes).fill(index + 1), 0);
  }
  volume.sync();
  for (let index = 0; index < 20; index += 2) volume.unlink(volume.root, `f${index}`);
  return volume;
}

Deno.test("compact() leaves no free block and a file as long as what is in it", () => {
  const handle = memoryHandle();
  const volume = holed(handle);
  const before = treeOf(volume);
  const { movedBlocks, cutBlocks } = compacted(volume);
  assert(movedBlocks >= 100 && movedBlocks <= 120, `${movedBlocks} moved`);
  assert(cutBlocks >= 220, `${cutBlocks} cut`);
  assertEquals([volume.stats().blocks, volume.stats().freeBlocks], [220, 0]);
  assertEquals(differences(treeOf(volume), before), "");
  const { dataOffset } = { dataOffset: 675_840 };
  assertEquals(handle.getSize(), dataOffset + 220 * 4096);
  assertEquals(compacted(volume), { movedBlocks: 0, cutBlocks: 0 });
  volume.write(volume.create(volume.root, "more", FILE), new Uint8Array(90_000).fill(9), 0);
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
});

Deno.test("compact() cuts an empty volume down, and refuses what cannot be changed", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  assertEquals(compacted(volume), { movedBlocks: 0, cutBlocks: 63 });
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
  fails("EBADF", () => volume.compact());
  fails("EROFS", () => openVolumeSync(handle, { readOnly: true }).compact());
});

Deno.test("compact() moves open files without a name, pieces of files, and what is only in memory", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, { ringBytes: 128 * 1024 });
  const first = volume.create(volume.root, "first", FILE);
  volume.write(first, new Uint8Array(500_000).fill(1), 0);
  const open = volume.create(volume.root, "open", FILE);
  for (let index = 100; index > 0; index -= 2) {
    volume.write(open, new Uint8Array(5000).fill(index), index * 8192);
  }
  volume.sync();
  volume.retain(open);
  volume.unlink(volume.root, "open");
  volume.setattr(first, { size: 10 });
  volume.write(open, new Uint8Array([7, 7]), 100 * 8192);
  const expected = new Uint8Array(100 * 8192 + 5000);
  volume.read(open, expected, 0);
  compacted(volume, () => void volume.write(open, new Uint8Array([8, 8]), 50 * 8192));
  expected.fill(8, 50 * 8192, 50 * 8192 + 2);
  const read = new Uint8Array(expected.length);
  volume.read(open, read, 0);
  assertEquals(read, expected);
  volume.release(open);
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
});

/**
 * A volume with attributes in blocks after a large hole: of files, links, directories, the root.
 */
function withValues(handle: StorageHandle): Volume {
  const volume = openVolumeSync(handle, { ringBytes: 128 * 1024, blockSize: 512 });
  const gone = volume.create(volume.root, "gone", FILE);
  volume.write(gone, new Uint8Array(1 << 20).fill(1), 0);
  const kinds = [0o100644, 0o120777, 0o040755, 0o010600];
  const inos = kinds.map((mode, index) =>
    volume.create(volume.root, `n${index}`, { mode, uid: 0, gid: 0, target: "x" })
  );
  for (const [index, ino] of [volume.root, ...inos].entries()) {
    volume.setxattr(ino, "user.a", valueOf(index), 0);
    volume.setxattr(ino, "user.b", valueOf(index + 50), 0);
    volume.setxattr(ino, "user.small", new Uint8Array([index]), 0);
  }
  volume.sync();
  volume.unlink(volume.root, "gone");
  return volume;
}

const valueOf = (index: number): Uint8Array =>
  new Uint8Array(2000 + index * 300).map((_, at) => (at + index) & 0xff);

function holdsValues(volume: Volume): void {
  const inos = ["n0", "n1", "n2", "n3"].map((name) => volume.lookup(volume.root, name));
  for (const [index, ino] of [volume.root, ...inos].entries()) {
    assertEquals(volume.getxattr(ino, "user.a"), valueOf(index));
    assertEquals(volume.getxattr(ino, "user.b"), valueOf(index + 50));
    assertEquals(volume.getxattr(ino, "user.small"), new Uint8Array([index]));
  }
}

Deno.test("compact() moves the values of attributes that are in blocks", () => {
  const handle = memoryHandle();
  const volume = withValues(handle);
  // One whose owner has no name any more, and what is left of one that is gone.
  const open = volume.lookup(volume.root, "n3");
  const removed = volume.create(volume.root, "removed", FILE);
  volume.setxattr(removed, "user.c", new Uint8Array(9000).fill(5), 0);
  volume.unlink(volume.root, "removed");
  volume.retain(open);
  const { movedBlocks, cutBlocks } = compacted(volume);
  assert(movedBlocks > 100 && cutBlocks > 1900, `${movedBlocks} moved, ${cutBlocks} cut`);
  assert(volume.stats().freeBlocks < 8, `${volume.stats().freeBlocks} free`);
  holdsValues(volume);
  volume.unlink(volume.root, "n3");
  assertEquals(volume.getxattr(open, "user.a"), valueOf(4));
  assertEquals(compacted(volume).movedBlocks, 0);
  volume.release(open);
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
});

Deno.test("compact() breaks a value into five pieces, and leaves one that would need more", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, { blockSize: 512, ringBytes: 128 * 1024 });
  const value = new Uint8Array(8 * 512).fill(7);
  // Holes of one block between files of one block, then more of them, then the value.
  for (let index = 0; index < 40; index++) {
    volume.write(volume.create(volume.root, `f${index}`, FILE), new Uint8Array(512).fill(index), 0);
  }
  const gap = volume.create(volume.root, "gap", FILE);
  volume.write(gap, new Uint8Array(200 * 512), 0);
  const owner = volume.create(volume.root, "owner", FILE);
  volume.setxattr(owner, "user.v", value, 0);
  volume.setxattr(volume.root, "user.v", value.subarray(0, 4 * 512), 0);
  volume.unlink(volume.root, "gap");
  for (let index = 0; index < 40; index += 2) volume.unlink(volume.root, `f${index}`);
  volume.sync();
  compacted(volume);
  assertEquals(volume.getxattr(owner, "user.v"), value);
  assertEquals(volume.getxattr(volume.root, "user.v"), value.subarray(0, 4 * 512));
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
});

Deno.test("compact() with attributes can crash at every call", () => {
  const handle = new CrashHandle();
  const volume = withValues(handle);
  volume.sync();
  const from = handle.changes.length;
  compacted(volume);
  volume.close();
  let images = 0;
  for (const { bytes, model, point } of handle.crashes(prng(7), from)) {
    images++;
    const device = memoryHandle(bytes);
    const again = openVolumeSync(device);
    assertEquals(again.report.corrected, [], `${model} at ${point}`);
    holdsValues(again);
    if (images % 5 === 0) compacted(again);
    holdsValues(again);
    again.close();
    assertEquals(checkVolume(device).violations, [], `${model} at ${point}`);
  }
  console.log(`images looked at: ${images}`);
});

Deno.test("compact() moves the segments of slots, names and bitmap", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, { blockSize: 512 });
  const gone = volume.create(volume.root, "gone", FILE);
  for (let at = 0; at < 20; at++) volume.write(gone, new Uint8Array(1 << 20).fill(at), at << 20);
  for (let index = 0; index < 3000; index++) {
    volume.create(volume.root, `${"long ".repeat(20)}${index}`, FILE);
  }
  volume.unlink(volume.root, "gone");
  const before = treeOf(volume);
  const { movedBlocks } = compacted(volume, () => volume.sync());
  assert(movedBlocks > 1000, `${movedBlocks} moved`);
  assert(volume.stats().freeBlocks < 200, `${volume.stats().freeBlocks} free`);
  assertEquals(differences(treeOf(volume), before), "");
  for (let index = 0; index < 3000; index += 3) {
    volume.unlink(volume.root, `${"long ".repeat(20)}${index}`);
  }
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
  const again = openVolumeSync(handle);
  assertEquals(again.stats().names, 2000);
  again.close();
});

Deno.test("compact() lets others work between its steps", () => {
  for (const seed of [1, 2, 3, 4]) {
    const random = prng(seed);
    const handle = memoryHandle();
    const volume = openVolumeSync(handle, { ringBytes: 128 * 1024, poolBytes: 1 << 18 });
    const pair = new Pair(volume, random, 300_000);
    for (let step = 0; step < 200; step++) pair.step();
    compacted(volume, () => void pair.step());
    for (let step = 0; step < 50; step++) pair.step();
    assertEquals(differences(treeOf(volume), modelTree(pair.root)), "", `seed ${seed}`);
    volume.close();
    assertEquals(checkVolume(handle).violations, []);
  }
});

Deno.test("compact() can crash at every call, segments and the cut at the end included", () => {
  const handle = new CrashHandle();
  const volume = holed(handle, { ringBytes: 128 * 1024, blockSize: 512 }, 20_000);
  for (let index = 0; index < 1100; index++) {
    volume.create(volume.root, `${"n".repeat(60)}${index}`, FILE);
  }
  for (let index = 0; index < 1100; index += 2) {
    volume.unlink(volume.root, `${"n".repeat(60)}${index}`);
  }
  volume.sync();
  const before = treeOf(volume);
  const from = handle.changes.length;
  const { movedBlocks, cutBlocks } = compacted(volume);
  volume.close();
  assert(movedBlocks > 100 && cutBlocks > 100, `${movedBlocks} moved, ${cutBlocks} cut`);
  let images = 0;
  for (const { bytes, model, point } of handle.crashes(prng(5), from)) {
    images++;
    const device = memoryHandle(bytes);
    const again = openVolumeSync(device);
    const where = `${model} at ${point}`;
    assertEquals(again.report.corrected, [], where);
    assertEquals(differences(treeOf(again), before), "", where);
    if (images % 5 === 0) compacted(again);
    again.close();
    assertEquals(checkVolume(device).violations, [], where);
  }
  console.log(`images looked at: ${images}`);
});
