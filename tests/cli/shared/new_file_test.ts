/**
 * A host file that comes into being whole or not at all.
 */
import { assertEquals } from "@std/assert";
import process from "node:process";
import { newFile } from "../../../cli/shared/new_file.ts";
import { fileHandle } from "../../../opfs/device/file.ts";
import { hostCommand } from "../../../tools/programs.ts";
import { inFolder } from "../../support/command_line.ts";
import { assertErrno } from "../../support/errno.ts";

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
}

Deno.test("newFile() gives the name when it is kept, and nothing before", () => {
  inFolder((folder) => {
    const file = newFile(`${folder}/a`);
    Deno.writeTextFileSync(file.path, "new");
    assertEquals(namesIn(folder).includes("a"), false);
    file.keep();
    file.discard();
    assertEquals(namesIn(folder), ["a"]);
    assertEquals(Deno.readTextFileSync(`${folder}/a`), "new");
  });
});

Deno.test("newFile() leaves what stood there when it is discarded", () => {
  inFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/a`, "old");
    const file = newFile(`${folder}/a`, { force: true });
    Deno.writeTextFileSync(file.path, "new");
    file.discard();
    assertEquals(namesIn(folder), ["a"]);
    assertEquals(Deno.readTextFileSync(`${folder}/a`), "old");
  });
});

Deno.test("newFile() replaces nothing but files", () => {
  inFolder((folder) => {
    hostCommand("mkfifo", { args: [`${folder}/fifo`] }).outputSync();
    Deno.symlinkSync("/dev/null", `${folder}/null`);
    for (const name of ["fifo", "null"]) {
      for (const force of [false, true]) {
        assertErrno("EEXIST", () => newFile(`${folder}/${name}`, { force }));
      }
    }
    assertEquals(namesIn(folder), ["fifo", "null"]);
    assertEquals(Deno.lstatSync(`${folder}/fifo`).isFifo, true);
  });
});

/** Permissions, and the owner where this process may give one. */
function rightsOf(path: string): (number | null)[] {
  const { mode, uid, gid } = Deno.statSync(path);
  return [mode! & 0o7777, uid, gid];
}

Deno.test("newFile() keeps owner and permissions of what it replaces, and is closed before", () => {
  inFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/secret`, "old");
    Deno.chmodSync(`${folder}/secret`, 0o640);
    if (Deno.uid() === 0) Deno.chownSync(`${folder}/secret`, 1000, 1001);
    const before = rightsOf(`${folder}/secret`);
    for (const name of ["secret", "fresh"]) {
      const file = newFile(`${folder}/${name}`, { force: true });
      Deno.writeTextFileSync(file.path, "new");
      assertEquals(rightsOf(file.path)[0], 0o600);
      file.keep();
      file.discard();
    }
    assertEquals(rightsOf(`${folder}/secret`), before);
    assertEquals(rightsOf(`${folder}/fresh`)[0], 0o666 & ~Deno.umask());
    const file = newFile(`${folder}/given`);
    file.keep({ mode: 0o751 });
    assertEquals(rightsOf(`${folder}/given`)[0], 0o751);
  });
});

Deno.test("newFile() replaces what a link leads to, and not the link", () => {
  inFolder((folder) => {
    Deno.mkdirSync(`${folder}/d`);
    Deno.writeTextFileSync(`${folder}/d/real`, "old");
    Deno.symlinkSync("d/real", `${folder}/link`);
    const file = newFile(`${folder}/link`, { force: true });
    Deno.writeTextFileSync(file.path, "new");
    file.keep();
    assertEquals(Deno.readLinkSync(`${folder}/link`), "d/real");
    assertEquals(Deno.readTextFileSync(`${folder}/d/real`), "new");
    assertEquals([namesIn(folder), namesIn(`${folder}/d`)], [["d", "link"], ["real"]]);
  });
});

Deno.test("newFile() refuses what is there, also when it comes later", () => {
  inFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/empty`, "");
    newFile(`${folder}/empty`).discard();
    Deno.writeTextFileSync(`${folder}/a`, "old");
    assertErrno("EEXIST", () => newFile(`${folder}/a`));
    assertErrno("EISDIR", () => newFile(folder, { force: true }));
    const file = newFile(`${folder}/b`);
    Deno.writeTextFileSync(file.path, "new");
    Deno.writeTextFileSync(`${folder}/b`, "somebody's");
    assertErrno("EEXIST", () => file.keep());
    file.discard();
    assertEquals(Deno.readTextFileSync(`${folder}/b`), "somebody's");
  });
});

Deno.test("newFile() leaves alone what has the temporary name that it takes", () => {
  inFolder((folder) => {
    const other = `a.new-${Deno.pid}`;
    Deno.symlinkSync("keys", `${folder}/${other}-1`);
    Deno.writeTextFileSync(`${folder}/${other}`, "mine");
    for (const name of ["a.new", "keys"]) Deno.writeTextFileSync(`${folder}/${name}`, "mine");
    const before = namesIn(folder);
    const file = newFile(`${folder}/a`);
    Deno.writeTextFileSync(file.path, "new");
    file.discard();
    assertEquals(namesIn(folder), before);
    for (const name of ["a.new", "keys", other]) {
      assertEquals(Deno.readTextFileSync(`${folder}/${name}`), "mine");
    }
  });
});

Deno.test("newFile() holds what it replaces until it is replaced, and by every name", () => {
  inFolder((folder) => {
    fileHandle(`${folder}/a`).close();
    Deno.linkSync(`${folder}/a`, `${folder}/b`);
    const file = newFile(`${folder}/a`, { force: true });
    const handle = fileHandle(`${folder}/b`);
    assertErrno("EBUSY", () => file.keep());
    handle.close();
    file.keep();
    assertEquals(namesIn(folder), ["a", "b"]);
  });
});

Deno.test("newFile() does not take a volume away from the program that works on it", () => {
  inFolder((folder) => {
    const handle = fileHandle(`${folder}/a`);
    handle.write(new Uint8Array(10), { at: 0 });
    assertErrno("EBUSY", () => newFile(`${folder}/a`, { force: true }));
    handle.close();
    newFile(`${folder}/a`, { force: true }).discard();
  });
});

Deno.test({
  name: "newFile() says first where only its owner may replace a file: root, for other owners",
  ignore: Deno.build.os !== "linux" || Deno.uid() !== 0,
  fn() {
    inFolder((folder) => {
      const place = `${folder}/sticky`;
      Deno.mkdirSync(place);
      Deno.chmodSync(place, 0o1777);
      Deno.writeTextFileSync(`${place}/v`, "theirs");
      Deno.chownSync(place, 1234, 1234);
      Deno.chownSync(`${place}/v`, 2345, 2345);
      const { geteuid } = process;
      const asUser = (uid: number): void => {
        process.geteuid = () => uid;
        try {
          newFile(`${place}/v`, { force: true }).discard();
        } finally {
          process.geteuid = geteuid!;
        }
      };
      for (const uid of [0, 1234, 2345]) asUser(uid);
      assertErrno("EPERM", () => asUser(3456));
      assertEquals(namesIn(place), ["v"]);
      Deno.chmodSync(place, 0o777);
      asUser(3456);
    });
  },
});
