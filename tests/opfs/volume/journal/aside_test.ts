/** Old bytes of blocks, kept apart from all others. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import { InvariantError } from "../../../../abi/invariant.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { Aside } from "../../../../opfs/volume/journal/aside.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import type { VolumeState } from "../../../../opfs/volume/state.ts";
import { stateOf } from "../../../support/engine_state.ts";
import { LimitedHandle } from "../../../support/limited_handle.ts";
import { FILE } from "../../../support/on_volume.ts";

/** A volume of one file of 40 blocks, each full of its number. */
function prepared(limitBytes = Infinity): { state: VolumeState; block: number; end: () => void } {
  const device = memoryHandle();
  const volume = openVolumeSync(new LimitedHandle(device, limitBytes));
  const bytes = new Uint8Array(40 * 4096);
  for (let index = 0; index < 40; index++) bytes.fill(index, index * 4096, (index + 1) * 4096);
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, bytes, 0);
  const state = stateOf(volume);
  const { block } = state.extents.runsOf((ino >>> 0) - 1)[0]!;
  return {
    state,
    block,
    end(): void {
      volume.close();
      assertEquals(checkVolume(device).violations, []);
    },
  };
}

Deno.test("Aside keeps bytes while their blocks are written over, and gives all back", () => {
  const { state, block, end } = prepared();
  const used = state.bitmap.blocks - state.bitmap.free;
  const aside = new Aside(state);
  aside.put(block + 3, 5);
  aside.put(block + 20, 1);
  assertThrows(() => aside.put(block + 20, 1), InvariantError, "aside twice");
  state.writeBlocks(new Uint8Array(40 * 4096).fill(99), block);
  const into = new Uint8Array(4096);
  for (const index of [3, 7, 20]) {
    assert(aside.has(block + index) && aside.read(block + index, into));
    assertEquals([into[0], into[4095]], [index, index]);
  }
  assert(!aside.has(block + 8) && !aside.read(block + 8, into));
  aside.drop(block + 3);
  assert(!aside.has(block + 3));
  assertEquals(state.bitmap.blocks - state.bitmap.free, used + 64);
  aside.clear();
  assertEquals(state.bitmap.blocks - state.bitmap.free, used);
  end();
});

Deno.test("Aside takes free blocks that no export wants when the file cannot grow", () => {
  const { state, block, end } = prepared(1_000_000);
  const { free } = state.bitmap;
  assert(free > 10 && free < 64, `${free} free`);
  const first = state.bitmap.freeFrom(0);
  const wanted = new Set([first, first + 2]);
  const watch = { wants: (b: number) => wanted.has(b), beforeWrite: () => {}, end: () => {} };
  state.watches.add(watch);
  const aside = new Aside(state);
  for (let index = 0; index < free - 2; index++) aside.put(block + index, 1);
  for (const one of wanted) assert(!state.bitmap.isUsed(one));
  assertThrows(() => aside.put(block + free - 2, 1), ErrnoError, "ENOSPC");
  aside.clear();
  state.watches.delete(watch);
  assertEquals(state.bitmap.free, free);
  end();
});

Deno.test("Bitmap lends only what is free, and takes back only what it has lent", () => {
  const { state, block, end } = prepared();
  assertThrows(() => state.bitmap.borrow(block, 1), InvariantError, "V1");
  assertThrows(() => state.bitmap.giveBack(state.bitmap.freeFrom(0), 1), InvariantError, "V1");
  end();
});
