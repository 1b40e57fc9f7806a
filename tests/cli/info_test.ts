/**
 * `cairn info` as a process.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { cairn, inFolder, refusesBadImages } from "../support/command_line.ts";

Deno.test("cairn info shows what a volume is like", () => {
  inFolder((folder) => {
    cairn(["mkfs", `${folder}/v`]);
    const { status, out } = cairn(["info", `${folder}/v`]);
    assertEquals(status, 0);
    assertMatch(out, /^block size: +4\.0 KiB$/m);
    assertMatch(out, /^blocks: +\d+, \d+ free \(.*\)$/m);
    const facts = JSON.parse(cairn(["info", "--json", `${folder}/v`]).out);
    assertEquals([facts.blockSize, facts.names], [4096, 0]);
  });
});

Deno.test("cairn info refuses bad images", () => {
  inFolder((folder) => refusesBadImages(folder, ["info"]));
});
