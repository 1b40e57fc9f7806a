/** Device calls, exact: what a call costs, through a counting handle. */
import { assert, assertEquals } from "@std/assert";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { checkVolume } from "../../../opfs/volume/tools/check.ts";
import { openVolumeSync, type VolumeOptions } from "../../../opfs/volume/load/mount.ts";
import type { Volume } from "../../../opfs/volume/volume.ts";
import { stateOf } from "../../support/engine_state.ts";
import { FaultyHandle } from "../../support/faulty_handle.ts";

const FILE = { mode: 0o100644, uid: 0, gid: 0 };

interface Cost {
  reads: number;
  writes: number;
  flushes: number;
}

/** A volume on a device that counts. */
function counted(
  options: VolumeOptions = {},
): { volume: Volume; cost: (act: () => void) => Cost; end: () => void } {
  const device = memoryHandle();
  const handle = new FaultyHandle(device, { call: Infinity, isForEver: false });
  const volume = openVolumeSync(handle, options);
  return {
    volume,
    cost(act): Cost {
      const before = { ...handle.counts };
      act();
      return {
        reads: handle.counts.read - before.read,
        writes: handle.counts.write - before.write,
        flushes: handle.counts.flush - before.flush,
      };
    },
    end(): void {
      volume.close();
      assertEquals(checkVolume(device).violations, []);
    },
  };
}

Deno.test("Volume makes a small call durable with 1 write and 1 flush", () => {
  const { volume, cost, end } = counted();
  const { root } = volume;
  let ino = 0;
  const calls: [string, () => void][] = [
    ["create", () => ino = volume.create(root, "a", FILE)],
    ["append", () => volume.append(ino, new Uint8Array(100))],
    ["append of 64 KiB", () => volume.append(ino, new Uint8Array(64 * 1024))],
    ["overwrite", () => volume.write(ino, new Uint8Array(100), 50)],
    ["overwrite of 64 KiB", () => volume.write(ino, new Uint8Array(64 * 1024), 0)],
    ["chmod", () => volume.setattr(ino, { mode: 0o600 })],
    ["truncate", () => volume.setattr(ino, { size: 10 })],
    ["rename", () => volume.rename(root, "a", root, "b", 0)],
    ["link", () => volume.link(ino, root, "c")],
    ["symlink", () => volume.create(root, "l", { ...FILE, mode: 0o120777, target: "b" })],
    ["unlink", () => volume.unlink(root, "b")],
    ["mkdir", () => volume.create(root, "d", { ...FILE, mode: 0o040755 })],
    ["rmdir", () => volume.rmdir(root, "d")],
  ];
  for (const [call, act] of calls) {
    assertEquals(
      cost(() => {
        act();
        volume.fsync(root);
      }),
      { reads: 0, writes: 1, flushes: 1 },
      call,
    );
  }
  end();
});

Deno.test("Volume makes a large write durable with its data, a record and 2 flushes", () => {
  const { volume, cost, end } = counted();
  const ino = volume.create(volume.root, "a", FILE);
  volume.sync();
  const write = () => {
    volume.write(ino, new Uint8Array(1 << 20), 0);
    volume.fsync(ino);
  };
  assertEquals(cost(write), { reads: 0, writes: 2, flushes: 2 });
  assertEquals(cost(write), { reads: 0, writes: 2, flushes: 2 });
  end();
});

Deno.test("Volume makes nothing durable for nothing", () => {
  const { volume, cost, end } = counted();
  assertEquals(cost(() => volume.sync()), { reads: 0, writes: 0, flushes: 0 });
  end();
});

Deno.test("Volume writes 1,000 small files in at most 24 writes and 2 flushes", () => {
  const { volume, cost, end } = counted();
  const bytes = new Uint8Array(1024).fill(1);
  const { reads, writes, flushes } = cost(() => {
    for (let index = 0; index < 1000; index++) {
      volume.write(volume.create(volume.root, `file-${index}`, FILE), bytes, 0);
    }
    volume.sync();
  });
  assertEquals(reads, 0);
  assert(writes <= 24 && flushes <= 2, `${writes} writes, ${flushes} flushes`);
  end();
});

Deno.test("Volume writes 10,000 appends of 4 KiB in at most 60 writes", () => {
  const { volume, cost, end } = counted();
  const ino = volume.create(volume.root, "a", FILE);
  const { reads, writes } = cost(() => {
    for (let index = 0; index < 10_000; index++) volume.append(ino, new Uint8Array(4096));
    volume.sync();
  });
  assertEquals(reads, 0);
  assert(writes <= 60, `${writes} writes`);
  end();
});

Deno.test("Volume answers lookup, stat and readdir without a device call", () => {
  const { volume, cost, end } = counted();
  for (let index = 0; index < 600; index++) volume.create(volume.root, `f${index}`, FILE);
  const calls = () => {
    for (let after = 0;;) {
      const entries = volume.readdir(volume.root, after);
      if (entries.length === 0) break;
      for (const { name } of entries) volume.getattr(volume.lookup(volume.root, name));
      after = entries.at(-1)!.cursor;
    }
    volume.statfs();
  };
  assertEquals(cost(calls), { reads: 0, writes: 0, flushes: 0 });
  end();
});

Deno.test("Volume renames a directory of 100,000 descendants like any name", () => {
  const { volume, cost, end } = counted();
  const directory = volume.create(volume.root, "d", { ...FILE, mode: 0o040755 });
  // As deep as wide: 100,000 descendants.
  for (let outer = 0; outer < 100; outer++) {
    const inner = volume.create(directory, `d${outer}`, { ...FILE, mode: 0o040755 });
    for (let index = 0; index < 999; index++) volume.create(inner, `f${index}`, FILE);
  }
  volume.sync();
  const rename = () => {
    volume.rename(volume.root, "d", volume.root, "e", 0);
    volume.sync();
  };
  assertEquals(cost(rename), { reads: 0, writes: 1, flushes: 1 });
  end();
});

Deno.test("openVolumeSync() reads 50,000 files in at most 8 reads", () => {
  const device = memoryHandle();
  const volume = openVolumeSync(device);
  for (let index = 0; index < 50_000; index++) volume.create(volume.root, `f${index}`, FILE);
  volume.close();
  const handle = new FaultyHandle(device, { call: Infinity, isForEver: false });
  const again = openVolumeSync(handle);
  assertEquals(again.stats().names, 50_000);
  assert(handle.counts.read <= 8, `${handle.counts.read} reads`);
  again.close();
});

/** Flushes of ten small calls and a sync, by durability. */
const FLUSHES: readonly [VolumeOptions["durability"], number, number][] = [
  ["op", 10, 0],
  ["fsync", 0, 1],
  ["periodic", 0, 1],
];

for (const [durability, atCalls, atSync] of FLUSHES) {
  Deno.test(`durability "${durability}" flushes ${atCalls} times in 10 calls, ${atSync} at a sync`, () => {
    const { volume, cost, end } = counted({ durability });
    volume.sync();
    const calls = cost(() => {
      for (let index = 0; index < 10; index++) volume.create(volume.root, `f${index}`, FILE);
    });
    assertEquals([calls.flushes, calls.writes], [atCalls, atCalls]);
    assertEquals(cost(() => volume.sync()).flushes, atSync);
    end();
  });
}

Deno.test('durability "periodic" flushes at the first call after the interval, once', () => {
  let now = 0;
  const options = { durability: "periodic", commitIntervalMs: 100, clock: () => now } as const;
  const { volume, cost, end } = counted(options);
  volume.sync();
  const create = (name: string) => cost(() => void volume.create(volume.root, name, FILE)).flushes;
  assertEquals([create("a"), create("b")], [0, 0]);
  now = 101;
  assertEquals([create("c"), create("d")], [1, 0]);
  end();
});

/** Where a file's blocks are: none of them may ever be elsewhere later. */
function placesOf(volume: Volume, ino: number): Map<number, number> {
  const places = new Map<number, number>();
  for (const { fileBlock, block, count } of stateOf(volume).extents.runsOf((ino >>> 0) - 1)) {
    for (let index = 0; index < count; index++) places.set(fileBlock + index, block + index);
  }
  return places;
}

const PATTERNS: readonly [string, (round: number) => [file: number, bytes: number]][] = [
  ["one file by 4 KiB", () => [0, 4096]],
  ["one file by odd lengths", (round) => [0, 1 + round * 37 % 9000]],
  ["two files in turns", (round) => [round % 2, 4096]],
  ["three files, small and large", (round) => [round % 3, [100, 5000, 150_000][round % 3]!]],
  ["one file by 128 KiB", () => [0, 128 * 1024]],
];

for (const [name, pattern] of PATTERNS) {
  Deno.test(`Volume relocates 0 bytes when files grow: ${name}`, () => {
    const { volume, cost, end } = counted();
    const inos = ["a", "b", "c"].map((file) => volume.create(volume.root, file, FILE));
    let appended = 0;
    let before = inos.map((ino) => placesOf(volume, ino));
    const { reads } = cost(() => {
      for (let round = 0; round < 400; round++) {
        const [file, bytes] = pattern(round);
        volume.append(inos[file]!, new Uint8Array(bytes).fill(round));
        appended += bytes;
        if (round % 50 !== 49) continue;
        volume.sync();
        const after = inos.map((ino) => placesOf(volume, ino));
        for (const [index, places] of before.entries()) {
          for (const [fileBlock, block] of places) {
            assertEquals(after[index]!.get(fileBlock), block, `block ${fileBlock} has moved`);
          }
        }
        before = after;
      }
    });
    assert(appended > 0 && reads === 0, `${reads} reads`);
    end();
  });
}
