/**
 * The directory tree: making, linking, removing and moving names, with every rule of POSIX for it.
 *
 * Layer: opfs/volume, under `volume.ts`, which opens and closes the transaction around each of
 * these. They register with `state.onRevert` what undoes their changes to sets and lists of the
 * state.
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import { RENAME_EXCHANGE, RENAME_NOREPLACE } from "../../../abi/flags.ts";
import { invariant } from "../../../abi/invariant.ts";
import * as M from "../../../abi/mode.ts";
import { shown } from "../../../abi/options.ts";
import type { CreateOptions, Ino } from "../../volume_ops.ts";
import { writeTarget } from "./file_data.ts";
import * as L from "../format/layout.ts";
import { encodeName, encodeTarget, nameBytes } from "../format/names.ts";
import { joinSet, leaveSet, removeFrom } from "./slot_lists.ts";
import type { VolumeState } from "../state.ts";
import { destroyAttributes, hideAttributes } from "./xattr.ts";

/**
 * Continuation slots that are zeroed at once; further ones of a removed file count as free as they
 * are.
 */
const LEAVES_ZEROED_MAX = 64;

/** Makes something new and returns its inode. */
export function createName(
  state: VolumeState,
  parent: Ino,
  name: string,
  options: CreateOptions,
): Ino {
  const directory = writableDirectory(state, parent);
  const length = encodeName(name);
  if (state.paths.find(directory, nameBytes, length) >= 0) {
    throw new ErrnoError("EEXIST", `create "${name}"`);
  }
  const type = typeOfMode(options);
  if (type === L.TYPE.DIRECTORY) checkSubdirectory(state, directory);
  const slot = state.inodes.allocate(type);
  fillRecord(state, slot, options);
  setName(state, slot, state.paths.write(directory, nameBytes, length), length);
  if (type === L.TYPE.SYMLINK) writeTarget(state, slot, encodeTarget(options.target ?? ""));
  state.touch(directory, true);
  state.paths.insert(slot);
  if (type === L.TYPE.DIRECTORY) state.inodes.addSubdirectories(directory, 1);
  return state.inodes.inoOf(slot);
}

/** A directory's link count is 2 and one per subdirectory, with the same limit as a file's. */
function checkSubdirectory(state: VolumeState, directory: number): void {
  if (state.inodes.subdirectoriesOf(directory) + 2 < L.NLINK_MAX) return;
  throw new ErrnoError("EMLINK", "put one more directory into a directory");
}

/** A directory that has a name: nothing can be made in a removed one. */
export function writableDirectory(state: VolumeState, ino: Ino): number {
  const slot = state.directoryOf(ino);
  if (state.tables.isHidden(slot)) throw new ErrnoError("ENOENT", "use a removed directory");
  return slot;
}

/**
 * Throws unless all of them are numbers of 32 bits.
 *
 * @throws {ErrnoError} EINVAL
 */
export function checkNumbers(numbers: readonly number[]): void {
  for (const number of numbers) {
    if (Number.isInteger(number) && number >= 0 && number <= 0xffffffff) continue;
    throw new ErrnoError("EINVAL", `create a file with the number ${shown(number)}`);
  }
}

function typeOfMode(options: CreateOptions): number {
  const { mode, uid, gid, rdev = 0, target = "" } = options;
  checkNumbers([mode, uid, gid, rdev]);
  if (typeof target !== "string") throw new ErrnoError("EINVAL", "link to what is no path");
  switch (mode & M.S_IFMT) {
    case M.S_IFDIR:
      return L.TYPE.DIRECTORY;
    case M.S_IFLNK:
      return L.TYPE.SYMLINK;
    case M.S_IFREG:
    case M.S_IFIFO:
    case M.S_IFSOCK:
    case M.S_IFCHR:
    case M.S_IFBLK:
      return L.TYPE.FILE;
    default:
      throw new ErrnoError("EINVAL", `create a file of mode ${M.formatMode(mode)}`);
  }
}

/** Fills the record of a new inode. */
export function fillRecord(state: VolumeState, slot: number, options: CreateOptions): void {
  const at = slot * L.SLOT_BYTES;
  const { view } = state.tables;
  const now = state.clock();
  const blocks = view.getUint32(at + L.SLOT.BLOCK_COUNT, L.LE);
  invariant(blocks === 0, "V8: slot {} is given out with {} blocks", slot, blocks);
  const isDevice = M.isChrdev(options.mode) || M.isBlkdev(options.mode);
  view.setUint16(at + L.SLOT.NLINK, 1, L.LE);
  view.setUint32(at + L.SLOT.MODE, options.mode & (M.S_IFMT | M.PERMISSION_BITS), L.LE);
  view.setUint32(at + L.SLOT.FIRST_BLOCK, isDevice ? options.rdev ?? 0 : 0, L.LE);
  view.setFloat64(at + L.SLOT.MTIME, now, L.LE);
  view.setFloat64(at + L.SLOT.CTIME, now, L.LE);
  view.setFloat64(at + L.SLOT.ATIME, now, L.LE);
  view.setUint32(at + L.SLOT.UID, options.uid, L.LE);
  view.setUint32(at + L.SLOT.GID, options.gid, L.LE);
}

function setName(state: VolumeState, slot: number, offset: number, length: number): void {
  const at = state.tables.edit(slot);
  state.tables.view.setUint32(at + L.SLOT.PATH_OFFSET, offset, L.LE);
  state.tables.view.setUint16(at + L.SLOT.PATH_LENGTH, length, L.LE);
}

function lengthOf(state: VolumeState, slot: number): number {
  return state.tables.view.getUint16(slot * L.SLOT_BYTES + L.SLOT.PATH_LENGTH, L.LE);
}

/** A count of 0 reads as 1. */
function nlinkOf(state: VolumeState, slot: number): number {
  return Math.max(1, state.tables.view.getUint16(slot * L.SLOT_BYTES + L.SLOT.NLINK, L.LE));
}

/** Removes one name of several. */
function loseName(state: VolumeState, slot: number): void {
  const left = nlinkOf(state, slot) - 1;
  invariant(left > 0, "V4: slot {} loses the last name that it counts, and has another one", slot);
  setNlink(state, slot, left);
}

function setNlink(state: VolumeState, slot: number, nlink: number): void {
  const at = state.tables.edit(slot);
  state.tables.view.setUint16(at + L.SLOT.NLINK, nlink, L.LE);
}

/** Gives an inode one more name. */
export function linkName(state: VolumeState, ino: Ino, parent: Ino, name: string): void {
  const target = state.slotOf(ino);
  const directory = writableDirectory(state, parent);
  if (state.typeOf(target) === L.TYPE.DIRECTORY) {
    throw new ErrnoError("EPERM", `link a directory to "${name}"`);
  }
  const isFirst = state.linkable.has(target);
  if (state.tables.isHidden(target) && !isFirst) {
    throw new ErrnoError("ENOENT", "link a removed file");
  }
  const length = encodeName(name);
  if (state.paths.find(directory, nameBytes, length) >= 0) {
    throw new ErrnoError("EEXIST", `link "${name}"`);
  }
  if (isFirst) addFirstName(state, target, directory, length);
  else addName(state, target, { directory, length, name });
}

/** A file that was made without a name: its own slot takes the name in `nameBytes`. */
function addFirstName(state: VolumeState, slot: number, directory: number, length: number): void {
  invariant(state.orphans.has(slot), "V4: slot {} gets its first name and has one", slot);
  setName(state, slot, state.paths.write(directory, nameBytes, length), length);
  setNlink(state, slot, 1);
  state.tables.unhide(slot);
  leaveSet(state, state.orphans, slot);
  leaveSet(state, state.linkable, slot);
  state.touch(slot, false);
  state.touch(directory, true);
  state.paths.insert(slot);
}

/** A further name is a slot of its own. */
function addName(
  state: VolumeState,
  target: number,
  { directory, length, name }: { directory: number; length: number; name: string },
): void {
  const nlink = nlinkOf(state, target);
  if (nlink >= L.NLINK_MAX) throw new ErrnoError("EMLINK", `link "${name}"`);
  const slot = state.inodes.allocate(L.TYPE.LINK);
  setName(state, slot, state.paths.write(directory, nameBytes, length), length);
  state.tables.view.setUint32(slot * L.SLOT_BYTES + L.SLOT.FIRST_BLOCK, target, L.LE);
  setNlink(state, target, nlink + 1);
  state.touch(target, false);
  state.touch(directory, true);
  state.paths.insert(slot);
  rememberLink(state, target, slot, Infinity);
  state.onRevert(() => removeFrom(state.links, target, slot));
}

/** Puts a further name's slot at a place of the list of its inode. */
function rememberLink(state: VolumeState, target: number, slot: number, index: number): void {
  const links = state.links.get(target);
  if (links === undefined) state.links.set(target, [slot]);
  else links.splice(index, 0, slot);
}

/** Finds a name; its slot is an inode's or a type-4 record's. */
function requireName(state: VolumeState, directory: number, name: string): number {
  const slot = state.paths.find(directory, nameBytes, encodeName(name));
  if (slot < 0) throw new ErrnoError("ENOENT", `find "${name}"`);
  return slot;
}

/** Removes a name that is not a directory's. */
export function unlinkName(state: VolumeState, parent: Ino, name: string): void {
  const directory = state.directoryOf(parent);
  const entry = requireName(state, directory, name);
  if (state.typeOf(entry) === L.TYPE.DIRECTORY) {
    throw new ErrnoError("EISDIR", `unlink "${name}"`);
  }
  state.touch(directory, true);
  state.paths.drop(state.paths.offsetOf(entry), lengthOf(state, entry));
  removeEntry(state, entry);
}

/** Removes an empty directory. */
export function removeDirectory(state: VolumeState, parent: Ino, name: string): void {
  const directory = state.directoryOf(parent);
  const entry = requireName(state, directory, name);
  if (state.typeOf(entry) !== L.TYPE.DIRECTORY) {
    throw new ErrnoError("ENOTDIR", `remove the directory "${name}"`);
  }
  if (!state.paths.isEmpty(entry)) {
    throw new ErrnoError("ENOTEMPTY", `remove the directory "${name}"`);
  }
  state.touch(directory, true);
  state.paths.drop(state.paths.offsetOf(entry), lengthOf(state, entry));
  removeEntry(state, entry);
}

/** Removes a name from the index, and the inode with its last name. Its granules stay. */
function removeEntry(state: VolumeState, entry: number): void {
  const parent = state.paths.parentOf(entry);
  if (state.typeOf(entry) === L.TYPE.LINK) {
    removeLink(state, entry);
    return;
  }
  const links = state.links.get(entry);
  if (links !== undefined) {
    promote(state, entry, links);
    return;
  }
  state.paths.remove(entry);
  if (state.typeOf(entry) === L.TYPE.DIRECTORY) {
    const below = state.inodes.subdirectoriesOf(entry);
    invariant(below === 0, "V4: an empty directory counts {} in it", below);
    state.inodes.addSubdirectories(parent, -1);
    state.paths.forget(entry);
  }
  if (state.inodes.isRetained(entry)) makeOrphan(state, entry);
  else destroy(state, entry);
}

function removeLink(state: VolumeState, entry: number): void {
  const target = state.targetOf(entry);
  const type = state.typeOf(target);
  const isFile = type === L.TYPE.FILE || type === L.TYPE.SYMLINK;
  invariant(isFile, "V4: slot {} is a name of slot {} of type {}", entry, target, type);
  state.paths.remove(entry);
  state.inodes.release(entry);
  forgetLink(state, target, entry);
  loseName(state, target);
  state.touch(target, false);
}

function forgetLink(state: VolumeState, target: number, entry: number): void {
  const index = removeFrom(state.links, target, entry);
  state.onRevert(() => rememberLink(state, target, entry, index));
}

/** The first name is removed: another name moves into the inode's own slot. */
function promote(state: VolumeState, slot: number, links: readonly number[]): void {
  const link = links[0]!;
  const isLink = state.typeOf(link) === L.TYPE.LINK && state.targetOf(link) === slot;
  invariant(isLink, "V4: slot {} is no further name of slot {}", link, slot);
  const offset = state.paths.offsetOf(link);
  const length = lengthOf(state, link);
  state.paths.remove(slot);
  state.paths.remove(link);
  setName(state, slot, offset, length);
  state.inodes.release(link);
  state.paths.insert(slot);
  forgetLink(state, slot, link);
  loseName(state, slot);
  state.touch(slot, false);
}

/** A removed inode that is retained: it stays in memory, and is free on disk. */
function makeOrphan(state: VolumeState, slot: number): void {
  setNlink(state, slot, 0);
  state.touch(slot, false);
  state.tables.hide(slot);
  state.extents.hide(slot);
  hideAttributes(state, slot);
  joinSet(state, state.orphans, slot);
}

/** Frees an inode that has no name, and its blocks. */
export function destroy(state: VolumeState, slot: number): void {
  const type = state.typeOf(slot);
  const isInode = type >= L.TYPE.FILE && type <= L.TYPE.SYMLINK;
  invariant(isInode, "V4: destroy() of a slot that is no inode");
  const leaves = state.extents.leavesOf(slot);
  for (const run of state.extents.runsOf(slot)) state.bitmap.give(run.block, run.count);
  for (let index = 0; index < leaves.length; index++) {
    if (index < LEAVES_ZEROED_MAX) state.inodes.release(leaves[index]!);
    else state.inodes.abandon(leaves[index]!);
  }
  state.extents.forget(slot);
  state.bitmap.closeWindow(slot);
  destroyAttributes(state, slot);
  state.inodes.release(slot);
  leaveSet(state, state.orphans, slot);
  leaveSet(state, state.linkable, slot);
}

/** Both ends of a rename. */
interface Move {
  from: number;
  to: number;
  source: number;
  /** The entry that is replaced, or -1. */
  replaced: number;
}

/** Moves a name. */
export function renameName(
  state: VolumeState,
  names: { parent: Ino; name: string; newParent: Ino; newName: string; flags: number },
): void {
  const { name, newName, flags } = names;
  if (flags !== 0 && flags !== RENAME_NOREPLACE && flags !== RENAME_EXCHANGE) {
    throw new ErrnoError("EINVAL", `rename ${shown(name)} with flags ${shown(flags)}`);
  }
  // First of all: an invalid name is invalid wherever it would go.
  encodeName(newName);
  const from = state.directoryOf(names.parent);
  const to = writableDirectory(state, names.newParent);
  const source = requireName(state, from, name);
  const length = encodeName(newName);
  const replaced = state.paths.find(to, nameBytes, length);
  const move = { from, to, source, replaced };
  if (replaced >= 0 && (flags & RENAME_NOREPLACE) !== 0) {
    throw new ErrnoError("EEXIST", `rename "${name}" to "${newName}"`);
  }
  if (flags === RENAME_EXCHANGE && replaced < 0) {
    throw new ErrnoError("ENOENT", `exchange "${name}" with "${newName}"`);
  }
  checkLoop(state, source, to, name);
  if (flags === RENAME_EXCHANGE) checkLoop(state, replaced, from, newName);
  if (replaced >= 0 && state.targetOf(source) === state.targetOf(replaced)) return;
  if (flags === RENAME_EXCHANGE) exchange(state, move);
  else moveName(state, move, length, newName);
}

/** A directory cannot go into itself. */
function checkLoop(state: VolumeState, source: number, to: number, name: string): void {
  if (state.typeOf(source) !== L.TYPE.DIRECTORY) return;
  let steps = 0;
  for (let slot = to;; slot = state.paths.parentOf(slot)) {
    invariant(steps++ < state.tables.slotCount, "V6: the way up from a directory does not end");
    if (slot === source) throw new ErrnoError("EINVAL", `move "${name}" into itself`);
    if (slot === L.ROOT_SLOT) return;
  }
}

function moveName(state: VolumeState, move: Move, length: number, newName: string): void {
  const { from, to, source, replaced } = move;
  const isDirectory = state.typeOf(source) === L.TYPE.DIRECTORY;
  if (replaced >= 0) checkReplaced(state, replaced, isDirectory, newName);
  else if (isDirectory && from !== to) checkSubdirectory(state, to);
  const offset = replaced >= 0
    ? state.paths.offsetOf(replaced)
    : state.paths.write(to, nameBytes, length);
  touchBoth(state, move);
  state.touch(state.targetOf(source), false);
  if (replaced >= 0) removeEntry(state, replaced);
  state.paths.remove(source);
  state.paths.drop(state.paths.offsetOf(source), lengthOf(state, source));
  setName(state, source, offset, length);
  state.paths.insert(source);
  if (isDirectory && from !== to) {
    state.inodes.addSubdirectories(from, -1);
    state.inodes.addSubdirectories(to, 1);
  }
}

function checkReplaced(
  state: VolumeState,
  replaced: number,
  isDirectory: boolean,
  newName: string,
): void {
  const isOther = state.typeOf(replaced) === L.TYPE.DIRECTORY;
  if (isDirectory && !isOther) throw new ErrnoError("ENOTDIR", `rename over "${newName}"`);
  if (!isDirectory && isOther) throw new ErrnoError("EISDIR", `rename over "${newName}"`);
  if (isOther && !state.paths.isEmpty(replaced)) {
    throw new ErrnoError("ENOTEMPTY", `rename over "${newName}"`);
  }
}

function touchBoth(state: VolumeState, { from, to }: Move): void {
  state.touch(from, true);
  if (to !== from) state.touch(to, true);
}

function exchange(state: VolumeState, move: Move): void {
  const { from, to, source, replaced } = move;
  const moved = Number(state.typeOf(source) === L.TYPE.DIRECTORY) -
    Number(state.typeOf(replaced) === L.TYPE.DIRECTORY);
  if (from !== to && moved !== 0) checkSubdirectory(state, moved > 0 ? to : from);
  const offsets = [state.paths.offsetOf(source), state.paths.offsetOf(replaced)] as const;
  const lengths = [lengthOf(state, source), lengthOf(state, replaced)] as const;
  touchBoth(state, move);
  state.touch(state.targetOf(source), false);
  state.touch(state.targetOf(replaced), false);
  state.paths.remove(source);
  state.paths.remove(replaced);
  setName(state, source, offsets[1], lengths[1]);
  setName(state, replaced, offsets[0], lengths[0]);
  state.paths.insert(source);
  state.paths.insert(replaced);
  state.inodes.addSubdirectories(to, moved);
  state.inodes.addSubdirectories(from, -moved);
}
