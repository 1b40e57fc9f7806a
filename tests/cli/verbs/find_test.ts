/**
 * `cairn find` as a process.
 */
import { assertEquals } from "@std/assert";
import { sampleImage } from "../../support/bad_images.ts";
import { assertAllFail, inFolder, refusesBadImages } from "../../support/command_line.ts";
import { inShell } from "../../support/hostile_host.ts";

Deno.test("cairn find finds what passes all tests, below each path", () => {
  inFolder((folder) => {
    sampleImage(`${folder}/v`);
    const { out, err, status } = inShell(
      `set -e
      cairn mkdir -p v /dir/empty; cairn touch v "$(printf '/dir/a\\nb')" -- -dash
      cairn find v; echo; cairn find v dir -type f -name '[ab]*'; echo
      cairn find v /dir /a -maxdepth 0; echo; cairn find v --mindepth 2 --type=d -empty; echo
      cairn find v -name -dash -size -1; echo; cairn find v -size +0 -links 2; echo
      cairn find v -name 'a*' -type f -print0 | tr '\\0\\n' '0n'; echo; cairn find v -- -dash`,
      folder,
    );
    assertEquals([status, err], [0, ""]);
    assertEquals(out.split("\n\n").map((part) => part.trim().split("\n")), [
      ["/", "/-dash", "/a", "/dir", "/dir/a\\nb", "/dir/b", "/dir/empty", "/dir/link"],
      ["dir/a\\nb", "dir/b"],
      ["/dir", "/a"],
      ["/dir/empty"],
      ["/-dash"],
      ["/a", "/dir/b"],
      ["/a0/dir/anb0", "-dash"],
    ]);
  });
});

Deno.test("cairn find refuses tests it does not know, and bad images", () => {
  inFolder((folder) => {
    refusesBadImages(folder, ["find"]);
    sampleImage(`${folder}/v`);
    assertAllFail([
      [["find", `${folder}/v`, "/none"], /v:\/none": ENOENT/],
      [["find", `${folder}/v`, "-type", "x"], /-type is "x"/],
      [["find", `${folder}/v`, "-delete"], /^cairn find: .*"cairn find --help"$/m],
      [["find", `${folder}/v`, "-name"], /^cairn find: .*-name/m],
    ]);
  });
});
