import { assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import type { Header } from "../../../opfs/volume/header.ts";
import { RecordWriter } from "../../../opfs/volume/record.ts";
import { findRecords, replayTables } from "../../../opfs/volume/replay.ts";
import { freshSuperblock } from "../../../opfs/volume/superblock.ts";
import { Tables } from "../../../opfs/volume/tables.ts";

const RING = 128 * 1024;
const superblock = freshSuperblock(4096, RING);
const salt: [number, number] = [1, 2];

function headerAt(place: number, sequence = 10, checksum = 99): Header {
  return {
    state: 2,
    counter: 1,
    tailSequence: sequence,
    tailPlace: place,
    tailChecksum: checksum,
    salt,
    term: 1,
    ringBytes: RING,
    featuresIncompatible: 1,
    featuresReadOnly: 0,
    superblock,
    volumeId: new Uint8Array(16),
    label: "",
    limitBytes: 0,
  };
}

/** Records one behind the other, from a place on. */
class Ring {
  readonly bytes = new Uint8Array(RING);
  readonly #writer = new RecordWriter(RING / 4);
  #previous = 99;
  #sequence = 10;

  add(
    place: number,
    change: { slot?: number; dataBytes?: number; totalBlocks?: number } = {},
  ): number {
    const { slot = 40, dataBytes = 0, totalBlocks = 64 } = change;
    const writer = this.#writer;
    writer.begin();
    const at = writer.slot(slot);
    writer.buffer.fill(this.#sequence, at, at + 64);
    if (dataBytes > 0) writer.data(3, 0, new Uint8Array(dataBytes));
    const { bytes, checksum } = writer.end({
      sequence: this.#sequence++,
      salt,
      previous: this.#previous,
      totalBlocks,
      time: 0,
    });
    this.bytes.set(bytes, place);
    this.#previous = checksum;
    return place + bytes.length;
  }
}

Deno.test("findRecords() follows the chain and stops where it ends", () => {
  const ring = new Ring();
  ring.add(ring.add(ring.add(1024)));
  const { records, next } = findRecords(ring.bytes, headerAt(1024));
  assertEquals(records.map(({ sequence }) => sequence), [10, 11, 12]);
  assertEquals([next.sequence, next.place], [13, 2560]);
  assertEquals(findRecords(ring.bytes, headerAt(1024, 13)).records, []);
  assertEquals(findRecords(new Uint8Array(RING), headerAt(0)).records, []);
});

Deno.test("findRecords() goes on at the ring's start when a record did not fit", () => {
  const ring = new Ring();
  const end = ring.add(RING - 1024);
  assertEquals(end, RING - 512);
  ring.add(0, { dataBytes: 3000 });
  assertEquals(findRecords(ring.bytes, headerAt(RING - 1024)).records.length, 2);
  const early = new Ring();
  early.add(early.add(RING - 1024) * 0);
  assertThrows(() => findRecords(early.bytes, headerAt(RING - 1024)), ErrnoError, "V10");
});

Deno.test("findRecords() takes a torn last record for none, and refuses damage in the middle", () => {
  const ring = new Ring();
  const second = ring.add(0);
  const third = ring.add(second);
  ring.add(third);
  const torn = ring.bytes.slice();
  torn[third + 70]! ^= 1;
  assertEquals(findRecords(torn, headerAt(0)).records.length, 2);
  const damaged = ring.bytes.slice();
  damaged[second + 70]! ^= 1;
  assertThrows(
    () => findRecords(damaged, headerAt(0)),
    ErrnoError,
    "record 11 is damaged and record 12 is whole",
  );
});

Deno.test("findRecords() says whether the last record has made the volume longer", () => {
  const ring = new Ring();
  const second = ring.add(0, { totalBlocks: 100 });
  let found = findRecords(ring.bytes, headerAt(0));
  assertEquals([found.totalBlocks, found.isLonger], [100, true]);
  ring.add(second, { totalBlocks: 100 });
  found = findRecords(ring.bytes, headerAt(0));
  assertEquals([found.totalBlocks, found.isLonger], [100, false]);
});

Deno.test("replayTables() applies in order and refuses what is not there", () => {
  const tables = () => new Tables(new Uint8Array(1024 * 64), new Uint8Array(65536));
  const ring = new Ring();
  ring.add(ring.add(0, { dataBytes: 10 }), { dataBytes: 20 });
  const replay = findRecords(ring.bytes, headerAt(0));
  const into = tables();
  const patches = replayTables(replay, { tables: into, superblock });
  assertEquals([into.slots[40 * 64], patches.get(3)!.map(({ bytes }) => bytes.length)], [11, [
    10,
    20,
  ]]);
  assertEquals(into.homeSlots.toArray(), [0]);
  for (const change of [{ slot: 1024 }, { dataBytes: 5000 }, { dataBytes: 1, totalBlocks: 3 }]) {
    const bad = new Ring();
    bad.add(0, change);
    const found = findRecords(bad.bytes, headerAt(0));
    assertThrows(() => replayTables(found, { tables: tables(), superblock }), ErrnoError, "V10");
  }
});

Deno.test("findRecords() does not take a record that follows another one than the last", () => {
  // The tail says which checksum was before it: a ring of somebody else has another one.
  const ring = new Ring();
  ring.add(0);
  assertThrows(
    () => findRecords(ring.bytes, headerAt(0, 10, 98)),
    ErrnoError,
    "V10: record 10 is damaged and record 10 is whole",
  );
  // Two chains of the same numbers: the second record of the other one is none of this.
  const [one, other] = [new Ring(), new Ring()];
  const end = one.add(0);
  other.add(0, { slot: 41 });
  other.add(end);
  one.bytes.set(other.bytes.subarray(end, end + 512), end);
  assertThrows(
    () => findRecords(one.bytes, headerAt(0)),
    ErrnoError,
    "V10: record 11 is damaged and record 11 is whole",
  );
});
