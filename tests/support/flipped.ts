/**
 * Turned bits: what becomes of an image when one bit of it is another one.
 *
 * Layer: tests. The image is opened for reading, and everything that it shows is compared with what it
 * showed before: names, attributes, targets, extended attributes; contents only where a test wants
 * them. A bit is refused (an ErrnoError from the mount, or EIO for a value), mended and said, or
 * harmless; what else there is, is silently wrong.
 *
 * @module
 */
import { isErrnoError } from "../../abi/errno.ts";
import { isDir, isFile, isLink } from "../../abi/mode.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { newestHeader } from "../../opfs/volume/format/header.ts";
import { loadImage } from "../../opfs/volume/load/image.ts";
import * as L from "../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import type { VolumeOps } from "../../opfs/volume_ops.ts";

/** What became of a flip. */
export type Outcome = "refused" | "mended" | "harmless" | "wrong";

/** A part of an image: byte offsets from and to. */
export interface Region {
  name: string;
  from: number;
  to: number;
}

/** Everything that a volume shows but the bytes of files; a value that answers EIO is so. */
export function metadataOf(volume: VolumeOps): string {
  const lines: string[] = [];
  const visit = (path: string, ino: number): void => {
    const { ino: number, ...attr } = volume.getattr(ino);
    lines.push(`${path} ${number >>> 0} ${JSON.stringify(attr)}`);
    if (isLink(attr.mode)) lines.push(volume.readlink(ino));
    for (const name of volume.listxattr(ino).sort()) {
      lines.push(`${name}=${volume.getxattr(ino, name)?.join()}`);
    }
    if (!isDir(attr.mode)) return;
    for (let cursor = 0;;) {
      const entries = volume.readdir(ino, cursor);
      if (entries.length === 0) return;
      for (const { name } of entries) visit(`${path}/${name}`, volume.lookup(ino, name));
      cursor = entries.at(-1)!.cursor;
    }
  };
  visit("", volume.root);
  return lines.join("\n");
}

/** The bytes of all files, in no order that matters. */
export function contentsOf(volume: VolumeOps): string {
  const parts: string[] = [];
  const visit = (ino: number): void => {
    for (const { name } of volume.readdir(ino, 0)) {
      const child = volume.lookup(ino, name);
      const { mode, size } = volume.getattr(child);
      if (isDir(mode)) visit(child);
      if (!isFile(mode)) continue;
      const bytes = new Uint8Array(Math.min(size, 50_000));
      volume.read(child, bytes, 0);
      parts.push(`${name} ${bytes.join()}`);
    }
  };
  visit(volume.root);
  return parts.join("\n");
}

/** An image, and what its flips come to. */
export class Flipped {
  readonly #image: Uint8Array<ArrayBuffer>;
  readonly #metadata: string;
  readonly #contents: string;

  /** The image is sound. */
  constructor(image: Uint8Array<ArrayBuffer>) {
    this.#image = image.slice();
    const volume = open(this.#image);
    this.#metadata = metadataOf(volume);
    this.#contents = contentsOf(volume);
  }

  /** Turns a bit, looks, and turns it back. */
  flip(bit: number): Outcome {
    const image = this.#image;
    image[bit >> 3]! ^= 1 << (bit & 7);
    try {
      const volume = open(image);
      const isSaid = volume.report.corrected.length > 0;
      if (metadataOf(volume) !== this.#metadata) return "wrong";
      return isSaid || this.#isSaidByCheck() ? "mended" : "harmless";
    } catch (error) {
      if (!isErrnoError(error)) throw error;
      return "refused";
    } finally {
      image[bit >> 3]! ^= 1 << (bit & 7);
    }
  }

  /** As `flip`; the contents of files count too. */
  flipWithContents(bit: number): Outcome {
    const image = this.#image;
    const outcome = this.flip(bit);
    if (outcome === "wrong" || outcome === "refused") return outcome;
    image[bit >> 3]! ^= 1 << (bit & 7);
    const same = contentsOf(open(image)) === this.#contents;
    image[bit >> 3]! ^= 1 << (bit & 7);
    return same ? outcome : "wrong";
  }

  #isSaidByCheck(): boolean {
    return checkVolume(memoryHandle(this.#image)).violations.length > 0;
  }

  /** Where what is in the image. */
  regions(): Region[] {
    const { superblock, ringBytes } = newestHeader(this.#image);
    const { inodeOffset, pathOffset, bitmapOffset } = superblock;
    const { segments } = loadImage(memoryHandle(this.#image));
    const ringEnd = L.RING_AT + ringBytes;
    const found: Region[] = [
      { name: "superblock", from: 0, to: L.SUPERBLOCK_BYTES },
      { name: "header", from: L.HEADER_A_AT, to: L.HEADER_A_AT + L.HEADER_BYTES },
      { name: "header", from: L.HEADER_B_AT, to: L.HEADER_B_AT + L.HEADER_BYTES },
      ...this.#records(ringEnd),
      {
        name: "sums",
        from: ringEnd,
        to: ringEnd + (bitmapOffset - inodeOffset) / L.SUMMED_PER_BYTE,
      },
      { name: "slots", from: inodeOffset, to: pathOffset },
      { name: "names", from: pathOffset, to: bitmapOffset },
      { name: "bitmap", from: bitmapOffset, to: bitmapOffset + 2 + (superblock.totalBlocks >> 3) },
    ];
    for (const name of ["slots", "names"] as const) {
      for (const { at, bytes, firstBlock } of segments[name]) {
        if (firstBlock < 0) continue;
        found.push({ name, from: at, to: at + bytes });
        found.push({ name: "sums", from: at + bytes, to: at + bytes + bytes / L.SUMMED_PER_BYTE });
      }
    }
    return found;
  }

  #records(ringEnd: number): Region[] {
    const { records } = loadImage(memoryHandle(this.#image)).replay;
    return records.map(({ place, bytes }, index) => {
      const from = L.RING_AT + place;
      const name = index === records.length - 1 ? "last record" : "record";
      return { name, from, to: Math.min(ringEnd, from + bytes) };
    });
  }
}

function open(image: Uint8Array<ArrayBuffer>): Volume {
  return openVolumeSync(memoryHandle(image), { readOnly: true });
}

/** Counts of outcomes, by what was flipped. */
export class FlipTable {
  readonly #rows = new Map<string, Record<Outcome, number>>();

  /** Adds one. */
  add(name: string, outcome: Outcome): void {
    let row = this.#rows.get(name);
    if (row === undefined) {
      row = { refused: 0, mended: 0, harmless: 0, wrong: 0 };
      this.#rows.set(name, row);
    }
    row[outcome]++;
  }

  /** How many were silently wrong. */
  get wrong(): number {
    let wrong = 0;
    for (const row of this.#rows.values()) wrong += row.wrong;
    return wrong;
  }

  /** As a table. */
  toString(): string {
    const lines = ["structure | refused | mended, said | harmless | WRONG"];
    for (const [name, { refused, mended, harmless, wrong }] of this.#rows) {
      lines.push(`${name} | ${refused} | ${mended} | ${harmless} | ${wrong}`);
    }
    return lines.join("\n");
  }
}
