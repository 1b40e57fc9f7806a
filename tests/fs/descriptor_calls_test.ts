/** Calls by descriptor: dup, flags, poll, ioctl, entries. */
import { assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import {
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_SYNC,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  SEEK_SET,
} from "../../abi/flags.ts";
import { createFS } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";
import { assertErrno } from "../support/errno.ts";

function make(): FS {
  const fs = createFS();
  fs.writeFile("/f", "0123456789");
  return fs;
}

Deno.test("poll() says what each descriptor is ready for", () => {
  const fs = make();
  const one = fs.open("/f", "r+");
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
  const fs = make();
  const one = fs.open("/f", "r+");
  assertErrno("ENOTTY", () => fs.ioctl(one, 0x5401));
  assertEquals(fs.ioctl(fs.open("/dev/tty", "r+"), 0x5401), 0);
});

Deno.test("getdents() goes on where it stands, while the directory changes", () => {
  const fs = make();
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

Deno.test("dup() shares position and flags, a second open does not", () => {
  const fs = make();
  const one = fs.open("/f", "r+");
  const two = fs.dup(one);
  const other = fs.open("/f", "r+");
  assertNotStrictEquals(one, two);
  fs.read(one, new Uint8Array(3), 0, 3);
  assertEquals([two.position, other.position], [3, 0]);
  fs.setFlags(two, O_APPEND | O_NONBLOCK);
  assertEquals(fs.getFlags(one), O_RDWR | O_APPEND | O_NONBLOCK);
  fs.close(one);
  assertEquals(fs.read(two, new Uint8Array(3), 0, 3), 3);
  assertEquals(fs.dup(two, 10).fd, 10);
  assertErrno("EINVAL", () => fs.dup(two, -1));
});

Deno.test("dup2() closes what was there, dup3() refuses itself", () => {
  const fs = make();
  const one = fs.open("/f", "r");
  const two = fs.open("/tmp", "r");
  const copy = fs.dup2(one, two.fd!);
  assertEquals([copy.fd, two.fd, copy.node.name], [1, null, "f"]);
  assertStrictEquals(fs.dup2(one, 0), one);
  assertErrno("EINVAL", () => fs.dup3(one, 0));
  assertErrno("EBADF", () => fs.dup2(one, -1));
  assertErrno("EBADF", () => fs.dup2(one, 4096));
  assertErrno("EBADF", () => fs.dup2(77, 5));
  assertEquals(fs.fcntl(fs.dup3(one, 9, O_CLOEXEC), 1), 1);
});

Deno.test("ftruncate() needs a descriptor that writes, fchdir() a directory", () => {
  const fs = make();
  assertErrno("EINVAL", () => fs.ftruncate(fs.open("/f", O_RDONLY).fd!, 1));
  assertErrno("EINVAL", () => fs.ftruncate(fs.open("/f", O_RDWR).fd!, -1));
  assertErrno("EBADF", () => fs.ftruncate(99, 1));
  fs.fchdir(fs.open("/tmp", "r").fd!);
  assertEquals(fs.cwd(), "/tmp");
  assertErrno("ENOTDIR", () => fs.fchdir(0));
});

Deno.test("setFlags() leaves the access mode and what only open looks at alone", () => {
  const fs = make();
  const stream = fs.open("/f", "r");
  fs.setFlags(stream, O_RDWR | O_APPEND | O_CREAT | O_SYNC);
  assertEquals(stream.flags, O_RDONLY | O_APPEND);
  assertErrno("EBADF", () => fs.write(stream, new Uint8Array(1), 0, 1));
});
