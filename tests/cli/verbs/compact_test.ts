/** `cairn compact` as a process. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { cairn, inFolder, refusesBadImages } from "../../support/command_line.ts";
import { fileHandle } from "../../../opfs/device/file.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";

Deno.test("cairn compact makes the file as short as what is in it", () => {
  inFolder((folder) => {
    const image = `${folder}/v`;
    const volume = openVolumeSync(fileHandle(image));
    for (const name of ["gone", "kept"]) {
      const ino = volume.create(volume.root, name, { mode: 0o100644, uid: 0, gid: 0 });
      volume.write(ino, new Uint8Array(2_000_000).fill(65), 0);
    }
    volume.unlink(volume.root, "gone");
    volume.close();
    const before = Deno.statSync(image).size;
    const { status, out } = cairn(["compact", image]);
    assertEquals(status, 0, out);
    assertMatch(out, /^\d+ blocks moved, \d\.\d MiB cut off the end\n$/);
    assert(Deno.statSync(image).size < before - 1_900_000);
    assertEquals(cairn(["check", image]).status, 0);
    assertEquals(cairn(["cat", image, "/kept"]).out.length, 2_000_000);
    const json = JSON.parse(cairn(["compact", "--json", image]).out);
    assertEquals(json, { movedBlocks: 0, cutBlocks: 0 });
    refusesBadImages(folder, ["compact"]);
  });
});
