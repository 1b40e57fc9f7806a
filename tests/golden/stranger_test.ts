/**
 * A reader written from docs/FORMAT.md alone: it imports nothing of ours but the golden images, and
 * must find what the engine finds.
 */
import { assertEquals } from "@std/assert";
import { gunzipSync } from "node:zlib";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import { goldenImages, goldenPath } from "./images.ts";

interface Entry {
  path: string;
  mode: number;
  size: number;
  nlink: number;
  mtime: number;
  /** The first 300,000 bytes. */
  bytes: Uint8Array;
}

const SHOWN_BYTES = 300_000;

/** Everything in an image, by the document. */
function strangerReads(image: Uint8Array): Entry[] {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const header = [4096, 8192].filter((at) => view.getUint32(at, true) === 0x4a4e5243)
    .sort((a, b) => view.getFloat64(b + 16, true) - view.getFloat64(a + 16, true))[0]!;
  const superblock = header + 64;
  const blockSize = view.getUint32(superblock + 12, true);
  const [inodes, paths, data] = [24, 32, 40].map((off) =>
    view.getFloat64(superblock + off, true)
  ) as [
    number,
    number,
    number,
  ];
  replay(view, image, { header, ring: inodes - 12288, inodes, paths, data, blockSize });
  const count = view.getUint32(superblock + 8, true);
  const slots = Array.from({ length: count }, (_, slot) => inodes + slot * 64);
  const nameOf = (at: number): [number, string] => {
    const entry = paths + view.getUint32(at + 4, true);
    const length = view.getUint16(at + 8, true);
    const name = new TextDecoder().decode(image.slice(entry + 4, entry + 4 + length));
    return [view.getUint32(entry, true), name];
  };
  const pathOf = (at: number): string => {
    if (at === slots[0]) return "";
    const [parent, name] = nameOf(at);
    return `${pathOf(slots[parent]!)}/${name}`;
  };
  const read = (at: number): Uint8Array => {
    const bytes = new Uint8Array(Math.min(SHOWN_BYTES, view.getFloat64(at + 16, true)));
    const put = (fileBlock: number, block: number, blocks: number): void => {
      const from = data + block * blockSize;
      const to = Math.min(bytes.length - fileBlock * blockSize, blocks * blockSize);
      if (to > 0) bytes.set(image.subarray(from, from + to), fileBlock * blockSize);
    };
    put(0, view.getUint32(at + 24, true), view.getUint32(at + 28, true));
    for (const more of slots) {
      const isOurs = image[more] === 6 && view.getUint32(more + 4, true) === slots.indexOf(at) &&
        view.getUint16(more + 2, true) === view.getUint16(at + 2, true);
      if (!isOurs) continue;
      let fileBlock = view.getUint32(more + 8, true);
      for (let pair = 0; pair < image[more + 1]!; pair++) {
        const block = view.getUint32(more + 16 + pair * 8, true);
        const blocks = view.getUint32(more + 20 + pair * 8, true);
        if (block !== 0xffffffff) put(fileBlock, block, blocks);
        fileBlock += blocks;
      }
    }
    return bytes;
  };
  const found: Entry[] = [];
  for (const at of slots) {
    const type = image[at]!;
    if (type < 1 || type > 4) continue;
    const inode = type === 4 ? slots[view.getUint32(at + 24, true)]! : at;
    const isData = image[inode] === 3 || (view.getUint32(inode + 12, true) >> 12) === 8;
    found.push({
      path: pathOf(at),
      mode: view.getUint32(inode + 12, true),
      size: view.getFloat64(inode + 16, true),
      nlink: image[inode] === 2 ? 0 : Math.max(1, view.getUint16(inode + 10, true)),
      mtime: view.getFloat64(inode + 32, true),
      bytes: isData ? read(inode) : new Uint8Array(0),
    });
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

interface Places {
  header: number;
  ring: number;
  inodes: number;
  paths: number;
  data: number;
  blockSize: number;
}

/** Section 6, checksums left out: where the records begin that are to be replayed. */
function recordsOf(view: DataView, header: number): number[] {
  const found: { at: number; counter: number }[] = [];
  const hasSums = (view.getUint32(header + 144, true) & 1) !== 0;
  let salt = [view.getUint32(header + 40, true), view.getUint32(header + 44, true)];
  let at = 12288 + view.getUint32(header + 32, true);
  for (let sequence = view.getFloat64(header + 24, true);; sequence++) {
    const own = [view.getUint32(at + 16, true), view.getUint32(at + 20, true)];
    const later = (own[1]! - salt[1]!) >>> 0;
    const isSame = own[0] === salt[0] && later === 0;
    const counts = view.getUint32(at, true) === 0x524e5243 &&
      view.getFloat64(at + 8, true) === sequence &&
      (isSame || hasSums && later > 0 && later < 2 ** 31);
    if (!counts) break;
    found.push({ at, counter: own[1]! });
    salt = own;
    at += view.getUint32(at + 4, true);
  }
  return found.filter(({ counter }) => counter === salt[1]).map((record) => record.at);
}

function replay(view: DataView, image: Uint8Array, p: Places): void {
  for (const at of recordsOf(view, p.header)) {
    let from = at + 64;
    for (let left = view.getUint32(at + 36, true); left > 0; left--, from += 68) {
      image.copyWithin(p.inodes + view.getUint32(from, true) * 64, from + 4, from + 68);
    }
    for (let left = view.getUint32(at + 40, true); left > 0; left--) {
      const length = view.getUint32(from + 4, true);
      image.copyWithin(p.paths + view.getUint32(from, true), from + 8, from + 8 + length);
      from += 8 + Math.ceil(length / 4) * 4;
    }
    for (let left = view.getUint32(at + 44, true); left > 0; left--) {
      const length = view.getUint32(from + 8, true);
      const to = p.data + view.getUint32(from, true) * p.blockSize + view.getUint32(from + 4, true);
      image.copyWithin(to, from + 12, from + 12 + length);
      from += 12 + Math.ceil(length / 4) * 4;
    }
  }
}

/** The same as the engine sees it. */
function engineReads(volume: Volume): Entry[] {
  const found: Entry[] = [];
  const visit = (path: string, ino: number): void => {
    const { mode, size, nlink, mtime } = volume.getattr(ino);
    const kind = mode >> 12;
    let bytes = new Uint8Array(0);
    if (kind === 10) bytes = new TextEncoder().encode(volume.readlink(ino));
    if (kind === 8) volume.read(ino, bytes = new Uint8Array(Math.min(SHOWN_BYTES, size)), 0);
    found.push({ path, mode, size, nlink: kind === 4 ? 0 : nlink, mtime, bytes });
    if (kind !== 4) return;
    for (const { name } of volume.readdir(ino, 0)) {
      visit(`${path}/${name}`, volume.lookup(ino, name));
    }
  };
  visit("", volume.root);
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

for (const name of [...Object.keys(goldenImages), "lost_header"]) {
  Deno.test(`a reader made from docs/FORMAT.md reads ${name}`, () => {
    const image = new Uint8Array(gunzipSync(Deno.readFileSync(goldenPath(name))));
    const volume = openVolumeSync(memoryHandle(image), { readOnly: true });
    assertEquals(strangerReads(image.slice()), engineReads(volume));
  });
}
