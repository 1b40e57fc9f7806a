/**
 * Headers and records that get lost to damage, at every moment that a crash could leave: the volume is
 * the one that it would be without the damage, or is refused. It is never another one.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { isErrnoError } from "../../abi/errno.ts";
import type { StorageHandle } from "../../opfs/device/handle.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { newestHeader } from "../../opfs/volume/format/header.ts";
import { loadImage } from "../../opfs/volume/load/image.ts";
import * as L from "../../opfs/volume/format/layout.ts";
import { openVolumeSync, type VolumeOptions } from "../../opfs/volume/load/mount.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import { CrashHandle } from "../support/crash_handle.ts";
import { contentsOf, metadataOf } from "../support/flipped.ts";
import { FILE } from "../support/on_volume.ts";
import { type Prng, prng } from "../support/prng.ts";

const IS_LONG = Deno.env.get("CAIRN_LONG") === "1";
const SEEDS = IS_LONG ? 40 : 6;
const SESSIONS = 5;
/** Every how many images one is damaged, about. */
const BETWEEN = IS_LONG ? 3 : 8;
const FLIPS = 3;
const NAMES = ["a", "b", "c", "d", "e"];

/** What an image shows, with the bytes of files or without; or that it is refused. */
function shown(bytes: Uint8Array, isAll = true): string {
  try {
    const volume = openVolumeSync(memoryHandle(bytes), { readOnly: true });
    return isAll ? `${metadataOf(volume)}\n${contentsOf(volume)}` : metadataOf(volume);
  } catch (error) {
    if (!isErrnoError(error)) throw error;
    return REFUSED;
  }
}

const REFUSED = "refused";

/** One random call; what it is refused for does not matter. */
function act(volume: Volume, random: Prng): void {
  const { root } = volume;
  const name = random.pick(NAMES);
  const ino = (): number => volume.lookup(root, name);
  const bytes = (most: number): Uint8Array =>
    new Uint8Array(random.below(most)).fill(volume.root + random.below(200));
  const calls: (() => unknown)[] = [
    () => volume.create(root, name, FILE),
    () => volume.write(ino(), bytes(9000), random.below(20_000)),
    () => volume.write(ino(), bytes(200_000), 0),
    () => volume.setattr(ino(), { size: random.below(30_000) }),
    () => volume.unlink(root, name),
    () => volume.rename(root, name, root, random.pick(NAMES), 0),
    () => volume.create(root, name, { ...FILE, mode: 0o120777, target: `to ${random.below(99)}` }),
    () => volume.setxattr(ino(), "user.x", bytes(600), 0),
    () => volume.sync(),
  ];
  try {
    random.pick(calls)();
  } catch (error) {
    if (!isErrnoError(error)) throw error;
  }
}

/** A device with a history, and at which of its calls everything was durable. */
interface History {
  handle: CrashHandle;
  durableAt: Set<number>;
}

/** Sessions of random calls, some closed, some given up as by a crash. */
function history(seed: number): History {
  const random = prng(seed);
  const handle = new CrashHandle();
  let now = 1_700_000_000_000;
  const options: VolumeOptions = {
    ringBytes: L.RING_BYTES_MIN,
    slots: 64,
    clock: () => now++,
    random: random.fill,
    durability: seed % 2 === 0 ? "op" : "fsync",
  };
  const durableAt = new Set<number>();
  handle.refuses = (at) => seed % 3 === 0 && at === L.HEADER_A_AT && random.below(3) === 0;
  for (let session = 0; session < SESSIONS; session++) {
    try {
      const volume = openVolumeSync(handle, options);
      const calls = random.below(60);
      for (let call = 0; call < calls; call++) act(volume, random);
      if (random.below(3) === 0) volume.sync();
      else if (random.below(2) === 0) volume.close();
      else continue;
      durableAt.add(handle.changes.length);
    } catch (error) {
      if (!isErrnoError(error)) throw error;
    }
  }
  return { handle, durableAt };
}

/** Sectors and bytes of headers and of the records that count. */
function* placesOf(bytes: Uint8Array): Generator<{ from: number; length: number }> {
  for (const from of [L.HEADER_A_AT, L.HEADER_B_AT]) yield { from, length: L.HEADER_BYTES };
  for (const { place, bytes: length } of loadImage(memoryHandle(bytes)).replay.records) {
    yield { from: L.RING_AT + place, length };
  }
}

Deno.test("a lost header is never another volume, whenever it is lost", () => {
  const random = prng(9);
  const counts = { images: 0, exact: 0, refused: 0, flips: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { handle, durableAt } = history(seed);
    for (const { bytes, point, model } of handle.crashes(random)) {
      const isDurable = durableAt.has(point);
      if (random.below(BETWEEN) > 0 && !isDurable || bytes.length < L.RING_AT) continue;
      const right = shown(bytes);
      if (right === REFUSED) continue;
      counts.images++;
      const where = `seed ${seed}, ${model} at call ${point}`;
      for (const at of [L.HEADER_A_AT, L.HEADER_B_AT]) {
        const lost = bytes.slice();
        random.fill(lost.subarray(at, at + L.HEADER_BYTES));
        // What is written over in place and not durable yet may be the old bytes again.
        const found = shown(lost, isDurable);
        if (found === REFUSED) counts.refused++;
        else counts.exact++;
        const isRight = found === (isDurable ? right : shown(bytes, false));
        assert(found === REFUSED || isRight, `${where}: header at ${at} lost`);
      }
      const places = [...placesOf(bytes)];
      for (let flip = 0; flip < FLIPS; flip++) {
        const { from, length } = random.pick(places);
        const bit = from * 8 + random.below(length * 8);
        const flipped = bytes.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        assert(shown(flipped) === right, `${where}: bit ${bit & 7} of byte ${bit >> 3}`);
        counts.flips++;
      }
    }
  }
  console.log(JSON.stringify(counts));
  assert(counts.exact > counts.refused && counts.images > 30, JSON.stringify(counts));
});

/** A volume of two sessions; the second one's calls are durable, and it is given up. */
function twoSessions(calls: number): { bytes: Uint8Array; newest: number } {
  const handle = memoryHandle();
  const options: VolumeOptions = { ringBytes: L.RING_BYTES_MIN, durability: "op" };
  let volume = openVolumeSync(handle, options);
  volume.create(volume.root, "old", FILE);
  volume.close();
  volume = openVolumeSync(handle, options);
  for (let call = 0; call < calls; call++) volume.create(volume.root, `new ${call}`, FILE);
  const bytes = handle.toBytes();
  return { bytes, newest: newestHeader(bytes).at };
}

Deno.test("a lost header is said when two records speak of it, and replaced by the next mount", () => {
  for (const [calls, rules] of [[1, []], [2, ["V9"]], [50, ["V9"]]] as [number, string[]][]) {
    const { bytes, newest } = twoSessions(calls);
    const { counter } = newestHeader(bytes);
    bytes.fill(0, newest, newest + L.PAGE_BYTES);
    const handle = memoryHandle(bytes);
    const volume = openVolumeSync(handle);
    assertEquals(volume.report.corrected.map(({ rule }) => rule), rules, `${calls} calls`);
    assertEquals(volume.readdir(volume.root, 0).length, Math.min(calls + 1, 51));
    const next = newestHeader(handle.toBytes());
    // Its place is the lost one's, its number is later than that one's.
    assertEquals([next.at, next.counter > counter], [newest, true]);
    volume.close();
  }
});

Deno.test("the older header is lost without a loss; both are refused", () => {
  const { bytes, newest } = twoSessions(20);
  const older = newest === L.HEADER_A_AT ? L.HEADER_B_AT : L.HEADER_A_AT;
  const right = shown(bytes);
  bytes.fill(0xff, older, older + L.HEADER_BYTES);
  assertEquals(shown(bytes), right);
  bytes.fill(0xff, newest, newest + L.HEADER_BYTES);
  assertEquals(shown(bytes), REFUSED);
});

Deno.test("a header that was refused is not said to be lost", () => {
  const device = memoryHandle();
  let isRefusing = false;
  const handle: StorageHandle = {
    read: (into, options) => device.read(into, options),
    write: (from, options) => {
      const isHeader = options.at >= L.HEADER_A_AT && options.at < L.RING_AT;
      return isRefusing && isHeader ? 0 : device.write(from, options);
    },
    getSize: () => device.getSize(),
    truncate: (sizeBytes) => device.truncate(sizeBytes),
    flush: () => {},
    close: () => {},
  };
  const volume = openVolumeSync(handle, { durability: "op" });
  for (const name of ["a", "b"]) volume.create(volume.root, name, FILE);
  isRefusing = true;
  assertThrows(() => volume.exportImage(), Error, "ENOSPC");
  isRefusing = false;
  for (const name of ["c", "d", "e"]) volume.create(volume.root, name, FILE);
  const crashed = memoryHandle(device.toBytes());
  assertEquals(checkVolume(crashed).violations, []);
  const again = openVolumeSync(crashed);
  assertEquals(again.report.corrected, []);
  assertEquals(again.readdir(again.root, 0).length, 5);
  again.close();
});
