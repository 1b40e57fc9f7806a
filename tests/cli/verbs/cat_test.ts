/**
 * `cairn cat` as a process.
 */
import { assertEquals } from "@std/assert";
import { fileHandle } from "../../../opfs/device/file.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import { assertAllFail, cairn, inFolder, refusesBadImages } from "../../support/command_line.ts";

Deno.test("cairn cat writes the bytes and nothing else", () => {
  inFolder((folder) => {
    const image = `${folder}/v`;
    const bytes = new Uint8Array(3_000_001).map((_, index) => index * 31 >> 3);
    const volume = openVolumeSync(fileHandle(image));
    const file = volume.create(volume.root, "f", { mode: 0o100000, uid: 1, gid: 1 });
    for (let at = 0; at < bytes.length;) at += volume.write(file, bytes.subarray(at), at);
    volume.create(volume.root, "s", { mode: 0o120777, uid: 0, gid: 0, target: "f" });
    volume.create(volume.root, "dev", { mode: 0o040755, uid: 0, gid: 0 });
    volume.create(volume.lookup(volume.root, "dev"), "mine", { mode: 0o100644, uid: 0, gid: 0 });
    volume.close();
    assertEquals(cairn(["cat", image, "/f"]).bytes, bytes);
    assertEquals(cairn(["cat", image, "s", "/dev/mine"]).bytes, bytes);
    assertAllFail([
      [["cat", image, "/none"], /"[^"]*v:\/none": ENOENT/],
      [["cat", image, "/dev"], /"[^"]*v:\/dev": EISDIR/],
      [["cat", image, "/dev/null"], /ENOENT/],
    ]);
  });
});

Deno.test("cairn cat refuses bad images", () => {
  inFolder((folder) => refusesBadImages(folder, ["cat", "/f"]));
});
