/**
 * Mount: from a device to a {@link Volume}.
 *
 * Layer: opfs/volume. Loads the tables, derives the rest, corrects what is derivable and refuses
 * what would lose or mix data.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../abi/errno.ts";
import { append } from "../../abi/lists.ts";
import type { StorageHandle } from "../device/handle.ts";
import { Backing } from "./backing.ts";
import { type FormatOptions, formatVolume, isFormattable, randomSalt } from "./format.ts";
import { writeSuperblockCopy, writeTablesHome } from "./home.ts";
import { compareBitmap, type Image, loadImage } from "./image.ts";
import { Journal, type JournalOptions, type RingPosition } from "./journal.ts";
import * as L from "./layout.ts";
import type { Violation } from "./report.ts";
import { resizeFile } from "./resize.ts";
import { type Derived, scan } from "./scan.ts";
import { flushDevice, refusalOf, VolumeState, writeDevice } from "./state.ts";
import { imageBytes } from "./superblock.ts";
import { Volume } from "./volume.ts";

/** How {@link openVolumeSync} opens. */
export interface VolumeOptions extends Omit<FormatOptions, "force">, JournalOptions {
  /** Whether an empty device is formatted. Default true; false: ENOENT. */
  create?: boolean;
  /** Whether every change answers EROFS and nothing is written. Default false. */
  readOnly?: boolean;
  /** Bytes of memory for file data at most; taken as they are needed. Default 32 MiB. */
  poolBytes?: number;
  /**
   * Bytes that the volume's file may have at most: what would take more is ENOSPC. One that is larger
   * already does not grow. Default: what the format can hold.
   */
  maxBytes?: number;
  /**
   * Bytes for which there is room, as far as the caller knows; default: what the device says. Nothing
   * is refused for it, it only makes `statfs` true where a device cannot tell.
   */
  quotaBytes?: number;
}

const POOL_BYTES_DEFAULT = 32 * 1024 * 1024;

/**
 * Mounts the volume on a device; an empty device is formatted first. The volume owns the handle from
 * now on: `close()` closes it. When opening fails the handle is left open.
 *
 * @throws {ErrnoError} EINVAL if it is no volume, ENOTSUP for one that is not ours, EIO for a
 * damaged one, ENOENT for an empty device with `create: false` or `readOnly: true`, ENOSPC
 * @example
 * ```ts
 * import { memoryHandle, openVolumeSync } from "@cairn/fs/opfs";
 * import { assertEquals } from "@std/assert";
 *
 * const handle = memoryHandle();
 * const volume = openVolumeSync(handle);
 * volume.create(volume.root, "dir", { mode: 0o040755, uid: 0, gid: 0 });
 * volume.close();
 * const again = openVolumeSync(handle, { readOnly: true });
 * assertEquals(again.readdir(again.root, 0).map((entry) => entry.name), ["dir"]);
 * again.close();
 * ```
 */
export function openVolumeSync(handle: StorageHandle, options: VolumeOptions = {}): Volume {
  const { create = true, readOnly = false } = options;
  checkOptions(options);
  let formatted = false;
  if (isFormattable(handle)) {
    if (!create || readOnly) throw new ErrnoError("ENOENT", "open the volume: the device is empty");
    formatVolume(handle, { ...options, force: true });
    formatted = true;
  }
  const image = load(handle);
  if (!readOnly) refuseFeatures(image);
  const derived = scan(image.tables, image.superblock, image.segments);
  const { wasClean } = image;
  if (wasClean) append(derived.violations, counterViolations(image, derived));
  const wrongBlock = compareBitmap(handle, image, derived.bitmap);
  if (wasClean && wrongBlock >= 0) derived.violations.push(bitmapViolation(wrongBlock));
  refuseDamage(derived.violations);
  const state = assemble(handle, image, { derived, options });
  const limit = image.header.limitBytes || Infinity;
  state.maxBlocks = blocksIn(state, Math.min(options.maxBytes ?? Infinity, limit));
  state.quotaBlocks = blocksIn(state, options.quotaBytes);
  const corrected = derived.violations;
  if (!readOnly && handle.isSparse === true) state.backing = new Backing(state);
  const journal = readOnly ? null : new Journal(state, positionAfter(image), options);
  if (journal !== null) startWriting(state, { journal, image, corrected, options });
  const replayedRecords = image.replay.records.length;
  return new Volume(state, journal, { formatted, wasClean, replayedRecords, corrected });
}

/** Where the journal goes on; what has been replayed still counts until a header says otherwise. */
function positionAfter(
  { replay, header, superblock }: Image,
): RingPosition & { usedBytes: number } {
  const ringBytes = superblock.inodeOffset - L.RING_AT;
  const span = replay.next.place - header.tailPlace;
  const isWrapped = span < 0 || span === 0 && replay.records.length > 0;
  return { ...replay.next, usedBytes: isWrapped ? span + ringBytes : span };
}

function checkOptions(options: VolumeOptions): void {
  const { durability = "fsync", poolBytes, commitIntervalMs, maxBytes, quotaBytes } = options;
  const numbers = { poolBytes, commitIntervalMs, maxBytes, quotaBytes };
  const isNumber = (value = 0): boolean => Number.isFinite(value) && value >= 0;
  const isKnown = ["op", "fsync", "periodic"].includes(durability);
  if (Object.values(numbers).every(isNumber) && isKnown) return;
  const given = JSON.stringify({ ...numbers, durability });
  throw new ErrnoError("EINVAL", `open the volume with ${given}`);
}

/** A bit that only readers may ignore. */
function refuseFeatures(image: Image): void {
  const unknown = image.header.featuresReadOnly & ~L.FEATURES_READ_ONLY_KNOWN;
  if (unknown === 0) return;
  const bit = 31 - Math.clz32(unknown);
  const what = `feature bit ${bit} is not known to this writer: open it for reading only`;
  throw new ErrnoError("ENOTSUP", `open the volume: ${what}`);
}

/** How many blocks a file of so many bytes has at most. */
function blocksIn(state: VolumeState, bytes = Infinity): number {
  const blocks = Math.floor((bytes - state.dataOffset) / state.blockSize);
  return Math.max(0, Math.min(L.BLOCKS_MAX, blocks));
}

/** V3: the counters that a clean close has written. */
export function counterViolations(image: Image, derived: Derived): Violation[] {
  const { freeBlocks, pathUsed } = image.superblock;
  const found: Violation[] = [];
  const unowned = derived.bitmap.unowned;
  if (freeBlocks !== unowned) {
    const message = `${unowned} blocks are free, the superblock says ${freeBlocks}`;
    found.push({ rule: "V3", message, isDerivable: true });
  }
  const used = derived.paths.usedBytes;
  if (pathUsed !== used) {
    const message = `${used} bytes of names are in use, the superblock says ${pathUsed}`;
    found.push({ rule: "V3", message, isDerivable: true });
  }
  return found;
}

/** V2: the bit of a block is not what the slots say. */
export function bitmapViolation(block: number): Violation {
  const message = `the bit of block ${block} is not what the slots say`;
  return { rule: "V2", message, isDerivable: true };
}

/** What says which rule is broken says also what to do. */
function load(handle: StorageHandle): Image {
  try {
    return loadImage(handle);
  } catch (error) {
    if (!isErrnoError(error) || error.code !== "EIO") throw error;
    const why = error.message.replace(/^EIO: cannot /, "");
    const isDamage = /: V\d+: /.test(why) || why.includes("was cut off");
    throw isDamage ? new ErrnoError("EIO", `${why}; ${REPAIR}`, { cause: error }) : error;
  }
}

const REPAIR = "`cairn check --repair IMAGE` saves what can be saved";

function refuseDamage(violations: readonly Violation[]): void {
  const worst = violations.find((violation) => !violation.isDerivable);
  if (worst === undefined) return;
  throw new ErrnoError("EIO", `open the volume: ${worst.rule}: ${worst.message}; ${REPAIR}`);
}

function assemble(
  handle: StorageHandle,
  image: Image,
  made: { derived: Derived; options: VolumeOptions },
): VolumeState {
  const { derived, options } = made;
  return new VolumeState({
    handle,
    header: { ...image.header, superblock: image.superblock },
    headerAt: image.header.at,
    segments: image.segments,
    tables: image.tables,
    inodes: derived.inodes,
    paths: derived.paths,
    bitmap: derived.bitmap,
    extents: derived.extents,
    links: derived.links,
    xattrs: derived.xattrs,
    clock: options.clock ?? Date.now,
    isReadOnly: options.readOnly ?? false,
    poolBytes: options.poolBytes ?? POOL_BYTES_DEFAULT,
    superblockCopy: image.start.slice(L.SUPERBLOCK_AT, L.SUPERBLOCK_BYTES),
    patches: options.readOnly ? image.patches : new Map(),
  });
}

/**
 * The first writes of a mount. What was replayed or corrected goes home and is durable before a
 * header says so; without any of that a header is all, and needs no flush of its own.
 */
function startWriting(
  state: VolumeState,
  more: {
    journal: Journal;
    image: Image;
    corrected: readonly Violation[];
    options: VolumeOptions;
  },
): void {
  const { journal, image, corrected, options } = more;
  const random = options.random ?? ((bytes) => void crypto.getRandomValues(bytes));
  state.committer = journal;
  state.pool.isRemembering = journal.isEachCall;
  try {
    const needed = imageBytes(state.superblock);
    if (state.handle.getSize() !== needed) resizeFile(state, needed);
  } catch (error) {
    throw refusalOf(state, error);
  }
  const isChanged = image.replay.records.length > 0 || corrected.length > 0;
  if (isChanged) {
    try {
      bringHome(state, image, corrected);
    } catch (error) {
      const isFull = isErrnoError(error) && error.code === "ENOSPC";
      if (!isFull || corrected.length > 0 || !journal.shorten()) throw error;
      bringHome(state, image, corrected);
    }
  }
  state.header = {
    ...state.header,
    salt: randomSalt(random),
    term: state.header.term + 1,
  };
  journal.writeHeader(L.STATE.IN_USE);
  if (isChanged) journal.flush();
}

function bringHome(
  state: VolumeState,
  image: Image,
  corrected: readonly Violation[],
): void {
  for (const [block, patches] of image.patches) {
    for (const { offset, bytes } of patches) {
      writeDevice(state, bytes, state.placeOf(block, offset));
    }
  }
  if (corrected.length > 0) correctRecords(state);
  state.tables.settle();
  writeTablesHome(state);
  writeSuperblockCopy(state);
  flushDevice(state);
}

/** Writes what is derivable into the records: link counts, continuation flags, free slots. */
function correctRecords(state: VolumeState): void {
  const { tables, extents, links } = state;
  tables.begin();
  for (let slot = L.FIRST_FILE_SLOT; slot < tables.slotCount; slot++) {
    const type = state.typeOf(slot);
    const at = slot * L.SLOT_BYTES;
    if (type === L.TYPE.FREE) {
      const rest = tables.slots.subarray(at + L.SLOT.PATH_OFFSET, at + L.SLOT_BYTES);
      if (rest.some((byte) => byte !== 0) || tables.slots[at + 1] !== 0) {
        tables.edit(slot);
        rest.fill(0);
        tables.slots[at + 1] = 0;
      }
    } else if (type === L.TYPE.FILE || type === L.TYPE.SYMLINK) {
      const names = 1 + (links.get(slot)?.length ?? 0);
      const flags = extents.leavesOf(slot).length > 0 ? L.FLAG_CONTINUED : 0;
      const isRight = tables.view.getUint16(at + L.SLOT.NLINK, L.LE) === names &&
        tables.view.getUint8(at + L.SLOT.FLAGS) === flags;
      if (isRight) continue;
      tables.edit(slot);
      tables.view.setUint16(at + L.SLOT.NLINK, names, L.LE);
      tables.view.setUint8(at + L.SLOT.FLAGS, flags);
    }
  }
  tables.keep();
}
