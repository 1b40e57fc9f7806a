import { assertEquals } from "@std/assert";
import { ModelVolume } from "../../support/model_volume.ts";
import { FakeKernel, OP, u32, u64 } from "./fake_kernel.ts";

const ENXIO = 6;
const EISDIR = 21;
const EINVAL = 22;
const EFBIG = 27;
const ENOTSUP = 95;

const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;
const COLLAPSE_RANGE = 8;
const ZERO_RANGE = 16;

function kernelWithFile() {
  const volume = new ModelVolume();
  const kernel = new FakeKernel(volume);
  kernel.init();
  return { volume, kernel, node: kernel.create("a").node };
}

Deno.test("read() and write() move bytes at positions", () => {
  const { kernel, node } = kernelWithFile();
  assertEquals(kernel.write(node, "hello world", 0), 11);
  assertEquals(kernel.write(node, "W", 6), 1);
  assertEquals(kernel.read(node, 5, 6), "World");
  assertEquals(kernel.read(node, 100, 6), "World");
  assertEquals(kernel.read(node, 100, 11), "");
  assertEquals(kernel.getattr(node).size, 11);
});

Deno.test("read() far past every file is its end, write() there is EFBIG", () => {
  const { kernel, node } = kernelWithFile();
  assertEquals(kernel.read(node, 10, 2n ** 62n), "");
  const body = [u64(0), u64(2n ** 62n), u32(1), u32(0), u64(0), u32(0), u32(0), new Uint8Array(1)];
  assertEquals(kernel.fails(OP.WRITE, { node, body }), EFBIG);
});

Deno.test("read() of a directory is EISDIR", () => {
  const { kernel } = kernelWithFile();
  const body = [u64(0), u64(0), u32(10), u32(0), u64(0), u32(0), u32(0)];
  assertEquals(kernel.fails(OP.READ, { node: 1, body }), EISDIR);
});

Deno.test("read() goes on after the last name is gone, until the kernel forgets", () => {
  const { volume, kernel, node } = kernelWithFile();
  kernel.write(node, "kept");
  volume.unlink(volume.root, "a");
  assertEquals(kernel.read(node, 10), "kept");
  kernel.forget(node, 1);
  assertEquals(volume.inodeCount, 1);
});

Deno.test("fsync() and sync() reach the volume, and sync() leaves nothing dirty", () => {
  const { volume, kernel, node } = kernelWithFile();
  kernel.write(node, "a");
  assertEquals(kernel.server.isDirty, true);
  kernel.ok(OP.FSYNC, { node, body: [u64(0), u32(0), u32(0)] });
  assertEquals([volume.calls.get("fsync"), kernel.server.isDirty], [1, true]);
  kernel.ok(OP.SYNCFS, { body: [u64(0)] });
  assertEquals([volume.calls.get("sync"), kernel.server.isDirty], [1, false]);
});

function allocation(mode: number, at: number | bigint, length: number) {
  return [u64(0), u64(at), u64(length), u32(mode), u32(0)];
}

function seekTo(whence: number, at: number | bigint) {
  return [u64(0), u64(at), u32(whence), u32(0)];
}

Deno.test("fallocate() owns, zeroes and gives back, with or without the size", () => {
  const { kernel, node } = kernelWithFile();
  kernel.server.sync();
  kernel.ok(OP.FALLOCATE, { node, body: allocation(KEEP_SIZE, 0, 8192) });
  assertEquals([kernel.getattr(node).size, kernel.server.isDirty], [0, true]);
  kernel.ok(OP.FALLOCATE, { node, body: allocation(0, 4096, 8192) });
  assertEquals(kernel.getattr(node).size, 12288);
  kernel.write(node, "x".repeat(12288));
  kernel.ok(OP.FALLOCATE, { node, body: allocation(PUNCH_HOLE | KEEP_SIZE, 1, 2) });
  kernel.ok(OP.FALLOCATE, { node, body: allocation(ZERO_RANGE, 4, 1) });
  assertEquals(kernel.read(node, 6), "x\0\0x\0x");
});

Deno.test("fallocate() is refused for other modes, for no length, and far out", () => {
  const { kernel, node } = kernelWithFile();
  const refused = (mode: number, at: number | bigint, length: number) =>
    kernel.fails(OP.FALLOCATE, { node, body: allocation(mode, at, length) });
  assertEquals(refused(COLLAPSE_RANGE, 0, 4096), ENOTSUP);
  assertEquals(refused(0, 0, 0), EINVAL);
  assertEquals(refused(0, 2n ** 62n, 1), EFBIG);
  assertEquals(kernel.fails(OP.FALLOCATE, { node: 1, body: allocation(0, 0, 1) }), EISDIR);
});

Deno.test("fallocate() by a user who is not root takes setuid away", () => {
  const { kernel } = kernelWithFile();
  for (const [uid, mode] of [[0, 0o104755], [1000, 0o100755]] as const) {
    const { node } = kernel.create(`suid${uid}`, { mode: 0o104755 });
    kernel.ok(OP.FALLOCATE, { node, uid, body: allocation(0, 0, 1) });
    assertEquals(kernel.getattr(node).mode, mode);
  }
});

/** The body of a copy from byte `at` to byte `to` of another file. */
function copyTo(node: number, at: number | bigint, to: number | bigint, length: number, flags = 0) {
  return [u64(0), u64(at), u64(node), u64(0), u64(to), u64(length), u64(flags)];
}

Deno.test("copyFileRange() copies between two files, and no byte passes the kernel", () => {
  const { volume, kernel, node } = kernelWithFile();
  const { node: other } = kernel.create("b");
  kernel.write(node, "hello world");
  kernel.server.sync();
  const [reads, writes] = [volume.calls.get("read"), volume.calls.get("write")];
  const copied = (at: number, to: number, length: number) =>
    kernel.ok(OP.COPY_FILE_RANGE, { node, body: copyTo(other, at, to, length) }).u32();
  assertEquals([copied(6, 1, 5), copied(6, 1, 100), copied(11, 0, 5)], [5, 5, 0]);
  assertEquals(kernel.server.isDirty, true);
  assertEquals([volume.calls.get("read"), volume.calls.get("write")], [reads, writes]);
  assertEquals(kernel.read(other, 10), "\0world");
});

Deno.test("copyFileRange() is refused onto itself, for flags, for directories, and far out", () => {
  const { kernel, node } = kernelWithFile();
  kernel.write(node, "hello world");
  const refused = (body: ReturnType<typeof copyTo>) =>
    kernel.fails(OP.COPY_FILE_RANGE, { node, body });
  assertEquals(refused(copyTo(node, 0, 1, 5)), EINVAL);
  assertEquals(refused(copyTo(node, 0, 50, 5, 1)), EINVAL);
  assertEquals(refused(copyTo(1, 0, 0, 5)), EISDIR);
  assertEquals(refused(copyTo(node, 2n ** 62n, 0, 5)), EFBIG);
  assertEquals(refused(copyTo(node, 0, 2n ** 62n, 5)), EFBIG);
});

Deno.test("copyFileRange() by a user who is not root takes setuid away", () => {
  const { kernel, node } = kernelWithFile();
  kernel.write(node, "x");
  for (const [uid, mode] of [[0, 0o104755], [1000, 0o100755]] as const) {
    const { node: target } = kernel.create(`suid${uid}`, { mode: 0o104755 });
    kernel.ok(OP.COPY_FILE_RANGE, { node, uid, body: copyTo(target, 0, 0, 1) });
    assertEquals(kernel.getattr(target).mode, mode);
  }
});

Deno.test("lseek() finds data and holes, and ENXIO where there is nothing", () => {
  const { kernel, node } = kernelWithFile();
  kernel.write(node, "x", 8192);
  const found = (whence: number, at: number) =>
    kernel.ok(OP.LSEEK, { node, body: seekTo(whence, at) }).u64();
  assertEquals([found(SEEK_DATA, 0), found(SEEK_HOLE, 0)], [8192, 0]);
  assertEquals(found(SEEK_HOLE, 8192), 8193);
  for (const at of [8193, 2n ** 62n]) {
    assertEquals(kernel.fails(OP.LSEEK, { node, body: seekTo(SEEK_DATA, at) }), ENXIO);
  }
  assertEquals(kernel.fails(OP.LSEEK, { node, body: seekTo(9, 0) }), EINVAL);
});

Deno.test("statfs() returns the volume's own numbers", () => {
  const { volume, kernel } = kernelWithFile();
  const { blocks, freeBlocks, inodes, freeInodes } = volume.statfs();
  const fields = kernel.ok(OP.STATFS);
  const counts = Array.from({ length: 5 }, () => fields.u64());
  assertEquals(counts, [
    blocks,
    freeBlocks,
    freeBlocks,
    inodes,
    freeInodes,
  ]);
  assertEquals([fields.u32(), fields.u32(), fields.u32(), fields.left], [4096, 255, 4096, 28]);
});
