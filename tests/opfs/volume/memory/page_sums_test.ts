import { assertEquals } from "@std/assert";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { pageSum } from "../../../../opfs/volume/format/page_sum.ts";
import {
  bytesOfArea,
  decodeSums,
  keyOf,
  pagesOf,
  PageSums,
  placeOfKey,
  sumAreas,
  sumsOf,
  touchedSums,
} from "../../../../opfs/volume/memory/page_sums.ts";
import { firstSegments, type Segments } from "../../../../opfs/volume/format/segments.ts";
import { freshSuperblock } from "../../../../opfs/volume/format/superblock.ts";

const superblock = freshSuperblock(4096, L.RING_BYTES_MIN);
const SUMS_AT = L.RING_AT + L.RING_BYTES_MIN;

/** The first segments, and 4 MiB more of names in block 100. */
function segments(): Segments {
  const made = firstSegments(superblock);
  const bytes = 8 * 1024 * 1024;
  const at = superblock.dataOffset + 100 * 4096;
  made.names.push({ logical: L.FRESH_NAME_BYTES, bytes, at, firstBlock: 100, blockCount: 2050 });
  return made;
}

/** The sums of those tables: 1, 2, 3 ... for slots, 1001 ... for names. */
function sums(): PageSums {
  const numbered = (bytes: number, from: number) =>
    Uint32Array.from({ length: pagesOf(bytes) }, (_, page) => from + page);
  return new PageSums(numbered(65_536, 1), numbered(65_536 + 8 * 1024 * 1024, 1001));
}

Deno.test("a key is a kind and a page, and there are no others", () => {
  for (const table of ["slots", "names"] as const) {
    for (const page of [0, 1, 2 ** 28 - 1]) {
      assertEquals(placeOfKey(keyOf(table, page)), { table, page });
    }
  }
  assertEquals([keyOf("slots", 5), keyOf("names", 5)], [5, 2 ** 28 + 5]);
  for (const key of [2 ** 29, 2 ** 31, 2 ** 32 - 1]) assertEquals(placeOfKey(key), null);
});

Deno.test("sumAreas() puts the first sums before the slots, and others after their segment", () => {
  const [first, further, ...rest] = sumAreas(segments(), SUMS_AT);
  assertEquals(rest, []);
  assertEquals([first!.at, first!.bytes], [SUMS_AT, 16 * 4 + 16 * 4]);
  const { at, bytes } = segments().names[1]!;
  assertEquals([further!.at, further!.bytes], [at + bytes, bytes / 1024]);
});

Deno.test("touchedSums() gives whole pages of sums, and only those of touched pages", () => {
  const areas = sumAreas(segments(), SUMS_AT);
  const pieces = (slots: number[], names: number[]) => [
    ...touchedSums(sums(), areas, { slots, names }),
  ];
  assertEquals(pieces([], []), []);
  const [first, ...others] = pieces([3], [0, 15]);
  assertEquals(others, []);
  assertEquals([first!.at, first!.bytes.length], [SUMS_AT, 128]);
  const words = new Uint32Array(first!.bytes.buffer);
  assertEquals([words[0], words[15], words[16], words[31]], [1, 16, 1001, 1016]);
  const behind = pieces([], [16, 16 + 1023, 16 + 1024]);
  const { at, bytes } = segments().names[1]!;
  assertEquals(behind.map((piece) => piece.at - at - bytes), [0, 4096]);
  assertEquals(behind.map((piece) => piece.bytes.length), [4096, 4096]);
  assertEquals(new Uint32Array(behind[1]!.bytes.buffer)[0], 1001 + 16 + 1024);
});

Deno.test("decodeSums() reads what bytesOfArea() has written", () => {
  const [area] = sumAreas(segments(), 0);
  const into = new Uint32Array(40);
  decodeSums(bytesOfArea(sums(), area!, 0, area!.bytes), into, 2);
  assertEquals([...into.subarray(0, 4)], [0, 0, 1, 2]);
  assertEquals(into[2 + 31], 1016);
});

Deno.test("sumsOf() sums each page, and zeros are 0", () => {
  const bytes = new Uint8Array(3 * 4096);
  bytes[4096] = 7;
  assertEquals([...sumsOf(bytes)], [0, pageSum(bytes, 4096, 8192), 0]);
});

Deno.test("PageSums grows by zeros", () => {
  const made = sums();
  made.grow("slots", 131_072);
  assertEquals([made.slots.length, made.slots[15], made.slots[16]], [32, 16, 0]);
});
