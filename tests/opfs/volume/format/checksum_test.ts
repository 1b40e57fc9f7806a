import { assertEquals } from "@std/assert";
import { crc32, crc32c, turnedBit } from "../../../../opfs/volume/format/checksum.ts";
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
