import { assertEquals } from "@std/assert";
import { InvariantError } from "../../abi/invariant.ts";
import { assertThrows } from "@std/assert";
import { S_IFDIR, S_IFREG } from "../../abi/mode.ts";
import { MemfsEntry, type MemfsInode, MemfsStore } from "../../stream_ops/memfs_inode.ts";
import { assertErrno } from "../support/errno.ts";

function store(maxInodes = 10): MemfsStore {
  return new MemfsStore({ maxBytes: 1e6, maxInodes, clock: () => 7.5, atime: "relatime" });
}

const OWNER = { uid: 1, gid: 2 };

Deno.test("MemfsStore.create() numbers inodes and never gives a number twice", () => {
  const inodes = store();
  const first = inodes.create(S_IFREG | 0o644, 0, OWNER);
  inodes.release(first);
  const second = inodes.create(S_IFDIR | 0o755, 0, OWNER);
  assertEquals([first.ino, second.ino, second.nlink, second.mtime], [1, 2, 2, 7.5]);
});

Deno.test("MemfsStore.create() is ENOSPC at the limit", () => {
  const inodes = store(1);
  inodes.create(S_IFREG, 0, OWNER);
  assertErrno("ENOSPC", () => inodes.create(S_IFREG, 0, OWNER));
});

Deno.test("MemfsStore.release() keeps what has a name or is open, and counts once", () => {
  const inodes = store();
  const inode = inodes.create(S_IFREG, 0, OWNER);
  inode.nlink = 1;
  inodes.release(inode);
  inode.nlink = 0;
  inode.openCount = 1;
  inodes.release(inode);
  assertEquals(inodes.inodeCount, 1);
  inode.openCount = 0;
  inodes.release(inode);
  assertThrows(() => inodes.release(inode), InvariantError);
});

Deno.test("MemfsEntry is a plain record: a copy of it says the same", () => {
  const inode = store().create(S_IFREG | 0o644, 0, OWNER);
  const { name, ino, mode, cursor } = { ...new MemfsEntry("a", 1, inode) };
  assertEquals([name, ino, mode, cursor], ["a", 1, S_IFREG | 0o644, 1]);
});

Deno.test("MemfsInode.isQuiet until its times change or a day has passed for the first of all", () => {
  const clock = { now: 1000 };
  const options = { maxBytes: 1e6, maxInodes: 10, clock: () => clock.now };
  const inodes = new MemfsStore({ ...options, atime: "relatime" });
  const [early, late] = [0, 1].map(() => inodes.create(S_IFREG, 0, OWNER)) as [
    MemfsInode,
    MemfsInode,
  ];
  early.accessed();
  assertEquals([early.isQuiet, early.atime], [false, 1000], "in the moment of the change");
  clock.now = 2000;
  early.accessed();
  assertEquals([early.isQuiet, early.atime, late.isQuiet], [true, 2000, false]);
  clock.now = 5000;
  late.accessed();
  early.accessed();
  assertEquals([early.atime, late.atime], [2000, 5000]);
  for (const change of ["atime", "mtime", "ctime"] as const) {
    late[change] = 4000;
    assertEquals(late.isQuiet, false, change);
    late.accessed();
    assertEquals(late.isQuiet, true, change);
    clock.now++;
    late.accessed();
  }
  late.modified();
  assertEquals(late.isQuiet, false);
  clock.now++;
  late.accessed();
  clock.now = 2000 + 86_400_000;
  inodes.tick();
  assertEquals([early.isQuiet, late.isQuiet], [false, false]);
  late.accessed();
  early.accessed();
  assertEquals([early.atime, late.isQuiet], [clock.now, true]);
});

Deno.test("MemfsInode.isQuiet at once under noatime, and never under strictatime", () => {
  for (const [atime, isQuiet] of [["noatime", true], ["strictatime", false]] as const) {
    const clock = { now: 5 };
    const options = { maxBytes: 1e6, maxInodes: 10, clock: () => clock.now };
    const inode = new MemfsStore({ ...options, atime }).create(S_IFREG, 0, OWNER);
    clock.now = 9;
    inode.accessed();
    assertEquals([inode.isQuiet, inode.atime], [isQuiet, isQuiet ? 5 : 9]);
  }
});
