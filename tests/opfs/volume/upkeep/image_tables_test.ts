/** The tables of an image: renumbered, without what has no owner. */
import { assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../../../abi/invariant.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { ImageTables } from "../../../../opfs/volume/upkeep/image_tables.ts";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { stateOf } from "../../../support/engine_state.ts";
import { FILE } from "../../../support/on_volume.ts";

Deno.test("ImageTables gives a block the number of used ones before it", () => {
  const volume = openVolumeSync(memoryHandle());
  const inos = ["a", "b", "c"].map((name) => volume.create(volume.root, name, FILE));
  for (const ino of inos) volume.write(ino, new Uint8Array(70_000).fill(1), 0);
  volume.unlink(volume.root, "b");
  volume.sync();
  const state = stateOf(volume);
  const tables = new ImageTables(state);
  assertEquals(tables.used.count, 36);
  const view = new DataView(tables.copy("slots", 0, state.tables.slots.length).buffer);
  const firstOf = (ino: number): number =>
    view.getUint32(((ino >>> 0) - 1) * L.SLOT_BYTES + L.SLOT.FIRST_BLOCK, true);
  assertEquals([firstOf(inos[0]!), firstOf(inos[2]!)], [0, 18]);
  const bits = tables.copy("bitmap", 0, 4096);
  assertEquals([...bits.subarray(0, 6)], [255, 255, 255, 255, 15, 0]);
  assertEquals([tables.segmentAt(0, 9), tables.untilSegment(0)], [null, Infinity]);
  assertThrows(() => tables.copy("bitmap", 4096, 1), InvariantError, "V11");
});

Deno.test("ImageTables leaves out unlinked files, and continuations without an owner", () => {
  const volume = openVolumeSync(memoryHandle());
  const [open, gone] = ["open", "gone"].map((name) => {
    const ino = volume.create(volume.root, name, FILE);
    for (let index = 1000; index > 0; index -= 2) {
      volume.write(ino, new Uint8Array(1), index * 4096);
    }
    return ino;
  }) as [number, number];
  volume.retain(open);
  volume.unlink(volume.root, "open");
  volume.unlink(volume.root, "gone");
  volume.sync();
  const state = stateOf(volume);
  const tables = new ImageTables(state);
  assertEquals(tables.used.count, 0);
  const slots = tables.copy("slots", 0, state.tables.slots.length);
  const types = new Set<number>();
  for (let at = 0; at < slots.length; at += L.SLOT_BYTES) types.add(slots[at]!);
  assertEquals([...types].sort(), [L.TYPE.FREE, L.TYPE.DIRECTORY]);
  assertEquals(state.typeOf((gone >>> 0) - 1), L.TYPE.FREE);
});

Deno.test("ImageTables shows zeros for blocks that are owned and not written", () => {
  const volume = openVolumeSync(memoryHandle());
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array(80_000).fill(1), 0);
  volume.sync();
  const state = stateOf(volume);
  const at = ((ino >>> 0) - 1) * L.SLOT_BYTES + L.SLOT.BLOCK_COUNT;
  const count = state.tables.view.getUint32(at, true);
  state.tables.view.setUint32(at, count + L.UNWRITTEN, true);
  const tables = new ImageTables(state);
  const bytes = new Uint8Array(4 * 4096).fill(7);
  tables.zeroUnwritten(18, bytes);
  assertEquals([bytes[0], bytes[2 * 4096 - 1], bytes[2 * 4096]], [0, 0, 7]);
});
