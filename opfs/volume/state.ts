/**
 * The parts of one mounted volume and the transaction over all of them.
 *
 * Layer: opfs/volume, below `volume.ts` and the files with its calls. A call that changes something
 * is `state.change(() => ...)`, or `state.call(() => ...)` around several `state.step`s.
 *
 * After a failure of unknown outcome, or a broken invariant, the volume is FAILED: it serves reads,
 * writes answer EROFS, and nothing is written until the volume is opened again.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../abi/errno.ts";
import { invariant } from "../../abi/invariant.ts";
import { messageOf } from "../../abi/thrown.ts";
import { answerOf, type StorageHandle } from "../device/handle.ts";
import type { Bitmap } from "./memory/bitmap.ts";
import { BlockPool } from "./memory/block_pool.ts";
import type { Extents } from "./memory/extent.ts";
import type { Header } from "./format/header.ts";
import type { InodeTable } from "./memory/inode_table.ts";
import * as L from "./format/layout.ts";
import { typeOf } from "./format/slots.ts";
import type { PathTable } from "./memory/path_table.ts";
import type { Patch } from "./memory/pool_types.ts";
import type { BackedBlocks, BlockWatch, Committer } from "./roles.ts";
import type { Segments } from "./format/segments.ts";
import type { Superblock } from "./format/superblock.ts";
import type { Tables } from "./memory/tables.ts";
import { PLAIN_STEP, type StepOptions, Transaction } from "./transaction.ts";

/** What a volume is made of. */
export interface Parts {
  /** The device. */
  handle: StorageHandle;
  /** The header that was found, or written, last. */
  header: Header;
  /** Where that header is: HEADER_A_AT or HEADER_B_AT. */
  headerAt: number;
  /** Where the tables lie. */
  segments: Segments;
  /** Slots and names. */
  tables: Tables;
  /** Inode slots. */
  inodes: InodeTable;
  /** The index of names. */
  paths: PathTable;
  /** Used blocks. */
  bitmap: Bitmap;
  /** Block maps. */
  extents: Extents;
  /** Type-4 slots by the slot that they name. */
  links: Map<number, number[]>;
  /** Type-7 slots by the slot that they belong to. */
  xattrs: Map<number, number[]>;
  /** The time in ms. */
  clock: () => number;
  /** Whether every change answers EROFS. */
  isReadOnly: boolean;
  /** Bytes of memory for file data. */
  poolBytes: number;
  /** The superblock's copy at 0 as it is on the device. */
  superblockCopy: Uint8Array;
  /** Replayed bytes, which a read-only volume does not write home. */
  patches: Map<number, Patch[]>;
}

/** One mounted volume. */
export class VolumeState {
  /** The device. Only data goes through it directly; see `home.ts` for the rest. */
  readonly handle: StorageHandle;
  /** The header written last. */
  header: Header;
  /** Where it stands: HEADER_A_AT or HEADER_B_AT. */
  headerAt: number;
  /** Geometry. `totalBlocks` follows the file, the counters are filled in when it is written. */
  readonly superblock: Superblock;
  /** Where the tables lie. */
  readonly segments: Segments;
  /** Slots and names. */
  readonly tables: Tables;
  /** Inode slots. */
  readonly inodes: InodeTable;
  /** The index of names. */
  readonly paths: PathTable;
  /** Used blocks. */
  readonly bitmap: Bitmap;
  /** Block maps. */
  readonly extents: Extents;
  /** Type-4 slots by the slot that they name. */
  readonly links: Map<number, number[]>;
  /** Type-7 slots by the slot that they belong to. */
  readonly xattrs: Map<number, number[]>;
  /** Inodes without a name that are retained. */
  readonly orphans: Set<number> = new Set();
  /** Those that have never had a name, and may get one. */
  readonly linkable: Set<number> = new Set();
  /** Exports under way. */
  readonly watches: Set<BlockWatch> = new Set();
  /** The time in ms. */
  readonly clock: () => number;
  /** Whether every change answers EROFS. */
  readonly isReadOnly: boolean;
  /** Bytes of a block. */
  readonly blockSize: number;
  /** Where block 0 begins, in bytes. */
  readonly dataOffset: number;
  /** Cached file data. */
  readonly pool: BlockPool;
  readonly #transaction: Transaction;
  /** The superblock's copy at 0 as it is on the device. */
  superblockCopy: Uint8Array;
  /** Blocks that the volume may have: by the format, or by the options of its open. */
  maxBlocks: number = L.BLOCKS_MAX;
  /** Blocks that there will be room for, as far as is known; for statfs only. */
  quotaBlocks: number = Infinity;
  /** The journal; null on a volume for reading only. */
  committer: Committer | null = null;
  /** Why the volume is FAILED, or null. */
  failure: ErrnoError | null = null;
  /**
   * Whether the device refused to grow the last time: then it is asked for no more than is needed.
   */
  isDeviceFull = false;
  /** Which blocks have disk space; null on a device that reserves all of its length. */
  backing: BackedBlocks | null = null;
  /** Whether `close` has been called. */
  isClosed = false;

  /** Takes the parts as they are. */
  constructor(parts: Parts) {
    this.handle = parts.handle;
    this.header = parts.header;
    this.headerAt = parts.headerAt;
    this.superblock = { ...parts.header.superblock };
    this.segments = parts.segments;
    this.tables = parts.tables;
    this.inodes = parts.inodes;
    this.paths = parts.paths;
    this.bitmap = parts.bitmap;
    this.extents = parts.extents;
    this.links = parts.links;
    this.xattrs = parts.xattrs;
    this.clock = parts.clock;
    this.isReadOnly = parts.isReadOnly;
    this.blockSize = this.superblock.blockSize;
    this.dataOffset = this.superblock.dataOffset;
    this.bitmap.align(this.dataOffset, this.blockSize);
    this.superblockCopy = parts.superblockCopy;
    const { poolBytes, patches } = parts;
    this.pool = new BlockPool(this, { blockSize: this.blockSize, poolBytes, patches });
    this.#transaction = new Transaction(this);
  }

  /** Fills `into` from the start of a block on; with zeros where a read-only file is too short. */
  readBlocks(into: Uint8Array, block: number): void {
    const isThere = block >= 0 && block + into.length / this.blockSize <= this.bitmap.blocks;
    invariant(isThere, "V7: a read of blocks that are not there");
    const at = this.placeOf(block, 0);
    if (!this.isReadOnly) return readDevice(this.handle, into, at);
    const count = Math.max(0, Math.min(into.length, this.handle.getSize() - at));
    readDevice(this.handle, into.subarray(0, count), at);
    into.fill(0, count);
  }

  /** Writes whole blocks. */
  writeBlocks(from: Uint8Array, block: number): void {
    this.requireWritable();
    const end = block + from.length / this.blockSize;
    invariant(block >= 0 && end <= this.bitmap.blocks, "V7: a write of block {} to {}", block, end);
    invariant(Number.isInteger(end), "V7: a write of part of a block");
    this.announceWrite(block, from.length / this.blockSize);
    writeDevice(this, from, this.placeOf(block, 0));
    this.backing?.wrote(block, from.length / this.blockSize);
  }

  /**
   * Announces that blocks are about to be written over, or cut off.
   *
   * @throws {ErrnoError} when the device fails while a listener copies what is there
   */
  announceWrite(block: number, count: number): void {
    if (this.watches.size === 0) return;
    for (const watch of this.watches) watch.beforeWrite(block, count);
    if (this.failure !== null) throw this.failure;
  }

  /**
   * One call in one step: when this returns it is done, and when this throws nothing has changed.
   * Durable, if each call is to be.
   *
   * @throws {ErrnoError} EROFS on a read-only or FAILED volume, EBADF on a closed one, ENOSPC
   */
  change<T>(work: () => T, options: StepOptions = PLAIN_STEP): T {
    return this.call(() => this.step(work, options));
  }

  /**
   * One call of several steps, each of which leaves a valid state. Where each call is durable
   * before it returns, all steps since the last commit are reverted when one throws, or when the
   * commit is refused.
   *
   * @throws {ErrnoError} as `change`
   */
  call<T>(work: () => T): T {
    try {
      const result = work();
      this.commitHeld();
      return result;
    } catch (error) {
      const refused = this.broken(error);
      this.takeBack();
      throw refused;
    }
  }

  /**
   * One step of a call: a transaction over all parts, which is done completely or not at all.
   *
   * @throws {ErrnoError} as `change`
   */
  step<T>(work: () => T, options: StepOptions = PLAIN_STEP): T {
    this.openStep(options.isFreeing);
    try {
      const result = work();
      this.keepStep();
      if (options.isFinal) this.settle();
      return result;
    } catch (error) {
      throw this.dropStep(error);
    }
  }

  /**
   * Inside a step: keeps what it has done so far, which is a valid state, and begins the next step.
   *
   * @throws {ErrnoError} ENOSPC: then no further step is open
   */
  nextStep(isFreeing = false): void {
    this.keepStep();
    this.openStep(isFreeing);
  }

  /**
   * Inside a step: keeps what it has done so far, makes that durable, and begins the next step.
   *
   * @throws {ErrnoError} ENOSPC: then no further step is open
   */
  nextStepDurably(makeDurable: (committer: Committer) => void = commit): void {
    this.keepStep();
    makeDurable(this.committer!);
    this.openStep();
  }

  /**
   * Begins a step. For `step`, and for the write, which makes its device call in its own function.
   */
  openStep(isFreeing = false): void {
    this.requireWritable();
    const committer = this.committer!;
    if (committer.isDue) committer.commit();
    if (committer.isStuck && !(isFreeing && committer.hasRoomToFree)) {
      const why = "the device has no room for what is in the journal";
      throw new ErrnoError("ENOSPC", "go on", { why });
    }
    this.#transaction.begin();
  }

  /**
   * Throws unless the volume can be changed.
   *
   * @throws {ErrnoError} EROFS on a read-only or FAILED volume, EBADF on a closed one
   */
  requireWritable(): void {
    if (this.isClosed || this.isReadOnly || this.failure !== null) throw this.#refusal();
  }

  /**
   * Throws if nothing can be made durable; a read-only volume has nothing to make durable.
   *
   * @throws {ErrnoError} EROFS on a FAILED volume, EBADF on a closed one
   */
  requireOpen(): void {
    if (this.isClosed || this.failure !== null) throw this.#refusal();
  }

  #refusal(): ErrnoError {
    if (this.isClosed) return new ErrnoError("EBADF", "use a volume that is closed");
    const why = this.isReadOnly ? "it is open for reading only" : "it has failed: open it again";
    return new ErrnoError("EROFS", "change the volume", { why, cause: this.failure });
  }

  /** Ends the step: it is done. */
  keepStep(): void {
    if (this.committer!.isEachCall) this.#transaction.hold();
    else this.#transaction.keep();
  }

  /** Ends the step: it is reverted. Returns the error to throw. */
  dropStep(error: unknown): ErrnoError {
    try {
      this.#transaction.revert();
    } catch (bug) {
      return this.fail(bug);
    }
    return this.broken(error);
  }

  /** Whether steps wait for a commit that may still revert them. */
  get isHeld(): boolean {
    return this.#transaction.isHeld;
  }

  /** How often held steps have become final. */
  get settled(): number {
    return this.#transaction.settled;
  }

  /**
   * Ends the call: makes it durable if every call is to be.
   *
   * @throws {ErrnoError} ENOSPC: the caller has to call `takeBack`
   */
  commitHeld(): void {
    if (this.#transaction.isHeld) this.committer!.commit();
  }

  /** Makes durable what has been written to its place. */
  flush(): void {
    this.committer!.flush();
  }

  /** Makes the held steps final: they are durable, or stay without being so. */
  settle(): void {
    this.#transaction.settle();
  }

  /** Reverts the held steps. After a failure of unknown outcome they stay as they are. */
  takeBack(): void {
    if (this.failure !== null) return;
    try {
      this.#transaction.undo();
    } catch (bug) {
      throw this.fail(bug);
    }
  }

  /**
   * Inside a step: registers what undoes a change that tables, indexes and blocks do not record.
   */
  onRevert(undo: () => void): void {
    this.#transaction.onRevert(undo);
  }

  /** An error that is no ErrnoError is a bug, and stops the volume. Returns the error to throw. */
  broken(error: unknown): ErrnoError {
    return isErrnoError(error) ? error : this.fail(error);
  }

  /** Stops the volume for an error of unknown outcome. Returns the error to throw. */
  fail(error: unknown): ErrnoError {
    const failure = isErrnoError(error)
      ? error
      : new ErrnoError("EIO", "go on", { why: messageOf(error), cause: error });
    this.failure ??= failure;
    return failure;
  }

  /** Where a byte of a block is on the device. */
  placeOf(block: number, offset: number): number {
    return this.dataOffset + block * this.blockSize + offset;
  }

  /**
   * The slot of a live inode.
   *
   * @throws {ErrnoError} ESTALE, EBADF on a closed volume
   */
  slotOf(ino: number): number {
    if (this.isClosed) throw this.#refusal();
    return this.inodes.slotOf(ino);
  }

  /**
   * The slot of a directory.
   *
   * @throws {ErrnoError} ENOTDIR, ESTALE
   */
  directoryOf(ino: number): number {
    const slot = this.slotOf(ino);
    if (this.typeOf(slot) !== L.TYPE.DIRECTORY) {
      throw new ErrnoError("ENOTDIR", `use inode ${ino} as a directory`);
    }
    return slot;
  }

  /** What a slot holds. */
  typeOf(slot: number): number {
    return typeOf(this.tables.view, slot);
  }

  /** File type and permission bits. */
  modeOf(slot: number): number {
    return this.tables.view.getUint32(slot * L.SLOT_BYTES + L.SLOT.MODE, L.LE);
  }

  /** Length in bytes. */
  sizeOf(slot: number): number {
    return this.tables.view.getFloat64(slot * L.SLOT_BYTES + L.SLOT.SIZE, L.LE);
  }

  /** The inode of a named slot: a type-4 record's target, else the slot itself. */
  targetOf(slot: number): number {
    if (this.typeOf(slot) !== L.TYPE.LINK) return slot;
    return this.tables.view.getUint32(slot * L.SLOT_BYTES + L.SLOT.FIRST_BLOCK, L.LE);
  }

  /** Sets ctime, and with `contents` mtime, to now. */
  touch(slot: number, contents: boolean): void {
    const at = this.tables.edit(slot);
    const now = this.clock();
    this.tables.view.setFloat64(at + L.SLOT.CTIME, now, L.LE);
    if (contents) this.tables.view.setFloat64(at + L.SLOT.MTIME, now, L.LE);
  }
}

function commit(committer: Committer): void {
  committer.commit();
}

/**
 * What a refused write or truncate means: ENOSPC, with everything as it was, so that it can be
 * tried again. An error about something else has an unknown outcome.
 */
export function refusalOf(state: VolumeState, error: unknown): ErrnoError {
  if (isUnknownOutcome(error)) return state.fail(error);
  return new ErrnoError("ENOSPC", "write to the device", { why: "it is full", cause: error });
}

/** Whether a device's error is about something else than space. */
export function isUnknownOutcome(error: unknown): boolean {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  return typeof code === "string" && code.startsWith("E") && !FULL.has(code) ||
    name === "InvalidStateError" || name === "InvariantError";
}

const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/**
 * Writes to the device; never after a failure.
 *
 * @throws {ErrnoError} ENOSPC when it takes less than everything, and why the volume is FAILED
 */
export function writeDevice(state: VolumeState, bytes: Uint8Array, at: number): void {
  if (state.failure !== null) throw state.failure;
  let count: number;
  try {
    count = state.handle.write(bytes, { at });
  } catch (error) {
    throw refusalOf(state, error);
  }
  requireCount(state, count, bytes.length);
}

/**
 * Checks how many bytes the device says that it wrote: fewer than asked mean that it is full, and
 * an impossible number means that none of its answers can be trusted.
 *
 * @throws {ErrnoError} ENOSPC, EIO
 */
export function requireCount(state: VolumeState, count: number, asked: number): void {
  const answer = answerOf(count, asked);
  if (answer === "whole") return;
  try {
    invariant(answer === "full", "D1: a device says {} of {} bytes", count, asked);
  } catch (error) {
    throw state.fail(error);
  }
  throw refusalOf(state, null);
}

/**
 * Reads from the device.
 *
 * @throws {ErrnoError} EIO
 */
export function readDevice(handle: StorageHandle, into: Uint8Array, at: number): void {
  let count: number;
  try {
    count = handle.read(into, { at });
  } catch (error) {
    if (isErrnoError(error)) throw error;
    throw new ErrnoError("EIO", `read the device at ${at}`, { cause: error });
  }
  const why = "it ends there";
  if (count !== into.length) throw new ErrnoError("EIO", `read the device at ${at}`, { why });
}
