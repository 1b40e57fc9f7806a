import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import {
  decodeName,
  encodeName,
  encodeTarget,
  isName,
  nameBytes,
} from "../../../../opfs/volume/format/names.ts";
import { prng } from "../../../support/prng.ts";

Deno.test("encodeName() writes what TextEncoder does, and decodeName() reads it", () => {
  const random = prng(9);
  const points = [0x61, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff];
  for (let round = 0; round < 500; round++) {
    const length = 1 + random.below(30);
    const name = String.fromCodePoint(...Array.from({ length }, () => random.pick(points)));
    const bytes = nameBytes.slice(0, encodeName(name));
    assertEquals(bytes, new TextEncoder().encode(name));
    assertEquals(decodeName(bytes, 0, bytes.length), name);
    assert(isName(bytes, 0, bytes.length));
  }
});

Deno.test("encodeName() takes 255 bytes and no more", () => {
  assertEquals(encodeName("x".repeat(255)), 255);
  assertEquals(encodeName("文".repeat(85)), 255);
  for (const name of ["x".repeat(256), "文".repeat(86), `${"x".repeat(254)}é`, "𝄞".repeat(64)]) {
    assertThrows(() => encodeName(name), ErrnoError, "ENAMETOOLONG");
  }
});

Deno.test("encodeName() refuses half characters and what is no name", () => {
  for (const name of ["\ud800", "a\udfff", "\udc00\ud800", "x\ud83d"]) {
    assertThrows(() => encodeName(name), ErrnoError, "EILSEQ");
  }
  for (const name of ["", ".", "..", "/", "a/b", "\0", "a\0"]) {
    assertThrows(() => encodeName(name), ErrnoError, "EINVAL");
  }
  for (const name of ["...", ".a", "..a", " ", "__proto__"]) encodeName(name);
});

Deno.test("isName() refuses bytes that no name has", () => {
  const bad = [[0x80], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0x2e]];
  for (const bytes of [...bad, [0x2e, 0x2e], [0x61, 0], [0x61, 0x2f]]) {
    assert(!isName(new Uint8Array(bytes), 0, bytes.length), String(bytes));
  }
});

Deno.test("encodeTarget() refuses half characters", () => {
  assertEquals(encodeTarget("é"), new Uint8Array([0xc3, 0xa9]));
  assertThrows(() => encodeTarget("\ud800"), ErrnoError, "EILSEQ");
});
