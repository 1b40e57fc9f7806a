import { assertEquals } from "@std/assert";
import type { Attr } from "../../../mod.ts";
import { type Entry, Reply } from "../../../adapters/fuse/reply.ts";
import { Request } from "../../../adapters/fuse/request.ts";
import { Fields, packRequest } from "./fake_kernel.ts";

const NODE = 9 + 3 * 2 ** 32;

const ATTR: Attr = {
  ino: 9,
  mode: 0o100644,
  nlink: 2,
  uid: 1000,
  gid: 100,
  rdev: 0,
  size: 2 ** 33 + 1,
  blocks: 24,
  atime: 1_700_000_000_123.25,
  mtime: -1,
  ctime: 0.001,
};

function entryOf(change: Partial<Attr> = {}, validMs = 1500): Entry {
  return { nodeId: NODE, attr: { ...ATTR, ...change }, validMs, blockSize: 4096 };
}

function begun(): Reply {
  const request = new Request(4096);
  const bytes = packRequest({ opcode: 1, unique: 0x1_2345_6789 });
  request.bytes.set(bytes);
  const reply = new Reply(4096);
  reply.bytes.fill(0xee);
  reply.begin(request.load(bytes.length));
  return reply;
}

function sent(reply: Reply): Uint8Array {
  return reply.bytes.slice(0, reply.length);
}

function fieldsOf(reply: Reply): Fields {
  return new Fields(reply.bytes.slice(16, reply.length));
}

Deno.test("Reply.begin() is a success with the request's number", () => {
  assertEquals(
    [...sent(begun())],
    [16, 0, 0, 0, 0, 0, 0, 0, 0x89, 0x67, 0x45, 0x23, 1, 0, 0, 0],
  );
});

Deno.test("Reply.fail() is a header with the negative error", () => {
  const reply = begun();
  reply.end(100);
  reply.fail(2);
  assertEquals([...sent(reply)].slice(0, 8), [16, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff]);
});

Deno.test("Reply.omit() sends nothing", () => {
  const reply = begun();
  reply.omit();
  assertEquals(reply.length, 0);
});

Deno.test("Reply.endEntry() writes the kernel's structure byte by byte", () => {
  const reply = begun();
  reply.endEntry(entryOf());
  assertEquals(
    [...reply.bytes.slice(16, reply.length)],
    [
      [9, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0], // node, generation
      [1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], // valid, in seconds
      [0x00, 0x65, 0xcd, 0x1d, 0x00, 0x65, 0xcd, 0x1d], // and nanoseconds
      [9, 0, 0, 0, 0, 0, 0, 0], // ino
      [1, 0, 0, 0, 2, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0], // size, blocks
      [0x00, 0xf1, 0x53, 0x65, 0, 0, 0, 0], // atime
      [255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0], // mtime, ctime
      [0x50, 0xa5, 0x58, 0x07, 0xc0, 0x87, 0x8b, 0x3b, 0xe8, 3, 0, 0], // their nanoseconds
      [0xa4, 0x81, 0, 0, 2, 0, 0, 0, 0xe8, 3, 0, 0, 100, 0, 0, 0], // mode, nlink, uid, gid
      [0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0], // rdev, block size, flags
    ].flat(),
  );
});

Deno.test("Reply.endAttr() and endCreated() have the kernel's lengths and clean padding", () => {
  const reply = begun();
  reply.endAttr(entryOf());
  const attr = fieldsOf(reply);
  assertEquals([reply.length, attr.u64(), attr.u32(), attr.u32()], [120, 1, 500_000_000, 0]);
  assertEquals(attr.attr().size, 2 ** 33 + 1);
  reply.endCreated(entryOf());
  const created = fieldsOf(reply);
  assertEquals([reply.length, created.entry().node], [160, NODE]);
  assertEquals([created.u64(), created.u64()], [0, 0]);
});

Deno.test("Reply.endAbsent() is node 0, which the kernel may remember", () => {
  const reply = begun();
  reply.endAbsent(2000);
  const entry = fieldsOf(reply).entry();
  assertEquals([entry.node, entry.entryValid, entry.attr.mode], [0, 2, 0]);
});

Deno.test("Reply keeps a time that the kernel has cut to the microsecond", () => {
  for (const [seconds, us] of [[1_700_000_000, 123_457], [-1, 999_999], [2 ** 33, 1], [0, 0]]) {
    const reply = begun();
    reply.endAttr(entryOf({ mtime: seconds! * 1000 + us! / 1000 }));
    const fields = fieldsOf(reply);
    fields.skip(16);
    const { mtime, mtimeNs } = fields.attr();
    assertEquals([mtime, mtimeNs], [seconds, us! * 1000]);
  }
});

Deno.test("Reply.endText() writes UTF-8", () => {
  const reply = begun();
  reply.endText("../grün");
  assertEquals(fieldsOf(reply).text(reply.length - 16), "../grün");
});

Deno.test("Reply.dirent() pads to eight bytes and keeps within the limit", () => {
  const reply = begun();
  const entry = { ino: 7, mode: 0o040755, name: "abc", cursor: 99 };
  assertEquals(reply.dirent(0, entry, 31), -1);
  assertEquals(reply.dirent(0, entry, 32), 32);
  assertEquals(reply.dirent(32, { ...entry, name: "12345678" }, 4096), 64);
  assertEquals(reply.dirent(64, { ...entry, name: "ü".repeat(4) }, 95), -1);
  assertEquals(reply.dirent(64, { ...entry, name: "ü".repeat(4) }, 96), 96);
  reply.end(96);
  assertEquals(
    [...reply.bytes.slice(16, 48)],
    [
      [7, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0],
      [97, 98, 99, 0, 0, 0, 0, 0],
    ].flat(),
  );
});
