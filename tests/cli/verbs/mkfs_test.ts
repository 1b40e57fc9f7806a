/**
 * `cairn mkfs` as a process.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { assertFails, cairn, inFolder } from "../../support/command_line.ts";

Deno.test("cairn mkfs makes an empty volume of less than a mebibyte", () => {
  inFolder((folder) => {
    const image = `${folder}/v`;
    const { status, out, err } = cairn(["mkfs", image]);
    assertEquals([status, out, err], [0, "", ""]);
    assertEquals(Deno.statSync(image).size < 1024 * 1024, true);
    assertEquals(cairn(["tree", image]).out, "/\n");
    assertEquals(cairn(["check", image]).status, 0);
    assertEquals([...Deno.readDirSync(folder)].length, 1);
  });
});

Deno.test("cairn mkfs takes block size, journal and label", () => {
  inFolder((folder) => {
    const image = `${folder}/v`;
    const options = ["--block-size", "64k", "--journal", "128k", "--label", "my films"];
    assertEquals(cairn(["mkfs", ...options, image]).status, 0);
    assertEquals(JSON.parse(cairn(["info", "--json", image]).out).blockSize, 65536);
    const text = new TextDecoder("latin1").decode(Deno.readFileSync(image));
    assertMatch(text, /my films/);
    assertFails(["mkfs", "--block-size", "1000", `${folder}/w`], /".*w": EINVAL: .*1000/);
    assertFails(["mkfs", "--block-size", "large", `${folder}/w`], /--block-size is "large"/);
    assertFails(["mkfs", "--journal", "5", `${folder}/w`], /EINVAL: .*journal of 5/);
    assertFails(["mkfs", "--label", "x".repeat(65), `${folder}/w`], /EINVAL/);
  });
});

Deno.test("cairn mkfs replaces something only when an option says so", () => {
  inFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/v`, "mine");
    assertFails(["mkfs", `${folder}/v`], /".*v": EEXIST: .*--force/);
    assertEquals(Deno.readTextFileSync(`${folder}/v`), "mine");
    assertEquals(cairn(["mkfs", "--force", `${folder}/v`]).status, 0);
    assertFails(["mkfs", `${folder}/no/v`], /ENOENT/);
    assertFails(["mkfs", "--force", folder], /EISDIR/);
  });
});

Deno.test("cairn mkfs makes room for inodes, and sets a size that the volume keeps", () => {
  inFolder((folder) => {
    const image = `${folder}/v`;
    assertEquals(cairn(["mkfs", "--inodes", "5000", "--size", "2M", image]).status, 0);
    const facts = JSON.parse(cairn(["info", "--json", image]).out);
    assertEquals([facts.slots, facts.limitBytes], [5056, 2 * 1024 ** 2]);
    assertEquals(facts.freeSlots >= 5000, true);
    assertMatch(cairn(["info", image]).out, /^at most: +2\.0 MiB$/m);
    const { blocks, blockSize } = JSON.parse(cairn(["df", "--json", image]).out);
    assertEquals(blocks * blockSize < 2 * 1024 ** 2, true);
    Deno.writeFileSync(`${folder}/big`, new Uint8Array(3 * 1024 ** 2).fill(1));
    assertFails(["put", image, `${folder}/big`], /ENOSPC/);
    assertEquals(Deno.statSync(image).size <= 2 * 1024 ** 2, true);
    assertEquals(cairn(["ls", image]).out, "");
    assertEquals(cairn(["check", image]).status, 0);
    assertFails(["mkfs", "--size", "5", `${folder}/w`], /".*w": ENOSPC/);
    assertFails(["mkfs", "--inodes", "1000m", `${folder}/w`], /".*w": EINVAL: .*slots/);
    assertMatch(cairn(["info", "--json", image]).out, /"label":""/);
  });
});
