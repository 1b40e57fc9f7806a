import { assert, assertEquals } from "@std/assert";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  O_NOATIME,
  O_RDWR,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
} from "../../abi/flags.ts";
import { S_IFREG } from "../../abi/mode.ts";
import type { FSStream } from "../../abi/node.ts";
import { type MemfsInode, type MemfsOptions, mountMemfs } from "../../node_ops/memfs.ts";
import { MAX_FILE_BYTES, memfsFileOps } from "../../stream_ops/memfs.ts";
import { attach, attachRoot, openBare } from "../support/bare_mount.ts";
import { assertErrno } from "../support/errno.ts";

type Stream = FSStream<MemfsInode>;

const { read, write, append, llseek, allocate, close } = memfsFileOps;
const DAY_MS = 86_400_000;
let now = 0;

function open(options: MemfsOptions = {}, flags = O_RDWR, readOnly = false): Stream {
  now = 1e6;
  const root = attachRoot(mountMemfs({ clock: () => now, ...options }), readOnly);
  const node = root.node_ops.mknod!(root, "f", S_IFREG | 0o644, 0, { uid: 0, gid: 0 });
  return openBare(attach(root, "f", node), flags);
}

function put(stream: Stream, position: number, length: number, byte = 1): number {
  return write!(stream, new Uint8Array(length).fill(byte), 0, length, position);
}

function get(stream: Stream, position: number, length: number): number[] {
  const into = new Uint8Array(length);
  return [...into.subarray(0, read!(stream, into, 0, length, position))];
}

function sizes(stream: Stream): [number, number] {
  const { size, blocks } = stream.node.node_ops.getattr(stream.node);
  return [size, blocks];
}

Deno.test("memfsFileOps.write() takes its part of the buffer, from shared memory too", () => {
  const stream = open();
  for (const bytes of [new Uint8Array(100), new Uint8Array(new SharedArrayBuffer(100))]) {
    for (let index = 0; index < 100; index++) bytes[index] = index;
    assertEquals(write!(stream, bytes, 10, 80, 5), 80);
    assertEquals(get(stream, 4, 3), [0, 10, 11]);
    assertEquals(sizes(stream)[0], 85);
  }
});

Deno.test("memfsFileOps.write() moves mtime and ctime, nothing of nothing moves nothing", () => {
  const stream = open();
  const inode = stream.node.data;
  now += 5;
  assertEquals(put(stream, 1000, 0), 0);
  assertEquals([inode.mtime, sizes(stream)], [1e6, [0, 0]]);
  put(stream, 0, 1);
  assertEquals([inode.mtime, inode.ctime, inode.atime], [now, now, 1e6]);
});

Deno.test("memfsFileOps.write() is EFBIG at the longest length and short before it", () => {
  const stream = open();
  assertErrno("EFBIG", () => put(stream, MAX_FILE_BYTES, 1));
  assertEquals(put(stream, MAX_FILE_BYTES - 2, 10), 2);
  assertEquals(sizes(stream), [MAX_FILE_BYTES, 8]);
});

Deno.test("memfsFileOps.write() is short, then ENOSPC, on a full mount", () => {
  const stream = open({ maxBytes: 8192 });
  assertEquals(put(stream, 0, 10_000), 8192);
  assertErrno("ENOSPC", () => put(stream, 8192, 1));
  assertEquals(put(stream, 100, 10), 10);
});

Deno.test("memfsFileOps.append() writes at the end, is short, then ENOSPC, on a full mount", () => {
  const stream = open({ maxBytes: 8192 });
  const bytes = new Uint8Array(5000).fill(3);
  assertEquals(append!(stream, bytes, 0, 5000), { at: 0, count: 5000 });
  assertEquals(append!(stream, bytes, 0, 5000), { at: 5000, count: 3192 });
  assertEquals(sizes(stream), [8192, 16]);
  assertErrno("ENOSPC", () => append!(stream, bytes, 0, 5000));
  assertEquals(append!(stream, bytes, 0, 0), { at: 8192, count: 0 });
});

Deno.test("memfsFileOps.llseek() finds data and holes", () => {
  const stream = open();
  put(stream, 100_000, 10);
  stream.node.node_ops.setattr!(stream.node, { size: 200_000 });
  assertEquals(llseek!(stream, 0, SEEK_DATA), 98304);
  assertEquals(llseek!(stream, 98304, SEEK_HOLE), 102400);
  assertEquals(llseek!(stream, 5, SEEK_HOLE), 5);
  assertErrno("ENXIO", () => llseek!(stream, 102400, SEEK_DATA));
  assertErrno("ENXIO", () => llseek!(stream, 200_000, SEEK_HOLE));
  assertErrno("ENXIO", () => llseek!(stream, -1, SEEK_HOLE));
});

Deno.test("memfsFileOps.llseek() counts from the start, here, the end", () => {
  const stream = open();
  put(stream, 0, 10);
  stream.position = 4;
  assertEquals(llseek!(stream, 3, SEEK_SET), 3);
  assertEquals(llseek!(stream, 3, SEEK_CUR), 7);
  assertEquals(llseek!(stream, -3, SEEK_END), 7);
  assertErrno("EINVAL", () => llseek!(stream, -11, SEEK_END));
  assertErrno("EINVAL", () => llseek!(stream, 0, 9));
  assertErrno("EOVERFLOW", () => llseek!(stream, MAX_FILE_BYTES, SEEK_END));
});

Deno.test("memfsFileOps.allocate() owns, keeps the size, punches, zeroes", () => {
  const stream = open({ maxBytes: 2 ** 20 });
  allocate!(stream, 0, 0, 10_000);
  assertEquals(sizes(stream), [10_000, 24]);
  put(stream, 0, 10_000, 7);
  allocate!(stream, FALLOC_FL_KEEP_SIZE, 0, 20_000);
  assertEquals(sizes(stream), [10_000, 40]);
  allocate!(stream, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4097);
  assertEquals(sizes(stream), [10_000, 32]);
  assertEquals(get(stream, 4095, 2), [7, 0]);
  assertEquals(get(stream, 8192, 2), [0, 7]);
  allocate!(stream, FALLOC_FL_ZERO_RANGE, 9_000, 2_000);
  assertEquals(sizes(stream), [11_000, 32]);
  assertEquals(get(stream, 8999, 2), [7, 0]);
});

Deno.test("memfsFileOps.allocate() fails whole", () => {
  const stream = open({ maxBytes: 2 ** 20 });
  assertErrno("ENOSPC", () => allocate!(stream, 0, 0, 2 ** 20 + 1));
  assertErrno("ENOSPC", () => allocate!(stream, 0, 0, 2 ** 50));
  assertErrno("EFBIG", () => allocate!(stream, 0, MAX_FILE_BYTES, 1));
  assertErrno("ENOTSUP", () => allocate!(stream, FALLOC_FL_PUNCH_HOLE, 0, 1));
  assertErrno("ENOTSUP", () => allocate!(stream, 8, 0, 1));
  assertEquals(sizes(stream), [0, 0]);
});

Deno.test("memfsFileOps.read() moves atime after a change or a day, unless asked not to", () => {
  const stream = open();
  const inode = stream.node.data;
  put(stream, 0, 1);
  now += 10;
  get(stream, 0, 1);
  assertEquals(inode.atime, 1e6 + 10);
  now += 10;
  get(stream, 0, 1);
  assertEquals(inode.atime, 1e6 + 10);
  now += DAY_MS;
  openBare(stream.node);
  get(stream, 0, 1);
  assertEquals(inode.atime, now);
  stream.flags |= O_NOATIME;
  put(stream, 0, 1);
  now += 10;
  get(stream, 0, 1);
  assertEquals(inode.atime, now - 10);
});

Deno.test("memfsFileOps.read() heeds the atime policy and a read-only mount", () => {
  const cases = [["strictatime", false, 3], ["noatime", false, 0], ["relatime", true, 0]] as const;
  for (const [atime, readOnly, moved] of cases) {
    const stream = open({ atime }, O_RDWR, readOnly);
    put(stream, 0, 1);
    for (let count = 0; count < 3; count++) {
      now++;
      get(stream, 0, 1);
    }
    assertEquals(stream.node.data.atime, 1e6 + moved, atime);
  }
});

Deno.test("memfsFileOps.close() of the last description frees what has no name", () => {
  const stream = open();
  put(stream, 0, 100);
  const { data } = stream.node;
  const other = openBare(stream.node);
  data.nlink = 0;
  close!(stream);
  assert(data.store.pool.usedBytes > 0);
  close!(other);
  assertEquals(data.store.pool.usedBytes, 0);
});
