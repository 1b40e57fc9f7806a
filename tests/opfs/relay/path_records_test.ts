import { assertEquals } from "@std/assert";
import { S_IFCHR, S_IFDIR, S_IFLNK, S_IFREG } from "../../../abi/mode.ts";
import { Reader, Writer } from "../../../opfs/relay/cursor.ts";
import { kindOf, writePathStat, writePathStatFs } from "../../../opfs/relay/path_records.ts";
import { createChannelMemory } from "../../../opfs/relay/protocol.ts";
import { wholeMessage } from "../../../opfs/relay/channel.ts";

Deno.test("kindOf() has a number for files, directories, links, and one for all others", () => {
  assertEquals([S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR].map(kindOf), [1, 2, 3, 0]);
});

Deno.test("writePathStat() packs 53 bytes, writePathStatFs() six numbers that fit", () => {
  const memory = createChannelMemory(16_384);
  const writer = new Writer(memory).beginResponse();
  const times = { mtimeMs: 1, ctimeMs: 2, atimeMs: 3 };
  const ids = { dev: 1, ino: 8, nlink: 2, uid: 5, gid: 6, rdev: 0, blocks: 0 };
  writePathStat(writer, { ...ids, ...times, mode: S_IFREG | 0o644, size: 2 ** 40 });
  assertEquals(writer.at, 8 + 53);
  const { view } = memory;
  const at = (offset: number) => view.getUint32(8 + offset, true);
  assertEquals([view.getUint8(8), at(1), at(37), at(41), at(45), at(49)], [
    1,
    0o100644,
    5,
    6,
    8,
    2,
  ]);
  const f64 = [5, 13, 21, 29].map((offset) => view.getFloat64(8 + offset, true));
  assertEquals(f64, [2 ** 40, 1, 2, 3]);
  writer.beginResponse();
  const space = { blockSize: 4096, blocks: 2 ** 33, freeBlocks: 7, inodes: 9, freeInodes: 3 };
  writePathStatFs(writer, space);
  const reader = new Reader(memory);
  reader.openResponse(wholeMessage(writer.endResponse(0)));
  const words = Array.from({ length: 6 }, () => reader.u32());
  assertEquals(words, [0x56465321, 4096, 0xffffffff, 7, 9, 3]);
});
