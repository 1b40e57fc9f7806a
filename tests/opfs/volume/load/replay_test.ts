import { assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import type { Header } from "../../../../opfs/volume/format/header.ts";
import { RecordWriter } from "../../../../opfs/volume/format/record.ts";
import { findRecords, replayTables } from "../../../../opfs/volume/load/replay.ts";
import { freshSuperblock } from "../../../../opfs/volume/format/superblock.ts";
import { Tables } from "../../../../opfs/volume/memory/tables.ts";

const RING = 128 * 1024;
const superblock = freshSuperblock(4096, RING);
const salt: [number, number] = [1, 2];

function headerAt(place: number, sequence = 10, checksum = 99): Header {
  return {
    state: 2,
    counter: 2,
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

/** Records one after the other, from a place on. */
class Ring {
  readonly bytes = new Uint8Array(RING);
  readonly #writer = new RecordWriter(RING / 4);
  #previous = 99;
  #sequence = 10;

  add(
    place: number,
    change: {
      slot?: number;
      dataBytes?: number;
      totalBlocks?: number;
      salt?: readonly [number, number];
    } = {},
  ): number {
    const { slot = 40, dataBytes = 0, totalBlocks = 64 } = change;
    const writer = this.#writer;
    writer.begin();
    const at = writer.slot(slot);
    writer.buffer.fill(this.#sequence, at, at + 64);
    if (dataBytes > 0) writer.data(3, 0, new Uint8Array(dataBytes));
    const { bytes, checksum } = writer.end({
      sequence: this.#sequence++,
      salt: change.salt ?? salt,
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
  torn[third + 70]! ^= 3;
  assertEquals(findRecords(torn, headerAt(0)).records.length, 2);
  const damaged = ring.bytes.slice();
  damaged[second + 70]! ^= 3;
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
  // The tail says which checksum was before it: another ring has another one.
  const ring = new Ring();
  ring.add(0);
  assertThrows(
    () => findRecords(ring.bytes, headerAt(0, 10, 98)),
    ErrnoError,
    "V10: record 10 is damaged and record 10 is whole",
  );
  // Two chains of the same numbers: the second record of the other one is not of this one.
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

/** Records at the ring's start with these salts; where they end. */
function chainOf(salts: readonly (readonly [number, number])[]): Ring {
  const ring = new Ring();
  salts.reduce((place, own) => ring.add(place, { salt: own }), 0);
  return ring;
}

const old = (): Header => ({ ...headerAt(0), featuresIncompatible: 0 });

Deno.test("findRecords() goes on into the time of a later header, never of an earlier one", () => {
  const rows: [(readonly [number, number])[], number, number][] = [
    [[salt, [1, 3], [1, 3]], 2, 3],
    [[salt, [9, 3], [9, 3], [8, 5]], 1, 5],
    [[salt, [1, 2 + 2 ** 31 - 1]], 1, 2 + 2 ** 31 - 1],
    [[salt, salt], 2, 2],
  ];
  for (const [salts, replayed, counter] of rows) {
    const found = findRecords(chainOf(salts).bytes, headerAt(0));
    assertEquals([found.records.length, found.counter], [replayed, counter], String(salts));
    assertEquals(found.next.sequence, 10 + salts.length);
    assertEquals(findRecords(chainOf(salts).bytes, headerAt(0)).next.place, salts.length * 512);
  }
  // An earlier counter, another volume's with the same one, and one half of all later.
  for (const other of [[1, 1], [9, 2], [1, 2 + 2 ** 31]] as [number, number][]) {
    const reported: string[] = [];
    const found = findRecords(chainOf([salt, other]).bytes, headerAt(0), ({ rule }) => {
      reported.push(rule);
    });
    assertEquals([found.records.length, found.counter], [1, 2]);
    // Only a salt whose first word has been seen says that something is missing.
    assertEquals(reported, other[0] === 1 ? ["V10"] : []);
  }
});

Deno.test("findRecords() knows a later counter when its low half has begun anew", () => {
  const header = { ...headerAt(0), counter: 2 ** 32 - 1 };
  const before: [number, number] = [1, 2 ** 32 - 1];
  const found = findRecords(chainOf([before, [1, 0], [1, 1]]).bytes, header);
  assertEquals([found.counter, found.records.map(({ sequence }) => sequence)], [2 ** 32 + 1, [12]]);
});

Deno.test("findRecords() begins with the first record of the largest counter, and says so of two", () => {
  const two = findRecords(chainOf([salt, salt, [1, 3], [1, 3]]).bytes, headerAt(0));
  assertEquals(two.records.map(({ sequence }) => sequence), [12, 13]);
  assertEquals(two.mended.map(({ rule, isDerivable }) => [rule, isDerivable]), [["V9", true]]);
  assertEquals(two.mended[0]!.message.includes("records 12 to 13 is lost"), true);
  // One may be what a crash has left of a header and a record that were flushed together.
  const one = findRecords(chainOf([salt, salt, [1, 3]]).bytes, headerAt(0));
  assertEquals([one.records.map(({ sequence }) => sequence), one.mended], [[12], []]);
});

Deno.test("findRecords() of an image without sums knows one salt, and puts nothing right", () => {
  const chain = chainOf([salt, [1, 3], [1, 3]]).bytes;
  assertEquals(findRecords(chain, old()).records.length, 1);
  const flipped = chainOf([salt, salt]).bytes;
  flipped[600]! ^= 1;
  assertEquals(findRecords(flipped, old()).records.length, 1);
});

Deno.test("findRecords() puts any one bit of any record right, and says so", () => {
  const { bytes } = chainOf([salt, salt, [1, 3]]);
  const right = findRecords(bytes.slice(), headerAt(0));
  for (let bit = 0; bit < 3 * 512 * 8; bit++) {
    const wrong = bytes.slice();
    wrong[bit >> 3]! ^= 1 << (bit & 7);
    const found = findRecords(wrong, headerAt(0));
    assertEquals(found.mended.map(({ rule }) => rule), ["V10"], `bit ${bit}`);
    assertEquals([found.records, found.next], [right.records, right.next], `bit ${bit}`);
    assertEquals(wrong.subarray(0, 1536), bytes.subarray(0, 1536), `bit ${bit}`);
  }
});

Deno.test("findRecords() takes two wrong bits of the last record for a tear", () => {
  const { bytes } = chainOf([salt, salt]);
  for (let bit = 0; bit < 512 * 8; bit += 7) {
    const wrong = bytes.slice();
    wrong[512 + (bit >> 3)]! ^= 1 << (bit & 7);
    wrong[512 + ((bit * 5 + 11) % 4096 >> 3)]! ^= 1 << ((bit * 5 + 11) % 4096 & 7);
    const before = wrong.slice();
    const found = findRecords(wrong, headerAt(0));
    if (before.every((byte, at) => byte === bytes[at])) continue;
    assertEquals([found.records.length, found.mended], [1, []], `bit ${bit}`);
    assertEquals(wrong.subarray(0, 1536), before.subarray(0, 1536));
  }
});

Deno.test("findRecords() believes no record of another image that stands in a file's bytes", () => {
  const stranger = new Ring();
  for (let count = 0; count < 30; count++) stranger.add(0, { salt: [7, 9] });
  const ring = chainOf([salt, salt]);
  ring.bytes.set(stranger.bytes.subarray(0, 512), 4096);
  assertEquals(findRecords(ring.bytes, headerAt(0)).records.length, 2);
  // One of ours in the same place is a record of which the one before is missing.
  const ours = new Ring();
  for (let count = 0; count < 30; count++) ours.add(0, { salt: [1, 9] });
  ring.bytes.set(ours.bytes.subarray(0, 512), 4096);
  assertThrows(() => findRecords(ring.bytes, headerAt(0)), ErrnoError, "record 12 is damaged");
});
