import { assert, assertEquals } from "@std/assert";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { checkVolume } from "../../../opfs/volume/check.ts";
import { spareEnd } from "../../../opfs/volume/free_end.ts";
import { ImageExport } from "../../../opfs/volume/image_export.ts";
import { openVolumeSync } from "../../../opfs/volume/mount.ts";
import { stateOf } from "../../support/engine_state.ts";
import { contentsOf } from "../../support/model_tree.ts";
import { FILE } from "../../support/on_volume.ts";

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
