/** `cairn upgrade` as a process. */
import { assertEquals, assertMatch } from "@std/assert";
import { gunzipSync } from "node:zlib";
import { goldenPath } from "../../golden/images.ts";
import { cairn, inFolder, refusesBadImages } from "../../support/command_line.ts";

Deno.test("cairn upgrade gives an older volume today's format, and says when it has it", () => {
  inFolder((folder) => {
    const bytes = gunzipSync(Deno.readFileSync(goldenPath("older_closed")));
    Deno.writeFileSync(`${folder}/v`, bytes);
    const first = cairn(["upgrade", "v"], { cwd: folder });
    assertEquals(first.status, 0, first.err);
    assertMatch(first.out, /^upgraded: \d+ files, 2 directories, \d+\.\d KiB\n$/);
    const again = cairn(["upgrade", "v"], { cwd: folder });
    assertEquals([again.status, again.out], [0, "it has today's format already\n"]);
    const json = cairn(["upgrade", "--json", "v"], { cwd: folder });
    assertEquals(JSON.parse(json.out), { isNew: true });
    assertEquals(cairn(["cat", "v", "/hello.txt"], { cwd: folder }).out, "Hello, reader.\n");
    assertEquals(cairn(["check", "v"], { cwd: folder }).status, 0);
    refusesBadImages(folder, ["upgrade"]);
  });
});
