import { assert, assertEquals } from "@std/assert";
import {
  isZeroPage,
  MENDED_BYTES_MAX,
  pageSum,
  putRight,
} from "../../../../opfs/volume/format/page_sum.ts";
import { prng } from "../../../support/prng.ts";

/** Bit by bit, as the definition says it. */
function slowSum(bytes: Uint8Array): number {
  let register = 0;
  for (const byte of bytes) {
    register ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      register = register & 1 ? register >>> 1 ^ 0xedb88320 : register >>> 1;
    }
  }
  return register >>> 0;
}

const isLong = Deno.env.get("CAIRN_LONG") === "1";

Deno.test("pageSum() is the register started at 0 and not inverted, and zeros give 0", () => {
  assertEquals(pageSum(new TextEncoder().encode("123456789")), 0x2dfd2d88);
  assertEquals(pageSum(new Uint8Array(4096)), 0);
  const random = prng(1);
  for (let length = 0; length < 50; length++) {
    const bytes = new Uint8Array(length);
    random.fill(bytes);
    assertEquals(pageSum(bytes), slowSum(bytes));
    assertEquals(pageSum(new Uint8Array([9, ...bytes, 9]), 1, length + 1), slowSum(bytes));
  }
});

Deno.test("putRight() turns any one bit of a page back, or finds it in the sum", () => {
  const random = prng(2);
  for (const length of [1, 9, 4095, 4096, MENDED_BYTES_MAX]) {
    const right = new Uint8Array(length);
    random.fill(right);
    const sum = pageSum(right);
    const bytes = right.slice();
    assertEquals(putRight(bytes, sum), "right");
    const step = isLong || length < 100 ? 1 : 371;
    for (let bit = 0; bit < length * 8; bit += step) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      assertEquals(putRight(bytes, sum), "bit");
      assert(bytes[bit >> 3] === right[bit >> 3]);
    }
    for (let bit = 0; bit < 32; bit++) assertEquals(putRight(bytes, (sum ^ 1 << bit) >>> 0), "sum");
    assertEquals(bytes, right);
  }
});

Deno.test("putRight() never takes two turned bits for one", () => {
  const random = prng(3);
  const right = new Uint8Array(4096);
  random.fill(right);
  const sum = pageSum(right);
  for (let round = 0; round < (isLong ? 20_000 : 500); round++) {
    const bytes = right.slice();
    const first = random.below(4096 * 8);
    const second = random.below(4096 * 8 + 32);
    if (first === second) continue;
    bytes[first >> 3]! ^= 1 << (first & 7);
    const isInSum = second >= 4096 * 8;
    if (!isInSum) bytes[second >> 3]! ^= 1 << (second & 7);
    const before = bytes.slice();
    assertEquals(putRight(bytes, isInSum ? (sum ^ 1 << (second & 31)) >>> 0 : sum), "wrong");
    assertEquals(bytes, before);
  }
});

Deno.test("bytes that are longer than can be put right are found wrong all the same", () => {
  const bytes = new Uint8Array(MENDED_BYTES_MAX + 1).fill(3);
  const sum = pageSum(bytes);
  bytes[5]! ^= 4;
  assertEquals(putRight(bytes, sum), "wrong");
});

Deno.test("isZeroPage() looks at words", () => {
  const words = new Uint32Array(2048);
  words[1024] = 1;
  assertEquals([isZeroPage(words, 0, 1024), isZeroPage(words, 1024, 2048)], [true, false]);
});
