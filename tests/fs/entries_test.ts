/** Making, removing, linking and moving names. */
import { assert, assertEquals } from "@std/assert";
import { RENAME_EXCHANGE, RENAME_NOREPLACE } from "../../abi/flags.ts";
import { createFS } from "../../fs/create_fs.ts";
import { isSameInode, nodeType } from "../../fs/entries.ts";
import type { FS } from "../../fs/fs.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { assertErrno } from "../support/errno.ts";

function make(): FS {
  const fs = createFS({ credentials: { umask: 0o022 } });
  fs.mkdir("/d");
  fs.writeFile("/f", "f");
  return fs;
}

Deno.test("nodeType() takes the types that mknod makes", () => {
  assertEquals(nodeType(0o644, "mknod"), 0o100000);
  for (const type of [0o100000, 0o040000, 0o020000, 0o060000, 0o010000, 0o140000]) {
    assertEquals(nodeType(type | 0o644, "mknod"), type);
  }
  assertErrno("EINVAL", () => nodeType(0o120644, "mknod"));
  assertErrno("EINVAL", () => nodeType(0o170000, "mknod"));
});

Deno.test("makeNode() applies umask, owner, and the group of a setgid directory", () => {
  const fs = make();
  fs.chown("/d", 0, 55);
  fs.chmod("/d", 0o2777);
  fs.setCredentials({ uid: 7, gid: 8, umask: 0o027 });
  fs.mkdir("/d/sub", 0o777);
  fs.create("/d/file", 0o666);
  const [sub, file] = [fs.stat("/d/sub"), fs.stat("/d/file")];
  assertEquals([sub.mode & 0o7777, sub.uid, sub.gid], [0o2750, 7, 55]);
  assertEquals([file.mode & 0o7777, file.uid, file.gid], [0o640, 7, 55]);
});

Deno.test("makeNode() refuses in Linux's order: exists, slash, read-only, permission", () => {
  const fs = make();
  fs.mkdir("/ro");
  fs.mount(MEMFS, { mode: 0o700 }, "/ro", { readOnly: true });
  assertErrno("EROFS", () => fs.mkdir("/ro/x"));
  assertErrno("EEXIST", () => fs.mkdir("/ro/."));
  assertErrno("EEXIST", () => fs.mkdir("/"));
  assertErrno("EEXIST", () => fs.create("/f"));
  assertErrno("EEXIST", () => fs.mkdir("/f/"));
  assertErrno("ENOENT", () => fs.create("/new/"));
  fs.mkdir("/new/");
  fs.setCredentials({ uid: 5 });
  assertErrno("EACCES", () => fs.mkdir("/d/x"));
  assertErrno("EEXIST", () => fs.mkdir("/d"));
});

Deno.test("makeNode() lets root alone make devices", () => {
  const fs = make();
  fs.mknod("/dev1", 0o020600, 5);
  assertEquals(fs.stat("/dev1").rdev, 5);
  fs.chmod("/d", 0o777);
  fs.setCredentials({ uid: 5 });
  assertErrno("EPERM", () => fs.mknod("/d/c", 0o020600, 5));
  assertErrno("EPERM", () => fs.mknod("/d/b", 0o060600, 5));
  fs.mknod("/d/fifo", 0o010600, 0);
});

Deno.test("makeLink() shares the inode, and refuses directories and other mounts", () => {
  const fs = make();
  fs.mkdir("/m");
  fs.mount(MEMFS, {}, "/m");
  fs.link("/f", "/g");
  assert(isSameInode(fs.findObject("/f")!, fs.findObject("/g")!));
  fs.chmod("/g", 0o600);
  assertEquals([fs.stat("/f").mode & 0o777, fs.stat("/f").nlink], [0o600, 2]);
  assertErrno("EPERM", () => fs.link("/d", "/e"));
  assertErrno("EXDEV", () => fs.link("/f", "/m/f"));
  assertErrno("EEXIST", () => fs.link("/f", "/d"));
  assertErrno("ENOENT", () => fs.link("/f", "/new/"));
  fs.symlink("f", "/s");
  fs.link("/s", "/s2");
  assertEquals(fs.readlink("/s2"), "f");
});

Deno.test("removeFile() and removeDirectory() know the special names", () => {
  const fs = make();
  fs.mkdir("/d/e");
  assertErrno("EISDIR", () => fs.unlink("/d"));
  assertErrno("EISDIR", () => fs.unlink("/d/."));
  assertErrno("ENOTDIR", () => fs.unlink("/f/"));
  assertErrno("ENOENT", () => fs.unlink("/none/"));
  assertErrno("EINVAL", () => fs.rmdir("/d/e/."));
  assertErrno("ENOTEMPTY", () => fs.rmdir("/d/e/.."));
  assertErrno("EBUSY", () => fs.rmdir("/"));
  assertErrno("EBUSY", () => fs.rmdir("/dev"));
  assertErrno("ENOTDIR", () => fs.rmdir("/f"));
  assertErrno("ENOTEMPTY", () => fs.rmdir("/d"));
  fs.rmdir("/d/e/");
  assertEquals(fs.readdir("/d"), [".", ".."]);
});

Deno.test("removeDirectory() of the current directory leaves it dead", () => {
  const fs = make();
  fs.chdir("/d");
  fs.rmdir("/d");
  assertErrno("ENOENT", () => fs.cwd());
  assertErrno("ENOENT", () => fs.create("x"));
  assertErrno("ENOENT", () => fs.mkdir("x"));
  fs.chdir("..");
  assertEquals(fs.cwd(), "/");
});

Deno.test("moveName() replaces, and what was replaced is gone from the table", () => {
  const fs = make();
  fs.writeFile("/g", "g");
  fs.rename("/f", "/g");
  assertEquals(fs.readFile("/g", { encoding: "utf8" }), "f");
  fs.unlink("/g");
  assertErrno("ENOENT", () => fs.stat("/g"));
  assertErrno("ENOENT", () => fs.stat("/f"));
});

Deno.test("moveName() of two names of one inode does nothing", () => {
  const fs = make();
  fs.link("/f", "/g");
  fs.rename("/f", "/g");
  assertEquals(fs.stat("/f").nlink, 2);
});

Deno.test("moveName() knows what may replace what", () => {
  const fs = make();
  fs.mkdirTree("/full/inside");
  assertErrno("EISDIR", () => fs.rename("/f", "/d"));
  assertErrno("ENOTDIR", () => fs.rename("/d", "/f"));
  assertErrno("ENOTEMPTY", () => fs.rename("/d", "/full"));
  assertErrno("EINVAL", () => fs.rename("/full", "/full/inside/x"));
  assertErrno("ENOTEMPTY", () => fs.rename("/full/inside", "/full"));
  assertErrno("EBUSY", () => fs.rename("/d/.", "/x"));
  assertErrno("ENOENT", () => fs.rename("/d", "/x/.."));
  assertErrno("ENOTDIR", () => fs.rename("/f", "/x/"));
  assertErrno("EXDEV", () => fs.rename("/f", "/dev/f"));
  assertErrno("EBUSY", () => fs.rename("/dev", "/d"));
  fs.rename("/d", "/x/");
  assertEquals(fs.readdir("/x"), [".", ".."]);
});

Deno.test("moveName() with NOREPLACE and EXCHANGE", () => {
  const fs = make();
  fs.writeFile("/d/g", "g");
  assertErrno("EEXIST", () => fs.rename("/f", "/d/g", RENAME_NOREPLACE));
  assertErrno("ENOENT", () => fs.rename("/f", "/none", RENAME_EXCHANGE));
  assertErrno("EINVAL", () => fs.rename("/d/g", "/d", RENAME_EXCHANGE));
  assertErrno("EINVAL", () => fs.rename("/f", "/g", 3));
  fs.rename("/f", "/d/g", RENAME_EXCHANGE);
  assertEquals(fs.readFile("/f", { encoding: "utf8" }), "g");
  assertEquals(fs.readFile("/d/g", { encoding: "utf8" }), "f");
  fs.mkdir("/e");
  fs.rename("/e", "/d/g", RENAME_EXCHANGE);
  assertEquals(fs.readFile("/e", { encoding: "utf8" }), "f");
  assertEquals(fs.readdir("/d/g"), [".", ".."]);
  assertEquals([fs.stat("/").nlink, fs.stat("/d").nlink], [7, 3]);
  fs.unlink("/e");
  assertErrno("ENOENT", () => fs.stat("/e"));
});

Deno.test("moveName() of a directory to another needs write permission on it", () => {
  const fs = make();
  for (const path of ["/p", "/q"]) fs.mkdir(path);
  for (const path of ["/p", "/q"]) fs.chmod(path, 0o777);
  fs.mkdir("/p/mine", 0o555);
  fs.chown("/p/mine", 5, 5);
  fs.setCredentials({ uid: 5 });
  assertErrno("EACCES", () => fs.rename("/p/mine", "/q/mine"));
  fs.rename("/p/mine", "/p/still");
});

Deno.test("moveName() lets no directory below itself, whatever the backend would do", () => {
  const fs = make();
  let asked = 0;
  const credulous = {
    name: "CREDULOUS",
    mount() {
      const root = MEMFS.mount({});
      root.node_ops = { ...root.node_ops, rename: () => void asked++ };
      return root;
    },
  };
  fs.mount(credulous, {}, "/d");
  fs.mkdirTree("/d/a/b");
  assertErrno("EINVAL", () => fs.rename("/d/a", "/d/a/b/c"));
  assertErrno("EINVAL", () => fs.rename("/d/a", "/d/a/c"));
  assertErrno("ENOTEMPTY", () => fs.rename("/d/a/b", "/d/a"));
  assertEquals(asked, 0);
  fs.rename("/d/a", "/d/c");
  assertEquals(asked, 1);
});
