/** Calls on names, as programs make them. */
import { assertEquals } from "@std/assert";
import { AT_FDCWD, AT_SYMLINK_FOLLOW } from "../../abi/flags.ts";
import { createFS } from "../../fs/create_fs.ts";
import { parentInode, readLink } from "../../fs/node_calls.ts";
import { assertErrno } from "../support/errno.ts";

Deno.test("mkdirTree() makes what is missing, and refuses a file in the way", () => {
  const fs = createFS();
  fs.mkdirTree("/a/b/c/", 0o700);
  fs.mkdirTree("/a/b/c");
  fs.symlink("a/b", "/link");
  fs.mkdirTree("/link/d");
  fs.chdir("/a");
  fs.mkdirTree("x/y");
  assertEquals(fs.readdir("/a/b"), [".", "..", "c", "d"]);
  assertEquals(fs.stat("/a/x/y").nlink, 2);
  fs.writeFile("/f", "");
  assertErrno("ENOTDIR", () => fs.mkdirTree("/f/x"));
  assertErrno("ENOTDIR", () => fs.mkdirTree("/f"));
});

Deno.test("mkdir() and mkdirat() keep the sticky bit and setgid, and take setuid off", () => {
  const fs = createFS({ credentials: { umask: 0 } });
  fs.mkdir("/d", 0o7777);
  fs.mkdirat(AT_FDCWD, "e", 0o7755);
  assertEquals(["/d", "/e"].map((path) => fs.stat(path).mode & 0o7777), [0o3777, 0o3755]);
});

Deno.test("mknod() without a type makes a file, mkdev() takes two or three arguments", () => {
  const fs = createFS({ credentials: { umask: 0 } });
  fs.mknod("/f", 0o600, 0);
  fs.mkdev("/two", 0x105);
  fs.mkdev("/three", 0o640, 0x103);
  assertEquals(fs.stat("/f").mode, 0o100600);
  assertEquals([fs.stat("/two").rdev, fs.stat("/two").mode & 0o777], [0x105, 0o666]);
  assertEquals([fs.stat("/three").rdev, fs.stat("/three").mode & 0o777], [0x103, 0o640]);
});

Deno.test("readlink() gives the text as it was, symlink() takes any", () => {
  const fs = createFS();
  for (const target of ["../a//b/./c", "x", "/", "ü😀", " "]) {
    fs.symlink(target, "/link");
    assertEquals([fs.readlink("/link"), fs.lstat("/link").size], [
      target,
      new TextEncoder().encode(target).length,
    ]);
    fs.unlink("/link");
  }
  assertErrno("ENOENT", () => fs.symlink("", "/link"));
  assertErrno("EINVAL", () => fs.readlink("/tmp"));
  assertErrno("EINVAL", () => readLink(fs.root!, "/"));
});

Deno.test("link() links a link, or with AT_SYMLINK_FOLLOW what it leads to", () => {
  const fs = createFS();
  fs.writeFile("/f", "");
  fs.symlink("f", "/s");
  fs.link("/s", "/s2", AT_SYMLINK_FOLLOW);
  assertEquals(fs.stat("/f").nlink, 2);
  assertErrno("EINVAL", () => fs.link("/s", "/s3", 5));
});

Deno.test("readdir() lists in the order of creation, strange names too", () => {
  const fs = createFS({ credentials: { umask: 0 } });
  const names = ["10", "9", "__proto__", "constructor", "b", "hasOwnProperty", "a", "1"];
  fs.mkdir("/d");
  for (const name of names) fs.writeFile(`/d/${name}`, name);
  assertEquals(fs.readdir("/d"), [".", "..", ...names]);
  for (const name of names) assertEquals(fs.readFile(`/d/${name}`, { encoding: "utf8" }), name);
  fs.chmod("/d", 0o711);
  fs.setCredentials({ uid: 5 });
  assertErrno("EACCES", () => fs.readdir("/d"));
  assertErrno("ENOTDIR", () => fs.readdir("/d/a"));
});

Deno.test("chdir() moves relative paths, and the directory may be renamed under it", () => {
  const fs = createFS();
  fs.mkdirTree("/a/b");
  fs.chdir("/a/b");
  fs.writeFile("f", "x");
  fs.rename("/a", "/z");
  assertEquals([fs.cwd(), fs.currentPath, fs.readdir(".").at(-1)], ["/z/b", "/z/b", "f"]);
  fs.chdir("../..");
  assertEquals(fs.cwd(), "/");
  assertErrno("ENOTDIR", () => fs.chdir("/z/b/f"));
  fs.chmod("/z", 0o600);
  fs.setCredentials({ uid: 5, gid: 5 });
  assertErrno("EACCES", () => fs.chdir("/z"));
});

Deno.test("parentInode() is what .. shows, across mounts", () => {
  const fs = createFS();
  assertEquals(parentInode(fs.findObject("/dev")!), fs.stat("/").ino);
  assertEquals(parentInode(fs.root!), fs.stat("/").ino);
  assertEquals(parentInode(fs.findObject("/home/web_user")!), fs.stat("/home").ino);
});

Deno.test("cwd() is ENOENT once the current directory is gone, which .. still leaves", () => {
  const fs = createFS();
  fs.mkdirTree("/a/b");
  fs.chdir("/a/b");
  fs.rmdir("/a/b");
  assertErrno("ENOENT", () => fs.cwd());
  fs.chdir("..");
  assertEquals(fs.cwd(), "/a");
});
