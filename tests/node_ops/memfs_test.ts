import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import { S_IFBLK, S_IFDIR, S_IFIFO, S_IFREG } from "../../abi/mode.ts";
import type { FSNode } from "../../abi/node.ts";
import { type MemfsInode, type MemfsOptions, mountMemfs } from "../../node_ops/memfs.ts";
import { attach, attachRoot, child, openBare } from "../support/bare_mount.ts";
import { assertErrno } from "../support/errno.ts";

type Node = FSNode<MemfsInode>;

const OWNER = { uid: 7, gid: 8 };
let now = 1000.25;

function mount(options: MemfsOptions = {}): Node {
  now = 1000.25;
  return attachRoot(mountMemfs({ clock: () => now, ...options }));
}

function make(parent: Node, name: string, mode = S_IFREG | 0o644, rdev = 0): Node {
  return attach(parent, name, parent.node_ops.mknod!(parent, name, mode, rdev, OWNER));
}

function names(node: Node, after = 0): string[] {
  return node.node_ops.readdir!(node, after).map((entry) => entry.name);
}

function write(node: Node, length: number, position = 0): number {
  const stream = openBare(node);
  try {
    return stream.stream_ops.write!(stream, new Uint8Array(length).fill(1), 0, length, position);
  } finally {
    stream.stream_ops.close!(stream);
  }
}

Deno.test("mountMemfs() gives a root with the asked mode and owner", () => {
  const root = mount({ mode: 0o1777, uid: 3, gid: 4 });
  const { mode, uid, gid, nlink } = root.node_ops.getattr(root);
  assertEquals([mode, uid, gid, nlink], [S_IFDIR | 0o1777, 3, 4, 2]);
});

Deno.test("mountMemfs() refuses limits that are no counts", () => {
  for (const maxBytes of [-1, 1.5, NaN]) assertErrno("EINVAL", () => mountMemfs({ maxBytes }));
});

Deno.test("MEMFS lookup() gives null for a miss and shares the inode on a hit", () => {
  const root = mount();
  const made = make(root, "a");
  assertEquals(root.node_ops.lookup!(root, "b"), null);
  assertStrictEquals(child(root, "a").data, made.data);
});

Deno.test("MEMFS readdir() keeps the order of creation for every name", () => {
  const root = mount();
  const list = ["b", "10", "__proto__", "9", "constructor", "a"];
  for (const name of list) make(root, name);
  assertEquals(names(root), list);
});

Deno.test("MEMFS readdir() shows what an inode's mode is now", () => {
  const root = mount();
  const file = make(root, "f");
  file.node_ops.setattr!(file, { mode: 0o600 });
  assertEquals(root.node_ops.readdir!(root, 0)[0]!.mode, S_IFREG | 0o600);
});

Deno.test("MEMFS readdir() goes on after a cursor although names come and go", () => {
  const root = mount();
  for (const name of ["a", "b", "c", "d"]) make(root, name);
  const cursor = root.node_ops.readdir!(root, 0)[1]!.cursor;
  root.node_ops.unlink!(root, "a");
  root.node_ops.unlink!(root, "b");
  root.node_ops.unlink!(root, "c");
  make(root, "e");
  assertEquals(names(root, cursor), ["d", "e"]);
  assertEquals(names(root, root.node_ops.readdir!(root, 0).at(-1)!.cursor), []);
});

Deno.test("MEMFS mknod() stores type, owner, device and times, and moves the parent's", () => {
  const root = mount();
  now = 2000.5;
  const node = make(root, "disk", S_IFBLK | 0o660, 0x0801);
  const attr = node.node_ops.getattr(node);
  assertEquals(attr, {
    ino: 2,
    mode: S_IFBLK | 0o660,
    nlink: 1,
    uid: 7,
    gid: 8,
    rdev: 0x0801,
    size: 0,
    blocks: 0,
    atime: 2000.5,
    mtime: 2000.5,
    ctime: 2000.5,
  });
  const parent = root.node_ops.getattr(root);
  assertEquals([parent.mtime, parent.ctime, parent.atime], [2000.5, 2000.5, 1000.25]);
});

Deno.test("MEMFS counts subdirectories in nlink", () => {
  const root = mount();
  make(root, "d", S_IFDIR | 0o755);
  make(root, "f", S_IFIFO | 0o644);
  assertEquals(root.data.nlink, 3);
  root.node_ops.rmdir!(root, "d");
  assertEquals(root.data.nlink, 2);
});

Deno.test("MEMFS mknod() in a removed directory is ENOENT", () => {
  const root = mount();
  const directory = make(root, "d", S_IFDIR | 0o755);
  root.node_ops.rmdir!(root, "d");
  assertErrno("ENOENT", () => make(directory, "f"));
});

Deno.test("MEMFS answers EMLINK at 65,535 names and at 65,533 subdirectories", () => {
  const root = mount();
  const file = make(root, "f");
  for (let index = 1; index < 65535; index++) root.node_ops.link!(file, root, `l${index}`);
  assertEquals(file.data.nlink, 65535);
  assertErrno("EMLINK", () => root.node_ops.link!(file, root, "one more"));
  for (let index = 0; index < 65533; index++) make(root, `d${index}`, S_IFDIR | 0o755);
  assertErrno("EMLINK", () => make(root, "one more", S_IFDIR | 0o755));
  make(root, "but a file");
  root.node_ops.unlink!(root, "l1");
  root.node_ops.link!(file, root, "again");
});

Deno.test("MEMFS link() shares one inode and refuses directories", () => {
  const root = mount();
  const file = make(root, "f");
  now = 3000;
  const other = root.node_ops.link!(file, root, "g");
  assertStrictEquals(other.data, file.data);
  assertEquals([file.data.nlink, file.data.ctime, root.data.mtime], [2, 3000, 3000]);
  const directory = make(root, "d", S_IFDIR | 0o755);
  assertErrno("EPERM", () => root.node_ops.link!(directory, root, "e"));
});

Deno.test("MEMFS unlink() frees the bytes at the last close, not before", () => {
  const root = mount();
  const file = make(root, "f");
  const stream = openBare(file);
  stream.stream_ops.write!(stream, new Uint8Array(10_000).fill(6), 0, 10_000, 0);
  const { store } = root.data;
  root.node_ops.unlink!(root, "f");
  assert(store.pool.usedBytes >= 10_000);
  const into = new Uint8Array(10_000);
  assertEquals(stream.stream_ops.read!(stream, into, 0, 10_000, 0), 10_000);
  assert(into.every((byte) => byte === 6));
  assertEquals(file.node_ops.getattr(file).nlink, 0);
  stream.stream_ops.close!(stream);
  assertEquals([store.pool.usedBytes, store.inodeCount], [0, 1]);
});

Deno.test("MEMFS tmpfile() lives from its open to its close, or gets a name by link()", () => {
  const root = mount();
  const { store } = root.data;
  const first = attach(root, "", root.node_ops.tmpfile!(root, S_IFREG | 0o600, OWNER, true));
  const closed = openBare(first);
  assertEquals(first.data.nlink, 0);
  closed.stream_ops.close!(closed);
  assertEquals(store.inodeCount, 1);
  const second = attach(root, "", root.node_ops.tmpfile!(root, S_IFREG | 0o600, OWNER, true));
  const stream = openBare(second);
  root.node_ops.link!(second, root, "kept");
  stream.stream_ops.close!(stream);
  assertEquals([store.inodeCount, names(root)], [2, ["kept"]]);
});

Deno.test("MEMFS unlink() and rmdir() distinguish the kinds", () => {
  const root = mount();
  make(root, "f");
  const directory = make(root, "d", S_IFDIR | 0o755);
  make(directory, "inside");
  assertErrno("EISDIR", () => root.node_ops.unlink!(root, "d"));
  assertErrno("ENOTDIR", () => root.node_ops.rmdir!(root, "f"));
  assertErrno("ENOTEMPTY", () => root.node_ops.rmdir!(root, "d"));
  assertErrno("ENOENT", () => root.node_ops.unlink!(root, "x"));
  assertErrno("ENOENT", () => root.node_ops.rmdir!(root, "x"));
});

Deno.test("MEMFS symlink() keeps the text and counts its bytes", () => {
  const root = mount();
  const link = attach(root, "l", root.node_ops.symlink!(root, "l", "../zażółć/😀", OWNER));
  assertEquals(link.node_ops.readlink!(link), "../zażółć/😀");
  const { size, mode } = link.node_ops.getattr(link);
  assertEquals([size, mode], [new TextEncoder().encode("../zażółć/😀").length, 0o120777]);
});

Deno.test("MEMFS setattr() changes what it is given, and ctime", () => {
  const root = mount();
  const file = make(root, "f");
  now = 5000.125;
  file.node_ops.setattr!(file, { mode: 0o4755, uid: 1 });
  file.node_ops.setattr!(file, { atime: 1.5, mtime: 2.5 });
  const { mode, uid, gid, atime, mtime, ctime } = file.node_ops.getattr(file);
  assertEquals([mode, uid, gid], [S_IFREG | 0o4755, 1, 8]);
  assertEquals([atime, mtime, ctime], [1.5, 2.5, 5000.125]);
});

Deno.test("MEMFS setattr() resizes files only, up to 2^53 - 1", () => {
  const root = mount();
  const file = make(root, "f");
  file.node_ops.setattr!(file, { size: Number.MAX_SAFE_INTEGER });
  const { size, blocks } = file.node_ops.getattr(file);
  assertEquals([size, blocks], [Number.MAX_SAFE_INTEGER, 0]);
  assertErrno("EFBIG", () => file.node_ops.setattr!(file, { size: 2 ** 53 }));
  assertErrno("EINVAL", () => root.node_ops.setattr!(root, { size: 0 }));
});

Deno.test("MEMFS with maxBytes: ENOSPC changes nothing, and unlink makes room", () => {
  const root = mount({ maxBytes: 65536 });
  const [full, other] = [make(root, "full"), make(root, "other")];
  assertEquals(write(full, 100_000), 65536);
  assertErrno("ENOSPC", () => write(other, 1));
  assertEquals(other.node_ops.getattr(other).size, 0);
  assertEquals(root.node_ops.statfs!(root).freeBlocks, 0);
  make(root, "names are free");
  root.node_ops.unlink!(root, "full");
  assertEquals(write(other, 65536), 65536);
});

Deno.test("MEMFS with maxInodes: ENOSPC until one goes", () => {
  const root = mount({ maxInodes: 2 });
  make(root, "a");
  assertErrno("ENOSPC", () => make(root, "b"));
  assertEquals(names(root), ["a"]);
  assertEquals(root.node_ops.statfs!(root).freeInodes, 0);
  root.node_ops.unlink!(root, "a");
  make(root, "b");
});

Deno.test("MEMFS statfs() counts what files own", () => {
  const root = mount({ maxBytes: 2 ** 20 });
  const before = root.node_ops.statfs!(root);
  assertEquals([before.blockSize, before.blocks, before.freeBlocks], [4096, 256, 256]);
  write(make(root, "f"), 8192);
  assertEquals(root.node_ops.statfs!(root).freeBlocks, 254);
  assertEquals(root.node_ops.statfs!(root).freeInodes, before.freeInodes - 1);
});

Deno.test("MEMFS shares its op tables between nodes of a kind", () => {
  const root = mount();
  const [first, second] = [make(root, "a"), make(root, "b")];
  assertStrictEquals(first.node_ops, second.node_ops);
  assertStrictEquals(first.stream_ops, second.stream_ops);
  assertEquals(first.node_ops.lookup, undefined);
});

Deno.test("MEMFS.readdir() shows the mode that each inode has now, after chmod, link and rename", () => {
  const fs = createFS();
  const modes = (path: string): string[] => {
    const stream = fs.open(path, "r");
    const entries = fs.getdents(stream).slice(2);
    fs.close(stream);
    return entries.map(({ name, mode }) => `${name} ${(mode & 0o777).toString(8)}`);
  };
  fs.mkdirTree("/d/e");
  fs.writeFile("/d/f", "", { mode: 0o644 });
  assertEquals(modes("/d"), ["e 755", "f 644"]);
  fs.chmod("/d/f", 0o600);
  assertEquals(modes("/d"), ["e 755", "f 600"]);
  fs.link("/d/f", "/d/e/g");
  assertEquals(modes("/d/e"), ["g 600"]);
  fs.chmod("/d/f", 0o640);
  fs.rename("/d/f", "/d/e/h");
  assertEquals([modes("/d/e"), modes("/d")], [["g 640", "h 640"], ["e 755"]]);
});
