import { assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { memoryHandle } from "../../../opfs/device/memory.ts";

Deno.test("memoryHandle() copies what it begins with", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const handle = memoryHandle(bytes);
  bytes[0] = 9;
  assertEquals(handle.toBytes(), new Uint8Array([1, 2, 3]));
});

Deno.test("memoryHandle() keeps its bytes when it is closed", () => {
  const handle = memoryHandle(new Uint8Array([1]));
  handle.close();
  assertEquals(handle.toBytes(), new Uint8Array([1]));
});

Deno.test("memoryHandle() of 8 TiB costs what is written", () => {
  const handle = memoryHandle();
  const size = 2 ** 43;
  handle.truncate(size);
  handle.write(new Uint8Array([1, 2]), { at: size - 1 });
  assertEquals(handle.getSize(), size + 1);
  const bytes = new Uint8Array(3);
  assertEquals(handle.read(bytes, { at: size - 2 }), 3);
  assertEquals(bytes, new Uint8Array([0, 1, 2]));
});

Deno.test("memoryHandle() refuses invalid places", () => {
  const handle = memoryHandle();
  for (const at of [-1, 1.5, Infinity, NaN]) {
    assertThrows(() => handle.write(new Uint8Array(1), { at }), ErrnoError, "EINVAL");
    assertThrows(() => handle.read(new Uint8Array(1), { at }), ErrnoError, "EINVAL");
    assertThrows(() => handle.truncate(at), ErrnoError, "EINVAL");
  }
});
