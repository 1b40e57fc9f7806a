import { assert, assertEquals } from "@std/assert";
import * as L from "../../../../opfs/volume/format/layout.ts";

/** Fields with their sizes fill the record without a gap or an overlap. */
function fills(fields: readonly [number, number][], bytes: number): void {
  let at = 0;
  for (const [offset, size] of [...fields].sort((a, b) => a[0] - b[0])) {
    assertEquals(offset, at);
    at += size;
  }
  assertEquals(at, bytes);
}

Deno.test("a slot's fields fill its 64 bytes", () => {
  const S = L.SLOT;
  fills([
    [S.TYPE, 1],
    [S.FLAGS, 1],
    [S.GENERATION, 2],
    [S.PATH_OFFSET, 4],
    [S.PATH_LENGTH, 2],
    [S.NLINK, 2],
    [S.MODE, 4],
    [S.SIZE, 8],
    [S.FIRST_BLOCK, 4],
    [S.BLOCK_COUNT, 4],
    [S.MTIME, 8],
    [S.CTIME, 8],
    [S.ATIME, 8],
    [S.UID, 4],
    [S.GID, 4],
  ], L.SLOT_BYTES);
});

Deno.test("a record's head and a header fill their bytes", () => {
  const R = L.RECORD;
  fills([
    [R.MAGIC, 4],
    [R.BYTES, 4],
    [R.SEQUENCE, 8],
    [R.SALT, 8],
    [R.PREVIOUS, 4],
    [R.CHECKSUM, 4],
    [R.TOTAL_BLOCKS, 4],
    [R.SLOTS, 4],
    [R.NAMES, 4],
    [R.DATA, 4],
    [R.SUMS, 4],
    [52, 4],
    [R.TIME, 8],
  ], L.RECORD_HEAD_BYTES);
  assertEquals(L.HEADER.SUPERBLOCK + L.SUPERBLOCK_BYTES, L.HEADER.VOLUME_ID);
  assertEquals(L.HEADER.LABEL + L.LABEL_BYTES, L.HEADER.LIMIT);
  assertEquals(L.HEADER.LIMIT + 8, L.HEADER.REST);
});

Deno.test("pairs fit into a continuation, names into granules", () => {
  assertEquals(L.CONTINUATION.PAIRS + L.PAIRS_MAX * L.PAIR_BYTES, L.SLOT_BYTES);
  assertEquals(L.roundUp(L.NAME.BYTES + L.NAME_BYTES_MAX, L.GRANULE_BYTES), 17 * 16);
  assert(L.RING_AT % L.PAGE_BYTES === 0 && L.RING_BYTES_DEFAULT % L.PAGE_BYTES === 0);
});

const PAGE = Deno.readTextFileSync(new URL("../../../../docs/FORMAT.md", import.meta.url));
/** What has a table of fields in docs/FORMAT.md, under which heading. */
const TABLES: readonly [heading: string, fields: Readonly<Record<string, number>>][] = [
  ["## 2. Superblock: 64 bytes", L.SUPERBLOCK],
  ["### Types 1, 2, 3 and 4", L.SLOT],
  ["### Runs", L.CONTINUATION],
  ["### Extended attributes", L.XATTR],
  ["### Segment descriptors", L.SEGMENT],
  ["### Headers", L.HEADER],
  ["### Records", L.RECORD],
];
const TYPE_BYTES: Readonly<Record<string, number>> = { u8: 1, u16: 2, u32: 4, f64: 8 };

/** Where the fields of the first table below a heading begin, with their parts: "2 x u32" has two. */
function documented(heading: string): Set<number> {
  const section = PAGE.split(`\n${heading}\n`)[1]!.split(/\n##/)[0]!;
  const places = new Set<number>();
  for (const [, at, type] of section.matchAll(/^\| (\d+) \| ([^|]+) \|/gm)) {
    const [, count = "1", part = ""] = /^(?:(\d+) x )?(\w+)$/.exec(type!) ?? [];
    const bytes = TYPE_BYTES[part] ?? 0;
    for (let index = 0; index < Number(count); index++) places.add(Number(at) + index * bytes);
  }
  return places;
}

for (const [heading, fields] of TABLES) {
  Deno.test(`docs/FORMAT.md has the fields of layout.ts, "${heading.replace(/^#+ /, "")}"`, () => {
    const named = new Set(Object.values(fields));
    if ("SEQUENCE_HIGH" in fields) named.delete(fields.SEQUENCE_HIGH!);
    const places = documented(heading);
    // The type of a slot is SLOT's in all of them.
    if (heading.startsWith("###") && !("MAGIC" in fields)) named.add(L.SLOT.TYPE);
    assertEquals([...places].sort((a, b) => a - b), [...named].sort((a, b) => a - b));
  });
}
