/**
 * Volume: the engine as all other layers see it.
 *
 * Layer: opfs/volume, the top; made by `mount.ts`. Each method that changes something is one
 * `state.change`, or a `state.call` of several steps.
 *
 * @module
 */
import type { Attr, AttrChange, DirEntry, StatFs } from "../../abi/attr.ts";
import { requireBytes } from "../../abi/bytes.ts";
import { ErrnoError, isErrnoError } from "../../abi/errno.ts";
import { invariant } from "../../abi/invariant.ts";
import { fieldsOf, shown } from "../../abi/options.ts";
import { isLink } from "../../abi/mode.ts";
import type { Appended } from "../../abi/node.ts";
import {
  CHANGE_FIELDS,
  CREATE_FIELDS,
  type CreateOptions,
  type Ino,
  TMPFILE_FIELDS,
  type TmpfileOptions,
  type VolumeOps,
} from "../volume_ops.ts";
import { allocateRange } from "./files/allocate.ts";
import { attributesOf, requireFile, setAttributes, touchAccess } from "./files/attributes.ts";
import {
  checkNumbers,
  createName,
  destroy,
  linkName,
  removeDirectory,
  renameName,
  unlinkName,
} from "./files/directory.ts";
import { copyRange } from "./files/copy_range.ts";
import { readBytes, readTarget } from "./files/file_data.ts";
import { FileWriter } from "./files/file_writer.ts";
import { growBitmapForExport, makeRoomForBlocks, makeRoomForName } from "./space/grow.ts";
import { closeVolume } from "./upkeep/close.ts";
import { type CompactSteps, compactSteps } from "./upkeep/compact.ts";
import { ImageExport, streamOf } from "./upkeep/image_export.ts";
import type { Journal } from "./journal/journal.ts";
import * as L from "./format/layout.ts";
import { decodeName, encodeName, nameBytes } from "./format/names.ts";
import type { MountReport } from "./format/report.ts";
import { seekFrom } from "./files/seek.ts";
import type { VolumeState } from "./state.ts";
import { spaceOf } from "./space/space.ts";
import { createNameless, unhideOwned } from "./files/tmpfile.ts";
import { FREEING, type StepOptions } from "./transaction.ts";
import { checkPosition } from "./files/write_plan.ts";
import {
  attributeNames,
  attributeValue,
  encodeAttributeName,
  removeAttribute,
  setAttribute,
} from "./files/xattr.ts";
import { Upkeep } from "./upkeep/upkeep.ts";
import { type EngineMetrics, metricsOf, statsOf, type VolumeStats } from "./volume_stats.ts";

/** Entries that one `readdir` returns at most. */
const ENTRIES_PER_CALL = 512;
/** Bytes that the longest target of a link takes, with its sum. */
const TARGET_ROOM = L.TARGET_BYTES_MAX + L.SUM_BYTES;

/**
 * A mounted volume. Made by {@link openVolumeSync}.
 *
 * @example
 * ```ts
 * import { memoryHandle, openVolumeSync } from "@cairn/fs/opfs";
 * import { assertEquals } from "@std/assert";
 *
 * const volume = openVolumeSync(memoryHandle());
 * const ino = volume.create(volume.root, "a.txt", { mode: 0o100644, uid: 0, gid: 0 });
 * volume.write(ino, new TextEncoder().encode("kept"), 0);
 * volume.sync();
 * assertEquals(volume.getattr(ino).size, 4);
 * volume.close();
 * ```
 */
export class Volume implements VolumeOps {
  readonly #state: VolumeState;
  readonly #journal: Journal | null;
  readonly #writer: FileWriter;
  readonly #upkeep: Upkeep | null;
  /** What mounting found, and corrected. */
  readonly report: MountReport;
  /** The root directory. */
  readonly root: Ino;
  #generation = 0;

  /** Takes what `mount.ts` has made; no journal for reading only. */
  constructor(state: VolumeState, journal: Journal | null, report: MountReport) {
    this.#state = state;
    this.#journal = journal;
    this.#writer = new FileWriter(state);
    this.#upkeep = journal === null ? null : new Upkeep(state, journal);
    this.report = report;
    invariant(state.typeOf(L.ROOT_SLOT) === L.TYPE.DIRECTORY, "V6: slot 0 is not the root");
    this.root = state.inodes.inoOf(L.ROOT_SLOT);
  }

  /** Between two calls, once after each commit. */
  #runUpkeep(): void {
    if (this.#upkeep?.isDue === true) this.#upkeep.run();
  }

  /** Counts changes of names and attributes, by all users of this object. */
  get generation(): number {
    return this.#generation;
  }

  /** One call in one step that changes names. */
  #change<T>(work: () => T, options?: StepOptions): T {
    const result = this.#state.change(work, options);
    this.#generation++;
    return result;
  }

  /** The named entry of a directory, or 0. ENOTDIR, ESTALE, and what is wrong with a name. */
  lookup(parent: Ino, name: string): Ino {
    const state = this.#state;
    const directory = state.directoryOf(parent);
    const slot = state.paths.find(directory, nameBytes, encodeName(name));
    return slot < 0 ? 0 : state.inodes.inoOf(state.targetOf(slot));
  }

  /** Makes a file, directory, link or special file. EEXIST, ENOENT, ENOSPC, EINVAL, ENAMETOOLONG. */
  create(parent: Ino, name: string, options: CreateOptions): Ino {
    this.#runUpkeep();
    const state = this.#state;
    const given = fieldsOf(options, CREATE_FIELDS, "create a file");
    checkNumbers([given.mode]);
    makeRoomForName(state);
    if (isLink(given.mode)) makeRoomForBlocks(state, Math.ceil(TARGET_ROOM / state.blockSize));
    return this.#change(() => createName(state, parent, name, given));
  }

  /** Makes a file without a name, retained once. ENOENT, ENOTDIR, ENOSPC, EINVAL. */
  tmpfile(parent: Ino, options: TmpfileOptions): Ino {
    this.#runUpkeep();
    const state = this.#state;
    const given = fieldsOf(options, TMPFILE_FIELDS, "create a file");
    makeRoomForName(state);
    return state.change(() => createNameless(state, parent, given));
  }

  /** Adds a name. EEXIST, EMLINK, ENOENT, ENOSPC, EPERM for a directory. */
  link(ino: Ino, parent: Ino, name: string): void {
    this.#runUpkeep();
    const state = this.#state;
    makeRoomForName(state);
    state.call(() => {
      unhideOwned(state, state.slotOf(ino));
      state.step(() => linkName(state, ino, parent, name));
    });
    this.#generation++;
  }

  /** Removes a name. ENOENT, EISDIR. */
  unlink(parent: Ino, name: string): void {
    this.#runUpkeep();
    const state = this.#state;
    this.#change(() => unlinkName(state, parent, name), FREEING);
  }

  /** Removes an empty directory. ENOENT, ENOTDIR, ENOTEMPTY. */
  rmdir(parent: Ino, name: string): void {
    this.#runUpkeep();
    const state = this.#state;
    this.#change(() => removeDirectory(state, parent, name), FREEING);
  }

  /** Moves a name in one step. ENOENT, EEXIST, ENOTEMPTY, EISDIR, ENOTDIR, EINVAL, ENOSPC. */
  rename(parent: Ino, name: string, newParent: Ino, newName: string, flags: number): void {
    this.#runUpkeep();
    const state = this.#state;
    makeRoomForName(state);
    const names = { parent, name, newParent, newName, flags };
    this.#change(() => renameName(state, names));
  }

  /** Entries after cursor `after` (0: from the start), some hundreds at most; none at the end. */
  readdir(ino: Ino, after: number): DirEntry[] {
    const state = this.#state;
    const directory = state.directoryOf(ino);
    const { tables, paths } = state;
    if (typeof after !== "number" || Number.isNaN(after)) {
      throw new ErrnoError("EINVAL", `list after ${shown(after)}`);
    }
    touchAccess(state, directory);
    const known = paths.answers.find(directory, after);
    if (known !== null) return known;
    const entries = paths.list(directory, after, ENTRIES_PER_CALL).map((slot) => {
      const target = state.targetOf(slot);
      const offset = paths.offsetOf(slot);
      const length = tables.view.getUint16(slot * L.SLOT_BYTES + L.SLOT.PATH_LENGTH, L.LE);
      return {
        ino: target + 1,
        mode: state.modeOf(target),
        name: decodeName(tables.names, offset + L.NAME.BYTES, length),
        cursor: offset + L.GRANULE_BYTES,
      };
    });
    if (paths.isListingComplete(directory)) paths.answers.keep(directory, after, entries);
    return entries;
  }

  /** What a symbolic link points to. EINVAL if it is not one. */
  readlink(ino: Ino): string {
    const state = this.#state;
    const slot = state.slotOf(ino);
    if (state.typeOf(slot) !== L.TYPE.SYMLINK) throw new ErrnoError("EINVAL", "read a link");
    try {
      const target = readTarget(state, slot);
      touchAccess(state, slot);
      return decodeName(target, 0, target.length);
    } catch (error) {
      throw state.broken(error);
    }
  }

  /** Attributes, as a fresh object. */
  getattr(ino: Ino): Attr {
    return attributesOf(this.#state, this.#state.slotOf(ino));
  }

  /** Changes what `change` has in one step, and ctime. EINVAL, EISDIR, EFBIG for a size. */
  setattr(ino: Ino, change: AttrChange): void {
    this.#runUpkeep();
    const state = this.#state;
    const slot = state.slotOf(ino);
    setAttributes(state, slot, fieldsOf(change, CHANGE_FIELDS, "set attributes"));
    this.#generation++;
  }

  /** Bytes read at byte `at`; 0 at the end. `isQuiet` leaves atime alone. EISDIR, EINVAL, EIO. */
  read(ino: Ino, into: Uint8Array, at: number, isQuiet = false): number {
    const state = this.#state;
    const slot = state.slotOf(ino);
    requireFile(state, slot);
    requireBytes(into);
    checkPosition(at);
    const length = Math.max(0, Math.min(into.length, state.sizeOf(slot) - at));
    try {
      if (length > 0) {
        readBytes(state, slot, length === into.length ? into : into.subarray(0, length), at);
      }
    } catch (error) {
      throw state.broken(error);
    }
    if (!isQuiet) touchAccess(state, slot);
    return length;
  }

  /**
   * Bytes written at byte `at`: all, or fewer when the device is full. EISDIR, EINVAL, EFBIG, and
   * ENOSPC when there is room for none.
   */
  write(ino: Ino, from: Uint8Array, at: number): number {
    this.#runUpkeep();
    const state = this.#state;
    const slot = state.slotOf(ino);
    requireFile(state, slot);
    requireBytes(from);
    const writer = this.#writer;
    for (let run = writer.start(slot, from, at); run !== null; run = writer.next()) {
      let count: number;
      try {
        count = state.handle.write(run, { at: writer.place });
      } catch (error) {
        writer.refused(error);
        continue;
      }
      writer.wrote(count);
    }
    return writer.end();
  }

  /** Writes at the end of the file; where, and how many bytes. As `write`. */
  append(ino: Ino, from: Uint8Array): Appended {
    const at = this.#state.sizeOf(this.#state.slotOf(ino));
    return { at, count: this.write(ino, from, at) };
  }

  /** The next data, or the next hole, at or after `at`. ENXIO, EINVAL, EISDIR. */
  seek(ino: Ino, at: number, whence: number): number {
    const slot = this.#state.slotOf(ino);
    requireFile(this.#state, slot);
    return seekFrom(this.#state, slot, at, whence);
  }

  /** Owns, zeroes or gives back a range. ENOSPC before any change, EFBIG, EINVAL, ENOTSUP. */
  allocate(ino: Ino, mode: number, at: number, length: number): void {
    this.#runUpkeep();
    allocateRange(this.#state, this.#state.slotOf(ino), { mode, at, length });
  }

  /** Copies bytes from a file to a file. EINVAL, EISDIR, EFBIG; ENOSPC when there is room for none. */
  copyRange(source: Ino, at: number, target: Ino, to: number, length: number): number {
    this.#runUpkeep();
    const state = this.#state;
    const range = { source: state.slotOf(source), at, target: state.slotOf(target), to, length };
    try {
      return copyRange(state, range, (from, place) => this.write(target, from, place));
    } catch (error) {
      throw state.broken(error);
    }
  }

  /** Value of an extended attribute, or null. ERANGE, EIO. */
  getxattr(ino: Ino, name: string): Uint8Array<ArrayBuffer> | null {
    const state = this.#state;
    const slot = state.slotOf(ino);
    try {
      return attributeValue(state, slot, encodeAttributeName(name, "find"));
    } catch (error) {
      throw state.broken(error);
    }
  }

  /** Sets an extended attribute in one step. EEXIST, ENODATA, ERANGE, E2BIG, ENOSPC. */
  setxattr(ino: Ino, name: string, value: Uint8Array, flags: number): void {
    this.#runUpkeep();
    requireBytes(value);
    const slot = this.#state.slotOf(ino);
    setAttribute(this.#state, slot, { name: encodeAttributeName(name, "set"), value, flags });
  }

  /** Names of the extended attributes, in no particular order. */
  listxattr(ino: Ino): string[] {
    return attributeNames(this.#state, this.#state.slotOf(ino));
  }

  /** Removes an extended attribute; false if it is missing. ERANGE. */
  removexattr(ino: Ino, name: string): boolean {
    this.#runUpkeep();
    const slot = this.#state.slotOf(ino);
    return removeAttribute(this.#state, slot, encodeAttributeName(name, "find"));
  }

  /** An open file keeps its inode alive after its last name is gone. */
  retain(ino: Ino): void {
    this.#state.inodes.retain(this.#state.slotOf(ino));
  }

  /** Takes one `retain` back. EINVAL if there was none. */
  release(ino: Ino): void {
    const state = this.#state;
    const slot = state.slotOf(ino);
    const isLast = state.inodes.unretain(slot);
    if (!isLast || !state.orphans.has(slot) || state.failure !== null) return;
    this.#destroyOrphans();
  }

  /** On a full device they may stay until the next release, or `close`: none of them has a name. */
  #destroyOrphans(): void {
    const state = this.#state;
    try {
      for (const slot of state.orphans) {
        if (state.inodes.isRetained(slot)) continue;
        state.step(() => destroy(state, slot), { isFreeing: true, isFinal: true });
      }
    } catch (error) {
      if (!isErrnoError(error) || error.code !== "ENOSPC") throw error;
    }
  }

  /** Makes the inode, its data and the names that lead to it durable. */
  fsync(ino: Ino): void {
    this.#state.slotOf(ino);
    this.sync();
  }

  /** Makes everything before this call durable. EROFS on a FAILED volume. */
  sync(): void {
    this.#state.requireOpen();
    this.#journal?.commit();
    this.#upkeep?.run();
  }

  /** Space: what a write may still take, though the volume has yet to grow to it. */
  statfs(): StatFs {
    this.#state.slotOf(this.root);
    return spaceOf(this.#state);
  }

  /** The volume's state and counts. */
  stats(): VolumeStats {
    return statsOf(this.#state, this.#journal);
  }

  /**
   * An image of the volume as it is now, as a stream, while the volume is worked on. Closed, compact
   * and consistent: what happens later is not in it. Until the stream has ended or is cancelled, what
   * is written over takes up space a second time; without room for that the stream ends with ENOSPC.
   * EROFS on a FAILED volume, EBADF on a closed one.
   *
   * @example
   * ```ts
   * import { importImage, memoryHandle, openVolumeSync } from "@cairn/fs/opfs";
   * import { assert } from "@std/assert";
   *
   * const volume = openVolumeSync(memoryHandle());
   * const backup = memoryHandle();
   * const { clean } = await importImage(volume.exportImage(), backup);
   * assert(clean);
   * volume.close();
   * ```
   */
  exportImage(): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#state.requireOpen();
    try {
      if (this.#journal !== null) {
        growBitmapForExport(this.#state);
        this.#journal.checkpoint();
      }
      return streamOf(new ImageExport(this.#state));
    } catch (error) {
      throw this.#state.broken(error);
    }
  }

  /**
   * Moves used blocks to the front and cuts the free end off, step by step; between two steps the
   * volume may be worked on, and a crash at any point loses nothing. EROFS, ENOSPC.
   *
   * @example
   * ```ts
   * import { memoryHandle, openVolumeSync } from "@cairn/fs/opfs";
   * import { assert } from "@std/assert";
   *
   * const handle = memoryHandle();
   * const volume = openVolumeSync(handle);
   * const steps = volume.compact();
   * while (steps.next().done !== true);
   * assert(handle.getSize() < 700_000);
   * volume.close();
   * ```
   */
  compact(): CompactSteps {
    const state = this.#state;
    state.requireWritable();
    invariant(this.#journal !== null, "V14: a volume that can be changed has no journal");
    return compactSteps(state, this.#journal);
  }

  /** Counts since the volume was opened. */
  metrics(): EngineMetrics {
    return metricsOf(this.#state, this.#journal);
  }

  /** Makes everything durable and lets the device go. A second call does nothing. */
  close(): void {
    closeVolume(this.#state, this.#journal);
  }
}
