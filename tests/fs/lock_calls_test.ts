/** Locks and fcntl. */
import { assertEquals } from "@std/assert";
import {
  F_RDLCK,
  F_UNLCK,
  F_WRLCK,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
  O_APPEND,
  O_CLOEXEC,
  O_RDONLY,
  O_WRONLY,
  SEEK_END,
  SEEK_SET,
} from "../../abi/flags.ts";
import * as fcntl from "../../abi/flags.ts";
import { createFS } from "../../fs/create_fs.ts";
import type { Flock } from "../../fs/lock_calls.ts";
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

Deno.test("fcntl() locks of one process never meet, and report nothing of themselves", () => {
  const { fs, one, two } = make();
  fs.fcntl(one, fcntl.F_SETLK, { type: F_WRLCK, start: 0, len: 5 });
  const asked = { type: F_WRLCK, start: 0, len: 0 };
  fs.fcntl(two, fcntl.F_GETLK, asked);
  assertEquals(asked.type, F_UNLCK);
  fs.fcntl(two, fcntl.F_SETLK, { type: F_WRLCK, start: 0, len: 0 });
});

Deno.test("fcntl() locks meet those of an open file description, and F_GETLK returns what is really in the way", () => {
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
