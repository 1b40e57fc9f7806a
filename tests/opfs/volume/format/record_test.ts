import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import { crc32, crc32c } from "../../../../opfs/volume/format/checksum.ts";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { RecordReader, RecordWriter } from "../../../../opfs/volume/format/record.ts";
import { resealRecord } from "../../../support/reseal.ts";

const RING = 128 * 1024;
const head = { salt: [5, 6] as const, previous: 77, totalBlocks: 64, time: 1.5 };

/** A ring with one record of each list at byte 512. */
function ringWithRecord(): Uint8Array {
  const writer = new RecordWriter(RING / 4);
  writer.begin();
  for (const index of [33, 40]) writer.buffer.fill(index, writer.slot(index), writer.length);
  writer.names(160, new Uint8Array(48).fill(1));
  writer.data(7, 100, new Uint8Array(5).fill(2));
  writer.data(8, 0, new Uint8Array(600).fill(3));
  writer.sum(3, 0xfedcba98);
  const { bytes } = writer.end({ ...head, sequence: 9 });
  const ring = new Uint8Array(RING);
  ring.set(bytes, 512);
  return ring;
}

Deno.test("RecordReader reads what RecordWriter has written", () => {
  const reader = new RecordReader(ringWithRecord());
  const record = reader.at(512)!;
  assertEquals(record.salt, [5, 6]);
  assertEquals([record.sequence, record.previous, record.totalBlocks, record.time], [
    9,
    77,
    64,
    1.5,
  ]);
  assertEquals(record.bytes % 512, 0);
  const { slots, names, data, sums } = reader.lists(record);
  assertEquals(sums, [{ key: 3, sum: 0xfedcba98 }]);
  assertEquals(slots.map(({ index, bytes }) => [index, bytes.length, bytes[0]]), [
    [33, 64, 33],
    [40, 64, 40],
  ]);
  assertEquals(names.map(({ offset, bytes }) => [offset, bytes.length]), [[160, 48]]);
  assertEquals(data.map(({ block, offset, bytes }) => [block, offset, bytes.length]), [
    [7, 100, 5],
    [8, 0, 600],
  ]);
});

Deno.test("RecordReader takes no record with one wrong bit, that is not wanted, or elsewhere", () => {
  const ring = ringWithRecord();
  const reader = new RecordReader(ring);
  const { bytes } = reader.at(512)!;
  assertEquals(reader.at(512, ({ sequence }) => sequence === 8), null);
  assertEquals(reader.at(0), null);
  assertEquals(reader.at(RING - 32), null);
  for (let at = 512; at < 512 + bytes; at++) {
    ring[at]! ^= 1;
    assertEquals(reader.at(512), null, `byte ${at}`);
    ring[at]! ^= 1;
  }
});

Deno.test("RecordReader.lists() refuses lists that are longer than their record", () => {
  for (const field of [L.RECORD.SLOTS, L.RECORD.NAMES, L.RECORD.DATA, L.RECORD.SUMS]) {
    for (const count of [1000, 0xffffffff]) {
      const ring = ringWithRecord();
      const view = new DataView(ring.buffer);
      view.setUint32(512 + field, count, true);
      resealRecord(ring, 512);
      const reader = new RecordReader(ring);
      const record = reader.at(512);
      assert(record !== null);
      assertThrows(() => reader.lists(record), ErrnoError, "V10");
    }
  }
});

Deno.test("RecordWriter pads with zeros what an earlier record has left", () => {
  const writer = new RecordWriter(RING / 4);
  writer.begin();
  writer.data(1, 0, new Uint8Array(2000).fill(9));
  writer.end({ ...head, sequence: 1 });
  writer.begin();
  writer.data(1, 16, new Uint8Array(3).fill(8));
  const { bytes } = writer.end({ ...head, sequence: 2 });
  assertEquals(bytes.length, 512);
  assert(bytes.subarray(64 + 12 + 3).every((byte) => byte === 0));
});

Deno.test("RecordReader wants both checksums where there are sums, the first one elsewhere", () => {
  const ring = ringWithRecord();
  const view = new DataView(ring.buffer);
  const { bytes } = new RecordReader(ring).at(512)!;
  const second = view.getUint32(512 + L.RECORD.CHECKSUM_C, true);
  assertEquals(second, crc32c(withZeros(ring.slice(512, 512 + bytes))));
  view.setUint32(512 + L.RECORD.CHECKSUM_C, second ^ 3, true);
  view.setUint32(512 + L.RECORD.CHECKSUM, 0, true);
  view.setUint32(512 + L.RECORD.CHECKSUM, crc32(ring, 512, 512 + bytes), true);
  assertEquals(new RecordReader(ring).at(512), null);
  assertEquals(new RecordReader(ring, { isSummed: false }).at(512)?.sequence, 9);
});

function withZeros(record: Uint8Array): Uint8Array {
  record.fill(0, L.RECORD.CHECKSUM, L.RECORD.CHECKSUM + 4);
  return record.fill(0, L.RECORD.CHECKSUM_C, L.RECORD.CHECKSUM_C + 4);
}

Deno.test("RecordWriter leaves the second checksum of an image without sums zero", () => {
  const writer = new RecordWriter(RING / 4, { isSummed: false });
  writer.begin();
  writer.data(1, 0, new Uint8Array(20).fill(9));
  const { bytes } = writer.end({ ...head, sequence: 1 });
  assertEquals(new DataView(bytes.buffer).getUint32(L.RECORD.CHECKSUM_C, true), 0);
});

Deno.test("RecordWriter.placeOfSlot() is where slot() has put it", () => {
  const writer = new RecordWriter(RING / 4);
  writer.begin();
  const places = [3, 9, 12].map((index) => writer.slot(index));
  assertEquals([0, 1, 2].map((index) => writer.placeOfSlot(index)), places);
  assertEquals([writer.slotCount, writer.view.buffer], [3, writer.buffer.buffer]);
});
