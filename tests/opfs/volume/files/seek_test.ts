/** SEEK_DATA and SEEK_HOLE over runs, holes and unwritten runs. */
import { assertEquals } from "@std/assert";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
} from "../../../../abi/flags.ts";
import type { Volume } from "../../../../opfs/volume/volume.ts";
import { fails, FILE, onVolume } from "../../../support/on_volume.ts";

/** Where data begins and ends, from the start to the end of a file. */
function dataOf(volume: Volume, ino: number): number[] {
  const borders: number[] = [];
  const { size } = volume.getattr(ino);
  for (let at = 0; at < size;) {
    try {
      const from = volume.seek(ino, at, SEEK_DATA);
      at = volume.seek(ino, from, SEEK_HOLE);
      borders.push(from, at);
    } catch (error) {
      assertEquals((error as { code: string }).code, "ENXIO");
      break;
    }
  }
  return borders;
}

Deno.test("Volume.seek() distinguishes data from holes by the block", () => {
  onVolume((volume) => {
    const ino = volume.create(volume.root, "a", FILE);
    assertEquals(dataOf(volume, ino), []);
    volume.write(ino, new Uint8Array(10), 100_000);
    assertEquals(dataOf(volume, ino), [98_304, 100_010]);
    volume.write(ino, new Uint8Array(8192), 8192);
    volume.setattr(ino, { size: 2 ** 40 });
    assertEquals(dataOf(volume, ino), [8192, 16_384, 98_304, 102_400]);
    volume.allocate(ino, 0, 0, 50_000);
    assertEquals(dataOf(volume, ino), [8192, 16_384, 98_304, 102_400]);
    volume.write(ino, new Uint8Array(1), 40_000);
    volume.allocate(ino, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 12_288, 4096);
    assertEquals(dataOf(volume, ino), [8192, 12_288, 36_864, 40_960, 98_304, 102_400]);
  }, (volume) => {
    const ino = volume.lookup(volume.root, "a");
    assertEquals(dataOf(volume, ino), [8192, 12_288, 36_864, 40_960, 98_304, 102_400]);
    assertEquals(volume.seek(ino, 9000, SEEK_DATA), 9000);
    assertEquals(volume.seek(ino, 9000, SEEK_HOLE), 12_288);
    assertEquals(volume.seek(ino, 13_000, SEEK_HOLE), 13_000);
  });
});

Deno.test("Volume.seek() is ENXIO at the end, and where no data follows", () => {
  onVolume((volume) => {
    const ino = volume.create(volume.root, "a", FILE);
    for (const whence of [SEEK_DATA, SEEK_HOLE]) fails("ENXIO", () => volume.seek(ino, 0, whence));
    volume.setattr(ino, { size: Number.MAX_SAFE_INTEGER });
    fails("ENXIO", () => volume.seek(ino, 5, SEEK_DATA));
    assertEquals(volume.seek(ino, 5, SEEK_HOLE), 5);
    assertEquals(volume.seek(ino, 2 ** 52, SEEK_HOLE), 2 ** 52);
    fails("ENXIO", () => volume.seek(ino, 2 ** 52, SEEK_DATA));
    for (const at of [-1, NaN, 1.5]) fails("ENXIO", () => volume.seek(ino, at, SEEK_HOLE));
    fails("EINVAL", () => volume.seek(ino, 0, SEEK_END));
    fails("EISDIR", () => volume.seek(volume.root, 0, SEEK_DATA));
  });
});
