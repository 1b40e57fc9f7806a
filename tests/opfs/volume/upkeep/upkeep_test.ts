/** A volume in use becomes shorter again: its free end is cut, and what is left moves to the front. */
import { assert, assertEquals } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { ImageExport } from "../../../../opfs/volume/upkeep/image_export.ts";
import type { Journal } from "../../../../opfs/volume/journal/journal.ts";
import { Upkeep } from "../../../../opfs/volume/upkeep/upkeep.ts";
import { openVolumeSync, type VolumeOptions } from "../../../../opfs/volume/load/mount.ts";
import type { Volume } from "../../../../opfs/volume/volume.ts";
import { stateOf } from "../../../support/engine_state.ts";
import { FaultyHandle } from "../../../support/faulty_handle.ts";
import { contentsOf } from "../../../support/model_tree.ts";
import { FILE } from "../../../support/on_volume.ts";

const MIB = 1024 * 1024;

/** Fills files of one MiB each; the byte in them is their number. */
function filled(volume: Volume, count: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const ino = volume.create(volume.root, `f${index}`, FILE);
    volume.write(ino, new Uint8Array(MIB).fill(index), 0);
    return ino;
  });
}

/** Makes commits, each with a small change. */
function commits(volume: Volume, count: number): void {
  for (let index = 0; index < count; index++) {
    volume.setattr(volume.root, { mtime: index });
    volume.sync();
  }
}

Deno.test("Volume cuts a long free end off while it is in use, after the commit that frees it", () => {
  for (const durability of ["op", "fsync", "periodic"] as const) {
    const handle = memoryHandle();
    const volume = openVolumeSync(handle, { durability });
    filled(volume, 100);
    volume.sync();
    const before = handle.getSize();
    for (let index = 1; index < 100; index++) volume.unlink(volume.root, `f${index}`);
    commits(volume, 3);
    assert(before > 100 * MIB && handle.getSize() < 20 * MIB, `${before}, ${handle.getSize()}`);
    // It grows again, and shows nothing of what was there.
    const ino = volume.create(volume.root, "again", FILE);
    volume.allocate(ino, 0, 0, 30 * MIB);
    assert(contentsOf(volume, ino).every((byte) => byte === 0));
    volume.close();
    assertEquals(checkVolume(handle).violations, []);
    const again = openVolumeSync(handle);
    assertEquals(again.report.corrected, []);
    assert(contentsOf(again, again.lookup(again.root, "f0")).every((byte) => byte === 0));
    again.close();
  }
});

Deno.test("Volume moves what lies far from the front, a megabyte for each commit", () => {
  for (const options of [{}, { durability: "op" }, { blockSize: 65536 }] as VolumeOptions[]) {
    const handle = memoryHandle();
    const volume = openVolumeSync(handle, options);
    const inos = filled(volume, 100);
    volume.setxattr(inos[99]!, "user.long", new Uint8Array(50_000).fill(9), 0);
    volume.sync();
    for (let index = 0; index < 90; index++) volume.unlink(volume.root, `f${index}`);
    let moved = 0;
    let last = handle.getSize();
    for (let commit = 0; commit < 40; commit++) {
      commits(volume, 1);
      if (handle.getSize() < last) moved = commit;
      last = handle.getSize();
    }
    assert(last < 2 * 11 * MIB + 17 * MIB, `${last} bytes after ${moved} commits`);
    if (options.durability === undefined) assert(moved >= 5, `all of it in ${moved} commits`);
    for (let index = 90; index < 100; index++) {
      const bytes = contentsOf(volume, inos[index]!);
      assert(bytes.length === MIB && bytes.every((byte) => byte === index), `f${index}`);
    }
    assertEquals(volume.getxattr(inos[99]!, "user.long"), new Uint8Array(50_000).fill(9));
    volume.close();
    assertEquals(checkVolume(handle).violations, []);
  }
});

Deno.test("Volume moves a table's segment that lies far from the front", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  filled(volume, 60);
  for (let index = 0; index < 2000; index++) volume.create(volume.root, `small ${index}`, FILE);
  volume.sync();
  const { segments } = stateOf(volume);
  const far = segments.slots.at(-1)!.firstBlock;
  for (let index = 0; index < 60; index++) volume.unlink(volume.root, `f${index}`);
  commits(volume, 20);
  assert(segments.slots.at(-1)!.firstBlock < far);
  assert(handle.getSize() < 20 * MIB, `${handle.getSize()} bytes`);
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
  const again = openVolumeSync(handle);
  assertEquals([again.report.corrected, again.stats().names], [[], 2000]);
  again.close();
});

Deno.test("Volume moves and cuts nothing while an export is under way", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  filled(volume, 60);
  volume.sync();
  const source = new ImageExport(stateOf(volume));
  const before = handle.getSize();
  for (let index = 0; index < 59; index++) volume.unlink(volume.root, `f${index}`);
  commits(volume, 10);
  assertEquals(handle.getSize(), before);
  source.end(null);
  commits(volume, 10);
  assert(handle.getSize() < 20 * MIB, `${handle.getSize()} bytes`);
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
});

Deno.test("Volume's small durable call stays one write and one flush where nothing is too long", () => {
  const device = memoryHandle();
  const handle = new FaultyHandle(device, { call: Infinity, isForEver: false });
  const volume = openVolumeSync(handle, { durability: "op" });
  const inos = filled(volume, 20);
  for (let index = 0; index < 5; index++) volume.unlink(volume.root, `f${index}`);
  volume.sync();
  const { write, flush, read, truncate } = { ...handle.counts };
  for (let index = 0; index < 50; index++) volume.setattr(inos[10]!, { mtime: index });
  const { counts } = handle;
  const seen = [counts.write - write, counts.flush - flush];
  assertEquals([...seen, counts.read - read, counts.truncate - truncate], [50, 50, 0, 0]);
  volume.close();
});

Deno.test("Volume goes on when a block cannot be moved, and when a device is full", () => {
  for (const code of ["EIO", "ENOSPC"] as const) {
    const handle = memoryHandle();
    const volume = openVolumeSync(handle);
    const inos = filled(volume, 60);
    volume.sync();
    for (let index = 0; index < 55; index++) volume.unlink(volume.root, `f${index}`);
    const state = stateOf(volume);
    const { writeBlocks } = state;
    state.writeBlocks = () => {
      throw new ErrnoError(code, "write the blocks");
    };
    commits(volume, 5);
    state.writeBlocks = writeBlocks;
    assertEquals(volume.stats().state, "open");
    commits(volume, 30);
    assertEquals(handle.getSize() < 30 * MIB, code === "ENOSPC", `${code}: ${handle.getSize()}`);
    assert(contentsOf(volume, inos[59]!).every((byte) => byte === 59));
    volume.close();
    assertEquals(checkVolume(handle).violations, []);
  }
});

Deno.test("Volume rests where nothing can be moved, and begins again when much has changed", () => {
  const volume = openVolumeSync(memoryHandle());
  filled(volume, 30);
  volume.sync();
  const state = stateOf(volume);
  const journal = state.committer as Journal;
  for (let index = 0; index < 29; index++) volume.unlink(volume.root, `f${index}`);
  const { take } = state.bitmap;
  let tries = 0;
  state.bitmap.take = () => {
    tries++;
    throw new ErrnoError("ENOSPC", "move a block");
  };
  commits(volume, 5);
  state.bitmap.take = take;
  assert(tries > 0 && tries <= 5, `${tries} tries`);
  const { checkpoints } = journal.metrics;
  commits(volume, 40);
  assert(journal.metrics.checkpoints - checkpoints < 4, "one cut at the end");
  volume.close();
});

Deno.test("Upkeep looks once after each commit, and not at a volume that has failed", () => {
  const volume = openVolumeSync(memoryHandle());
  const state = stateOf(volume);
  const upkeep = new Upkeep(state, state.committer as Journal);
  let looks = 0;
  const { searchFromStart } = state.bitmap;
  state.bitmap.searchFromStart = () => {
    looks++;
    searchFromStart.call(state.bitmap);
  };
  commits(volume, 1);
  looks = 0;
  assertEquals([upkeep.isDue, upkeep.isTidying], [true, false]);
  upkeep.run();
  assertEquals([looks, upkeep.isDue], [1, false]);
  upkeep.run();
  assertEquals(looks, 1, "there has been no commit since");
  commits(volume, 1);
  looks = 0;
  state.fail(new ErrnoError("EIO", "go on"));
  upkeep.run();
  assertEquals(looks, 0, "the volume has failed");
});

Deno.test("Upkeep does not go through all slots after each commit where nothing can be moved", () => {
  const volume = openVolumeSync(memoryHandle());
  filled(volume, 30);
  volume.sync();
  const state = stateOf(volume);
  // Without spare slots no file is moved; each pass asks once for each slot.
  let looks = 0;
  const free = (): number => {
    looks++;
    return 0;
  };
  Object.defineProperty(state.inodes, "free", { get: free, configurable: true });
  for (let index = 0; index < 29; index++) volume.unlink(volume.root, `f${index}`);
  commits(volume, 3);
  assert(looks > 0);
  looks = 0;
  commits(volume, 20);
  assertEquals(looks, 0, "little has changed since a pass that moved nothing");
  delete (state.inodes as { free?: unknown }).free;
  volume.close();
});
