/**
 * `cairn export` to a host folder as a process.
 */
import { assertEquals } from "@std/assert";
import { toFolder } from "../../../cli/exchange/export_folder.ts";
import { cairn, inFolder } from "../../support/command_line.ts";

Deno.test("cairn export and import carry a folder there and back", () => {
  inFolder((folder) => {
    const from = `${folder}/from`;
    Deno.mkdirSync(`${from}/d/empty`, { recursive: true });
    Deno.writeTextFileSync(`${from}/d/f`, "text", { mode: 0o640 });
    Deno.utimeSync(`${from}/d/f`, 7, 1.5);
    Deno.linkSync(`${from}/d/f`, `${from}/hard`);
    Deno.symlinkSync("d/f", `${from}/soft`);
    Deno.truncateSync(`${from}/d/f`, 1_000_000);
    Deno.chmodSync(`${from}/d`, 0o1750);
    assertEquals(cairn(["import", from, `${folder}/v`]).status, 0);
    const { status, out } = cairn(["export", `${folder}/v`, `${folder}/to/`]);
    const summary = "1 file, 3 directories, 1 symbolic link, 1 hard link, ";
    assertEquals([status, out.startsWith(summary)], [0, true], out);
    assertEquals(rowsOf(`${folder}/to`), rowsOf(from));
    const hard = Deno.statSync(`${folder}/to/hard`);
    assertEquals(hard.ino, Deno.statSync(`${folder}/to/d/f`).ino);
    assertEquals(cairn(["export", `${folder}/v`, `${folder}/to`]).status, 2);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["from", "to", "v"]);
  });
});

Deno.test("toFolder() leaves alone what has the temporary name that it takes", () => {
  inFolder((folder) => {
    const other = `${folder}/to.new-${Deno.pid}`;
    Deno.mkdirSync(other);
    Deno.writeTextFileSync(`${other}/mine`, "mine");
    Deno.symlinkSync(other, `${other}-1`);
    const target = toFolder(`${folder}/to/`);
    target.discard();
    assertEquals(Deno.readTextFileSync(`${other}/mine`), "mine");
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    assertEquals(names, [`to.new-${Deno.pid}`, `to.new-${Deno.pid}-1`]);
  });
});

function rowsOf(folder: string, path = ""): string[] {
  const rows: string[] = [];
  for (const { name } of [...Deno.readDirSync(folder + path)].sort(byName)) {
    const below = `${path}/${name}`;
    const { mode, uid, size, mtime, isDirectory, isSymlink } = Deno.lstatSync(folder + below);
    const text = isSymlink ? Deno.readLinkSync(folder + below) : "";
    rows.push([below, mode, uid, isDirectory ? 0 : size, mtime?.getTime(), text].join(" "));
    if (isDirectory) rows.push(...rowsOf(folder, below));
  }
  return rows;
}

function byName(one: Deno.DirEntry, other: Deno.DirEntry): number {
  return one.name < other.name ? -1 : 1;
}
