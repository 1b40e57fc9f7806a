import { assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../../../abi/invariant.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { newestHeader } from "../../../../opfs/volume/format/header.ts";
import { writeTablesHome } from "../../../../opfs/volume/journal/home.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { stateOf } from "../../../support/engine_state.ts";
import { FILE } from "../../../support/on_volume.ts";

Deno.test("headers are written in turn, each newer than the one before", () => {
  const handle = memoryHandle();
  const seen: [number, number, number][] = [];
  for (let round = 0; round < 5; round++) {
    const volume = openVolumeSync(handle);
    const { at, counter, term } = newestHeader(handle.toBytes());
    seen.push([at, counter, term]);
    volume.create(volume.root, `f${round}`, FILE);
    volume.close();
    const closed = newestHeader(handle.toBytes());
    assertEquals([closed.counter, closed.at !== at, closed.state], [counter + 1, true, 3]);
  }
  assertEquals(seen.map(([, , term]) => term), [1, 2, 3, 4, 5]);
});

Deno.test("a closed volume's superblock at 0 is its header's", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  volume.write(volume.create(volume.root, "a", FILE), new Uint8Array(1 << 20), 0);
  volume.close();
  const bytes = handle.toBytes();
  const { at } = newestHeader(bytes);
  assertEquals(bytes.slice(0, 64), bytes.slice(at + 64, at + 128));
});

Deno.test("a slot that is hidden goes home as a free one", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, { ringBytes: 128 * 1024 });
  const ino = volume.create(volume.root, "a", FILE);
  volume.retain(ino);
  volume.unlink(volume.root, "a");
  for (let index = 0; volume.metrics().checkpoints === 0; index++) {
    volume.create(volume.root, `f${index}`, FILE);
    volume.append(ino, new Uint8Array(10));
    volume.sync();
  }
  const { superblock } = newestHeader(handle.toBytes());
  const slotAt = superblock.inodeOffset + ((ino >>> 0) - 1) * 64;
  const slot = handle.toBytes().slice(slotAt, slotAt + 64);
  assertEquals([slot[0], slot[2], slot.slice(4).every((byte) => byte === 0)], [0, 1, true]);
});

Deno.test("a page past its table, and a write past the blocks, stop the volume", () => {
  const volume = openVolumeSync(memoryHandle());
  const state = stateOf(volume);
  const { blocks } = state.bitmap;
  assertThrows(() => state.writeBlocks(new Uint8Array(4096), blocks), InvariantError, "V7");
  assertThrows(() => state.writeBlocks(new Uint8Array(100), 0), InvariantError, "V7");
  state.bitmap.home.add(1);
  assertThrows(() => writeTablesHome(state), InvariantError, "V11");
});
