/** What mounting does, and what it refuses. */
import { assert, assertEquals } from "@std/assert";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { openVolumeSync } from "../../../opfs/volume/mount.ts";
import { contentsOf } from "../../support/model_tree.ts";
import { fails, FILE } from "../../support/on_volume.ts";

Deno.test("Volume refuses changes for reading only", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array([1]), 0);
  volume.close();
  const before = handle.toBytes();
  const reading = openVolumeSync(handle, { readOnly: true });
  fails("EROFS", () => reading.create(reading.root, "b", FILE));
  fails("EROFS", () => reading.write(ino, new Uint8Array(1), 0));
  fails("EROFS", () => reading.unlink(reading.root, "a"));
  assertEquals(contentsOf(reading, ino), new Uint8Array([1]));
  reading.sync();
  reading.close();
  assertEquals(handle.toBytes(), before);
});

Deno.test("a fresh volume is under 1 MB", () => {
  const handle = memoryHandle();
  openVolumeSync(handle).close();
  assert(handle.getSize() < 1e6, `${handle.getSize()} bytes`);
});
