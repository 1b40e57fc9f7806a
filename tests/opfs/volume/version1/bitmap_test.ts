/**
 * The bitmap of a version-1 image against what its slots own.
 */
import { assertEquals } from "@std/assert";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { Findings } from "../../../../opfs/volume/upkeep/transfer.ts";
import { compareBitmap1, countUsed } from "../../../../opfs/volume/version1/bitmap.ts";
import { decodeSuperblock1 } from "../../../../opfs/volume/version1/format.ts";
import { CachedPages } from "../../../../opfs/volume/version1/pages.ts";
import { Random } from "../../../support/random.ts";

/** A superblock whose bitmap lies at byte 5 of the device. */
function superblockOf(totalBlocks: number, freeBlocks: number) {
  return { ...decodeSuperblock1(new Uint8Array(64)), totalBlocks, freeBlocks, bitmapOffset: 5 };
}

Deno.test("countUsed() counts any range as a loop over bits does", () => {
  const seed = 5;
  const random = new Random(seed);
  const totalBlocks = 300_000;
  const device = new Uint8Array(5 + totalBlocks / 8).map(() => random.bits());
  const pages = new CachedPages(memoryHandle(device));
  const superblock = superblockOf(totalBlocks, 0);
  for (let run = 0; run < 60; run++) {
    const from = random.below(totalBlocks);
    const to = from + random.below(run < 50 ? 50 : totalBlocks - from);
    let expected = 0;
    for (let block = from; block < Math.min(to, totalBlocks); block++) {
      expected += device[5 + (block >> 3)]! >> (block & 7) & 1;
    }
    const range = { from, to: Math.min(to, totalBlocks) };
    assertEquals(countUsed(pages, superblock, range), expected, `seed ${seed}, run ${run}`);
  }
});

Deno.test("compareBitmap1() reports leaked blocks, clear bits and a wrong counter", () => {
  const device = new Uint8Array(10);
  device[5] = 0b0000_0111;
  const pages = new CachedPages(memoryHandle(device));
  const look = (freeBlocks: number, owned: { from: number; to: number }[]): string[] => {
    const findings = new Findings();
    compareBitmap1(pages, superblockOf(16, freeBlocks), { owned, findings });
    return findings.list.map(({ code, message }) => `${code}: ${message}`);
  };
  assertEquals(look(13, [{ from: 0, to: 3 }]), []);
  assertEquals(look(13, [{ from: 0, to: 2 }]), ["blocks-leaked: 1 used blocks have no owner"]);
  assertEquals(look(13, [{ from: 0, to: 5 }]), [
    "bits-clear: 2 blocks of files are marked as free",
  ]);
  assertEquals(look(9, [{ from: 0, to: 3 }]), [
    "free-count: the superblock counts 9 free blocks, the bitmap 13",
  ]);
});
