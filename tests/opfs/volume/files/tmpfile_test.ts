/** Files without a name: what they can do, what names them, what a remount leaves of them. */
import { assert, assertEquals } from "@std/assert";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { contentsOf } from "../../../support/model_tree.ts";
import { DIRECTORY, fails, FILE, onVolume } from "../../../support/on_volume.ts";

Deno.test("Volume.tmpfile() makes a file without a name, which link gives one", () => {
  onVolume((volume) => {
    const ino = volume.tmpfile(volume.root, { mode: 0o640, uid: 5, gid: 6 });
    const { mode, nlink, uid, gid, size } = volume.getattr(ino);
    assertEquals([mode, nlink, uid, gid, size], [0o100640, 0, 5, 6, 0]);
    assertEquals(volume.readdir(volume.root, 0), []);
    volume.write(ino, new Uint8Array(10_000).fill(3), 0);
    // Many runs, so that there are slots to be shown with it.
    for (let index = 300; index > 0; index--) volume.write(ino, new Uint8Array(1), index * 12_288);
    volume.setxattr(ino, "user.a", new Uint8Array([1]), 0);
    volume.sync();
    volume.link(ino, volume.root, "a");
    volume.link(ino, volume.root, "b");
    assertEquals(volume.getattr(ino).nlink, 2);
    volume.release(ino);
    volume.unlink(volume.root, "a");
  }, (volume) => {
    const ino = volume.lookup(volume.root, "b");
    const bytes = contentsOf(volume, ino);
    assertEquals([bytes.length, bytes.lastIndexOf(3)], [300 * 12_288 + 1, 9999]);
    assertEquals(volume.getattr(ino).blocks, 303 * 8);
    assertEquals(volume.getxattr(ino, "user.a"), new Uint8Array([1]));
    assertEquals(volume.readdir(volume.root, 0).map(({ name }) => name), ["b"]);
  });
});

Deno.test("Volume.tmpfile() is nothing after its last release, and after a remount", () => {
  onVolume((volume) => {
    volume.sync();
    const before = volume.stats();
    const ino = volume.tmpfile(volume.root, FILE);
    volume.write(ino, new Uint8Array(100_000), 0);
    volume.setxattr(ino, "user.a", new Uint8Array(5000), 0);
    assertEquals(volume.stats().orphans, 1);
    volume.release(ino);
    fails("ESTALE", () => volume.getattr(ino));
    volume.sync();
    const { freeSlots, nameBytes, orphans } = volume.stats();
    assertEquals([freeSlots, nameBytes, orphans], [before.freeSlots, before.nameBytes, 0]);
    const left = volume.tmpfile(volume.root, FILE);
    volume.write(left, new Uint8Array(100_000), 0);
    volume.setxattr(left, "user.a", new Uint8Array(5000), 0);
  }, (volume) => {
    const { freeSlots, names, nameBytes, freeBlocks, blocks } = volume.stats();
    assertEquals([freeSlots, names, nameBytes, freeBlocks], [992, 0, 0, blocks]);
  });
});

Deno.test("Volume.link() names what never had a name only, unless that is forbidden", () => {
  onVolume((volume) => {
    const { root } = volume;
    const removed = volume.create(root, "a", FILE);
    volume.retain(removed);
    volume.unlink(root, "a");
    fails("ENOENT", () => volume.link(removed, root, "b"));
    const never = volume.tmpfile(root, { ...FILE, isLinkable: false });
    fails("ENOENT", () => volume.link(never, root, "b"));
    const made = volume.tmpfile(root, FILE);
    volume.create(root, "taken", FILE);
    fails("EEXIST", () => volume.link(made, root, "taken"));
    volume.link(made, root, "c");
    volume.unlink(root, "c");
    fails("ENOENT", () => volume.link(made, root, "c"));
    for (const ino of [removed, never, made]) volume.release(ino);
  });
});

Deno.test("Volume.tmpfile() wants a directory that is there, and numbers", () => {
  onVolume((volume) => {
    const directory = volume.create(volume.root, "d", DIRECTORY);
    volume.retain(directory);
    volume.rmdir(volume.root, "d");
    fails("ENOENT", () => volume.tmpfile(directory, FILE));
    volume.release(directory);
    fails("ENOTDIR", () => volume.tmpfile(volume.create(volume.root, "f", FILE), FILE));
    for (const bad of [{ mode: -1 }, { uid: 0.5 }, { gid: 2 ** 32 }]) {
      fails("EINVAL", () => volume.tmpfile(volume.root, { ...FILE, ...bad }));
    }
  }, (volume) => assertEquals(volume.stats().orphans, 0));
});

Deno.test("Volume.tmpfile() leaves nothing when it is killed", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  volume.create(volume.root, "kept", FILE);
  const ino = volume.tmpfile(volume.root, FILE);
  volume.write(ino, new Uint8Array(300_000).fill(1), 0);
  volume.sync();
  const again = openVolumeSync(memoryHandle(handle.toBytes()));
  assertEquals([again.report.corrected, again.stats().names], [[], 1]);
  assertEquals(again.stats().freeBlocks, again.stats().blocks);
  volume.link(ino, volume.root, "named");
  volume.sync();
  const device = memoryHandle(handle.toBytes());
  const named = openVolumeSync(device);
  assertEquals(contentsOf(named, named.lookup(named.root, "named")).length, 300_000);
  named.close();
  const { clean, files } = checkVolume(device);
  assert(clean && files === 2);
});
