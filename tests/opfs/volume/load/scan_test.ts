/** The scan finds what check reports (check_test.ts); here: what it derives. */
import { assertEquals } from "@std/assert";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { loadImage } from "../../../../opfs/volume/load/image.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { scan } from "../../../../opfs/volume/load/scan.ts";
import { DIRECTORY, FILE } from "../../../support/on_volume.ts";

Deno.test("scan() derives counts, owners and links from the slots alone", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const directory = volume.create(volume.root, "d", DIRECTORY);
  volume.create(directory, "e", DIRECTORY);
  const ino = volume.create(directory, "f", FILE);
  volume.write(ino, new Uint8Array(10_000), 0);
  volume.write(ino, new Uint8Array(1), 50_000);
  for (const name of ["x", "y"]) volume.link(ino, volume.root, name);
  volume.create(volume.root, "gone", FILE);
  volume.unlink(volume.root, "gone");
  volume.close();
  const { tables, superblock, segments } = loadImage(handle);
  const derived = scan(tables, superblock, segments);
  assertEquals(derived.violations, []);
  const slot = (ino >>> 0) - 1;
  assertEquals(derived.links.get(slot)?.length, 2);
  assertEquals(derived.bitmap.blocks - derived.bitmap.unowned, 4);
  assertEquals(derived.inodes.subdirectoriesOf(0), 1);
  assertEquals(derived.inodes.subdirectoriesOf((directory >>> 0) - 1), 1);
  assertEquals([...derived.counts], [0, 1, 3, 0, 2, 0, 1, 0]);
  assertEquals(derived.extents.runsOf(slot).map(({ fileBlock, count }) => [fileBlock, count]), [
    [0, 3],
    [12, 1],
  ]);
  assertEquals([derived.paths.count, derived.inodes.free], [5, 1024 - 32 - 6]);
});
