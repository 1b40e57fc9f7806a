/** Open files of a volume in a module: bytes, positions, maps, and inodes that live while open. */
import { assert, assertEquals } from "@std/assert";
import { ErrnoError } from "../../../mod.ts";
import { codeFrom, get, HOSTS, NEWEST, put, STOCK, testOn } from "./hosts.ts";

const MAP_SHARED = 1;
const MAP_PRIVATE = 2;

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

testOn(HOSTS, "read() and write() take the module's Int8Array at an offset", ({ FS }) => {
  const heap = new Int8Array(100);
  heap.set(bytes("--hello--"), 10);
  const stream = FS.open("/data/a", 0o102, 0o644);
  assertEquals(FS.write(stream, heap, 12, 5), 5);
  assertEquals(FS.read(stream, heap, 50, 10, 1), 4);
  assertEquals(heap.slice(50, 55), new Int8Array([...bytes("ello"), 0]));
  assertEquals(FS.read(stream, heap, 50, 10), 0, "the stream is at the end");
  FS.close(stream);
});

testOn(HOSTS, "write() takes plain arrays and views of larger elements", ({ FS }) => {
  const stream = FS.open("/data/a", 0o102, 0o644);
  assertEquals(FS.write(stream, [...bytes("-plain")], 1, 5), 5);
  assertEquals(FS.write(stream, new Uint16Array([0x4241, 0x4443]), 0, 4), 4);
  FS.close(stream);
  assertEquals(get(FS, "/data/a"), "plainABCD");
});

testOn(HOSTS, "read() and write() count from where a view begins", ({ FS }) => {
  const buffer = new Uint8Array(bytes("--view--"));
  const view = buffer.subarray(1, 7);
  const stream = FS.open("/data/a", 0o102, 0o644);
  FS.write(stream, view, 1, 4);
  FS.read(stream, view, 2, 2, 0);
  FS.close(stream);
  assertEquals(get(FS, "/data/a"), "view");
  assertEquals(new TextDecoder().decode(buffer), "--vviw--");
});

testOn(HOSTS, "a range outside the buffer is EINVAL, not the program's end", ({ FS }) => {
  const stream = FS.open("/data/a", 0o102, 0o644);
  assertEquals(codeFrom(FS, () => FS.write(stream, new Int8Array(10), 0, 2 ** 40)), "EINVAL");
  assertEquals(codeFrom(FS, () => FS.write(stream, new Int8Array(10), -1, 2)), "EINVAL");
  assertEquals(codeFrom(FS, () => FS.read(stream, new Int8Array(10), 5, 10)), "EINVAL");
  FS.close(stream);
  assertEquals(FS.stat("/data/a").size, 0);
});

for (const path of ["/data/a", "/of the module itself"]) {
  const hosts = path.startsWith("/data/") ? HOSTS : [STOCK];
  testOn(hosts, `write() to ${path} of more than the buffer has pads`, ({ FS }) => {
    const stream = FS.open(path, 0o102, 0o644);
    const buffer = new Uint8Array(10).fill(65);
    assertEquals(FS.write(stream, buffer, 0, 12), 12);
    assertEquals(FS.write(stream, buffer, 8, 4), 4);
    FS.close(stream);
    assertEquals(get(FS, path), "AAAAAAAAAA\0\0AA\0\0");
  });
}

testOn(HOSTS, "llseek() knows three origins and no place below 0", ({ FS }) => {
  put(FS, "/data/a", "0123456789");
  const stream = FS.open("/data/a", 0);
  assertEquals([FS.llseek(stream, 4, 0), FS.llseek(stream, 2, 1)], [4, 6]);
  assertEquals(FS.llseek(stream, -3, 2), 7);
  assertEquals(codeFrom(FS, () => FS.llseek(stream, -1, 0)), "EINVAL");
  FS.close(stream);
});

testOn(HOSTS, "O_APPEND writes at the end that the volume finds", ({ FS, volume }) => {
  put(FS, "/data/a", "one ");
  const ino = volume.lookup(volume.root, "a");
  const stream = FS.open("/data/a", 0o2001);
  volume.append(ino, bytes("two "));
  FS.write(stream, bytes("three "), 0, 6);
  assertEquals(stream.position, 14);
  FS.write(stream, bytes("four"), 0, 4, 0);
  FS.close(stream);
  assertEquals(get(FS, "/data/a"), "one two three four");
});

testOn(
  HOSTS,
  "after an append the position is after what others wrote before it",
  ({ FS, volume }) => {
    const stream = FS.open("/data/a", 0o2101, 0o644);
    const { append } = volume;
    volume.append = (ino, from) => {
      append.call(volume, ino, bytes("somebody else's, "));
      return append.call(volume, ino, from);
    };
    FS.write(stream, bytes("ours"), 0, 4);
    assertEquals(stream.position, 21);
    FS.close(stream);
  },
);

testOn(HOSTS, "O_DSYNC makes each write durable, others none", ({ FS, volume }) => {
  const plain = FS.open("/data/a", 0o101, 0o644);
  FS.write(plain, bytes("x"), 0, 1);
  assertEquals(volume.calls.get("fsync"), undefined);
  FS.close(plain);
  const durable = FS.open("/data/a", 0o10001);
  FS.write(durable, bytes("x"), 0, 1);
  FS.write(durable, bytes("x"), 0, 1);
  FS.close(durable);
  assertEquals(volume.calls.get("fsync"), 2);
});

testOn(HOSTS, "fsync() reaches the volume and returns 0", ({ FS, volume }) => {
  const stream = FS.open("/data/a", 0o101, 0o644);
  assertEquals(stream.stream_ops.fsync(stream), 0);
  FS.close(stream);
  assertEquals(volume.calls.get("fsync"), 1);
});

testOn(HOSTS, "an unlinked file lives until its last descriptor is closed", ({ FS, volume }) => {
  put(FS, "/data/a", "still here");
  const ino = volume.lookup(volume.root, "a");
  const stream = FS.open("/data/a", 2);
  FS.unlink("/data/a");
  const into = new Int8Array(20);
  assertEquals(FS.read(stream, into, 0, 20), 10);
  assertEquals(FS.llseek(stream, 0, 2), 10);
  assertEquals(volume.getattr(ino).nlink, 0);
  FS.close(stream);
  assertEquals(codeFrom(FS, () => stream.stream_ops.llseek(stream, 0, 2)), "ESTALE");
});

testOn(HOSTS, "open() that is refused gives the descriptor back", ({ FS, volume }) => {
  put(FS, "/data/a", "a");
  const open = FS.streams.filter(Boolean).length;
  volume.retain = () => {
    throw new ErrnoError("EIO", "retain");
  };
  assertEquals(codeFrom(FS, () => FS.open("/data/a", 0)), "EIO");
  assertEquals(FS.streams.filter(Boolean).length, open);
});

testOn(HOSTS, "allocate() owns holes, leaves data alone and never shrinks", ({ FS, volume }) => {
  const stream = FS.open("/data/a", 0o102, 0o644);
  FS.write(stream, bytes("data"), 0, 4, 200_000);
  const ino = volume.lookup(volume.root, "a");
  const before = volume.getattr(ino).blocks;
  FS.allocate(stream, 0, 300_000);
  const { size, blocks } = volume.getattr(ino);
  assert(blocks > before && blocks * 512 >= 300_000, "the holes are owned");
  assertEquals(size, 300_000);
  const into = new Uint8Array(6);
  FS.read(stream, into, 0, 6, 199_999);
  assertEquals(into, new Uint8Array([0, ...bytes("data"), 0]));
  FS.allocate(stream, 0, 10);
  assertEquals(volume.getattr(ino).size, 300_000);
  FS.close(stream);
});

testOn(
  [NEWEST],
  "dup() shares the description: the last close lets the inode go",
  ({ FS, volume }) => {
    put(FS, "/data/a", "0123456789");
    const first = FS.open("/data/a", 0);
    const second = FS.dup(first);
    FS.read(first, new Int8Array(4), 0, 4);
    assertEquals(second.position, 4);
    FS.unlink("/data/a");
    FS.close(first);
    assertEquals(volume.retained, 1);
    assertEquals(FS.read(second, new Int8Array(10), 0, 10), 6);
    FS.close(second);
    assertEquals(volume.retained, 0);
  },
);

/** The bytes of a map, changed, as the module hands them back. */
function changed(text: string, length: number): Uint8Array {
  const buffer = new Uint8Array(length);
  buffer.set(bytes(text));
  return buffer;
}

testOn([NEWEST], "mmap() puts the range into the module's memory", ({ FS }) => {
  put(FS, "/data/a", "0123456789");
  const stream = FS.open("/data/a", 2);
  const { ptr, allocated } = FS.mmap(stream, 6, 2, 3, MAP_SHARED);
  assertEquals([ptr % 65_536, allocated], [0, true]);
  assertEquals(FS.heap.slice(ptr, ptr + 6), new Int8Array(bytes("234567")));
  FS.close(stream);
});

testOn([NEWEST], "mmap() is ENODEV in a module whose root is not its MEMFS", ({ FS }) => {
  put(FS, "/data/a", "0123456789");
  FS.root.mount.type = {};
  const stream = FS.open("/data/a", 2);
  assertEquals(codeFrom(FS, () => FS.mmap(stream, 6, 2, 3, MAP_SHARED)), "ENODEV");
  FS.close(stream);
});

testOn([STOCK], "mmap() takes an address before the length as well", ({ FS }) => {
  put(FS, "/data/a", "0123456789");
  const seen: unknown[][] = [];
  // The module of the example has no allocator for maps: what reaches MEMFS is looked at.
  FS.filesystems.MEMFS.stream_ops.mmap = (standIn: { node: object }, ...rest: unknown[]) => {
    seen.push([standIn.node, ...rest]);
    return { ptr: 65_536, allocated: true };
  };
  const stream = FS.open("/data/a", 2);
  assertEquals(FS.mmap(stream, 0, 6, 2, 3, MAP_SHARED), { ptr: 65_536, allocated: true });
  FS.close(stream);
  const node = { mode: 0o100666, contents: bytes("234567"), usedBytes: 6 };
  assertEquals(seen, [[node, 0, 6, 0, 3, MAP_SHARED]]);
});

testOn([NEWEST], "msync() writes shared maps back, inside the file only", ({ FS }) => {
  put(FS, "/data/a", "0123456789");
  const stream = FS.open("/data/a", 2);
  FS.mmap(stream, 65_536, 0, 3, MAP_SHARED);
  const msync = stream.stream_ops.msync;
  msync(stream, changed("private", 20), 0, 20, MAP_PRIVATE);
  assertEquals(get(FS, "/data/a"), "0123456789");
  msync(stream, changed("shared and longer", 20), 0, 20, MAP_SHARED);
  assertEquals(get(FS, "/data/a"), "shared and");
  FS.close(stream);
});

testOn(
  [NEWEST],
  "msync() without a position finds the one map, and guesses none of several",
  ({ FS }) => {
    put(FS, "/data/a", "0123456789".repeat(3));
    const stream = FS.open("/data/a", 2);
    FS.mmap(stream, 5, 10, 3, MAP_SHARED);
    const { msync } = stream.stream_ops;
    msync(stream, bytes("FIRST"), 0, 5, MAP_SHARED);
    assertEquals(get(FS, "/data/a"), "0123456789FIRST567890123456789");
    FS.mmap(stream, 5, 20, 3, MAP_SHARED);
    assertEquals(codeFrom(FS, () => msync(stream, bytes("WHICH"), 0, 5, MAP_SHARED)), "EINVAL");
    msync(stream, bytes("SECON"), 20, 5, MAP_SHARED);
    assertEquals(get(FS, "/data/a"), "0123456789FIRST56789SECON56789");
    FS.mmap(stream, 5, 0, 3, MAP_SHARED);
    msync(stream, bytes("START"), 0, 5, MAP_SHARED);
    assertEquals(get(FS, "/data/a"), "START56789FIRST56789SECON56789");
    FS.close(stream);
  },
);

testOn([NEWEST], "msync() through a stream that mapped nothing leaves the file alone", ({ FS }) => {
  put(FS, "/data/bystander", "leave me be");
  const stream = FS.open("/data/bystander", 2);
  stream.stream_ops.msync(stream, bytes("CHANGE"), 0, 6, MAP_SHARED);
  FS.close(stream);
  assertEquals(get(FS, "/data/bystander"), "leave me be");
});

testOn([NEWEST], "msync() of a full volume is ENOSPC", ({ FS, volume }) => {
  put(FS, "/data/a", "0123456789");
  const stream = FS.open("/data/a", 2);
  FS.mmap(stream, 10, 0, 3, MAP_SHARED);
  volume.write = () => 0;
  const { msync } = stream.stream_ops;
  assertEquals(codeFrom(FS, () => msync(stream, bytes("x"), 0, 1, MAP_SHARED)), "ENOSPC");
  FS.close(stream);
});
