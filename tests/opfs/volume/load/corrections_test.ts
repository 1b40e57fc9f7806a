/** What a mount puts right: by records, in memory for reading only, and nothing else with it. */
import { assert, assertEquals } from "@std/assert";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { encodeHeader, newestHeader } from "../../../../opfs/volume/format/header.ts";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { CrashHandle } from "../../../support/crash_handle.ts";
import { contentsOf } from "../../../support/model_tree.ts";
import { DIRECTORY, FILE } from "../../../support/on_volume.ts";
import { RecordedTables } from "../../../support/recorded_tables.ts";
import { reseal as resealSums } from "../../../support/reseal.ts";

const FILES = 100;

/** A closed image of files in pieces, each with a second name. */
const good: Uint8Array<ArrayBuffer> = (() => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, { ringBytes: 128 * 1024 });
  const directory = volume.create(volume.root, "d", DIRECTORY);
  for (let index = 0; index < FILES; index++) {
    const ino = volume.create(volume.root, `file ${index}`, FILE);
    for (const at of [0, 20_000, 40_000]) volume.write(ino, new Uint8Array(9).fill(index), at);
    volume.link(ino, directory, `second ${index}`);
  }
  volume.close();
  return handle.toBytes();
})();

/** All of them with a wrong count, without their flag, and with something after their name. */
const wrong: Uint8Array<ArrayBuffer> = (() => {
  const bytes = good.slice();
  const { superblock } = newestHeader(bytes);
  const view = new DataView(bytes.buffer);
  for (let slot = 33; slot < superblock.inodeCount; slot++) {
    const at = superblock.inodeOffset + slot * L.SLOT_BYTES;
    if (view.getUint8(at) !== L.TYPE.FILE) continue;
    view.setUint16(at + L.SLOT.NLINK, 7, true);
    view.setUint8(at + L.SLOT.FLAGS, 0);
    const entry = superblock.pathOffset + view.getUint32(at + L.SLOT.PATH_OFFSET, true);
    bytes[entry + 15] = 1;
  }
  resealSums(bytes);
  return bytes;
})();

function requireRight(volume: ReturnType<typeof openVolumeSync>): void {
  for (let index = 0; index < FILES; index++) {
    const ino = volume.lookup(volume.root, `file ${index}`);
    assertEquals(volume.getattr(ino).nlink, 2);
    const bytes = contentsOf(volume, ino);
    assertEquals([bytes.length, bytes[20_000], bytes[40_008]], [40_009, index, index]);
  }
}

Deno.test("openVolumeSync() corrects slots and names by records after its header", () => {
  const device = new CrashHandle(wrong);
  const tables = new RecordedTables(device);
  const volume = openVolumeSync(tables);
  assertEquals(volume.report.corrected.length, FILES * 3);
  requireRight(volume);
  const { superblock } = newestHeader(wrong);
  const writes = device.changes.flatMap((change) => change.kind === "write" ? [change.at] : []);
  assert(writes[0]! < L.RING_AT && writes.slice(1).every((at) => at >= L.RING_AT), `${writes}`);
  assert(writes.every((at) => at < superblock.inodeOffset), "nothing went home");
  volume.close();
  assert(tables.records > 0);
  assertEquals(tables.problems, []);
  assertEquals(checkVolume(device).violations, []);
});

Deno.test("openVolumeSync() corrects in memory for reading only, and writes nothing", () => {
  const device = new CrashHandle(wrong);
  const volume = openVolumeSync(device, { readOnly: true });
  assertEquals(volume.report.corrected.length, FILES * 3);
  requireRight(volume);
  volume.close();
  assertEquals(device.changes, []);
});

Deno.test("openVolumeSync() opens an image that it corrects on a device that takes no record", () => {
  const inner = memoryHandle(wrong);
  let isFull = true;
  const { inodeOffset } = newestHeader(wrong).superblock;
  const device = {
    read: inner.read.bind(inner),
    write(from: Uint8Array, options: { at: number }): number {
      const isRing = options.at >= L.RING_AT && options.at < inodeOffset;
      return isFull && isRing ? 0 : inner.write(from, options);
    },
    getSize: () => inner.getSize(),
    truncate: (size: number) => inner.truncate(size),
    flush: () => {},
    close: () => {},
  };
  const volume = openVolumeSync(device);
  requireRight(volume);
  isFull = false;
  volume.close();
  assertEquals(checkVolume(inner).violations, []);
});

Deno.test("openVolumeSync() lets the bitmap cover all blocks, and close brings it home", () => {
  const inner = memoryHandle();
  openVolumeSync(inner, { blockSize: 512, ringBytes: 128 * 1024 }).close();
  const bytes = inner.toBytes();
  const { superblock, at } = newestHeader(bytes);
  const blocks = 8 * (superblock.dataOffset - superblock.bitmapOffset) + 5000;
  const device = memoryHandle(bytes);
  device.truncate(superblock.dataOffset + blocks * 512);
  // As a file grew past the bitmap, and its last block is in use.
  const view = new DataView(bytes.buffer);
  const slot = superblock.inodeOffset + 32 * L.SLOT_BYTES;
  view.setUint8(slot, L.TYPE.FILE);
  view.setUint32(slot + L.SLOT.MODE, 0o100644, true);
  view.setUint16(slot + L.SLOT.PATH_LENGTH, 1, true);
  view.setUint32(slot + L.SLOT.FIRST_BLOCK, blocks - 1, true);
  view.setUint32(slot + L.SLOT.BLOCK_COUNT, 1, true);
  view.setFloat64(slot + L.SLOT.SIZE, 512, true);
  view.setUint8(superblock.pathOffset + 4, 0x61);
  resealSums(bytes);
  const sumsAt = L.RING_AT + 128 * 1024;
  device.write(bytes.subarray(sumsAt), { at: sumsAt });
  reseal(device, at, { totalBlocks: blocks, freeBlocks: blocks - 1, pathUsed: 16 });
  const rules = checkVolume(device).violations.map(({ rule, message }) => `${rule}: ${message}`);
  assertEquals(rules, [
    `V2: the bitmap has room for 32768 of ${blocks} blocks`,
    "V9: the superblock at 0 is not the header's",
  ]);
  let volume = openVolumeSync(device);
  assertEquals(volume.report.corrected.length, 2);
  volume.create(volume.root, "b", FILE);
  volume.sync();
  const steps = volume.compact();
  while (steps.next().done !== true);
  volume.close();
  assertEquals(checkVolume(device).violations, []);
  volume = openVolumeSync(device);
  assertEquals([volume.report.corrected, volume.stats().names], [[], 2]);
});

/** Says something else of the geometry in a header. */
function reseal(device: ReturnType<typeof memoryHandle>, at: number, change: object): void {
  const header = newestHeader(device.toBytes());
  const superblock = { ...header.superblock, ...change };
  device.write(encodeHeader({ ...header, superblock }), { at });
}
