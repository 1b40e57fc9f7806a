/**
 * `cairn ls` as a process.
 */
import { assertEquals } from "@std/assert";
import { fileHandle } from "../../../opfs/device/file.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import { assertFails, cairn, inFolder, refusesBadImages } from "../../support/command_line.ts";

function volumeIn(path: string): void {
  const volume = openVolumeSync(fileHandle(path), { clock: () => 1_000_000 });
  const owner = { uid: 5, gid: 60 };
  const directory = volume.create(volume.root, "dir", { mode: 0o040711, ...owner });
  const file = volume.create(directory, "f", { mode: 0o104640, ...owner });
  volume.write(file, new Uint8Array(1234), 0);
  volume.create(directory, ".hidden", { mode: 0o100644, ...owner });
  volume.create(volume.root, "s", { mode: 0o120777, target: "dir", ...owner });
  volume.create(volume.root, "null", { mode: 0o020666, rdev: 0x103, ...owner });
  volume.close();
}

Deno.test("cairn ls lists names, sorted, hidden ones when an option says so", () => {
  inFolder((folder) => {
    volumeIn(`${folder}/v`);
    assertEquals(cairn(["ls", `${folder}/v`]).out, "dir\nnull\ns\n");
    assertEquals(cairn(["ls", `${folder}/v`, "/dir"]).out, "f\n");
    assertEquals(cairn(["ls", "-a", `${folder}/v`, "dir"]).out, ".\n..\n.hidden\nf\n");
    assertEquals(cairn(["ls", `${folder}/v`, "/s"]).out, "/s\n");
  });
});

Deno.test("cairn ls -l shows attributes, -R what is below", () => {
  inFolder((folder) => {
    volumeIn(`${folder}/v`);
    const { out } = cairn(["ls", "-lR", `${folder}/v`]);
    const lines = [
      "/:",
      "drwx--x--x 2 5 60   0 1970-01-01T00:16:40Z dir",
      "crw-rw-rw- 1 5 60 1,3 1970-01-01T00:16:40Z null",
      "lrwxrwxrwx 1 5 60   3 1970-01-01T00:16:40Z s -> dir",
      "",
      "/dir:",
      "-rwSr----- 1 5 60 1234 1970-01-01T00:16:40Z f",
    ];
    assertEquals(out, `${lines.join("\n")}\n`);
  });
});

Deno.test("cairn ls refuses bad images and paths", () => {
  inFolder((folder) => {
    refusesBadImages(folder, ["ls"]);
    volumeIn(`${folder}/v`);
    assertFails(["ls", `${folder}/v`, "/none"], /"[^"]*v:\/none": ENOENT/);
  });
});
