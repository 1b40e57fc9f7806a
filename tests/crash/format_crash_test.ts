/** Crashes during format, mount and recovery. */
import { assert, assertEquals } from "@std/assert";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { CrashHandle } from "../support/crash_handle.ts";
import { differences, treeOf } from "../support/model_tree.ts";
import { prng } from "../support/prng.ts";

const FILE = { mode: 0o100644, uid: 0, gid: 0 };

Deno.test("formatVolume() can crash at every call and is finished by the next open", () => {
  const handle = new CrashHandle();
  openVolumeSync(handle);
  let images = 0;
  for (const { bytes, model, point } of handle.crashes(prng(1))) {
    images++;
    const device = memoryHandle(bytes);
    const volume = openVolumeSync(device);
    assertEquals(volume.report.corrected, [], `${model} at ${point}`);
    assertEquals(volume.readdir(volume.root, 0), []);
    volume.create(volume.root, "a", FILE);
    volume.close();
    assertEquals(checkVolume(device).violations, []);
  }
  console.log(`images looked at: ${images}`);
});

Deno.test("openVolumeSync() never formats over an image that a crash has left", () => {
  const handle = new CrashHandle();
  const volume = openVolumeSync(handle);
  volume.create(volume.root, "kept", FILE);
  volume.sync();
  const from = handle.changes.length;
  volume.close();
  for (const { bytes } of handle.crashes(prng(2), from)) {
    const again = openVolumeSync(memoryHandle(bytes));
    assert(!again.report.formatted);
    assert(again.lookup(again.root, "kept") !== 0);
    again.close();
  }
});

/** An image with records to replay, some of them with data. */
function unclosedImage(): Uint8Array {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, { ringBytes: 128 * 1024 });
  for (let index = 0; index < 12; index++) {
    const ino = volume.create(volume.root, `file ${index}`, FILE);
    volume.write(ino, new Uint8Array(300 * index).fill(index), 0);
    if (index % 3 === 0) volume.unlink(volume.root, `file ${index / 3}`);
    volume.sync();
  }
  return handle.toBytes();
}

Deno.test("openVolumeSync() can crash at every call of a recovery", () => {
  const image = unclosedImage();
  const expected = treeOf(openVolumeSync(memoryHandle(image), { readOnly: true }));
  const handle = new CrashHandle(image);
  assert(openVolumeSync(handle).report.replayedRecords > 5);
  let images = 0;
  for (const { bytes, model, point } of handle.crashes(prng(3))) {
    images++;
    const device = memoryHandle(bytes);
    const volume = openVolumeSync(device);
    assertEquals(differences(treeOf(volume), expected), "", `${model} at ${point}`);
    assertEquals(volume.report.corrected, []);
    volume.close();
    assertEquals(checkVolume(device).violations, []);
  }
  console.log(`images looked at: ${images}`);
});

Deno.test("openVolumeSync() for reading only replays in memory and writes nothing", () => {
  const image = unclosedImage();
  const handle = new CrashHandle(image);
  const volume = openVolumeSync(handle, { readOnly: true });
  const shown = treeOf(volume);
  volume.close();
  assertEquals(handle.changes.length, 0);
  const writing = openVolumeSync(memoryHandle(image));
  assertEquals(differences(treeOf(writing), shown), "");
});

Deno.test("replay twice is replay once", () => {
  const image = unclosedImage();
  const first = memoryHandle(image);
  const expected = treeOf(openVolumeSync(first));
  const handle = new CrashHandle(image);
  openVolumeSync(handle);
  const home = handle.changes.findIndex((change) => change.kind === "flush");
  const twice = memoryHandle(image);
  for (const change of handle.changes.slice(0, home)) {
    if (change.kind === "write") twice.write(change.bytes, { at: change.at });
  }
  const volume = openVolumeSync(twice);
  assertEquals(differences(treeOf(volume), expected), "");
});

Deno.test("openVolumeSync() refuses damage in the middle of the journal", () => {
  const image = unclosedImage();
  const volume = openVolumeSync(memoryHandle(image), { readOnly: true });
  const records = volume.report.replayedRecords;
  let refused = 0;
  let shorter = 0;
  for (let at = 12288; at < 12288 + 128 * 1024; at += 512) {
    const bytes = image.slice();
    // Two bits: one alone would be turned back.
    bytes[at + 20] = bytes[at + 20]! ^ 0x50;
    try {
      const damaged = openVolumeSync(memoryHandle(bytes), { readOnly: true });
      if (damaged.report.replayedRecords < records) shorter++;
    } catch (error) {
      assert(
        /V10: record \d+ is damaged and record \d+ is whole/.test(String(error)),
        String(error),
      );
      refused++;
    }
  }
  assert(refused > records && shorter > 0, `${refused} refused, ${shorter} like a torn tail`);
});

Deno.test("a crash during growth of the slot and name tables keeps what was synced", () => {
  const handle = new CrashHandle();
  const volume = openVolumeSync(handle);
  for (let index = 0; index < 900; index++) volume.create(volume.root, `f${index}`, FILE);
  volume.sync();
  const from = handle.changes.length;
  for (let index = 900; index < 1200; index++) {
    volume.create(volume.root, `${"long ".repeat(40)}${index}`, FILE);
  }
  volume.sync();
  for (let index = 0; index < 300; index++) volume.unlink(volume.root, `f${index}`);
  volume.close();
  assertEquals(volume.stats().slots, 5120);
  let images = 0;
  for (const { bytes, model, point } of handle.crashes(prng(4), from)) {
    images++;
    const device = memoryHandle(bytes);
    const again = openVolumeSync(device);
    assertEquals(again.report.corrected, [], `${model} at ${point}`);
    const names = again.stats().names;
    assert(names >= 900 && names <= 1200, `${names} names`);
    again.create(again.root, "more", FILE);
    again.close();
    assertEquals(checkVolume(device).violations, [], `${model} at ${point}`);
  }
  console.log(`images looked at: ${images}`);
});

Deno.test("a crash while the bitmap gets a segment keeps what was synced", () => {
  const handle = new CrashHandle();
  const volume = openVolumeSync(handle, { blockSize: 512, ringBytes: 128 * 1024 });
  const ino = volume.create(volume.root, "large", FILE);
  const bytes = new Uint8Array(1 << 20).fill(1);
  while (volume.stats().blocks < 28_000) volume.append(ino, bytes);
  volume.sync();
  const before = volume.getattr(ino).size;
  const from = handle.changes.length;
  while (volume.stats().blocks <= 32_768) volume.append(ino, bytes);
  volume.create(volume.root, "after", FILE);
  volume.sync();
  const after = volume.getattr(ino).size;
  volume.unlink(volume.root, "after");
  volume.close();
  let images = 0;
  for (const { bytes: image, model, point } of handle.crashes(prng(6), from)) {
    images++;
    const device = memoryHandle(image);
    const again = openVolumeSync(device);
    const where = `${model} at ${point}`;
    assertEquals(again.report.corrected, [], where);
    const { size } = again.getattr(again.lookup(again.root, "large"));
    assert(size >= before && size <= after, `${where}: ${size} bytes`);
    const tail = new Uint8Array(1000);
    again.read(again.lookup(again.root, "large"), tail, size - 1000);
    assert(tail.every((byte) => byte === 1), where);
    again.append(again.lookup(again.root, "large"), bytes);
    again.close();
    assertEquals(checkVolume(device).violations, [], where);
  }
  console.log(`images looked at: ${images}`);
});
