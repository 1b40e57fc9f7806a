import { assertEquals } from "@std/assert";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { loadImage } from "../../../../opfs/volume/load/image.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { endOfTables, ownedEnd } from "../../../../opfs/volume/memory/owned_end.ts";
import { scan } from "../../../../opfs/volume/load/scan.ts";
import type { Volume } from "../../../../opfs/volume/volume.ts";
import { DIRECTORY, FILE } from "../../../support/on_volume.ts";

const rows: readonly [string, (volume: Volume) => void][] = [
  ["nothing", () => {}],
  ["a file", (volume) => {
    volume.write(volume.create(volume.root, "a", FILE), new Uint8Array(50_000), 0);
  }],
  ["blocks that read as zeros", (volume) => {
    volume.allocate(volume.create(volume.root, "a", FILE), 0, 0, 500_000);
  }],
  ["a file in pieces", (volume) => {
    const ino = volume.create(volume.root, "a", FILE);
    for (let piece = 0; piece < 20; piece++) {
      volume.write(ino, new Uint8Array(10), piece * 20_000);
    }
  }],
  ["a link", (volume) => {
    volume.create(volume.root, "l", { ...FILE, mode: 0o120777, target: "x".repeat(300) });
  }],
  ["an attribute in blocks", (volume) => {
    const ino = volume.create(volume.root, "a", FILE);
    volume.setxattr(ino, "user.a", new Uint8Array(30_000).fill(1), 0);
  }],
  ["a file in pieces that is gone", (volume) => {
    const ino = volume.create(volume.root, "a", FILE);
    for (let piece = 0; piece < 20; piece++) {
      volume.write(ino, new Uint8Array(10), piece * 20_000);
    }
    volume.sync();
    volume.unlink(volume.root, "a");
  }],
  ["a device", (volume) => {
    volume.create(volume.root, "d", { ...FILE, mode: 0o020666, rdev: 0x7fff_ffff });
  }],
  ["further tables", (volume) => {
    const folder = volume.create(volume.root, "f", DIRECTORY);
    for (let index = 0; index < 1100; index++) volume.create(folder, `name ${index}`, FILE);
  }],
];

for (const [what, act] of rows) {
  Deno.test(`the blocks in use end where the bitmap says: ${what}`, () => {
    const handle = memoryHandle();
    const volume = openVolumeSync(handle);
    act(volume);
    volume.close();
    const { tables, superblock, segments } = loadImage(handle);
    const { bitmap } = scan(tables, superblock, segments);
    const end = bitmap.blocks - bitmap.freeAtEnd;
    assertEquals(ownedEnd({ tables, segments }), end);
    assertEquals(endOfTables(segments) > 0, what === "further tables");
  });
}
