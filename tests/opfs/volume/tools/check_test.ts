/** Every broken rule, seeded one by one into a good image, is found. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { encodeHeader, newestHeader } from "../../../../opfs/volume/format/header.ts";
import { crc32 } from "../../../../opfs/volume/format/checksum.ts";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { contentsOf } from "../../../support/model_tree.ts";
import { reseal, resealRecord } from "../../../support/reseal.ts";

const FILE = { mode: 0o100644, uid: 0, gid: 0 };

/** Slots of the image below. */
const SLOT = { plain: 32, second: 33, directory: 34, inner: 35, link: 36, symlink: 37, pieces: 38 };

/** A clean image with one of everything. */
const good: Uint8Array = (() => {
  const handle = memoryHandle();
  let now = 1;
  const volume = openVolumeSync(handle, { clock: () => now++, random: (bytes) => bytes.fill(7) });
  const { root } = volume;
  const plain = volume.create(root, "plain", FILE);
  volume.write(plain, new Uint8Array(5000).fill(1), 0);
  const second = volume.create(root, "second", FILE);
  volume.write(second, new Uint8Array(5000).fill(2), 0);
  const directory = volume.create(root, "directory", { ...FILE, mode: 0o040755 });
  volume.create(directory, "inner", { ...FILE, mode: 0o040755 });
  volume.link(plain, directory, "link");
  volume.create(root, "symlink", { ...FILE, mode: 0o120777, target: "plain" });
  const pieces = volume.create(root, "pieces", FILE);
  for (let index = 9; index >= 1; index--) {
    volume.write(pieces, new Uint8Array(10).fill(3), index * 20_000);
  }
  volume.close();
  return handle.toBytes();
})();

const { superblock } = newestHeader(good);
const at = (slot: number): number => superblock.inodeOffset + slot * L.SLOT_BYTES;
const continuation = SLOT.pieces + 1;

type Damage = (view: DataView, bytes: Uint8Array) => void;
const u8 = (offset: number, value: number): Damage => (view) => view.setUint8(offset, value);
const u16 = (offset: number, v: number): Damage => (view) => view.setUint16(offset, v, true);
const u32 = (offset: number, v: number): Damage => (view) => view.setUint32(offset, v, true);
const f64 = (offset: number, v: number): Damage => (view) => view.setFloat64(offset, v, true);
const copy = (from: number, to: number, length: number): Damage => (_, bytes) =>
  bytes.copyWithin(to, from, from + length);

/** Where a name's entry is. */
function entry(slot: number): number {
  const view = new DataView(good.buffer);
  return superblock.pathOffset + view.getUint32(at(slot) + L.SLOT.PATH_OFFSET, true);
}

function header(change: object): Damage {
  return (_, bytes) => {
    const newest = newestHeader(bytes);
    bytes.set(encodeHeader({ ...newest, ...change }), newest.at);
  };
}

/** What is done to the image, the rule it breaks, and whether a mount puts it right. */
const damages: readonly [string, Damage, string, "mended" | "refused"][] = [
  ["two files own a block", copy(at(32) + 24, at(33) + 24, 4), "V1", "refused"],
  ["a bit of a used block is clear", u8(superblock.bitmapOffset, 0), "V2", "mended"],
  ["a bit of a free block is set", u8(superblock.bitmapOffset + 7, 0xff), "V2", "mended"],
  [
    "the count of free blocks",
    header({ superblock: { ...superblock, freeBlocks: 3 } }),
    "V3",
    "refused",
  ],
  ["the bytes of names", header({ superblock: { ...superblock, pathUsed: 3 } }), "V3", "refused"],
  ["a link count", u16(at(32) + L.SLOT.NLINK, 9), "V4", "mended"],
  ["a directory's count", u16(at(34) + L.SLOT.NLINK, 5), "V4", "mended"],
  [
    "a name that is another file's by now",
    u32(at(36) + L.SLOT.FIRST_BLOCK, SLOT.second),
    "V4",
    "refused",
  ],
  [
    "a second name of a directory",
    u32(at(36) + L.SLOT.FIRST_BLOCK, SLOT.directory),
    "V4",
    "refused",
  ],
  ["a second name of nothing", u32(at(36) + L.SLOT.FIRST_BLOCK, 900), "V4", "refused"],
  ["a second name beyond the table", u32(at(36) + L.SLOT.FIRST_BLOCK, 2 ** 31), "V4", "refused"],
  ["two names over each other", copy(at(32) + 4, at(33) + 4, 6), "V5", "refused"],
  ["one name twice", copy(entry(32), entry(33), 16), "V5", "refused"],
  ["a name between granules", u32(at(32) + L.SLOT.PATH_OFFSET, 17), "V5", "refused"],
  ["a name beyond the table", u32(at(32) + L.SLOT.PATH_OFFSET, 65536), "V5", "refused"],
  ["a name of no bytes", u16(at(32) + L.SLOT.PATH_LENGTH, 0), "V5", "refused"],
  ["a name of 300 bytes", u16(at(32) + L.SLOT.PATH_LENGTH, 300), "V5", "refused"],
  ["NUL in a name", u8(entry(32) + 5, 0), "V5", "refused"],
  ["a slash in a name", u8(entry(32) + 5, 0x2f), "V5", "refused"],
  ["a name that is not UTF-8", u8(entry(32) + 5, 0xff), "V5", "refused"],
  ["a parent that is a file", u32(entry(32), SLOT.second), "V5", "refused"],
  ["a parent that is free", u32(entry(32), 900), "V5", "refused"],
  ["a parent beyond the table", u32(entry(32), 2 ** 31), "V5", "refused"],
  ["a directory inside of itself", u32(entry(34), SLOT.inner), "V6", "refused"],
  ["a directory that is its own parent", u32(entry(34), SLOT.directory), "V6", "refused"],
  ["no root", u8(at(0), 1), "V6", "refused"],
  ["a run beyond the blocks", u32(at(32) + L.SLOT.FIRST_BLOCK, 60_000), "V7", "refused"],
  ["an invalid size", f64(at(32) + L.SLOT.SIZE, NaN), "V7", "refused"],
  ["a negative size", f64(at(32) + L.SLOT.SIZE, -1), "V7", "refused"],
  ["a link without a target", f64(at(37) + L.SLOT.SIZE, 0), "V7", "refused"],
  ["a directory with blocks", u32(at(34) + L.SLOT.BLOCK_COUNT, 1), "V7", "refused"],
  ["seven runs in a continuation", u8(at(continuation) + 1, 7), "V7", "refused"],
  ["a file that does not say it goes on", u8(at(38) + 1, 0), "V7", "mended"],
  ["a file that says it goes on", u8(at(32) + 1, 1), "V7", "refused"],
  ["another generation of a file that goes on", u8(at(38) + 2, 77), "V7", "refused"],
  ["a continuation of holes", holes(at(continuation)), "V7", "refused"],
  ["a link without a block", u32(at(37) + L.SLOT.BLOCK_COUNT, 0), "V7", "refused"],
  ["a target that is not written", u32(at(37) + L.SLOT.BLOCK_COUNT, 2 ** 31 + 1), "V7", "refused"],
  ["an invalid type", u8(at(32), 99), "V8", "refused"],
  ["a segment among the files", u8(at(32), L.TYPE.SEGMENT), "V8", "refused"],
  ["a mode of another type", u32(at(32) + L.SLOT.MODE, 0o040644), "V8", "refused"],
  ["an invalid time", f64(at(32) + L.SLOT.MTIME, Infinity), "V8", "refused"],
  ["a mode with a bit that no mode has", u32(at(32) + L.SLOT.MODE, 0o1100644), "V8", "refused"],
  ["a mode of no kind of file", u32(at(32) + L.SLOT.MODE, 0o150644), "V8", "refused"],
  ["unknown flags", u8(at(32) + 1, 2), "V8", "refused"],
  ["a directory that says it goes on", u8(at(34) + 1, 1), "V8", "refused"],
  ["a further name with flags", u8(at(36) + 1, 1), "V8", "refused"],
  ["a file whose type is free", u8(at(33), 0), "V8", "refused"],
  ["something in a slot that was never used", u8(at(900) + 40, 1), "V8", "refused"],
  ["a free slot with flags", u8(at(900) + 1, 1), "V8", "refused"],
  ["something in a free descriptor", u8(at(7) + 40, 1), "V8", "refused"],
  ["a reserved field of a continuation", u16(at(continuation) + 14, 1), "V8", "refused"],
  ["something between a name and the next", u8(entry(32) + 4 + 5 + 1, 7), "V8", "mended"],
  ["bytes after the superblock", u8(100, 1), "V8", "mended"],
  ["bytes after the newest header", u8(newestHeader(good).at + 300, 1), "V8", "mended"],
  ["bytes after the older header", u8(olderHeader() + 4000, 1), "V8", "mended"],
  ["a reserved field of the newest header", reserved(newestHeader(good).at, 60), "V8", "mended"],
  ["a reserved field of the older header", reserved(olderHeader(), 250), "V8", "mended"],
  ["a header that speaks of attributes", header({ featuresReadOnly: 1 }), "V9", "mended"],
  ["an old header that is damaged", u8(olderHeader() + 20, 0xee), "V9", "mended"],
  ["another superblock at 0", u8(21, 9), "V9", "mended"],
];

function holes(slotAt: number): Damage {
  return (view) => {
    for (let pair = 0; pair < L.PAIRS_MAX; pair++) {
      view.setUint32(slotAt + L.CONTINUATION.PAIRS + pair * 8, L.HOLE_BLOCK, true);
    }
  };
}

/** A header with a reserved byte set, whose checksum is right. */
function reserved(headerAt: number, byte: number): Damage {
  return (view, bytes) => {
    bytes[headerAt + byte] = 1;
    view.setUint32(headerAt + L.HEADER.CRC, 0, true);
    const checksum = crc32(bytes, headerAt, headerAt + L.HEADER_BYTES);
    view.setUint32(headerAt + L.HEADER.CRC, checksum, true);
  };
}

function olderHeader(): number {
  return newestHeader(good).at === L.HEADER_A_AT ? L.HEADER_B_AT : L.HEADER_A_AT;
}

Deno.test("checkVolume() finds nothing in a good image, and counts what is there", () => {
  const report = checkVolume(memoryHandle(good));
  assertEquals(report.violations, []);
  assert(report.clean && report.wasClean);
  assertEquals(
    [report.files, report.directories, report.symlinks, report.hardLinks, report.usedBlocks],
    [3, 3, 1, 1, 2 + 2 + 1 + 9],
  );
  assertEquals(new DataView(good.buffer).getUint8(at(continuation)), L.TYPE.CONTINUATION);
});

for (const [what, damage, rule, outcome] of damages) {
  Deno.test(`checkVolume() finds ${rule}: ${what}`, () => {
    const bytes = good.slice();
    damage(new DataView(bytes.buffer), bytes);
    reseal(bytes);
    const handle = memoryHandle(bytes);
    const report = checkVolume(handle);
    assert(!report.clean);
    const rules = report.violations.map((violation) => violation.rule);
    assert(rules.includes(rule), `found ${JSON.stringify(report.violations)}`);
    assertEquals(handle.toBytes(), bytes, "check has changed the image");
    if (outcome === "mended") {
      assertEquals(report.violations.filter(({ isDerivable }) => !isDerivable), []);
      const volume = openVolumeSync(handle);
      assertEquals(volume.report.corrected, report.violations, "a mount says the same");
      volume.close();
      assertEquals(checkVolume(handle).violations, []);
    } else {
      assertThrows(() => openVolumeSync(handle), ErrnoError, "cairn check --repair");
      assertEquals(handle.toBytes(), bytes, "a refused mount has changed the image");
    }
  });
}

Deno.test("checkVolume() finds every violation in one pass", () => {
  const bytes = good.slice();
  const view = new DataView(bytes.buffer);
  const seeded = [
    "two files own a block",
    "a bit of a used block is clear",
    "a second name of nothing",
    "NUL in a name",
    "a link without a target",
  ];
  for (const [what, damage] of damages) if (seeded.includes(what)) damage(view, bytes);
  reseal(bytes);
  const rules = new Set(checkVolume(memoryHandle(bytes)).violations.map(({ rule }) => rule));
  for (const rule of ["V1", "V2", "V4", "V5", "V7"]) assert(rules.has(rule), `no ${rule}`);
});

Deno.test("openVolumeSync() says what is wrong with something that is no volume", () => {
  const rows: [string, Uint8Array, string][] = [
    ["text", new TextEncoder().encode("hello".repeat(5000)), "EINVAL"],
    ["a few bytes", new Uint8Array([1, 2, 3]), "EINVAL"],
    ["a cut image", good.subarray(0, superblock.dataOffset + 5000), "cut off"],
    ["half an image", good.subarray(0, 300_000), "cut off"],
  ];
  for (const [what, bytes, message] of rows) {
    const handle = memoryHandle(bytes);
    assertThrows(() => openVolumeSync(handle), ErrnoError, message, what);
    assertEquals(handle.toBytes(), bytes.slice(), "a refused mount has changed it");
  }
});

Deno.test("openVolumeSync() refuses versions and features that it does not know", () => {
  const rows: [Damage, string][] = [
    [(_, bytes) => bytes.fill(0, 4096, 12288), "both journal headers"],
    [(view, bytes) => {
      bytes.fill(0, 4096, 12288);
      view.setUint32(4, 1, true);
    }, "version-1 image"],
    [(view, bytes) => {
      bytes.fill(0, 4096, 12288);
      view.setUint32(4, 3, true);
    }, "version 3"],
  ];
  for (const [damage, message] of rows) {
    const bytes = good.slice();
    damage(new DataView(bytes.buffer), bytes);
    assertThrows(() => openVolumeSync(memoryHandle(bytes)), ErrnoError, message);
  }
});

Deno.test("openVolumeSync() lets no call read outside of a hostile image", () => {
  let opened = 0;
  for (let slot = 32; slot < 40; slot++) {
    for (let byte = 0; byte < 64; byte++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const bytes = good.slice();
        bytes[at(slot) + byte] = value;
        reseal(bytes);
        const handle = memoryHandle(bytes);
        checkVolume(handle);
        try {
          const volume = openVolumeSync(handle);
          opened++;
          for (const { name } of volume.readdir(volume.root, 0)) {
            const ino = volume.lookup(volume.root, name);
            if ((volume.getattr(ino).mode >> 12) === 8 && volume.getattr(ino).size < 1e6) {
              contentsOf(volume, ino);
            }
          }
          volume.close();
          // A size that is another one is not what the target's own sum says.
          const wrong = checkVolume(handle).violations.filter(({ rule }) => rule !== "V16");
          assertEquals(wrong, []);
        } catch (error) {
          assert((error as Error).name === "ErrnoError", `slot ${slot} byte ${byte}: ${error}`);
        }
      }
    }
  }
  assert(opened > 100);
});

/** An image with records to replay, and where they stand. */
function unclosed(): { bytes: Uint8Array<ArrayBuffer>; records: number[] } {
  const handle = memoryHandle(good);
  const volume = openVolumeSync(handle);
  for (let index = 0; index < 4; index++) {
    volume.create(volume.root, `later ${index}`, FILE);
    volume.sync();
  }
  const bytes = handle.toBytes();
  const view = new DataView(bytes.buffer);
  const records: number[] = [];
  const { salt } = newestHeader(bytes);
  for (let place = L.RING_AT; place < superblock.inodeOffset; place += L.SECTOR_BYTES) {
    const isOurs = view.getUint32(place, true) === L.RECORD_MAGIC &&
      view.getUint32(place + L.RECORD.SALT, true) === salt[0];
    if (isOurs) records.push(place);
  }
  return { bytes, records };
}

Deno.test("checkVolume() lists V10 and all that is broken besides, and goes on before the damage", () => {
  const { bytes, records } = unclosed();
  assertEquals(records.length, 4);
  bytes[records[2]! + 70]! ^= 3;
  new DataView(bytes.buffer).setUint8(at(32), 99);
  const report = checkVolume(memoryHandle(bytes));
  const rules = report.violations.map(({ rule }) => rule);
  assert(rules.includes("V10") && rules.includes("V8"), rules.join(" "));
  const [first] = report.violations;
  assertEquals([first!.rule, first!.isDerivable], ["V10", false]);
  assert(/^record \d+ is damaged and record \d+ is whole/.test(first!.message), first!.message);
  assertEquals(report.replayedRecords, 2);
  assertThrows(() => openVolumeSync(memoryHandle(bytes)), ErrnoError, "V10");
});

Deno.test("checkVolume() lists a record that says what cannot be", () => {
  for (const [list, field] of [["slots", L.RECORD.SLOTS], ["names", L.RECORD.NAMES]] as const) {
    const { bytes, records } = unclosed();
    const record = records[1]!;
    const view = new DataView(bytes.buffer);
    view.setUint32(record + field, 60_000, true);
    resealRecord(bytes, record);
    const { violations } = checkVolume(memoryHandle(bytes));
    const found = violations.filter(({ rule }) => rule === "V10");
    assert(found.some(({ message }) => message.includes("longer than it is")), list);
    assertThrows(() => openVolumeSync(memoryHandle(bytes)), ErrnoError, "V10");
  }
});

Deno.test("checkVolume() goes on without headers, after a broken descriptor, and in a cut file", () => {
  const headless = good.slice();
  headless.fill(7, L.HEADER_A_AT, L.RING_AT);
  assertEquals(checkVolume(memoryHandle(headless)).violations[0]!.rule, "V9");
  assertEquals(checkVolume(memoryHandle(headless)).files, 3);

  const described = good.slice();
  described[at(5)] = L.TYPE.SEGMENT;
  described[at(6)] = L.TYPE.FILE;
  reseal(described);
  const found = checkVolume(memoryHandle(described)).violations.map(({ message }) => message);
  assert(found.some((message) => message.includes("descriptor in slot 5")), found.join());
  assert(found.some((message) => message.includes("descriptor in slot 6")), found.join());

  const shorter = checkVolume(memoryHandle(good.slice(0, -5000))).violations;
  assertEquals(shorter.map(({ rule, isDerivable }) => [rule, isDerivable]), [["V7", true]]);
  const cut = good.slice(0, superblock.dataOffset + 5000);
  const [first] = checkVolume(memoryHandle(cut)).violations;
  assertEquals(first!.rule, "V7");
  assert(first!.message.startsWith("it was cut off at"), first!.message);
  const stump = checkVolume(memoryHandle(good.slice(0, 13_000))).violations;
  assertEquals(stump.slice(0, 2).map(({ rule }) => rule), ["V7", "V6"]);
});

Deno.test("checkVolume() reports how far it is", () => {
  const told: number[] = [];
  let total = 0;
  checkVolume(memoryHandle(good), {
    onProgress: ({ doneBytes, totalBytes }) => {
      told.push(doneBytes);
      total = totalBytes;
    },
  });
  assertEquals([told.at(-1), told.toSorted((a, b) => a - b)], [total, told]);
});
