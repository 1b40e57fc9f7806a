/** A block map as a picture. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { mapSvg } from "../../../cli/map/map_svg.ts";

const cell = { block: 0, count: 1, tables: 0, files: 0, fragmented: 0, owner: -1 };

Deno.test("mapSvg() draws stretches that look the same as one shape with a title", () => {
  const cells = [
    ...[0, 1, 2].map((block) => ({ ...cell, block, files: 1, owner: 40 })),
    { ...cell, block: 3, files: 1, fragmented: 1, owner: 41 },
    { ...cell, block: 4, tables: 1 },
    { ...cell, block: 5 },
  ];
  const files = [
    { slot: 40, path: "/<a>&\x01\ud800", blocks: 3, pieces: 1 },
    { slot: 41, path: "/b", blocks: 1, pieces: 2 },
  ];
  const svg = mapSvg({ blocks: 6, blockSize: 4096, free: 1, tables: 1, cells, files });
  const titles = [...svg.matchAll(/<title>(.*?)<\/title>/g)].map((match) => match[1]);
  assertEquals(titles, [
    "blocks 0 to 2: /&lt;a&gt;&amp;\\x01?, 1 piece",
    "blocks 3 to 3: /b, 2 pieces",
    "blocks 4 to 4: tables",
    "blocks 5 to 5: free",
  ]);
  assertEquals(svg.match(/stroke="black"/g)?.length, 1);
  assertMatch(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
});

Deno.test("mapSvg() stays a picture of bounded size", () => {
  const cells = Array.from({ length: 128 * 128 }, (_, block) => ({ ...cell, block }));
  const svg = mapSvg({ blocks: 16384, blockSize: 4096, free: 16384, tables: 0, cells, files: [] });
  assert(svg.length < 30_000);
  assertEquals(svg.match(/<title>/g)?.length, 128);
});
