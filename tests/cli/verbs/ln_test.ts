/**
 * `cairn ln` as a process.
 */
import { assertEquals } from "@std/assert";
import { sampleImage } from "../../support/bad_images.ts";
import { assertAllFail, cairn, inFolder, refusesBadImages } from "../../support/command_line.ts";
import { inShell } from "../../support/hostile_host.ts";

Deno.test("cairn ln makes hard and symbolic links, and replaces when an option says so", () => {
  inFolder((folder) => {
    sampleImage(`${folder}/v`);
    const { out, err, status } = inShell(
      `set -e
      cairn ln v /a /c; cairn ln v /a /dir; cairn ln -s v /any/where /s; cairn ln -s v x /dir
      cairn ln -sf v y /s; cairn ln -f v /a /s; cairn ln -f v /a /c; cairn ln -s v -- -t -dash
      cairn tree v; cairn stat --json v /a | grep -o '"nlink":[0-9]*'; cairn check v`,
      folder,
    );
    assertEquals([status, err], [0, ""]);
    assertEquals(out.split("\n").slice(0, -1), [
      ...["/", "  -dash -> -t", "  a (6)", "  c (6)", "  dir/", "    a (6)", "    b (6)"],
      ...["    link -> ../a", "    x -> x", "  s (6)", '"nlink":5'],
      "clean: 1 file, 2 directories, 3 symbolic links, 4 hard links, 4 of 64 blocks used",
    ]);
  });
});

Deno.test("cairn ln refuses what cannot be linked, and bad images", () => {
  inFolder((folder) => {
    refusesBadImages(folder, ["ln", "/a", "/b"]);
    const image = `${folder}/v`;
    sampleImage(image);
    assertAllFail([
      [["ln", image, "/none", "/x"], /v:\/x": ENOENT/],
      [["ln", image, "/dir", "/x"], /v:\/x": EPERM/],
      [["ln", image, "/a", "/dir/b"], /v:\/dir\/b": EEXIST: .*--force/],
      [["ln", "-s", image, "", "/x"], /v:\/x": E/],
    ]);
    assertEquals(cairn(["check", image]).status, 0);
  });
});
