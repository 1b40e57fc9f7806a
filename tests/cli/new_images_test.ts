/**
 * The verbs that make an image or a file of one, where they may not, where there is no room, and where
 * names begin with a dash.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { UNPRIVILEGED } from "../support/bad_images.ts";
import { assertAllFail, cairn, inFolder } from "../support/command_line.ts";
import { onFullDisk } from "../support/hostile_host.ts";

const SIZE_BYTES = 2_000_000;

/** A folder with a file in it, to import. */
function prepare(folder: string): void {
  Deno.mkdirSync(`${folder}/tree`);
  Deno.writeFileSync(`${folder}/tree/big`, new Uint8Array(SIZE_BYTES).fill(7));
}

Deno.test("cairn mkfs, import and export say that a folder is closed to them", () => {
  inFolder((folder) => {
    prepare(folder);
    assertEquals(cairn(["import", `${folder}/tree`, `${folder}/v`]).status, 0);
    Deno.mkdirSync(`${folder}/closed`);
    Deno.chownSync(`${folder}/closed`, 65534, 65534);
    Deno.chmodSync(`${folder}/closed`, 0o700);
    const why = /EACCES: .*look at the permissions/;
    assertAllFail([
      [["mkfs", `${folder}/closed/v`], why],
      [["import", `${folder}/tree`, `${folder}/closed/v`], why],
      [["export", `${folder}/v`, `${folder}/closed/v.tar`], why],
      [["export", `${folder}/v`, `${folder}/closed/folder`], why],
    ], { prefix: UNPRIVILEGED });
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
      "closed",
      "tree",
      "v",
    ]);
    assertEquals([...Deno.readDirSync(`${folder}/closed`)], []);
  });
});

Deno.test("cairn mkfs, import and export leave nothing on a disk without room", () => {
  inFolder((folder) => {
    const outside = Deno.makeTempDirSync();
    prepare(outside);
    assertEquals(cairn(["import", `${outside}/tree`, `${outside}/v`]).status, 0);
    const lines = ["import tree w", "export v t.tar", "export v folder", "mkfs --inodes 50k w"]
      .map((line) => line.replace(/\b(tree|v)\b/, `${outside}/$1`))
      .map((line) => `cairn ${line} 2>err; echo "$?"; cat err; rm err; ls`);
    const { out } = onFullDisk(lines.join("\n"), { folder, diskBytes: SIZE_BYTES / 2 });
    assertMatch(out, /^(2\ncairn \w+: .*ENOSPC: .*\n){4}$/);
    Deno.removeSync(outside, { recursive: true });
  });
});

Deno.test("cairn mkfs, import and export take names that begin with a dash", () => {
  inFolder((folder) => {
    prepare(folder);
    for (
      const line of [["mkfs", "--", "-v"], ["import", "--", "tree", "-w"], [
        "export",
        "--",
        "-w",
        "-t",
      ]]
    ) {
      assertEquals(cairn(line, { cwd: folder }).status, 0, line.join(" "));
    }
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    assertEquals(names, ["-t", "-v", "-w", "tree"]);
  });
});
