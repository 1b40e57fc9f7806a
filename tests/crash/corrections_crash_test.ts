/** Crashes of mounts that put something right: the old bytes or the right ones, and never a refusal. */
import { assert, assertEquals } from "@std/assert";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { newestHeader } from "../../opfs/volume/format/header.ts";
import * as L from "../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { CrashHandle } from "../support/crash_handle.ts";
import { differences, treeOf } from "../support/model_tree.ts";
import { FILE } from "../support/on_volume.ts";
import { prng } from "../support/prng.ts";
import { reseal } from "../support/reseal.ts";

const OPTIONS = { ringBytes: 128 * 1024, poolBytes: 1 << 18 };

/** An image with files in pieces; closed, or with records. */
function populated(isClosed: boolean): Uint8Array<ArrayBuffer> {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, OPTIONS);
  for (let index = 0; index < 40; index++) {
    const ino = volume.create(volume.root, `file ${index}`, FILE);
    for (const at of [0, 20_000, 40_000]) volume.write(ino, new Uint8Array(99).fill(index), at);
    volume.link(ino, volume.root, `second ${index}`);
  }
  if (isClosed) volume.close();
  else {
    volume.sync();
    // Everything goes home, and some of it is in records again.
    void volume.exportImage().cancel();
    volume.setattr(volume.lookup(volume.root, "file 3"), { mode: 0o600 });
    volume.sync();
  }
  return handle.toBytes();
}

/** Wrong counts and flags, something after names, and in reserved places. */
function damage(good: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = good.slice();
  const { superblock } = newestHeader(bytes);
  const view = new DataView(bytes.buffer);
  for (let slot = 40; slot < superblock.inodeCount; slot++) {
    const at = superblock.inodeOffset + slot * L.SLOT_BYTES;
    if (view.getUint8(at) !== L.TYPE.FILE) continue;
    view.setUint16(at + L.SLOT.NLINK, 7, true);
    view.setUint8(at + L.SLOT.FLAGS, 0);
    bytes[superblock.pathOffset + view.getUint32(at + L.SLOT.PATH_OFFSET, true) + 15] = 1;
  }
  for (const at of [100, L.HEADER_A_AT + 900, L.HEADER_B_AT + 900]) bytes[at] = 1;
  bytes[superblock.bitmapOffset]! ^= 1;
  reseal(bytes);
  return bytes;
}

for (const isClosed of [true, false]) {
  const state = isClosed ? "a closed image" : "an image with records";
  Deno.test(`a mount that corrects ${state} can crash at every call, and so can the next`, () => {
    const good = populated(isClosed);
    const expected = treeOf(openVolumeSync(memoryHandle(good), { readOnly: true }));
    const bytes = damage(good);
    const handle = new CrashHandle(bytes);
    const volume = openVolumeSync(handle, OPTIONS);
    assert(volume.report.corrected.length > 60);
    assertEquals(differences(treeOf(volume), expected), "");
    let images = 0;
    let right = 0;
    for (const { bytes: crashed, model, point } of handle.crashes(prng(1))) {
      const where = `${model} at ${point}`;
      assert(checkVolume(memoryHandle(crashed)).violations.every((one) => one.isDerivable), where);
      const again = new CrashHandle(crashed);
      const mounted = openVolumeSync(again, OPTIONS);
      assertEquals(differences(treeOf(mounted), expected), "", where);
      if (mounted.report.corrected.length === 0) right++;
      const isNested = images++ % 5 === 0;
      if (isNested) {
        for (const twice of again.crashes(prng(2))) images += mountTwice(twice.bytes);
      }
      mounted.close();
      assertEquals(checkVolume(again).violations, [], where);
    }
    assert(right > 0, "the last images are right already");
    console.log(`images looked at: ${images}`);

    function mountTwice(crashed: Uint8Array): number {
      const device = memoryHandle(crashed);
      const mounted = openVolumeSync(device, OPTIONS);
      assertEquals(differences(treeOf(mounted), expected), "");
      mounted.close();
      assertEquals(checkVolume(device).violations, []);
      return 1;
    }
  });
}
