/** Sizes, holes and many runs. */
import { assert, assertEquals } from "@std/assert";
import { contentsOf } from "../../../support/model_tree.ts";
import { fails, FILE, onVolume } from "../../../support/on_volume.ts";

Deno.test("Volume.setattr() changes sizes, and zeros what is made longer again", () => {
  onVolume((volume) => {
    const ino = volume.create(volume.root, "a", FILE);
    volume.write(ino, new Uint8Array(10_000).fill(1), 0);
    for (const size of [-5, 3.5, NaN, Infinity]) {
      fails("EINVAL", () => volume.setattr(ino, { size }));
    }
    fails("EFBIG", () => volume.setattr(ino, { size: 2 ** 53 }));
    volume.setattr(ino, { size: 100 });
    volume.setattr(ino, { size: 9000 });
    volume.write(ino, new Uint8Array([9]), 20_000);
    fails("EISDIR", () => volume.setattr(volume.root, { size: 0 }));
  }, (volume) => {
    const bytes = contentsOf(volume, volume.lookup(volume.root, "a"));
    const expected = new Uint8Array(20_001);
    expected.fill(1, 0, 100);
    expected[20_000] = 9;
    assertEquals(bytes, expected);
  });
});

Deno.test("Volume has holes that own nothing and read as zeros", () => {
  onVolume((volume) => {
    const ino = volume.create(volume.root, "a", FILE);
    const far = (2 ** 31 - 2) * 4096;
    volume.write(ino, new Uint8Array([1, 2]), far);
    assertEquals(volume.getattr(ino).blocks, 8);
    fails("EFBIG", () => volume.write(ino, new Uint8Array(1), far + 4096));
    assertEquals(volume.write(ino, new Uint8Array(10), far + 4092), 4);
    volume.setattr(ino, { size: Number.MAX_SAFE_INTEGER });
    const bytes = new Uint8Array(9).fill(5);
    assertEquals(volume.read(ino, bytes, 2 ** 52), 9);
    assertEquals(bytes, new Uint8Array(9));
    assertEquals(volume.read(ino, bytes, Number.MAX_SAFE_INTEGER - 3), 3);
  }, (volume) => {
    const bytes = new Uint8Array(3);
    volume.read(volume.lookup(volume.root, "a"), bytes, (2 ** 31 - 2) * 4096);
    assertEquals(bytes, new Uint8Array([1, 2, 0]));
  });
});

Deno.test("Volume keeps thousands of runs of one file", () => {
  onVolume((volume) => {
    const ino = volume.create(volume.root, "a", FILE);
    for (let index = 0; index < 3000; index++) {
      const at = index * 7919 % 3000 * 2 * 512;
      volume.write(ino, new Uint8Array(512).fill(1 + index % 255), at);
    }
    assertEquals(volume.getattr(ino).blocks, 3000);
    volume.sync();
    volume.setattr(ino, { size: 2_000_000 });
  }, (volume) => {
    const ino = volume.lookup(volume.root, "a");
    const bytes = contentsOf(volume, ino);
    for (let index = 0; index < 3000; index++) {
      const at = index * 7919 % 3000 * 2 * 512;
      if (at < 2_000_000) assertEquals(bytes[at], 1 + index % 255);
    }
    volume.unlink(volume.root, "a");
    volume.sync();
    const tables = 8 * 2 * 1024 * 64 / 512;
    assert(volume.statfs().freeBlocks >= volume.statfs().blocks - tables);
  }, { blockSize: 512 });
});

Deno.test("Volume keeps within its records what is written to both ends of a large logged block", () => {
  for (const blockSize of [32_768, 1 << 20]) {
    onVolume((volume) => {
      const ino = volume.create(volume.root, "a", FILE);
      volume.setattr(ino, { size: blockSize });
      volume.write(ino, new Uint8Array(100).fill(1), 0);
      volume.sync();
      volume.write(ino, new Uint8Array(100).fill(1), 0);
      volume.sync();
      volume.write(ino, new Uint8Array(100).fill(2), 0);
      volume.write(ino, new Uint8Array(100).fill(3), blockSize - 100);
      volume.sync();
      volume.setattr(ino, { size: 50 });
      volume.setattr(ino, { size: 2 * blockSize });
      volume.sync();
      volume.write(ino, new Uint8Array(20_000).fill(4), 10_000);
    }, (volume) => {
      const expected = new Uint8Array(2 * blockSize).fill(2, 0, 50).fill(4, 10_000, 30_000);
      assertEquals(contentsOf(volume, volume.lookup(volume.root, "a")), expected);
    }, { blockSize, ringBytes: 128 * 1024 });
  }
});

Deno.test("Volume.setattr() changes sizes beyond all blocks that a file can have", () => {
  for (const blockSize of [512, 4096, 1 << 20]) {
    const limit = (2 ** 31 - 1) * blockSize;
    const far = [2 ** 53 - 1, 2 ** 53 - 2, limit + blockSize, limit + 1, limit, limit - 1, 5];
    onVolume((volume) => {
      const ino = volume.create(volume.root, "a", FILE);
      volume.write(ino, new Uint8Array([1, 2, 3]), 0);
      for (const size of far) {
        volume.setattr(ino, { size });
        volume.write(ino, new Uint8Array([4]), limit - 1 < size ? limit - 1 : 1);
      }
      assertEquals(volume.getattr(ino).blocks, blockSize / 512);
    }, (volume) => {
      const bytes = contentsOf(volume, volume.lookup(volume.root, "a"));
      assertEquals(bytes, new Uint8Array([1, 4, 3, 0, 0]));
    }, { blockSize });
  }
});
