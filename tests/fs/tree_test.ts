/** Whole trees: what is made and removed of them, deep ones too, and what stops it. */
import { assertEquals, assertThrows } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";

type FS = ReturnType<typeof createFS>;

const BACKENDS: Record<string, () => FS> = {
  MEMFS: () => createFS(),
  VOLUMEFS: () =>
    createFS({ root: { type: VOLUMEFS, options: { volume: openVolumeSync(memoryHandle()) } } }),
};

function codeOf(call: () => void): string {
  try {
    call();
    return "ok";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** A tree whose paths no call could name. */
function makeDeep(fs: FS, levels: number): void {
  fs.mkdir("/t");
  fs.chdir("/t");
  for (let level = 0; level < levels; level++) {
    fs.writeFile("f", "x");
    fs.mkdir("d");
    fs.chdir("d");
  }
  fs.chdir("/");
}

for (const [name, open] of Object.entries(BACKENDS)) {
  Deno.test(`rmTree() removes a tree that is deeper than a path can be long, on ${name}`, () => {
    const fs = open();
    makeDeep(fs, 3000);
    fs.rmTree("/t");
    assertEquals(codeOf(() => fs.stat("/t")), "ENOENT");
    assertEquals(fs.readdir("/").includes("t"), false);
  });
}

Deno.test("rmTree() takes for absent what is not there, and nothing else", () => {
  const fs = createFS();
  fs.writeFile("/file", "");
  for (const path of ["", "/none", "/none/below", "/file/below"]) fs.rmTree(path);
  assertEquals(codeOf(() => fs.rmTree(`/${"x".repeat(256)}`)), "ENAMETOOLONG");
  assertEquals(codeOf(() => fs.rmTree("/x".repeat(2100))), "ENAMETOOLONG");
  fs.symlink("loop", "/loop");
  assertEquals(codeOf(() => fs.rmTree("/loop/below")), "ELOOP");
  fs.mkdirTree("/closed/below");
  fs.chmod("/closed", 0o600);
  fs.setCredentials({ uid: 1000, gid: 1000, groups: [] });
  assertEquals(codeOf(() => fs.rmTree("/closed/below")), "EACCES");
  fs.setCredentials({ uid: 0, gid: 0, groups: [] });
  assertEquals(fs.readdir("/closed").length, 3);
});

Deno.test("rmTree() of a file, a link and a link with a slash does what unlink does", () => {
  const fs = createFS();
  fs.mkdirTree("/kept/below");
  fs.symlink("/kept", "/link");
  assertEquals(codeOf(() => fs.rmTree("/link/")), "ENOTDIR");
  fs.rmTree("/link");
  fs.writeFile("/file", "");
  fs.rmTree("/file");
  assertEquals([fs.readdir("/kept").length, codeOf(() => fs.lstat("/link"))], [3, "ENOENT"]);
});

Deno.test("rmTree() stops at what may not go, and leaves the rest whole", () => {
  const fs = createFS();
  fs.mkdirTree("/t/a/mounted");
  fs.mkdirTree("/t/z");
  fs.mount(MEMFS, {}, "/t/a/mounted");
  assertEquals(codeOf(() => fs.rmTree("/t")), "EBUSY");
  assertEquals(fs.readdir("/t/a/mounted"), [".", ".."]);
  fs.unmount("/t/a/mounted");
  fs.rmTree("/t");
  assertThrows(() => fs.stat("/t"), Error, "ENOENT");
});

Deno.test("rmTree() goes on when a delegate walks elsewhere in a full name table", () => {
  const fs = createFS({ maxNodes: 8 });
  for (let index = 0; index < 40; index++) fs.mkdirTree(`/other/${index}/x`);
  makeDeep(fs, 30);
  const told: string[] = [];
  fs.trackingDelegate.onDeletePath = (path) => {
    told.push(path);
    for (let index = 0; index < 40; index++) fs.stat(`/other/${index}/x`);
  };
  fs.rmTree("/t");
  assertEquals([told.length, told.at(-1), told[0]], [61, "/t", "/t/f"]);
  assertEquals(codeOf(() => fs.stat("/t")), "ENOENT");
});

Deno.test("mkdirTree() makes what is missing, over links and dots, and nothing twice", () => {
  const fs = createFS();
  fs.mkdirTree("/a/b//c/");
  fs.symlink("/a/b", "/link");
  fs.mkdirTree("/link/c/../d/./e");
  fs.chdir("/a");
  fs.mkdirTree("relative/below");
  assertEquals(fs.readdir("/a"), [".", "..", "b", "relative"]);
  assertEquals(fs.readdir("/a/b/d"), [".", "..", "e"]);
  fs.mkdirTree("/");
  fs.mkdirTree("/x/y", 0o700);
  assertEquals(fs.stat("/x/y").mode & 0o777, 0o700);
  fs.writeFile("/file", "");
  fs.symlink("nowhere", "/dangling");
  const codes = [
    "",
    "/file",
    "/file/x",
    "/dangling/x",
    `/new/${"x".repeat(256)}`,
    "/d/".repeat(1366),
  ]
    .map((path) => codeOf(() => fs.mkdirTree(path)));
  assertEquals(codes, ["ENOENT", "ENOTDIR", "ENOTDIR", "EEXIST", "ENAMETOOLONG", "ENAMETOOLONG"]);
});
