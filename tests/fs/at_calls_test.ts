/** The *at family. */
import { assertEquals } from "@std/assert";
import {
  AT_EACCESS,
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
  O_RDWR,
  RENAME_NOREPLACE,
} from "../../abi/flags.ts";
import { createFS } from "../../fs/create_fs.ts";
import { assertErrno } from "../support/errno.ts";

function make() {
  const fs = createFS();
  fs.mkdirTree("/a/b");
  fs.writeFile("/a/f", "f");
  fs.symlink("f", "/a/link");
  const dir = fs.open("/a", "r");
  return { fs, dir, fd: dir.fd! };
}

Deno.test("each *at call starts at the directory, as a stream or a descriptor", () => {
  const { fs, dir, fd } = make();
  fs.mkdirat(fd, "new", 0o700);
  fs.mknodat(dir, "fifo", 0o010600);
  fs.symlinkat("target", fd, "sym");
  fs.linkat(fd, "f", dir, "g");
  fs.renameat(fd, "g", fd, "h");
  assertEquals(fs.readdir("/a"), [".", "..", "b", "f", "link", "new", "fifo", "sym", "h"]);
  fs.unlinkat(fd, "h");
  fs.unlinkat(fd, "new", AT_REMOVEDIR);
  assertErrno("EISDIR", () => fs.unlinkat(fd, "b"));
  assertErrno("ENOTDIR", () => fs.unlinkat(fd, "f", AT_REMOVEDIR));
  assertEquals(fs.readlinkat(fd, "sym"), "target");
  assertEquals(fs.openat(fd, "f", O_RDWR).path, "/a/f");
});

Deno.test("attributes from a directory, with and without following", () => {
  const { fs, fd } = make();
  fs.fchmodat(fd, "link", 0o600);
  fs.fchownat(fd, "link", 3, 4, AT_SYMLINK_NOFOLLOW);
  fs.utimensat(fd, "f", [1, 0], [2, 0]);
  assertEquals(fs.stat("/a/f").mode & 0o777, 0o600);
  assertEquals([fs.stat("/a/f").uid, fs.lstat("/a/link").uid], [0, 3]);
  assertEquals(fs.fstatat(fd, "link").mtimeMs, 2000);
  assertEquals(fs.fstatat(fd, "link", AT_SYMLINK_NOFOLLOW).size, 1);
  assertEquals(fs.fstatat(fd, "", AT_EMPTY_PATH).ino, fs.stat("/a").ino);
  fs.faccessat(fd, "f", 6, AT_EACCESS);
  assertErrno("EACCES", () => fs.faccessat(fd, "f", 1));
});

Deno.test("an absolute path does not look at the descriptor, AT_FDCWD is where one stands", () => {
  const { fs } = make();
  fs.chdir("/a");
  assertEquals(fs.fstatat(99, "/a/f").size, 1);
  assertEquals(fs.fstatat(AT_FDCWD, "f").size, 1);
  assertErrno("EBADF", () => fs.fstatat(99, "f"));
  assertErrno("ENOENT", () => fs.fstatat(AT_FDCWD, ""));
  const file = fs.open("/a/f", "r");
  assertErrno("ENOTDIR", () => fs.fstatat(file, "x"));
});

Deno.test("a directory that has moved or gone is still where the walk starts", () => {
  const { fs, fd } = make();
  fs.rename("/a", "/moved");
  fs.mkdirat(fd, "later");
  assertEquals(fs.stat("/moved/later").nlink, 2);
  const gone = fs.open("/moved/later", "r");
  fs.rmdir("/moved/later");
  assertErrno("ENOENT", () => fs.mkdirat(gone, "x"));
  assertErrno("ENOENT", () => fs.openat(gone, "x", "w"));
});

Deno.test("unknown flags are EINVAL, known ones mean what they say", () => {
  const { fs, fd } = make();
  assertErrno("EINVAL", () => fs.unlinkat(fd, "f", 1));
  assertErrno("EINVAL", () => fs.linkat(fd, "f", fd, "g", AT_REMOVEDIR));
  assertErrno("EINVAL", () => fs.fstatat(fd, "f", AT_SYMLINK_FOLLOW));
  assertErrno("EINVAL", () => fs.renameat(fd, "f", fd, "g", 8));
  assertErrno("EEXIST", () => fs.renameat(fd, "f", fd, "b", RENAME_NOREPLACE));
  fs.linkat(fd, "link", fd, "followed", AT_SYMLINK_FOLLOW);
  assertEquals(fs.stat("/a/f").nlink, 2);
});

Deno.test("the calls from a directory are ENOTDIR from a file, and ENOENT for no path at all", () => {
  const fs = createFS();
  const file = fs.open("/f", "w");
  for (const path of ["x", ".", "..", "x/y"]) {
    assertErrno("ENOTDIR", () => fs.openat(file, path, 0));
    assertErrno("ENOTDIR", () => fs.mkdirat(file, path));
    assertErrno("ENOTDIR", () => fs.unlinkat(file, path));
    assertErrno("ENOTDIR", () => fs.renameat(file, path, -100, "/y"));
  }
  assertErrno("ENOENT", () => fs.openat(file, "", 0));
  assertEquals(fs.openat(file, "/f", 0).path, "/f");
});
