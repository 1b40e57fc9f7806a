/** Attributes and times. */
import { assertEquals } from "@std/assert";
import { fails, FILE, onVolume } from "../../../support/on_volume.ts";

Deno.test("Volume keeps times and moves those that POSIX says", () => {
  let now = 1000.5;
  onVolume((volume) => {
    const { root } = volume;
    const ino = volume.create(root, "a", FILE);
    const times = () => {
      const { atime, mtime, ctime } = volume.getattr(ino);
      return [atime, mtime, ctime];
    };
    assertEquals(times(), [1000.5, 1000.5, 1000.5]);
    now = 2000;
    volume.write(ino, new Uint8Array(1), 0);
    assertEquals(times(), [1000.5, 2000, 2000]);
    now = 3000;
    volume.read(ino, new Uint8Array(1), 0);
    assertEquals(times(), [3000, 2000, 2000]);
    now = 4000;
    volume.read(ino, new Uint8Array(1), 0);
    assertEquals(times(), [3000, 2000, 2000]);
    volume.setattr(ino, { mode: 0o600 });
    assertEquals(times(), [3000, 2000, 4000]);
    now = 5000;
    volume.setattr(ino, { atime: 1.25, mtime: -7.5 });
    assertEquals(times(), [1.25, -7.5, 5000]);
    assertEquals(volume.getattr(root).mtime, 1000.5);
    volume.link(ino, root, "b");
    assertEquals([volume.getattr(root).mtime, volume.getattr(root).ctime], [5000, 5000]);
    fails("EINVAL", () => volume.setattr(ino, { mtime: NaN }));
  }, (volume) => {
    assertEquals(volume.getattr(volume.lookup(volume.root, "b")).atime, 1.25);
  }, { clock: () => now });
});

Deno.test("Volume.getattr() counts the blocks of a new file in a slot of one that is gone", () => {
  onVolume((volume) => {
    const sparse = (name: string, count: number): number => {
      const ino = volume.create(volume.root, name, FILE);
      for (let index = 0; index < count; index++) {
        volume.write(ino, new Uint8Array(4096), index * 102_400);
        assertEquals(volume.getattr(ino).blocks, 8 * (index + 1));
      }
      return ino;
    };
    const first = sparse("a", 9);
    volume.unlink(volume.root, "a");
    volume.sync();
    const again = sparse("b", 3);
    assertEquals([again >>> 0, again !== first], [first >>> 0, true], "the same slot");
  });
});
