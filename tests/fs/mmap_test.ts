/** Maps of files. */
import { assertEquals } from "@std/assert";
import { MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from "../../abi/flags.ts";
import { createFS } from "../../fs/create_fs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { assertErrno } from "../support/errno.ts";
import { ModelVolume } from "../support/model_volume.ts";

const BOTH = PROT_READ | PROT_WRITE;

function make(options = {}) {
  const fs = createFS(options);
  fs.writeFile("/f", "a".repeat(10_000));
  return { fs, stream: fs.open("/f", "r+") };
}

function byteAt(fs: ReturnType<typeof createFS>, at: number): string {
  return fs.readFile("/f", { encoding: "utf8" })[at]!;
}

Deno.test("shared maps of one file are one memory, whatever their ranges", () => {
  const { fs, stream } = make();
  const whole = fs.mmap(stream, 10_000, 0, BOTH, MAP_SHARED);
  const second = fs.mmap(fs.open("/f", "r+"), 4096, 4096, BOTH, MAP_SHARED);
  const far = fs.mmap(stream, 4096, 40_960, BOTH, MAP_SHARED);
  whole.bytes[5000] = 66;
  assertEquals(second.bytes[904], 66);
  second.bytes[0] = 67;
  assertEquals([whole.bytes[4096], far.bytes[0]], [67, 0]);
});

Deno.test("a shared map and read, write, truncate are coherent", () => {
  const { fs, stream } = make();
  const map = fs.mmap(stream, 10_000, 0, BOTH, MAP_SHARED);
  map.bytes[7] = 66;
  assertEquals(byteAt(fs, 7), "B");
  fs.write(stream, new Uint8Array([67]), 0, 1, 8);
  assertEquals(map.bytes[8], 67);
  fs.ftruncate(stream, 100);
  fs.ftruncate(stream, 10_000);
  assertEquals([map.bytes[99], map.bytes[100], byteAt(fs, 100)], [97, 0, "\0"]);
  map.bytes[9_999] = 68;
  fs.munmap(map);
  assertEquals([byteAt(fs, 9_999), fs.fstat(stream).size, fs.maps.size], ["D", 10_000, 0]);
});

Deno.test("a private map is a copy of what is seen, and writes nothing", () => {
  const { fs, stream } = make();
  const shared = fs.mmap(stream, 100, 0, BOTH, MAP_SHARED);
  shared.bytes[0] = 66;
  const map = fs.mmap(fs.open("/f", "r"), 100, 0, BOTH, MAP_PRIVATE);
  map.bytes[1] = 66;
  assertEquals([map.bytes[0], shared.bytes[1]], [66, 97]);
  fs.munmap(map);
  assertEquals([byteAt(fs, 0), byteAt(fs, 1)], ["B", "a"]);
});

Deno.test("a map holds its file, and munmap writes after close and unlink", () => {
  const { fs, stream } = make();
  const map = fs.mmap(stream, 100, 0, BOTH, MAP_SHARED);
  fs.link("/f", "/g");
  fs.close(stream);
  fs.unlink("/f");
  map.bytes[0] = 66;
  fs.munmap(map);
  assertEquals(fs.readFile("/g")[0], 66);
  assertErrno("EINVAL", () => fs.munmap(map));
});

Deno.test("a map never makes the file longer", () => {
  const { fs, stream } = make();
  const map = fs.mmap(stream, 12_288, 0, BOTH, MAP_SHARED);
  map.bytes[11_000] = 66;
  fs.munmap(map);
  assertEquals(fs.stat("/f").size, 10_000);
});

Deno.test("with an allocator maps are copies in the heap, which msync and munmap write back", () => {
  const heap = new Uint8Array(65_536);
  let next = 4096;
  const allocate = (sizeBytes: number) => {
    const ptr = next;
    next += Math.ceil(sizeBytes / 4096) * 4096;
    return { ptr, heap };
  };
  const { fs, stream } = make({ allocate });
  const map = fs.mmap(stream, 8192, 0, BOTH, MAP_SHARED);
  assertEquals([map.ptr, map.allocated, heap[4096]], [4096, true, 97]);
  heap[map.ptr] = 66;
  assertEquals(byteAt(fs, 0), "a");
  assertEquals(fs.msync(stream, heap.subarray(map.ptr), 0, 8192, MAP_SHARED), 0);
  assertEquals(byteAt(fs, 0), "B");
  heap[map.ptr + 1] = 67;
  fs.munmap(map.ptr);
  assertEquals(byteAt(fs, 1), "C");
});

Deno.test("msync() works after close, and does nothing for a private map", () => {
  const { fs, stream } = make();
  const bytes = new Uint8Array(10).fill(66);
  fs.close(stream);
  assertEquals(fs.msync(stream, bytes, 4, 10, MAP_SHARED), 0);
  assertEquals([byteAt(fs, 3), byteAt(fs, 4)], ["a", "B"]);
  fs.msync(stream, bytes.fill(67), 4, 10, MAP_PRIVATE);
  assertEquals(byteAt(fs, 4), "B");
});

Deno.test("mmap() refuses what cannot be mapped", () => {
  const { fs, stream } = make();
  const reader = fs.open("/f", "r");
  assertErrno("EACCES", () => fs.mmap(reader, 10, 0, BOTH, MAP_SHARED));
  assertErrno("EACCES", () => fs.mmap(fs.open("/f", 1), 10, 0, PROT_READ, MAP_PRIVATE));
  assertErrno("EINVAL", () => fs.mmap(stream, 0, 0, BOTH, MAP_SHARED));
  assertErrno("EINVAL", () => fs.mmap(stream, 10, 5, BOTH, MAP_SHARED));
  assertErrno("EINVAL", () => fs.mmap(stream, 10, 0, BOTH, 0));
  assertErrno("ENODEV", () => fs.mmap(fs.open("/tmp", "r"), 10, 0, PROT_READ, MAP_SHARED));
  assertErrno("ENOMEM", () => fs.mmap(stream, 2 ** 50, 0, BOTH, MAP_SHARED));
});

Deno.test("msync() and munmap() are ENOSPC when the device takes a part of the map only", () => {
  const volume = new ModelVolume();
  const fs = createFS({ root: { type: VOLUMEFS, options: { volume } } });
  fs.writeFile("/f", new Uint8Array(10_000));
  const stream = fs.open("/f", "r+");
  const map = fs.mmap(stream, 10_000, 0, 3, 1);
  map.bytes.fill(7);
  const write = volume.write.bind(volume);
  let left = 3000;
  volume.write = (ino, from, at) => {
    const count = write(ino, from.subarray(0, left), at);
    left -= count;
    return count;
  };
  assertErrno("ENOSPC", () => fs.msync(stream, map.bytes, 0, 10_000, 1));
  assertErrno("ENOSPC", () => fs.munmap(map));
  left = Infinity;
  fs.msync(stream, map.bytes, 0, 10_000, 1);
  assertEquals(fs.readFile("/f"), new Uint8Array(10_000).fill(7));
});
