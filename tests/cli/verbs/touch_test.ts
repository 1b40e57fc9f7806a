/**
 * `cairn touch` as a process.
 */
import { assert, assertEquals } from "@std/assert";
import { sampleImage } from "../../support/bad_images.ts";
import { assertAllFail, cairn, inFolder, refusesBadImages } from "../../support/command_line.ts";
import { inShell } from "../../support/hostile_host.ts";

Deno.test("cairn touch sets times, and makes what is missing", () => {
  inFolder((folder) => {
    sampleImage(`${folder}/v`);
    const before = Date.now();
    const { out, err, status } = inShell(
      `set -e
      cairn touch v /new -- -dash; cairn touch -c v /none; cairn touch -d @1.5 v /a
      cairn touch -a --date 2024-05-17T08:30:00Z v /dir/link; cairn touch -m -d @-2 v /dir
      cairn touch -md @2 v /dir/b; cairn stat --json v /a /dir /new -- -dash; cairn check v`,
      folder,
    );
    assertEquals([status, err], [0, ""]);
    const lines = out.split("\n");
    const [a, dir, made, dash] = lines.slice(0, 4).map((line) => JSON.parse(line));
    assertEquals([a.atimeMs, a.mtimeMs], [Date.UTC(2024, 4, 17, 8, 30), 2000]);
    assertEquals([dir.mtimeMs, dir.atimeMs], [-2000, 1_000_000]);
    assertEquals([made.mode, made.size], ["100644", 0]);
    assert(made.mtimeMs >= before && made.mtimeMs <= Date.now());
    assertEquals(dash.path, "-dash");
    assertEquals(lines[4]!.startsWith("clean: 3 files"), true);
  });
});

Deno.test("cairn touch refuses what is no time, what has no parent, and bad images", () => {
  inFolder((folder) => {
    refusesBadImages(folder, ["touch", "/a"]);
    const image = `${folder}/v`;
    sampleImage(image);
    assertAllFail([
      [["touch", "-d", "yesterday", image, "/a"], /"yesterday" is no time/],
      [["touch", image, "/no/such"], /v:\/no\/such": ENOENT/],
      [["touch", image, "/a/b"], /v:\/a\/b": ENOTDIR/],
    ]);
    assertEquals(cairn(["check", image]).status, 0);
  });
});
