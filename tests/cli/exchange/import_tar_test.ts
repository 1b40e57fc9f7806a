/**
 * `cairn import` of a tar as a process: good ones, odd ones and hostile ones.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { gzipSync } from "node:zlib";
import { seal } from "../../../cli/tar/header.ts";
import { fileHandle, openVolumeSync } from "../../../opfs/mod.ts";
import { assertFails, cairn, command, inFolder } from "../../support/command_line.ts";
import { type Entry, oldSparse, tarOf } from "../../support/tar_bytes.ts";
import { hostCommand, isThere } from "../../../tools/programs.ts";

/** The group may do less than the mode of a file with such a list says. */
const ACL = "user::rw-,user:alice:rw-:1000,group::r--,mask::rw-,other::---";

interface Row {
  path: string;
  type: string;
  mode: string;
  target?: string;
}

function rowsOf(image: string): Row[] {
  const { out } = cairn(["tree", "--json", image]);
  return out.trim().split("\n").map((line) => JSON.parse(line));
}

/** Imports the entries; the image is clean, and nothing else is left. */
function importTar(folder: string, entries: readonly Entry[]): ReturnType<typeof cairn> {
  Deno.writeFileSync(`${folder}/a.tar`, tarOf(entries));
  const ended = cairn(["import", "--force", `${folder}/a.tar`, `${folder}/v`]);
  assertEquals(cairn(["check", `${folder}/v`]).status, 0);
  assertEquals([...Deno.readDirSync(folder)].length, 2);
  return ended;
}

Deno.test("cairn import takes links, devices, long names, times and attributes out of a tar", () => {
  inFolder((folder) => {
    const long = "n".repeat(200);
    const { status, out, err } = importTar(folder, [
      { name: "./", type: "5", numbers: { mode: 0o750 } },
      { name: "./d/", type: "5", numbers: { mode: 0o1777, uid: 7, gid: 8 } },
      {
        name: "cut",
        body: "text",
        numbers: { mode: 0o4711 },
        pax: {
          ...{ path: `./d/${long}`, mtime: "1.5", atime: "-2.25", ctime: "3" },
          ...{ uid: "4000000000", "SCHILY.xattr.user.raw": new Uint8Array([0, 255]) },
        },
      },
      { name: "./hard", type: "1", link: "cut", pax: { linkpath: `./d/${long}` } },
      { name: "./soft", type: "2", link: "../../x" },
      { name: "./null", type: "3", numbers: { major: 1, minor: 3 } },
      { name: "./disk", type: "4", numbers: { major: 8, minor: 300 } },
      { name: "./pipe", type: "6" },
    ]);
    const summary =
      "1 file, 2 directories, 1 symbolic link, 3 special files, 1 hard link, 4 bytes\n";
    assertEquals([status, out, err], [0, summary, ""]);
    const rows = rowsOf(`${folder}/v`);
    assertEquals(rows.map(({ path, type, mode }) => `${type} ${mode} ${path}`), [
      "dir 40750 /",
      "dir 41777 /d",
      `file 104711 /d/${long}`,
      "block 60644 /disk",
      "file 104711 /hard",
      "char 20644 /null",
      "fifo 10644 /pipe",
      "symlink 120644 /soft",
    ]);
    const file = rows[2] as unknown as Record<string, number>;
    const { mtimeMs, atimeMs, ctimeMs, uid, nlink } = file;
    assertEquals([mtimeMs, atimeMs, ctimeMs, uid, nlink], [1500, -2250, 3000, 4e9, 2]);
    assertEquals(rows[7]!.target, "../../x");
    assertMatch(cairn(["ls", "-l", `${folder}/v`, "/disk"]).out, / 8,300 /);
    const volume = openVolumeSync(fileHandle(`${folder}/v`, { readOnly: true }), {
      readOnly: true,
    });
    const ino = volume.lookup(volume.root, "hard");
    assertEquals(volume.getxattr(ino, "user.raw"), new Uint8Array([0, 255]));
    volume.close();
  });
});

Deno.test("cairn import lets no name lead out of the volume, nor through a link", () => {
  inFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/a.tar`, "");
    const { status, err } = importTar(folder, [
      { name: "../../up", body: "x" },
      { name: "a/../../up", body: "x" },
      { name: "/abs/olute", body: "x" },
      { name: "/absolute", body: "x" },
      { name: "link", type: "2", link: folder },
      { name: "link/through", body: "x" },
      { name: "hard", type: "1", link: "../../../etc/passwd" },
      { name: "hard2", type: "1", link: "/etc/passwd" },
      { name: new Uint8Array([0x66, 0xff]), body: "1" },
      { name: new Uint8Array([0x66, 0xfe]), body: "2" },
      { name: "n".repeat(300), pax: { path: "p".repeat(300) } },
      { name: "nul", pax: { path: "nul\0x" } },
      { name: "odd", type: "Q" },
      { name: "label", type: "V" },
      { name: ".", type: "5" },
      { name: "x", type: "5", pax: { path: "x/".repeat(40_000) } },
    ]);
    assertEquals(status, 1);
    const told = err.trim().split("\n").map((line) => line.split(": ").slice(0, 2).join(" "));
    const count = (what: string): number => told.filter((one) => one === what).length;
    assertEquals(count("lost name-upwards"), 3);
    assertEquals(count("lost unstorable"), 5);
    assertEquals(count("changed name-replaced"), 2);
    assertEquals([count("lost tar-type"), count("note tar-label")], [1, 1]);
    assertMatch(err, /note: name-absolute: "\/abs\/olute": an absolute name, and 2 others/);
    const names = rowsOf(`${folder}/v`).map(({ path }) => path);
    assertEquals(names, ["/", "/abs", "/abs/olute", "/absolute", "/f%FE", "/f%FF", "/link"]);
    assert(!err.includes("\x1b"));
  });
});

Deno.test("cairn import keeps the holes of a sparse file", () => {
  inFolder((folder) => {
    const map = "1\n1048576\n5\n".padEnd(512, "\0");
    const name = { "GNU.sparse.name": "./s", "GNU.sparse.realsize": "2097152" };
    const version = { "GNU.sparse.major": "1", "GNU.sparse.minor": "0" };
    const { status } = importTar(folder, [
      { name: "./GNUSparseFile.1/s", body: `${map}12345`, pax: { ...name, ...version } },
    ]);
    assertEquals(status, 0);
    const { out } = cairn(["stat", "--json", `${folder}/v`, "/s"]);
    assertEquals([JSON.parse(out).size, JSON.parse(out).blocks], [2097152, 8]);
    const bytes = cairn(["cat", `${folder}/v`, "/s"]).bytes;
    assertEquals(new TextDecoder().decode(bytes.subarray(1048576, 1048581)), "12345");
    assertEquals(bytes.findIndex((byte) => byte !== 0), 1048576);
  });
});

Deno.test("cairn import reads every sparse format that GNU tar writes", () => {
  inFolder((folder) => {
    const make = `cd "$FOLDER" && truncate -s 3000000 s all && for at in $(seq 0 100000 2900000)
      do printf data-$at | dd of=s bs=1 seek=$at conv=notrunc status=none; done`;
    const env = { FOLDER: folder };
    assert(hostCommand("sh", { args: ["-c", make], env }).outputSync().success);
    const formats = [
      ...["gnu", "oldgnu"].map((format) => [`--format=${format}`]),
      ...["0.0", "0.1", "1.0"].map((one) => ["--format=pax", `--sparse-version=${one}`]),
    ];
    for (const format of formats) {
      const args = ["-C", folder, "-S", ...format, "-cf", `${folder}/a.tar`, "s", "all"];
      assert(hostCommand("tar", { args }).outputSync().success);
      const image = `${folder}/v`;
      const { status, err } = cairn(["import", "--force", `${folder}/a.tar`, image]);
      assertEquals([status, err.replace(/^note: .*\n/gm, "")], [0, ""], format.join(" "));
      for (const name of ["s", "all"]) {
        const bytes = cairn(["cat", image, `/${name}`]).bytes;
        assertEquals(bytes, Deno.readFileSync(`${folder}/${name}`), `${format.join(" ")} ${name}`);
      }
      const { blocks } = JSON.parse(cairn(["stat", "--json", image, "/s"]).out);
      assertEquals(blocks, 30 * 8);
    }
  });
});

Deno.test("cairn import loses no member by how names that are no UTF-8 are written", () => {
  inFolder((folder) => {
    const broken = new Uint8Array([0x66, 0xff]);
    for (const isFirst of [true, false]) {
      const two: Entry[] = [{ name: broken, body: "broken" }, { name: "f%FF", body: "exact" }];
      const { status, err } = importTar(folder, isFirst ? two : two.toReversed());
      assertEquals(status, 1, err);
      const bodies = ["/f%FF", "/f%FF~2"].map((path) => cairn(["cat", `${folder}/v`, path]).out);
      assertEquals(bodies, isFirst ? ["broken", "exact"] : ["exact", "broken"]);
      assertMatch(err, /"\/f%FF~2": "f%FF" is the name of another one already/);
      assertEquals(err.includes("said-twice"), false);
    }
  });
});

Deno.test("cairn import says what it leaves out after the end, and of devices and lists", () => {
  inFolder((folder) => {
    const archive = tarOf([
      { name: "a", body: "1", numbers: { mode: 0o660 }, pax: { "SCHILY.acl.access": ACL } },
      { name: "b", pax: { "SCHILY.xattr.system.posix_acl_default": "x" } },
      { name: "c", type: "3", numbers: { major: 4096, minor: 3 } },
      { name: "d", type: "4", numbers: { major: 4095, minor: 0x100000 } },
    ]);
    Deno.writeFileSync(
      `${folder}/two.tar`,
      new Uint8Array([...archive, ...tarOf([{ name: "z" }])]),
    );
    const { status, err } = cairn(["import", `${folder}/two.tar`, `${folder}/v`]);
    assertEquals(status, 1);
    assertMatch(err, /^lost: tar-tail: ".*two.tar": more follows its end/m);
    assertMatch(err, /^lost: unstorable: "\/c": .* a device 4096,3$/m);
    assertMatch(err, /^lost: unstorable: "\/d": .* a device 4095,1048576$/m);
    assertEquals(err.match(/^changed: acl-lost: "\/[ab]": .*$/gm)?.length, 2);
    const rows = rowsOf(`${folder}/v`);
    assertEquals(rows.map(({ path, mode }) => `${path} ${mode}`).slice(1), [
      "/a 100640",
      "/b 100644",
    ]);
    const { out } = cairn(["stat", "--json", `${folder}/v`, "/b"]);
    assertEquals(JSON.parse(out).xattrs, []);
  });
});

Deno.test("cairn import leaves out a file that is too long, and goes on with the next", () => {
  inFolder((folder) => {
    const sparse = (name: string, size: string) => ({
      "GNU.sparse.major": "1",
      "GNU.sparse.minor": "0",
      "GNU.sparse.name": name,
      "GNU.sparse.realsize": size,
    });
    const map = (at: string) => `1\n${at}\n5\n`.padEnd(512, "\0") + "12345";
    const old = { "GNU.sparse.name": "map", "GNU.sparse.size": "9" };
    const { status, err, out } = importTar(folder, [
      { name: "a", body: "first" },
      { name: "x/size", body: map("0"), pax: sparse("size", "99999999999999999999") },
      { name: "x/at", body: map("9007199254740993"), pax: sparse("at", "100") },
      { name: "x/end", body: map("9007199254740990"), pax: sparse("end", "9007199254740991") },
      { name: "x", body: "12345", pax: { ...old, "GNU.sparse.map": "99999999999999999,5" } },
      { name: "x/fits", body: map("0"), pax: sparse("fits", "9007199254740991") },
      { name: "b", body: "last" },
    ]);
    assertEquals(status, 1, err);
    for (const name of ["size", "at", "end", "map"]) {
      assertMatch(err, new RegExp(`^lost: unstorable: "/${name}": .*EFBIG`, "m"));
    }
    assertEquals(rowsOf(`${folder}/v`).map(({ path }) => path), ["/", "/a", "/b", "/fits"]);
    assertMatch(out, /^3 files, 1 directory, 14 bytes; not everything/);
    assertEquals(cairn(["check", `${folder}/v`]).status, 0);
  });
});

Deno.test("cairn import makes the same volume of a tar, a packed tar and a pipe", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const bytes = tarOf([{ name: "a", body: "x".repeat(100_000) }, { name: "b/", type: "5" }]);
    Deno.writeFileSync(`${folder}/a.tar`, bytes);
    Deno.writeFileSync(`${folder}/a.tar.gz`, gzipSync(bytes));
    for (const name of ["a.tar", "a.tar.gz"]) {
      assertEquals(cairn(["import", `${folder}/${name}`, `${folder}/v-${name}`]).status, 0);
    }
    const child = command(["import", "-", `${folder}/v-pipe`], { stdin: "piped" }).spawn();
    await ReadableStream.from([gzipSync(bytes)]).pipeTo(child.stdin);
    assertEquals((await child.output()).code, 0);
    const trees = ["a.tar", "a.tar.gz", "pipe"].map((name) => {
      const lines = cairn(["tree", "--json", "--hash", `${folder}/v-${name}`]).out.split("\n");
      return lines.slice(1).join("\n"); // The root is of the time of each import.
    });
    assertMatch(trees[0]!, /"\/a".*"sha256"/);
    assertEquals([trees[1], trees[2]], [trees[0], trees[0]]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("cairn import refuses tars that are cut short, damaged or packed otherwise", () => {
  inFolder((folder) => {
    const bytes = tarOf([{ name: "a", body: "x".repeat(5000) }, { name: "b", body: "y" }]);
    const put = (name: string, contents: Uint8Array): string => {
      Deno.writeFileSync(`${folder}/${name}`, contents);
      return `${folder}/${name}`;
    };
    const damaged = bytes.slice();
    damaged[5632 + 5]! ^= 1;
    const packed = new Uint8Array(gzipSync(bytes));
    const image = `${folder}/v`;
    assertFails(["import", put("cut", bytes.slice(0, 3000)), image], /".*cut": EIO: .*truncated/);
    assertFails(["import", put("bad", damaged), image], /".*bad": EIO: .*byte 5632 is damaged/);
    assertFails(["import", put("gz", packed.subarray(0, 40)), image], /EIO: .*gzip/);
    assertFails(
      ["import", put("xz", new Uint8Array([0xfd, 0x37, 0x7a, 0x58, 0x5a])), image],
      /xz -dc/,
    );
    const halfSparse = tarOf([oldSparse("s", { pieces: [{ at: 0, length: 9 }], sizeBytes: 9 })]);
    halfSparse.set(new TextEncoder().encode("7"), 386 + 12 + 9);
    seal(halfSparse.subarray(0, 512));
    assertFails(["import", put("s", halfSparse), image], /EIO: .*sparse file is damaged/);
    assertFails(["import", "--repair", put("ok", bytes), image], /--repair is for version-1/);
    assertEquals([...Deno.readDirSync(folder)].some(({ name }) => name.startsWith("v")), false);
  });
});

Deno.test("cairn import stops at once when Ctrl-C comes while it waits for a pipe", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const child = command(["import", "-", `${folder}/v`], { stdin: "piped" }).spawn();
    while ([...Deno.readDirSync(folder)].length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    child.kill("SIGINT");
    const { code, stderr } = await child.output();
    await child.stdin.abort().catch(() => {});
    const words = new TextDecoder().decode(stderr);
    assertEquals([code, [...Deno.readDirSync(folder)]], [130, []], words);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

const isRoot = Deno.build.os === "linux" && Deno.uid() === 0;

Deno.test({
  name:
    "cairn import and export say that a disk is full, and leave nothing there: root, for a tmpfs",
  ignore: !isRoot,
  fn() {
    inFolder((folder) => {
      const small = `${folder}/small`;
      Deno.mkdirSync(small);
      const run = (program: string, ...args: string[]): boolean =>
        hostCommand(program, { args, stderr: "null" }).outputSync().success;
      if (!run("mount", "-t", "tmpfs", "-o", "size=3m", "none", small)) return;
      try {
        const big = crypto.getRandomValues(new Uint8Array(60_000));
        const entries = Array.from(
          { length: 100 },
          (_, index) => ({ name: `f${index}`, body: big }),
        );
        Deno.writeFileSync(`${folder}/a.tar`, tarOf(entries));
        assertFails(["import", `${folder}/a.tar`, `${small}/v`], /".*small\/v": ENOSPC/);
        assertEquals(cairn(["import", `${folder}/a.tar`, `${folder}/v`]).status, 0);
        for (const name of ["a.tar", "a.tgz", "folder/"]) {
          assertFails(["export", `${folder}/v`, `${small}/${name}`], /".*small\/.*": ENOSPC/);
        }
        assertEquals([...Deno.readDirSync(small)], []);
      } finally {
        run("umount", small);
      }
    });
  },
});

Deno.test({
  name: "cairn import shows how far it is on a terminal, and nothing in a pipe",
  ignore: !isThere("script"),
  fn() {
    inFolder((folder) => {
      const body = new Uint8Array(100_000_000);
      Deno.writeFileSync(`${folder}/a.tar`, tarOf([{ name: "a", body }]));
      const main = new URL("../../../cli/main.ts", import.meta.url).pathname;
      const line = `exec "$DENO" run -q -A "${main}" import "$FOLDER/a.tar" "$FOLDER/v"`;
      const { stdout } = hostCommand("script", {
        args: ["-qefc", line, "/dev/null"],
        env: { DENO: Deno.execPath(), FOLDER: folder, NO_COLOR: "1", TERM: "xterm" },
        stdin: "null",
      }).outputSync();
      assertMatch(new TextDecoder().decode(stdout), /importing \d+ %[^]*1 file, 1 directory/);
      const { status, err } = cairn(["import", "--force", `${folder}/a.tar`, `${folder}/v`]);
      assertEquals([status, err], [0, ""]);
    });
  },
});
