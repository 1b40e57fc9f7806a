/**
 * `cairn df` as a process.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { cairn, inFolder, refusesBadImages } from "../../support/command_line.ts";

Deno.test("cairn df shows the space of each volume", () => {
  inFolder((folder) => {
    for (const name of ["v", "w"]) cairn(["mkfs", `${folder}/${name}`]);
    const { status, out } = cairn(["df", "v", "w"], { cwd: folder });
    assertEquals(status, 0);
    const lines = out.trimEnd().split("\n");
    assertEquals(lines.length, 3);
    assertMatch(lines[0]!, /^ +size +used +available +volume$/);
    assertMatch(lines[2]!, / w$/);
    const inodes = cairn(["df", "-i", "v"], { cwd: folder }).out;
    assertMatch(inodes, /^ +inodes +used +available +volume\n +\d+ +\d+ +\d+ +v\n$/);
    const json = JSON.parse(cairn(["df", "--json", `${folder}/v`]).out);
    assertEquals(json.blockSize, 4096);
    assert(json.freeBlocks <= json.blocks);
  });
});

Deno.test("cairn df refuses bad images", () => {
  inFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/text`, "no volume ".repeat(2000));
    const { status, err } = cairn(["df", "--json", `${folder}/text`]);
    assertEquals(status, 2);
    assertMatch(err, /".*text": EINVAL: .*magic/);
    refusesBadImages(folder, ["df", "--json"]);
  });
});
