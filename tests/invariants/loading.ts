/**
 * Each invariant of what loads an image, and of what saves one, made false.
 *
 * Layer: tests. A row is what the message says, and what breaks it; `invariants_test.ts` runs them.
 *
 * @module
 */
import { memoryHandle } from "../../opfs/device/memory.ts";
import { newestHeader } from "../../opfs/volume/format/header.ts";
import { correctInMemory } from "../../opfs/volume/load/corrections.ts";
import { formatVolume } from "../../opfs/volume/load/format.ts";
import { compareBitmap, type Image, loadImage } from "../../opfs/volume/load/image.ts";
import { readImageBlocks } from "../../opfs/volume/load/image_blocks.ts";
import { strayPlaces } from "../../opfs/volume/load/image_rules.ts";
import { ImageSums } from "../../opfs/volume/load/image_sums.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { findRecords, replayDescriptors } from "../../opfs/volume/load/replay.ts";
import { scan } from "../../opfs/volume/load/scan.ts";
import { Bitmap } from "../../opfs/volume/memory/bitmap.ts";
import { Tables } from "../../opfs/volume/memory/tables.ts";
import { mendSummedBytes } from "../../opfs/volume/tools/check_sums.ts";
import { repairSteps } from "../../opfs/volume/tools/repair.ts";
import { Salvage } from "../../opfs/volume/tools/salvage.ts";
import { Findings, runToEnd } from "../../opfs/volume/upkeep/transfer.ts";
import { Volume } from "../../opfs/volume/volume.ts";
import type { StorageHandle } from "../../opfs/device/handle.ts";
import { FILE } from "../support/on_volume.ts";
import { patched } from "./patched.ts";
import type { Row } from "./structures.ts";

/** An empty image. */
function formatted(): { handle: StorageHandle; image: Image } {
  const handle = memoryHandle();
  formatVolume(handle);
  return { handle, image: loadImage(handle) };
}

function bitmapOf(blocks: number): Bitmap {
  const bitmap = new Bitmap();
  bitmap.grow(blocks);
  return bitmap;
}

const smallTables = (): Tables => new Tables(new Uint8Array(64 * 64), new Uint8Array(4096));

function salvageOf(): Salvage {
  return new Salvage(formatted().handle, new Findings());
}

/** What loads an image, and what saves one. */
export const loadRows: readonly Row[] = [
  ["V5: the name at 4096 is put right and is not there", () => {
    correctInMemory(smallTables(), [{ kind: "padding", offset: 4096, length: 5 }]);
  }],
  ["V4: slot 64 is put right and is not there", () => {
    correctInMemory(smallTables(), [{ kind: "continued", slot: 64 }]);
  }],
  ["V4: a count of 0 names is put right", () => {
    correctInMemory(smallTables(), [{ kind: "nlink", slot: 40, nlink: 0 }]);
  }],
  ["V10: replay begins at 524288 of 524288 bytes", () => {
    const { image } = formatted();
    const header = { ...newestHeader(image.start), tailPlace: image.header.ringBytes };
    findRecords(new Uint8Array(header.ringBytes), header);
  }],
  ["V11: 64 bytes of the first page of slots", () => {
    replayDescriptors(formatted().image.replay, new Uint8Array(64));
  }],
  ["V16: pages are compared with sums that there are not", () => {
    new ImageSums(formatted().image.replay).check(smallTables());
  }],
  ["V16: 64 bytes of a page, 4 of its sum", () => {
    new ImageSums(formatted().image.replay).checkFirst(new Uint8Array(64), new Uint8Array(4));
  }],
  ["V2: bits of 7 blocks are compared, there are 1", () => {
    const { handle, image } = formatted();
    image.superblock.totalBlocks = 1;
    compareBitmap(handle, image, bitmapOf(7));
  }],
  ["V8: the headers are looked for in 100 bytes", () => {
    strayPlaces({ ...formatted().image, start: new Uint8Array(100) });
  }],
  ["V7: byte 0 of block -1 of an image is read", () => {
    const { handle, image } = formatted();
    readImageBlocks(handle, image, { into: new Uint8Array(9), block: -1 });
  }],
  ["V4: 2 slots have no place for a file", () => {
    const { superblock, segments } = formatted().image;
    scan(new Tables(new Uint8Array(128), new Uint8Array(4096)), superblock, segments);
  }],
  ["V11: tables of 8192 bytes lie in 131072", () => {
    const { superblock, segments } = formatted().image;
    scan(smallTables(), superblock, segments);
  }],
  ["V13: bits are mended before 1 records are replayed", () => {
    const { handle, image } = formatted();
    const derived = scan(image.tables, image.superblock, image.segments);
    image.replay.records.length = 1;
    mendSummedBytes(handle, image, derived);
  }],
  ["V4: slot 5000 of 1024 is saved", () => salvageOf().node(5000)],
  [
    "V6: the entries of slot 40, which is no directory, are saved",
    () => salvageOf().entriesOf(40),
  ],
  ["D1: a volume that is repaired into writes something, or says why not", () => {
    const handle = memoryHandle();
    const old = openVolumeSync(handle);
    old.write(old.create(old.root, "a", FILE), new Uint8Array(5), 0);
    old.close();
    patched(Volume.prototype, { write: () => 0 }, () => {
      runToEnd(repairSteps(handle, memoryHandle()));
    });
  }],
];
