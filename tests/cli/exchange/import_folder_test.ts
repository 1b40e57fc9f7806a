/**
 * `cairn import` of a host folder as a process.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { assertFails, cairn, inFolder } from "../../support/command_line.ts";

Deno.test("cairn import takes a folder with its links and times, and not the volume itself", () => {
  inFolder((folder) => {
    Deno.mkdirSync(`${folder}/d`, { mode: 0o711 });
    Deno.writeTextFileSync(`${folder}/d/f`, "text", { mode: 0o604 });
    Deno.utimeSync(`${folder}/d/f`, 1, 1.5);
    Deno.linkSync(`${folder}/d/f`, `${folder}/hard`);
    Deno.symlinkSync("/etc", `${folder}/soft`);
    const image = `${folder}/v`;
    const { status, out, err } = cairn(["import", folder, image]);
    const summary = "1 file, 2 directories, 1 symbolic link, 1 hard link, 4 bytes\n";
    assertEquals([status, out], [0, summary], err);
    assertMatch(err, /^note: left-out: ".*v\.new-\d+": left out: it is the volume/m);
    const lines = cairn(["tree", "--json", image]).out.trim().split("\n");
    const rows = lines.map((line) => JSON.parse(line));
    assertEquals(rows.map(({ path, mode, mtimeMs }) => `${path} ${mode} ${mtimeMs}`).slice(2, 4), [
      "/d/f 100604 1500",
      "/hard 100604 1500",
    ]);
    assertEquals([rows[1].mode, rows[4].target], ["40711", "/etc"]);
    assertEquals(cairn(["check", image]).status, 0);
  });
});

Deno.test("cairn import refuses an invalid folder", () => {
  inFolder((folder) => {
    assertFails(["import", `${folder}/none/`, `${folder}/v`], /".*none\/": ENOENT/);
    assertFails(["import", "--repair", folder, `${folder}/v`], /--repair is for version-1/);
    assertEquals([...Deno.readDirSync(folder)], []);
  });
});
