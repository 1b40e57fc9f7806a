/** Memory: a working set ten times the pool costs the pool and a constant. */
import { assert, assertEquals } from "@std/assert";
import { fileHandle } from "../../../opfs/device/file.ts";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { checkVolume } from "../../../opfs/volume/tools/check.ts";
import { makeRoomForBlocks } from "../../../opfs/volume/space/grow.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import type { Volume } from "../../../opfs/volume/volume.ts";
import { countMemory } from "../../support/count_memory.ts";
import { stateOf } from "../../support/engine_state.ts";
import { FILE } from "../../support/on_volume.ts";
import { prng } from "../../support/prng.ts";

const POOL_BYTES = 4 << 20;
/**
 * What comes on top of the pool: tables of a fresh volume and of one growth (under 2 MiB), the record
 * and staging buffers (128 KiB + 1 MiB + 128 KiB).
 */
const CONSTANT_BYTES = 6 << 20;

/** Writes, overwrites and reads 40 MiB in pieces that go through the pool. */
function workload(volume: Volume, buffer: Uint8Array<ArrayBuffer>): void {
  const random = prng(1);
  const inos = Array.from(
    { length: 10 },
    (_, index) => volume.create(volume.root, `${index}`, FILE),
  );
  const place = (): number => random.below(1024) * 4096;
  for (const ino of inos) {
    for (let at = 0; at < POOL_BYTES; at += buffer.length) volume.write(ino, buffer, at);
  }
  for (let round = 0; round < 6000; round++) {
    const ino = inos[round % 10]!;
    if (round % 3 === 0) volume.write(ino, buffer, place() + 5);
    else volume.read(ino, buffer, place());
    if (round % 500 === 0) volume.sync();
  }
}

Deno.test("Volume allocates the pool and a constant for a working set of ten pools", () => {
  const buffer = new Uint8Array(4096).fill(7);
  const folder = Deno.makeTempDirSync();
  const host = fileHandle(`${folder}/v`);
  const count = countMemory();
  let counted;
  let checkpoints;
  try {
    const volume = openVolumeSync(host, { poolBytes: POOL_BYTES });
    workload(volume, buffer);
    checkpoints = volume.metrics().checkpoints;
    volume.close();
  } finally {
    counted = count.stop();
  }
  const { allocatedBytes } = counted;
  console.log(`allocated ${(allocatedBytes / 2 ** 20).toFixed(1)} MiB, ${checkpoints} checkpoints`);
  // All that was ever allocated, were none of it collected, bounds what lived at any time.
  assert(allocatedBytes <= POOL_BYTES + CONSTANT_BYTES, `${allocatedBytes} bytes`);
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("Deno's memory stays within the pool and a constant for a working set of ten pools", () => {
  const folder = Deno.makeTempDirSync();
  const buffer = new Uint8Array(4096).fill(7);
  const volume = openVolumeSync(fileHandle(`${folder}/v`), { poolBytes: POOL_BYTES });
  const before = Deno.memoryUsage().external;
  let peak = 0;
  const { write } = volume;
  let calls = 0;
  volume.write = function (this: Volume, ...args): number {
    if (calls++ % 64 === 0) peak = Math.max(peak, Deno.memoryUsage().external - before);
    return write.apply(this, args);
  };
  workload(volume, buffer);
  volume.close();
  console.log(`peak ${(peak / 2 ** 20).toFixed(1)} MiB over what it was; pool 4 MiB`);
  assert(peak <= POOL_BYTES + CONSTANT_BYTES, `${peak} bytes`);
  const handle = fileHandle(`${folder}/v`);
  assertEquals(checkVolume(handle).violations, []);
  handle.close();
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("a volume of 8 TiB works by arithmetic: the last block of the last run is the last there is", () => {
  const device = memoryHandle();
  const volume = openVolumeSync(device);
  const ino = volume.create(volume.root, "far", FILE);
  volume.write(ino, new Uint8Array([1, 2, 3]), 0);
  // A file of 8 TiB less one block: a hole, and a byte at its end.
  const end = 0x7fffffff * 4096;
  volume.write(ino, new Uint8Array([9]), end - 1);
  volume.close();
  const again = openVolumeSync(device);
  const into = new Uint8Array(2);
  assertEquals(again.read(again.lookup(again.root, "far"), into, end - 2), 2);
  assertEquals([...into, again.getattr(ino).size], [0, 9, end]);
  again.close();
  assertEquals(checkVolume(device).violations, []);
});

Deno.test("a volume whose blocks are 8 TiB mounts, writes at its end, and gives them back", () => {
  const device = memoryHandle();
  const blockSize = 1 << 20;
  const volume = openVolumeSync(device, { blockSize });
  const ino = volume.create(volume.root, "huge", FILE);
  const state = stateOf(volume);
  const blocks = 2 ** 23;
  makeRoomForBlocks(state, blocks);
  const first = state.bitmap.freeFrom(64);
  state.step(() => {
    state.bitmap.take(first, blocks);
    const run = { fileBlock: 0, block: first, count: blocks, isUnwritten: true };
    state.extents.insert((ino >>> 0) - 1, run);
  });
  volume.setattr(ino, { size: blocks * blockSize });
  const last = blocks * blockSize - 10;
  volume.write(ino, new Uint8Array(10).fill(6), last);
  assertEquals(volume.getattr(ino).blocks, blocks * blockSize / 512);
  volume.close();
  assert(device.getSize() > 2 ** 43, `${device.getSize()} bytes`);
  assertEquals(checkVolume(device).violations, []);
  const again = openVolumeSync(device);
  const into = new Uint8Array(20);
  again.read(again.lookup(again.root, "huge"), into, last - 10);
  assertEquals([into[9], into[10], into[19]], [0, 6, 6]);
  again.unlink(again.root, "huge");
  again.close();
  assert(device.getSize() < 2 ** 30, `${device.getSize()} bytes`);
  assertEquals(checkVolume(device).violations, []);
});
