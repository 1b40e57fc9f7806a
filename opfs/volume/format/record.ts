/**
 * A journal record: put together in memory, found and read again in the ring.
 *
 * Layer: opfs/volume. `docs/FORMAT.md` has the layout. What a record says is checked against its
 * length before it is used: a record with a right checksum may still be a hostile one.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import { bothPadded, type Checksums, crc32, crc32c, crc32Padded } from "./checksum.ts";
import * as L from "./layout.ts";
import { DamageError } from "./report.ts";

/** What stands at the head of a record besides its lists. */
export interface RecordHead {
  /** +1 per record. */
  sequence: number;
  /** The header's salt. */
  salt: readonly [number, number];
  /** Checksum of the record before. */
  previous: number;
  /** Blocks of the volume from now on. */
  totalBlocks: number;
  /** When, in ms. */
  time: number;
}

/** A record that was found in the ring. */
export interface FoundRecord extends RecordHead {
  /** Where it begins in the ring. */
  place: number;
  /** Its length, padding included. */
  bytes: number;
  /** Its own checksum. */
  checksum: number;
}

/** What kind of image records are of. */
export interface RecordOptions {
  /** Whether they carry sums, and a second checksum. Default true. */
  isSummed?: boolean;
}

const padded = (length: number): number => L.roundUp(length, 4);

/** Puts records together, in one buffer for all of them. */
export class RecordWriter {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;
  #at = L.RECORD_HEAD_BYTES;
  readonly #counts = [0, 0, 0, 0];
  readonly #isSummed: boolean;
  readonly #checksums: Checksums = { crc32: 0, crc32c: 0 };

  /** `bytesMax` is the longest record: a quarter of the ring. */
  constructor(bytesMax: number, { isSummed = true }: RecordOptions = {}) {
    this.#isSummed = isSummed;
    this.#bytes = new Uint8Array(bytesMax);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Begins an empty record. */
  begin(): void {
    this.#at = L.RECORD_HEAD_BYTES;
    this.#counts.fill(0);
  }

  /** Bytes so far. */
  get length(): number {
    return this.#at;
  }

  /** Makes room for a slot and returns where its 64 bytes go in `buffer`. */
  slot(index: number): number {
    const isFirst = this.#counts[1] === 0 && this.#counts[2] === 0 && this.#counts[3] === 0;
    invariant(isFirst, "V10: a slot after other lists");
    invariant(this.#at + L.RECORD_SLOT_BYTES <= this.#bytes.length, "V10: a slot in a full record");
    this.#view.setUint32(this.#at + L.RECORD_SLOT.INDEX, index, L.LE);
    this.#counts[0]!++;
    this.#at += L.RECORD_SLOT_BYTES;
    return this.#at - L.SLOT_BYTES;
  }

  /** Adds a piece of the path table. */
  names(offset: number, bytes: Uint8Array): void {
    const isInOrder = this.#counts[2] === 0 && this.#counts[3] === 0;
    invariant(isInOrder, "V10: names after the list of data");
    const isWhole = offset % L.GRANULE_BYTES === 0 && bytes.length % L.GRANULE_BYTES === 0;
    invariant(isWhole, "V5: {} bytes of names at {}", bytes.length, offset);
    this.#view.setUint32(this.#at + L.RECORD_NAME.OFFSET, offset, L.LE);
    this.#view.setUint32(this.#at + L.RECORD_NAME.LENGTH, bytes.length, L.LE);
    this.#put(bytes, this.#at + L.RECORD_NAME_HEAD_BYTES);
    this.#counts[1]!++;
  }

  /** Adds bytes of a block. */
  data(block: number, offset: number, bytes: Uint8Array): void {
    invariant(this.#counts[3] === 0, "V10: data after the list of sums");
    const isThere = block >= 0 && block < L.BLOCKS_MAX && offset >= 0 && bytes.length > 0;
    invariant(isThere, "V7: {} bytes at {} of block {}", bytes.length, offset, block);
    this.#view.setUint32(this.#at + L.RECORD_DATA.BLOCK, block, L.LE);
    this.#view.setUint32(this.#at + L.RECORD_DATA.OFFSET, offset, L.LE);
    this.#view.setUint32(this.#at + L.RECORD_DATA.LENGTH, bytes.length, L.LE);
    this.#put(bytes, this.#at + L.RECORD_DATA_HEAD_BYTES);
    this.#counts[2]!++;
  }

  /** Adds the sum that a page has after this record. */
  sum(key: number, sum: number): void {
    invariant(this.#isSummed, "V10: a sum in a record of an image without sums");
    invariant(this.#at + L.RECORD_SUM_BYTES <= this.#bytes.length, "V10: a sum in a full record");
    this.#view.setUint32(this.#at + L.RECORD_SUM.KEY, key, L.LE);
    this.#view.setUint32(this.#at + L.RECORD_SUM.SUM, sum, L.LE);
    this.#counts[3]!++;
    this.#at += L.RECORD_SUM_BYTES;
  }

  #put(bytes: Uint8Array, at: number): void {
    invariant(at + padded(bytes.length) <= this.#bytes.length, "V10: bytes in a full record");
    this.#bytes.set(bytes, at);
    this.#at = at + padded(bytes.length);
    this.#bytes.fill(0, at + bytes.length, this.#at);
  }

  /** How many slots it has. */
  get slotCount(): number {
    return this.#counts[0]!;
  }

  /** Where the 64 bytes of the slot that was added as number `index` are in `view`. */
  placeOfSlot(index: number): number {
    return L.RECORD_HEAD_BYTES + index * L.RECORD_SLOT_BYTES + L.RECORD_SLOT.SLOT;
  }

  /** The same bytes as `buffer`. */
  get view(): DataView<ArrayBuffer> {
    return this.#view;
  }

  /** The buffer that `slot` speaks of. */
  get buffer(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Ends the record; the bytes are valid until the next `begin`. */
  end(head: RecordHead): { bytes: Uint8Array<ArrayBuffer>; checksum: number } {
    const R = L.RECORD;
    const { sequence } = head;
    invariant(Number.isSafeInteger(sequence) && sequence >= 0, "V10: a record number {}", sequence);
    const isLonger = head.totalBlocks >= 1 && head.totalBlocks <= L.BLOCKS_MAX;
    invariant(isLonger, "V7: a record of {} blocks", head.totalBlocks);
    const view = this.#view;
    const length = L.roundUp(this.#at, L.SECTOR_BYTES);
    this.#bytes.fill(0, this.#at, length);
    this.#bytes.fill(0, 0, L.RECORD_HEAD_BYTES);
    view.setUint32(R.MAGIC, L.RECORD_MAGIC, L.LE);
    view.setUint32(R.BYTES, length, L.LE);
    view.setFloat64(R.SEQUENCE, head.sequence, L.LE);
    view.setUint32(R.SALT, head.salt[0], L.LE);
    view.setUint32(R.SALT_COUNTED, head.salt[1], L.LE);
    view.setUint32(R.PREVIOUS, head.previous, L.LE);
    view.setUint32(R.TOTAL_BLOCKS, head.totalBlocks, L.LE);
    view.setUint32(R.SLOTS, this.#counts[0]!, L.LE);
    view.setUint32(R.NAMES, this.#counts[1]!, L.LE);
    view.setUint32(R.DATA, this.#counts[2]!, L.LE);
    view.setUint32(R.SUMS, this.#counts[3]!, L.LE);
    view.setFloat64(R.TIME, head.time, L.LE);
    const checksum = this.#seal(this.#at, length);
    view.setUint32(R.CHECKSUM, checksum, L.LE);
    return { bytes: this.#bytes.subarray(0, length), checksum };
  }

  /** Puts the second checksum at its place, if there is one; returns the first. */
  #seal(end: number, length: number): number {
    if (!this.#isSummed) return crc32Padded(this.#view, end, length);
    const sums = this.#checksums;
    bothPadded(this.#view, sums, { end, length, placeC: L.RECORD.CHECKSUM_C });
    this.#view.setUint32(L.RECORD.CHECKSUM_C, sums.crc32c, L.LE);
    return sums.crc32;
  }
}

/** Reads records out of the ring's bytes. */
export class RecordReader {
  /** The whole ring. */
  readonly ring: Uint8Array;
  readonly #view: DataView;
  readonly #isSummed: boolean;

  /** `ring` is the whole ring. */
  constructor(ring: Uint8Array, { isSummed = true }: RecordOptions = {}) {
    this.ring = ring;
    this.#view = new DataView(ring.buffer, ring.byteOffset, ring.byteLength);
    this.#isSummed = isSummed;
  }

  /** Whether a record of that length can begin at `place`. */
  isLength(place: number, bytes: number): boolean {
    return bytes > 0 && bytes % L.SECTOR_BYTES === 0 && bytes <= this.ring.length / 4 &&
      place + bytes <= this.ring.length;
  }

  /** A whole record that begins at `place` and that is wanted by what its head says; else null. */
  at(place: number, isWanted: (found: FoundRecord) => boolean = () => true): FoundRecord | null {
    const R = L.RECORD;
    const view = this.#view;
    if (place + L.RECORD_HEAD_BYTES > this.ring.length) return null;
    if (view.getUint32(place + R.MAGIC, L.LE) !== L.RECORD_MAGIC) return null;
    const bytes = view.getUint32(place + R.BYTES, L.LE);
    if (!this.isLength(place, bytes)) return null;
    const found: FoundRecord = {
      place,
      bytes,
      checksum: view.getUint32(place + R.CHECKSUM, L.LE),
      salt: [view.getUint32(place + R.SALT, L.LE), view.getUint32(place + R.SALT_COUNTED, L.LE)],
      sequence: view.getFloat64(place + R.SEQUENCE, L.LE),
      previous: view.getUint32(place + R.PREVIOUS, L.LE),
      totalBlocks: view.getUint32(place + R.TOTAL_BLOCKS, L.LE),
      time: view.getFloat64(place + R.TIME, L.LE),
    };
    return isWanted(found) && this.isWhole(place, bytes) ? found : null;
  }

  /** Whether so many bytes from `place` on agree with all checksums that are in them. */
  isWhole(place: number, bytes: number): boolean {
    const view = this.#view;
    if (this.checksumAt(place, bytes) !== view.getUint32(place + L.RECORD.CHECKSUM, L.LE)) {
      return false;
    }
    if (!this.#isSummed) return true;
    return this.#checksumCAt(place, bytes) === view.getUint32(place + L.RECORD.CHECKSUM_C, L.LE);
  }

  /** The CRC-32 of so many bytes, its own field as zero. */
  checksumAt(place: number, bytes: number): number {
    const field = place + L.RECORD.CHECKSUM;
    const before = crc32(this.ring, place, field);
    const zero = crc32(FOUR_ZEROS, 0, L.CHECKSUM_BYTES, before);
    return crc32(this.ring, field + L.CHECKSUM_BYTES, place + bytes, zero);
  }

  /** The CRC-32C of so many bytes, both checksums as zero. */
  #checksumCAt(place: number, bytes: number): number {
    const field = place + L.RECORD.CHECKSUM;
    const fieldC = place + L.RECORD.CHECKSUM_C;
    const before = crc32c(FOUR_ZEROS, 0, L.CHECKSUM_BYTES, crc32c(this.ring, place, field));
    const between = crc32c(
      FOUR_ZEROS,
      0,
      L.CHECKSUM_BYTES,
      crc32c(this.ring, field + L.CHECKSUM_BYTES, fieldC, before),
    );
    return crc32c(this.ring, fieldC + L.CHECKSUM_BYTES, place + bytes, between);
  }

  /** The lists of a record. */
  lists(record: FoundRecord): RecordLists {
    const R = L.RECORD;
    const view = this.#view;
    const end = record.place + record.bytes;
    const count = (field: number): number => view.getUint32(record.place + field, L.LE);
    const lists: RecordLists = { slots: [], names: [], data: [], sums: [] };
    let at = record.place + L.RECORD_HEAD_BYTES;
    const take = (length: number): number => {
      if (length > end - at) throw impossible(record, "its lists are longer than it is");
      at += length;
      return at - length;
    };
    for (let left = count(R.SLOTS); left > 0; left--) {
      const from = take(L.RECORD_SLOT_BYTES);
      const bytes = this.ring.subarray(from + L.RECORD_SLOT.SLOT, from + L.RECORD_SLOT_BYTES);
      lists.slots.push({ index: view.getUint32(from + L.RECORD_SLOT.INDEX, L.LE), bytes });
    }
    for (let left = count(R.NAMES); left > 0; left--) {
      const from = take(L.RECORD_NAME_HEAD_BYTES);
      const length = view.getUint32(from + L.RECORD_NAME.LENGTH, L.LE);
      const start = take(padded(length));
      const bytes = this.ring.subarray(start, start + length);
      lists.names.push({ offset: view.getUint32(from + L.RECORD_NAME.OFFSET, L.LE), bytes });
    }
    for (let left = count(R.DATA); left > 0; left--) {
      const from = take(L.RECORD_DATA_HEAD_BYTES);
      const length = view.getUint32(from + L.RECORD_DATA.LENGTH, L.LE);
      const start = take(padded(length));
      const bytes = this.ring.subarray(start, start + length);
      const offset = view.getUint32(from + L.RECORD_DATA.OFFSET, L.LE);
      lists.data.push({ block: view.getUint32(from + L.RECORD_DATA.BLOCK, L.LE), offset, bytes });
    }
    for (let left = count(R.SUMS); left > 0; left--) {
      const from = take(L.RECORD_SUM_BYTES);
      const sum = view.getUint32(from + L.RECORD_SUM.SUM, L.LE);
      lists.sums.push({ key: view.getUint32(from + L.RECORD_SUM.KEY, L.LE), sum });
    }
    return lists;
  }
}

const FOUR_ZEROS = new Uint8Array(L.CHECKSUM_BYTES);

/** What a record changes. */
export interface RecordLists {
  /** Whole slots. */
  slots: { index: number; bytes: Uint8Array }[];
  /** Pieces of the path table. */
  names: { offset: number; bytes: Uint8Array }[];
  /** Pieces of blocks. */
  data: { block: number; offset: number; bytes: Uint8Array }[];
  /** The sums that pages have after it. */
  sums: { key: number; sum: number }[];
}

/** A record that cannot have been written. */
export function impossible(record: RecordHead, why: string): DamageError {
  return new DamageError("V10", `record ${record.sequence}: ${why}`);
}
