/** Device calls, exact: what a call costs, through a counting handle. */
import { assert, assertEquals } from "@std/assert";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { checkVolume } from "../../../opfs/volume/check.ts";
import { openVolumeSync } from "../../../opfs/volume/mount.ts";
import type { Volume } from "../../../opfs/volume/volume.ts";
import { FaultyHandle } from "../../support/faulty_handle.ts";

const FILE = { mode: 0o100644, uid: 0, gid: 0 };

interface Cost {
  reads: number;
  writes: number;
  flushes: number;
}

/** A volume on a device that counts. */
function counted(): { volume: Volume; cost: (act: () => void) => Cost; end: () => void } {
  const device = memoryHandle();
  const handle = new FaultyHandle(device, { call: Infinity, isForEver: false });
  const volume = openVolumeSync(handle);
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
    ["append of 60 KiB", () => volume.append(ino, new Uint8Array(60 * 1024))],
    ["overwrite", () => volume.write(ino, new Uint8Array(100), 50)],
    ["overwrite of 60 KiB", () => volume.write(ino, new Uint8Array(60 * 1024), 0)],
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

Deno.test("Volume renames a directory of many descendants like any name", () => {
  const { volume, cost, end } = counted();
  const directory = volume.create(volume.root, "d", { ...FILE, mode: 0o040755 });
  for (let index = 0; index < 3000; index++) volume.create(directory, `f${index}`, FILE);
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
