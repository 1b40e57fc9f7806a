/** What inodes are, and changing it. */
import { assertEquals } from "@std/assert";
import { UTIME_NOW, UTIME_OMIT } from "../../abi/flags.ts";
import { FSStat, timeMs, timesOf } from "../../fs/attributes.ts";
import { createFS } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { assertErrno } from "../support/errno.ts";

function make(): { fs: FS; wait(ms: number): void } {
  let now = 1_000_000;
  const fs = createFS({ clock: () => now, credentials: { umask: 0 } });
  fs.writeFile("/f", "12345");
  return { fs, wait: (ms) => now += ms };
}

Deno.test("FSStat has times as ms, Date and ns", () => {
  const attr = {
    ino: 3,
    mode: 0o100644,
    nlink: 1,
    uid: 0,
    gid: 0,
    rdev: 0,
    size: 5,
    blocks: 8,
    atime: 1000.25,
    mtime: -1.5,
    ctime: 1_900_000_000_123.5,
  };
  const stat = new FSStat(attr, 9);
  assertEquals([stat.dev, stat.ino, stat.size, stat.blksize], [9, 3, 5, 4096]);
  assertEquals([stat.atimeNs, stat.mtimeNs], [1_000_250_000n, -1_500_000n]);
  assertEquals(stat.ctimeNs, 1_900_000_000_123_500_000n);
  assertEquals(stat.ctime, new Date(1_900_000_000_123));
  assertEquals([stat.atime.getTime(), stat.mtime.getTime()], [1000, -1]);
});

Deno.test("timesOf() and timeMs() read times, NOW and OMIT", () => {
  assertEquals(timesOf([5, 250_000_000], [-1, 500_000_000], "utimens"), [5250, -500]);
  assertEquals(timesOf(undefined, null, "utimens"), [null, null]);
  for (const ns of [UTIME_NOW, -1]) {
    assertEquals(timesOf([0, ns], [7, 0], "utimens"), [null, 7000]);
  }
  for (const ns of [UTIME_OMIT, -2]) {
    assertEquals(timesOf([7, 0], [0, ns], "utimens"), [7000, undefined]);
  }
  for (const bad of [[0], [0, 1e9], [0, -3], [0.5, 0], "now", 5]) {
    assertErrno("EINVAL", () => timesOf(bad, [0, 0], "utimens"));
    assertErrno("EINVAL", () => timesOf([0, 0], bad, "utimens"));
  }
  assertEquals([timeMs(5.5, "utime"), timeMs(new Date(7), "utime")], [5.5, 7]);
  assertEquals(timeMs(null, "utime"), undefined);
  assertErrno("EINVAL", () => timeMs(NaN, "utime"));
});

Deno.test("changeMode() keeps the type, and is for the owner", () => {
  const { fs, wait } = make();
  wait(5);
  fs.chmod("/f", 0o170777);
  assertEquals(fs.stat("/f").mode, 0o100777);
  assertEquals(fs.stat("/f").ctimeMs, 1_000_005);
  fs.setCredentials({ uid: 4, gid: 4 });
  assertErrno("EPERM", () => fs.chmod("/f", 0));
  assertErrno("EINVAL", () => fs.chmod("/f", NaN));
});

Deno.test("changeMode() drops setgid for an owner outside of the group", () => {
  const { fs } = make();
  fs.chown("/f", 4, 9);
  fs.setCredentials({ uid: 4, gid: 4 });
  fs.chmod("/f", 0o2755);
  assertEquals(fs.stat("/f").mode & 0o7777, 0o755);
  fs.setCredentials({ groups: [9] });
  fs.chmod("/f", 0o2755);
  assertEquals(fs.stat("/f").mode & 0o7777, 0o2755);
});

Deno.test("changeOwner() keeps with -1, and lets an owner give to its own groups only", () => {
  const { fs } = make();
  fs.chown("/f", 4, 4);
  fs.chown("/f", -1, 5);
  assertEquals([fs.stat("/f").uid, fs.stat("/f").gid], [4, 5]);
  fs.setCredentials({ uid: 4, gid: 4, groups: [6] });
  fs.chown("/f", 4, 6);
  assertErrno("EPERM", () => fs.chown("/f", 4, 7));
  assertErrno("EPERM", () => fs.chown("/f", 5, -1));
  fs.setCredentials({ uid: 5 });
  assertErrno("EPERM", () => fs.chown("/f", -1, 4));
  fs.chown("/f", -1, -1);
});

Deno.test("changeOwner() takes suid and sgid from a program, not from a directory", () => {
  const { fs } = make();
  fs.chmod("/f", 0o6755);
  fs.chown("/f", 1, 1);
  assertEquals(fs.stat("/f").mode & 0o7777, 0o755);
  fs.mkdir("/d");
  fs.chmod("/d", 0o6755);
  fs.chown("/d", 1, 1);
  assertEquals(fs.stat("/d").mode & 0o7777, 0o6755);
});

Deno.test("changeSize() refuses what has no size, and takes suid away", () => {
  const { fs } = make();
  fs.mknod("/fifo", 0o010666, 0);
  assertErrno("EISDIR", () => fs.truncate("/tmp", 0));
  assertErrno("EINVAL", () => fs.truncate("/fifo", 0));
  assertErrno("EINVAL", () => fs.truncate("/f", -1));
  assertErrno("EINVAL", () => fs.truncate("/f", 0.5));
  assertErrno("EFBIG", () => fs.truncate("/f", 2 ** 60));
  fs.chmod("/f", 0o6777);
  fs.setCredentials({ uid: 4 });
  fs.truncate("/f", 2);
  assertEquals([fs.stat("/f").size, fs.stat("/f").mode & 0o7777], [2, 0o777]);
});

Deno.test("writing takes suid away from a program that is not root's to write", () => {
  const { fs } = make();
  fs.chmod("/f", 0o4777);
  fs.writeFile("/f", "root", { flags: "r+" });
  assertEquals(fs.stat("/f").mode & 0o7777, 0o4777);
  fs.setCredentials({ uid: 4 });
  fs.writeFile("/f", "user", { flags: "r+" });
  assertEquals(fs.stat("/f").mode & 0o7777, 0o777);
});

Deno.test("changeTimes(): now with write permission, other times for the owner", () => {
  const { fs, wait } = make();
  fs.utimens("/f", [10, 0], [20, 500_000_000]);
  assertEquals([fs.stat("/f").atimeMs, fs.stat("/f").mtimeMs], [10_000, 20_500]);
  fs.utimens("/f", [0, UTIME_OMIT], [30, 0]);
  assertEquals([fs.stat("/f").atimeMs, fs.stat("/f").mtimeMs], [10_000, 30_000]);
  wait(9);
  fs.utimens("/f");
  assertEquals(fs.stat("/f").atimeMs, 1_000_009);
  fs.chmod("/f", 0o666);
  fs.setCredentials({ uid: 3 });
  fs.utimens("/f", [0, UTIME_NOW], [0, UTIME_NOW]);
  assertErrno("EPERM", () => fs.utimens("/f", [1, 0], [1, 0]));
  assertErrno("EPERM", () => fs.utimens("/f", [0, UTIME_NOW], [0, UTIME_OMIT]));
  fs.utimens("/f", [0, UTIME_OMIT], [0, UTIME_OMIT]);
  fs.setCredentials({ uid: 0 });
  fs.chmod("/f", 0o600);
  fs.setCredentials({ uid: 3 });
  assertErrno("EACCES", () => fs.utimens("/f"));
});

Deno.test("every change on a read-only mount is EROFS", () => {
  const fs = createFS();
  fs.mkdir("/ro");
  fs.mount(MEMFS, {}, "/ro", { readOnly: true });
  for (
    const call of [
      () => fs.chmod("/ro", 0o700),
      () => fs.chown("/ro", 1, 1),
      () => fs.utimens("/ro"),
      () => fs.setxattr("/ro", "user.x", new Uint8Array()),
      () => fs.access("/ro", 2),
      () => fs.symlink("x", "/ro/x"),
      () => fs.unlink("/ro/x"),
      () => fs.rmdir("/ro/x"),
      () => fs.rename("/ro/x", "/ro/y"),
      () => fs.open("/ro/x", "w"),
    ]
  ) assertErrno("EROFS", call);
  fs.access("/ro", 4);
});

Deno.test("checkAccess() takes R_OK, W_OK, X_OK and nothing else", () => {
  const { fs } = make();
  fs.chmod("/f", 0o640);
  fs.access("/f", 0);
  fs.access("/f", 6);
  assertErrno("EACCES", () => fs.access("/f", 1));
  assertErrno("EINVAL", () => fs.access("/f", 8));
  fs.setCredentials({ uid: 3, gid: 3 });
  assertErrno("EACCES", () => fs.access("/f", 4));
});
