import { assertThrows } from "@std/assert";
import { requireBytes } from "../../abi/bytes.ts";
import { ErrnoError } from "../../abi/errno.ts";

Deno.test("requireBytes() takes views of bytes, empty and shared ones too", () => {
  requireBytes(new Uint8Array(0));
  requireBytes(new Uint8Array(new SharedArrayBuffer(3)));
  requireBytes(new Uint8Array(new ArrayBuffer(3, { maxByteLength: 9 })));
  requireBytes(new Uint8Array(9).subarray(9));
});

Deno.test("requireBytes() refuses memory that is not there, and what is no view of bytes", () => {
  const detached = new Uint8Array(9);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const buffer = new ArrayBuffer(9, { maxByteLength: 9 });
  const cut = new Uint8Array(buffer, 0, 9);
  buffer.resize(5);
  const others = [null, undefined, 5, "text", [1, 2], {}, new DataView(new ArrayBuffer(9))];
  for (const bad of [detached, cut, new Float64Array(9), new ArrayBuffer(9), ...others]) {
    assertThrows(() => requireBytes(bad as Uint8Array), ErrnoError, "EINVAL");
  }
});
