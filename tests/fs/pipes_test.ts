/** Pipes with and without a name. */
import { assertEquals } from "@std/assert";
import {
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
} from "../../abi/flags.ts";
import type { FSStream } from "../../abi/node.ts";
import { createFS } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";
import { PIPE_BUF, PIPE_SIZE } from "../../fs/pipes.ts";
import { assertErrno } from "../support/errno.ts";

function send(fs: FS, stream: FSStream, length: number, fill = 65): number {
  return fs.write(stream, new Uint8Array(length).fill(fill), 0, length);
}

function receive(fs: FS, stream: FSStream, length: number): number[] {
  const bytes = new Uint8Array(length);
  return [...bytes.subarray(0, fs.read(stream, bytes, 0, length))];
}

function readiness(fs: FS, stream: FSStream): number {
  const entry = { fd: stream.fd!, events: POLLIN | POLLOUT, revents: 0 };
  fs.poll([entry]);
  return entry.revents;
}

Deno.test("pipe() gives what was written, in order, and the end when the writer is gone", () => {
  const fs = createFS();
  const [readable, writable] = fs.pipe();
  assertErrno("EAGAIN", () => receive(fs, readable, 5));
  send(fs, writable, 2, 1);
  send(fs, writable, 2, 2);
  assertEquals(receive(fs, readable, 3), [1, 1, 2]);
  fs.close(writable);
  assertEquals([receive(fs, readable, 3), receive(fs, readable, 3)], [[2], []]);
});

Deno.test("pipe() is EPIPE without a reader, and never a longer write than fits", () => {
  const fs = createFS();
  const [readable, writable] = fs.pipe();
  assertEquals(send(fs, writable, PIPE_SIZE + 10), PIPE_SIZE);
  assertErrno("EAGAIN", () => send(fs, writable, 1));
  receive(fs, readable, 100);
  assertErrno("EAGAIN", () => send(fs, writable, 101));
  assertEquals(send(fs, writable, PIPE_BUF + 1), 100);
  fs.close(readable);
  assertErrno("EPIPE", () => send(fs, writable, 1));
});

Deno.test("a pipe goes round its ring without loss", () => {
  const fs = createFS();
  const [readable, writable] = fs.pipe();
  let [wrote, got] = [0, 0];
  for (let round = 0; round < 50; round++) {
    const bytes = Uint8Array.from({ length: 3000 }, () => wrote++ & 255);
    fs.write(writable, bytes, 0, bytes.length);
    for (const byte of receive(fs, readable, 3000)) assertEquals(byte, got++ & 255);
  }
  assertEquals(got, wrote);
});

Deno.test("a FIFO of any backend is one pipe for all its openings and names", () => {
  const fs = createFS();
  fs.mknod("/tmp/fifo", 0o010600, 0);
  fs.link("/tmp/fifo", "/tmp/other");
  assertErrno("ENXIO", () => fs.open("/tmp/fifo", O_WRONLY | O_NONBLOCK));
  const reader = fs.open("/tmp/fifo", O_RDONLY | O_NONBLOCK);
  const writer = fs.open("/tmp/other", O_WRONLY | O_NONBLOCK);
  send(fs, writer, 3, 9);
  assertEquals(receive(fs, reader, 9), [9, 9, 9]);
  fs.close(reader);
  fs.close(writer);
  const both = fs.open("/tmp/fifo", O_RDWR);
  send(fs, both, 1, 4);
  assertEquals(receive(fs, both, 9), [4]);
  assertEquals(fs.fstat(both).size, 0);
});

Deno.test("what is left in a FIFO goes with its last descriptor", () => {
  const fs = createFS();
  fs.mknod("/fifo", 0o010600, 0);
  const both = fs.open("/fifo", O_RDWR);
  send(fs, both, 5);
  fs.close(both);
  assertEquals(receive(fs, fs.open("/fifo", O_RDONLY | O_NONBLOCK), 5), []);
});

Deno.test("poll() of a pipe reports data, room, hang-up and error", () => {
  const fs = createFS();
  const [readable, writable] = fs.pipe();
  assertEquals([readiness(fs, readable), readiness(fs, writable)], [0, POLLOUT]);
  send(fs, writable, PIPE_SIZE);
  assertEquals([readiness(fs, readable), readiness(fs, writable)], [POLLIN, 0]);
  const copy = fs.dup(writable);
  fs.close(writable);
  assertEquals(readiness(fs, readable), POLLIN);
  fs.close(copy);
  assertEquals(readiness(fs, readable), POLLIN | POLLHUP);
  const [other, left] = fs.pipe();
  fs.close(other);
  assertEquals(readiness(fs, left), POLLERR);
});

Deno.test("pipe() is a FIFO to fstat, with an inode of its own, and takes two descriptors", () => {
  const fs = createFS({ maxOpenFds: 3 });
  const [readable, writable] = fs.pipe();
  assertEquals([readable.fd, writable.fd], [0, 1]);
  assertEquals(fs.fstat(readable).mode & 0o170000, 0o010000);
  assertEquals(fs.fstat(readable).ino, fs.fstat(writable).ino);
  assertErrno("EMFILE", () => fs.pipe());
  assertEquals(fs.nextfd(), 2);
  assertErrno("EINVAL", () => fs.pipe(1));
});
