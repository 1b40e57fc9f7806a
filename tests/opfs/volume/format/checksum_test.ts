import { assertEquals } from "@std/assert";
import {
  afterZeros,
  bothPadded,
  crc32,
  crc32c,
  crc32Padded,
  isZero,
  register,
  turnedBit,
} from "../../../../opfs/volume/format/checksum.ts";
import { prng } from "../../../support/prng.ts";

Deno.test("crc32() gives the test vector of docs/FORMAT.md", () => {
  assertEquals(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  assertEquals(crc32(new Uint8Array(0)), 0);
});

Deno.test("crc32() of the version-1 superblock in the literature is its last field", () => {
  const hex = "2153465601000000a08601000010000000040000000400000000000000005040" +
    "00000000106a58410000000000545b4100000000106a594101000000";
  const bytes = Uint8Array.from(hex.match(/../g)!, (byte) => parseInt(byte, 16));
  assertEquals(crc32(bytes), 0xba3dd487);
});

Deno.test("crc32() agrees with one bit at a time, at every length and offset", () => {
  const bytes = new Uint8Array(80);
  prng(1).fill(bytes);
  for (let from = 0; from < 9; from++) {
    for (let to = from; to <= 80; to++) {
      let crc = 0xffffffff;
      for (let at = from; at < to; at++) {
        crc ^= bytes[at]!;
        for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
      }
      assertEquals(crc32(bytes, from, to), ~crc >>> 0);
    }
  }
});

Deno.test("crc32() joins ranges by the seed", () => {
  const bytes = Uint8Array.from({ length: 100 }, (_, index) => index);
  assertEquals(crc32(bytes, 37, 100, crc32(bytes, 0, 37)), crc32(bytes));
});

Deno.test("crc32c() gives the test vector of docs/FORMAT.md, and joins ranges", () => {
  const digits = new TextEncoder().encode("123456789");
  assertEquals(crc32c(digits), 0xe3069283);
  assertEquals(crc32c(digits, 4, 9, crc32c(digits, 0, 4)), 0xe3069283);
});

Deno.test("turnedBit() finds each bit of a record from what it does to the CRC-32", () => {
  const bytes = new Uint8Array(131_072).fill(7);
  const right = crc32(bytes);
  for (const bit of [0, 1, 7, 8, 4095, 524_288, 1_048_575]) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assertEquals(turnedBit((crc32(bytes) ^ right) >>> 0, bytes.length), bit);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
});

Deno.test("turnedBit() knows no bit for a difference of more", () => {
  assertEquals(turnedBit(0xedb88320, 1), 7);
  assertEquals(turnedBit(0x12345678, 4096), -1);
});

Deno.test("crc32c() agrees with one bit at a time, at every length and offset", () => {
  const bytes = new Uint8Array(80);
  prng(2).fill(bytes);
  for (let from = 0; from < 5; from++) {
    for (let to = from; to <= 80; to++) {
      let crc = 0xffffffff;
      for (let at = from; at < to; at++) {
        crc ^= bytes[at]!;
        for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0x82f63b78 : crc >>> 1;
      }
      assertEquals(crc32c(bytes, from, to), ~crc >>> 0);
    }
  }
});

Deno.test("bothPadded() and crc32Padded() are what the whole bytes give, one after the other", () => {
  for (const length of [64, 512, 1024, 4096, 131_072]) {
    for (const end of [57, 60, 63, 64].concat(length > 64 ? [65, 224, 500, length - 1] : [])) {
      const bytes = new Uint8Array(length);
      const view = new DataView(bytes.buffer);
      prng(length + end).fill(bytes.subarray(0, end));
      bytes.fill(0, 52, 56);
      const found = { crc32: 0, crc32c: 0 };
      bothPadded(view, found, { end, length, placeC: 52 });
      assertEquals(found.crc32c, crc32c(bytes), `${end} of ${length}`);
      assertEquals(crc32Padded(view, end, length), crc32(bytes));
      view.setUint32(52, found.crc32c, true);
      assertEquals(found.crc32, crc32(bytes), `${end} of ${length}`);
    }
  }
});

Deno.test("register() is crc32() without its inversions, and joins ranges", () => {
  const bytes = new Uint8Array(256);
  prng(3).fill(bytes);
  const view = new DataView(bytes.buffer);
  for (const [from, to] of [[0, 0], [0, 16], [3, 67], [64, 128], [0, 256]] as const) {
    assertEquals(~register(view, from, to, -1) >>> 0, crc32(bytes, from, to));
  }
  assertEquals(register(view, 64, 256, register(view, 0, 64, 5)), register(view, 0, 256, 5));
});

Deno.test("afterZeros() is what as many zeros do", () => {
  const zeros = new Uint8Array(4 * 2 ** 20);
  for (const count of [0, 1, 15, 16, 17, 64, 511, 512, 4095, 131_072 - 8, zeros.length]) {
    assertEquals(~afterZeros(~0x12345678, count) >>> 0, crc32(zeros, 0, count, 0x12345678));
  }
});

Deno.test("isZero() finds each word that is not zero", () => {
  const view = new DataView(new ArrayBuffer(64));
  assertEquals(isZero(view, 0, 64), true);
  for (let at = 0; at < 64; at++) {
    view.setUint8(at, 1);
    assertEquals([isZero(view, 0, 64), isZero(view, 32, 64)], [false, at < 32]);
    view.setUint8(at, 0);
  }
});

/** A view that counts the bytes that are read by words. */
class CountingView extends DataView<ArrayBuffer> {
  bytes = 0;
  override getInt32(at: number, isLittle?: boolean): number {
    this.bytes += 4;
    return super.getInt32(at, isLittle);
  }
}

Deno.test("bothPadded() reads each byte before the zeros once, and less than 16 of these", () => {
  const bytes = new Uint8Array(512).fill(7, 64, 217);
  const view = new CountingView(bytes.buffer);
  const found = { crc32: 0, crc32c: 0 };
  bothPadded(view, found, { end: 217, length: 512, placeC: 52 });
  assertEquals(view.bytes, 224);
  assertEquals(found.crc32c, crc32c(bytes));
});
