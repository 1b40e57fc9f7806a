/** Copying ranges inside a volume: bytes, holes, counts, times, and what a full device leaves. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { FALLOC_FL_KEEP_SIZE, SEEK_DATA, SEEK_HOLE } from "../../../../abi/flags.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { COPY_BYTES_MAX } from "../../../../opfs/volume/files/copy_range.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import type { Volume } from "../../../../opfs/volume/volume.ts";
import { countMemory } from "../../../support/count_memory.ts";
import { LimitedHandle } from "../../../support/limited_handle.ts";
import { contentsOf } from "../../../support/model_tree.ts";
import { DIRECTORY, fails, FILE, onVolume } from "../../../support/on_volume.ts";
import { prng } from "../../../support/prng.ts";

const MIB = 1 << 20;
const BLOCK = 4096;
/** After the last byte that a file can have. */
const END = (2 ** 31 - 1) * BLOCK;

function random(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  prng(seed).fill(bytes);
  return bytes;
}

function filled(volume: Volume, name: string, bytes: Uint8Array, at = 0): number {
  const ino = volume.create(volume.root, name, FILE);
  volume.write(ino, bytes, at);
  return ino;
}

Deno.test("Volume.copyRange() copies bytes of any place and length", () => {
  onVolume((volume) => {
    const bytes = random(900_000);
    const source = filled(volume, "source", bytes);
    for (
      const [at, to, length] of [
        [0, 0, 900_000],
        [1, 0, 5000],
        [4096, 8192, 4096],
        [100, 70_001, 300_000],
        [899_999, 3, 1],
        [0, 400_000, 899_999],
      ] as const
    ) {
      const target = filled(volume, `${at} ${to} ${length}`, random(500_000, 2));
      const want = new Uint8Array(Math.max(500_000, to + length));
      want.set(random(500_000, 2));
      want.set(bytes.subarray(at, at + length), to);
      assertEquals(volume.copyRange(source, at, target, to, length), length);
      assertEquals(contentsOf(volume, target), want);
    }
    assertEquals(contentsOf(volume, source), bytes);
  });
});

Deno.test("Volume.copyRange() ends where the source does, and changes nothing there", () => {
  onVolume((volume) => {
    const source = filled(volume, "source", random(10_000));
    const target = filled(volume, "target", random(10));
    const before = volume.getattr(target);
    assertEquals(volume.copyRange(source, 10_000, target, 0, 5), 0);
    assertEquals(volume.copyRange(source, 2 ** 50, target, 0, 2 ** 50), 0);
    assertEquals(volume.copyRange(source, 0, target, 0, 0), 0);
    assertEquals(volume.getattr(target), before);
    assertEquals(volume.copyRange(source, 4000, target, 5, Number.MAX_SAFE_INTEGER), 6000);
    assertEquals(volume.getattr(target).size, 6005);
  });
});

Deno.test("Volume.copyRange() keeps holes, also over what the target has there", () => {
  const size = 100 * BLOCK + 17;
  const sparse = (volume: Volume): number => {
    const source = filled(volume, "source", random(3 * BLOCK), 10 * BLOCK);
    volume.write(source, random(100, 3), 60 * BLOCK);
    volume.allocate(source, FALLOC_FL_KEEP_SIZE, 80 * BLOCK, 5 * BLOCK);
    volume.setattr(source, { size });
    return source;
  };
  onVolume((volume) => {
    const source = sparse(volume);
    const fresh = filled(volume, "fresh", random(0));
    assertEquals(volume.copyRange(source, 0, fresh, 0, size), size);
    const full = filled(volume, "full", random(size + 2 * BLOCK, 4));
    const free = volume.statfs().freeBlocks;
    assertEquals(volume.copyRange(source, 0, full, 0, size), size);
    volume.sync();
    assert(volume.statfs().freeBlocks - free >= 90, "what became a hole is free");
    for (const target of [fresh, full]) {
      assertEquals(contentsOf(volume, target).subarray(0, size), contentsOf(volume, source));
      assertEquals(volume.seek(target, 0, SEEK_DATA), 10 * BLOCK);
      assertEquals(volume.seek(target, 10 * BLOCK, SEEK_HOLE), 13 * BLOCK);
      assertEquals(volume.seek(target, 13 * BLOCK, SEEK_DATA), 60 * BLOCK);
      assertEquals(volume.seek(target, 60 * BLOCK, SEEK_HOLE), 61 * BLOCK);
    }
    assertEquals(volume.getattr(fresh).blocks, 4 * 8);
    assertEquals(contentsOf(volume, full).subarray(size), random(size + 2 * BLOCK, 4).slice(size));
    // By half a block further on: what is a hole as a whole block stays one.
    const shifted = filled(volume, "shifted", random(0));
    assertEquals(volume.copyRange(source, 0, shifted, BLOCK / 2, size), size);
    assertEquals(contentsOf(volume, shifted).subarray(BLOCK / 2), contentsOf(volume, source));
    assertEquals(volume.getattr(shifted).blocks, (4 + 2) * 8);
  });
});

Deno.test("Volume.copyRange() copies a hole of 8 TiB in one call, and no block for it", () => {
  onVolume((volume) => {
    const source = filled(volume, "source", Uint8Array.of(9), END - BLOCK);
    const target = filled(volume, "target", random(0));
    const { size } = volume.getattr(source);
    assertEquals(volume.copyRange(source, 0, target, 0, size), size);
    assertEquals([volume.getattr(target).size, volume.getattr(target).blocks], [size, 8]);
    fails("EFBIG", () => volume.copyRange(source, 0, target, END, 1));
    assertEquals(volume.copyRange(source, 0, target, END - 10, 100), 10);
  });
});

Deno.test("Volume.copyRange() within one file: beside each other, never over each other", () => {
  onVolume((volume) => {
    const bytes = random(20_000);
    const ino = filled(volume, "a", bytes);
    assertEquals(volume.copyRange(ino, 0, ino, 10_000, 10_000), 10_000);
    assertEquals(volume.copyRange(ino, 15_000, ino, 20_000, 1e9), 5000);
    const twice = new Uint8Array(25_000);
    twice.set(bytes.subarray(0, 10_000));
    twice.set(bytes.subarray(0, 10_000), 10_000);
    twice.set(twice.subarray(15_000, 20_000), 20_000);
    assertEquals(contentsOf(volume, ino), twice);
    fails("EINVAL", () => volume.copyRange(ino, 0, ino, 0, 1));
    fails("EINVAL", () => volume.copyRange(ino, 0, ino, 9999, 10_000));
    fails("EINVAL", () => volume.copyRange(ino, 9999, ino, 0, 10_000));
    assertEquals(contentsOf(volume, ino), twice);
  });
});

Deno.test("Volume.copyRange() moves the target's times and the source's last read", () => {
  let now = 1000;
  onVolume(
    (volume) => {
      const source = filled(volume, "source", random(10));
      const target = filled(volume, "target", random(0));
      const [from, to] = [volume.getattr(source), volume.getattr(target)];
      volume.copyRange(source, 0, target, 0, 10);
      const [read, written] = [volume.getattr(source), volume.getattr(target)];
      assert(written.mtime > to.mtime && written.ctime > to.ctime);
      assert(read.atime > from.atime);
      assertEquals([read.mtime, read.ctime], [from.mtime, from.ctime]);
    },
    undefined,
    { clock: () => now++ },
  );
});

Deno.test("Volume.copyRange() refuses what is no file and what is no range", () => {
  onVolume((volume) => {
    const file = filled(volume, "a", random(10));
    const folder = volume.create(volume.root, "d", DIRECTORY);
    const pipe = volume.create(volume.root, "p", { ...FILE, mode: 0o010644 });
    fails("EISDIR", () => volume.copyRange(folder, 0, file, 0, 1));
    fails("EISDIR", () => volume.copyRange(file, 0, folder, 0, 1));
    fails("EINVAL", () => volume.copyRange(pipe, 0, file, 0, 1));
    fails("EINVAL", () => volume.copyRange(file, 0, pipe, 0, 1));
    fails("ESTALE", () => volume.copyRange(99, 0, file, 0, 1));
    fails("ESTALE", () => volume.copyRange(file, 0, 99, 0, 1));
    for (const bad of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
      fails("EINVAL", () => volume.copyRange(file, bad, file, 0, 1));
      fails("EINVAL", () => volume.copyRange(file, 0, file, bad, 1));
      fails("EINVAL", () => volume.copyRange(file, 0, file, 20, bad));
    }
  });
});

Deno.test("Volume.copyRange() copies 16 MiB of data a call, through a buffer of 256 KiB", () => {
  const volume = openVolumeSync(memoryHandle(), { poolBytes: MIB });
  const source = filled(volume, "source", random(18 * MIB));
  // The device has all its bytes already.
  const target = filled(volume, "target", new Uint8Array(18 * MIB));
  volume.sync();
  const { stop } = countMemory();
  const count = volume.copyRange(source, 0, target, 0, 18 * MIB);
  const memory = stop();
  assertEquals(count, COPY_BYTES_MAX);
  assert(memory.allocatedBytes < 400 * 1024, `${memory.allocatedBytes} bytes`);
  assertEquals(volume.copyRange(source, count, target, count, 18 * MIB), 2 * MIB);
  assertEquals(contentsOf(volume, target), contentsOf(volume, source));
  volume.close();
});

Deno.test("Volume.copyRange() looks at 1,024 pieces and holes a call", () => {
  onVolume((volume) => {
    const source = filled(volume, "source", random(0));
    for (let block = 1; block < 1400; block += 2) volume.write(source, random(9), block * BLOCK);
    const target = filled(volume, "target", random(0));
    const { size } = volume.getattr(source);
    const count = volume.copyRange(source, 0, target, 0, size);
    assertEquals(count, 1024 * BLOCK);
    assertEquals(volume.copyRange(source, count, target, count, size), size - count);
    assertEquals(contentsOf(volume, target), contentsOf(volume, source));
    assertEquals(volume.getattr(target).blocks, volume.getattr(source).blocks);
  });
});

for (const durability of ["fsync", "op"] as const) {
  Deno.test(`Volume.copyRange() on a full device counts what it has copied, durability ${durability}`, () => {
    const inner = memoryHandle();
    const volume = openVolumeSync(new LimitedHandle(inner, 3 * MIB), { durability });
    const bytes = random(MIB);
    const source = filled(volume, "source", bytes);
    const target = filled(volume, "target", random(0));
    let done = 0;
    for (let round = 0; done < 4 * MIB; round++) {
      const at = done % MIB;
      let count: number;
      try {
        count = volume.copyRange(source, at, target, done, MIB - at);
      } catch (error) {
        assertEquals((error as { code?: string }).code, "ENOSPC");
        break;
      }
      assertNotEquals(count, 0);
      done += count;
    }
    assertEquals(volume.getattr(target).size, done);
    assert(done > MIB / 2 && done < 3 * MIB, `${done} bytes`);
    const copied = contentsOf(volume, target);
    for (let at = 0; at < done; at += MIB) {
      assertEquals(copied.subarray(at, at + MIB), bytes.subarray(0, Math.min(MIB, done - at)));
    }
    volume.close();
    assertEquals(checkVolume(inner).violations, []);
  });
}

Deno.test("Volume.copyRange() counts what is before a block that cannot be read", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const source = filled(volume, "source", random(MIB));
  const target = filled(volume, "target", random(0));
  volume.sync();
  const read = handle.read.bind(handle);
  let reads = 0;
  handle.read = (into, options) => {
    if (++reads === 3) throw new Error("the device does not read");
    return read(into, options);
  };
  const count = volume.copyRange(source, 0, target, 0, MIB);
  assertEquals([count, volume.getattr(target).size], [512 * 1024, 512 * 1024]);
  volume.close();
});

Deno.test("Volume.copyRange() that counts more than was asked for fails the volume", () => {
  const volume = openVolumeSync(memoryHandle());
  const source = filled(volume, "source", random(10));
  const target = filled(volume, "target", random(0));
  volume.write = () => 11;
  fails("EIO", () => volume.copyRange(source, 0, target, 0, 10));
  fails("EROFS", () => volume.copyRange(source, 0, target, 0, 10));
});
