/**
 * `cairn rm` as a process.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { fileHandle } from "../../../opfs/device/file.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import { sampleImage } from "../../support/bad_images.ts";
import {
  assertAllFail,
  assertFails,
  cairn,
  type Failing,
  inFolder,
  refusesBadImages,
} from "../../support/command_line.ts";
import { inShell } from "../../support/hostile_host.ts";

Deno.test("cairn rm removes names, trees and links themselves", () => {
  inFolder((folder) => {
    sampleImage(`${folder}/v`);
    const { out, err, status } = inShell(
      `set -e
      cairn ln -s v dir /todir; cairn mkdir -p v /deep/er/est; cairn touch v -- -dash
      cairn rm v /todir /a; cairn rm -r v /deep/; cairn rm -f v /none /a/none /dir/link
      cairn rm v -- -dash; cairn tree v; cairn rm -rf v dir; cairn check v`,
      folder,
    );
    assertEquals([status, err], [0, ""]);
    assertEquals(out.split("\n").slice(0, -1), [
      "/",
      "  dir/",
      "    b (6)",
      "clean: 0 files, 1 directory, 0 symbolic links, 0 hard links, 0 of 64 blocks used",
    ]);
  });
});

Deno.test("cairn rm refuses directories without -r, the root, and bad images", () => {
  inFolder((folder) => {
    refusesBadImages(folder, ["rm", "/a"]);
    const image = `${folder}/v`;
    sampleImage(image);
    assertAllFail([
      [["rm", image, "/dir"], /v:\/dir": EISDIR: cannot remove it: .* takes -r$/m],
      [["rm", image, "/none"], /v:\/none": ENOENT/],
      ...["/", "/dir/..", "."].map((path): Failing => [["rm", "-rf", image, path], /EINVAL/]),
    ]);
    assertEquals(cairn(["tree", image]).out.split("\n").length, 6);
    assertEquals(cairn(["check", image]).status, 0);
  });
});

Deno.test("cairn rm -r goes through no link, with a slash after it either", () => {
  inFolder((folder) => {
    const image = `${folder}/v`;
    sampleImage(image);
    assertEquals(cairn(["ln", "-s", image, "/dir", "/todir"]).status, 0);
    const before = cairn(["tree", image]).out;
    assertFails(["rm", "-r", image, "/todir/"], /v:\/todir\/": ENOTDIR/);
    assertEquals(cairn(["rm", "-rf", image, "/todir///"]).status, 0);
    assertEquals(cairn(["tree", image]).out, before);
  });
});

Deno.test("cairn rm -r goes to the ground", () => {
  inFolder((folder) => {
    const image = `${folder}/v`;
    const volume = openVolumeSync(fileHandle(image));
    let at = volume.root;
    for (let depth = 0; depth < 3000; depth++) {
      at = volume.create(at, "d".repeat(50), { mode: 0o040755, uid: 0, gid: 0 });
    }
    volume.close();
    assertEquals(cairn(["rm", "-rf", image, "d".repeat(50)]).status, 0);
    assertMatch(cairn(["check", image]).out, /^clean: 0 files, 1 directory/);
  });
});
