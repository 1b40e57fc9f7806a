/** The descriptor table. */
import { assertEquals, assertStrictEquals } from "@std/assert";
import { O_PATH } from "../../abi/flags.ts";
import { FSNode, FSStream } from "../../abi/node.ts";
import { createFS } from "../../fs/create_fs.ts";
import { openStream, streamAt, StreamTable, usableStream } from "../../fs/streams.ts";
import { assertErrno } from "../support/errno.ts";

function stream(): FSStream {
  const data = { ino: 1, mode: 0o100644, uid: 0, gid: 0, rdev: 0 };
  const node = new FSNode(data, { getattr: () => assertErrno as never }, {});
  return new FSStream(node, { flags: 0, position: 0, descriptors: 1 }, "/x");
}

Deno.test("StreamTable gives the lowest free descriptor", () => {
  const table = new StreamTable(10);
  const streams = Array.from({ length: 5 }, stream);
  assertEquals(streams.map((each) => table.add(each)), [0, 1, 2, 3, 4]);
  table.remove(3);
  table.remove(1);
  assertEquals(table.nextFree(), 1);
  assertEquals([table.add(stream()), table.add(stream()), table.add(stream())], [1, 3, 5]);
});

Deno.test("StreamTable.add() from a number on leaves the lower ones free", () => {
  const table = new StreamTable(10);
  assertEquals(table.add(stream(), 4), 4);
  assertEquals(table.add(stream(), 4), 5);
  assertEquals(table.add(stream()), 0);
});

Deno.test("StreamTable is EMFILE at its limit, exactly", () => {
  const table = new StreamTable(3);
  for (let fd = 0; fd < 3; fd++) table.add(stream());
  assertErrno("EMFILE", () => table.add(stream()));
  table.remove(2);
  assertEquals(table.add(stream()), 2);
});

Deno.test("StreamTable.put() takes a descriptor beyond the end, get() answers for anything", () => {
  const table = new StreamTable(10);
  const placed = stream();
  table.put(placed, 6);
  assertStrictEquals(table.get(6), placed);
  for (const fd of [5, -1, 99, NaN, "6", Symbol("fd"), undefined]) {
    assertEquals(table.get(fd), null);
  }
  assertEquals([...table.open()], [placed]);
  assertEquals(table.list.length, 7);
});

Deno.test("streamAt() takes a descriptor or its stream, and none of another instance", () => {
  const fs = createFS();
  const open = fs.open("/f", "w+");
  assertStrictEquals(streamAt(fs, open, "test"), open);
  assertStrictEquals(streamAt(fs, open.fd!, "test"), open);
  const foreign = createFS().open("/f", "w+");
  for (const bad of [foreign, stream(), {}, 99, null]) {
    assertErrno("EBADF", () => streamAt(fs, bad as never, "test"));
  }
  fs.close(open);
  assertErrno("EBADF", () => openStream(fs, open, "test"));
});

Deno.test("usableStream() takes none that was opened with O_PATH", () => {
  const fs = createFS();
  const place = fs.open("/tmp", O_PATH);
  assertStrictEquals(streamAt(fs, place, "test"), place);
  assertErrno("EBADF", () => usableStream(fs, place.fd!, "test"));
});
