import { assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import { crc32 } from "../../../../opfs/volume/format/checksum.ts";
import {
  decodeHeader,
  encodeHeader,
  type Header,
  newestHeader,
  readHeader,
  saltOf,
} from "../../../../opfs/volume/format/header.ts";
import { freshSuperblock } from "../../../../opfs/volume/format/superblock.ts";

const header: Header = {
  state: 2,
  counter: 2 ** 40 + 1,
  tailSequence: 2 ** 41,
  tailPlace: 1024,
  tailChecksum: 0xdeadbeef,
  salt: [1, 1],
  term: 3,
  ringBytes: 128 * 1024,
  featuresIncompatible: 1,
  featuresReadOnly: 1,
  superblock: freshSuperblock(4096, 128 * 1024),
  volumeId: Uint8Array.from({ length: 16 }, (_, index) => index),
  label: "Ablage é",
  limitBytes: 2 ** 52,
};

Deno.test("a header keeps its label letter by letter", () => {
  for (const label of ["", "\uFEFFnotes", "\uFEFF", "a\uFEFF", "é".repeat(32), "x".repeat(64)]) {
    assertEquals(decodeHeader(encodeHeader({ ...header, label }))?.label, label);
  }
});

/** A header with bytes changed and a checksum that fits them. */
function forged(change: (view: DataView) => void): Uint8Array {
  const page = encodeHeader(header);
  const view = new DataView(page.buffer);
  change(view);
  view.setUint32(12, 0, true);
  view.setUint32(12, crc32(page, 0, 256), true);
  return page;
}

Deno.test("encodeHeader() and decodeHeader() are each other's inverse", () => {
  const page = encodeHeader(header);
  assertEquals(page.length, 4096);
  assertEquals(decodeHeader(page), header);
});

Deno.test("decodeHeader() takes no header with one wrong bit", () => {
  const page = encodeHeader(header);
  for (let byte = 0; byte < 256; byte++) {
    page[byte]! ^= 0x10;
    assertEquals(decodeHeader(page), null, `byte ${byte}`);
    page[byte]! ^= 0x10;
  }
});

Deno.test("a header's salt says its number where there are sums, else what it was given", () => {
  const word = (header: Header) => new DataView(encodeHeader(header).buffer).getUint32(44, true);
  assertEquals([word({ ...header, salt: [1, 77] }), word({ ...header, counter: 2 ** 33 - 1 })], [
    1,
    0xffffffff,
  ]);
  const old = { ...header, featuresIncompatible: 0, salt: [1, 77] as [number, number] };
  old.ringBytes += 4096;
  assertEquals([word(old), saltOf(old)], [77, [1, 77]]);
  assertEquals(saltOf({ ...header, salt: [5, 77] }), [5, 1]);
});

Deno.test("readHeader() puts any one bit right, and takes no header with two wrong ones", () => {
  const page = encodeHeader(header);
  assertEquals(readHeader(page), { header, isMended: false });
  for (let bit = 0; bit < 256 * 8; bit++) {
    page[bit >> 3]! ^= 1 << (bit & 7);
    const before = page.slice();
    assertEquals(readHeader(page), { header, isMended: true }, `bit ${bit}`);
    assertEquals(page, before);
    const other = (bit * 7 + 3) % 2048;
    if (other === bit) continue;
    page[other >> 3]! ^= 1 << (other & 7);
    assertEquals(readHeader(page), null, `bits ${bit} and ${other}`);
    page[other >> 3]! ^= 1 << (other & 7);
    page[bit >> 3]! ^= 1 << (bit & 7);
  }
});

Deno.test("decodeHeader() refuses what it does not know, by name", () => {
  const rows: [(view: DataView) => void, string][] = [
    [(view) => view.setUint32(4, 2, true), "header version 2"],
    [(view) => view.setUint32(144, 8, true), "feature bit 3"],
    [(view) => view.setUint32(32, 100, true), "begins at 100"],
    [(view) => view.setUint32(32, 128 * 1024, true), "begins at 131072"],
    [(view) => view.setUint32(52, 1, true), "1 pages"],
    [(view) => view.setFloat64(24, -1, true), "count of -1"],
    [(view) => view.setUint32(8, 9, true), "state 9"],
    [(view) => view.setUint32(44, 9, true), "another header's salt"],
  ];
  for (const [change, message] of rows) {
    assertThrows(() => decodeHeader(forged(change)), ErrnoError, message);
  }
});

Deno.test("newestHeader() takes the whole one with the larger counter", () => {
  const start = new Uint8Array(12288);
  start.set(encodeHeader({ ...header, counter: 5 }), 4096);
  start.set(encodeHeader({ ...header, counter: 6 }), 8192);
  assertEquals([newestHeader(start).counter, newestHeader(start).at], [6, 8192]);
  start[8200] = 0xff;
  start[8201] = 0xff;
  assertEquals([newestHeader(start).counter, newestHeader(start).at], [5, 4096]);
  start[4100] = 0xff;
  start[4101] = 0xff;
  assertThrows(() => newestHeader(start), ErrnoError, "EINVAL");
});
