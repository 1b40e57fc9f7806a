import { assertEquals } from "@std/assert";
import { RENAME_EXCHANGE, RENAME_NOREPLACE } from "../../abi/flags.ts";
import { S_IFDIR, S_IFREG } from "../../abi/mode.ts";
import type { FSNode } from "../../abi/node.ts";
import { type MemfsInode, mountMemfs } from "../../node_ops/memfs.ts";
import { memfsRename } from "../../node_ops/memfs_rename.ts";
import { attach, attachRoot, child } from "../support/bare_mount.ts";
import { assertErrno } from "../support/errno.ts";

type Node = FSNode<MemfsInode>;

const OWNER = { uid: 0, gid: 0 };
let now = 0;

function mount(): Node {
  now = 0;
  return attachRoot(mountMemfs({ clock: () => ++now }));
}

function file(parent: Node, name: string): Node {
  return attach(parent, name, parent.node_ops.mknod!(parent, name, S_IFREG | 0o644, 0, OWNER));
}

function directory(parent: Node, name: string): Node {
  return attach(parent, name, parent.node_ops.mknod!(parent, name, S_IFDIR | 0o755, 0, OWNER));
}

function names(node: Node): string[] {
  return node.node_ops.readdir!(node, 0).map((entry) => entry.name);
}

Deno.test("memfsRename() moves a name and the times of both parents", () => {
  const root = mount();
  const [from, to] = [directory(root, "from"), directory(root, "to")];
  const moved = file(from, "a");
  memfsRename(moved, to, "b", 0);
  const at = now;
  assertEquals([names(from), names(to)], [[], ["b"]]);
  assertEquals(child(to, "b").data, moved.data);
  assertEquals([from.data.mtime, to.data.ctime, moved.data.ctime], [at, at, at]);
});

Deno.test("memfsRename() replaces in place and drops what was there", () => {
  const root = mount();
  const [a, b] = [file(root, "a"), file(root, "b")];
  file(root, "c");
  memfsRename(a, root, "b", 0);
  assertEquals(names(root), ["b", "c"]);
  assertEquals([b.data.nlink, root.data.store.inodeCount], [0, 3]);
});

Deno.test("memfsRename() keeps the replaced inode's other names", () => {
  const root = mount();
  const [a, b] = [file(root, "a"), file(root, "b")];
  root.node_ops.link!(b, root, "b2");
  memfsRename(a, root, "b", 0);
  assertEquals(b.data.nlink, 1);
});

Deno.test("memfsRename() between two names of one inode does nothing", () => {
  const root = mount();
  const a = file(root, "a");
  root.node_ops.link!(a, root, "b");
  const before = now;
  memfsRename(a, root, "b", 0);
  assertEquals([now, a.data.nlink, names(root)], [before, 2, ["a", "b"]]);
});

Deno.test("memfsRename() moves a directory's count between its parents", () => {
  const root = mount();
  const [from, to] = [directory(root, "from"), directory(root, "to")];
  const moved = directory(from, "d");
  memfsRename(moved, to, "d", 0);
  assertEquals([from.data.nlink, to.data.nlink], [2, 3]);
  attach(to, "d", moved);
  const empty = directory(root, "empty");
  memfsRename(moved, root, "empty", 0);
  assertEquals([to.data.nlink, root.data.nlink, empty.data.nlink], [2, 5, 0]);
});

Deno.test("memfsRename() refuses what would break the tree, and changes nothing", () => {
  const root = mount();
  const outer = directory(root, "outer");
  const inner = directory(outer, "inner");
  const plain = file(root, "plain");
  const before = now;
  assertErrno("EINVAL", () => memfsRename(outer, inner, "x", 0));
  assertErrno("EINVAL", () => memfsRename(outer, outer, "x", 0));
  assertErrno("ENOTEMPTY", () => memfsRename(inner, root, "outer", 0));
  assertErrno("EINVAL", () => memfsRename(inner, root, "outer", RENAME_EXCHANGE));
  assertErrno("EISDIR", () => memfsRename(plain, root, "outer", 0));
  assertErrno("ENOTDIR", () => memfsRename(inner, root, "plain", 0));
  assertEquals([now, names(root)], [before, ["outer", "plain"]]);
});

Deno.test("memfsRename() with RENAME_NOREPLACE is EEXIST on any existing name", () => {
  const root = mount();
  const a = file(root, "a");
  file(root, "b");
  assertErrno("EEXIST", () => memfsRename(a, root, "b", RENAME_NOREPLACE));
  assertErrno("EEXIST", () => memfsRename(a, root, "a", RENAME_NOREPLACE));
  memfsRename(a, root, "c", RENAME_NOREPLACE);
  assertEquals(names(root), ["b", "c"]);
});

Deno.test("memfsRename() with RENAME_EXCHANGE swaps whatever the two are", () => {
  const root = mount();
  const [from, to] = [directory(root, "from"), directory(root, "to")];
  const [inner, plain] = [directory(from, "x"), file(to, "y")];
  memfsRename(inner, to, "y", RENAME_EXCHANGE);
  assertEquals(child(from, "x").data, plain.data);
  assertEquals(child(to, "y").data, inner.data);
  assertEquals([from.data.nlink, to.data.nlink], [2, 3]);
  assertErrno("ENOENT", () => memfsRename(inner, to, "missing", RENAME_EXCHANGE));
});

Deno.test("memfsRename() refuses flags that mean nothing together", () => {
  const root = mount();
  const a = file(root, "a");
  assertErrno("EINVAL", () => memfsRename(a, root, "b", RENAME_NOREPLACE | RENAME_EXCHANGE));
  assertErrno("EINVAL", () => memfsRename(a, root, "b", 4));
});

Deno.test("memfsRename() keeps to the limit of links", () => {
  const root = mount();
  const [from, to] = [directory(root, "from"), directory(root, "to")];
  const moved = directory(from, "d");
  to.data.nlink = 65535;
  assertErrno("EMLINK", () => memfsRename(moved, to, "d", 0));
  assertEquals(names(from), ["d"]);
});
