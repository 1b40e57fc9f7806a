import { assert, assertEquals } from "@std/assert";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import { FILE } from "../../support/on_volume.ts";

Deno.test("stats() and metrics() are true to the last count", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array(10_000), 0);
  const dirty = volume.stats();
  assertEquals([dirty.names, dirty.freeSlots, dirty.dirtyBlocks], [1, 1024 - 33, 3]);
  assertEquals([dirty.blocks - dirty.freeBlocks, dirty.state, dirty.journalBytes], [3, "open", 0]);
  volume.sync();
  const { dirtyBlocks, poolBlocks, journalBytes } = volume.stats();
  assertEquals([dirtyBlocks, poolBlocks], [0, 3]);
  const { commits, flushes, recordBytes, hits, misses } = volume.metrics();
  assertEquals([commits, flushes, misses, recordBytes], [1, 1, 0, journalBytes]);
  assert(hits >= 0);
  volume.close();
  assertEquals(volume.stats().state, "closed");
  const reading = openVolumeSync(handle, { readOnly: true });
  assertEquals([reading.metrics().commits, reading.stats().journalBytes], [0, 0]);
});
