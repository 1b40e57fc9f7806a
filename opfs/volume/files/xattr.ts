/**
 * Extended attributes: small named values of inodes.
 *
 * Layer: opfs/volume, under `volume.ts`. Each is a type-7 slot, which belongs to its owner by number
 * and generation, and an entry in the path table: the name, followed by the value if both fit into
 * an entry. A longer value is in blocks of its own. A value is never changed in place: a new one takes
 * new granules and blocks, and the slot changes over to them in one step.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../../abi/errno.ts";
import { XATTR_CREATE, XATTR_REPLACE } from "../../../abi/flags.ts";
import { invariant } from "../../../abi/invariant.ts";
import { xattrNameCode, xattrTextCode } from "../../../abi/xattr_name.ts";
import { shown } from "../../../abi/options.ts";
import { allocateBlocks } from "./backing.ts";
import { readInBlock } from "./file_data.ts";
import { growInOnePiece, makeRoomForBlocks, makeRoomForName } from "../space/grow.ts";
import * as L from "../format/layout.ts";
import { pageSum } from "../format/page_sum.ts";
import { removeFrom } from "./slot_lists.ts";
import { generationOf } from "../format/slot_owner.ts";
import type { VolumeState } from "../state.ts";
import { requireRight } from "../memory/summed_bytes.ts";
import { FREEING } from "../transaction.ts";
import {
  attributeName,
  entryLength,
  placeOfName,
  storeValueRuns,
  type ValueRun,
  valueRuns,
} from "../memory/xattr_record.ts";

/** Slots of a removed owner that are zeroed at once; others are free as they are. */
const SLOTS_ZEROED_MAX = 64;

/** What is to be set. */
export interface NewAttribute {
  /** The name as `encodeAttributeName` gives it. */
  name: Uint8Array;
  /** The value. */
  value: Uint8Array;
  /** 0, XATTR_CREATE or XATTR_REPLACE. */
  flags: number;
}

/**
 * An attribute's name as bytes. A namespace and nothing after it is not `set`; one that is there may be
 * found.
 *
 * @throws {ErrnoError} ERANGE for none or more than 255, EILSEQ for a lone surrogate, EINVAL for NUL, and
 * to set a namespace
 */
export function encodeAttributeName(name: string, use: "find" | "set"): Uint8Array<ArrayBuffer> {
  if (typeof name !== "string") throw new ErrnoError("EINVAL", "use what is no attribute's name");
  const code = use === "set" ? xattrNameCode(name) : xattrTextCode(name);
  if (code !== null) throw new ErrnoError(code, `${use} the attribute "${name}"`);
  return new TextEncoder().encode(name);
}

function find(state: VolumeState, owner: number, name: Uint8Array): number {
  const { names } = state.tables;
  for (const slot of state.xattrs.get(owner) ?? []) {
    const { from, to } = placeOfName(state.tables, slot);
    if (to - from !== name.length) continue;
    if (name.every((byte, index) => byte === names[from + index])) return slot;
  }
  return -1;
}

/** The names of an inode's attributes. */
export function attributeNames(state: VolumeState, owner: number): string[] {
  return (state.xattrs.get(owner) ?? []).map((slot) => attributeName(state.tables, slot));
}

/**
 * The value of an attribute as bytes of its own, or null; one turned bit in it is put right.
 *
 * @throws {ErrnoError} EIO for one that is not what its sum says
 */
export function attributeValue(
  state: VolumeState,
  owner: number,
  name: Uint8Array,
): Uint8Array<ArrayBuffer> | null {
  const slot = find(state, owner, name);
  if (slot < 0) return null;
  const at = slot * L.SLOT_BYTES;
  const value = new Uint8Array(state.tables.view.getUint32(at + L.XATTR.SIZE, L.LE));
  const runs = valueRuns(state.tables.view, at);
  if (runs.length === 0) {
    const { to } = placeOfName(state.tables, slot);
    value.set(state.tables.names.subarray(to, to + value.length));
    return value;
  }
  readRuns(state, runs, value);
  if (state.tables.sums !== null) {
    const sum = state.tables.view.getUint32(at + L.XATTR.SUM, L.LE);
    requireRight(value, sum, `the value of attribute ${slot}`);
  }
  return value;
}

function readRuns(state: VolumeState, runs: readonly ValueRun[], into: Uint8Array): void {
  const { blockSize } = state;
  let done = 0;
  const blocks = runs.reduce((total, { count }) => total + count, 0);
  const isThere = blocks * blockSize >= into.length;
  invariant(isThere, "V7: a value of {} bytes has {} blocks", into.length, blocks);
  for (const { block, count } of runs) {
    for (let index = 0; index < count && done < into.length; index++) {
      const piece = into.subarray(done, done + blockSize);
      readInBlock(state, piece, { block: block + index, from: 0, follow: count - index });
      done += piece.length;
    }
  }
}

/**
 * Sets an attribute, in a transaction of its own.
 *
 * @throws {ErrnoError} EEXIST, ENODATA, EINVAL for the flags, E2BIG, ENOSPC
 */
export function setAttribute(state: VolumeState, owner: number, made: NewAttribute): void {
  const { name, value } = made;
  if (value.length > L.XATTR_VALUE_BYTES_MAX) {
    throw new ErrnoError("E2BIG", `set an attribute of ${value.length} bytes`);
  }
  makeRoomForName(state);
  const isInline = name.length + value.length <= L.XATTR_ENTRY_BYTES_MAX;
  const blocks = isInline ? 0 : Math.ceil(value.length / state.blockSize);
  if (blocks > 0) makeRoomForBlocks(state, blocks);
  try {
    change(state, owner, made);
  } catch (error) {
    const isFull = isErrnoError(error) && error.code === "ENOSPC";
    // There were blocks, but in too many pieces.
    if (blocks === 0 || !isFull || !growInOnePiece(state, blocks)) throw error;
    change(state, owner, made);
  }
}

function change(state: VolumeState, owner: number, made: NewAttribute): void {
  state.change(() => {
    put(state, owner, made);
    state.touch(owner, false);
  });
}

/** Takes what can run out first; from `giveUp` on nothing fails. */
function put(state: VolumeState, owner: number, { name, value, flags }: NewAttribute): void {
  const known = find(state, owner, name);
  checkFlags(flags, known >= 0);
  if (known < 0) checkList(state, owner, name);
  const isInline = name.length + value.length <= L.XATTR_ENTRY_BYTES_MAX;
  const entry = isInline ? joined(name, value) : name;
  const offset = state.paths.write(owner, entry, entry.length);
  const runs = isInline ? [] : store(state, value);
  const slot = known >= 0 ? known : state.inodes.allocate(L.TYPE.XATTR);
  if (known >= 0) freeContents(state, known);
  const at = state.tables.edit(slot);
  const { view, slots } = state.tables;
  slots.fill(0, at + L.XATTR.PATH_OFFSET, at + L.SLOT_BYTES);
  view.setUint32(at + L.XATTR.PATH_OFFSET, offset, L.LE);
  view.setUint16(at + L.XATTR.PATH_LENGTH, name.length, L.LE);
  view.setUint16(at + L.XATTR.OWNER_GENERATION, generationOf(view, owner), L.LE);
  view.setUint32(at + L.XATTR.OWNER, owner, L.LE);
  view.setUint32(at + L.XATTR.SIZE, value.length, L.LE);
  storeValueRuns(view, at, runs);
  if (runs.length > 0 && state.tables.sums !== null) {
    view.setUint32(at + L.XATTR.SUM, pageSum(value), L.LE);
  }
  if (known < 0) enter(state, owner, slot);
}

function enter(state: VolumeState, owner: number, slot: number): void {
  const type = state.typeOf(owner);
  const isInode = type >= L.TYPE.FILE && type <= L.TYPE.SYMLINK;
  invariant(isInode, "V4: slot {} of type {} gets an attribute", owner, type);
  if (state.tables.isHidden(owner)) state.tables.hide(slot);
  const slots = state.xattrs.get(owner);
  if (slots === undefined) state.xattrs.set(owner, [slot]);
  else slots.push(slot);
  state.onRevert(() => removeFrom(state.xattrs, owner, slot));
}

function checkFlags(flags: number, exists: boolean): void {
  if (flags !== 0 && flags !== XATTR_CREATE && flags !== XATTR_REPLACE) {
    throw new ErrnoError("EINVAL", `set an attribute with flags ${shown(flags)}`);
  }
  if (exists && flags === XATTR_CREATE) throw new ErrnoError("EEXIST", "create an attribute");
  if (!exists && flags === XATTR_REPLACE) throw new ErrnoError("ENODATA", "replace an attribute");
}

/** Throws unless one list can hold all names of an inode. */
function checkList(state: VolumeState, owner: number, name: Uint8Array): void {
  let bytes = name.length + 1;
  for (const slot of state.xattrs.get(owner) ?? []) {
    const { from, to } = placeOfName(state.tables, slot);
    bytes += to - from + 1;
  }
  if (bytes > L.XATTR_LIST_BYTES_MAX) {
    throw new ErrnoError("ENOSPC", "set an attribute", { why: "the inode has too many" });
  }
}

function joined(name: Uint8Array, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(name.length + value.length);
  bytes.set(name);
  bytes.set(value, name.length);
  return bytes;
}

/** Puts a value into new blocks, in as few pieces as there are. */
function store(state: VolumeState, value: Uint8Array): ValueRun[] {
  const { blockSize } = state;
  const allocate = (want: number): ValueRun | null =>
    allocateBlocks(state, { goal: -1, want, isPooled: true });
  const runs: ValueRun[] = [];
  for (let done = 0; done < value.length;) {
    const wanted = Math.ceil((value.length - done) / blockSize);
    const run = runs.length < L.XATTR_PAIRS_MAX ? allocate(wanted) : null;
    if (run === null) throw new ErrnoError("ENOSPC", "set an attribute", { why: "no blocks left" });
    const { block, count } = run;
    runs.push(run);
    for (let index = 0; index < count; index++) {
      fill(state, block + index, value.subarray(done, done + blockSize));
      done += blockSize;
    }
  }
  return runs;
}

function fill(state: VolumeState, block: number, bytes: Uint8Array): void {
  const { pool } = state;
  const frame = pool.fresh(block);
  pool.slabOf(frame).set(bytes, pool.offsetOf(frame));
  pool.markDirty(frame, 0, bytes.length);
}

/** Frees an attribute's entry and blocks. */
function freeContents(state: VolumeState, slot: number): void {
  const { view } = state.tables;
  const type = state.typeOf(slot);
  invariant(
    type === L.TYPE.XATTR,
    "V4: slot {} of type {} is given up as an attribute",
    slot,
    type,
  );
  const at = slot * L.SLOT_BYTES;
  const offset = view.getUint32(at + L.XATTR.PATH_OFFSET, L.LE);
  state.paths.drop(offset, entryLength(view, at));
  for (const { block, count } of valueRuns(view, at)) state.bitmap.give(block, count);
}

/** Removes an attribute, in a transaction of its own; false if it is missing. */
export function removeAttribute(state: VolumeState, owner: number, name: Uint8Array): boolean {
  state.requireWritable();
  const slot = find(state, owner, name);
  if (slot < 0) return false;
  state.change(() => {
    const before = [...state.xattrs.get(owner)!];
    freeContents(state, slot);
    state.inodes.release(slot);
    removeFrom(state.xattrs, owner, slot);
    state.onRevert(() => state.xattrs.set(owner, before));
    state.touch(owner, false);
  }, FREEING);
  return true;
}

/** Hides the attributes of a hidden owner: without it they count as free on disk. */
export function hideAttributes(state: VolumeState, owner: number): void {
  for (const slot of state.xattrs.get(owner) ?? []) state.tables.hideQuietly(slot);
}

/** Removes all attributes of an owner that is being destroyed, in the open transaction. */
export function destroyAttributes(state: VolumeState, owner: number): void {
  const slots = state.xattrs.get(owner);
  if (slots === undefined) return;
  slots.forEach((slot, index) => {
    freeContents(state, slot);
    if (index < SLOTS_ZEROED_MAX) state.inodes.release(slot);
    else state.inodes.abandon(slot);
  });
  state.xattrs.delete(owner);
  state.onRevert(() => state.xattrs.set(owner, slots));
}
