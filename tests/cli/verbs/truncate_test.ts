/**
 * `cairn truncate` as a process.
 */
import { assertEquals } from "@std/assert";
import { sampleImage } from "../../support/bad_images.ts";
import { assertAllFail, cairn, inFolder, refusesBadImages } from "../../support/command_line.ts";
import { inShell } from "../../support/hostile_host.ts";

Deno.test("cairn truncate cuts, extends with holes, and counts from what is there", () => {
  inFolder((folder) => {
    sampleImage(`${folder}/v`);
    const { out, err, status } = inShell(
      `set -e
      sizes() { cairn stat --json v $(cairn find v -type f) | grep -o '"size":[0-9]*'; }
      cairn truncate -s 2 v /dir/link; cairn cat v /a; echo
      cairn truncate -s +1G v /dir/b; cairn truncate -s -1k v /a; cairn truncate -c -s 5 v /none
      cairn truncate --size=3M v -- -dash; sizes; cairn truncate -s -2G v /a; sizes
      cairn du --bytes v; cairn check v`,
      folder,
    );
    assertEquals([status, err], [0, ""]);
    const size = `"size":${2 + 2 ** 30 - 1024}`;
    assertEquals(out.split("\n").slice(0, -1), [
      "he",
      ...['"size":3145728', size, size],
      ...['"size":3145728', '"size":0', '"size":0'],
      ...["      4096  /dir", "      4096  /"],
      "clean: 2 files, 2 directories, 1 symbolic link, 1 hard link, 1 of 64 blocks used",
    ]);
  });
});

Deno.test("cairn truncate refuses what is no size, what is no file, and bad images", () => {
  inFolder((folder) => {
    refusesBadImages(folder, ["truncate", "/a"], (image) => ["-s", "1", image, "/a"]);
    const image = `${folder}/v`;
    sampleImage(image);
    assertAllFail([
      [["truncate", image, "/a"], /-s is missing/],
      [["truncate", "-s", "1x", image, "/a"], /--size is "1x" and not a size/],
      [["truncate", "-s", "1", image, "/dir"], /v:\/dir": EISDIR/],
      [["truncate", "-s", "9000000G", image, "/a"], /v:\/a": EFBIG/],
    ]);
    assertEquals(cairn(["check", image]).status, 0);
  });
});
