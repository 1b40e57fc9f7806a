/**
 * Version-1 images, whole and damaged, made by hand.
 *
 * Layer: tests. It shares nothing with the engine, not even an offset: what the engine reads is what
 * this file says a version-1 image is. Use:
 *
 *     const image = new Version1Builder();
 *     image.directory("/");
 *     const slot = image.file("/a", "contents");
 *     image.slots[slot]!.uid = 501; // any field, also to a damaged value
 *     const bytes = image.build();
 *
 * @module
 */

/** One slot, field by field. */
export interface BuiltSlot {
  type: number;
  path: string | Uint8Array;
  nlink: number;
  mode: number;
  size: number;
  firstBlock: number;
  blockCount: number;
  mtime: number;
  ctime: number;
  atime: number;
  uid: number;
  gid: number;
  /** Where the path lies, when not after the others. */
  pathOffset?: number;
  /** The length that the slot claims, when not its path's. */
  pathLength?: number;
}

/** Fields of the superblock, for damage. */
export interface BuiltSuperblock {
  magic: number;
  version: number;
  inodeCount: number;
  blockSize: number;
  totalBlocks: number;
  freeBlocks: number;
  inodeOffset: number;
  pathOffset: number;
  dataOffset: number;
  bitmapOffset: number;
  pathUsed: number;
  /** Null: the right one. */
  crc: number | null;
}

/** The size of an image. */
export interface BuiltShape {
  blockSize?: number;
  slotCount?: number;
  blockCount?: number;
  pathBytes?: number;
  /** Bytes of the bitmap's region; not rounded, so that the data may begin anywhere. */
  bitmapBytes?: number;
}

const SLOT_BYTES = 64;

/** Makes one image. */
export class Version1Builder {
  /** Slots by number; missing ones are free. */
  readonly slots: (BuiltSlot | undefined)[] = [];
  /** Contents by block. */
  readonly blocks: Map<number, Uint8Array> = new Map();
  /** Blocks that the bitmap says are used, besides those that slots own. */
  readonly leaked: number[] = [];
  /** Blocks that the bitmap says are free, although slots own them. */
  readonly cleared: number[] = [];
  /** What differs from the right superblock. */
  superblock: Partial<BuiltSuperblock> = {};
  /** Bytes past the last block; less than nothing cuts the image. */
  trailingBytes = 0;

  readonly #shape: Required<BuiltShape>;
  #nextBlock = 0;
  #clock = 1_600_000_000_000;

  constructor(shape: BuiltShape = {}) {
    const { blockSize = 1024, slotCount = 64, blockCount = 64, pathBytes = 4096 } = shape;
    const { bitmapBytes = 960 } = shape;
    this.#shape = { blockSize, slotCount, blockCount, pathBytes, bitmapBytes };
  }

  /** A slot in the next free place, or at `at`. */
  add(slot: Partial<BuiltSlot> & { type: number; path: string | Uint8Array }, at?: number): number {
    const index = at ?? this.slots.length;
    const now = this.#clock += 1000.5;
    this.slots[index] = {
      nlink: 1,
      mode: 0o100644,
      size: 0,
      firstBlock: 0,
      blockCount: 0,
      mtime: now,
      ctime: now + 1,
      atime: now + 2,
      uid: 0,
      gid: 0,
      ...slot,
    };
    return index;
  }

  directory(path: string, at?: number): number {
    return this.add({ type: 2, path, mode: 0o040755, nlink: 2 }, at);
  }

  file(path: string, contents: string | Uint8Array = "", at?: number): number {
    return this.#withContents({ type: 1, path, mode: 0o100644 }, contents, at);
  }

  symlink(path: string, target: string | Uint8Array): number {
    return this.#withContents({ type: 3, path, mode: 0o120777 }, target);
  }

  link(path: string, target: number): number {
    return this.add({ type: 4, path, mode: 0, firstBlock: target });
  }

  #withContents(
    slot: { type: number; path: string; mode: number },
    contents: string | Uint8Array,
    at?: number,
  ): number {
    const bytes = typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
    const blockCount = Math.ceil(bytes.length / this.#shape.blockSize);
    const firstBlock = this.#nextBlock;
    this.#nextBlock += blockCount;
    for (let index = 0; index < blockCount; index++) {
      const from = index * this.#shape.blockSize;
      this.blocks.set(firstBlock + index, bytes.slice(from, from + this.#shape.blockSize));
    }
    const place = blockCount === 0 ? 0 : firstBlock;
    return this.add({ ...slot, size: bytes.length, firstBlock: place, blockCount }, at);
  }

  /** Where block 0 begins. */
  get dataOffset(): number {
    const { slotCount, pathBytes, bitmapBytes } = this.#shape;
    return SLOT_BYTES + slotCount * SLOT_BYTES + pathBytes + bitmapBytes;
  }

  /** Where the path table begins. */
  get pathTableAt(): number {
    return SLOT_BYTES + this.#shape.slotCount * SLOT_BYTES;
  }

  /** The whole image. */
  build(): Uint8Array<ArrayBuffer> {
    const { blockSize, blockCount } = this.#shape;
    const length = this.dataOffset + blockCount * blockSize + Math.max(0, this.trailingBytes);
    const bytes = new Uint8Array(length);
    const pathUsed = this.#putSlots(bytes);
    for (const [block, contents] of this.blocks) {
      bytes.set(contents, this.dataOffset + block * blockSize);
    }
    const used = this.#putBitmap(bytes);
    this.#putSuperblock(bytes, { pathUsed, freeBlocks: blockCount - used });
    if (this.trailingBytes > 0) bytes.fill(0xee, length - this.trailingBytes);
    return this.trailingBytes < 0 ? bytes.slice(0, length + this.trailingBytes) : bytes;
  }

  #putSlots(bytes: Uint8Array<ArrayBuffer>): number {
    const view = new DataView(bytes.buffer);
    let pathUsed = 0;
    for (const [index, slot] of this.slots.entries()) {
      if (slot === undefined) continue;
      const path = typeof slot.path === "string" ? new TextEncoder().encode(slot.path) : slot.path;
      const pathOffset = slot.pathOffset ?? pathUsed;
      if (slot.pathOffset === undefined) {
        bytes.set(path, this.pathTableAt + pathUsed);
        pathUsed += path.length;
      }
      const at = SLOT_BYTES + index * SLOT_BYTES;
      view.setUint8(at, slot.type);
      view.setUint32(at + 4, pathOffset, true);
      view.setUint16(at + 8, slot.pathLength ?? path.length, true);
      view.setUint16(at + 10, slot.nlink, true);
      view.setUint32(at + 12, slot.mode, true);
      view.setFloat64(at + 16, slot.size, true);
      view.setUint32(at + 24, slot.firstBlock, true);
      view.setUint32(at + 28, slot.blockCount, true);
      view.setFloat64(at + 32, slot.mtime, true);
      view.setFloat64(at + 40, slot.ctime, true);
      view.setFloat64(at + 48, slot.atime, true);
      view.setUint32(at + 56, slot.uid, true);
      view.setUint32(at + 60, slot.gid, true);
    }
    return pathUsed;
  }

  #putBitmap(bytes: Uint8Array): number {
    const used = new Set(this.leaked);
    for (const slot of this.slots) {
      if (slot === undefined || (slot.type !== 1 && slot.type !== 3)) continue;
      for (let index = 0; index < slot.blockCount; index++) used.add(slot.firstBlock + index);
    }
    for (const block of this.cleared) used.delete(block);
    const at = this.pathTableAt + this.#shape.pathBytes;
    let count = 0;
    for (const block of used) {
      if (block >= this.#shape.blockCount) continue;
      bytes[at + (block >> 3)]! |= 1 << (block & 7);
      count++;
    }
    return count;
  }

  #putSuperblock(
    bytes: Uint8Array<ArrayBuffer>,
    counted: { pathUsed: number; freeBlocks: number },
  ): void {
    const { slotCount, blockSize, blockCount, pathBytes } = this.#shape;
    const s: BuiltSuperblock = {
      magic: 0x56465321,
      version: 1,
      inodeCount: slotCount,
      blockSize,
      totalBlocks: blockCount,
      inodeOffset: 64,
      pathOffset: this.pathTableAt,
      dataOffset: this.dataOffset,
      bitmapOffset: this.pathTableAt + pathBytes,
      crc: null,
      ...counted,
      ...this.superblock,
    };
    const view = new DataView(bytes.buffer);
    const words = [s.magic, s.version, s.inodeCount, s.blockSize, s.totalBlocks, s.freeBlocks];
    for (const [index, word] of words.entries()) view.setUint32(index * 4, word, true);
    const offsets = [s.inodeOffset, s.pathOffset, s.dataOffset, s.bitmapOffset];
    for (const [index, offset] of offsets.entries()) view.setFloat64(24 + index * 8, offset, true);
    view.setUint32(56, s.pathUsed, true);
    view.setUint32(60, s.crc ?? checksum(bytes.subarray(0, 60)), true);
  }
}

/** CRC-32, bit by bit. */
export function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** Writes the right checksum into an image whose superblock has been changed. */
export function reseal(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  new DataView(bytes.buffer).setUint32(60, checksum(bytes.subarray(0, 60)), true);
  return bytes;
}

/** One file in the root, with attributes that show. */
export function sampleVersion1(): Version1Builder {
  const builder = new Version1Builder();
  builder.directory("/");
  const slot = builder.file("/a", "contents");
  Object.assign(builder.slots[slot]!, { mode: 0o100600, uid: 501, mtime: -1.5, ctime: 7 });
  return builder;
}
