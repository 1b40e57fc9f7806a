/**
 * `cairn export` to a host folder as a process.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { toFolder } from "../../../cli/exchange/export_folder.ts";
import { freeName } from "../../../cli/shared/place.ts";
import { memoryHandle, openVolumeSync, runToEnd } from "../../../opfs/mod.ts";
import { hostCommand } from "../../../tools/programs.ts";
import { assertFails, cairn, inFolder } from "../../support/command_line.ts";

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

/** A volume whose root has a mode of its own, with a folder that may not be written. */
function imageIn(folder: string): string {
  const from = `${folder}/from`;
  Deno.mkdirSync(`${from}/shut`, { recursive: true });
  Deno.writeTextFileSync(`${from}/shut/f`, "text");
  Deno.writeTextFileSync(`${from}/a`, "a");
  Deno.chmodSync(`${from}/shut`, 0o555);
  Deno.chmodSync(from, 0o550);
  assertEquals(cairn(["import", from, `${folder}/v`]).status, 0);
  return `${folder}/v`;
}

Deno.test("cairn export fills an empty folder that is there, by whichever name it is called", () => {
  inFolder((folder) => {
    const image = imageIn(folder);
    for (const name of ["plain", "link", "here", "dotted"]) Deno.mkdirSync(`${folder}/${name}`);
    Deno.renameSync(`${folder}/link`, `${folder}/real`);
    Deno.symlinkSync("real", `${folder}/link`);
    const words: [target: string, cwd: string, shown: string][] = [
      [`${folder}/plain`, folder, "plain"],
      [`${folder}/link`, folder, "real"],
      [".", `${folder}/here`, "here"],
      [`${folder}/dotted/../dotted/.`, folder, "dotted"],
    ];
    for (const [target, cwd, shown] of words) {
      const { ino } = Deno.statSync(`${folder}/${shown}`);
      const { status, err } = cairn(["export", image, target], { cwd });
      assertEquals([status, err], [0, ""], target);
      assertEquals(rowsOf(`${folder}/${shown}`), rowsOf(`${folder}/from`), target);
      const after = Deno.statSync(`${folder}/${shown}`);
      assertEquals([after.ino, after.mode! & 0o7777], [ino, 0o550]);
    }
    assertEquals(Deno.readLinkSync(`${folder}/link`), "real");
    assertFails(["export", image, `${folder}/plain`], /ENOTEMPTY/);
  });
});

Deno.test("cairn export refuses at once what it could not give a name in the end", () => {
  inFolder((folder) => {
    const image = imageIn(folder);
    Deno.symlinkSync("nowhere", `${folder}/dangling`);
    for (const target of [`${folder}/dangling/`, `${folder}/a/`]) {
      if (target.endsWith("a/")) Deno.writeTextFileSync(`${folder}/a`, "mine");
      assertThrows(() => toFolder(target), Error, "EEXIST");
      assertFails(["export", image, target], /EEXIST/);
    }
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    assertEquals(names, ["a", "dangling", "from", "v"]);
  });
});

Deno.test("toFolder() leaves an empty folder empty when it is not kept, and alone when it is not empty any more", () => {
  inFolder((folder) => {
    const volume = openVolumeSync(memoryHandle());
    // A file with the very name that the copy is made under.
    const taken = freeName(() => false);
    volume.create(volume.root, taken, { mode: 0o100644, uid: 0, gid: 0 });
    const names = (): string[] => [...Deno.readDirSync(folder)].map(({ name }) => name);
    const stopped = toFolder(folder);
    runToEnd(stopped.steps(volume) as never);
    stopped.discard();
    assertEquals(names(), []);
    const late = toFolder(folder);
    runToEnd(late.steps(volume) as never);
    Deno.writeTextFileSync(`${folder}/mine`, "mine");
    assertThrows(() => late.keep(), Error, "ENOTEMPTY");
    late.discard();
    assertEquals(names(), ["mine"]);
    Deno.removeSync(`${folder}/mine`);
    const kept = toFolder(folder);
    runToEnd(kept.steps(volume) as never);
    kept.keep();
    kept.discard();
    assertEquals(names(), [taken]);
    volume.close();
  });
});

Deno.test({
  name: "cairn export fills a mount point: root, for a tmpfs",
  ignore: Deno.build.os !== "linux" || Deno.uid() !== 0,
  fn() {
    inFolder((folder) => {
      const image = imageIn(folder);
      const place = `${folder}/place`;
      Deno.mkdirSync(place);
      const run = (program: string, ...args: string[]): boolean =>
        hostCommand(program, { args, stderr: "null" }).outputSync().success;
      if (!run("mount", "-t", "tmpfs", "none", place)) return;
      try {
        assertEquals(cairn(["export", image, place]).status, 0);
        assertEquals(rowsOf(place), rowsOf(`${folder}/from`));
      } finally {
        run("umount", place);
      }
    });
  },
});
