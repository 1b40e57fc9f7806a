/**
 * The offsets of protocol.ts against the sizes of the kernel's own structures.
 */
import { assertEquals } from "@std/assert";
import * as P from "../../../adapters/fuse/protocol.ts";

Deno.test("protocol has the sizes of the kernel's structures", () => {
  assertEquals(P.IN_HEADER.BYTES, 40);
  assertEquals(P.OUT_HEADER.BYTES, 16);
  assertEquals(P.ATTR.BYTES, 88);
  assertEquals(P.ATTR_OUT.BYTES, 16 + 88);
  assertEquals(P.ENTRY_OUT.BYTES, 40 + 88);
  assertEquals(P.INIT_OUT.BYTES, 64);
  assertEquals(P.STATFS_OUT.BYTES, 80);
  assertEquals(P.OPEN_OUT.BYTES, 16);
  assertEquals(P.DIRENT.NAME, 24);
});

Deno.test("protocol has buffers for the longest write, and pages that add up to it", () => {
  assertEquals(P.MAX_WRITE_BYTES, 1024 * 1024);
  assertEquals(P.MAX_PAGES * 4096, P.MAX_WRITE_BYTES);
  assertEquals(P.REQUEST_BYTES >= P.IN_HEADER.BYTES + P.WRITE_IN.DATA + P.MAX_WRITE_BYTES, true);
  assertEquals(P.REPLY_BYTES, P.OUT_HEADER.BYTES + P.MAX_WRITE_BYTES);
});
