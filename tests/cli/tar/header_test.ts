/** The fields of a tar's header. */
import { assertEquals } from "@std/assert";
import { checksumOf, FIELD, isSumOfSigned, numberIn, putNumber } from "../../../cli/tar/header.ts";
import { tarOf } from "../../support/tar_bytes.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("putNumber() keeps the checksum right", () => {
  const header = tarOf([{ name: "a", type: "3" }]).subarray(0, 512);
  putNumber(header, FIELD.MAJOR, 5);
  assertEquals(numberIn(header, FIELD.MAJOR), 5);
  assertEquals(numberIn(header, FIELD.CHECKSUM), checksumOf(header));
});

Deno.test("numberIn() reads digits with spaces, NULs or neither, and GNU's binary form", () => {
  const rows: [Uint8Array, number][] = [
    [bytesOf("0000644\0"), 0o644],
    [bytesOf("   644 \0"), 0o644],
    [bytesOf("77777777"), 0o77777777],
    [bytesOf("       \0"), 0],
    [new Uint8Array([0x80, 0, 0, 0, 1, 0, 0, 0]), 2 ** 24],
    [new Uint8Array(8).fill(0xff), -1],
    [bytesOf("garbage!"), NaN],
    [bytesOf("0000008\0"), NaN],
  ];
  for (const [bytes, number] of rows) assertEquals(numberIn(bytes, [0, 8]), number);
});

Deno.test("isSumOfSigned() counts the bytes above 127 outside of the sum itself", () => {
  const header = new Uint8Array(512).fill(0x41);
  header.set([0xff, 0x80], 0);
  header.fill(0xff, FIELD.CHECKSUM[0], FIELD.CHECKSUM[0] + FIELD.CHECKSUM[1]);
  const sum = checksumOf(header);
  assertEquals([sum, sum - 256, sum - 512].map((one) => isSumOfSigned(header, one)), [
    false,
    false,
    true,
  ]);
});
