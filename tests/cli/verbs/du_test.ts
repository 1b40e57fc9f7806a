/**
 * `cairn du` as a process.
 */
import { assertEquals } from "@std/assert";
import { sampleImage } from "../../support/bad_images.ts";
import { assertAllFail, inFolder, refusesBadImages } from "../../support/command_line.ts";
import { inShell } from "../../support/hostile_host.ts";

Deno.test("cairn du adds up trees, and counts a file with two names once", () => {
  inFolder((folder) => {
    sampleImage(`${folder}/v`);
    const { out, err, status } = inShell(
      `set -e
      head -c 100000 /dev/zero > big; cairn mkdir -p v /dir/in/side; cairn put v big /dir/in/big
      cairn truncate -s 1G v /hole; cairn touch v -- -dash
      cairn du v; cairn du -s v /dir /a; cairn du -a -d 1 --bytes v; cairn du -s --apparent v
      cairn du v -- -dash`,
      folder,
    );
    assertEquals([status, err], [0, ""]);
    // The target of the link in /dir takes a block, too.
    assertEquals(out.split("\n").slice(0, -1), [
      "       0 B  /dir/in/side",
      " 100.0 KiB  /dir/in",
      " 104.0 KiB  /dir",
      " 108.0 KiB  /",
      " 108.0 KiB  /dir",
      "       0 B  /a",
      "         0  /-dash",
      "      4096  /a",
      "    106496  /dir",
      "         0  /hole",
      "    110592  /",
      "   1.0 GiB  /",
      "       0 B  -dash",
    ]);
  });
});

Deno.test("cairn du refuses paths that are not there, and bad images", () => {
  inFolder((folder) => {
    refusesBadImages(folder, ["du"]);
    sampleImage(`${folder}/v`);
    assertAllFail([
      [["du", `${folder}/v`, "/none"], /v:\/none": ENOENT/],
      [["du", "-d", "x", `${folder}/v`], /--depth is "x"/],
    ]);
  });
});
