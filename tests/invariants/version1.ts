/**
 * Each invariant of the exchange with version 1, made false.
 *
 * Layer: tests. See `structures.ts`.
 *
 * @module
 */
import { memoryHandle } from "../../opfs/device/memory.ts";
import * as L from "../../opfs/volume/format/layout.ts";
import type { Superblock } from "../../opfs/volume/format/superblock.ts";
import { Findings, runToEnd, TransferClock } from "../../opfs/volume/upkeep/transfer.ts";
import { compareBitmap1, countUsed } from "../../opfs/volume/version1/bitmap.ts";
import { Collected, GrowingBytes } from "../../opfs/volume/version1/collect.ts";
import { Runs } from "../../opfs/volume/version1/extents.ts";
import { encodeSlot, encodeSuperblock1, type Slot } from "../../opfs/volume/version1/format.ts";
import { importSteps } from "../../opfs/volume/version1/import.ts";
import { CachedPages } from "../../opfs/volume/version1/pages.ts";
import { PathIndex, PathReader } from "../../opfs/volume/version1/paths.ts";
import { readVersion1, Version1Image } from "../../opfs/volume/version1/read.ts";
import { exportSteps } from "../../opfs/volume/version1/write.ts";
import { ModelVolume } from "../support/model_volume.ts";
import { FILE } from "../support/on_volume.ts";
import { Version1Builder } from "../support/version1_builder.ts";
import { patched } from "./patched.ts";
import type { Row } from "./structures.ts";

const superblock: Superblock = {
  inodeCount: 4,
  blockSize: 4096,
  totalBlocks: 8,
  freeBlocks: 8,
  inodeOffset: 64,
  pathOffset: 64 + 4 * 64,
  bitmapOffset: 512,
  dataOffset: 4096,
  pathUsed: 0,
};

const slot: Slot = {
  type: 1,
  pathOffset: 0,
  pathLength: 2,
  nlink: 1,
  mode: 0o100644,
  size: 0,
  firstBlock: 0,
  blockCount: 0,
  mtime: 0,
  ctime: 0,
  atime: 0,
  uid: 0,
  gid: 0,
};

const pages = (): CachedPages => new CachedPages(memoryHandle(new Uint8Array(8192)));
const encoded = (change: Partial<Slot>): void =>
  encodeSlot({ ...slot, ...change }, new DataView(new ArrayBuffer(64)), 0);

function imported(volume: ModelVolume): void {
  const image = new Version1Builder();
  image.directory("/");
  image.file("/a", "contents");
  const clock = new TransferClock();
  const source = readVersion1(memoryHandle(image.build()));
  runToEnd(importSteps(source, volume, { clock, nowMs: 1 }));
}

/** Every rule of version 1. */
export const version1Rows: readonly Row[] = [
  ["V2: bits are counted inside the bitmap", () => {
    countUsed(pages(), superblock, { from: 0, to: 9 });
  }],
  ["V1: blocks from 2 on are counted twice", () => {
    const owned = [{ from: 0, to: 4 }, { from: 2, to: 6 }];
    compareBitmap1(pages(), superblock, { owned, findings: new Findings() });
  }],
  ["V7: -1 bytes are added", () => new GrowingBytes().extend(-1)],
  ["V4: slot 3 of 0", () => new Collected().slot(3)],
  ["V5: a path of 0 bytes", () => new Collected().add(new Uint8Array(0), slot, 0)],
  ["V7: 5 of 2 blocks at 0 are needed", () => {
    new Runs().add(1, { first: 0, needed: 5, owned: 2 });
  }],
  ["V5: a path of 70000 bytes in a slot", () => encoded({ pathLength: 70_000 })],
  ["V7: a slot of -1 bytes", () => encoded({ size: -1 })],
  ["V9: a version-1 image whose slot count 0 is impossible", () => {
    encodeSuperblock1({ ...superblock, inodeCount: 0 });
  }],
  ["V3: 9 of 8 blocks of an image free", () => encodeSuperblock1({ ...superblock, freeBlocks: 9 })],
  [
    "V7: a file of 8 bytes ends at 0",
    () => patched(Version1Image.prototype, { read: () => 0 }, () => imported(new ModelVolume())),
  ],
  [
    "D1: a volume writes something, or says why not",
    () => patched(ModelVolume.prototype, { write: () => 0 }, () => imported(new ModelVolume())),
  ],
  ["V7: a read that does not fit its buffer", () => pages().copy(0, new Uint8Array(4), 5)],
  ["V4: slot 4 of a table that ends before it", () => new PathReader(pages(), superblock).slot(4)],
  ["V5: the index of paths is full", () => {
    const index = new PathIndex(new PathReader(pages(), superblock), 0);
    for (const byte of [65, 66, 67]) {
      index.find(new Uint8Array([byte]), 1);
      index.put(0);
    }
  }],
  ["V7: only files have runs", () => {
    const volume = new ModelVolume();
    volume.write(volume.create(volume.root, "a", FILE), new Uint8Array(9), 0);
    const type = L.TYPE.DIRECTORY;
    const wrong = { slot: () => ({ ...slot, type, size: 9 }) };
    patched(Collected.prototype, wrong, () => runToEnd(exportSteps(volume, memoryHandle())));
  }],
];
