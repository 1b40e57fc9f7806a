import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { compareBitmap, loadImage } from "../../../../opfs/volume/load/image.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { scan } from "../../../../opfs/volume/load/scan.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { FILE } from "../../../support/on_volume.ts";
import { FaultyHandle } from "../../../support/faulty_handle.ts";

function image(): Uint8Array {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  volume.write(volume.create(volume.root, "a", FILE), new Uint8Array(20_000), 0);
  volume.close();
  return handle.toBytes();
}

Deno.test("loadImage() reads a small image in one read", () => {
  const handle = new FaultyHandle(memoryHandle(image()), { call: Infinity, isForEver: false });
  loadImage(handle);
  assertEquals(handle.counts.read, 1);
});

Deno.test("loadImage() refuses an image that was cut at any place", () => {
  const bytes = image();
  for (const length of [0, 1, 4096, 12287, 12288, 600_000, 671_744, 675_840, 680_000]) {
    assertThrows(() => loadImage(memoryHandle(bytes.subarray(0, length))), ErrnoError);
  }
  loadImage(memoryHandle(bytes));
});

Deno.test("loadImage() leaves out what is missing at the end and was free", () => {
  const bytes = image();
  const whole = loadImage(memoryHandle(bytes));
  const { dataOffset, blockSize, totalBlocks } = whole.superblock;
  assertEquals(whole.mended, []);
  for (let there = 0; there < totalBlocks; there++) {
    const cut = memoryHandle(bytes.subarray(0, dataOffset + there * blockSize + 5));
    // The file has blocks 0 to 4.
    if (there < 5) assertThrows(() => loadImage(cut), ErrnoError, "was cut off");
    else {
      const { superblock, mended } = loadImage(cut);
      assertEquals(superblock.totalBlocks, there);
      assertEquals(mended.map(({ rule, isDerivable }) => [rule, isDerivable]), [["V7", true]]);
      const volume = openVolumeSync(cut);
      assertEquals(volume.getattr(volume.lookup(volume.root, "a")).size, 20_000);
      assertEquals(volume.report.corrected.map(({ rule }) => rule), ["V7"]);
      volume.close();
      assertEquals(checkVolume(cut).violations, []);
    }
  }
});

Deno.test("compareBitmap() finds the first wrong bit and what must go home", () => {
  const bytes = image();
  const handle = memoryHandle(bytes);
  const loaded = loadImage(handle);
  const { bitmap } = scan(loaded.tables, loaded.superblock, loaded.segments);
  assertEquals(compareBitmap(handle, loaded, bitmap), -1);
  assertEquals(bitmap.home.count, 0);
  loaded.start[loaded.superblock.bitmapOffset + 4]! ^= 0x20;
  assertEquals(compareBitmap(handle, loaded, bitmap), 37);
  assertEquals(bitmap.home.toArray(), [0]);
  loaded.start[loaded.superblock.bitmapOffset + 4]! ^= 0x20;
  loaded.start[loaded.superblock.bitmapOffset + 3000] = 0xff;
  assert(compareBitmap(handle, loaded, bitmap) < 0, "bits past the blocks do not count");
});
