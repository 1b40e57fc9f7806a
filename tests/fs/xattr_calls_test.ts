/** Extended attributes, by path and by descriptor. */
import { assertEquals } from "@std/assert";
import { O_PATH, XATTR_CREATE, XATTR_REPLACE } from "../../abi/flags.ts";
import { createFS } from "../../fs/create_fs.ts";
import { assertErrno } from "../support/errno.ts";

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
