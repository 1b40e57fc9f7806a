/**
 * Disk space for the blocks of a sparse device: what was accepted has its place, and is never
 * refused later.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../../../abi/invariant.ts";
import { isErrnoError } from "../../../../abi/errno.ts";
import { allocateBlocks, Backing } from "../../../../opfs/volume/files/backing.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import type { Volume } from "../../../../opfs/volume/volume.ts";
import { stateOf } from "../../../support/engine_state.ts";
import { contentsOf } from "../../../support/model_tree.ts";
import { fails, FILE } from "../../../support/on_volume.ts";
import { prng } from "../../../support/prng.ts";
import { SparseDisk } from "../../../support/sparse_disk.ts";

const SMALL = { ringBytes: 128 * 1024, poolBytes: 1 << 18 };

/** How many bytes were taken; 0 for ENOSPC. */
function taken(act: () => number): number {
  try {
    return act();
  } catch (error) {
    assert(isErrnoError(error) && error.code === "ENOSPC", String(error));
    return 0;
  }
}

/** Makes files until one is refused; what was accepted of each. */
function fill(volume: Volume, bytes: number, prefix: string): Map<string, number> {
  const accepted = new Map<string, number>();
  for (let index = 0;; index++) {
    const name = `${prefix}${index}`;
    const count = taken(() => {
      const ino = volume.create(volume.root, name, FILE);
      accepted.set(name, 0);
      return volume.write(ino, new Uint8Array(bytes).fill(index + 1), 0);
    });
    if (count > 0) accepted.set(name, count);
    if (count < bytes) return accepted;
    if (index % 40 === 39) volume.sync();
  }
}

function holds(volume: Volume, accepted: Map<string, number>): void {
  for (const [name, count] of accepted) {
    const bytes = contentsOf(volume, volume.lookup(volume.root, name));
    const value = Number(name.slice(1)) + 1 & 0xff;
    assertEquals([bytes.length, bytes.every((byte) => byte === value)], [count, true], name);
  }
}

for (const bytes of [700, 5000, 30_000, 70_000, 300_000]) {
  Deno.test(`Volume never refuses at a commit what it took on a sparse disk: files of ${bytes} bytes`, () => {
    const disk = new SparseDisk(1200);
    const volume = openVolumeSync(disk, SMALL);
    const accepted = fill(volume, bytes, "f");
    assert(accepted.size > 2);
    volume.sync();
    holds(volume, accepted);
    // Full as it is: what is removed is room for others, small and large.
    const freed = [...accepted.keys()].slice(0, 3);
    for (const name of freed) {
      volume.unlink(volume.root, name);
      accepted.delete(name);
    }
    const ino = volume.create(volume.root, "g0", FILE);
    assertEquals(volume.write(ino, new Uint8Array(bytes).fill(1), 0), bytes);
    accepted.set("g0", bytes);
    volume.sync();
    holds(volume, accepted);
    volume.close();
    assertEquals(checkVolume(disk.device).violations, []);
    const again = openVolumeSync(disk, SMALL);
    assertEquals(again.report.corrected, []);
    holds(again, accepted);
    again.close();
  });
}

Deno.test("Volume on a full sparse disk can be killed, opened, and worked on", () => {
  const disk = new SparseDisk(1200);
  const volume = openVolumeSync(disk, SMALL);
  const accepted = fill(volume, 3000, "f");
  volume.sync();
  disk.pages = disk.usedPages;
  const again = openVolumeSync(disk, SMALL);
  assertEquals(again.report.corrected, []);
  holds(again, accepted);
  again.unlink(again.root, "f1");
  accepted.delete("f1");
  const count = taken(() =>
    again.write(again.create(again.root, "g2", FILE), new Uint8Array(3000).fill(3), 0)
  );
  assertEquals(count, 3000);
  again.close();
  assertEquals(checkVolume(disk.device).violations, []);
});

Deno.test("Volume takes attributes and unwritten blocks on a sparse disk, or says ENOSPC at once", () => {
  const disk = new SparseDisk(700);
  const volume = openVolumeSync(disk, SMALL);
  const ino = volume.create(volume.root, "a", FILE);
  volume.allocate(ino, 0, 0, 4_000_000);
  volume.sync();
  let done = 0;
  while (taken(() => volume.write(ino, new Uint8Array(4096).fill(9), done)) === 4096) done += 4096;
  assert(done > 1_500_000 && done < 4_000_000, `${done} bytes`);
  volume.sync();
  fails("ENOSPC", () => volume.setxattr(ino, "user.a", new Uint8Array(20_000), 0));
  volume.sync();
  disk.pages += 50;
  volume.setxattr(ino, "user.a", new Uint8Array(20_000).fill(4), 0);
  volume.sync();
  volume.close();
  assertEquals(checkVolume(disk.device).violations, []);
  const again = openVolumeSync(disk, SMALL);
  const bytes = contentsOf(again, again.lookup(again.root, "a"));
  assert(bytes.subarray(0, done).every((byte) => byte === 9));
  assert(bytes.subarray(done).every((byte) => byte === 0));
  assertEquals(
    again.getxattr(again.lookup(again.root, "a"), "user.a"),
    new Uint8Array(20_000).fill(4),
  );
  again.close();
});

Deno.test("Volume on a sparse disk that others fill and empty keeps what it took", () => {
  for (const seed of [1, 2, 3]) {
    const random = prng(seed);
    const disk = new SparseDisk(1500);
    const volume = openVolumeSync(disk, SMALL);
    const accepted = new Map<string, number>();
    for (let step = 0; step < 300; step++) {
      const name = `f${random.below(60)}`;
      const value = Number(name.slice(1)) + 1;
      disk.pages = disk.usedPages + (random.below(3) === 0 ? 0 : random.below(60));
      if (accepted.has(name) && random.below(2) === 0) {
        volume.unlink(volume.root, name);
        accepted.delete(name);
      } else if (!accepted.has(name)) {
        const bytes = new Uint8Array(random.pick([10, 4096, 20_000, 100_000])).fill(value);
        const ino = taken(() => volume.create(volume.root, name, FILE));
        if (ino !== 0) accepted.set(name, taken(() => volume.write(ino, bytes, 0)));
      }
      if (random.below(5) === 0) volume.sync();
    }
    volume.sync();
    holds(volume, accepted);
    volume.close();
    assertEquals(checkVolume(disk.device).violations, [], `seed ${seed}`);
  }
});

Deno.test("Backing knows what has been written, forgets what is cut off, and gives out what has room", () => {
  const disk = new SparseDisk(2000);
  const volume = openVolumeSync(disk, SMALL);
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array(100_000), 0);
  volume.sync();
  const state = stateOf(volume);
  const backing = new Backing(state);
  const { block, count } = state.extents.runsOf((ino >>> 0) - 1)[0]!;
  assert(backing.has(block) && backing.has(block + count - 1));
  const far = state.bitmap.blocks - 10;
  assert(!backing.has(far) && !backing.has(1e9));
  assert(backing.ensure(far, 3) && backing.has(far + 2));
  backing.appeared(far, far + 2);
  assertEquals([backing.has(far + 1), backing.has(far + 2)], [false, true]);
  disk.pages = disk.usedPages;
  const bare = state.bitmap.blocks - 1;
  disk.truncate(state.placeOf(bare, 0));
  disk.truncate(state.placeOf(bare + 1, 0));
  backing.appeared(bare, bare + 1);
  disk.pages = disk.usedPages;
  assertEquals([backing.ensure(bare, 1), backing.isTight], [false, true]);
  state.backing = backing;
  state.step(() => {
    const run = allocateBlocks(state, { goal: -1, want: 2, isPooled: true });
    assert(run !== null && backing.has(run.block));
    state.bitmap.untake();
    assertThrows(() => state.bitmap.untake(), InvariantError, "V1");
  });
  volume.close();
  assertEquals(checkVolume(disk.device).violations, []);
});
