import { assertEquals, assertThrows } from "@std/assert";
import { readValues, type Value, writeValues } from "../../../opfs/relay/s11n.ts";

function bytesOf(values: Value[], room = 256): number[] {
  const bytes = new Uint8Array(room);
  return [...bytes.subarray(0, writeValues(values, bytes, { at: 0, end: room }))];
}

Deno.test("writeValues() lays bytes out as docs/PROTOCOL.md says", () => {
  assertEquals(bytesOf([]), [0]);
  assertEquals(bytesOf([1.5, -2n, true, "é"]), [
    4,
    1,
    2,
    3,
    4,
    ...[0, 0, 0, 0, 0, 0, 0xf8, 0x3f],
    ...[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    ...[1, 0, 0, 0],
    ...[2, 0, 0, 0, 0xc3, 0xa9],
  ]);
});

Deno.test("readValues() gives back what writeValues() took", () => {
  let seed = 7;
  const random = () => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0);
  const kinds = [
    () => random() / 3 - 1e9,
    () => BigInt(random()) * -(2n ** 31n),
    () => random() % 2 === 0,
    () => ["", "plain", "ü文𝄞", "\0"][random() % 4]!,
  ];
  for (let round = 0; round < 500; round++) {
    const values = Array.from({ length: random() % 20 }, () => kinds[random() % 4]!());
    const bytes = new Uint8Array(1024);
    const at = random() % 9;
    const end = writeValues(values, bytes, { at, end: bytes.length });
    assertEquals(readValues(bytes, { at, end }), values);
  }
});

Deno.test("writeValues() and readValues() refuse what does not fit", () => {
  assertThrows(() => bytesOf(["12345678"], 13), Error, "EMSGSIZE");
  assertEquals(bytesOf(["1234567"], 13).length, 13);
  assertThrows(() => bytesOf([1], 9), Error, "EMSGSIZE");
  assertThrows(() => bytesOf(new Array(256).fill(true), 4096), Error, "EMSGSIZE");
  assertThrows(() => bytesOf([2n ** 63n]), Error, "EINVAL");
  assertThrows(() => bytesOf([undefined as unknown as string]), Error, "EINVAL");
  const read = (...bytes: number[]) =>
    readValues(Uint8Array.from(bytes), { at: 0, end: bytes.length });
  assertThrows(() => read(200), Error, "EINVAL");
  assertThrows(() => read(1, 9, 0, 0, 0, 0), Error, "EINVAL");
  assertThrows(() => read(1, 1, 0, 0), Error, "EINVAL");
  assertThrows(() => read(1, 4, 255, 255, 255, 255), Error, "EINVAL");
  assertThrows(() => read(1, 4, 5, 0, 0, 0, 65), Error, "EINVAL");
});
