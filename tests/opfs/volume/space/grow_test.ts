import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { loadImage } from "../../../../opfs/volume/load/image.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { scan } from "../../../../opfs/volume/load/scan.ts";
import { CrashHandle } from "../../../support/crash_handle.ts";
import { stateOf } from "../../../support/engine_state.ts";
import { LimitedHandle } from "../../../support/limited_handle.ts";
import { contentsOf } from "../../../support/model_tree.ts";
import { FILE, onVolume } from "../../../support/on_volume.ts";
import { prng } from "../../../support/prng.ts";

Deno.test("a volume grows its slots and names in segments", () => {
  let freeInodes = 0;
  onVolume((volume) => {
    for (let index = 0; index < 12_000; index++) {
      volume.create(volume.root, `${"n".repeat(index % 90)} ${index}`, FILE);
    }
    assertEquals(volume.stats().slots, 25_600);
    freeInodes = volume.statfs().freeInodes;
  }, (volume) => {
    assertEquals(volume.statfs().freeInodes, freeInodes, "as a mount counts them");
    for (let index = 0; index < 12_000; index += 7) {
      assert(volume.lookup(volume.root, `${"n".repeat(index % 90)} ${index}`) !== 0);
    }
    assertEquals(volume.stats().names, 12_000);
  });
});

Deno.test("a volume grows its bitmap when it has more blocks than bits", () => {
  const handle = memoryHandle();
  let volume = openVolumeSync(handle, { blockSize: 512 });
  const ino = volume.create(volume.root, "a", FILE);
  const bytes = new Uint8Array(1 << 20);
  for (let index = 0; index < 20; index++) volume.append(ino, bytes.fill(index + 1));
  volume.close();
  assert(checkVolume(handle).totalBlocks > 32768);
  assertEquals(checkVolume(handle).violations, []);
  volume = openVolumeSync(handle);
  const read = contentsOf(volume, volume.lookup(volume.root, "a"));
  for (let index = 0; index < 20; index++) assertEquals(read[(index << 20) + 77], index + 1);
  volume.unlink(volume.root, "a");
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
});

Deno.test("a volume that cannot grow its tables uses what it has, to the last slot", () => {
  const device = memoryHandle();
  openVolumeSync(device).close();
  const volume = openVolumeSync(new LimitedHandle(device, device.getSize()));
  let count = 0;
  assertThrows(
    () => {
      for (;; count++) volume.create(volume.root, `f${count}`, FILE);
    },
    ErrnoError,
    "ENOSPC",
  );
  assertEquals(count, 1024 - 32);
  volume.unlink(volume.root, "f0");
  volume.create(volume.root, "again", FILE);
  volume.close();
  assertEquals(checkVolume(device).violations, []);
});

Deno.test("files that grow in turns stay in long runs, and small files lie side by side", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const small = Array.from(
    { length: 10 },
    (_, index) => volume.create(volume.root, `s${index}`, FILE),
  );
  for (const ino of small) volume.write(ino, new Uint8Array(1000), 0);
  const inos = ["a", "b", "c"].map((name) => volume.create(volume.root, name, FILE));
  for (let index = 0; index < 500; index++) {
    for (const ino of inos) volume.append(ino, new Uint8Array(4096).fill(index));
  }
  for (const ino of inos) {
    const bytes = contentsOf(volume, ino);
    for (let index = 0; index < 500; index++) assertEquals(bytes[index * 4096], index & 255);
  }
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
  const { tables, superblock, segments } = loadImage(handle);
  const { extents } = scan(tables, superblock, segments);
  const firstBlocks = small.map((ino) => extents.runsOf((ino >>> 0) - 1)[0]!.block);
  assertEquals(firstBlocks, firstBlocks.map((_, index) => firstBlocks[0]! + index));
  for (const ino of inos) {
    const runs = extents.runsOf((ino >>> 0) - 1);
    assert(runs.length <= 10, `${runs.length} runs`);
  }
});

/** Bits of a new volume's bitmap, and with its second segment. */
const COVERED = [32_768, 163_840] as const;

Deno.test("one allocation may carry a volume past several sizes of its bitmap", () => {
  for (const blockSize of [512, 4096, 16384]) {
    for (const blocks of [COVERED[1] - 1, COVERED[1] + 1, 4 * COVERED[1], 27 * COVERED[1]]) {
      onVolume((volume) => {
        volume.allocate(volume.create(volume.root, "f", FILE), 0, 0, blocks * blockSize);
        volume.sync();
        volume.unlink(volume.root, "f");
        for (let index = 0; index < 3; index++) {
          volume.create(volume.root, `x${index}`, FILE);
          volume.sync();
        }
      }, (volume) => {
        const ino = volume.create(volume.root, "again", FILE);
        volume.allocate(ino, 0, 0, blocks * blockSize);
        assertEquals(volume.getattr(ino).size, blocks * blockSize);
      }, { blockSize });
    }
  }
});

Deno.test("a bitmap that grows has bits for its own new segment too", () => {
  // Without the segment's 32 blocks some of these would just fit.
  for (let spare = 0; spare < 240; spare += 12) {
    onVolume(
      (volume) => {
        const bytes = (COVERED[1] - spare) * 512;
        volume.allocate(volume.create(volume.root, "f", FILE), 0, 0, bytes);
        const rest = volume.stats().freeBlocks * 512;
        volume.allocate(volume.create(volume.root, "g", FILE), 0, 0, rest);
      },
      (volume) => assertEquals(volume.stats().names, 2),
      { blockSize: 512 },
    );
  }
});

Deno.test("a volume grows for the longest target and its sum, whatever is free", () => {
  for (const blockSize of [512, 1024, 4096]) {
    const device = memoryHandle();
    const volume = openVolumeSync(device, { blockSize });
    const { bitmap } = stateOf(volume);
    const target = "t".repeat(4095);
    const most = Math.ceil(4100 / blockSize);
    for (let free = most; free >= 0; free--) {
      while (bitmap.free !== free) {
        const ino = volume.create(volume.root, `f${volume.stats().names}`, FILE);
        volume.write(ino, new Uint8Array(1), 0);
      }
      const link = { uid: 0, gid: 0, mode: 0o120777, target };
      const ino = volume.create(volume.root, `${free} are free`, link);
      assertEquals(volume.readlink(ino), target);
    }
    volume.close();
    assertEquals(checkVolume(device).violations, []);
  }
});

Deno.test("a table grows into free blocks where the file cannot become longer, whatever a crash leaves", () => {
  const handle = new CrashHandle();
  let volume = openVolumeSync(handle, { slots: 64, limitBytes: 3 << 20, ringBytes: 131_072 });
  const ino = volume.create(volume.root, "big", FILE);
  const bytes = new Uint8Array(65_536).fill(0x11);
  assertThrows(
    () => {
      for (let at = 0;; at += 65_536) volume.write(ino, bytes, at);
    },
    ErrnoError,
    "ENOSPC",
  );
  volume.unlink(volume.root, "big");
  volume.sync();
  const from = handle.changes.length;
  const length = handle.getSize();
  for (let index = 0; index < 200; index++) volume.create(volume.root, `f${index}`, FILE);
  volume.sync();
  assertEquals([handle.getSize(), volume.stats().slots], [length, 320]);
  const last = handle.changes.length;
  for (const { bytes: image, point, model } of handle.crashes(prng(7), from)) {
    const device = memoryHandle(image);
    assertEquals(checkVolume(device).violations, [], `${model} at ${point}`);
    const again = openVolumeSync(device);
    if (point >= last) assertEquals(again.stats().names, 200);
    again.close();
  }
  volume.close();
  volume = openVolumeSync(handle);
  assertEquals(volume.stats().names, 200);
  volume.close();
});
