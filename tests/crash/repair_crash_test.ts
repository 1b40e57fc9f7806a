/** Crashes of repairs: in place, and into a new volume. */
import { assert, assertEquals } from "@std/assert";
import { isErrnoError } from "../../abi/errno.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { newestHeader } from "../../opfs/volume/format/header.ts";
import * as L from "../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { mendVolume, repairSteps } from "../../opfs/volume/tools/repair.ts";
import { runToEnd } from "../../opfs/volume/upkeep/transfer.ts";
import { CrashHandle } from "../support/crash_handle.ts";
import { differences, treeOf } from "../support/model_tree.ts";
import { DIRECTORY, FILE } from "../support/on_volume.ts";
import { prng } from "../support/prng.ts";
import { reseal } from "../support/reseal.ts";

/** An image with a few files, closed. */
const good: Uint8Array<ArrayBuffer> = (() => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, { ringBytes: 128 * 1024 });
  const directory = volume.create(volume.root, "d", DIRECTORY);
  for (let index = 0; index < 6; index++) {
    const ino = volume.create(directory, `f${index}`, FILE);
    volume.write(ino, new Uint8Array(index * 9000).fill(index), 0);
  }
  volume.close();
  return handle.toBytes();
})();
const { superblock } = newestHeader(good);
const expected = treeOf(openVolumeSync(memoryHandle(good), { readOnly: true }));

Deno.test("mendVolume() can crash at every call: what is derivable is still derivable", () => {
  const bytes = good.slice();
  new DataView(bytes.buffer).setUint16(superblock.inodeOffset + 33 * 64 + L.SLOT.NLINK, 9, true);
  bytes[superblock.bitmapOffset]! ^= 1;
  bytes[70] = 1;
  reseal(bytes);
  const handle = new CrashHandle(bytes);
  assertEquals(mendVolume(handle).violations, []);
  let images = 0;
  for (const { bytes: image, model, point } of handle.crashes(prng(1))) {
    images++;
    const device = memoryHandle(image);
    const where = `${model} at ${point}`;
    const { violations } = checkVolume(device);
    assert(violations.every(({ isDerivable }) => isDerivable), where);
    assertEquals(mendVolume(device).violations, [], where);
    const volume = openVolumeSync(device, { readOnly: true });
    assertEquals(differences(treeOf(volume), expected), "", where);
  }
  console.log(`images looked at: ${images}`);
});

Deno.test("repairSteps() can crash at every call: the damaged image is untouched, and is repaired", () => {
  const bytes = good.slice();
  new DataView(bytes.buffer).setUint8(superblock.inodeOffset + 34 * 64, 99);
  reseal(bytes);
  const damaged = new CrashHandle(bytes);
  const target = new CrashHandle();
  runToEnd(repairSteps(damaged, target, { nowMs: 5 }));
  assertEquals(damaged.changes, []);
  assertEquals(damaged.toBytes(), bytes);
  let [whole, part, none] = [0, 0, 0];
  for (const { bytes: image, model, point } of target.crashes(prng(2))) {
    // It has no name yet; a reader of it sees a volume that is whole, or a part of one, or none.
    const device = memoryHandle(image);
    try {
      const volume = openVolumeSync(device, { create: false });
      assertEquals(volume.report.corrected, [], `${model} at ${point}`);
      if (differences(treeOf(volume), expected) === "") whole++;
      else part++;
      volume.close();
      assertEquals(checkVolume(device).violations, [], `${model} at ${point}`);
    } catch (error) {
      assert(isErrnoError(error), `${model} at ${point}: ${error}`);
      none++;
    }
  }
  console.log(`images looked at: ${whole} whole, ${part} in part, ${none} no volume`);
  assert(whole > 0 && none > 0);
  const again = memoryHandle();
  runToEnd(repairSteps(damaged, again, { nowMs: 5 }));
  const volume = openVolumeSync(again, { readOnly: true });
  assertEquals(differences(treeOf(volume), expected), "");
});
