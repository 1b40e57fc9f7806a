import { assertEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import { PROXYFS } from "../../node_ops/proxyfs.ts";
import { there } from "../../stream_ops/proxyfs.ts";
import { assertErrno } from "../support/errno.ts";

Deno.test("proxyStreamOps() appends where the other side's end is", () => {
  const [ours, theirs] = [createFS(), createFS()];
  ours.mkdir("/mnt");
  ours.mount(PROXYFS, { fs: theirs, path: "/tmp" }, "/mnt");
  const stream = ours.open("/mnt/f", "a");
  ours.write(stream, new Uint8Array([1, 2]), 0, 2);
  theirs.writeFile("/tmp/f", new Uint8Array([3]), { flags: "a" });
  ours.write(stream, new Uint8Array([4]), 0, 1);
  assertEquals(stream.position, 4);
  ours.close(stream);
  assertEquals(theirs.readFile("/tmp/f"), new Uint8Array([1, 2, 3, 4]));
});

Deno.test("there() passes answers on and makes every error ours", () => {
  assertEquals(there("ask", () => 7), 7);
  assertErrno("EIO", () =>
    there("ask", () => {
      throw new RangeError("theirs");
    }));
  assertErrno("ENOENT", () =>
    there("ask", () => {
      throw { name: "ErrnoError", errno: 44 };
    }));
});
