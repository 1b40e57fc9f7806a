import { assertEquals } from "@std/assert";
import { XATTR_CREATE, XATTR_REPLACE } from "../../abi/flags.ts";
import { S_IFIFO, S_IFREG } from "../../abi/mode.ts";
import type { FSNode } from "../../abi/node.ts";
import { type MemfsInode, mountMemfs } from "../../node_ops/memfs.ts";
import { memfsXattrOps } from "../../node_ops/memfs_xattr.ts";
import { attachRoot } from "../support/bare_mount.ts";
import { assertErrno } from "../support/errno.ts";

const { getxattr, setxattr, listxattr, removexattr } = memfsXattrOps;

function make(maxBytes = 2 ** 20, mode = S_IFREG | 0o644): FSNode<MemfsInode> {
  const root = attachRoot(mountMemfs({ maxBytes }));
  return root.node_ops.mknod!(root, "f", mode, 0, { uid: 0, gid: 0 });
}

Deno.test("memfsXattrOps store a copy and give a copy", () => {
  const node = make();
  const value = new Uint8Array([1, 2]);
  setxattr!(node, "user.a", value, 0);
  value[0] = 9;
  getxattr!(node, "user.a")![1] = 9;
  assertEquals(getxattr!(node, "user.a"), new Uint8Array([1, 2]));
  assertEquals(getxattr!(node, "user.b"), null);
  assertEquals(listxattr!(node), ["user.a"]);
});

Deno.test("memfsXattrOps heed XATTR_CREATE and XATTR_REPLACE", () => {
  const node = make();
  const value = new Uint8Array(1);
  assertErrno("ENODATA", () => setxattr!(node, "user.a", value, XATTR_REPLACE));
  setxattr!(node, "user.a", value, XATTR_CREATE);
  assertErrno("EEXIST", () => setxattr!(node, "user.a", value, XATTR_CREATE));
  setxattr!(node, "user.a", value, XATTR_REPLACE);
  assertErrno("EINVAL", () => setxattr!(node, "user.a", value, 4));
});

Deno.test("memfsXattrOps refuse other namespaces, long names, long values, special files", () => {
  const node = make();
  const value = new Uint8Array(1);
  assertErrno("ENOTSUP", () => setxattr!(node, "trusted.a", value, 0));
  assertErrno("ENOTSUP", () => getxattr!(node, "security.a"));
  assertErrno("EINVAL", () => setxattr!(node, "user.", value, 0));
  assertErrno("ERANGE", () => setxattr!(node, `user.${"ż".repeat(126)}`, value, 0));
  assertErrno("E2BIG", () => setxattr!(node, "user.a", new Uint8Array(65537), 0));
  assertErrno("EPERM", () => setxattr!(make(2 ** 20, S_IFIFO | 0o644), "user.a", value, 0));
});

Deno.test("memfsXattrOps count names and values against the space", () => {
  const node = make(4096);
  const { pool } = node.data.store;
  setxattr!(node, "user.a", new Uint8Array(4000), 0);
  assertErrno("ENOSPC", () => setxattr!(node, "user.b", new Uint8Array(100), 0));
  assertEquals(listxattr!(node), ["user.a"]);
  setxattr!(node, "user.a", new Uint8Array(10), 0);
  assertEquals(pool.usedBytes, 16);
  assertEquals(removexattr!(node, "user.a"), true);
  assertEquals(removexattr!(node, "user.a"), false);
  assertEquals(pool.usedBytes, 0);
});

Deno.test("memfsXattrOps go with the inode", () => {
  const node = make();
  setxattr!(node, "user.a", new Uint8Array(100), 0);
  node.data.nlink = 0;
  node.data.store.release(node.data);
  assertEquals(node.data.store.pool.usedBytes, 0);
});
