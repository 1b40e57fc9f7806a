import { assertEquals } from "@std/assert";
import { ModelVolume } from "../../support/model_volume.ts";
import { FakeKernel, OP, u32, u64 } from "./fake_kernel.ts";

const EISDIR = 21;
const EFBIG = 27;

function kernelWithFile() {
  const volume = new ModelVolume();
  const kernel = new FakeKernel(volume, { spareBytes: () => 10 * 4096 + 1 });
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

Deno.test("read() far behind every file is its end, write() there is EFBIG", () => {
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

Deno.test("statfs() counts what the image may grow by as free", () => {
  const { volume, kernel } = kernelWithFile();
  const { blocks, freeBlocks, inodes, freeInodes } = volume.statfs();
  const fields = kernel.ok(OP.STATFS);
  const counts = Array.from({ length: 5 }, () => fields.u64());
  assertEquals(counts, [
    blocks + 10,
    freeBlocks + 10,
    freeBlocks + 10,
    inodes + 10,
    freeInodes + 10,
  ]);
  assertEquals([fields.u32(), fields.u32(), fields.u32(), fields.left], [4096, 255, 4096, 28]);
});
