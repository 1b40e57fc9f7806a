/**
 * `cairn mv` as a process.
 */
import { assertEquals } from "@std/assert";
import { sampleImage } from "../../support/bad_images.ts";
import { assertAllFail, cairn, inFolder, refusesBadImages } from "../../support/command_line.ts";
import { inShell } from "../../support/hostile_host.ts";

Deno.test("cairn mv renames, replaces, and moves into directories", () => {
  inFolder((folder) => {
    sampleImage(`${folder}/v`);
    const { out, err, status } = inShell(
      `set -e
      echo new > new; cairn put v new /new; cairn mkdir v /to; cairn mv v /dir/link /to/l
      cairn mv v /new /a; cairn mv -n v /a /dir/b; cairn mv v /a /dir /to; cairn mv v /to/l -- -dash
      cairn tree v; cairn cat v /to/a; cairn check v`,
      folder,
    );
    assertEquals([status, err], [0, ""]);
    assertEquals(out.split("\n").slice(0, -1), [
      ...["/", "  -dash -> ../a", "  to/", "    a (4)", "    dir/", "      b (6)", "new"],
      "clean: 2 files, 3 directories, 1 symbolic link, 0 hard links, 3 of 64 blocks used",
    ]);
  });
});

Deno.test("cairn mv refuses what cannot be moved, and bad images", () => {
  inFolder((folder) => {
    refusesBadImages(folder, ["mv", "/a", "/b"]);
    const image = `${folder}/v`;
    sampleImage(image);
    assertAllFail([
      [["mv", image, "/none", "/x"], /v:\/none": ENOENT/],
      [["mv", image, "/dir", "/dir/in"], /v:\/dir": EINVAL/],
      [["mv", image, "/a", "/dir/b", "/none"], /v:\/none": ENOTDIR: .* several/],
      [["mv", image, "/dir", "/a"], /v:\/dir": ENOTDIR/],
    ]);
    assertEquals(cairn(["check", image]).status, 0);
  });
});
