/**
 * Paths of version-1 images: read, judged, and found again.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { decodeSuperblock1 } from "../../../../opfs/volume/version1/format.ts";
import { CachedPages } from "../../../../opfs/volume/version1/pages.ts";
import { PathIndex, pathProblem, PathReader } from "../../../../opfs/volume/version1/paths.ts";
import { Random } from "../../../support/random.ts";
import { Version1Builder } from "../../../support/version1_builder.ts";

function readerOf(builder: Version1Builder): PathReader {
  const bytes = builder.build();
  return new PathReader(new CachedPages(memoryHandle(bytes)), decodeSuperblock1(bytes));
}

Deno.test("pathProblem() accepts absolute paths only, with whole names", () => {
  const look = (text: string): string | null => {
    const bytes = new TextEncoder().encode(text);
    return pathProblem(bytes, bytes.length);
  };
  for (const good of ["/", "/a", "/a/b.c", "/...", "/.a", "/a./..b", "/\n", "/日本"]) {
    assertEquals(look(good), null, good);
  }
  const bad: [string, RegExp][] = [
    ["a", /begin with a slash/],
    ["\0\0", /begin with a slash/],
    ["/a\0", /NUL/],
    ["//", /empty name/],
    ["/a/", /empty name/],
    ["/a//b", /empty name/],
    ["/.", /"\.\."/],
    ["/a/../b", /"\.\."/],
    ["/..", /"\.\."/],
  ];
  for (const [path, message] of bad) assertMatch(look(path) ?? "none", message);
});

Deno.test("PathReader.read() reads paths as UTF-8, and says what it has replaced", () => {
  const builder = new Version1Builder();
  builder.file("/日本.txt");
  builder.add({ type: 1, path: new Uint8Array([0x2f, 0x61, 0xff, 0xc3]) });
  builder.add({ type: 1, path: "/x", pathLength: 0 });
  builder.add({ type: 1, path: "/x", pathOffset: 4095 });
  const reader = readerOf(builder);
  assertEquals([reader.read(reader.slot(0)), reader.text(), reader.wasReplaced], [
    null,
    "/日本.txt",
    false,
  ]);
  assertEquals([reader.read(reader.slot(1)), reader.text(), reader.wasReplaced], [
    null,
    "/a\ufffd\ufffd",
    true,
  ]);
  assertMatch(reader.read(reader.slot(2)) ?? "", /no path/);
  assertMatch(reader.read(reader.slot(3)) ?? "", /outside/);
});

Deno.test("PathIndex finds what was put, and the last who was put", () => {
  const seed = 2;
  const random = new Random(seed);
  const builder = new Version1Builder({ slotCount: 600, pathBytes: 32_000 });
  const paths: string[] = [];
  for (let slot = 0; slot < 500; slot++) {
    paths.push(`/${random.below(1e9)}/${"n".repeat(random.below(20))}${slot}`);
    builder.file(paths[slot]!);
  }
  const twice = builder.file(paths[0]!);
  const index = new PathIndex(readerOf(builder), 501);
  const find = (path: string): number => {
    const bytes = new TextEncoder().encode(path);
    return index.find(bytes, bytes.length);
  };
  for (let slot = 0; slot < 500; slot++) {
    assertEquals(find(paths[slot]!), -1);
    index.put(slot);
  }
  for (let slot = 0; slot < 500; slot++) assertEquals(find(paths[slot]!), slot, `seed ${seed}`);
  assertEquals(find("/none"), -1);
  assertEquals(find(paths[0]!), 0);
  index.put(twice);
  assertEquals(find(paths[0]!), twice);
});
