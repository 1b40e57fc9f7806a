/** Emscripten's helpers. */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
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

Deno.test("lookupNode() and lookup() find a child or throw", () => {
  const fs = make();
  const directory = fs.findObject("/d")!;
  assertStrictEquals(fs.lookupNode(directory, "f"), fs.findObject("/d/f"));
  assertErrno("ENOENT", () => fs.lookupNode(directory, "none"));
  assertErrno("ENOTDIR", () => fs.lookupNode(fs.findObject("/d/f")!, "x"));
  assertEquals(fs.lookup(directory, "f").id, fs.stat("/d/f").ino);
  assertErrno("ENOENT", () => fs.lookup(directory, "none"));
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

Deno.test("the type predicates tell seven types apart", () => {
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

Deno.test("createNode() enters the table below a mounted parent, hashRemoveNode() takes it out", () => {
  const fs = make();
  const directory = fs.findObject("/d")!;
  const node = fs.createNode(directory, "made", 0o100644, 0);
  assertStrictEquals(fs.findObject("/d/made"), node);
  const bucket = fs.hashName(directory.id, "made");
  assert(bucket >= 0 && bucket < fs.nameTable.length);
  fs.hashRemoveNode(node);
  assertEquals(fs.findObject("/d/made"), null);
  fs.hashAddNode(node);
  fs.hashAddNode(node);
  assertStrictEquals(fs.findObject("/d/made"), node);
  fs.destroyNode(node);
  assertEquals(fs.findObject("/d/made"), null);
  assertEquals(fs.createNode(null, "/", 0o040755).pins, 0);
});

Deno.test("a stream that createStream() has made takes nothing from one that is open", () => {
  const fs = make();
  fs.writeFile("/d/f", "kept");
  const open = fs.open("/d/f", "r");
  const node = open.node;
  fs.unlink("/d/f");
  // Named or not, these are the operations of the node.
  for (const more of [{}, { stream_ops: node.stream_ops }]) {
    fs.close(fs.createStream({ node, path: "/d/f", ...more }));
  }
  const bytes = new Uint8Array(9);
  assertEquals([fs.read(open, bytes, 0, 9), new TextDecoder().decode(bytes.subarray(0, 4))], [
    4,
    "kept",
  ]);
  // As Emscripten's own open does it: made, then opened.
  const made = fs.createStream({ node, stream_ops: node.stream_ops });
  made.stream_ops.open!(made);
  fs.close(open);
  assertEquals(fs.read(made, bytes, 0, 9), 4);
  fs.close(made);
  assertEquals(fs.read(fs.createStream({ node }), bytes, 0, 9), 0);
});

Deno.test("createStream(), closeStream() and dupStream() work on the table alone", () => {
  const fs = make();
  const node = fs.findObject("/d/f")!;
  const stream = fs.createStream({ node, flags: O_RDWR, path: "/d/f" }, 5);
  assertEquals([stream.fd, fs.read(stream, new Uint8Array(4), 0, 4)], [5, 1]);
  const copy = fs.dupStream(stream);
  assertEquals([copy.fd, copy.position, fs.dupStream(stream, 9).fd], [0, 1, 9]);
  fs.closeStream(5);
  assertEquals(fs.getStream(5), null);
  assertErrno("EINVAL", () => fs.createStream({} as never));
  assertErrno("EBADF", () => fs.createStream({ node }, -7));
});
