/**
 * Export: an image that says what the volume says, and comes back as the same tree.
 */
import { assert, assertEquals } from "@std/assert";
import { isDir, isFile } from "../../../../abi/mode.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { runToEnd } from "../../../../opfs/volume/upkeep/transfer.ts";
import { decodeSlot, decodeSuperblock1 } from "../../../../opfs/volume/version1/format.ts";
import { exportSteps } from "../../../../opfs/volume/version1/write.ts";
import type { Ino } from "../../../../opfs/volume_ops.ts";
import { assertErrno } from "../../../support/errno.ts";
import { ModelVolume } from "../../../support/model_volume.ts";
import { Random } from "../../../support/random.ts";
import { checksum } from "../../../support/version1_builder.ts";
import {
  codesOf,
  exportBytes,
  importBytes,
  scanBytes,
  treeOf,
} from "../../../support/version1_rig.ts";

const FILE = { mode: 0o100644, uid: 0, gid: 0 };

Deno.test("exportSteps() writes exact counters, a checksum, and whole runs in order", () => {
  const volume = new ModelVolume({ now: () => 5 });
  const a = volume.create(volume.root, "a", FILE);
  volume.write(a, new Uint8Array(4097).fill(1), 0);
  const b = volume.create(volume.root, "b", FILE);
  volume.write(b, new Uint8Array(10).fill(2), 0);
  const { bytes, report } = exportBytes(volume);
  const s = decodeSuperblock1(bytes);
  assertEquals(s.crc, checksum(bytes.subarray(0, 60)));
  assertEquals([s.blockSize, s.totalBlocks, s.freeBlocks, s.pathUsed], [4096, 32, 29, 5]);
  assertEquals(bytes.length, s.dataOffset + 32 * 4096);
  assertEquals(s.dataOffset % 4096, 0);
  assertEquals([...bytes.subarray(s.bitmapOffset, s.bitmapOffset + 2)], [0b111, 0]);
  assertEquals(new TextDecoder().decode(bytes.subarray(s.pathOffset, s.pathOffset + 5)), "//a/b");
  const slots = [0, 1, 2].map((slot) => decodeSlot(new DataView(bytes.buffer), 64 + slot * 64));
  assertEquals(slots.map((slot) => [slot.firstBlock, slot.blockCount, slot.size]), [
    [0, 0, 0],
    [0, 2, 4097],
    [2, 1, 10],
  ]);
  assert(report.isComplete);
  assertEquals(scanBytes(bytes), []);
});

Deno.test("exportSteps() leaves room for names and blocks, as much as is asked for", () => {
  const volume = new ModelVolume();
  const target = memoryHandle();
  runToEnd(exportSteps(volume, target, { spareSlots: 5000, maxBlocks: 80_000 }));
  const s = decodeSuperblock1(target.toBytes());
  assertEquals(s.inodeCount, 5056);
  assert((s.dataOffset - s.bitmapOffset) * 8 >= 80_000);
  const standard = decodeSuperblock1(exportBytes(volume).bytes);
  assertEquals(standard.inodeCount, 1088);
  assert((standard.dataOffset - standard.bitmapOffset) * 8 >= 4_000_000);
});

Deno.test("exportSteps() writes holes as zeros without touching the device", () => {
  const volume = new ModelVolume();
  const hole = volume.create(volume.root, "hole", FILE);
  volume.setattr(hole, { size: 10_000_000 });
  volume.write(hole, new Uint8Array([1]), 9_999_999);
  let written = 0;
  const target = memoryHandle();
  const counting = Object.assign(Object.create(target), {
    write(from: Uint8Array, options: { at: number }): number {
      written += from.length;
      return target.write(from, options);
    },
    truncate: (size: number) => target.truncate(size),
    getSize: () => target.getSize(),
    flush: () => {},
  });
  const report = runToEnd(exportSteps(volume, counting));
  assertEquals(codesOf(report.findings), ["note hole-filled /hole"]);
  assert(report.isComplete);
  assert(written < 1_100_000, `${written} bytes written`);
  const { tree } = importBytes(target.toBytes());
  assertEquals(tree["/hole"]?.contents.length, 10_000_000);
});

Deno.test("exportSteps() wants an empty target, and says when it is full", () => {
  const volume = new ModelVolume();
  const used = memoryHandle(new Uint8Array(1));
  assertErrno("EEXIST", () => runToEnd(exportSteps(volume, used)));
  const full = Object.assign(memoryHandle(), { write: () => 0 });
  assertErrno("ENOSPC", () => runToEnd(exportSteps(volume, full)));
  const throwing = Object.assign(memoryHandle(), {
    truncate(): void {
      throw new DOMException("full", "QuotaExceededError");
    },
  });
  assertErrno("ENOSPC", () => runToEnd(exportSteps(volume, throwing)));
});

Deno.test("exportSteps() writes the superblock last: what was interrupted is no image", () => {
  const volume = new ModelVolume();
  volume.write(volume.create(volume.root, "a", FILE), new Uint8Array(100).fill(1), 0);
  const target = memoryHandle();
  const steps = exportSteps(volume, target);
  steps.next();
  assertEquals(target.toBytes().subarray(0, 64), new Uint8Array(64));
});

Deno.test("exportSteps() flushes everything else before the superblock, and then that", () => {
  const volume = new ModelVolume();
  volume.write(volume.create(volume.root, "a", FILE), new Uint8Array(100).fill(1), 0);
  const target = memoryHandle();
  const calls: string[] = [];
  const recording = Object.assign(Object.create(target), {
    write(from: Uint8Array, options: { at: number }): number {
      calls.push(options.at === 0 ? "superblock" : "write");
      return target.write(from, options);
    },
    truncate: (size: number) => target.truncate(size),
    getSize: () => target.getSize(),
    flush: () => void calls.push("flush"),
  });
  runToEnd(exportSteps(volume, recording));
  assertEquals(calls.slice(-3), ["flush", "superblock", "flush"]);
  assertEquals(calls.indexOf("superblock"), calls.length - 2);
});

Deno.test("exportSteps() reports a file that becomes shorter during the export", () => {
  const volume = new ModelVolume();
  const a = volume.create(volume.root, "a", FILE);
  volume.write(a, new Uint8Array(3_000_000).fill(1), 0);
  const steps = exportSteps(volume, memoryHandle());
  steps.next();
  volume.setattr(a, { size: 1_500_000 });
  const report = runToEnd(steps);
  assertEquals(codesOf(report.findings), ["changed changed-during-export /a"]);
});

/** A volume with whatever a seed makes. */
function randomVolume(random: Random): ModelVolume {
  let now = 0;
  const volume = new ModelVolume({ now: () => now });
  const directories: Ino[] = [volume.root];
  const files: Ino[] = [];
  const name = (): string => random.pick(["a", "ü", "日", " ", "\n", "-x"]) + random.below(1e6);
  for (let step = 0; step < 60; step++) {
    now = random.below(2 ** 31) / 4 - 1e6;
    const parent = random.pick(directories);
    const owner = { uid: random.below(1000), gid: random.bits() };
    const mode = random.below(0o10000);
    const kind = random.below(8);
    if (kind === 0) {
      directories.push(volume.create(parent, name(), { mode: 0o040000 | mode, ...owner }));
    } else if (kind === 1) {
      const target = "t".repeat(1 + random.below(4095));
      files.push(volume.create(parent, name(), { mode: 0o120777, target, ...owner }));
    } else if (kind === 2) {
      const type = random.pick([0o010000, 0o140000, 0o020000, 0o060000]);
      const rdev = type === 0o020000 || type === 0o060000 ? random.bits() : 0;
      files.push(volume.create(parent, name(), { mode: type | mode, rdev, ...owner }));
    } else if (kind === 3 && files.length > 0) volume.link(random.pick(files), parent, name());
    else {
      const ino = volume.create(parent, name(), { mode: 0o100000 | mode, ...owner });
      files.push(ino);
      const length = random.pick([0, 1, 4095, 4096, 4097, 20_000]);
      volume.write(ino, random.bytes(length), random.oneIn(4) ? random.below(50_000) : 0);
    }
  }
  for (const ino of [...directories, ...files]) {
    now = random.below(1e9) / 8;
    volume.setattr(ino, { atime: random.below(1e9) / 2, mtime: -random.below(1e9) / 2 });
  }
  return volume;
}

Deno.test("exportSteps() then importSteps() gives the same tree", () => {
  const count = Deno.env.get("CAIRN_LONG") === "1" ? 500 : 25;
  const first = 1000;
  for (let seed = first; seed < first + count; seed++) {
    const volume = randomVolume(new Random(seed));
    const expected = treeOf(volume);
    const { tree, codes } = importBytes(exportBytes(volume).bytes);
    assertEquals(tree, expected, `seed ${seed}`);
    assertEquals(codes, [], `seed ${seed}`);
    const kinds = Object.values(tree).map(({ mode }) => isDir(mode) || isFile(mode));
    assert(kinds.length > 1, `seed ${seed}`);
  }
  console.log(`seeds ${first} to ${first + count - 1}`);
});
