/**
 * Attributes of inodes: reading them as a new object, and changing them in one step.
 *
 * Layer: opfs/volume, under `volume.ts`. The link count of a directory is 2 and one per
 * subdirectory, derived; that of anything else is in its record.
 *
 * @module
 */
import type { Attr, AttrChange } from "../../../abi/attr.ts";
import { ErrnoError, isErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import { isBlkdev, isChrdev, isFile, PERMISSION_BITS } from "../../../abi/mode.ts";
import { shown } from "../../../abi/options.ts";
import { removePastSize, resize } from "./file_data.ts";
import * as L from "../format/layout.ts";
import { typeAt } from "../format/slots.ts";
import type { VolumeState } from "../state.ts";
import { FREEING, PLAIN_STEP } from "../transaction.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const UNIT_BYTES = 512;

/** The attributes of a live slot. */
export function attributesOf(state: VolumeState, slot: number): Attr {
  const { view } = state.tables;
  const at = slot * L.SLOT_BYTES;
  const type = typeAt(view, at);
  const isInode = type >= L.TYPE.FILE && type <= L.TYPE.SYMLINK;
  invariant(isInode, "V4: the attributes of slot {} of type {}", slot, type);
  const mode = view.getUint32(at + L.SLOT.MODE, L.LE);
  const isDevice = isChrdev(mode) || isBlkdev(mode);
  return {
    ino: slot + 1,
    mode,
    nlink: nlinkOf(state, slot),
    uid: view.getUint32(at + L.SLOT.UID, L.LE),
    gid: view.getUint32(at + L.SLOT.GID, L.LE),
    rdev: isDevice ? view.getUint32(at + L.SLOT.FIRST_BLOCK, L.LE) : 0,
    size: view.getFloat64(at + L.SLOT.SIZE, L.LE),
    blocks: state.extents.blocksOf(slot) * (state.blockSize / UNIT_BYTES),
    atime: view.getFloat64(at + L.SLOT.ATIME, L.LE),
    mtime: view.getFloat64(at + L.SLOT.MTIME, L.LE),
    ctime: view.getFloat64(at + L.SLOT.CTIME, L.LE),
  };
}

function nlinkOf(state: VolumeState, slot: number): number {
  if (state.tables.isHidden(slot)) return 0;
  if (state.typeOf(slot) === L.TYPE.DIRECTORY) return 2 + state.inodes.subdirectoriesOf(slot);
  return Math.max(1, state.tables.view.getUint16(slot * L.SLOT_BYTES + L.SLOT.NLINK, L.LE));
}

/**
 * Changes attributes, as a call. A cut takes several steps; the size is right after the first.
 *
 * @throws {ErrnoError} EINVAL, EISDIR, EFBIG, ENOSPC
 */
export function setAttributes(state: VolumeState, slot: number, change: AttrChange): void {
  const { size = Infinity } = change;
  if (typeof size !== "number") throw new ErrnoError("EINVAL", `set a size to ${shown(size)}`);
  const isCut = size < Infinity && size < state.sizeOf(slot);
  state.call(() => {
    const { settled } = state;
    const isDone = state.step(() => {
      changeAttributes(state, slot, change);
      return !isCut || removePastSize(state, slot);
    }, isCut ? FREEING : PLAIN_STEP);
    if (!isDone) cutRest(state, slot, settled);
  });
}

/** When the device is too full to go on, the size stays, and the file keeps the blocks past it. */
function cutRest(state: VolumeState, slot: number, settled: number): void {
  try {
    while (!state.step(() => removePastSize(state, slot), FREEING));
    state.commitHeld();
  } catch (error) {
    const hasHappened = !state.isHeld || state.settled !== settled;
    if (!isErrnoError(error) || error.code !== "ENOSPC" || !hasHappened) throw error;
    state.takeBack();
  }
}

/** Changes attributes. The type stays; ctime changes, and with the size also mtime. */
function changeAttributes(state: VolumeState, slot: number, change: AttrChange): void {
  const { mode, uid, gid, size, atime, mtime } = change;
  for (const id of [mode, uid, gid]) checkId(id);
  for (const time of [atime, mtime]) checkTime(time);
  if (size !== undefined) {
    requireFile(state, slot);
    resize(state, slot, size);
  }
  state.touch(slot, size !== undefined);
  const at = state.tables.edit(slot);
  const { view } = state.tables;
  if (mode !== undefined) {
    state.paths.answers.clear();
    const kept = view.getUint32(at + L.SLOT.MODE, L.LE) & ~PERMISSION_BITS;
    view.setUint32(at + L.SLOT.MODE, kept | mode & PERMISSION_BITS, L.LE);
  }
  if (uid !== undefined) view.setUint32(at + L.SLOT.UID, uid, L.LE);
  if (gid !== undefined) view.setUint32(at + L.SLOT.GID, gid, L.LE);
  if (atime !== undefined) view.setFloat64(at + L.SLOT.ATIME, atime, L.LE);
  if (mtime !== undefined) view.setFloat64(at + L.SLOT.MTIME, mtime, L.LE);
}

function checkId(id: number | undefined): void {
  if (id === undefined || Number.isInteger(id) && id >= 0 && id <= 0xffffffff) return;
  throw new ErrnoError("EINVAL", `set an attribute to ${shown(id)}`);
}

function checkTime(time: number | undefined): void {
  if (time === undefined || Number.isFinite(time)) return;
  throw new ErrnoError("EINVAL", `set a time to ${shown(time)}`);
}

/**
 * Throws unless the slot is a regular file's.
 *
 * @throws {ErrnoError} EISDIR, EINVAL
 */
export function requireFile(state: VolumeState, slot: number): void {
  if (isFile(state.modeOf(slot))) return;
  const isDirectory = state.typeOf(slot) === L.TYPE.DIRECTORY;
  throw new ErrnoError(isDirectory ? "EISDIR" : "EINVAL", "use it as a file");
}

/**
 * A read changes atime when it is older than the last change, or than a day ("relatime"). That
 * alone causes no commit.
 */
export function touchAccess(state: VolumeState, slot: number): void {
  if (state.isReadOnly || state.failure !== null) return;
  const { view } = state.tables;
  const at = slot * L.SLOT_BYTES;
  const atime = view.getFloat64(at + L.SLOT.ATIME, L.LE);
  const now = state.clock();
  const isFresh = atime > view.getFloat64(at + L.SLOT.MTIME, L.LE) &&
    atime > view.getFloat64(at + L.SLOT.CTIME, L.LE) && now - atime < DAY_MS;
  if (isFresh) return;
  state.tables.touchLazily(slot, atime);
  view.setFloat64(at + L.SLOT.ATIME, now, L.LE);
}
