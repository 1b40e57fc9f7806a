/** The structure: names, links, renames. */
import { assertEquals } from "@std/assert";
import { RENAME_EXCHANGE, RENAME_NOREPLACE } from "../../../../abi/flags.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { SLOT } from "../../../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { stateOf } from "../../../support/engine_state.ts";
import { contentsOf } from "../../../support/model_tree.ts";
import { DIRECTORY, fails, FILE, onVolume } from "../../../support/on_volume.ts";

Deno.test("Volume.link() gives second names, and the first one can go", () => {
  onVolume((volume) => {
    const ino = volume.create(volume.root, "a", FILE);
    volume.write(ino, new Uint8Array([1, 2, 3]), 0);
    volume.link(ino, volume.root, "b");
    volume.link(ino, volume.root, "c");
    volume.unlink(volume.root, "a");
    assertEquals(volume.getattr(ino).nlink, 2);
    assertEquals(volume.lookup(volume.root, "c"), ino);
    volume.unlink(volume.root, "c");
    volume.rename(volume.root, "b", volume.root, "d", 0);
  }, (volume) => {
    const ino = volume.lookup(volume.root, "d");
    assertEquals(contentsOf(volume, ino), new Uint8Array([1, 2, 3]));
    assertEquals(volume.getattr(ino).nlink, 1);
    assertEquals(volume.readdir(volume.root, 0).length, 1);
  });
});

Deno.test("Volume.link() and unlink() take a stored count of 0 for 1", () => {
  onVolume((volume) => {
    const ino = volume.create(volume.root, "a", FILE);
    stateOf(volume).tables.view.setUint16(((ino >>> 0) - 1) * 64 + SLOT.NLINK, 0, true);
    volume.link(ino, volume.root, "b");
    assertEquals(volume.getattr(ino).nlink, 2);
    volume.unlink(volume.root, "a");
    assertEquals(volume.getattr(ino).nlink, 1);
  });
});

Deno.test("Volume.link() stops at 65,535 names", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const ino = volume.create(volume.root, "a", FILE);
  for (let index = 1; index < 65535; index++) volume.link(ino, volume.root, `l${index}`);
  fails("EMLINK", () => volume.link(ino, volume.root, "more"));
  assertEquals(volume.getattr(ino).nlink, 65535);
  volume.unlink(volume.root, "a");
  volume.link(ino, volume.root, "more");
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
});

Deno.test("Volume.link() refuses directories and removed files", () => {
  onVolume((volume) => {
    const directory = volume.create(volume.root, "d", DIRECTORY);
    fails("EPERM", () => volume.link(directory, volume.root, "e"));
    const ino = volume.create(volume.root, "a", FILE);
    volume.retain(ino);
    volume.unlink(volume.root, "a");
    fails("ENOENT", () => volume.link(ino, volume.root, "b"));
    volume.release(ino);
    fails("ESTALE", () => volume.link(ino, volume.root, "b"));
  });
});

Deno.test("Volume makes nothing in a removed directory", () => {
  onVolume((volume) => {
    const directory = volume.create(volume.root, "d", DIRECTORY);
    volume.retain(directory);
    volume.rmdir(volume.root, "d");
    fails("ENOENT", () => volume.create(directory, "a", FILE));
    assertEquals(volume.readdir(directory, 0), []);
    volume.release(directory);
    fails("ESTALE", () => volume.readdir(directory, 0));
  });
});

Deno.test("Volume.rename() moves no directory into itself", () => {
  onVolume((volume) => {
    const a = volume.create(volume.root, "a", DIRECTORY);
    const b = volume.create(a, "b", DIRECTORY);
    fails("EINVAL", () => volume.rename(volume.root, "a", b, "c", 0));
    fails("EINVAL", () => volume.rename(volume.root, "a", a, "b", 0));
    fails("ENOTEMPTY", () => volume.rename(a, "b", volume.root, "a", 0));
  });
});

Deno.test("Volume.rename() replaces, exchanges and refuses", () => {
  onVolume((volume) => {
    const { root } = volume;
    const a = volume.create(root, "a", DIRECTORY);
    const b = volume.create(root, "b", DIRECTORY);
    const file = volume.create(root, "file", FILE);
    const other = volume.create(b, "other", FILE);
    fails("ENOENT", () => volume.rename(root, "nobody", root, "x", 0));
    fails("ENOTDIR", () => volume.rename(root, "a", root, "file", 0));
    fails("EISDIR", () => volume.rename(root, "file", root, "a", 0));
    fails("ENOTEMPTY", () => volume.rename(root, "a", root, "b", 0));
    fails("EEXIST", () => volume.rename(root, "file", root, "a", RENAME_NOREPLACE));
    fails("ENOENT", () => volume.rename(root, "file", root, "x", RENAME_EXCHANGE));
    fails("EINVAL", () => volume.rename(root, "file", root, "x", 3));
    fails("EINVAL", () => volume.rename(root, "file", root, "x", 4));
    fails("EINVAL", () => volume.rename(b, "other", root, "b", RENAME_EXCHANGE));
    volume.rename(root, "file", b, "other", RENAME_EXCHANGE);
    assertEquals([volume.lookup(b, "other"), volume.lookup(root, "file")], [file, other]);
    volume.rename(root, "a", b, "other", RENAME_EXCHANGE);
    assertEquals([volume.getattr(root).nlink, volume.getattr(b).nlink], [3, 3]);
    volume.rename(b, "other", root, "moved", 0);
    assertEquals([volume.getattr(root).nlink, volume.getattr(b).nlink], [4, 2]);
    volume.rename(root, "moved", root, "b", 0);
    assertEquals(volume.lookup(root, "b"), a);
    fails("ESTALE", () => volume.getattr(b));
    volume.link(file, root, "again");
    volume.rename(root, "again", root, "a", 0);
    assertEquals(volume.getattr(file).nlink, 2);
    volume.rename(root, "a", root, "a", 0);
  }, (volume) => {
    assertEquals(volume.readdir(volume.root, 0).map(({ name }) => name).sort(), [
      "a",
      "again",
      "b",
      "file",
    ]);
  });
});
