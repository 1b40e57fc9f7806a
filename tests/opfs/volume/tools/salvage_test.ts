/** What a salvage finds; what comes of it is in repair_test.ts. */
import { assertEquals } from "@std/assert";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { newestHeader } from "../../../../opfs/volume/format/header.ts";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { Salvage } from "../../../../opfs/volume/tools/salvage.ts";
import { Findings } from "../../../../opfs/volume/upkeep/transfer.ts";
import { DIRECTORY, FILE } from "../../../support/on_volume.ts";
import { reseal } from "../../../support/reseal.ts";

Deno.test("Salvage loses a directory of each ring, and what has no name, not what is below", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const outer = volume.create(volume.root, "outer", DIRECTORY);
  const inner = volume.create(outer, "inner", DIRECTORY);
  volume.create(inner, "file", FILE);
  const nameless = volume.create(volume.root, "nameless", DIRECTORY);
  volume.create(nameless, "below", FILE);
  volume.close();
  const bytes = handle.toBytes();
  const { superblock } = newestHeader(bytes);
  const view = new DataView(bytes.buffer);
  const slotOf = (ino: number): number => (ino >>> 0) - 1;
  const entryOf = (ino: number): number => {
    const at = superblock.inodeOffset + slotOf(ino) * L.SLOT_BYTES;
    return superblock.pathOffset + view.getUint32(at + L.SLOT.PATH_OFFSET, true);
  };
  view.setUint32(entryOf(outer), slotOf(inner), true);
  bytes[entryOf(nameless) + 5] = 0x2f;
  reseal(bytes);
  const findings = new Findings();
  const salvage = new Salvage(memoryHandle(bytes), findings);
  assertEquals(salvage.lost, [
    { name: `slot-${slotOf(nameless)}`, slot: slotOf(nameless), parent: -1 },
    { name: `slot-${slotOf(outer)}`, slot: slotOf(outer), parent: -1 },
  ]);
  assertEquals(salvage.entriesOf(0), []);
  assertEquals(salvage.entriesOf(slotOf(outer)).map(({ name }) => name), ["inner"]);
  assertEquals(salvage.entriesOf(slotOf(inner)).map(({ name }) => name), ["file"]);
  assertEquals(salvage.entriesOf(slotOf(nameless)).map(({ name }) => name), ["below"]);
  assertEquals(findings.list.map(({ code }) => code), ["lost-and-found", "lost-and-found"]);
});

Deno.test("Salvage reads a block with what a record says of it laid over, from any byte on", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array(100_000).fill(1), 0);
  volume.sync();
  volume.write(ino, new Uint8Array([7, 8, 9]), 5000);
  volume.sync();
  const salvage = new Salvage(memoryHandle(handle.toBytes()), new Findings());
  const { runs } = salvage.node((ino >>> 0) - 1);
  const { block } = runs[0]!;
  const into = new Uint8Array(6000);
  salvage.readBlocks(into, block);
  assertEquals([...into.subarray(4999, 5004)], [1, 7, 8, 9, 1]);
  salvage.readBlocks(into.subarray(0, 2), block + 1, 905);
  assertEquals([...into.subarray(0, 2)], [8, 9]);
});
