/**
 * Dump: an image as plain data, for people who look into one.
 *
 * Layer: opfs/volume, beside `check.ts`. Nothing is changed and nothing is believed: what is damaged
 * is shown as it is. `docs/FORMAT.md` says what the fields mean.
 *
 * @module
 */
import { isErrnoError } from "../../../abi/errno.ts";
import { isFile, isLink } from "../../../abi/mode.ts";
import type { StorageHandle } from "../../device/handle.ts";
import { runsOfContinuation } from "../memory/extent.ts";
import { type Header, readHeader } from "../format/header.ts";
import { type Image, loadImage } from "../load/image.ts";
import * as L from "../format/layout.ts";
import { parentAt, typeAt, typeOf } from "../format/slots.ts";
import { decodeName } from "../format/names.ts";
import { placeOfKey, sumAreas } from "../memory/page_sums.ts";
import type { Violation } from "../format/report.ts";
import { generationOf, isDead, namedOwnerOf } from "../format/slot_owner.ts";
import { decodeSuperblock, type Superblock } from "../format/superblock.ts";
import { valueRuns } from "../memory/xattr_record.ts";

/** A header, or why it is invalid. */
export interface HeaderDump {
  /** Where it stands, in bytes. */
  at: number;
  /** What it says; null for one that was torn or is not ours. */
  header: Header | null;
  /** Whether it is the one that counts. */
  isNewest: boolean;
  /** Why it says nothing, or "". */
  problem: string;
}

/** One part of a table. */
export interface SegmentDump {
  /** Which table. */
  table: "slots" | "names" | "bitmap";
  /** First byte in its table. */
  logical: number;
  /** Length in bytes. */
  bytes: number;
  /** Where it begins in the image. */
  at: number;
  /** Where the sums of its pages begin; -1 if it has none. */
  sumsAt: number;
}

/** A journal record that a mount would replay. */
export interface RecordDump {
  /** Its number. */
  sequence: number;
  /** Where it stands in the ring. */
  place: number;
  /** Its length. */
  bytes: number;
  /** Blocks of the volume from then on. */
  totalBlocks: number;
  /** When, in ms. */
  timeMs: number;
  /** The slots in it. */
  slots: number[];
  /** Pieces of names: offset and length. */
  names: [offset: number, bytes: number][];
  /** Pieces of blocks: block, offset in it and length. */
  data: [block: number, offset: number, bytes: number][];
  /** The sums of pages after it. */
  sums: [table: "slots" | "names", page: number, sum: number][];
}

/** Blocks that follow each other. */
export interface RunDump {
  /** First block in the file, or in the table. */
  fileBlock: number;
  /** First block in the image. */
  block: number;
  /** How many. */
  count: number;
  /** Whether they read as zeros. */
  isUnwritten: boolean;
}

/** A slot. */
export interface SlotDump {
  /** Its number; an inode's number is one more. */
  slot: number;
  /** What it is: "free", "file", "directory", "symlink", "link", "segment", ... */
  type: string;
  /** The type byte. */
  typeByte: number;
  /** See FORMAT.md. */
  flags: number;
  /** How often it has been taken. */
  generation: number;
  /** The directory of its name, and the name; null if it has none that can be read. */
  name: { parent: number; name: string; offset: number } | null;
  /** Stored link count. */
  nlink: number;
  /** File type and permission bits. */
  mode: number;
  /** Length in bytes. */
  size: number;
  /** Owner. */
  uid: number;
  /** Group. */
  gid: number;
  /** Time of the last change of contents, in ms. */
  mtime: number;
  /** Time of the last change of anything, in ms. */
  ctime: number;
  /** Time of the last read, in ms. */
  atime: number;
  /** The number in the field of the first block: a device's number, or the slot a link stands for. */
  firstBlock: number;
  /** Its own runs, continuations apart. */
  runs: RunDump[];
  /** For a continuation or an attribute: the slot it belongs to, or -1. */
  owner: number;
  /** All 64 bytes, in hexadecimal. */
  bytes: string;
}

/** A name. */
export interface NameDump {
  /** Where its entry begins in the path table. */
  offset: number;
  /** The slot of its directory. */
  parent: number;
  /** The slot that it belongs to. */
  slot: number;
  /** The name. */
  name: string;
}

/** Who owns a run of blocks. */
export interface BlockDump extends RunDump {
  /** "slots", "names" or "bitmap" for a table, "file" and "attribute" for what a slot owns. */
  kind: "slots" | "names" | "bitmap" | "file" | "attribute";
  /** The slot that owns them, or -1. */
  owner: number;
}

const TYPE_NAMES: readonly string[] = [
  "free",
  "file",
  "directory",
  "symlink",
  "link",
  "segment",
  "continuation",
  "xattr",
];

/**
 * An image to look into.
 *
 * @example
 * ```ts
 * import { formatVolume, ImageDump, memoryHandle } from "@cairn/fs/opfs";
 * import { assertEquals } from "@std/assert";
 *
 * const handle = memoryHandle();
 * formatVolume(handle);
 * assertEquals(new ImageDump(handle).slot(0)?.type, "directory");
 * ```
 */
export class ImageDump {
  readonly #image: Image;
  /** What was found on the way in. */
  readonly violations: readonly Violation[];
  /** The two journal headers. */
  readonly headers: readonly HeaderDump[];
  /** The superblock's copy at 0; null if it is not one. */
  readonly copy: Superblock | null;
  /** Length of the file. */
  readonly sizeBytes: number;

  /**
   * Loads the tables. The handle may be closed afterwards.
   *
   * @throws {ErrnoError} EINVAL, ENOTSUP or EIO for what cannot be looked into
   */
  constructor(handle: StorageHandle) {
    const violations: Violation[] = [];
    this.#image = loadImage(handle, (violation) => void violations.push(violation));
    this.violations = violations;
    this.sizeBytes = handle.getSize();
    const { start } = this.#image;
    this.headers = [L.HEADER_A_AT, L.HEADER_B_AT].map((at) => this.#header(at));
    this.copy = attempt(() => decodeSuperblock(new DataView(start.buffer, start.byteOffset), 0))
      .value;
  }

  #header(at: number): HeaderDump {
    const { start, header } = this.#image;
    const { value, problem } = attempt(() => readHeader(start.subarray(at, at + L.HEADER_BYTES)));
    if (value === null) return { at, header: null, isNewest: false, problem: problem || "torn" };
    const isNewest = header.at === at && value.header.counter > 0;
    return { at, header: value.header, isNewest, problem: value.isMended ? "a bit is wrong" : "" };
  }

  /** The geometry that counts. */
  get superblock(): Superblock {
    return { ...this.#image.superblock };
  }

  /** How many slots there are. */
  get slotCount(): number {
    return this.#image.tables.slotCount;
  }

  /** The parts of the tables, in order. */
  segments(): SegmentDump[] {
    const { segments, header, sums } = this.#image;
    const areas = sums === null ? [] : sumAreas(segments, L.RING_AT + header.ringBytes);
    const sumsAt = (table: string, logical: number): number => {
      for (const { at, parts } of areas) {
        for (const part of parts) {
          const isIt = part.table === table && part.firstPage * L.PAGE_BYTES === logical;
          if (isIt) return at + part.offset;
        }
      }
      return -1;
    };
    return (["slots", "names", "bitmap"] as const).flatMap((table) =>
      segments[table].map(({ logical, bytes, at }) => {
        return { table, logical, bytes, at, sumsAt: sumsAt(table, logical) };
      })
    );
  }

  /** The records that a mount would replay, in order. */
  *records(): Generator<RecordDump, void, void> {
    const { replay } = this.#image;
    for (const record of replay.records) {
      const lists = attempt(() => replay.reader.lists(record)).value;
      yield {
        sequence: record.sequence,
        place: record.place,
        bytes: record.bytes,
        totalBlocks: record.totalBlocks,
        timeMs: record.time,
        slots: lists?.slots.map(({ index }) => index) ?? [],
        names: lists?.names.map(({ offset, bytes }) => [offset, bytes.length]) ?? [],
        data: lists?.data.map(({ block, offset, bytes }) => [block, offset, bytes.length]) ?? [],
        sums: lists?.sums.flatMap(sumOfRecord) ?? [],
      };
    }
  }

  /** A slot as it is after replay; null if the number is too large. */
  slot(index: number): SlotDump | null {
    const { tables } = this.#image;
    if (!Number.isInteger(index) || index < 0 || index >= tables.slotCount) return null;
    const { view } = tables;
    const at = index * L.SLOT_BYTES;
    const typeByte = typeAt(view, at);
    return {
      slot: index,
      type: TYPE_NAMES[typeByte] ?? "unknown",
      typeByte,
      flags: view.getUint8(at + L.SLOT.FLAGS),
      generation: generationOf(view, index),
      name: this.#nameOf(index, typeByte),
      nlink: view.getUint16(at + L.SLOT.NLINK, L.LE),
      mode: view.getUint32(at + L.SLOT.MODE, L.LE),
      size: view.getFloat64(at + L.SLOT.SIZE, L.LE),
      uid: view.getUint32(at + L.SLOT.UID, L.LE),
      gid: view.getUint32(at + L.SLOT.GID, L.LE),
      mtime: view.getFloat64(at + L.SLOT.MTIME, L.LE),
      ctime: view.getFloat64(at + L.SLOT.CTIME, L.LE),
      atime: view.getFloat64(at + L.SLOT.ATIME, L.LE),
      firstBlock: view.getUint32(at + L.SLOT.FIRST_BLOCK, L.LE),
      runs: this.#runsOf(index, typeByte),
      owner: namedOwnerOf(view, index),
      bytes: hexOf(tables.slots.subarray(at, at + L.SLOT_BYTES)),
    };
  }

  #nameOf(index: number, type: number): SlotDump["name"] {
    const { view, names, nameView } = this.#image.tables;
    const at = index * L.SLOT_BYTES;
    const isNamed = type >= L.TYPE.FILE && type <= L.TYPE.LINK;
    const offset = view.getUint32(at + L.SLOT.PATH_OFFSET, L.LE);
    const length = view.getUint16(at + L.SLOT.PATH_LENGTH, L.LE);
    if (!isNamed || length === 0 || offset + L.NAME.BYTES + length > names.length) return null;
    const parent = parentAt(nameView, offset + L.NAME.PARENT);
    return { parent, name: decodeName(names, offset + L.NAME.BYTES, length), offset };
  }

  #runsOf(index: number, type: number): RunDump[] {
    const { view } = this.#image.tables;
    const at = index * L.SLOT_BYTES;
    if (type === L.TYPE.CONTINUATION) return runsOfContinuation(view, at);
    if (type === L.TYPE.XATTR) return runsOfValue(view, at);
    const mode = view.getUint32(at + L.SLOT.MODE, L.LE);
    const isData = (type === L.TYPE.FILE && isFile(mode)) ||
      (type === L.TYPE.SYMLINK && isLink(mode));
    const stored = view.getUint32(at + L.SLOT.BLOCK_COUNT, L.LE);
    if (!isData || stored === 0) return [];
    const block = view.getUint32(at + L.SLOT.FIRST_BLOCK, L.LE);
    const count = stored & ~L.UNWRITTEN;
    return [{ fileBlock: 0, block, count, isUnwritten: stored >>> 31 !== 0 }];
  }

  /** Every name, in the order of the path table. */
  names(): NameDump[] {
    const found: NameDump[] = [];
    for (let slot = 0; slot < this.slotCount; slot++) {
      const type = typeOf(this.#image.tables.view, slot);
      const name = this.#nameOf(slot, type);
      if (name !== null) found.push({ ...name, slot });
    }
    return found.sort((a, b) => a.offset - b.offset);
  }

  /** Every run of blocks that an inode claims, in order of the blocks. */
  blocks(): BlockDump[] {
    const { segments, tables } = this.#image;
    const found: BlockDump[] = [];
    for (const kind of ["slots", "names", "bitmap"] as const) {
      for (const { firstBlock, blockCount, logical } of segments[kind].slice(1)) {
        const fileBlock = logical / this.superblock.blockSize;
        const run = { fileBlock, block: firstBlock, count: blockCount, isUnwritten: false };
        found.push({ kind, owner: -1, ...run });
      }
    }
    for (let slot = L.FIRST_FILE_SLOT; slot < tables.slotCount; slot++) {
      const type = typeOf(tables.view, slot);
      // A dead slot speaks of blocks that others may have by now.
      if (isDead(tables.view, slot)) continue;
      const above = namedOwnerOf(tables.view, slot);
      const owner = above < 0 ? slot : above;
      const kind = type === L.TYPE.XATTR ? "attribute" : "file";
      for (const run of this.#runsOf(slot, type)) found.push({ kind, owner, ...run });
    }
    return found.sort((a, b) => a.block - b.block);
  }
}

/** A record's sum; a sum of no page is left out. */
function sumOfRecord({ key, sum }: { key: number; sum: number }): RecordDump["sums"] {
  const place = placeOfKey(key);
  return place === null ? [] : [[place.table, place.page, sum]];
}

/** The blocks of an attribute's value, as those of a file. */
function runsOfValue(view: DataView, at: number): RunDump[] {
  let fileBlock = 0;
  return valueRuns(view, at).map(({ block, count }) => {
    fileBlock += count;
    return { fileBlock: fileBlock - count, block, count, isUnwritten: false };
  });
}

function attempt<T>(read: () => T): { value: T | null; problem: string } {
  try {
    return { value: read(), problem: "" };
  } catch (error) {
    if (!isErrnoError(error)) throw error;
    return { value: null, problem: error.message };
  }
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
