/** How a write is cut: seen in what reaches the device, and in what is refused. */
import { assertEquals } from "@std/assert";
import { FALLOC_FL_KEEP_SIZE } from "../../../../abi/flags.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { checkPosition } from "../../../../opfs/volume/files/write_plan.ts";
import { FaultyHandle } from "../../../support/faulty_handle.ts";
import { contentsOf } from "../../../support/model_tree.ts";
import { fails, FILE } from "../../../support/on_volume.ts";

Deno.test("checkPosition() takes whole numbers from 0 on", () => {
  for (const at of [0, 1, Number.MAX_SAFE_INTEGER]) checkPosition(at);
  for (const at of [-1, 0.5, NaN, Infinity, 2 ** 53]) fails("EINVAL", () => checkPosition(at));
});

Deno.test("Volume.write() sends long aligned writes straight to the device, others not", () => {
  const handle = new FaultyHandle(memoryHandle(), { call: Infinity, isForEver: false });
  const volume = openVolumeSync(handle);
  const ino = volume.create(volume.root, "a", FILE);
  const writes = (length: number, at: number): number => {
    const before = handle.counts.write;
    assertEquals(volume.write(ino, new Uint8Array(length).fill(5), at), length);
    return handle.counts.write - before;
  };
  assertEquals([writes(65_536, 0), writes(65_535, 65_536), writes(65_536, 200_001)], [1, 0, 0]);
  volume.allocate(ino, FALLOC_FL_KEEP_SIZE, 2 ** 20, 2 ** 20);
  assertEquals(writes(2 ** 20, 2 ** 20), 1);
  volume.sync();
  writes(10, 8192);
  volume.sync();
  // Block 2 is logged now: it is written through the next record only.
  assertEquals(writes(65_536, 0), 1);
  assertEquals(contentsOf(volume, ino).subarray(0, 65_536), new Uint8Array(65_536).fill(5));
  fails("EFBIG", () => volume.write(ino, new Uint8Array(1), 2 ** 43));
  assertEquals(volume.write(ino, new Uint8Array(0), 2 ** 43), 0);
  volume.close();
});
