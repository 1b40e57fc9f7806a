/** The lock of a name: in one process, in two, under Deno and under Node; and whose file it is. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { fileHandle } from "../../../opfs/device/file.ts";
import { lockName } from "../../../opfs/device/file_lock.ts";
import { hostFor } from "../../../opfs/device/host.ts";
import { onFullDisk } from "../../support/hostile_host.ts";
import { isThere } from "../../../tools/programs.ts";
import { denoOpener, inFolderOfLocks, kill, openers } from "../../support/lock_processes.ts";

const names = (folder: string): string[] =>
  [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("lockName() keeps a second opener of this process out", async () => {
  await inFolderOfLocks((folder) => {
    const first = fileHandle(`${folder}/a`);
    const error = assertThrows(() => fileHandle(`${folder}/a`), ErrnoError, "EBUSY");
    assertStringIncludes(error.message, `process ${Deno.pid}`);
    first.close();
    fileHandle(`${folder}/a`).close();
    assertEquals(names(folder), ["a"]);
    return Promise.resolve();
  });
});

Deno.test("lockName() keeps out the opener of another process, until that one dies", async () => {
  await inFolderOfLocks(async (folder) => {
    const child = await denoOpener().hold(`${folder}/a`);
    try {
      const error = assertThrows(() => fileHandle(`${folder}/a`), ErrnoError, "EBUSY");
      assertStringIncludes(error.message, `process ${child.pid}`);
    } finally {
      await kill(child);
    }
    assert(names(folder).includes("a.lock"));
    fileHandle(`${folder}/a`).close();
    assertEquals(names(folder), ["a"]);
  });
});

Deno.test("lockName() is seen by a process that may only read and write the folder", async () => {
  await inFolderOfLocks(async (folder) => {
    const first = fileHandle(`${folder}/a`);
    const opener = denoOpener([`--allow-read=${folder}`, `--allow-write=${folder}`]);
    assertStringIncludes(await opener.open(`${folder}/a`), `EBUSY: cannot open "${folder}/a"`);
    first.close();
    assertEquals(await opener.open("a", folder), "open");
    assertEquals(names(folder), ["a"]);
  });
});

Deno.test("lockName() believes a line whose process it may not look at", async () => {
  await inFolderOfLocks(async (folder) => {
    const opener = denoOpener([`--allow-read=${folder}`, `--allow-write=${folder}`]);
    for (const line of [`${Deno.pid} ? word pid\n`, "999999999 123 word pid\n"]) {
      Deno.writeTextFileSync(`${folder}/a.lock`, line);
      assertStringIncludes(await opener.open(`${folder}/a`), `EBUSY: cannot open "${folder}/a"`);
      assertEquals(Deno.readTextFileSync(`${folder}/a.lock`), line);
    }
  });
});

Deno.test("lockName() keeps no descriptor and no lock when it refuses", async () => {
  await inFolderOfLocks((folder) => {
    const open = () => [...Deno.readDirSync("/proc/self/fd")].length;
    const path = `${folder}/a`;
    Deno.writeTextFileSync(`${path}.lock`, `${Deno.pid} ? word pid\n`);
    const refuse = () => assertThrows(() => lockName(path, path, hostFor("")), ErrnoError, "EBUSY");
    refuse();
    const before = open();
    for (let round = 0; round < 10; round++) refuse();
    // Other tests of this process open files at the same time, but not ten more each time.
    assert(open() < before + 10, `${before} to ${open()}`);
    // The same file, no line in it: what was refused holds it no more.
    Deno.truncateSync(`${path}.lock`, 0);
    lockName(path, path, hostFor("")).release();
    return Promise.resolve();
  });
});

Deno.test("lockName() removes no file that has come into the place of its own", async () => {
  await inFolderOfLocks((folder) => {
    const handle = fileHandle(`${folder}/a`);
    Deno.writeTextFileSync(`${folder}/other`, "theirs");
    Deno.renameSync(`${folder}/other`, `${folder}/a.lock`);
    handle.close();
    assertEquals(Deno.readTextFileSync(`${folder}/a.lock`), "theirs");
    return Promise.resolve();
  });
});

Deno.test("lockName() takes over the line that a dead process of Node's has left", async () => {
  await inFolderOfLocks((folder) => {
    for (const line of ["999999999 123 word pid\n", `${Deno.pid} 1 word pid\n`]) {
      Deno.writeTextFileSync(`${folder}/a.lock`, line);
      fileHandle(`${folder}/a`).close();
      assertEquals(names(folder), ["a"]);
    }
    return Promise.resolve();
  });
});

Deno.test("lockName() respects the line of a living process of Node's", async () => {
  await inFolderOfLocks((folder) => {
    Deno.writeTextFileSync(`${folder}/a.lock`, `${Deno.pid} ? word pid\n`);
    const error = assertThrows(() => fileHandle(`${folder}/a`), ErrnoError, "EBUSY");
    assertStringIncludes(error.message, `(or remove "${folder}/a.lock"`);
    return Promise.resolve();
  });
});

Deno.test("lockName() under Node: a living holder, a dead one, a line without an end", async () => {
  const { node } = await openers();
  await inFolderOfLocks(async (folder) => {
    const path = `${folder}/a`;
    const child = await node.hold(path);
    const why = `EBUSY: cannot open "${path}": process ${child.pid} holds it`;
    assertStringIncludes(await node.open(path), why);
    assertThrows(() => fileHandle(path), ErrnoError, why);
    await kill(child);
    assertEquals(await node.open(path), "open");
    Deno.writeTextFileSync(`${path}.lock`, "");
    assertEquals(await node.open(path), "open");
    Deno.writeTextFileSync(`${path}.lock`, "");
    fileHandle(path).close();
    assertEquals(names(folder), ["a"]);
  });
});

Deno.test("lockName() without locks of the system holds by the line, and refuses several names", async () => {
  const { nameless, node, deno } = await openers();
  await inFolderOfLocks(async (folder) => {
    const path = `${folder}/a`;
    const child = await nameless.hold(path);
    const why = `EBUSY: cannot open "${path}": process ${child.pid} holds it`;
    for (const opener of [nameless, node, deno]) {
      assertStringIncludes(await opener.open(path), why);
    }
    await kill(child);
    assert(names(folder).includes("a.lock"));
    assertEquals(await nameless.open(path), "open");
    assertEquals(names(folder), ["a"]);
    const other = await node.hold(path);
    assertStringIncludes(await nameless.open(path), `process ${other.pid} holds it`);
    await kill(other);
    Deno.removeSync(`${path}.lock`);
    Deno.writeTextFileSync(`${path}.lock`, "");
    assertStringIncludes(await nameless.open(path), `remove "${path}.lock"`);
    Deno.removeSync(`${path}.lock`);
    Deno.linkSync(path, `${folder}/b`);
    assertStringIncludes(await nameless.open(path), "ENOLCK");
    assertEquals(names(folder), ["a", "b"]);
  });
});

Deno.test("lockName() takes no process of another container or machine for dead", async () => {
  const { nameless, node, deno } = await openers();
  const namespace = Deno.readLinkSync("/proc/self/ns/pid");
  await inFolderOfLocks(async (folder) => {
    const path = `${folder}/a`;
    const elsewhere = [
      `pid:[1]@?`,
      `?@other.example`,
      `pid:[1]@${Deno.hostname()}`,
      `${namespace}@other`,
    ];
    for (const place of elsewhere) {
      for (const how of ["os", "pid"]) {
        const line = `999999999 123 word ${how} ${place}\n`;
        Deno.writeTextFileSync(`${path}.lock`, line);
        const openers = how === "pid" ? [nameless, node, deno] : [nameless];
        for (const opener of openers) {
          const said = await opener.open(path);
          assertStringIncludes(said, "EBUSY", line);
          assertStringIncludes(said, "process 999999999 of another container or machine holds it");
          assertStringIncludes(said, `remove "${path}.lock"`);
          assertEquals(Deno.readTextFileSync(`${path}.lock`), line);
        }
        Deno.removeSync(`${path}.lock`);
      }
    }
    // What is known to be of here is seen, and what an earlier version wrote.
    for (const place of [` ${namespace}@${Deno.hostname()}`, ` ?@${Deno.hostname()}`, " ?@?", ""]) {
      Deno.writeTextFileSync(`${path}.lock`, `999999999 123 word pid${place}\n`);
      for (const opener of [nameless, deno]) {
        assertEquals(await opener.open(path), "open", place);
        Deno.writeTextFileSync(`${path}.lock`, `999999999 123 word pid${place}\n`);
      }
    }
  });
});

Deno.test("lockName() believes no /proc in which its own id is another process", async () => {
  await inFolderOfLocks((folder) => {
    const path = `${folder}/a`;
    const { fs, process } = hostFor("");
    const readFileSync = (name: string, encoding: "utf8"): string =>
      name === "/proc/self/stat" ? "1 (another) S 0" : fs.readFileSync(name, encoding);
    for (const host of [{ fs, process }, { fs: { ...fs, readFileSync }, process }]) {
      const lock = lockName(path, path, host);
      const start = Deno.readTextFileSync(`${path}.lock`).split(" ")[1]!;
      assertEquals(start === "?", host.fs !== fs);
      lock.release();
    }
    return Promise.resolve();
  });
});

Deno.test({
  name: "lockName() keeps the openers of two namespaces of processes apart: root, for unshare",
  ignore: Deno.build.os !== "linux" || Deno.uid() !== 0 || !isThere("unshare"),
  async fn() {
    const hosts = await openers();
    // In one its own /proc is mounted; the other has that of here, in which its ids are others'.
    const inside = ["--mount-proc", "--"].map((
      word,
    ) => ["unshare", "--pid", "--fork", "--kill-child", word]);
    for (const prefix of inside) {
      const far = (await openers(prefix)).nameless;
      await inFolderOfLocks(async (folder) => {
        const path = `${folder}/a`;
        for (
          const [holder, others] of [
            [far, [hosts.nameless, hosts.node, hosts.deno]],
            [hosts.nameless, [far]],
            [hosts.deno, [far]],
          ] as const
        ) {
          const child = await holder.hold(path);
          for (const other of others) assertStringIncludes(await other.open(path), "EBUSY");
          await kill(child);
          Deno.removeSync(`${path}.lock`);
        }
      });
    }
  },
});

Deno.test("lockName() neither follows, nor writes, nor removes what is no lock of ours", async () => {
  const { node, nameless } = await openers();
  await inFolderOfLocks(async (folder) => {
    const path = `${folder}/Cargo`;
    const lock = `${path}.lock`;
    const line = `${Deno.pid} ? word os\n`;
    const inTheWay: [string, () => void][] = [
      ["a user's own file", () => Deno.writeTextFileSync(lock, "version = 3\n")],
      ["a line and more", () => Deno.writeTextFileSync(lock, `${line}# mine\n`)],
      ["a long file", () => Deno.writeTextFileSync(lock, "1 2 3 os".padEnd(10_000))],
      ["a link to a file", () => Deno.symlinkSync("keys", lock)],
      ["a link to an empty file", () => Deno.symlinkSync("empty", lock)],
      ["a link to nothing", () => Deno.symlinkSync("nothing", lock)],
      ["a hard link of a line", () => Deno.linkSync(`${folder}/line`, lock)],
      ["a folder", () => Deno.mkdirSync(lock)],
    ];
    Deno.writeTextFileSync(`${folder}/keys`, "my key\n");
    Deno.writeTextFileSync(`${folder}/empty`, "");
    Deno.writeTextFileSync(`${folder}/line`, line);
    Deno.writeTextFileSync(path, "");
    const shown = (): unknown => [
      names(folder),
      ...["keys", "empty", "line"].map((name) => Deno.readTextFileSync(`${folder}/${name}`)),
      Deno.lstatSync(lock).ino,
      Deno.lstatSync(lock).isFile ? Deno.readTextFileSync(lock) : "",
    ];
    for (const [what, make] of inTheWay) {
      make();
      const before = shown();
      const error = assertThrows(() => lockName(path, path, hostFor("")), ErrnoError, "EEXIST");
      assertStringIncludes(error.message, "not ours", what);
      assertStringIncludes(await nameless.open(path), "not ours", what);
      // The file itself holds where the name cannot.
      assertEquals(await node.open(path), "open", what);
      const handle = fileHandle(path);
      assertStringIncludes(await node.open(path), "EBUSY", what);
      assertThrows(() => fileHandle(path), ErrnoError, "EBUSY", what);
      handle.close();
      assertEquals(shown(), before, what);
      Deno.removeSync(lock);
    }
  });
});

Deno.test("lockName() holds on a full disk, where the volume can be made smaller", async () => {
  await inFolderOfLocks((folder) => {
    const script = `set -e
cairn mkfs v; dd if=/dev/zero of=big bs=64k count=8 status=none; cairn put v big /big; rm big
dd if=/dev/zero of=filler bs=4k status=none 2>/dev/null || true
cairn rm v /big; cairn check v; ls; cat v.lock 2>/dev/null || echo unlocked`;
    const { status, out, err } = onFullDisk(script, { folder, diskBytes: 4_000_000 });
    assertEquals([status, err], [0, ""]);
    assertStringIncludes(out, "filler\nv\nunlocked");
    return Promise.resolve();
  });
});
