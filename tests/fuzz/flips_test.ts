/**
 * Every bit of an image's metadata, turned one at a time: nothing is ever silently wrong.
 *
 * The short form turns some bits of each field; with CAIRN_LONG=1 every bit of the pages in use of a
 * small image, the last record too, and 10,000 random ones of the rest.
 */
import { assertEquals } from "@std/assert";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { newestHeader } from "../../opfs/volume/format/header.ts";
import { loadImage } from "../../opfs/volume/load/image.ts";
import * as L from "../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { scan } from "../../opfs/volume/load/scan.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import { valueRuns } from "../../opfs/volume/memory/xattr_record.ts";
import { Flipped, FlipTable } from "../support/flipped.ts";
import { DIRECTORY, FILE } from "../support/on_volume.ts";
import { type Prng, prng } from "../support/prng.ts";

const IS_LONG = Deno.env.get("CAIRN_LONG") === "1";
/** Flips of each structure in the table. */
const EACH = IS_LONG ? 150 : 12;
const RANDOM = IS_LONG ? 10_000 : 150;

/** One of everything. */
function populate(volume: Volume): void {
  const directory = volume.create(volume.root, "directory", DIRECTORY);
  const file = volume.create(volume.root, "file", { ...FILE, uid: 1000, gid: 100 });
  volume.write(file, new Uint8Array(9000).fill(1), 0);
  volume.link(file, directory, "second name");
  volume.create(directory, "link", { ...FILE, mode: 0o120777, target: "../some/target" });
  volume.create(directory, "device", { ...FILE, mode: 0o020600, rdev: 259 });
  const pieces = volume.create(volume.root, "pieces", FILE);
  for (let index = 9; index >= 1; index--) {
    volume.write(pieces, new Uint8Array(10).fill(3), index * 20_000);
  }
  volume.setxattr(file, "user.short", new Uint8Array([1, 2, 3]), 0);
  volume.setxattr(file, "user.long", new Uint8Array(700).fill(4), 0);
  // Dead slots stay where it was.
  volume.unlink(volume.root, "pieces");
  const again = volume.create(volume.root, "pieces", FILE);
  for (let index = 9; index >= 1; index--) {
    volume.write(again, new Uint8Array(10).fill(5), index * 20_000);
  }
}

/** Closed, or with records: the first of them touches what the later ones do not. */
function image(isClosed: boolean): Uint8Array<ArrayBuffer> {
  const handle = memoryHandle();
  let now = 1_700_000_000_000;
  const options = {
    ringBytes: L.RING_BYTES_MIN,
    clock: () => now += 0.25,
    random: (bytes: Uint8Array) => void bytes.fill(7),
  };
  let volume = openVolumeSync(handle, options);
  populate(volume);
  volume.close();
  if (isClosed) return handle.toBytes();
  volume = openVolumeSync(handle, options);
  for (const name of ["one", "two", "three"]) {
    const ino = volume.create(volume.root, name, FILE);
    volume.setxattr(ino, "user.new", new Uint8Array(400).fill(6), 0);
    volume.sync();
  }
  return handle.toBytes();
}

/** Fields of slots by the kinds of slots that have them: name, byte, length. */
const FIELDS: readonly [string, readonly number[], number, number][] = [
  ["type, flags", [1, 2, 3], 0, 2],
  ["generation", [1, 2, 3], 2, 2],
  ["name offset, length", [1, 2, 3], 4, 6],
  ["nlink", [1, 3], 10, 2],
  ["mode", [1, 2, 3], 12, 4],
  ["size", [1, 3], 16, 8],
  ["first block, count", [1, 3], 24, 8],
  ["times", [1, 2, 3], 32, 24],
  ["uid, gid", [1, 2, 3], 56, 8],
  ["type 4", [4], 0, 64],
  ["type 6", [6], 0, 64],
  ["type 7", [7], 0, 64],
  ["free slot", [0], 0, 64],
];

/** Places of each structure: from and to, in bytes. */
function structures(bytes: Uint8Array<ArrayBuffer>): Map<string, [number, number][]> {
  const found = new Map<string, [number, number][]>();
  const add = (name: string, from: number, length: number): void => {
    const places = found.get(name);
    if (places === undefined) found.set(name, [[from, from + length]]);
    else places.push([from, from + length]);
  };
  const loaded = loadImage(memoryHandle(bytes));
  const { superblock, tables } = loaded;
  const derived = scan(tables, superblock, loaded.segments);
  for (const { name, from, to } of new Flipped(bytes).regions()) {
    if (name !== "slots" && name !== "names") add(name, from, to - from);
  }
  for (let slot = L.FIRST_FILE_SLOT; slot < 100; slot++) {
    const type = tables.view.getUint8(slot * L.SLOT_BYTES);
    for (const [name, types, byte, length] of FIELDS) {
      if (types.includes(type)) {
        add(name, superblock.inodeOffset + slot * L.SLOT_BYTES + byte, length);
      }
    }
    if (type === L.TYPE.FREE || type > L.TYPE.LINK) continue;
    const entry = tables.view.getUint32(slot * L.SLOT_BYTES + L.SLOT.PATH_OFFSET, true);
    add("parent", superblock.pathOffset + entry, 4);
    const length = tables.view.getUint16(slot * L.SLOT_BYTES + L.SLOT.PATH_LENGTH, true);
    add("name bytes", superblock.pathOffset + entry + 4, length);
    const [run] = type === L.TYPE.SYMLINK ? derived.extents.runsOf(slot) : [];
    const size = tables.view.getFloat64(slot * L.SLOT_BYTES + L.SLOT.SIZE, true);
    if (run) add("target", superblock.dataOffset + run.block * superblock.blockSize, size + 4);
  }
  for (const slots of derived.xattrs.values()) {
    for (const slot of slots) {
      const at = slot * L.SLOT_BYTES;
      const [run] = valueRuns(tables.view, at);
      const size = tables.view.getUint32(at + L.XATTR.SIZE, true);
      if (run) add("value", superblock.dataOffset + run.block * superblock.blockSize, size);
    }
  }
  return found;
}

function bitIn([from, to]: [number, number], random: Prng): number {
  return from * 8 + random.below((to - from) * 8);
}

Deno.test("no turned bit of segments and their descriptors is silently wrong", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, { ringBytes: L.RING_BYTES_MIN });
  for (let index = 0; index < 1100; index++) {
    volume.create(volume.root, `${index}`.padEnd(70, "x"), FILE);
  }
  volume.close();
  const bytes = handle.toBytes();
  const flipped = new Flipped(bytes);
  const { inodeOffset, dataOffset } = newestHeader(bytes).superblock;
  const random = prng(7);
  const table = new FlipTable();
  for (let count = 0; count < EACH; count++) {
    const descriptor = inodeOffset + (1 + random.below(2)) * L.SLOT_BYTES;
    table.add("type 5", flipped.flip(bitIn([descriptor, descriptor + L.SLOT_BYTES], random)));
    for (const { name, from, to } of flipped.regions()) {
      if (from < dataOffset) continue;
      // Most of a further segment is free; its beginning is not.
      const end = Math.min(to, from + (name === "sums" ? 16 : L.PAGE_BYTES));
      table.add(`further ${name}`, flipped.flip(bitIn([from, end], random)));
    }
  }
  console.log(`a closed image with segments\n${table}`);
  assertEquals(table.wrong, 0);
});

for (const isClosed of [true, false]) {
  const what = isClosed ? "a closed image" : "an image with records";
  Deno.test(`no turned bit of ${what} is silently wrong: table by structure`, () => {
    const bytes = image(isClosed);
    const flipped = new Flipped(bytes);
    const random = prng(5);
    const table = new FlipTable();
    let wrong = 0;
    for (const [name, places] of structures(bytes)) {
      for (let count = 0; count < EACH; count++) {
        const outcome = flipped.flip(bitIn(random.pick(places), random));
        table.add(name, outcome);
        if (outcome === "wrong") wrong++;
      }
    }
    console.log(`${what}\n${table}`);
    assertEquals(wrong, 0);
  });

  Deno.test(`no turned bit of ${what} is silently wrong: anywhere but in files`, () => {
    const bytes = image(isClosed);
    const flipped = new Flipped(bytes);
    const { dataOffset } = newestHeader(bytes).superblock;
    const random = prng(6);
    for (let count = 0; count < RANDOM; count++) {
      const bit = random.below(bytes.length * 8);
      const at = bit >> 3;
      // Bytes of files have no sum.
      const outcome = at < dataOffset ? flipped.flipWithContents(bit) : flipped.flip(bit);
      assertEquals(outcome === "wrong", false, `bit ${bit & 7} of byte ${at}`);
    }
  });

  Deno.test({
    name: `no bit of the pages in use of ${what} is silently wrong`,
    ignore: !IS_LONG,
    fn(): void {
      const bytes = image(isClosed);
      const flipped = new Flipped(bytes);
      const table = new FlipTable();
      let wrong = 0;
      for (const { name, from, to } of flipped.regions()) {
        for (let at = from; at < Math.min(to, from + L.PAGE_BYTES); at++) {
          for (let bit = 0; bit < 8; bit++) {
            const outcome = flipped.flip(at * 8 + bit);
            table.add(name, outcome);
            if (outcome === "wrong") wrong++;
          }
        }
      }
      console.log(`${what}, every bit\n${table}`);
      assertEquals(wrong, 0);
    },
  });
}
