import { assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import { InvariantError } from "../../../../abi/invariant.ts";
import {
  decodeSuperblock,
  encodeSuperblock,
  freshSuperblock,
  imageBytes,
  isBlockSize,
  type Superblock,
} from "../../../../opfs/volume/format/superblock.ts";

const fresh = freshSuperblock(4096, 512 * 1024);

function encoded(superblock: Superblock): DataView {
  const view = new DataView(new ArrayBuffer(64));
  encodeSuperblock(superblock, view, 0);
  return view;
}

Deno.test("encodeSuperblock() and decodeSuperblock() are each other's inverse", () => {
  assertEquals(decodeSuperblock(encoded(fresh), 0), fresh);
  assertEquals(imageBytes(fresh), 937_984);
});

Deno.test("decodeSuperblock() says in fixed order what is wrong", () => {
  const rows: [number, number, string][] = [
    [0, 0x12345678, "magic"],
    [4, 1, "version-1"],
    [4, 7, "version 7"],
    [12, 1000, "block size 1000"],
    [16, 0, "block count 0"],
    [16, 0xffffffff, "block count"],
    [8, 0, "slot count 0"],
    [56, 7, "checksum"],
    [60, 7, "checksum"],
  ];
  for (const [at, value, message] of rows) {
    const view = encoded(fresh);
    view.setUint32(at, value, true);
    assertThrows(() => decodeSuperblock(view, 0), ErrnoError, message);
  }
});

Deno.test("decodeSuperblock() refuses places that cannot be", () => {
  for (const at of [24, 32, 40, 48]) {
    for (const value of [-1, 0, 0.5, 1e300, NaN, Infinity, 4097, 2 ** 60]) {
      const view = encoded(fresh);
      view.setFloat64(at, value, true);
      assertThrows(() => decodeSuperblock(view, 0), ErrnoError, "EINVAL");
    }
  }
});

Deno.test("encodeSuperblock() writes nothing that would be refused", () => {
  assertThrows(() => encoded({ ...fresh, totalBlocks: 0 }), InvariantError);
});

Deno.test("isBlockSize() takes powers of two from 512 to a mebibyte", () => {
  for (const size of [512, 4096, 65536, 1 << 20]) assertEquals(isBlockSize(size), true);
  for (const size of [0, 256, 513, 1 << 21, -512, NaN]) assertEquals(isBlockSize(size), false);
});
