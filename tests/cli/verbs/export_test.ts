/**
 * `cairn export` as a process: what a name makes of a target, and what is refused.
 */
import { assertEquals } from "@std/assert";
import { assertFails, cairn, inFolder, refusesBadImages } from "../../support/command_line.ts";

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
}

Deno.test("cairn export makes what the target's name says, or what --as says", () => {
  inFolder((folder) => {
    const image = `${folder}/one`;
    cairn(["mkfs", image]);
    Deno.mkdirSync(`${folder}/empty`);
    const targets = ["a.tar", "b.tar.gz", "c.tgz", "d/", "empty", "f"];
    for (const name of targets) {
      const { status, err } = cairn(["export", image, `${folder}/${name}`]);
      assertEquals([status, err], [0, ""], name);
    }
    assertEquals(cairn(["export", "--as", "tar.gz", image, `${folder}/g`]).status, 0);
    assertEquals(cairn(["export", "--as", "folder", image, `${folder}/h.tar`]).status, 0);
    const magic = (name: string): number => Deno.readFileSync(`${folder}/${name}`)[0]!;
    assertEquals(["b.tar.gz", "c.tgz", "f", "g"].map(magic), [0x1f, 0x1f, 0x21, 0x1f]);
    assertEquals(
      new TextDecoder().decode(Deno.readFileSync(`${folder}/a.tar`).slice(257, 262)),
      "ustar",
    );
    assertEquals(["d", "empty", "h.tar"].flatMap((name) => namesIn(`${folder}/${name}`)), []);
  });
});

Deno.test("cairn export refuses bad images and targets, and leaves no file", () => {
  inFolder((folder) => {
    refusesBadImages(folder, ["export", `${folder}/v1`]);
    const image = `${folder}/one`;
    cairn(["mkfs", image]);
    const before = namesIn(folder);
    assertFails(["export", image, image], /EEXIST|EBUSY/);
    for (const name of ["no/v1", "no/a.tar", "no/folder/"]) {
      assertFails(["export", image, `${folder}/${name}`], /".*no\/.*": ENOENT/);
    }
    assertFails(["export", image, folder], /ENOTEMPTY: .* something in the folder/);
    assertFails(["export", "--force", image, folder], /ENOTEMPTY/);
    assertFails(["export", "--as", "folder", image, `${folder}/text`], /EEXIST: .*a file/);
    assertFails(["export", "--as", "zip", image, `${folder}/x`], /--as is one of tar, tar.gz/);
    assertFails(["export", "--inodes", "5", image, `${folder}/x.tar`], /--inodes is for version-1/);
    assertFails(["export", "--as", "version1", image, "-"], /"-" takes a tar/);
    assertEquals(namesIn(folder), before);
  });
});
