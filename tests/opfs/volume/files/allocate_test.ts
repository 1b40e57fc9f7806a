/** Owning, zeroing and giving back ranges: what a file shows and owns, before and after a remount. */
import { assert, assertEquals } from "@std/assert";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
} from "../../../../abi/flags.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import type { Volume } from "../../../../opfs/volume/volume.ts";
import { FaultyHandle } from "../../../support/faulty_handle.ts";
import { LimitedHandle } from "../../../support/limited_handle.ts";
import { contentsOf } from "../../../support/model_tree.ts";
import { fails, FILE, onVolume } from "../../../support/on_volume.ts";
import { prng } from "../../../support/prng.ts";

const KEEP = FALLOC_FL_KEEP_SIZE;
const PUNCH = FALLOC_FL_PUNCH_HOLE | KEEP;
const ZERO = FALLOC_FL_ZERO_RANGE;

function filled(volume: Volume, name: string, length: number, value = 7): number {
  const ino = volume.create(volume.root, name, FILE);
  volume.write(ino, new Uint8Array(length).fill(value), 0);
  return ino;
}

const named = (volume: Volume, name: string): number => volume.lookup(volume.root, name);
const blocksOf = (volume: Volume, name: string): number =>
  volume.getattr(named(volume, name)).blocks;

Deno.test("Volume.allocate() owns a range that reads as zeros, and makes the file as long", () => {
  onVolume((volume) => {
    const ino = filled(volume, "a", 100);
    volume.allocate(ino, 0, 50, 100_000);
    assertEquals([volume.getattr(ino).size, volume.getattr(ino).blocks], [100_050, 25 * 8]);
    const kept = filled(volume, "kept", 100);
    volume.allocate(kept, KEEP, 0, 100_000);
    assertEquals([volume.getattr(kept).size, volume.getattr(kept).blocks], [100, 25 * 8]);
    volume.write(kept, new Uint8Array([9]), 50_000);
    assertEquals(volume.getattr(kept).blocks, 25 * 8);
  }, (volume) => {
    const expected = new Uint8Array(100_050).fill(7, 0, 100);
    assertEquals(contentsOf(volume, named(volume, "a")), expected);
    const kept = contentsOf(volume, named(volume, "kept"));
    assertEquals([kept.length, kept.lastIndexOf(7), kept.indexOf(9)], [50_001, 99, 50_000]);
    assertEquals([blocksOf(volume, "a"), blocksOf(volume, "kept")], [200, 200]);
    volume.setattr(named(volume, "kept"), { size: 4096 });
    assertEquals(blocksOf(volume, "kept"), 8);
  });
});

Deno.test("Volume.allocate() gives whole blocks of a punched range back, and zeroes the rest", () => {
  onVolume((volume) => {
    const ino = filled(volume, "a", 200_000);
    const before = volume.statfs().freeBlocks;
    volume.allocate(ino, PUNCH, 10_000, 100_000);
    assertEquals(volume.getattr(ino).blocks, (49 - 23) * 8);
    volume.sync();
    assertEquals(volume.statfs().freeBlocks, before + 23);
    volume.allocate(filled(volume, "inside", 4096), PUNCH, 100, 200);
    volume.allocate(filled(volume, "all", 10_000), PUNCH, 0, 10_000);
    volume.allocate(filled(volume, "two", 8192), PUNCH, 4000, 200);
    volume.allocate(filled(volume, "behind", 100), PUNCH, 2 ** 50, 2 ** 52);
  }, (volume) => {
    const expected = new Uint8Array(200_000).fill(7);
    expected.fill(0, 10_000, 110_000);
    assertEquals(contentsOf(volume, named(volume, "a")), expected);
    const inside = contentsOf(volume, named(volume, "inside"));
    assertEquals([inside.indexOf(0), inside.lastIndexOf(0), inside.length], [100, 299, 4096]);
    assertEquals(blocksOf(volume, "all"), 0);
    assertEquals(contentsOf(volume, named(volume, "all")), new Uint8Array(10_000));
    const two = contentsOf(volume, named(volume, "two"));
    assertEquals([two.indexOf(0), two.lastIndexOf(0), blocksOf(volume, "two")], [4000, 4199, 16]);
    assertEquals(contentsOf(volume, named(volume, "behind")), new Uint8Array(100).fill(7));
  });
});

Deno.test("Volume.allocate() zeroes a range that stays owned, logged or not", () => {
  for (const isLogged of [false, true]) {
    onVolume((volume) => {
      const ino = filled(volume, "a", 50_000);
      if (isLogged) volume.sync();
      volume.allocate(ino, ZERO, 5000, 30_000);
      assertEquals(volume.getattr(ino).blocks, 13 * 8);
      volume.write(ino, new Uint8Array([1, 2, 3]), 20_000);
      volume.sync();
      const grown = filled(volume, "grown", 5000);
      volume.allocate(grown, ZERO, 1000, 19_000);
      const kept = filled(volume, "kept", 5000);
      volume.allocate(kept, ZERO | KEEP, 1000, 19_000);
    }, (volume) => {
      const expected = new Uint8Array(50_000).fill(7);
      expected.fill(0, 5000, 35_000);
      expected.set([1, 2, 3], 20_000);
      assertEquals(contentsOf(volume, named(volume, "a")), expected);
      for (const [name, size] of [["grown", 20_000], ["kept", 5000]] as const) {
        const bytes = contentsOf(volume, named(volume, name));
        assertEquals([bytes.length, bytes.lastIndexOf(7), blocksOf(volume, name)], [size, 999, 40]);
      }
    });
  }
});

Deno.test("Volume.allocate() refuses what makes no sense", () => {
  onVolume((volume) => {
    const ino = filled(volume, "a", 10);
    for (const [at, length] of [[-1, 5], [0, 0], [0, -1], [0.5, 1], [NaN, 1], [0, Infinity]]) {
      fails("EINVAL", () => volume.allocate(ino, 0, at!, length!));
    }
    for (const mode of [FALLOC_FL_PUNCH_HOLE, 4, 8, 0x20, PUNCH | ZERO, -1]) {
      fails("ENOTSUP", () => volume.allocate(ino, mode, 0, 10));
    }
    fails("EFBIG", () => volume.allocate(ino, 0, 2 ** 43, 10));
    fails("EISDIR", () => volume.allocate(volume.root, 0, 0, 10));
    const fifo = volume.create(volume.root, "fifo", { ...FILE, mode: 0o010644 });
    fails("EINVAL", () => volume.allocate(fifo, 0, 0, 10));
  }, (volume) => assertEquals(blocksOf(volume, "a"), 8));
});

Deno.test("Volume.allocate() is ENOSPC before it has changed anything", () => {
  const device = memoryHandle();
  const volume = openVolumeSync(new LimitedHandle(device, 2 ** 21));
  const ino = filled(volume, "a", 5000);
  volume.sync();
  const free = volume.stats().freeBlocks;
  for (const mode of [0, KEEP, ZERO]) {
    fails("ENOSPC", () => volume.allocate(ino, mode, 0, 2 ** 21));
    assertEquals(contentsOf(volume, ino), new Uint8Array(5000).fill(7));
    assertEquals([volume.getattr(ino).blocks, volume.stats().freeBlocks], [16, free]);
  }
  volume.allocate(ino, PUNCH, 0, 4096);
  volume.close();
  assertEquals(checkVolume(device).violations, []);
});

Deno.test("Volume.allocate() gives back what it took when the slots run out on the way", () => {
  const device = memoryHandle();
  const volume = openVolumeSync(new LimitedHandle(device, 2 ** 21), { blockSize: 512 });
  const ino = volume.create(volume.root, "a", FILE);
  for (let index = 0; index < 600; index++) volume.write(ino, new Uint8Array(1), index * 1024);
  let made = 0;
  for (let isFull = false; !isFull;) {
    try {
      volume.create(volume.root, `f${made++}`, FILE);
    } catch {
      isFull = true;
    }
  }
  const used = volume.getattr(ino).blocks;
  assertEquals(used, 600);
  // Each block of "b" lies between two of "a", so that each hole that is filled is a run.
  let code = "";
  try {
    volume.allocate(ino, KEEP, 0, 600 * 1024);
  } catch (error) {
    code = (error as { code: string }).code;
  }
  if (code !== "") assertEquals([code, volume.getattr(ino).blocks], ["ENOSPC", used]);
  volume.close();
  assertEquals(checkVolume(device).violations, []);
});

Deno.test("Volume.allocate() owns a gibibyte with a few device calls, and writes nothing of it", () => {
  const device = memoryHandle();
  const handle = new FaultyHandle(device, { call: Infinity, isForEver: false });
  const volume = openVolumeSync(handle);
  const ino = volume.create(volume.root, "a", FILE);
  const before = handle.counts.write;
  volume.allocate(ino, 0, 0, 2 ** 26);
  volume.fsync(ino);
  assert(handle.counts.write - before <= 4, `${handle.counts.write - before} writes`);
  assertEquals([volume.getattr(ino).size, volume.getattr(ino).blocks], [2 ** 26, 2 ** 17]);
  volume.close();
  assertEquals(checkVolume(device).violations, []);
});

/** The same calls on an array. */
function model(bytes: Uint8Array, mode: number, at: number, length: number): Uint8Array {
  const end = at + length;
  const size = mode & KEEP ? bytes.length : Math.max(bytes.length, end);
  const longer = new Uint8Array(size);
  longer.set(bytes);
  if (mode !== 0 && mode !== KEEP) longer.fill(0, at, end);
  return longer;
}

Deno.test("Volume.allocate() agrees with an array under random calls", () => {
  for (let seed = 1; seed <= 9; seed++) {
    const random = prng(seed);
    const blockSize = [512, 4096, 32_768][seed % 3]!;
    const handle = memoryHandle();
    const options = { blockSize, ringBytes: 128 * 1024, poolBytes: 1 << 18 };
    let volume = openVolumeSync(handle, options);
    let bytes: Uint8Array = new Uint8Array(0);
    volume.create(volume.root, "a", FILE);
    for (let step = 1; step <= 300; step++) {
      const ino = named(volume, "a");
      const at = random.below(random.pick([1000, 200_000]));
      const length = 1 + random.below(random.pick([600, 9000, 150_000]));
      switch (random.below(8)) {
        case 0:
        case 1:
        case 2: {
          const piece = new Uint8Array(length);
          random.fill(piece);
          volume.write(ino, piece, at);
          bytes = model(bytes, 0, at, length);
          bytes.set(piece, at);
          break;
        }
        case 3:
          volume.setattr(ino, { size: at });
          bytes = model(bytes.subarray(0, at), 0, 0, Math.max(1, at)).slice(0, at);
          break;
        case 4:
          volume.sync();
          break;
        default: {
          const mode = random.pick([0, KEEP, PUNCH, PUNCH, ZERO, ZERO, ZERO | KEEP]);
          volume.allocate(ino, mode, at, length);
          bytes = model(bytes, mode, at, length);
          const owned = volume.getattr(ino).blocks * 512;
          if (mode !== PUNCH) assert(owned >= length - blockSize, `seed ${seed}, step ${step}`);
        }
      }
      if (step % 25 === 0) {
        assertEquals(contentsOf(volume, ino), bytes, `seed ${seed}, step ${step}`);
        volume.close();
        assertEquals(checkVolume(handle).violations, []);
        volume = openVolumeSync(handle, options);
        assertEquals(contentsOf(volume, named(volume, "a")), bytes, `seed ${seed}, step ${step}`);
      }
    }
    volume.close();
  }
});
