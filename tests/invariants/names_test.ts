/**
 * Every invariant of FS and of its backends in memory, made false: by a backend that hands out what has
 * its place already, by counts that are changed from outside. One that no row meets fails here.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../abi/invariant.ts";
import type { FSNode } from "../../abi/node.ts";
import { createFS } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { ChunkPool } from "../../stream_ops/chunks.ts";
import { MemfsStore } from "../../stream_ops/memfs_inode.ts";
import { patched } from "./patched.ts";
import { neverSeen } from "./messages.ts";

function made(): FS {
  const fs = createFS();
  fs.mkdir("/d");
  fs.mkdir("/d/e");
  fs.writeFile("/d/f", "x");
  return fs;
}

const at = (fs: FS, path: string): FSNode => fs.lookupPath(path).node!;

interface Counted {
  nlink: number;
}

/** The inode of MEMFS that a path leads to. */
const inode = (fs: FS, path: string): Counted => at(fs, path).data as unknown as Counted;

const rows: readonly (readonly [message: string, act: (fs: FS) => unknown])[] = [
  ["F1: a backend returns a node that has its place already", (fs) => {
    const d = at(fs, "/d");
    const f = at(fs, "/d/f");
    fs.names.remove(f);
    patched(d.node_ops, { lookup: () => f }, () => fs.stat("/d/other"));
  }],
  ["F2: a directory loses a child that was not pinned to it", (fs) => {
    at(fs, "/d/f").parent.pins = 0;
    fs.unlink("/d/f");
  }],
  ["F2: a node comes into the table twice", (fs) => {
    const f = at(fs, "/d/f");
    f.name_next = f;
    fs.names.add(f);
  }],
  ["F2: a stream that is closed does not hold its node", (fs) => {
    const stream = fs.open("/d/f", "r");
    stream.node.pins = 0;
    fs.close(stream);
  }],
  ["F2: a mount does not hold its root", (fs) => {
    fs.mkdir("/m");
    fs.mount(MEMFS, {}, "/m").pins = 0;
    fs.unmount("/m");
  }],
  ["F2: a mount is not on what it covers", (fs) => {
    fs.mkdir("/m");
    fs.mount(MEMFS, {}, "/m");
    fs.mkdir("/m/n");
    const inner = fs.mount(MEMFS, {}, "/m/n");
    inner.mount.mountpoint!.mounted = null;
    fs.unmount("/m", { force: true });
  }],
  ["F2: the current directory is not held", (fs) => {
    fs.mkdir("/m");
    fs.mount(MEMFS, {}, "/m");
    fs.mkdir("/m/d");
    fs.chdir("/m/d");
    at(fs, "/m/d").pins = 0;
    fs.unmount("/m", { force: true });
  }],
  ["F2: a tree is removed from a directory that is not held", (fs) => {
    const d = at(fs, "/d");
    // After its last child.
    const onDeletePath = (path: string) => {
      if (path === "/d/f") d.pins = 0;
    };
    fs.trackingDelegate = { onDeletePath };
    fs.rmTree("/d");
  }],
  ["F3: an inode loses a name that it does not count", (fs) => {
    inode(fs, "/d/f").nlink = 0;
    fs.unlink("/d/f");
  }],
  ["F3: a directory loses one in it that it does not count", (fs) => {
    inode(fs, "/d").nlink = 2;
    fs.rmdir("/d/e");
  }],
  ["F3: a directory that is moved was not counted", (fs) => {
    inode(fs, "/d").nlink = 2;
    fs.rename("/d/e", "/e");
  }],
  ["F3: what is replaced has no names", (fs) => {
    fs.writeFile("/d/g", "y");
    inode(fs, "/d/f").nlink = 0;
    fs.rename("/d/g", "/d/f");
  }],
];

/** What is below FS, called as nothing calls it. */
const innerRows: readonly (readonly [message: string, act: () => unknown])[] = [
  ["F3: a pool takes back more than it gave", () => new ChunkPool(9).refund(1)],
  ["F3: a chunk has none of five sizes", () => new ChunkPool(99).take(5 as never)],
  ["F3: an inode is released twice", () => {
    const store = new MemfsStore({ maxBytes: 9, maxInodes: 9, clock: () => 0, atime: "noatime" });
    const inode = store.create(0o100644, 0, { uid: 0, gid: 0 });
    store.release(inode);
    store.release(inode);
  }],
];

/** Messages that have been seen. */
const seen: string[] = [];

for (const [said, act] of innerRows) {
  Deno.test(`invariant "${said}"`, () => {
    seen.push(assertThrows(() => void act(), InvariantError, said).message);
  });
}

for (const [said, act] of rows) {
  Deno.test(`invariant "${said}"`, () => {
    const { message } = assertThrows(() => void act(made()), InvariantError, said);
    seen.push(message);
  });
}

Deno.test("every invariant of fs, node_ops and stream_ops has been made false", () => {
  const { never, count } = neverSeen(["fs", "node_ops", "stream_ops"], { letters: "F", seen });
  assertEquals(never, []);
  assert(count >= 14, `${count}`);
});
