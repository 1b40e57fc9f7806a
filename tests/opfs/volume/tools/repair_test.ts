/** What of a damaged image arrives in a new volume, and what is said of the rest. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import { type MemoryHandle, memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { newestHeader } from "../../../../opfs/volume/format/header.ts";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { mendVolume, repairSteps } from "../../../../opfs/volume/tools/repair.ts";
import { runToEnd, type TransferReport } from "../../../../opfs/volume/upkeep/transfer.ts";
import type { Volume } from "../../../../opfs/volume/volume.ts";
import { goldenPath } from "../../../golden/images.ts";
import { contentsOf, differences, treeOf } from "../../../support/model_tree.ts";
import { FILE } from "../../../support/on_volume.ts";
import { reseal } from "../../../support/reseal.ts";

/** Slots of the image below, in the order in which they were made. */
const SLOT = { plain: 32, second: 33, folder: 34, inner: 35, deep: 36, link: 38, symlink: 39 };

/** A clean image with one of everything. */
const good: Uint8Array<ArrayBuffer> = (() => {
  const handle = memoryHandle();
  let now = 1000;
  const volume = openVolumeSync(handle, { clock: () => now++, label: "kept", blockSize: 1024 });
  const { root } = volume;
  const make = (parent: number, name: string, mode: number, uid: number): number =>
    volume.create(parent, name, { mode, uid, gid: uid + 1, target: "plain" });
  const plain = make(root, "plain", 0o100640, 1);
  volume.write(plain, new Uint8Array(5000).fill(1), 0);
  volume.write(make(root, "second", 0o100755, 2), new Uint8Array(3000).fill(2), 0);
  const folder = make(root, "folder", 0o040750, 3);
  const inner = make(folder, "inner", 0o040700, 4);
  volume.write(make(inner, "deep", 0o100600, 5), new Uint8Array(100).fill(3), 90_000);
  volume.link(plain, inner, "link");
  make(root, "symlink", 0o120777, 6);
  volume.create(root, "device", { mode: 0o020644, uid: 7, gid: 8, rdev: 77 });
  volume.setattr(plain, { atime: 5.5, mtime: 6.5 });
  volume.close();
  return handle.toBytes();
})();

const { superblock } = newestHeader(good);
const at = (slot: number): number => superblock.inodeOffset + slot * L.SLOT_BYTES;
const entry = (slot: number): number =>
  superblock.pathOffset + new DataView(good.buffer).getUint32(at(slot) + L.SLOT.PATH_OFFSET, true);

interface Repaired {
  report: TransferReport;
  volume: Volume;
  codes: string[];
  handle: MemoryHandle;
}

/** Damages a copy, repairs it, checks what came of it, and opens that. */
function repaired(damage: (view: DataView, bytes: Uint8Array) => void): Repaired {
  const bytes = good.slice();
  damage(new DataView(bytes.buffer), bytes);
  reseal(bytes);
  return repairedBytes(bytes);
}

function repairedBytes(bytes: Uint8Array<ArrayBuffer>): Repaired {
  const damaged = memoryHandle(bytes);
  const handle = memoryHandle();
  const report = runToEnd(repairSteps(damaged, handle, { nowMs: 9999 }));
  assertEquals(damaged.toBytes(), bytes.slice(), "repair has written to the damaged image");
  assertEquals(checkVolume(handle).violations, []);
  const volume = openVolumeSync(handle, { readOnly: true });
  return { report, volume, handle, codes: report.findings.map(({ code }) => code) };
}

/** The inode at a path. */
function walk(volume: Volume, path: string): number {
  let ino = volume.root;
  for (const name of path.split("/")) ino = volume.lookup(ino, name);
  assert(ino !== 0, `no ${path}: ${[...treeOf(volume).keys()].join(" ")}`);
  return ino;
}

const shown = treeOf(openVolumeSync(memoryHandle(good), { readOnly: true }));

Deno.test("repairSteps() carries a good image over as it is: contents, owners, times, holes", () => {
  const { report, volume, handle } = repaired(() => {});
  assertEquals([report.isComplete, report.findings], [true, []]);
  assertEquals(
    [report.files, report.directories, report.symlinks, report.special, report.hardLinks],
    [3, 3, 1, 1, 1],
  );
  assertEquals(differences(treeOf(volume), shown), "");
  const source = openVolumeSync(memoryHandle(good), { readOnly: true });
  for (const path of shown.keys()) {
    if (path === "") continue;
    const [is, was] = [volume, source].map((one) => one.getattr(walk(one, path.slice(1))));
    assertEquals({ ...is, ino: 0 }, { ...was, ino: 0 }, path);
  }
  assertEquals(newestHeader(handle.toBytes()).label, "kept");
  assertEquals(volume.stats().blockSize, 1024);
});

type Row = [
  what: string,
  damage: (view: DataView, bytes: Uint8Array) => void,
  code: string,
  look: (volume: Volume) => void,
];

const u8 = (where: number, value: number) => (view: DataView) => view.setUint8(where, value);
const u32 = (where: number, v: number) => (view: DataView) => view.setUint32(where, v, true);
const f64 = (where: number, v: number) => (view: DataView) => view.setFloat64(where, v, true);
const sizeOf = (volume: Volume, path: string): number => volume.getattr(walk(volume, path)).size;
const isAll = (volume: Volume, path: string, value: number): boolean =>
  contentsOf(volume, walk(volume, path)).every((byte) => byte === value);

const rows: readonly Row[] = [
  ["an invalid name", u8(entry(33) + 5, 0), "lost-and-found", (volume) => {
    assert(isAll(volume, "lost+found/slot-33", 2));
    assertEquals(volume.getattr(walk(volume, "lost+found/slot-33")).uid, 2);
    assertEquals(volume.getattr(walk(volume, "lost+found")).mode, 0o040700);
  }],
  ["an invalid parent", u32(entry(33), 700), "lost-and-found", (volume) => {
    assert(isAll(volume, "lost+found/in-slot-700/second", 2));
  }],
  ["a directory that is free", u8(at(34), L.TYPE.FREE), "type-mended", (volume) => {
    assertEquals(sizeOf(volume, "folder/inner/deep"), 90_100);
  }],
  ["a directory that is gone", (_, b) => b.fill(0, at(34), at(35)), "lost-and-found", (volume) => {
    assertEquals(sizeOf(volume, "lost+found/in-slot-34/inner/deep"), 90_100);
    assert(isAll(volume, "lost+found/in-slot-34/inner/link", 1));
  }],
  ["a ring of directories", u32(entry(34), SLOT.inner), "lost-and-found", (volume) => {
    assertEquals(sizeOf(volume, "lost+found/slot-34/inner/deep"), 90_100);
  }],
  ["an invalid type", u8(at(33), 99), "type-mended", (volume) => {
    assert(isAll(volume, "second", 2));
  }],
  [
    "an invalid type and mode",
    (view) => {
      view.setUint8(at(33), 99);
      view.setUint32(at(33) + L.SLOT.MODE, 0, true);
    },
    "slot-lost",
    (volume) => assertEquals(volume.lookup(volume.root, "second"), 0),
  ],
  ["a mode of another type", u32(at(33) + L.SLOT.MODE, 0o040755), "mode-mended", (volume) => {
    assertEquals(volume.getattr(walk(volume, "second")).mode, 0o100755);
  }],
  [
    "two files on one block",
    (_, bytes) => bytes.copyWithin(at(33) + 24, at(32) + 24, at(32) + 28),
    "blocks-shared",
    (volume) => {
      assert(isAll(volume, "plain", 1));
      assertEquals(sizeOf(volume, "second"), 3000);
    },
  ],
  [
    "blocks that are not there",
    u32(at(33) + L.SLOT.FIRST_BLOCK, 50_000),
    "blocks-lost",
    (volume) => assert(isAll(volume, "second", 0) && sizeOf(volume, "second") === 3000),
  ],
  ["an invalid size", f64(at(33) + L.SLOT.SIZE, NaN), "size-lost", (volume) => {
    assertEquals(sizeOf(volume, "second"), 3072);
    assertEquals([...contentsOf(volume, walk(volume, "second"))].indexOf(0), 3000);
  }],
  [
    "an invalid time",
    f64(at(33) + L.SLOT.MTIME, Infinity),
    "time-lost",
    (volume) => assertEquals(volume.getattr(walk(volume, "second")).mtime, 0),
  ],
  [
    "a further name of nothing",
    u32(at(SLOT.link) + L.SLOT.FIRST_BLOCK, 900),
    "name-lost",
    (volume) => assertEquals(volume.getattr(walk(volume, "plain")).nlink, 1),
  ],
  [
    "an invalid first name, of a file with another",
    u8(entry(32) + 4, 0),
    "",
    (volume) => assert(isAll(volume, "folder/inner/link", 1)),
  ],
  [
    "an invalid target",
    f64(at(SLOT.symlink) + L.SLOT.SIZE, 0),
    "target-damaged",
    (volume) => assertEquals(volume.readlink(walk(volume, "symlink")), "plain"),
  ],
  [
    "an invalid target, of an invalid size",
    (view, bytes) => {
      const block = view.getUint32(at(SLOT.symlink) + L.SLOT.FIRST_BLOCK, true);
      bytes[superblock.dataOffset + block * superblock.blockSize] = 0;
      view.setFloat64(at(SLOT.symlink) + L.SLOT.SIZE, 0, true);
    },
    "target-damaged",
    (volume) => assertEquals(volume.lookup(volume.root, "symlink"), 0),
  ],
  [
    "a target that is too long",
    f64(at(SLOT.symlink) + L.SLOT.SIZE, 900),
    "target-damaged",
    (volume) => assertEquals(volume.readlink(walk(volume, "symlink")), "plain"),
  ],
  ["no root", u8(at(0), 1), "root-lost", (volume) => assert(isAll(volume, "folder/inner/link", 1))],
  [
    "no headers",
    (_, bytes) => bytes.fill(3, 4096, 12288),
    "",
    (volume) => assertEquals(differences(treeOf(volume), shown), ""),
  ],
];

for (const [what, damage, code, look] of rows) {
  Deno.test(`repairSteps() saves what can be saved: ${what}`, () => {
    const { report, volume, codes } = repaired(damage);
    if (code !== "") assert(codes.includes(code), codes.join(" "));
    // What is there has a path, and the finding says it.
    for (const { code, slot, path, severity } of report.findings) {
      if (path === "/" || (severity === "lost" && code === "target-damaged")) continue;
      if (path !== undefined) walk(volume, path.slice(1));
      else assert(code === "slot-lost" || code === "name-lost", `${code} of slot ${slot}`);
    }
    look(volume);
    // What is not concerned is as it was.
    if (!what.includes("first name")) assert(isAll(volume, "plain", 1));
    assertEquals(volume.getattr(walk(volume, "device")).rdev, 77);
  });
}

Deno.test("repairSteps() of a file that was cut off keeps what is before the cut", () => {
  const bytes = good.slice(0, superblock.dataOffset + 5 * 1024);
  const { volume, codes } = repairedBytes(bytes);
  assert(codes.includes("blocks-cut-off"), codes.join(" "));
  assert(isAll(volume, "plain", 1) && isAll(volume, "second", 0));
  assertEquals(sizeOf(volume, "folder/inner/deep"), 90_100);
});

Deno.test("repairSteps() takes what stands before damage in the journal, and its bytes of blocks", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  for (let index = 0; index < 5; index++) {
    volume.write(
      volume.create(volume.root, `f${index}`, FILE),
      new Uint8Array(3000).fill(index),
      0,
    );
    volume.sync();
  }
  const bytes = handle.toBytes();
  const view = new DataView(bytes.buffer);
  const places: number[] = [];
  const end = newestHeader(bytes).superblock.inodeOffset;
  for (let place = L.RING_AT; place < end; place += L.SECTOR_BYTES) {
    if (view.getUint32(place, true) === L.RECORD_MAGIC) places.push(place);
  }
  bytes[places[3]! + 100]! ^= 5;
  assertThrows(() => openVolumeSync(memoryHandle(bytes)), ErrnoError, "cairn check --repair");
  const { volume: saved } = repairedBytes(bytes);
  assertEquals([...treeOf(saved).keys()], ["", "/f0", "/f1", "/f2"]);
  for (let index = 0; index < 3; index++) assert(isAll(saved, `f${index}`, index));
});

Deno.test("repairSteps() refuses what cannot be read, and a target that is used", () => {
  const run = (bytes: Uint8Array, target = memoryHandle()) =>
    runToEnd(repairSteps(memoryHandle(bytes), target));
  assertThrows(() => run(new Uint8Array(20_000).fill(1)), ErrnoError, "EINVAL");
  assertThrows(() => run(good, memoryHandle(new Uint8Array(1))), ErrnoError, "EEXIST");
});

Deno.test("repairSteps() reports how far it is, and ends when the target is full", () => {
  const told: number[] = [];
  const handle = memoryHandle();
  const steps = repairSteps(memoryHandle(good), handle);
  const report = runToEnd(steps, ({ doneBytes }) => void told.push(doneBytes));
  assertEquals([told.at(-1), told.length > 5], [report.bytes, true]);
});

Deno.test("mendVolume() puts right in place what is derivable, and touches nothing else", () => {
  const bytes = good.slice();
  const view = new DataView(bytes.buffer);
  bytes[100] = 1;
  view.setUint16(at(32) + L.SLOT.NLINK, 9, true);
  bytes[superblock.bitmapOffset]! ^= 1;
  const older = newestHeader(bytes).at === L.HEADER_A_AT ? L.HEADER_B_AT : L.HEADER_A_AT;
  bytes[older + 300] = 1;
  bytes[older + 30]! ^= 3;
  reseal(bytes);
  const handle = memoryHandle(bytes);
  const before = checkVolume(handle).violations.map(({ rule }) => rule);
  assertEquals(before.toSorted(), ["V2", "V4", "V8", "V8", "V9"]);
  assertEquals(mendVolume(handle).violations, []);
  assertEquals(differences(treeOf(openVolumeSync(handle, { readOnly: true })), shown), "");
  view.setUint8(at(32), 99);
  reseal(bytes);
  const damaged = memoryHandle(bytes);
  assertThrows(() => mendVolume(damaged), ErrnoError, "V8");
  assertEquals(damaged.toBytes(), bytes);
});

Deno.test("repairSteps() carries extended attributes over, short and long", () => {
  const handle = memoryHandle();
  const source = openVolumeSync(handle);
  const ino = source.create(source.root, "a", FILE);
  source.setxattr(ino, "user.short", new Uint8Array([1, 2, 3]), 0);
  source.setxattr(ino, "user.long", new Uint8Array(9000).fill(4), 0);
  source.close();
  const bytes = handle.toBytes();
  bytes[newestHeader(bytes).superblock.inodeOffset + 900 * 64] = 99;
  reseal(bytes);
  const { volume } = repairedBytes(bytes);
  const saved = walk(volume, "a");
  assertEquals(volume.getxattr(saved, "user.short"), new Uint8Array([1, 2, 3]));
  assertEquals(volume.getxattr(saved, "user.long"), new Uint8Array(9000).fill(4));
});

Deno.test("repairSteps() saves an image of before the sums whose headers are lost", async () => {
  const packed = await Deno.open(goldenPath("older_closed"));
  const stream = packed.readable.pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const { files } = checkVolume(memoryHandle(bytes.slice()));
  bytes.fill(0, L.HEADER_A_AT, L.RING_AT);
  const target = memoryHandle();
  const report = runToEnd(repairSteps(memoryHandle(bytes), target, { nowMs: 1 }));
  assertEquals(report.files + report.special, files);
  assertEquals(checkVolume(target).violations, []);
});
