/** Emscripten's helpers. */
import { assert, assertEquals } from "@std/assert";
import { Errno } from "../../abi/errno.ts";
import { O_RDWR, O_TRUNC, O_WRONLY } from "../../abi/flags.ts";
import { createFS } from "../../fs/create_fs.ts";
import { assertErrno } from "../support/errno.ts";

function make() {
  const fs = createFS();
  fs.mkdir("/d");
  fs.writeFile("/d/f", "x");
  fs.symlink("f", "/d/l");
  fs.symlink("none", "/d/dangling");
  return fs;
}

Deno.test("analyzePath() fills nine fields, and throws never", () => {
  const fs = make();
  const found = fs.analyzePath("/d/l");
  assertEquals(Object.keys(found).length, 9);
  assertEquals([found.exists, found.name, found.path, found.error], [true, "f", "/d/f", 0]);
  assertEquals([found.parentExists, found.parentPath, found.isRoot], [true, "/d", false]);
  assertEquals(fs.analyzePath("/d/l", true).path, "/d/l");
  const none = fs.analyzePath("/d/none");
  assertEquals([none.exists, none.error, none.name], [false, Errno.ENOENT, "none"]);
  assertEquals([none.parentExists, none.object, none.path], [true, null, null]);
  const far = fs.analyzePath("/none/none");
  assertEquals([far.parentExists, far.parentObject, far.error], [false, null, Errno.ENOENT]);
  const root = fs.analyzePath("/d/..");
  assertEquals([root.isRoot, root.name, root.path], [true, "/", "/"]);
  const below = fs.analyzePath("/d/f/x");
  assertEquals([below.error, below.parentPath, below.name], [Errno.ENOTDIR, "/d/f", "x"]);
  assertEquals(fs.lookupPath("/d/f/x", { parent: true }).path, "/d/f");
  fs.symlink("/tmp/none", "/d/away");
  const away = fs.analyzePath("/d/away");
  assertEquals([away.parentPath, away.name, away.error], ["/d", "away", Errno.ENOENT]);
  fs.symlink("/tmp", "/d/there");
  const there = fs.analyzePath("/d/there");
  assertEquals([there.parentPath, there.name, there.path], ["/d", "tmp", "/tmp"]);
  assertEquals(fs.analyzePath(Symbol() as never).error, Errno.EINVAL);
});

Deno.test("lookupPath() takes parent, follow, follow_mount and noent_okay", () => {
  const fs = make();
  assertEquals(fs.lookupPath("/d/l").path, "/d/l");
  assertEquals(fs.lookupPath("/d/l", { follow: true }).path, "/d/f");
  assertEquals(fs.lookupPath("/d/none", { parent: true }).path, "/d");
  assertEquals(fs.lookupPath("d/../d/new", { noent_okay: true }), { path: "/d/new", node: null });
  assertErrno("ENOENT", () => fs.lookupPath("/d/none"));
  const covered = fs.lookupPath("/dev", { follow_mount: false }).node!;
  assert(fs.isMountpoint(covered) && !fs.isRoot(covered));
  assert(fs.isRoot(fs.lookupPath("/dev").node!));
});

Deno.test("the predicates answer with numbers", () => {
  const fs = make();
  const directory = fs.findObject("/d")!;
  fs.setCredentials({ uid: 5, gid: 5 });
  assertEquals(fs.nodePermissions(directory, "rx"), 0);
  assertEquals(fs.nodePermissions(directory, "w"), Errno.EACCES);
  assertEquals([fs.mayLookup(directory), fs.mayCreate(directory, "n")], [0, Errno.EACCES]);
  assertEquals(fs.mayCreate(directory, "f"), Errno.EEXIST);
  assertEquals(fs.mayDelete(directory, "none", false), Errno.ENOENT);
  assertEquals(fs.mayDelete(directory, "f", false), Errno.EACCES);
  assertEquals([fs.mayOpen(null, 0), fs.mayOpen(directory, O_RDWR)], [Errno.ENOENT, Errno.EISDIR]);
  assertEquals([0, O_WRONLY, O_RDWR | O_TRUNC].map((flags) => fs.flagsToPermissionString(flags)), [
    "r",
    "w",
    "rww",
  ]);
  assertErrno("EPERM", () => fs.checkOpExists(undefined, Errno.EPERM));
  assertEquals(fs.checkOpExists(7, Errno.EPERM), 7);
});

Deno.test("the type predicates distinguish seven types", () => {
  const fs = make();
  const types = [0o100000, 0o040000, 0o120000, 0o020000, 0o060000, 0o010000, 0o140000];
  const tests = [
    "isFile",
    "isDir",
    "isLink",
    "isChrdev",
    "isBlkdev",
    "isFIFO",
    "isSocket",
  ] as const;
  for (const [row, type] of types.entries()) {
    assertEquals(tests.map((name) => fs[name](type | 0o755)).indexOf(true), row);
    assertEquals(tests.filter((name) => fs[name](type)).length, 1);
  }
});
