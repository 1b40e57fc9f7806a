/**
 * `cairn chmod` as a process.
 */
import { assertEquals } from "@std/assert";
import { sampleImage } from "../../support/bad_images.ts";
import { assertAllFail, cairn, inFolder, refusesBadImages } from "../../support/command_line.ts";
import { inShell } from "../../support/hostile_host.ts";

Deno.test("cairn chmod changes what is named, and with -R what is below", () => {
  inFolder((folder) => {
    sampleImage(`${folder}/v`);
    const { out, err, status } = inShell(
      `set -e
      modes() { cairn tree --json v | sed 's/.*"path":"\\([^"]*\\)".*"mode":"\\([0-7]*\\)".*/\\1 \\2/'; }
      cairn touch v -- -dash; cairn chmod v 600 /dir/link -- -dash; modes
      cairn chmod -R v u=rwX,go= /; modes; cairn chmod v -r /a -R; cairn chmod v -w,u+s -- -dash
      modes; cairn check v`,
      folder,
    );
    assertEquals([status, err], [0, ""]);
    assertEquals(out.split("\n").slice(0, -1), [
      ...["/ 40755", "/-dash 100600", "/a 100600", "/dir 40755", "/dir/b 100600"],
      "/dir/link 120777",
      ...["/ 40700", "/-dash 100600", "/a 100600", "/dir 40700", "/dir/b 100600"],
      "/dir/link 120777",
      ...["/ 40700", "/-dash 104400", "/a 100200", "/dir 40700", "/dir/b 100200"],
      "/dir/link 120777",
      "clean: 2 files, 2 directories, 1 symbolic link, 1 hard link, 2 of 64 blocks used",
    ]);
  });
});

Deno.test("cairn chmod refuses what is no mode, what is not there, and bad images", () => {
  inFolder((folder) => {
    refusesBadImages(folder, ["chmod", "644", "/a"]);
    const image = `${folder}/v`;
    sampleImage(image);
    assertAllFail([
      [["chmod", image, "9", "/a"], /"9" is no mode/],
      [["chmod", image, "644", "/none"], /v:\/none": ENOENT: cannot find it/],
      [["chmod", "--frob", image, "644", "/a"], /--frob/],
    ]);
    assertEquals(cairn(["check", image]).status, 0);
  });
});
