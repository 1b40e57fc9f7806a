/** The classic cases, by name: each crashed at every device call, in every model. */
import { assert, assertEquals } from "@std/assert";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import { CrashHandle } from "../support/crash_handle.ts";
import { contentsOf } from "../support/model_tree.ts";
import { DIRECTORY, FILE } from "../support/on_volume.ts";
import { prng } from "../support/prng.ts";

/** Whether the last sync had returned when it crashed. */
type Look = (volume: Volume, isDurable: boolean) => void;

/** Prepares, works, syncs, and looks at every image that a crash in between could leave. */
function crashed(parts: {
  before: (volume: Volume) => void;
  work: (volume: Volume) => void;
  look: Look;
}): void {
  const options = { ringBytes: 128 * 1024, poolBytes: 1 << 18 };
  const handle = new CrashHandle();
  const volume = openVolumeSync(handle, options);
  parts.before(volume);
  volume.sync();
  const from = handle.changes.length;
  parts.work(volume);
  volume.sync();
  const durable = handle.changes.length;
  volume.close();
  for (const { bytes, model, point } of handle.crashes(prng(1), from)) {
    const device = memoryHandle(bytes);
    const again = openVolumeSync(device, options);
    const where = `${model} at ${point} of ${from} to ${handle.changes.length}`;
    assertEquals(again.report.corrected, [], where);
    try {
      parts.look(again, point >= durable);
    } catch (error) {
      throw new Error(`${where}: ${(error as Error).message}`);
    }
    again.close();
    assertEquals(checkVolume(device).violations, [], where);
  }
}

const bytesOf = (volume: Volume, name: string): Uint8Array =>
  contentsOf(volume, volume.lookup(volume.root, name));
const make = (volume: Volume, name: string, length: number, value: number): number => {
  const ino = volume.create(volume.root, name, FILE);
  volume.write(ino, new Uint8Array(length).fill(value), 0);
  return ino;
};
const isAll = (bytes: Uint8Array, value: number): boolean => bytes.every((byte) => byte === value);

for (const length of [700, 5000, 150_000]) {
  Deno.test(`rename over a file of ${length} bytes shows the old or the new one`, () => {
    crashed({
      before: (volume) => void make(volume, "a", length, 1),
      work(volume): void {
        make(volume, "a.new", length, 2);
        volume.rename(volume.root, "a.new", volume.root, "a", 0);
      },
      look(volume, isDurable): void {
        const bytes = bytesOf(volume, "a");
        assertEquals(bytes.length, length);
        assert(isAll(bytes, 2) || !isDurable && isAll(bytes, 1));
      },
    });
  });

  Deno.test(`append of ${length} bytes into a used tail block shows all of it or nothing`, () => {
    crashed({
      before: (volume) => void make(volume, "a", 1000, 1),
      work: (volume) =>
        void volume.append(volume.lookup(volume.root, "a"), new Uint8Array(length).fill(2)),
      look(volume, isDurable): void {
        const bytes = bytesOf(volume, "a");
        assert(isAll(bytes.subarray(0, 1000), 1) && isAll(bytes.subarray(1000), 2));
        assert(bytes.length === 1000 + length || !isDurable && bytes.length === 1000);
      },
    });
  });
}

Deno.test("truncate, then extend: what was cut off is never seen again", () => {
  crashed({
    before: (volume) => void make(volume, "a", 9000, 7),
    work(volume): void {
      const ino = volume.lookup(volume.root, "a");
      volume.setattr(ino, { size: 100 });
      volume.setattr(ino, { size: 8000 });
    },
    look(volume, isDurable): void {
      const bytes = bytesOf(volume, "a");
      const isOld = bytes.length === 9000 && isAll(bytes, 7);
      const isNew = bytes.length === 8000 && isAll(bytes.subarray(0, 100), 7) &&
        isAll(bytes.subarray(100), 0);
      assert(isNew || !isDurable && isOld, `${bytes.length} bytes`);
    },
  });
});

Deno.test("truncate in one sync, extend in the next: zeros", () => {
  crashed({
    before(volume): void {
      volume.setattr(make(volume, "a", 9000, 7), { size: 100 });
    },
    work: (volume) => volume.setattr(volume.lookup(volume.root, "a"), { size: 4096 }),
    look(volume): void {
      const bytes = bytesOf(volume, "a");
      assert(isAll(bytes.subarray(0, 100), 7) && isAll(bytes.subarray(100), 0));
    },
  });
});

Deno.test("a hole that is filled shows zeros around what was written", () => {
  crashed({
    before: (volume) => volume.setattr(make(volume, "a", 10, 1), { size: 100_000 }),
    work: (volume) =>
      void volume.write(volume.lookup(volume.root, "a"), new Uint8Array(100).fill(2), 50_000),
    look(volume, isDurable): void {
      const bytes = bytesOf(volume, "a");
      const middle = bytes.subarray(50_000, 50_100);
      assert(isAll(bytes.subarray(10, 50_000), 0) && isAll(bytes.subarray(50_100), 0));
      assert(isAll(middle, 2) || !isDurable && isAll(middle, 0));
    },
  });
});

Deno.test("a block that is freed and reused never shows the other file's bytes", () => {
  crashed({
    before: (volume) => void make(volume, "secret", 200_000, 99),
    work(volume): void {
      volume.unlink(volume.root, "secret");
      volume.sync();
      make(volume, "a", 190_000, 1);
    },
    look(volume): void {
      if (volume.lookup(volume.root, "a") !== 0) assert(isAll(bytesOf(volume, "a"), 1));
      if (volume.lookup(volume.root, "secret") !== 0) assert(isAll(bytesOf(volume, "secret"), 99));
    },
  });
});

Deno.test("a logged block that is overwritten largely keeps what was synced last", () => {
  crashed({
    before(volume): void {
      const ino = make(volume, "a", 100_000, 1);
      volume.sync();
      volume.write(ino, new Uint8Array(3000).fill(2), 0);
    },
    work(volume): void {
      volume.write(volume.lookup(volume.root, "a"), new Uint8Array(100_000).fill(3), 0);
      volume.sync();
      for (let index = 0; index < 30; index++) make(volume, `f${index}`, 4000, 5);
    },
    look(volume, isDurable): void {
      const bytes = bytesOf(volume, "a");
      assert(bytes.every((byte, at) => byte === 3 || byte === (at < 3000 ? 2 : 1)));
      if (isDurable) assert(isAll(bytes, 3));
    },
  });
});

Deno.test("link, unlink, sync: one name or the other, never none and never two inodes", () => {
  crashed({
    before: (volume) => void make(volume, "a", 10, 1),
    work(volume): void {
      volume.link(volume.lookup(volume.root, "a"), volume.root, "b");
      volume.unlink(volume.root, "a");
    },
    look(volume, isDurable): void {
      const found = ["a", "b"].filter((name) => volume.lookup(volume.root, name) !== 0);
      assertEquals(found.length, 1);
      if (isDurable) assertEquals(found, ["b"]);
      assertEquals(volume.getattr(volume.lookup(volume.root, found[0]!)).nlink, 1);
    },
  });
});

Deno.test("a directory that is moved with what is in it is in one place", () => {
  crashed({
    before(volume): void {
      const from = volume.create(volume.root, "from", DIRECTORY);
      volume.create(volume.root, "to", DIRECTORY);
      const moved = volume.create(from, "moved", DIRECTORY);
      for (let index = 0; index < 50; index++) volume.create(moved, `f${index}`, FILE);
    },
    work(volume): void {
      const [from, to] = ["from", "to"].map((name) => volume.lookup(volume.root, name));
      volume.rename(from!, "moved", to!, "there", 0);
    },
    look(volume, isDurable): void {
      const [from, to] = ["from", "to"].map((name) => volume.lookup(volume.root, name));
      const places = [volume.lookup(from!, "moved"), volume.lookup(to!, "there")];
      assertEquals(places.filter((ino) => ino !== 0).length, 1);
      if (isDurable) assertEquals(places[0], 0);
      assertEquals(volume.readdir(places[0]! || places[1]!, 0).length, 50);
    },
  });
});

Deno.test("a removed file that is still open gives its blocks back, whenever it crashes", () => {
  let free = 0;
  crashed({
    before(volume): void {
      make(volume, "kept", 10_000, 1);
      volume.sync();
      free = volume.statfs().blocks - volume.statfs().freeBlocks;
      const ino = make(volume, "a", 150_000, 2);
      volume.retain(ino);
      volume.unlink(volume.root, "a");
    },
    work(volume): void {
      volume.create(volume.root, "other", FILE);
    },
    look(volume): void {
      const { blocks, freeBlocks } = volume.statfs();
      assertEquals(blocks - freeBlocks, free);
      assert(isAll(bytesOf(volume, "kept"), 1));
    },
  });
});
