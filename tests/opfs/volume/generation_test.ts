/** Volume.generation: one step for each change of names or attributes that succeeds. */
import { assertEquals, assertThrows } from "@std/assert";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { checkVolume } from "../../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";

Deno.test("Volume.generation grows by 1 with each change that succeeds, and with nothing else", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const { root } = volume;
  const file = { mode: 0o100644, uid: 0, gid: 0 };
  let ino = 0;
  const rows: [string, number, () => void][] = [
    ["create", 1, () => ino = volume.create(root, "a", file)],
    ["link", 1, () => volume.link(ino, root, "b")],
    ["rename", 1, () => volume.rename(root, "b", root, "c", 0)],
    ["setattr", 1, () => volume.setattr(ino, { mode: 0o100600 })],
    ["unlink", 1, () => volume.unlink(root, "c")],
    ["mkdir", 1, () => volume.create(root, "d", { ...file, mode: 0o040755 })],
    ["rmdir", 1, () => volume.rmdir(root, "d")],
    ["a failure", 0, () => assertThrows(() => volume.unlink(root, "nobody"))],
    ["write", 0, () => volume.write(ino, new Uint8Array(9), 0)],
    ["getattr", 0, () => volume.getattr(ino)],
    ["sync", 0, () => volume.sync()],
  ];
  for (const [call, step, act] of rows) {
    const before = volume.generation;
    act();
    assertEquals(volume.generation - before, step, call);
  }
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
});
