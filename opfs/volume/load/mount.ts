/**
 * Mount: from a device to a {@link Volume}.
 *
 * Layer: opfs/volume. Loads the tables, derives the rest, corrects what is derivable and refuses
 * what would lose or mix data.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../../abi/errno.ts";
import { append } from "../../../abi/lists.ts";
import { choiceOption, functionOption } from "../../../abi/options.ts";
import type { StorageHandle } from "../../device/handle.ts";
import { Backing } from "../files/backing.ts";
import { finiteClock } from "../clock.ts";
import { correctByRecords, correctInMemory } from "./corrections.ts";
import { type FormatOptions, formatVolume, isFormattable, randomSalt } from "./format.ts";
import { cutFile } from "../space/free_end.ts";
import { coverAllBlocks } from "../space/grow.ts";
import { flushDevice } from "../journal/flush.ts";
import { bringTablesHome } from "../journal/home.ts";
import { type Image, loadImage } from "./image.ts";
import { imageViolations, strayPlaces } from "./image_rules.ts";
import { Journal, type JournalOptions, type RingPosition } from "../journal/journal.ts";
import * as L from "../format/layout.ts";
import { DamageError, type Violation } from "../format/report.ts";
import { resizeFile } from "../space/resize.ts";
import { type Derived, scan } from "./scan.ts";
import { refusalOf, VolumeState, writeDevice } from "../state.ts";
import { imageBytes } from "../format/superblock.ts";
import { Volume } from "../volume.ts";

/** Options of {@link openVolumeSync}. */
export interface VolumeOptions extends Omit<FormatOptions, "force">, JournalOptions {
  /** Whether an empty device is formatted. Default true; false: ENOENT. */
  create?: boolean;
  /** Whether every change answers EROFS and nothing is written. Default false. */
  readOnly?: boolean;
  /**
   * Bytes of memory for file data at most; allocated as needed. Default 32 MiB; at most 2^22
   * blocks.
   */
  poolBytes?: number;
  /**
   * Bytes that the volume's file may have at most: what would take more is ENOSPC. One that is larger
   * already does not grow. Default: what the format can hold.
   */
  maxBytes?: number;
  /**
   * Bytes for which there is room, as far as the caller knows; default: what the device says. No
   * call is refused for it: it only makes `statfs` true where a device does not know.
   */
  quotaBytes?: number;
}

/** The options that can be sent to another thread: all but the functions. */
export type EngineSettings = Omit<VolumeOptions, "clock" | "random">;

/** Bytes of memory for file data, unless the caller says otherwise. */
export const POOL_BYTES_DEFAULT: number = 32 * 1024 * 1024;
/** Some bytes for each block of the pool are allocated at once, however few are ever used. */
const POOL_BLOCKS_MAX = 2 ** 22;

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
    if (!create || readOnly) {
      throw new ErrnoError("ENOENT", "open the volume", { why: "the device is empty" });
    }
    formatVolume(handle, { ...options, force: true });
    formatted = true;
  }
  const image = load(handle);
  if (!readOnly) refuseFeatures(image);
  const derived = scan(image.tables, image.superblock, image.segments);
  append(derived.violations, imageViolations(handle, image, derived));
  refuseDamage(derived.violations);
  append(derived.violations, image.mended);
  const state = assemble(handle, image, { derived, options });
  const limit = image.header.limitBytes || Infinity;
  state.maxBlocks = blocksIn(state, Math.min(options.maxBytes ?? Infinity, limit));
  state.quotaBlocks = blocksIn(state, options.quotaBytes);
  if (!readOnly && handle.isSparse === true) state.backing = new Backing(state);
  const journal = readOnly ? null : new Journal(state, positionAfter(image), options);
  if (journal === null) correctInMemory(state.tables, derived.corrections);
  else startWriting(state, { journal, image, derived, options });
  const { wasClean, replay } = image;
  const report = { formatted, wasClean, replayedRecords: replay.records.length };
  return new Volume(state, journal, { ...report, corrected: derived.violations });
}

/**
 * Where the journal continues. Replayed records count until a header says otherwise. A closed
 * volume has nothing to replay, but its header may not be durable, if a process was killed before
 * the flush after it; so what the older header would replay is kept until the first flush too.
 */
function positionAfter({ wasClean, replay, header }: Image): RingPosition & { usedBytes: number } {
  const { ringBytes, olderTail } = header;
  const begin = { place: header.tailPlace, sequence: header.tailSequence };
  const tail = wasClean && olderTail !== null ? olderTail : begin;
  const span = replay.next.place - tail.place;
  const isWrapped = span < 0 || span === 0 && replay.next.sequence > tail.sequence;
  const usedBytes = isWrapped ? span + ringBytes : span;
  // An impossible tail belongs to another image's header: nothing is overwritten until the first
  // flush.
  return { ...replay.next, usedBytes: usedBytes < 0 ? ringBytes : usedBytes };
}

function checkOptions(options: VolumeOptions): void {
  const { durability, poolBytes, commitIntervalMs, maxBytes, quotaBytes, clock, random } = options;
  for (
    const [name, value] of Object.entries({ poolBytes, commitIntervalMs, maxBytes, quotaBytes })
  ) {
    if (value === undefined || Number.isFinite(value) && value >= 0) continue;
    const why = `the option "${name}" is no number from 0 on`;
    throw new ErrnoError("EINVAL", "open the volume", { why });
  }
  choiceOption(durability, ["periodic", "fsync", "op"], "durability");
  functionOption(clock, Date.now, "clock");
  functionOption(random, () => {}, "random");
}

/** A bit that only readers may ignore. */
function refuseFeatures(image: Image): void {
  const unknown = image.header.featuresReadOnly & ~L.FEATURES_READ_ONLY_KNOWN;
  if (unknown === 0) return;
  const bit = 31 - Math.clz32(unknown);
  const why = `feature bit ${bit} is not known to this writer: open it for reading only`;
  throw new ErrnoError("ENOTSUP", "open the volume", { why });
}

/** How many blocks a file of so many bytes has at most. */
function blocksIn(state: VolumeState, bytes = Infinity): number {
  const blocks = Math.floor((bytes - state.dataOffset) / state.blockSize);
  return Math.max(0, Math.min(L.BLOCKS_MAX, blocks));
}

/** The error for a broken rule also says what to do. */
function load(handle: StorageHandle): Image {
  try {
    return loadImage(handle);
  } catch (error) {
    throw error instanceof DamageError ? withHint(error) : error;
  }
}

const REPAIR = "`cairn check --repair IMAGE` saves what can be saved";

function refuseDamage(violations: readonly Violation[]): void {
  const worst = violations.find((violation) => !violation.isDerivable);
  if (worst !== undefined) throw withHint(new DamageError(worst.rule, worst.message));
}

/** The same error, with a reason that also says what to do. */
function withHint(error: DamageError): ErrnoError {
  return new ErrnoError("EIO", error.action, { why: `${error.why}; ${REPAIR}`, cause: error });
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
    clock: finiteClock(options.clock),
    isReadOnly: options.readOnly ?? false,
    poolBytes: Math.min(
      options.poolBytes ?? POOL_BYTES_DEFAULT,
      POOL_BLOCKS_MAX * image.superblock.blockSize,
    ),
    superblockCopy: image.start.slice(L.SUPERBLOCK_AT, L.SUPERBLOCK_BYTES),
    patches: options.readOnly ? image.patches : new Map(),
  });
}

/**
 * The first writes of a mount. Replayed changes are home and durable before a header says so;
 * without records the header is the only write, and needs no flush of its own. Corrections follow
 * it.
 */
function startWriting(
  state: VolumeState,
  more: { journal: Journal; image: Image; derived: Derived; options: VolumeOptions },
): void {
  const { journal, image, derived, options } = more;
  const random = options.random ?? ((bytes) => void crypto.getRandomValues(bytes));
  state.committer = journal;
  state.pool.isRemembering = journal.isEachCall;
  try {
    const needed = imageBytes(state.superblock);
    const size = state.handle.getSize();
    // What was read may not be durable yet, for instance after a process was killed. Nothing goes
    // home, and nothing is cut off or used again, before it is (rules 4, 5 and 9).
    if (size > needed || !image.wasClean) flushDevice(state);
    if (size > needed) cutFile(state);
    else if (size < needed) resizeFile(state, needed);
  } catch (error) {
    throw refusalOf(state, error);
  }
  const isReplayed = image.replay.records.length > 0;
  if (isReplayed) {
    try {
      bringHome(state, image);
    } catch (error) {
      const isFull = isErrnoError(error) && error.code === "ENOSPC";
      // What records say of free blocks is not home yet, so these are not cut off.
      if (!isFull || !journal.shorten(endOfPatches(image))) throw error;
      bringHome(state, image);
    }
  }
  state.header = {
    ...state.header,
    salt: randomSalt(random),
    term: state.header.term + 1,
  };
  journal.writeHeader(L.STATE.IN_USE);
  const isCorrected = derived.violations.length > 0;
  if (isReplayed || isCorrected) journal.flush();
  if (isCorrected) putRight(state, { journal, image, derived });
}

function endOfPatches({ patches }: Image): number {
  let end = 1;
  for (const block of patches.keys()) end = Math.max(end, block + 1);
  return end;
}

function bringHome(state: VolumeState, image: Image): void {
  for (const [block, patches] of image.patches) {
    for (const { offset, bytes } of patches) {
      writeDevice(state, bytes, state.placeOf(block, offset));
    }
  }
  bringTablesHome(state, () => flushDevice(state));
}

/**
 * Corrects what a scan has found: slots and names by records, like every change of them. The bitmap
 * and the copy at 0 are derived: the next checkpoint writes them. Unused bytes are zeroed.
 */
function putRight(
  state: VolumeState,
  { journal, image, derived }: { journal: Journal; image: Image; derived: Derived },
): void {
  for (const { from, end, at } of strayPlaces(image)) {
    // The mount has written its own header with zeros after it; the next headers have zeros too.
    if (from < at + L.HEADER_BYTES && at !== L.SUPERBLOCK_AT || at === state.headerAt) continue;
    writeDevice(state, new Uint8Array(end - from), from);
  }
  coverAllBlocks(state);
  correctByRecords(state, derived.corrections);
  try {
    journal.commit();
  } catch (error) {
    // It is right in memory, and is written with the next commit.
    if (!isErrnoError(error) || error.code !== "ENOSPC" || state.failure !== null) throw error;
  }
}
