/** Locks, fcntl, poll, ioctl, space, entries. */
import { assert, assertEquals } from "@std/assert";
import {
  F_RDLCK,
  F_UNLCK,
  F_WRLCK,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
  O_APPEND,
  O_CLOEXEC,
  O_RDONLY,
  O_WRONLY,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  SEEK_END,
  SEEK_SET,
} from "../../abi/flags.ts";
import { createFS } from "../../fs/create_fs.ts";
import * as fcntl from "../../abi/flags.ts";
import type { Flock } from "../../fs/descriptor_calls.ts";
import { assertErrno } from "../support/errno.ts";

function make() {
  const fs = createFS();
  fs.writeFile("/f", "0123456789");
  return { fs, one: fs.open("/f", "r+"), two: fs.open("/f", "r+") };
}

Deno.test("flock() belongs to the description: shared by dup, let go by the last close", () => {
  const { fs, one, two } = make();
  fs.flock(one, LOCK_EX);
  assertErrno("EAGAIN", () => fs.flock(two, LOCK_SH | LOCK_NB));
  assertErrno("EDEADLK", () => fs.flock(two, LOCK_EX));
  const copy = fs.dup(one);
  fs.flock(copy, LOCK_SH);
  fs.flock(two, LOCK_SH | LOCK_NB);
  fs.flock(two, LOCK_UN);
  fs.close(one);
  assertErrno("EAGAIN", () => fs.flock(two, LOCK_EX | LOCK_NB));
  fs.close(copy);
  fs.flock(two, LOCK_EX | LOCK_NB);
  assertErrno("EINVAL", () => fs.flock(two, 0));
});

Deno.test("fcntl() locks of one process never meet, and tell nothing of themselves", () => {
  const { fs, one, two } = make();
  fs.fcntl(one, fcntl.F_SETLK, { type: F_WRLCK, start: 0, len: 5 });
  const asked = { type: F_WRLCK, start: 0, len: 0 };
  fs.fcntl(two, fcntl.F_GETLK, asked);
  assertEquals(asked.type, F_UNLCK);
  fs.fcntl(two, fcntl.F_SETLK, { type: F_WRLCK, start: 0, len: 0 });
});

Deno.test("fcntl() locks meet those of an open file description, and F_GETLK tells the truth", () => {
  const { fs, one, two } = make();
  fs.fcntl(one, fcntl.F_OFD_SETLK, { type: F_WRLCK, whence: SEEK_SET, start: 2, len: 3 });
  const asked = { type: F_RDLCK, whence: SEEK_END, start: -10, len: 0, pid: 0 };
  fs.fcntl(two, fcntl.F_GETLK, asked);
  assertEquals(asked, { type: F_WRLCK, whence: SEEK_SET, start: 2, len: 3, pid: -1 });
  const read = { type: F_RDLCK, start: 4, len: 1 };
  assertErrno("EAGAIN", () => fs.fcntl(two, fcntl.F_SETLK, read));
  assertErrno("EDEADLK", () => fs.fcntl(two, fcntl.F_SETLKW, read));
  assertErrno("EAGAIN", () => fs.fcntl(two, fcntl.F_OFD_SETLK, read));
  fs.fcntl(two, fcntl.F_SETLK, { type: F_WRLCK, start: 5, len: 0 });
  const other = { type: F_WRLCK, start: 100, len: 1, pid: 0 };
  fs.fcntl(one, fcntl.F_OFD_GETLK, other);
  assertEquals([other.start, (other as Flock).len, other.pid], [5, 0, 42]);
});

Deno.test("closing any descriptor of a file lets go of the process's locks on it", () => {
  const { fs, one, two } = make();
  fs.fcntl(one, fcntl.F_SETLK, { type: F_WRLCK, start: 0, len: 0 });
  fs.close(fs.open("/f", "r"));
  fs.fcntl(two, fcntl.F_OFD_SETLK, { type: F_WRLCK, start: 0, len: 0 });
  fs.close(fs.open("/f", "r"));
  assertErrno("EAGAIN", () => fs.fcntl(one, fcntl.F_SETLK, { type: F_RDLCK, start: 0, len: 0 }));
  fs.close(two);
  fs.fcntl(one, fcntl.F_SETLK, { type: F_RDLCK, start: 0, len: 0 });
});

Deno.test("fcntl() locks need a descriptor that reads or writes, and a range that is one", () => {
  const { fs, one } = make();
  const reader = fs.open("/f", O_RDONLY);
  const writer = fs.open("/f", O_WRONLY);
  const lock = (type: number, start = 0, len = 1) => ({ type, start, len });
  assertErrno("EBADF", () => fs.fcntl(reader, fcntl.F_SETLK, lock(F_WRLCK)));
  assertErrno("EBADF", () => fs.fcntl(writer, fcntl.F_SETLK, lock(F_RDLCK)));
  assertErrno("EINVAL", () => fs.fcntl(one, fcntl.F_SETLK, lock(F_WRLCK, -1)));
  assertErrno("EINVAL", () => fs.fcntl(one, fcntl.F_SETLK, lock(7)));
  assertErrno("EINVAL", () => fs.fcntl(one, fcntl.F_SETLK, 5));
  assertErrno("EINVAL", () => fs.fcntl(one, 999, 0));
  fs.fcntl(one, fcntl.F_SETLK, lock(F_WRLCK, 10, -4));
});

Deno.test("fcntl() duplicates, and keeps FD_CLOEXEC per descriptor and flags per description", () => {
  const { fs, one } = make();
  const fd = fs.fcntl(one, fcntl.F_DUPFD, 20);
  assertEquals(fd, 20);
  assertEquals(fs.fcntl(fs.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 0), fcntl.F_GETFD), 1);
  fs.fcntl(fd, fcntl.F_SETFD, 1);
  assertEquals([fs.fcntl(fd, fcntl.F_GETFD), fs.fcntl(one, fcntl.F_GETFD)], [1, 0]);
  fs.fcntl(fd, fcntl.F_SETFL, O_APPEND);
  assertEquals(fs.fcntl(one, fcntl.F_GETFL), 2 | O_APPEND);
  const closing = fs.open("/f", O_RDONLY | O_CLOEXEC);
  assertEquals([fs.fcntl(closing, fcntl.F_GETFD), fs.fcntl(closing, fcntl.F_GETFL)], [1, 0]);
});

Deno.test("poll() tells what each descriptor is ready for", () => {
  const { fs, one } = make();
  const [readable, writable] = fs.pipe();
  const ask = (fd: number, events: number) => ({ fd, events, revents: -1 });
  const entries = [
    ask(one.fd!, POLLIN | POLLOUT),
    ask(readable.fd!, POLLIN),
    ask(writable.fd!, POLLOUT),
    ask(77, POLLIN),
    ask(-1, POLLIN),
  ];
  assertEquals(fs.poll(entries), 3);
  assertEquals(entries.map((entry) => entry.revents), [5, 0, POLLOUT, POLLNVAL, 0]);
});

Deno.test("ioctl() of a file is ENOTTY, of a terminal its own", () => {
  const { fs, one } = make();
  assertErrno("ENOTTY", () => fs.ioctl(one, 0x5401));
  assertEquals(fs.ioctl(fs.open("/dev/tty", "r+"), 0x5401), 0);
});

Deno.test("allocate() and fallocate() own, keep the size, punch and zero", () => {
  const { fs, one } = make();
  fs.allocate(one, 5, 10);
  assertEquals(fs.fstat(one).size, 15);
  fs.fallocate(one, FALLOC_FL_KEEP_SIZE, 0, 100_000);
  assert(fs.fstat(one).size === 15 && fs.fstat(one).blocks * 512 >= 100_000);
  fs.fallocate(one, FALLOC_FL_ZERO_RANGE, 2, 3);
  fs.fallocate(one.fd!, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 7, 2);
  assertEquals(fs.readFile("/f", { encoding: "utf8" }).slice(0, 10), "01\0\0\x0056\0\x009");
  assertErrno("EINVAL", () => fs.allocate(one, 0, 0));
  assertErrno("EINVAL", () => fs.allocate(one, -1, 5));
  assertErrno("EFBIG", () => fs.allocate(one, 2 ** 53 - 1, 5));
  assertErrno("ENOTSUP", () => fs.fallocate(one, FALLOC_FL_PUNCH_HOLE, 0, 5));
  assertErrno("EBADF", () => fs.allocate(fs.open("/f", "r"), 0, 5));
  assertErrno("ENODEV", () => fs.allocate(fs.open("/dev/null", "r+"), 0, 5));
});

Deno.test("getdents() goes on where it stands, while the directory changes", () => {
  const { fs } = make();
  fs.mkdir("/d");
  for (let index = 0; index < 100; index++) fs.writeFile(`/d/f${index}`, "");
  const dir = fs.open("/d", "r");
  const first = fs.getdents(dir, 10);
  assertEquals(first.slice(0, 3).map(({ name }) => name), [".", "..", "f0"]);
  assertEquals([first[0]!.ino, first[1]!.ino], [fs.stat("/d").ino, fs.stat("/").ino]);
  for (let index = 0; index < 50; index++) fs.unlink(`/d/f${index}`);
  fs.writeFile("/d/new", "");
  const rest = fs.getdents(dir);
  assertEquals(rest.map(({ name }) => name), [
    ...Array.from({ length: 50 }, (_, index) => `f${index + 50}`),
    "new",
  ]);
  assertEquals(fs.getdents(dir), []);
  fs.llseek(dir, rest[3]!.cursor, SEEK_SET);
  assertEquals(fs.getdents(dir, 1)[0]?.name, "f54");
  assertErrno("ENOTDIR", () => fs.getdents(fs.open("/f", "r")));
});
