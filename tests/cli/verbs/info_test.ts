/**
 * `cairn info` as a process.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { cairn, inFolder, refusesBadImages } from "../../support/command_line.ts";

Deno.test("cairn info shows what a volume is like", () => {
  inFolder((folder) => {
    cairn(["mkfs", "--label", "my notes", `${folder}/v`]);
    const { status, out } = cairn(["info", `${folder}/v`]);
    assertEquals(status, 0);
    assertMatch(out, /^block size: +4\.0 KiB$/m);
    assertMatch(out, /^blocks: +\d+, \d+ free \(.*\)$/m);
    const facts = JSON.parse(cairn(["info", "--json", `${folder}/v`]).out);
    assertEquals([facts.blockSize, facts.names, facts.label], [4096, 0, "my notes"]);
    assertEquals(facts.fileBytes, Deno.statSync(`${folder}/v`).size);
    assertMatch(out, /^label: +my notes$/m);
    assertMatch(out, new RegExp(`^id: +${facts.id}$`, "m"));
    assertMatch(facts.id, /^[0-9a-f]{32}$/);
  });
});

Deno.test("cairn info refuses bad images", () => {
  inFolder((folder) => refusesBadImages(folder, ["info"]));
});
