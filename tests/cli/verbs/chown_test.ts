/**
 * `cairn chown` as a process.
 */
import { assertEquals } from "@std/assert";
import { sampleImage } from "../../support/bad_images.ts";
import {
  assertAllFail,
  cairn,
  type Failing,
  inFolder,
  refusesBadImages,
} from "../../support/command_line.ts";
import { inShell } from "../../support/hostile_host.ts";

Deno.test("cairn chown changes owner and group, of links and of trees", () => {
  inFolder((folder) => {
    sampleImage(`${folder}/v`);
    const { out, err, status } = inShell(
      `set -e
      cairn touch v -- -dash; cairn chmod v 6755 /a; cairn chown v 5 /dir/link
      cairn chown v :6 /a; cairn chown -h v 7:8 /dir/link; cairn chown v 9 -- -dash
      cairn chown -R v :4294967294 dir; cairn ls -lR v | sed 's/ [0-9][0-9]*-.*Z / /'; cairn check v`,
      folder,
    );
    assertEquals([status, err], [0, ""]);
    assertEquals(out.split("\n").slice(0, -1), [
      "/:",
      "-rw-r--r-- 1 9          0 0 -dash",
      "-rwxr-xr-x 2 5 4294967294 6 a",
      "drwxr-xr-x 2 0 4294967294 0 dir",
      "",
      "/dir:",
      "-rwxr-xr-x 2 5 4294967294 6 b",
      "lrwxrwxrwx 1 7 4294967294 4 link -> ../a",
      "clean: 2 files, 2 directories, 1 symbolic link, 1 hard link, 2 of 64 blocks used",
    ]);
  });
});

Deno.test("cairn chown refuses names, large numbers, what is not there, and bad images", () => {
  inFolder((folder) => {
    refusesBadImages(folder, ["chown", "1:1", "/a"]);
    const image = `${folder}/v`;
    sampleImage(image);
    const owners = ["root", ":", "", "1:", "1:x"];
    assertAllFail([
      ...owners.map((owner): Failing => [["chown", image, owner, "/a"], /is no owner: write UID/]),
      [["chown", image, "4294967295", "/a"], /"4294967295" is too large/],
      [["chown", image, "1", "/none"], /v:\/none": ENOENT/],
    ]);
    assertEquals(cairn(["check", image]).status, 0);
  });
});
