/** The path walk. */
import { assert, assertEquals, assertLess, assertStrictEquals } from "@std/assert";
import type { FSNode } from "../../abi/node.ts";
import { createFS } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";
import {
  childOf,
  CREATE,
  find,
  FOLLOW,
  LAST,
  nodeAt,
  parentOf,
  pathOf,
  UNCHECKED,
  walk,
} from "../../fs/lookup.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { assertErrno } from "../support/errno.ts";

function make(): FS {
  const fs = createFS({ credentials: { umask: 0 } });
  fs.mkdirTree("/a/b/c");
  fs.writeFile("/a/b/file", "x");
  fs.mkdirTree("/other/deep");
  fs.symlink("/other/deep", "/a/link");
  fs.symlink("b/file", "/a/to-file");
  fs.symlink("nowhere", "/a/dangling");
  return fs;
}

Deno.test("walk() gives parent, name, node and whether slashes trailed", () => {
  const fs = make();
  const place = walk(fs, "test", "/a/b/file", FOLLOW);
  assertEquals([place.name, place.slash, place.plain], ["file", false, true]);
  assertStrictEquals(place.parent, find(fs, "test", "/a/b", FOLLOW));
  const free = walk(fs, "test", "//a/./b/new//", LAST);
  assertEquals([free.node, free.name, free.slash, free.plain], [null, "new", true, false]);
  assertEquals(pathOf(walk(fs, "test", "//a/b/../b/file", FOLLOW), "ignored"), "/a/b/file");
});

Deno.test("walk() with CREATE refuses a slash after the last name before it searches for it", () => {
  const fs = make();
  const long = "n".repeat(256);
  for (const path of ["/a/new/", "/a/dangling/", `/a/${long}/`, "/a/b/"]) {
    assertErrno("EISDIR", () => walk(fs, "test", path, CREATE | FOLLOW));
  }
  assertErrno("ENOTDIR", () => walk(fs, "test", "/a/b/file/new/", CREATE));
  assertEquals(walk(fs, "test", "/a/b/./", CREATE).name, ".");
});

Deno.test("walk() with UNCHECKED leaves a last name that cannot be one to the caller", () => {
  const fs = make();
  const long = "n".repeat(256);
  assertErrno("ENAMETOOLONG", () => walk(fs, "test", `/a/${long}`, LAST));
  const place = walk(fs, "test", `/a/${long}`, LAST | UNCHECKED);
  assertEquals([place.node, place.name], [null, long]);
  assertErrno("ENAMETOOLONG", () => walk(fs, "test", `/a/${long}/b`, LAST | UNCHECKED));
});

Deno.test("walk() takes .. to the physical parent, beside a link's target", () => {
  const fs = make();
  assertEquals(fs.realpath("/a/link/.."), "/other");
  assertEquals(fs.realpath("/../../a/../a/b/.."), "/a");
  assertEquals(walk(fs, "test", "/a/b/..", LAST).name, "..");
  assertEquals(walk(fs, "test", "/a/b/.", LAST).name, ".");
  assertEquals(walk(fs, "test", "///", LAST).name, "");
});

Deno.test("walk() follows 40 links and refuses the 41st", () => {
  const fs = createFS();
  fs.writeFile("/end", "x");
  fs.symlink("end", "/l1");
  for (let index = 2; index <= 41; index++) fs.symlink(`l${index - 1}`, `/l${index}`);
  assertEquals(fs.readFile("/l40", { encoding: "utf8" }), "x");
  assertErrno("ELOOP", () => fs.stat("/l41"));
  fs.symlink("loop", "/loop");
  assertErrno("ELOOP", () => fs.stat("/loop"));
  assertErrno("ELOOP", () => fs.stat("/loop/x"));
  assertEquals(fs.readlink("/loop"), "loop");
});

Deno.test("walk() demands a directory of a trailing slash, and follows a link before it", () => {
  const fs = make();
  assertErrno("ENOTDIR", () => fs.stat("/a/b/file/"));
  assertErrno("ENOTDIR", () => fs.lstat("/a/to-file/"));
  assertEquals(fs.lstat("/a/link/").ino, fs.stat("/other/deep").ino);
  assertErrno("ENOTDIR", () => fs.stat("/a/b/file/."));
  assertErrno("ENOTDIR", () => fs.stat("/a/b/file/.."));
  assertErrno("ENOENT", () => fs.stat("/a/dangling/"));
});

Deno.test("walk() stops where the caller may not search", () => {
  const fs = make();
  fs.chmod("/a/b", 0o600);
  fs.setCredentials({ uid: 3 });
  assertErrno("EACCES", () => fs.stat("/a/b/file"));
  assertErrno("EACCES", () => fs.stat("/a/to-file"));
  assertErrno("EACCES", () => fs.stat("/a/b/."));
});

Deno.test("walk() crosses mounts down and up, and stops before one for LAST", () => {
  const fs = make();
  const root = fs.mount(MEMFS, {}, "/a/b");
  fs.mkdir("/a/b/inner");
  assertStrictEquals(find(fs, "test", "/a/b", FOLLOW), root);
  assertEquals(fs.realpath("/a/b/inner/../.."), "/a");
  assertStrictEquals(walk(fs, "test", "/a/b", LAST).node?.mounted?.root, root);
  assertStrictEquals(parentOf(root), find(fs, "test", "/a", FOLLOW));
});

Deno.test("walk() starts where the caller says, and at the root for an absolute path", () => {
  const fs = make();
  const start = find(fs, "test", "/a", FOLLOW);
  assertEquals(fs.getPath(find(fs, "test", "b/file", FOLLOW, start)), "/a/b/file");
  assertEquals(fs.getPath(find(fs, "test", "/other", FOLLOW, start)), "/other");
});

Deno.test("walk() asks a name that is not true any more once again", () => {
  const fs = make();
  const node = find(fs, "test", "/a/b/file", FOLLOW);
  let asked = 0;
  node.node_ops = {
    ...node.node_ops,
    revalidate: () => {
      asked++;
      return false;
    },
  };
  const again = find(fs, "test", "/a/b/file", FOLLOW);
  assertEquals(asked, 1);
  assert(again !== node);
  assertEquals(again.id, node.id);
});

Deno.test("walk() keeps no more names than maxNodes, and finds the forgotten ones again", () => {
  const fs = createFS({ maxNodes: 500 });
  for (let index = 0; index < 5000; index++) {
    fs.mkdirTree(`/many/${index % 50}`);
    fs.writeFile(`/many/${index % 50}/f${index}`, String(index));
  }
  const held = fs.open("/many/7/f7", "r");
  fs.chdir("/many/9");
  for (let index = 0; index < 5000; index++) {
    assertEquals(fs.stat(`/many/${index % 50}/f${index}`).size, String(index).length);
    assertLess(fs.names.count, 800);
  }
  assertStrictEquals(find(fs, "test", "/many/7/f7", FOLLOW), held.node as FSNode);
  assertEquals(fs.readFile("f59", { encoding: "utf8" }), "59");
  assertEquals(fs.cwd(), "/many/9");
});

Deno.test("childOf() answers null for a name that is not there, and in a removed directory", () => {
  const fs = make();
  const directory = find(fs, "test", "/a/b/c", FOLLOW);
  assertEquals(childOf(fs, "test", directory, "x"), null);
  fs.rmdir("/a/b/c");
  // The backend is not asked: a volume would say that the inode is stale.
  directory.node_ops = {
    ...directory.node_ops,
    lookup: () => {
      throw new fs.ErrnoError("ESTALE");
    },
  };
  assertEquals(childOf(fs, "test", directory, "x"), null);
});

Deno.test("walk() checks names and paths by their bytes", () => {
  const fs = createFS();
  const long = "ü".repeat(127);
  fs.mkdir(`/${long}x`);
  assertErrno("ENAMETOOLONG", () => fs.mkdir(`/${long}xx`));
  assertErrno("ENAMETOOLONG", () => fs.stat("/x".repeat(2048)));
  assertErrno("ENOENT", () => fs.stat(`${"/x".repeat(2047)}/`));
  assertErrno("EILSEQ", () => fs.stat("/\ud83d"));
  assertErrno("EINVAL", () => fs.stat("/a\0"));
  fs.mkdir("/😀");
  assertEquals(fs.readdir("/").at(-1), "😀");
});

Deno.test("nodeAt() takes a node as it is", () => {
  const fs = createFS();
  fs.symlink("tmp", "/l");
  assertEquals(nodeAt(fs, "test", "/l", true), fs.findObject("/tmp"));
  assertEquals(nodeAt(fs, "test", fs.root!, true), fs.root);
  assertErrno("EINVAL", () => nodeAt(fs, "test", 5 as never, true));
});
