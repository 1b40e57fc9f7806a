/** Space: what a volume that can grow says of what is left, and what it refuses. */
import { assert, assertEquals } from "@std/assert";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import type { Volume } from "../../../../opfs/volume/volume.ts";
import { LimitedHandle } from "../../../support/limited_handle.ts";
import { fails, FILE } from "../../../support/on_volume.ts";

/** Writes a file until the volume is full; how many bytes there were room for. */
function fill(volume: Volume): number {
  const ino = volume.create(volume.root, "fill", FILE);
  const piece = new Uint8Array(10_000);
  let done = 0;
  for (let count = 1; count > 0;) {
    try {
      done += count = volume.write(ino, piece, done);
    } catch (error) {
      assertEquals((error as { code: string }).code, "ENOSPC");
      count = 0;
    }
  }
  return done;
}

Deno.test("Volume.statfs() counts what the format has room for", () => {
  const volume = openVolumeSync(memoryHandle());
  const { blockSize, blocks, freeBlocks, inodes, freeInodes } = volume.statfs();
  assertEquals([blockSize, blocks, freeBlocks], [4096, 2 ** 31 - 1, 2 ** 31 - 1]);
  assertEquals([inodes, freeInodes], [2 ** 24, 2 ** 24 - 32]);
  volume.write(volume.create(volume.root, "a", FILE), new Uint8Array(10_000), 0);
  const after = volume.statfs();
  assertEquals([after.blocks - after.freeBlocks, after.inodes - after.freeInodes], [3, 33]);
  volume.close();
});

Deno.test("Volume with maxBytes takes what statfs says, is ENOSPC then, and goes on", () => {
  const device = memoryHandle();
  const maxBytes = 3_000_000;
  const volume = openVolumeSync(device, { maxBytes });
  const { blocks, freeBlocks, blockSize, inodes } = volume.statfs();
  assertEquals(blocks, Math.floor((maxBytes - (937_984 - 64 * 4096)) / 4096));
  assertEquals(inodes, 1024 * 5 * 5);
  const room = fill(volume);
  assert(room > (freeBlocks - 4) * blockSize && room <= freeBlocks * blockSize, `${room} bytes`);
  assert(device.getSize() <= maxBytes, `${device.getSize()} bytes`);
  assertEquals(volume.statfs().freeBlocks, 0);
  fails("ENOSPC", () => volume.allocate(volume.lookup(volume.root, "fill"), 0, room, 9000));
  volume.unlink(volume.root, "fill");
  volume.sync();
  assertEquals(volume.statfs().freeBlocks, freeBlocks);
  assertEquals(fill(volume), room);
  volume.close();
  assertEquals(checkVolume(device).violations, []);
  const larger = openVolumeSync(device);
  larger.write(larger.lookup(larger.root, "fill"), new Uint8Array(100_000), room);
  larger.close();
});

Deno.test("openVolumeSync() with maxBytes below a volume's length only keeps it from growing", () => {
  const device = memoryHandle();
  openVolumeSync(device).close();
  const volume = openVolumeSync(device, { maxBytes: 1000 });
  const { blocks, freeBlocks } = volume.statfs();
  assertEquals([blocks, freeBlocks], [64, 64]);
  assertEquals(Math.ceil(fill(volume) / 4096), 64);
  volume.close();
  for (const bad of [-1, NaN, Infinity]) {
    fails("EINVAL", () => openVolumeSync(device, { maxBytes: bad }));
    fails("EINVAL", () => openVolumeSync(device, { quotaBytes: bad }));
  }
  fails("ENOSPC", () => openVolumeSync(memoryHandle(), { maxBytes: 900_000 }));
});

Deno.test("Volume.statfs() believes its device, or who opened it, about what is left", () => {
  const limited = new LimitedHandle(memoryHandle(), 2 ** 21);
  let volume = openVolumeSync(limited);
  const { freeBlocks } = volume.statfs();
  assertEquals(freeBlocks, 64 + Math.floor((2 ** 21 - 937_984) / 4096));
  const room = fill(volume);
  assert(Math.abs(room / 4096 - freeBlocks) < 4);
  volume.close();
  volume = openVolumeSync(memoryHandle(), { quotaBytes: 937_984 + 4096 * 100 });
  assertEquals(volume.statfs().freeBlocks, 164);
  volume.write(volume.create(volume.root, "a", FILE), new Uint8Array(4096 * 300), 0);
  assertEquals(volume.statfs().freeBlocks, volume.stats().freeBlocks);
  volume.close();
});

Deno.test("Volume.statfs() counts files for which a table finds room among free blocks", () => {
  const volume = openVolumeSync(memoryHandle(), { maxBytes: 4 * 1024 * 1024 });
  fill(volume);
  const full = volume.statfs().freeInodes;
  volume.unlink(volume.root, "fill");
  volume.sync();
  const { freeInodes } = volume.statfs();
  assert(freeInodes > full + 1, `${freeInodes} after, ${full} before`);
  for (let left = freeInodes; left > 0; left--) volume.create(volume.root, `f${left}`, FILE);
  volume.close();
});
