import { assertEquals } from "@std/assert";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { loadImage } from "../../../../opfs/volume/load/image.ts";
import { readImageBlocks } from "../../../../opfs/volume/load/image_blocks.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { stateOf } from "../../../support/engine_state.ts";
import { FILE } from "../../../support/on_volume.ts";

Deno.test("readImageBlocks() applies what records say to blocks, and has zeros past the end", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array(100_000).fill(1), 0);
  volume.sync();
  volume.write(ino, new Uint8Array([7, 8, 9]), 8190);
  volume.sync();
  const [run] = stateOf(volume).extents.runsOf((ino >>> 0) - 1);
  const { block } = run!;
  const cut = handle.toBytes();
  const image = loadImage(memoryHandle(cut), () => {});
  const read = (length: number, inside: number): number[] => {
    const into = new Uint8Array(length).fill(99);
    readImageBlocks(memoryHandle(cut), image, { into, block, inside });
    return [...into];
  };
  assertEquals(read(6, 8188), [1, 1, 7, 8, 9, 1]);
  assertEquals(read(2, 8191), [8, 9]);
  assertEquals(read(2, 0), [1, 1]);
  const rest = new Uint8Array(5).fill(99);
  const last = image.superblock.totalBlocks - 1;
  readImageBlocks(memoryHandle(cut.slice(0, -4094)), image, { into: rest, block: last });
  assertEquals([...rest.subarray(2)], [0, 0, 0]);
});
