/** What closing leaves. */
import { assert, assertEquals } from "@std/assert";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { newestHeader } from "../../../../opfs/volume/format/header.ts";
import type { Journal } from "../../../../opfs/volume/journal/journal.ts";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { stateOf } from "../../../support/engine_state.ts";
import { fullAtHome } from "../../../support/full_at_home.ts";
import { fails, FILE } from "../../../support/on_volume.ts";

Deno.test("Volume forgets a removed file that is still retained when it is closed or crashes", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array(300_000), 0);
  volume.write(ino, new Uint8Array(1), 900_000);
  volume.retain(ino);
  volume.unlink(volume.root, "a");
  volume.append(ino, new Uint8Array(200_000));
  volume.sync();
  const crashed = memoryHandle(handle.toBytes());
  volume.close();
  for (const device of [handle, crashed]) {
    const again = openVolumeSync(device);
    assertEquals(again.report.corrected, []);
    assertEquals(again.statfs().freeBlocks, again.statfs().blocks);
    again.close();
    assertEquals(checkVolume(device).violations, []);
  }
});

Deno.test("Volume answers EBADF after close", () => {
  const volume = openVolumeSync(memoryHandle());
  volume.close();
  volume.close();
  fails("EBADF", () => volume.getattr(volume.root));
  fails("EBADF", () => volume.create(volume.root, "a", FILE));
  fails("EBADF", () => volume.sync());
});

Deno.test("Volume gives the free end of its file back when it is closed", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array(8 << 20), 0);
  volume.sync();
  const large = handle.getSize();
  volume.unlink(volume.root, "a");
  volume.close();
  assert(handle.getSize() < large / 4, `${handle.getSize()} of ${large}`);
  assertEquals(checkVolume(handle).violations, []);
  const again = openVolumeSync(handle);
  const next = again.create(again.root, "b", FILE);
  again.write(next, new Uint8Array(1 << 20).fill(3), 0);
  again.close();
  assertEquals(checkVolume(handle).violations, []);
});

Deno.test("times of access take no room that changes need while the ring finds no room at home", () => {
  const handle = memoryHandle();
  const clock = { now: 1e12 };
  const options = { ringBytes: L.RING_BYTES_MIN, clock: () => clock.now };
  const first = openVolumeSync(handle, options);
  for (let index = 0; index < 2000; index++) first.create(first.root, `f${index}`, FILE);
  first.close();
  clock.now += 3 * 24 * 60 * 60 * 1000;
  let isFull = true;
  const volume = openVolumeSync(fullAtHome(handle, () => isFull), options);
  const inoOf = (index: number) => volume.lookup(volume.root, `f${index}`);
  const isRefused = (act: () => void): boolean => {
    try {
      act();
      return false;
    } catch (error) {
      assertEquals((error as { code?: unknown }).code, "ENOSPC");
      return true;
    }
  };
  let changes = 0;
  while (!isRefused(() => volume.setattr(inoOf(changes), { mode: 0o600 }))) {
    if (++changes % 100 === 0) volume.sync();
  }
  for (let index = 0; index < 2000; index++) volume.read(inoOf(index), new Uint8Array(1), 0);
  let removed = 0;
  while (!isRefused(() => volume.unlink(volume.root, `f${removed}`))) {
    removed++;
    volume.sync();
  }
  assert(removed > 40, `${removed} files could be removed`);
  isFull = false;
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
  const again = openVolumeSync(handle, options);
  assertEquals(again.stats().names, 2000 - removed);
  for (let index = removed; index < changes; index++) {
    assertEquals(again.getattr(again.lookup(again.root, `f${index}`)).mode & 0o777, 0o600);
  }
  again.close();
});

Deno.test("closing makes a file as long as its volume, also after a cut in use that was refused", () => {
  const handle = memoryHandle();
  let isFull = false;
  const device = fullAtHome(handle, () => isFull);
  const volume = openVolumeSync(device, { ringBytes: L.RING_BYTES_MIN });
  (stateOf(volume).committer as Journal).slackBytes = 1 << 20;
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array(4 << 20).fill(1), 0);
  volume.sync();
  volume.unlink(volume.root, "a");
  isFull = true;
  for (let time = 0; time < 3; time++) {
    volume.create(volume.root, `f${time}`, FILE);
    volume.sync();
  }
  isFull = false;
  const { bitmap } = stateOf(volume);
  // No free end is left that closing would cut off by itself.
  volume.write(volume.create(volume.root, "b", FILE), new Uint8Array((bitmap.free - 1) * 4096), 0);
  volume.close();
  const { totalBlocks, violations } = checkVolume(handle);
  assertEquals(violations, []);
  const { superblock } = newestHeader(handle.toBytes().subarray(0, L.RING_AT));
  assertEquals(handle.getSize(), superblock.dataOffset + totalBlocks * superblock.blockSize);
});
