/** Attributes by path. */
import { assert, assertEquals } from "@std/assert";
import { O_PATH, XATTR_CREATE, XATTR_REPLACE } from "../../abi/flags.ts";
import { nodeAt } from "../../fs/attr_calls.ts";
import { createFS } from "../../fs/create_fs.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { assertErrno } from "../support/errno.ts";

Deno.test("stat() and lstat() follow or not, and tell mounts apart", () => {
  const fs = createFS();
  fs.writeFile("/f", "abc");
  fs.symlink("f", "/l");
  assertEquals([fs.stat("/l").size, fs.lstat("/l").size, fs.stat("/l", true).size], [3, 1, 1]);
  assert(fs.stat("/").dev !== fs.stat("/dev").dev);
  assertEquals(fs.stat(fs.findObject("/f")!).size, 3);
});

Deno.test("chmod(), chown(), utime() take dontFollow, truncate() a node", () => {
  const fs = createFS();
  fs.writeFile("/f", "abc");
  fs.symlink("f", "/l");
  fs.lchown("/l", 3, 4);
  fs.chown("/l", 5, 6);
  assertEquals([fs.lstat("/l").uid, fs.stat("/f").uid], [3, 5]);
  fs.lchmod("/l", 0o700);
  fs.chmod("/l", 0o600);
  assertEquals([fs.lstat("/l").mode, fs.stat("/f").mode], [0o120700, 0o100600]);
  fs.utime("/l", 1000, new Date(2000));
  fs.utime("/l", null, 5000, true);
  fs.lutimens("/l", [7, 0], [0, -2]);
  assertEquals([fs.stat("/f").atimeMs, fs.stat("/f").mtimeMs], [1000, 2000]);
  assertEquals([fs.lstat("/l").atimeMs, fs.lstat("/l").mtimeMs], [7000, 5000]);
  fs.truncate(fs.findObject("/f")!, 1);
  assertEquals(fs.stat("/f").size, 1);
});

Deno.test("statfs() tells space in both spellings, and whether it is read-only", () => {
  const fs = createFS();
  fs.mkdir("/m");
  fs.mount(MEMFS, { maxBytes: 1 << 20 }, "/m", { readOnly: true });
  const space = fs.statfs("/m");
  assertEquals(space.blocks * space.blockSize, 1 << 20);
  assertEquals([space.bsize, space.bfree, space.flags], [space.blockSize, space.freeBlocks, 1]);
  assertEquals(fs.statfsStream(fs.open("/m", "r")).fsid, fs.stat("/m").dev);
  assertEquals(fs.statfsNode(fs.root!).flags, 0);
});

Deno.test("extended attributes: user.* on files and directories", () => {
  const fs = createFS();
  fs.writeFile("/f", "");
  fs.setxattr("/f", "user.a", new Uint8Array([1, 2]), XATTR_CREATE);
  assertErrno("EEXIST", () => fs.setxattr("/f", "user.a", new Uint8Array(), XATTR_CREATE));
  assertErrno("ENODATA", () => fs.setxattr("/f", "user.b", new Uint8Array(), XATTR_REPLACE));
  fs.setxattr("/tmp", "user.b", new Uint16Array([7]));
  assertEquals([[...fs.getxattr("/f", "user.a")], fs.listxattr("/f")], [[1, 2], ["user.a"]]);
  assertErrno("ENODATA", () => fs.getxattr("/f", "user.b"));
  assertErrno("ENOTSUP", () => fs.setxattr("/f", "trusted.a", new Uint8Array()));
  assertErrno("EINVAL", () => fs.setxattr("/f", "user.", new Uint8Array()));
  assertErrno("EPERM", () => fs.setxattr("/dev/null", "user.a", new Uint8Array()));
  assertErrno("ERANGE", () => fs.setxattr("/f", `user.${"x".repeat(300)}`, new Uint8Array()));
  assertErrno("E2BIG", () => fs.setxattr("/f", "user.a", new Uint8Array(65_537)));
  fs.setCredentials({ uid: 4, gid: 4 });
  assertErrno("EACCES", () => fs.removexattr("/f", "user.a"));
  fs.setCredentials({ uid: 0 });
  fs.removexattr("/f", "user.a");
  assertErrno("ENODATA", () => fs.removexattr("/f", "user.a"));
});

Deno.test("nodeAt() takes a node as it is", () => {
  const fs = createFS();
  fs.symlink("tmp", "/l");
  assertEquals(nodeAt(fs, "test", "/l", true), fs.findObject("/tmp"));
  assertEquals(nodeAt(fs, "test", fs.root!, true), fs.root);
  assertErrno("EINVAL", () => nodeAt(fs, "test", 5 as never, true));
});

Deno.test("the calls on extended attributes take a descriptor, though it has no name", () => {
  const fs = createFS();
  const stream = fs.open("/f", "w");
  fs.unlink("/f");
  const fd = stream.fd!;
  fs.setxattr(fd, "user.a", new Uint8Array([1]));
  assertEquals([fs.getxattr(fd, "user.a"), fs.listxattr(fd)], [new Uint8Array([1]), ["user.a"]]);
  fs.removexattr(fd, "user.a");
  assertErrno("ENODATA", () => fs.getxattr(fd, "user.a"));
  assertErrno("EBADF", () => fs.listxattr(999));
  const place = fs.open("/tmp", O_PATH);
  assertErrno("EBADF", () => fs.setxattr(place.fd!, "user.a", new Uint8Array(1)));
});
