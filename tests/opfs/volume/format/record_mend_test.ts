import { assertEquals } from "@std/assert";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { mendRecord } from "../../../../opfs/volume/format/record_mend.ts";
import {
  type FoundRecord,
  RecordReader,
  RecordWriter,
} from "../../../../opfs/volume/format/record.ts";

const RING = 128 * 1024;
const PLACE = 1024;
const expected = {
  sequence: 9,
  checksum: 77,
  isNext: ({ sequence, previous, salt }: FoundRecord) =>
    sequence === 9 && previous === 77 && salt[0] === 5 && salt[1] === 6,
};

function ringWith(dataBytes: number): { ring: Uint8Array; bytes: number } {
  const writer = new RecordWriter(RING / 4);
  writer.begin();
  writer.data(3, 0, new Uint8Array(dataBytes).map((_, index) => index * 7));
  const head = { sequence: 9, salt: [5, 6] as const, previous: 77, totalBlocks: 64, time: 1 };
  const { bytes } = writer.end(head);
  const ring = new Uint8Array(RING);
  ring.set(bytes, PLACE);
  return { ring, bytes: bytes.length };
}

function mendedWith(ring: Uint8Array, change: Partial<typeof expected> = {}): number | undefined {
  return mendRecord(new RecordReader(ring), PLACE, { ...expected, ...change })?.bytes;
}

Deno.test("mendRecord() puts right any one bit of a record, its length and checksums too", () => {
  const { ring, bytes } = ringWith(900);
  const right = ring.slice();
  for (let bit = 0; bit < bytes * 8; bit++) {
    ring[PLACE + (bit >> 3)]! ^= 1 << (bit & 7);
    assertEquals(mendedWith(ring), bytes, `bit ${bit}`);
    assertEquals(ring.subarray(0, 4096), right.subarray(0, 4096), `bit ${bit}`);
  }
});

Deno.test("mendRecord() puts right a bit of the longest record", () => {
  const { ring, bytes } = ringWith(RING / 4 - 200);
  const right = ring.slice();
  for (const bit of [0, 33, 8 * 5000 + 3, bytes * 8 - 1]) {
    ring[PLACE + (bit >> 3)]! ^= 1 << (bit & 7);
    assertEquals([mendedWith(ring), ring], [bytes, right], `bit ${bit}`);
  }
});

Deno.test("mendRecord() leaves alone what is not the next record but for one bit", () => {
  const rows: [string, (ring: Uint8Array) => void, Partial<typeof expected>][] = [
    ["two bits of the bytes", (ring) => ring[PLACE + 100]! ^= 3, {}],
    ["a bit of the bytes and one of the magic", (ring) => {
      ring[PLACE + 100]! ^= 1;
      ring[PLACE]! ^= 1;
    }, {}],
    ["a bit of both checksums", (ring) => {
      ring[PLACE + L.RECORD.CHECKSUM]! ^= 1;
      ring[PLACE + L.RECORD.CHECKSUM_C]! ^= 1;
    }, {}],
    ["another sequence", (ring) => ring[PLACE + 100]! ^= 1, { sequence: 10 }],
    ["another one before", (ring) => ring[PLACE + 100]! ^= 1, { checksum: 77 ^ 3 }],
    ["one that does not fit", (ring) => ring[PLACE + 100]! ^= 1, { isNext: () => false }],
    ["no record", (ring) => ring.fill(0), {}],
  ];
  for (const [what, damage, change] of rows) {
    const { ring } = ringWith(300);
    damage(ring);
    const before = ring.slice();
    assertEquals(mendedWith(ring, change), undefined, what);
    assertEquals(ring, before, what);
  }
  assertEquals(mendRecord(new RecordReader(new Uint8Array(512)), 512, expected), null);
});

Deno.test("mendRecord() wants the second checksum: the first one alone is not believed", () => {
  // A tear that is one bit from agreeing with the CRC-32 by chance: made by a wrong CRC-32C.
  const { ring } = ringWith(300);
  const view = new DataView(ring.buffer);
  view.setUint32(PLACE + L.RECORD.CHECKSUM_C, 0x12345678, true);
  view.setUint32(PLACE + L.RECORD.CHECKSUM, 0, true);
  const first = new RecordReader(ring, { isSummed: false }).checksumAt(PLACE, 512);
  view.setUint32(PLACE + L.RECORD.CHECKSUM, first, true);
  ring[PLACE + 100]! ^= 1;
  assertEquals(mendedWith(ring), undefined);
});
