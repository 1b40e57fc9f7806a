/** A block map as text. */
import { assertEquals, assertMatch } from "@std/assert";
import { mapText } from "../../../cli/map/map_text.ts";

const cell = { block: 0, count: 2, tables: 0, files: 0, fragmented: 0, owner: -1 };

Deno.test("mapText() has a letter for each kind of cell, and lists files", () => {
  const cells = [
    cell,
    { ...cell, files: 1 },
    { ...cell, files: 2 },
    { ...cell, files: 2, fragmented: 1 },
    { ...cell, tables: 2 },
  ];
  const files = Array.from({ length: 25 }, (_, slot) => {
    return {
      slot,
      path: slot === 0 ? "/\x1b[2J" : `/f${slot}`,
      blocks: 1,
      pieces: slot === 0 ? 2 : 1,
    };
  });
  const text = mapText({ blocks: 10, blockSize: 4096, free: 3, tables: 2, cells, files });
  assertEquals(text.split("\n")[0], "         0 .o#xT");
  assertMatch(text, /each letter is 2 blocks of 4\.0 KiB/);
  assertMatch(text, /^10 blocks, 3 free, 2 of tables; 25 files with blocks, 1 in several pieces$/m);
  assertMatch(text, /^ +2 +1 {2}\/\\x1b\[2J$/m);
  assertMatch(text, /^and 5 more files; --json has them all$/m);
});

Deno.test("mapText() breaks into lines that begin with their first block", () => {
  const cells = Array.from({ length: 130 }, (_, index) => ({ ...cell, block: index * 2 }));
  const text = mapText({ blocks: 260, blockSize: 512, free: 260, tables: 0, cells, files: [] });
  const lines = text.split("\n").slice(0, 3).map((line) => line.trim().split(" "));
  assertEquals(lines.map(([block, row]) => [block, row!.length]), [["0", 64], ["128", 64], [
    "256",
    2,
  ]]);
});
