/** What is zeroed or written over in large blocks has happened as a whole, or not at all. */
import { assertEquals } from "@std/assert";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
} from "../../../../abi/flags.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import type { Volume } from "../../../../opfs/volume/volume.ts";
import { FILE } from "../../../support/on_volume.ts";

const KIB = 1024;
const SIZE = 300 * KIB;
const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

/** A call, and what the file's bytes are after it. */
interface Act {
  run: (volume: Volume, ino: number) => number | void;
  after: (bytes: Uint8Array, count: number) => Uint8Array;
}

function zeroed(mode: number, at: number, length: number): Act {
  return {
    run: (volume, ino) => volume.allocate(ino, mode, at, length),
    after: (bytes) => bytes.fill(0, at, at + length),
  };
}

const ACTS: Record<string, Act> = {
  "zeroes a part of one block": zeroed(FALLOC_FL_ZERO_RANGE, 100, 11 * KIB),
  "zeroes two edges": zeroed(FALLOC_FL_ZERO_RANGE, 40 * KIB, 61 * KIB),
  "zeroes two edges and blocks": zeroed(FALLOC_FL_ZERO_RANGE, 63 * KIB, 150 * KIB),
  "zeroes over the end": {
    run: (volume, ino) => volume.allocate(ino, FALLOC_FL_ZERO_RANGE, SIZE - 5 * KIB, 90 * KIB),
    after: (bytes) => {
      const longer = new Uint8Array(SIZE + 85 * KIB);
      longer.set(bytes.fill(0, SIZE - 5 * KIB));
      return longer;
    },
  },
  "punches between blocks": zeroed(PUNCH, 40 * KIB, 61 * KIB),
  "writes over a part of a block": {
    run: (volume, ino) => volume.write(ino, new Uint8Array(40 * KIB).fill(2), 100),
    after: (bytes, count) => bytes.fill(2, 100, 100 + count),
  },
};

/** A volume where each call is durable, a file in it, and how to let the device refuse writes. */
function setUp(blockSize: number, ringBytes: number) {
  const device = memoryHandle();
  const meter = { left: Infinity };
  const handle = {
    read: (into: Uint8Array, options: { at: number }) => device.read(into, options),
    write(from: Uint8Array, options: { at: number }): number {
      if (meter.left-- > 0) return device.write(from, options);
      throw Object.assign(new Error("no room"), { name: "QuotaExceededError" });
    },
    truncate: (size: number) => device.truncate(size),
    getSize: () => device.getSize(),
    flush: () => device.flush(),
    close: () => {},
  };
  const volume = openVolumeSync(handle, { durability: "op", blockSize, ringBytes });
  const ino = volume.create(volume.root, "f", FILE);
  volume.write(ino, new Uint8Array(SIZE).fill(1), 0);
  volume.sync();
  return { device, meter, volume, ino };
}

function bytesOf(volume: Volume, ino: number): Uint8Array {
  const bytes = new Uint8Array(volume.getattr(ino).size);
  volume.read(ino, bytes, 0);
  return bytes;
}

for (
  const [blockSize, ringKib] of [[65536, 128], [65536, 512], [16384, 128], [4096, 128]] as const
) {
  for (const [name, act] of Object.entries(ACTS)) {
    Deno.test(`a refused call that ${name} of ${blockSize} has not happened, ring ${ringKib} KiB`, () => {
      let isDone = false;
      for (let left = 0; left < 30 && !isDone; left++) {
        const { device, meter, volume, ino } = setUp(blockSize, ringKib * KIB);
        const before = volume.getattr(ino);
        meter.left = left;
        let count: number | void = 0;
        let code = "";
        try {
          count = act.run(volume, ino);
        } catch (error) {
          code = (error as { code: string }).code;
        }
        meter.left = Infinity;
        const attributes = volume.getattr(ino);
        const bytes = new Uint8Array(SIZE).fill(1);
        const want = code === "" ? act.after(bytes, count ?? 0) : bytes;
        const isSame = bytesOf(volume, ino).every((byte, at) => byte === want[at]);
        assertEquals({ left, isSame }, { left, isSame: true });
        if (code !== "") {
          assertEquals([code, attributes], ["ENOSPC", before]);
        } else if (count === undefined || count === 40 * KIB) isDone = true;
        volume.sync();
        volume.close();
        assertEquals(checkVolume(device).violations, []);
      }
      assertEquals(isDone, true);
    });
  }
}

Deno.test("an edge that moves into another block leaves no block that nothing owns", () => {
  const { meter, volume, ino } = setUp(65536, 512 * KIB);
  const owned = volume.getattr(ino).blocks;
  for (let turn = 0; turn < 40; turn++) {
    volume.allocate(ino, FALLOC_FL_ZERO_RANGE, 1 + turn * KIB, 70 * KIB);
  }
  assertEquals([volume.getattr(ino).blocks, meter.left], [owned, Infinity]);
  volume.close();
});
