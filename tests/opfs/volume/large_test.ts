/**
 * The largest volume there can be, 2^31 - 1 blocks of 4 KiB, on a device that keeps no zeros: no
 * number of a block, and no bit of the bitmap, turns negative or wraps on the way.
 */
import { assert, assertEquals } from "@std/assert";
import type { StorageHandle } from "../../../opfs/device/handle.ts";
import { type MemoryHandle, memoryHandle } from "../../../opfs/device/memory.ts";
import { checkVolume } from "../../../opfs/volume/tools/check.ts";
import type { Journal } from "../../../opfs/volume/journal/journal.ts";
import { makeRoomForBlocks } from "../../../opfs/volume/space/grow.ts";
import { ImageExport } from "../../../opfs/volume/upkeep/image_export.ts";
import { BLOCKS_MAX } from "../../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import type { Volume } from "../../../opfs/volume/volume.ts";
import { stateOf } from "../../support/engine_state.ts";
import { contentsOf } from "../../support/model_tree.ts";
import { fails, FILE } from "../../support/on_volume.ts";

const BLOCK_BYTES = 4096;

function isZero(bytes: Uint8Array): boolean {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  return words.every((word) => word === 0);
}

/** Memory in which long zeros take no room where nothing has been. */
function withoutZeros(device: MemoryHandle): StorageHandle {
  return {
    ...device,
    read: (into, options) => device.read(into, options),
    getSize: () => device.getSize(),
    truncate: (sizeBytes) => device.truncate(sizeBytes),
    flush: () => {},
    close: () => {},
    write(bytes, { at }): number {
      const isLong = bytes.length >= 65_536 && bytes.byteOffset % 4 === 0;
      const old = new Uint8Array(isLong && isZero(bytes) ? bytes.length : 0);
      device.read(old, { at });
      if (old.length === 0 || !isZero(old)) return device.write(bytes, { at });
      device.truncate(Math.max(device.getSize(), at + bytes.length));
      return bytes.length;
    },
  };
}

/** Grows to the last block that the format has. */
function growToTheEnd(volume: Volume): void {
  const state = stateOf(volume);
  // Nothing of it is in use yet, and it shall not be cut off.
  (state.committer as Journal).slackBytes = Infinity;
  // In one step: what the bitmap needs for it comes first.
  makeRoomForBlocks(state, BLOCKS_MAX - 80_000);
  while (state.bitmap.blocks < BLOCKS_MAX) {
    const before = state.bitmap.blocks;
    makeRoomForBlocks(state, state.bitmap.free + BLOCKS_MAX - before);
    assert(state.bitmap.blocks > before, `${before} blocks and no more`);
  }
}

/** Gives a file all free blocks from one on that follow each other, but for some. */
function takeRun(volume: Volume, ino: number, from: number, left: number): number {
  const state = stateOf(volume);
  const block = state.bitmap.freeFrom(from);
  const count = state.bitmap.freeRunAt(block, BLOCKS_MAX) - left;
  state.step(() => {
    state.bitmap.take(block, count);
    state.extents.insert((ino >>> 0) - 1, { fileBlock: 0, block, count, isUnwritten: true });
  });
  volume.setattr(ino, { size: count * BLOCK_BYTES });
  return block + count;
}

Deno.test("Volume uses all of 2^31 - 1 blocks, and not one more", () => {
  const device = memoryHandle();
  const handle = withoutZeros(device);
  const volume = openVolumeSync(handle);
  growToTheEnd(volume);
  assertEquals(volume.stats().blocks, BLOCKS_MAX);
  const huge = volume.create(volume.root, "huge", FILE);
  const last = volume.create(volume.root, "last", FILE);
  const end = takeRun(volume, last, BLOCKS_MAX - 20_000, 0);
  assertEquals(end, BLOCKS_MAX, "the last block of all is its last one");
  takeRun(volume, huge, 100, 7);
  for (const ino of [huge, last]) {
    const { size } = volume.getattr(ino);
    volume.write(ino, new Uint8Array([1, 2, 3]), size - 3);
    volume.write(ino, new Uint8Array([4]), 0);
  }
  // What is left takes the rest, and then it is full.
  const rest = volume.create(volume.root, "rest", FILE);
  const free = volume.statfs().freeBlocks;
  assertEquals(
    volume.write(rest, new Uint8Array((free + 3) * BLOCK_BYTES).fill(8), 0),
    free * 4096,
  );
  assertEquals(volume.statfs().freeBlocks, 0);
  fails("ENOSPC", () => volume.append(rest, new Uint8Array(1)));
  volume.close();
  assertEquals(device.getSize(), stateBytes(handle));
  assertEquals(checkVolume(handle).violations, []);
  const again = openVolumeSync(handle);
  for (const name of ["huge", "last"]) {
    const ino = again.lookup(again.root, name);
    const into = new Uint8Array(4);
    again.read(ino, into, again.getattr(ino).size - 4);
    assertEquals([...into], [0, 1, 2, 3], name);
  }
  assert(contentsOf(again, again.lookup(again.root, "rest")).every((byte) => byte === 8));
  assertEquals(again.getattr(again.lookup(again.root, "huge")).blocks > 2 ** 33, true);
  again.unlink(again.root, "huge");
  again.sync();
  assert(again.statfs().freeBlocks > 2 ** 31 - 100_000);
  again.close();
  assertEquals(checkVolume(handle).violations, []);
});

/** Length of the image by its superblock. */
function stateBytes(handle: StorageHandle): number {
  const bytes = new Uint8Array(64);
  handle.read(bytes, { at: 0 });
  const view = new DataView(bytes.buffer);
  return view.getFloat64(40, true) + view.getUint32(16, true) * BLOCK_BYTES;
}

Deno.test("exportImage() and compact() bring home what lies in the last blocks of 2^31 - 1", () => {
  const device = memoryHandle();
  const handle = withoutZeros(device);
  const volume = openVolumeSync(handle);
  growToTheEnd(volume);
  const ino = volume.create(volume.root, "far", FILE);
  const state = stateOf(volume);
  state.step(() => {
    state.bitmap.take(BLOCKS_MAX - 20, 20);
    const run = { fileBlock: 0, block: BLOCKS_MAX - 20, count: 20, isUnwritten: true };
    state.extents.insert((ino >>> 0) - 1, run);
  });
  const bytes = new Uint8Array(20 * BLOCK_BYTES).map((_, at) => at % 251);
  volume.write(ino, bytes, 0);
  volume.sync();
  void volume.exportImage().cancel();
  const image = memoryHandle();
  const target = withoutZeros(image);
  const source = new ImageExport(state);
  for (let at = 0, piece = source.next(); piece !== null; piece = source.next()) {
    target.write(piece, { at });
    at += piece.length;
  }
  assertEquals(checkVolume(target).violations, []);
  const exported = openVolumeSync(target, { readOnly: true });
  assertEquals(contentsOf(exported, exported.lookup(exported.root, "far")), bytes);
  const steps = volume.compact();
  while (steps.next().done !== true);
  assert(state.extents.runsOf((ino >>> 0) - 1)[0]!.block < 100_000);
  assert(volume.stats().blocks < 100_000, `${volume.stats().blocks} blocks`);
  assertEquals(contentsOf(volume, ino), bytes);
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
});
