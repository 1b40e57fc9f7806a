import { assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../mod.ts";
import { Request } from "../../../adapters/fuse/request.ts";
import { type Field, packRequest, text, u32, u64 } from "./fake_kernel.ts";

/** A LOOKUP of "a" in node 1 by user 1000, group 100, process 7, as a 6.1 kernel sent it. */
const LOOKUP_A = [
  [42, 0, 0, 0, 1, 0, 0, 0, 0x0e, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
  [0xe8, 3, 0, 0, 100, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0x61, 0],
].flat();

function loaded(bytes: ArrayLike<number>): Request {
  const request = new Request(4096);
  request.bytes.fill(0xee);
  request.bytes.set(bytes);
  return request.load(bytes.length);
}

function withBody(...body: Field[]): Request {
  return loaded(packRequest({ opcode: 1, body }));
}

Deno.test("Request.load() reads the header byte by byte", () => {
  const request = loaded(LOOKUP_A);
  assertEquals(request.opcode, 1);
  assertEquals([request.uniqueLow, request.uniqueHigh], [14, 0]);
  assertEquals([request.nodeId, request.uid, request.gid, request.pid], [1, 1000, 100, 7]);
  assertEquals(request.text(0), "a");
});

Deno.test("Request.load() keeps node ids with a generation exact", () => {
  const node = 5 + 65535 * 2 ** 32;
  assertEquals(loaded(packRequest({ opcode: 3, node })).nodeId, node);
});

Deno.test("Request.load() refuses what is not one whole request", () => {
  assertThrows(() => loaded(LOOKUP_A.slice(0, 39)), ErrnoError, "EPROTO");
  assertThrows(() => loaded([...LOOKUP_A, 0]), ErrnoError, "EPROTO");
});

Deno.test("Request.u64() and i64() read large and negative numbers", () => {
  const request = withBody(u64(2 ** 53 - 1), u64(-1n), u64(-(2n ** 40n)), u32(0xffffffff));
  assertEquals(request.u64(0), 2 ** 53 - 1);
  assertEquals(request.i64(8), -1);
  assertEquals(request.u64(8), 2 ** 64);
  assertEquals(request.i64(16), -(2 ** 40));
  assertEquals(request.u32(24), 0xffffffff);
});

Deno.test("Request.text() reads UTF-8 and finds the string after it", () => {
  const request = withBody(u32(1), text("grün\u{1f333}"), text("b"));
  assertEquals(request.text(4), "grün\u{1f333}");
  assertEquals(request.text(request.textAfter(4)), "b");
});

Deno.test("Request.text() keeps a byte order mark", () => {
  assertEquals(withBody(text("\ufeffa")).text(0), "\ufeffa");
});

Deno.test("Request.text() answers EILSEQ for what is not UTF-8", () => {
  const request = withBody(new Uint8Array([0x61, 0xff, 0]));
  assertThrows(() => request.text(0), ErrnoError, "EILSEQ");
});

Deno.test("Request.text() does not read past the request", () => {
  for (const bytes of [[0x61, 0x62], [0xc3, 0xbc]]) {
    const request = withBody(new Uint8Array(bytes));
    assertThrows(() => request.text(0), ErrnoError, "EPROTO");
  }
});

Deno.test("Request.data() is in place, and not past the request", () => {
  const request = withBody(u32(0), new Uint8Array([1, 2, 3]));
  const data = request.data(4, 3);
  assertEquals([...data], [1, 2, 3]);
  assertEquals(data.buffer, request.bytes.buffer);
  assertThrows(() => request.data(4, 4), ErrnoError, "EPROTO");
});

Deno.test("Request.textOrNull() is null for what is not UTF-8, and a failure past the request", () => {
  assertEquals(withBody(text("a")).textOrNull(0), "a");
  assertEquals(withBody(new Uint8Array([0x61, 0xff, 0])).textOrNull(0), null);
  assertThrows(() => withBody(new Uint8Array([0x61])).textOrNull(0), ErrnoError, "EPROTO");
});
