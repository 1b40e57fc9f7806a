/** What closing leaves. */
import { assert, assertEquals } from "@std/assert";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { checkVolume } from "../../../opfs/volume/check.ts";
import { openVolumeSync } from "../../../opfs/volume/mount.ts";
import { fails, FILE } from "../../support/on_volume.ts";

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
