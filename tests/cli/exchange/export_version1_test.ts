/**
 * `cairn export` to a version-1 image, as a process.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { fileHandle } from "../../../opfs/device/file.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import { assertFails, cairn, inFolder } from "../../support/command_line.ts";

function volumeIn(path: string, special = false): void {
  const volume = openVolumeSync(fileHandle(path), { clock: () => 1000 });
  const owner = { uid: 5, gid: 6 };
  const directory = volume.create(volume.root, "d", { mode: 0o040711, ...owner });
  const file = volume.create(directory, "f", { mode: 0o100640, ...owner });
  volume.write(file, new TextEncoder().encode("contents"), 0);
  volume.link(file, volume.root, "hard");
  if (special) volume.create(volume.root, "pipe", { mode: 0o010600, ...owner });
  volume.close();
}

Deno.test("cairn export, then import, is the same tree", () => {
  inFolder((folder) => {
    volumeIn(`${folder}/one`);
    const { status, out, err } = cairn(["export", `${folder}/one`, `${folder}/v1`]);
    const summary = "1 file, 2 directories, 1 hard link, 8 bytes\n";
    assertEquals([status, out, err], [0, summary, ""]);
    assertEquals(cairn(["import", `${folder}/v1`, `${folder}/two`]).status, 0);
    const trees = ["one", "two"].map((name) =>
      cairn(["tree", "--json", "--hash", `${folder}/${name}`]).out
    );
    assertEquals(trees[0], trees[1]);
  });
});

Deno.test("cairn export says what version 1 cannot say, and ends with 1", () => {
  inFolder((folder) => {
    volumeIn(`${folder}/one`, true);
    const { status, err } = cairn(["export", `${folder}/one`, `${folder}/v1`]);
    assertEquals(status, 1);
    assertMatch(err, /^changed: special-file: "\/pipe": /m);
  });
});

Deno.test("cairn export leaves room for as many names as asked for", () => {
  inFolder((folder) => {
    volumeIn(`${folder}/one`);
    assertEquals(cairn(["export", "--inodes", "1k", `${folder}/one`, `${folder}/v1`]).status, 0);
    const slots = new DataView(Deno.readFileSync(`${folder}/v1`).buffer).getUint32(8, true);
    assertEquals(slots, 1088);
    assertFails(["export", "--inodes", "many", `${folder}/one`, `${folder}/x`], /not a number/);
  });
});
