/** Hostile images: mutated in every way; nothing but ErrnoErrors comes out, and nothing hangs. */
import { assert, assertEquals } from "@std/assert";
import { isErrnoError } from "../../abi/errno.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { crc32 } from "../../opfs/volume/format/checksum.ts";
import { ImageDump } from "../../opfs/volume/tools/dump.ts";
import * as L from "../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { repairSteps } from "../../opfs/volume/tools/repair.ts";
import { runToEnd } from "../../opfs/volume/upkeep/transfer.ts";
import { goldenImages } from "../golden/images.ts";
import { isDir, isFile, isLink } from "../../abi/mode.ts";
import { type Prng, prng } from "../support/prng.ts";
import type { Volume } from "../../opfs/volume/volume.ts";

const IMAGES = Deno.env.get("CAIRN_LONG") === "1" ? 10_000 : 500;
const EXTREMES = [0, 1, 0x7f, 0x80, 0xff];
/** Where something is: superblock, headers, records, slots, names, bitmap. */
const PLACES = [[0, 64], [4096, 4352], [8192, 8448], [12288, 16384], [536576, 539500], [
  602112,
  602400,
]];

function mutate(image: Uint8Array, random: Prng): Uint8Array {
  let bytes = image.slice();
  for (let round = 1 + random.below(4); round > 0; round--) {
    const [from, to] = random.pick(PLACES) as [number, number];
    const at = from + random.below(to - from);
    switch (random.below(5)) {
      case 0:
        bytes[at]! ^= 1 << random.below(8);
        break;
      case 1:
        bytes[at] = random.pick(EXTREMES);
        break;
      case 2:
        bytes.fill(random.pick(EXTREMES), at & ~3, (at & ~3) + 4);
        break;
      case 3:
        bytes.copyWithin(at & ~63, (from + random.below(to - from)) & ~63, to);
        break;
      default:
        if (random.below(10) === 0) bytes = bytes.slice(0, random.below(bytes.length));
        else bytes[at] = random.below(256);
    }
  }
  if (random.below(2) === 0) sign(bytes);
  return bytes;
}

/** Makes the checksums right, as an attacker would: of the headers and of the records. */
function sign(bytes: Uint8Array): void {
  if (bytes.length < L.RING_AT) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const at of [L.HEADER_A_AT, L.HEADER_B_AT]) {
    const superblock = at + L.HEADER.SUPERBLOCK;
    const crcAt = superblock + L.SUPERBLOCK.CRC;
    view.setUint32(crcAt, crc32(bytes, superblock, crcAt), true);
    signAt(view, at + L.HEADER.CRC, at, at + L.HEADER_BYTES);
  }
  for (let at = L.RING_AT; at + L.RECORD_HEAD_BYTES <= bytes.length; at += L.SECTOR_BYTES) {
    if (view.getUint32(at, true) !== L.RECORD_MAGIC) continue;
    const end = at + view.getUint32(at + L.RECORD.BYTES, true);
    if (end <= bytes.length) signAt(view, at + L.RECORD.CHECKSUM, at, end);
  }
}

function signAt(view: DataView, crcAt: number, from: number, to: number): void {
  view.setUint32(crcAt, 0, true);
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  view.setUint32(crcAt, crc32(bytes, from, to), true);
}

/** Repairs an image, whatever it is; what comes of it is a clean volume. */
function repair(bytes: Uint8Array, where: string): boolean {
  const target = memoryHandle();
  try {
    runToEnd(repairSteps(memoryHandle(bytes), target, { nowMs: 1 }));
  } catch (error) {
    assert(isErrnoError(error), `${where}, repair: ${(error as Error).stack}`);
    return false;
  }
  assertEquals(checkVolume(target).violations, [], `${where}, repaired`);
  const volume = openVolumeSync(target, { readOnly: true });
  walk(volume, volume.root, 0);
  return true;
}

/** Everything that a dump shows, some slots left out. */
function look(dump: ImageDump): void {
  dump.segments();
  for (const record of dump.records()) assert(record.bytes >= 0);
  for (let slot = 0; slot < dump.slotCount; slot += 3) dump.slot(slot);
  dump.names();
  dump.blocks();
}

/** Looks at everything that a volume shows, within reason. */
function walk(volume: Volume, ino: number, depth: number): void {
  const { mode, size } = volume.getattr(ino);
  if (isLink(mode)) volume.readlink(ino);
  for (const attribute of volume.listxattr(ino)) volume.getxattr(ino, attribute);
  if (isFile(mode)) {
    const bytes = new Uint8Array(5000);
    for (const at of [0, size - 1, Math.floor(size / 2)]) volume.read(ino, bytes, Math.max(0, at));
  }
  if (!isDir(mode) || depth > 50) return;
  for (const { name } of volume.readdir(ino, 0)) walk(volume, volume.lookup(ino, name), depth + 1);
}

/** Attributes in entries and in blocks, of several inodes, some in the journal. */
function withAttributes(): Uint8Array<ArrayBuffer> {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, { random: (bytes) => void bytes.fill(5) });
  for (let index = 0; index < 12; index++) {
    const ino = volume.create(volume.root, `f${index}`, { mode: 0o100644, uid: 0, gid: 0 });
    volume.setxattr(ino, "user.small", new Uint8Array(index * 20).fill(index), 0);
    volume.setxattr(ino, "user.large", new Uint8Array(500 + index * 999).fill(index), 0);
    if (index === 8) volume.sync();
  }
  volume.setxattr(volume.root, "user.root", new Uint8Array(9), 0);
  volume.sync();
  return handle.toBytes();
}

const images = { ...goldenImages, "an image with attributes": withAttributes };

for (const [name, make] of Object.entries(images)) {
  Deno.test(`${IMAGES / 2} mutations of ${name} give ErrnoErrors only`, () => {
    const image = make();
    const random = prng(7);
    let opened = 0;
    let repaired = 0;
    for (let index = 0; index < IMAGES / 2; index++) {
      const bytes = mutate(image, random);
      if (repair(bytes, `image ${index}`)) repaired++;
      try {
        checkVolume(memoryHandle(bytes));
        look(new ImageDump(memoryHandle(bytes)));
      } catch (error) {
        assert(isErrnoError(error), `image ${index}, check: ${(error as Error).stack}`);
      }
      const handle = memoryHandle(bytes);
      try {
        const volume = openVolumeSync(handle, { create: false });
        opened++;
        walk(volume, volume.root, 0);
        volume.create(volume.root, "one more", { mode: 0o100644, uid: 0, gid: 0 });
        volume.close();
        const wrong = checkVolume(handle).violations.filter(({ rule }) => rule !== "V8");
        assertEquals(wrong, [], `image ${index}`);
      } catch (error) {
        assert(isErrnoError(error), `image ${index}: ${(error as Error).stack}`);
      }
    }
    console.log(`${opened} of ${IMAGES / 2} could be opened, ${repaired} repaired`);
    assert(opened > IMAGES / 20 && repaired >= opened);
  });
}
