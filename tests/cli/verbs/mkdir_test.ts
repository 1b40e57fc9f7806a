/**
 * `cairn mkdir` as a process.
 */
import { assertEquals } from "@std/assert";
import { sampleImage } from "../../support/bad_images.ts";
import { assertAllFail, cairn, inFolder, refusesBadImages } from "../../support/command_line.ts";
import { inShell } from "../../support/hostile_host.ts";

Deno.test("cairn mkdir makes directories, and with -p those above", () => {
  inFolder((folder) => {
    sampleImage(`${folder}/v`);
    const { out, err, status } = inShell(
      `set -e
      cairn mkdir v /one two; cairn mkdir -p v /three/b/c /three/b /dir /; cairn mkdir v -- -dash
      cairn mkdir -m 1777 v /tmp; cairn mkdir -p -m go= v /private/in
      cairn find v -type d; cairn check v; cairn stat v /tmp /private /private/in | grep dir,`,
      folder,
    );
    assertEquals([status, err], [0, ""]);
    assertEquals(out.split("\n").slice(0, -1), [
      ...["/", "/-dash", "/dir", "/one", "/private", "/private/in", "/three", "/three/b"],
      ...["/three/b/c", "/tmp", "/two"],
      "clean: 1 file, 11 directories, 1 symbolic link, 1 hard link, 2 of 64 blocks used",
      "  dir, drwxrwxrwt (41777), owner 0:0",
      "  dir, drwxr-xr-x (40755), owner 0:0",
      "  dir, drwx------ (40700), owner 0:0",
    ]);
  });
});

Deno.test("cairn mkdir refuses what is there, what has no parent, and bad images", () => {
  inFolder((folder) => {
    refusesBadImages(folder, ["mkdir", "/x"]);
    const image = `${folder}/v`;
    sampleImage(image);
    assertAllFail([
      [["mkdir", image, "/dir"], /v:\/dir": EEXIST: .*; -p lets be what is there$/m],
      [["mkdir", image, "/no/such"], /v:\/no\/such": ENOENT/],
      [["mkdir", "-p", image, "/a/b"], /v:\/a\/b": ENOTDIR/],
      [["mkdir", "-m", "rwx", image, "/b"], /"rwx" is no mode/],
    ]);
    assertEquals(cairn(["check", image]).status, 0);
  });
});
