/** What a dump shows of an image. */
import { assert, assertEquals } from "@std/assert";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { ImageDump } from "../../../../opfs/volume/tools/dump.ts";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { DIRECTORY, FILE } from "../../../support/on_volume.ts";

/** A volume in use, and its image. */
function image(): { dump: ImageDump; bytes: Uint8Array } {
  const handle = memoryHandle();
  let now = 100;
  const volume = openVolumeSync(handle, { clock: () => now++, label: "dumped" });
  const directory = volume.create(volume.root, "d", DIRECTORY);
  const ino = volume.create(directory, "file", { ...FILE, uid: 3 });
  volume.write(ino, new Uint8Array(100_000).fill(1), 0);
  volume.write(ino, new Uint8Array(10).fill(2), 400_000);
  volume.link(ino, volume.root, "second");
  volume.create(volume.root, "null", { mode: 0o020666, uid: 0, gid: 0, rdev: 259 });
  volume.sync();
  const bytes = handle.toBytes();
  return { dump: new ImageDump(memoryHandle(bytes)), bytes };
}

Deno.test("ImageDump shows headers, geometry, segments and records", () => {
  const { dump, bytes } = image();
  assertEquals(dump.violations, []);
  assertEquals(dump.headers.map(({ at, isNewest }) => [at, isNewest]), [[4096, true], [
    8192,
    false,
  ]]);
  assertEquals(dump.headers[0]!.header?.label, "dumped");
  assertEquals([dump.copy?.blockSize, dump.superblock.blockSize, dump.slotCount], [
    4096,
    4096,
    1024,
  ]);
  assertEquals(dump.sizeBytes, bytes.length);
  assertEquals(dump.segments().map(({ table, bytes }) => [table, bytes]), [
    ["slots", 65536],
    ["names", 65536],
    ["bitmap", 4096],
  ]);
  const sumsAt = L.RING_AT + dump.headers[0]!.header!.ringBytes;
  assertEquals(dump.segments().map((one) => one.sumsAt), [sumsAt, sumsAt + 64, -1]);
  const [record, ...others] = [...dump.records()];
  assertEquals(record!.sums.map(([table, page]) => [table, page]), [["slots", 0], ["names", 0]]);
  assertEquals(others, []);
  assertEquals(record!.slots, [0, 32, 33, 34, 35, 36]);
  assert(record!.names.length > 0 && record!.data.length > 0 && record!.sequence === 1);
});

Deno.test("ImageDump shows slots, names and who owns which blocks", () => {
  const { dump } = image();
  const names = dump.names().map(({ parent, slot, name }) => [parent, slot, name]);
  assertEquals(names, [[0, 32, "d"], [32, 33, "file"], [0, 35, "second"], [0, 36, "null"]]);
  const file = dump.slot(33)!;
  assertEquals(
    [file.type, file.size, file.uid, file.nlink, file.mode, file.name?.name, file.flags],
    ["file", 400_010, 3, 2, 0o100644, "file", 1],
  );
  assertEquals(file.bytes.length, 128);
  assertEquals(file.runs.map(({ fileBlock, count }) => [fileBlock, count]), [[0, 25]]);
  assertEquals([dump.slot(0)!.type, dump.slot(0)!.name], ["directory", null]);
  assertEquals([dump.slot(34)!.type, dump.slot(34)!.owner], ["continuation", 33]);
  assertEquals([dump.slot(35)!.type, dump.slot(35)!.firstBlock], ["link", 33]);
  assertEquals([dump.slot(36)!.firstBlock, dump.slot(36)!.runs], [259, []]);
  assertEquals([dump.slot(40)!.type, dump.slot(1024), dump.slot(-1)], ["free", null, null]);
  const blocks = dump.blocks().map(({ kind, owner, count }) => [kind, owner, count]);
  assertEquals(blocks, [["file", 33, 25], ["file", 33, 1]]);
});

Deno.test("ImageDump shows which blocks hold the value of an attribute", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const ino = volume.create(volume.root, "file", { mode: 0o100644, uid: 0, gid: 0 });
  volume.setxattr(ino, "user.long", new Uint8Array(10_000).fill(1), 0);
  volume.close();
  const dump = new ImageDump(handle);
  const owned = dump.blocks().map((
    { kind, owner, fileBlock, count },
  ) => [kind, owner, fileBlock, count]);
  assertEquals(owned, [["attribute", 32, 0, 3]]);
  assertEquals([dump.slot(33)!.type, dump.slot(33)!.owner], ["xattr", 32]);
});

Deno.test("ImageDump shows what is damaged as it is", () => {
  const { bytes } = image();
  bytes.fill(9, L.HEADER_A_AT, L.HEADER_A_AT + 20);
  bytes[20] = 1;
  bytes[12288 + 512 * 1024 + 4096 + 40 * 64] = 77;
  const dump = new ImageDump(memoryHandle(bytes));
  assertEquals([dump.headers[0]!.header, dump.headers[0]!.problem], [null, "torn"]);
  assertEquals([dump.copy, dump.headers[1]!.isNewest], [null, true]);
  assertEquals(dump.slot(40)!.type, "unknown");
  // The record says that there was a later header: it counts without it.
  assertEquals([...dump.records()].length, 1);
});
