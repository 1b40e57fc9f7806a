/** Rules around the slots: what of them counts in a volume in use, and where bytes say nothing. */
import { assertEquals } from "@std/assert";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { newestHeader } from "../../../../opfs/volume/format/header.ts";
import { loadImage } from "../../../../opfs/volume/load/image.ts";
import { imageViolations, strayPlaces } from "../../../../opfs/volume/load/image_rules.ts";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { scan } from "../../../../opfs/volume/load/scan.ts";
import { FILE } from "../../../support/on_volume.ts";
import { resealHeader } from "../../../support/reseal.ts";

function imageWith(isClosed: boolean): Uint8Array<ArrayBuffer> {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, { ringBytes: 128 * 1024 });
  const ino = volume.create(volume.root, "a", FILE);
  volume.setxattr(ino, "user.a", new Uint8Array(9), 0);
  volume.write(ino, new Uint8Array(100_000), 0);
  if (isClosed) volume.close();
  else volume.sync();
  return handle.toBytes();
}

function violationsOf(bytes: Uint8Array<ArrayBuffer>): string[] {
  const handle = memoryHandle(bytes);
  const image = loadImage(handle);
  const derived = scan(image.tables, image.superblock, image.segments);
  return imageViolations(handle, image, derived).map(({ rule }) => rule);
}

Deno.test("imageViolations() asks counters, bitmap, copy and features of a closed image alone", () => {
  assertEquals([violationsOf(imageWith(true)), violationsOf(imageWith(false))], [[], []]);
  const { superblock } = newestHeader(imageWith(true));
  const damages: [(bytes: Uint8Array) => void, string][] = [
    [(bytes) => bytes[superblock.bitmapOffset]! ^= 2, "V2"],
    [(bytes) => bytes[L.SUPERBLOCK.FREE_BLOCKS]! ^= 1, "V9"],
  ];
  for (const [damage, rule] of damages) {
    for (const isClosed of [true, false]) {
      const bytes = imageWith(isClosed);
      damage(bytes);
      assertEquals(violationsOf(bytes), isClosed ? [rule] : []);
      assertEquals(checkVolume(memoryHandle(bytes)).clean, !isClosed);
    }
  }
});

Deno.test("strayPlaces() looks between what a whole header says, and messages name the bytes", () => {
  const bytes = imageWith(false);
  const { header } = loadImage(memoryHandle(bytes));
  for (const inside of [L.HEADER.ZERO, L.HEADER.SUPERBLOCK - 1, L.HEADER.REST]) {
    const damaged = bytes.slice();
    damaged[header.at + inside] = 1;
    resealHeader(damaged, header.at);
    assertEquals(strayPlaces(loadImage(memoryHandle(damaged))).map(({ at }) => at), [header.at]);
  }
  const stray = bytes.slice();
  stray[L.HEADER_A_AT + 300] = 1;
  assertEquals(checkVolume(memoryHandle(stray)).violations.map(({ message }) => message), [
    "the page of the header at 4096 is not zero from byte 256 to 4096",
  ]);
});

Deno.test("strayPlaces() says where bytes that say nothing are not zero", () => {
  const bytes = imageWith(false);
  assertEquals(strayPlaces(loadImage(memoryHandle(bytes))), []);
  for (const at of [64, 4095, 4096 + 256, 8191, 8192 + 256, 12_287]) {
    const damaged = bytes.slice();
    damaged[at] = 1;
    const [place, ...others] = strayPlaces(loadImage(memoryHandle(damaged)));
    assertEquals([place!.at, others], [at - at % L.PAGE_BYTES, []]);
    const rest = at < L.HEADER_A_AT ? L.SUPERBLOCK_BYTES : L.HEADER_BYTES;
    assertEquals([place!.from - place!.at, place!.end - place!.at], [rest, L.PAGE_BYTES]);
    const handle = memoryHandle(damaged);
    const volume = openVolumeSync(handle);
    assertEquals(volume.report.corrected.map(({ rule }) => rule), ["V8"]);
    // At once, not when it is closed.
    assertEquals(strayPlaces(loadImage(memoryHandle(handle.toBytes()))), []);
  }
});
