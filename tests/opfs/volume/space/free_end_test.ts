import { assert, assertEquals } from "@std/assert";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { spareEnd } from "../../../../opfs/volume/space/free_end.ts";
import { ImageExport } from "../../../../opfs/volume/upkeep/image_export.ts";
import type { Journal } from "../../../../opfs/volume/journal/journal.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { stateOf } from "../../../support/engine_state.ts";
import { contentsOf } from "../../../support/model_tree.ts";
import { fails, FILE } from "../../../support/on_volume.ts";

Deno.test("spareEnd() leaves what an export still wants, and compact() does not cut it off", () => {
  const device = memoryHandle();
  const volume = openVolumeSync(device);
  const ino = volume.create(volume.root, "a", FILE);
  const bytes = new Uint8Array(98 * 4096).map((_, at) => at % 251);
  volume.write(ino, bytes, 0);
  volume.sync();
  const state = stateOf(volume);
  const source = new ImageExport(state);
  volume.unlink(volume.root, "a");
  volume.sync();
  assert(state.bitmap.freeAtEnd > 98);
  assert(spareEnd(state) < state.bitmap.freeAtEnd - 97, "what the export wants is spared");
  assert(spareEnd(state) > 0, "and nothing else");
  const steps = volume.compact();
  while (steps.next().done !== true);
  const image = memoryHandle();
  let at = 0;
  for (let piece = source.next(); piece !== null; piece = source.next()) {
    image.write(piece, { at });
    at += piece.length;
  }
  const exported = openVolumeSync(image, { readOnly: true });
  assertEquals(contentsOf(exported, exported.lookup(exported.root, "a")), bytes);
  assert(spareEnd(state) > 97, "then it may go");
  volume.close();
  assertEquals(checkVolume(device).violations, []);
});

Deno.test("a cut that the device refuses leaves the file longer, and the volume as good as it was", () => {
  for (const [error, code] of [["QuotaExceededError", ""], ["Error", "EIO"]]) {
    const device = memoryHandle();
    const volume = openVolumeSync(device);
    (stateOf(volume).committer as Journal).slackBytes = 1 << 20;
    volume.write(volume.create(volume.root, "a", FILE), new Uint8Array(4 << 20).fill(1), 0);
    volume.sync();
    const long = device.getSize();
    volume.unlink(volume.root, "a");
    const { truncate } = Object.getPrototypeOf(device);
    device.truncate = (sizeBytes) => {
      if (sizeBytes >= device.getSize()) return truncate.call(device, sizeBytes);
      throw Object.assign(new Error("no"), { name: error, ...(code === "" ? {} : { code }) });
    };
    if (code !== "") {
      fails("EIO", () => volume.sync());
      continue;
    }
    volume.sync();
    assert(volume.stats().blocks < 512, `${volume.stats().blocks} blocks`);
    assertEquals(device.getSize(), long);
    volume.write(volume.create(volume.root, "b", FILE), new Uint8Array(3 << 20).fill(2), 0);
    volume.sync();
    // A file that is too long, and stays so, is mounted.
    const copy = memoryHandle(device.toBytes());
    copy.truncate(long + 50_000);
    copy.truncate = device.truncate;
    const again = openVolumeSync(copy);
    assertEquals(contentsOf(again, again.lookup(again.root, "b"))[9], 2);
    device.truncate = truncate;
    volume.unlink(volume.root, "b");
    volume.close();
    assert(device.getSize() < long);
    assertEquals(checkVolume(device).violations, []);
  }
});
