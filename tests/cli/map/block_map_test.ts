/** The blocks of a volume as a map. */
import { assert, assertEquals } from "@std/assert";
import { blockMapOf } from "../../../cli/map/block_map.ts";
import { checkVolume, ImageDump, memoryHandle, openVolumeSync } from "../../../opfs/mod.ts";

const owner = { uid: 0, gid: 0 };

/** Two files that were written in turns, one that was not, and one in a directory. */
function image(): ReturnType<typeof memoryHandle> {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const make = (name: string): number =>
    volume.create(volume.root, name, { mode: 0o100644, ...owner });
  const [a, b, whole] = [make("a"), make("b"), make("whole")];
  const block = new Uint8Array(4096).fill(1);
  for (let turn = 0; turn < 10; turn++) {
    for (const ino of [a, b]) {
      volume.write(ino, block, turn * 4096);
      volume.fsync(ino);
    }
  }
  volume.write(whole, new Uint8Array(40 * 4096).fill(1), 0);
  const d = volume.create(volume.root, "d", { mode: 0o040755, ...owner });
  volume.write(volume.create(d, "e", { mode: 0o100644, ...owner }), block, 0);
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
  return handle;
}

Deno.test("blockMapOf() counts every block once, however many cells there are", () => {
  const handle = image();
  const { usedBlocks, totalBlocks } = checkVolume(handle);
  for (const cellsMax of [1, 7, 64, 10_000]) {
    const map = blockMapOf(new ImageDump(handle), cellsMax);
    assert(map.cells.length <= cellsMax);
    assertEquals(map.cells.reduce((sum, { count }) => sum + count, 0), totalBlocks);
    assertEquals([map.blocks, map.free], [totalBlocks, totalBlocks - usedBlocks]);
    assert(map.cells.every(({ count, tables, files }) => tables + files <= count));
  }
});

Deno.test("blockMapOf() says how many pieces each file is in, and where", () => {
  const dump = new ImageDump(image());
  const { files, cells } = blockMapOf(dump, 10_000);
  const paths = files.map(({ path }) => path).sort();
  assertEquals(paths, ["/a", "/b", "/d/e", "/whole"]);
  const of = (path: string) => files.find((file) => file.path === path)!;
  assertEquals([of("/d/e").pieces, of("/d/e").blocks], [1, 1]);
  assert(of("/a").pieces + of("/b").pieces > 2, "they were written in turns");
  assertEquals(of("/a").blocks, 10);
  const broken = new Set(files.filter(({ pieces }) => pieces > 1).map(({ slot }) => slot));
  for (const { owner, fragmented } of cells) assertEquals(fragmented > 0, broken.has(owner));
});
