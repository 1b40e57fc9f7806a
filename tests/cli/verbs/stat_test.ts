/**
 * `cairn stat` as a process.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { fileHandle } from "../../../opfs/device/file.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import { assertFails, cairn, inFolder, refusesBadImages } from "../../support/command_line.ts";

Deno.test("cairn stat shows attributes, of a link itself", () => {
  inFolder((folder) => {
    const volume = openVolumeSync(fileHandle(`${folder}/v`), { clock: () => 1_000_000 });
    volume.create(volume.root, "s", { mode: 0o120777, target: "x", uid: 5, gid: 6 });
    volume.setxattr(volume.root, "user.note", new Uint8Array([1]), 0);
    volume.create(volume.root, "null", { mode: 0o020666, rdev: 0x103, uid: 0, gid: 0 });
    volume.close();
    const { status, out } = cairn(["stat", `${folder}/v`, "/s", "/null"]);
    assertEquals(status, 0);
    assertMatch(out, /^\/s -> x\n {2}symlink, lrwxrwxrwx \(120777\), owner 5:6\n {2}1 bytes/);
    assertMatch(out, /device 1,3/);
    assertMatch(cairn(["stat", `${folder}/v`, "/"]).out, /\n {2}attribute user\.note\n$/);
    const json = JSON.parse(cairn(["stat", "--json", `${folder}/v`, "/s"]).out);
    assertEquals([json.type, json.mode, json.target, json.mtimeMs], [
      "symlink",
      "120777",
      "x",
      1_000_000,
    ]);
    assertFails(["stat", `${folder}/v`, "/none"], /ENOENT/);
  });
});

Deno.test("cairn stat refuses bad images", () => {
  inFolder((folder) => refusesBadImages(folder, ["stat", "/f"]));
});
