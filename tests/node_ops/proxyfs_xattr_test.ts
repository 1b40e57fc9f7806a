import { assertEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import { PROXYFS } from "../../node_ops/proxyfs.ts";
import { proxyXattrOps } from "../../node_ops/proxyfs_xattr.ts";
import { assertErrno } from "../support/errno.ts";

Deno.test("proxyXattrOps() reaches an open file whose name is gone, and not who took it", () => {
  const [ours, theirs] = [createFS(), createFS()];
  ours.mkdir("/mnt");
  ours.mount(PROXYFS, { fs: theirs, path: "/tmp" }, "/mnt");
  const { fd } = ours.open("/mnt/f", "w+");
  ours.unlink("/mnt/f");
  ours.writeFile("/mnt/f", "another");
  ours.setxattr(fd!, "user.a", new Uint8Array([7]));
  assertEquals(ours.getxattr(fd!, "user.a"), new Uint8Array([7]));
  assertEquals(ours.listxattr("/mnt/f"), []);
  assertEquals(theirs.listxattr("/tmp/f"), []);
});

Deno.test("proxyXattrOps() has nothing for a file system that lacks one of the calls", () => {
  const fs = createFS();
  const partial = Object.create(fs, { listxattr: { value: undefined } });
  assertEquals(proxyXattrOps(partial, () => "/"), {});
  assertEquals(Object.keys(proxyXattrOps(fs, () => "/")).length, 4);
});

Deno.test("proxyXattrOps() passes other errors on", () => {
  const [ours, theirs] = [createFS(), createFS()];
  ours.mkdir("/mnt");
  ours.mount(PROXYFS, { fs: theirs, path: "/tmp" }, "/mnt");
  ours.writeFile("/mnt/f", "");
  theirs.setCredentials({ uid: 9 });
  assertErrno("EACCES", () => ours.setxattr("/mnt/f", "user.a", new Uint8Array(1)));
  assertErrno("ENODATA", () => ours.getxattr("/mnt/f", "user.a"));
});
