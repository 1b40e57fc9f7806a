/** Open files. */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  O_APPEND,
  O_CREAT,
  O_DSYNC,
  O_PATH,
  O_RDWR,
  O_SYNC,
  O_WRONLY,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
} from "../../abi/flags.ts";
import type { StreamOps } from "../../abi/node.ts";
import { createFS } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";
import { assertErrno } from "../support/errno.ts";

const text = (value: string) => new TextEncoder().encode(value);

function make(): FS {
  const fs = createFS();
  fs.writeFile("/f", "0123456789");
  return fs;
}

function read(fs: FS, path: string): string {
  return fs.readFile(path, { encoding: "utf8" });
}

Deno.test("write() puts any view's own bytes, at its offset", () => {
  const fs = make();
  const stream = fs.open("/w", "w");
  const words = new Uint16Array([0x4241, 0x4443, 0x4645]);
  const heap = new Int8Array(new SharedArrayBuffer(8));
  heap.set(text("abcdefgh"));
  assertEquals(fs.write(stream, words.subarray(1), 0, 4), 4);
  assertEquals(fs.write(stream, heap, 2, 3), 3);
  assertEquals(fs.write(stream, new DataView(words.buffer, 1, 2), 0, 2), 2);
  assertEquals(read(fs, "/w"), "CDEFcdeBC");
});

Deno.test("write() with a position leaves the stream's own, canOwn changes nothing", () => {
  const fs = make();
  const stream = fs.open("/f", "r+");
  const bytes = text("xy");
  assertEquals(fs.write(stream, bytes, 0, 2, 4, true), 2);
  bytes.fill(0);
  assertEquals([read(fs, "/f"), stream.position], ["0123xy6789", 0]);
  fs.write(stream, text("ab"), 0, 2);
  assertEquals(stream.position, 2);
});

Deno.test("write() with O_APPEND goes to the end, pwrite too", () => {
  const fs = make();
  const one = fs.open("/f", "a+");
  const other = fs.open("/f", O_WRONLY | O_APPEND);
  fs.write(one, text("A"), 0, 1);
  fs.write(other, text("B"), 0, 1);
  fs.write(one, text("C"), 0, 1, 0);
  assertEquals([read(fs, "/f"), one.position], ["0123456789ABC", 11]);
  fs.write(one, text("D"), 0, 1);
  assertEquals(one.position, 14);
});

Deno.test("write() and read() refuse what makes no sense", () => {
  const fs = make();
  const reader = fs.open("/f", "r");
  const writer = fs.open("/f", O_WRONLY);
  const directory = fs.open("/tmp", "r");
  const bytes = new Uint8Array(4);
  assertErrno("EBADF", () => fs.write(reader, bytes, 0, 1));
  assertErrno("EBADF", () => fs.read(writer, bytes, 0, 1));
  assertErrno("EISDIR", () => fs.read(directory, bytes, 0, 1));
  assertErrno("EINVAL", () => fs.read(reader, bytes, 0, 5));
  assertErrno("EINVAL", () => fs.read(reader, bytes, 3, 2));
  assertErrno("EINVAL", () => fs.read(reader, bytes, -1, 1));
  assertErrno("EINVAL", () => fs.read(reader, bytes, 0, 1, -1));
  assertErrno("EFBIG", () => fs.write(writer, bytes, 0, 4, 2 ** 53 - 2));
  assertErrno("EBADF", () => fs.read({ fd: 0 } as never, bytes, 0, 1));
  fs.close(reader);
  assertErrno("EBADF", () => fs.read(reader, bytes, 0, 1));
  assertErrno("EBADF", () => fs.close(reader));
});

Deno.test("a descriptor holds the inode: after unlink and after rename-over", () => {
  const fs = make();
  fs.writeFile("/g", "other");
  const stream = fs.open("/f", "r+");
  fs.rename("/g", "/f");
  fs.write(stream, text("kept"), 0, 4);
  fs.ftruncate(stream, 6);
  fs.fchmod(stream, 0o600);
  fs.fchown(stream, 3, 4);
  fs.futimens(stream, [1, 0], [2, 0]);
  const { nlink, size, mode, uid, gid, atimeMs, mtimeMs } = fs.fstat(stream.fd!);
  assertEquals([nlink, size, mode & 0o777, uid, gid, atimeMs, mtimeMs], [
    0,
    6,
    0o600,
    3,
    4,
    1000,
    2000,
  ]);
  assertEquals(read(fs, `/proc/self/fd/${stream.fd}`), "kept45");
  assertEquals(read(fs, "/f"), "other");
});

Deno.test("llseek() moves, and finds data and holes", () => {
  const fs = make();
  const stream = fs.open("/f", "r+");
  assertEquals(fs.llseek(stream, 4, SEEK_SET), 4);
  assertEquals(fs.llseek(stream, -2, SEEK_CUR), 2);
  assertEquals(fs.llseek(stream, 5, SEEK_END), 15);
  assertErrno("EINVAL", () => fs.llseek(stream, -1, SEEK_SET));
  assertErrno("EINVAL", () => fs.llseek(stream, 0, 9));
  assertErrno("EINVAL", () => fs.llseek(stream, 0.5, SEEK_SET));
  assertEquals(stream.position, 15);
  fs.ftruncate(stream, 4 * 65536);
  fs.write(stream, text("x"), 0, 1, 3 * 65536);
  assertEquals(fs.llseek(stream, 0, SEEK_DATA), 0);
  const hole = fs.llseek(stream, 0, SEEK_HOLE);
  assert(hole >= 10 && hole <= 3 * 65536);
  const data = fs.llseek(stream, hole, SEEK_DATA);
  assert(data > hole && data <= 3 * 65536);
  assertErrno("ENXIO", () => fs.llseek(stream, 4 * 65536, SEEK_DATA));
});

Deno.test("llseek() of a pipe or a terminal is ESPIPE", () => {
  const fs = make();
  const [readable] = fs.pipe();
  assertErrno("ESPIPE", () => fs.llseek(readable, 0, SEEK_SET));
  assertErrno("ESPIPE", () => fs.llseek(fs.open("/dev/tty", "r"), 0, SEEK_SET));
  assertErrno("ESPIPE", () => fs.read(readable, new Uint8Array(1), 0, 1, 0));
});

/** Ops that note what happens and do nothing. */
function noted(calls: string[]): StreamOps {
  return {
    open: () => void calls.push("open"),
    close: () => void calls.push("close"),
    fsync: () => void calls.push("fsync"),
    read: () => 0,
    write: (_stream, _buffer, _offset, length) => length,
  };
}

Deno.test("the backend's open and close are called once per description", () => {
  const fs = make();
  const calls: string[] = [];
  fs.registerDevice(0x4200, noted(calls));
  fs.mknod("/device", 0o020666, 0x4200);
  const one = fs.open("/device", "r+");
  const two = fs.dup(one);
  fs.close(one);
  assertEquals(calls, ["open"]);
  fs.close(two);
  assertEquals(calls, ["open", "close"]);
});

Deno.test("O_SYNC and O_DSYNC make each write durable, fsync() when asked", () => {
  const fs = make();
  const calls: string[] = [];
  fs.registerDevice(0x4200, noted(calls));
  fs.mknod("/device", 0o020666, 0x4200);
  for (const flags of [O_SYNC, O_DSYNC]) {
    const stream = fs.open("/device", O_WRONLY | flags);
    fs.write(stream, text("x"), 0, 1);
    fs.write(stream, text("x"), 0, 0);
    fs.close(stream);
  }
  assertEquals(calls, ["open", "fsync", "close", "open", "fsync", "close"]);
  const plain = fs.open("/device", O_WRONLY);
  fs.write(plain, text("x"), 0, 1);
  fs.fsync(plain);
  fs.fdatasync(plain.fd!);
  assertEquals(calls.slice(6), ["open", "fsync", "fsync"]);
});

Deno.test("a stream opened with O_PATH stats and starts walks, and nothing else", () => {
  const fs = make();
  fs.chmod("/f", 0);
  fs.setCredentials({ uid: 5 });
  const stream = fs.open("/f", O_PATH);
  assertEquals(fs.fstat(stream).size, 10);
  for (
    const call of [
      () => fs.read(stream, new Uint8Array(1), 0, 1),
      () => fs.fchmod(stream, 0o777),
      () => fs.ftruncate(stream, 0),
      () => fs.llseek(stream, 0, 0),
      () => fs.fsync(stream),
      () => fs.getdents(stream),
    ]
  ) assertErrno("EBADF", call);
});

Deno.test("open() takes the lowest descriptor, EMFILE leaves no trace", () => {
  const fs = createFS({ maxOpenFds: 2 });
  const first = fs.open("/a", O_CREAT | O_RDWR);
  assertEquals([first.fd, fs.open("/b", O_CREAT | O_RDWR).fd], [0, 1]);
  assertErrno("EMFILE", () => fs.open("/c", O_CREAT | O_RDWR));
  assertErrno("ENOENT", () => fs.stat("/c"));
  assertEquals(fs.MAX_OPEN_FDS, 2);
  fs.close(first);
  assertEquals([fs.isClosed(first), fs.nextfd()], [true, 0]);
  assertEquals([fs.getStream(0), fs.getStream(1)?.path], [null, "/b"]);
  assertErrno("EBADF", () => fs.getStreamChecked(0));
});

Deno.test("reopen() has a position of its own, asks for permission, and needs no name", () => {
  const fs = make();
  const stream = fs.open("/f", "r");
  fs.read(stream, new Uint8Array(4), 0, 4);
  fs.unlink("/f");
  const again = fs.reopen(stream.fd!, "r+");
  assertEquals([again.position, again.isWrite, stream.position], [0, true, 4]);
  assertStrictEquals(again.node, stream.node);
  fs.fchmod(stream, 0o400);
  fs.setCredentials({ uid: 7 });
  assertErrno("EACCES", () => fs.reopen(stream, "r"));
  assertErrno("EBADF", () => fs.reopen(999, "r"));
  assertErrno("EINVAL", () => fs.reopen(stream, 3));
});
