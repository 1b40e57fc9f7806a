/**
 * What can be saved of a damaged image: which inodes, under which names, with which blocks.
 *
 * Layer: opfs/volume, under `repair.ts`. Nothing is written. An invalid type byte is taken from
 * the mode, if that says one; a name leads where the index of names says; what no name leads to is
 * lost and gets a place in /lost+found. Modes, owners and times stay as they are: what is no value is
 * reported, never guessed.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import * as M from "../../../abi/mode.ts";
import { append, largest } from "../../../abi/lists.ts";
import type { StorageHandle } from "../../device/handle.ts";
import { BlockSet } from "../memory/block_set.ts";
import type { Run } from "../memory/extent.ts";
import { type Image, loadImage } from "../load/image.ts";
import { readImageBlocks } from "../load/image_blocks.ts";
import { pageOfEntry } from "../load/image_sums.ts";
import * as L from "../format/layout.ts";
import { parentAt, setTypeAt, typeAt, typeOf } from "../format/slots.ts";
import { decodeName, isName } from "../format/names.ts";
import { putRight } from "../format/page_sum.ts";
import { entryBytes } from "../memory/path_table.ts";
import type { Violation } from "../format/report.ts";
import { type Derived, scan } from "../load/scan.ts";
import { knownBits, slotTypeOf } from "../format/slot_rules.ts";
import type { Findings, Severity } from "../upkeep/transfer.ts";
import { attributeName, attributeProblem, placeOfName, valueRuns } from "../memory/xattr_record.ts";

/** Something that a name stands for. */
export interface SavedNode {
  /** Its slot in the damaged image. */
  slot: number;
  /** Type and permission bits; the type is the slot's. */
  mode: number;
  /** Device number of a device. */
  rdev: number;
  /** Owner. */
  uid: number;
  /** Group. */
  gid: number;
  /** Length in bytes. */
  size: number;
  /** Times in ms; 0 for an invalid one. */
  atime: number;
  /** See `atime`. */
  mtime: number;
  /** See `atime`. */
  ctime: number;
  /** Blocks that are there, in order. */
  runs: Run[];
}

/** An entry of a directory. */
export interface SavedName {
  /** The name. */
  name: string;
  /** The slot of what it stands for. */
  slot: number;
}

/** A place in /lost+found. */
export interface LostName extends SavedName {
  /** The slot that it names as its directory and that is not one, or -1. */
  parent: number;
}

/** A damaged image, as far as it can be read. */
export class Salvage {
  readonly #handle: StorageHandle;
  readonly #image: Image;
  readonly #derived: Derived;
  readonly #findings: Findings;
  readonly #shared: BlockSet;
  readonly #reached = new Set<number>();
  /** What has its place in /lost+found and nowhere else. */
  readonly #isCut = new Set<number>();
  /** Everything that is wrong, as `checkVolume` says it. */
  readonly violations: Violation[] = [];
  /** What no name leads to, with what is below it. */
  readonly lost: LostName[] = [];
  /** Bytes of contents, at most. */
  totalBytes = 0;

  /**
   * Reads the tables.
   *
   * @throws {ErrnoError} EINVAL, ENOTSUP or EIO for what cannot be read at all
   */
  constructor(handle: StorageHandle, findings: Findings) {
    this.#handle = handle;
    this.#findings = findings;
    this.#image = loadImage(handle, (violation) => void this.violations.push(violation));
    const { tables, superblock, segments } = this.#image;
    append(this.violations, scan(tables, superblock, segments).violations);
    this.#mendTypes();
    this.#derived = scan(tables, superblock, segments);
    this.#shared = this.#findShared();
    this.#reach(L.ROOT_SLOT);
    this.#findLost();
  }

  /** Whether targets have a sum after them. */
  get isSummed(): boolean {
    return this.#image.sums !== null;
  }

  /** What a new volume in its place is made with. */
  get format(): { blockSize: number; label: string; ringBytes: number; limitBytes: number } {
    const { superblock, header } = this.#image;
    const { label, ringBytes, limitBytes } = header;
    return { blockSize: superblock.blockSize, label, ringBytes, limitBytes };
  }

  /** The volume's id. */
  get volumeId(): Uint8Array {
    return this.#image.header.volumeId;
  }

  #find(code: string, severity: Severity, slot: number, message: string): void {
    this.#findings.add({ code, severity, slot, message });
  }

  #typeOf(slot: number): number {
    return typeOf(this.#image.tables.view, slot);
  }

  /** In memory: a slot with an invalid type takes the type that its mode implies. */
  #mendTypes(): void {
    const { view, slotCount } = this.#image.tables;
    if (this.#typeOf(L.ROOT_SLOT) !== L.TYPE.DIRECTORY) {
      setTypeAt(view, L.ROOT_SLOT * L.SLOT_BYTES, L.TYPE.DIRECTORY);
      view.setUint16(L.SLOT.PATH_LENGTH, 0, L.LE);
      this.#find("root-lost", "changed", L.ROOT_SLOT, "the root was no directory, it is one now");
    }
    for (let slot = L.FIRST_FILE_SLOT; slot < slotCount; slot++) {
      const at = slot * L.SLOT_BYTES;
      const type = typeAt(view, at);
      const isKnown = type <= L.TYPE.LINK || type === L.TYPE.CONTINUATION || type === L.TYPE.XATTR;
      if (isKnown && !(type === L.TYPE.FREE && this.#isLikeAnInode(slot))) continue;
      const mended = slotTypeOf(view.getUint32(at + L.SLOT.MODE, L.LE));
      if (mended === L.TYPE.FREE) {
        this.#find(
          "slot-lost",
          "lost",
          slot,
          `its type is ${type}, and its mode implies no type either`,
        );
        continue;
      }
      setTypeAt(view, at, mended);
      this.#find(
        "type-mended",
        "changed",
        slot,
        `its type was ${type}: it takes the one that its mode implies`,
      );
    }
  }

  /** A slot that is free by its type alone: a mode, and a name that is one. */
  #isLikeAnInode(slot: number): boolean {
    const mode = this.#image.tables.view.getUint32(slot * L.SLOT_BYTES + L.SLOT.MODE, L.LE);
    return slotTypeOf(mode) !== L.TYPE.FREE && this.#ownName(slot) !== null;
  }

  /** The name in a slot's entry and the directory there, whether that is one or not. */
  #ownName(slot: number): { name: string; parent: number } | null {
    const { view, names, nameView } = this.#image.tables;
    const at = slot * L.SLOT_BYTES;
    const offset = view.getUint32(at + L.SLOT.PATH_OFFSET, L.LE);
    const length = view.getUint16(at + L.SLOT.PATH_LENGTH, L.LE);
    const isPlace = length > 0 && length <= L.NAME_BYTES_MAX && offset % L.GRANULE_BYTES === 0 &&
      offset + entryBytes(length) <= names.length;
    if (!isPlace || !isName(names, offset + L.NAME.BYTES, length)) return null;
    const parent = parentAt(nameView, offset + L.NAME.PARENT);
    return { name: decodeName(names, offset + L.NAME.BYTES, length), parent };
  }

  /** Blocks that more than one of the files and tables says are its own. */
  #findShared(): BlockSet {
    const { superblock, segments, tables } = this.#image;
    const owned = new BlockSet(superblock.totalBlocks);
    const shared = new BlockSet(superblock.totalBlocks);
    const claim = (block: number, count: number): void => {
      if (count === 0 || owned.add(block, count)) return;
      for (let at = block; at < Math.min(block + count, owned.blocks); at++) {
        if (!owned.add(at, 1)) shared.add(at, 1);
      }
    };
    for (const list of [segments.slots, segments.names, segments.bitmap]) {
      for (const { firstBlock, blockCount } of list.slice(1)) claim(firstBlock, blockCount);
    }
    for (let slot = L.FIRST_FILE_SLOT; slot < tables.slotCount; slot++) {
      const type = this.#typeOf(slot);
      if (type !== L.TYPE.FILE && type !== L.TYPE.SYMLINK) continue;
      for (const { block, count } of this.#runsOf(slot)) claim(block, count);
      this.totalBytes += this.#sizeOf(slot, this.#runsOf(slot)) || 0;
    }
    return shared;
  }

  #runsOf(slot: number): Run[] {
    const mode = this.#image.tables.view.getUint32(slot * L.SLOT_BYTES + L.SLOT.MODE, L.LE);
    const isData = M.isFile(mode) || M.isLink(mode) || slotTypeOf(mode) === L.TYPE.FREE;
    return isData ? this.#derived.extents.runsOf(slot) : [];
  }

  /** The size, or where the blocks end if it is not one. */
  #sizeOf(slot: number, runs: readonly Run[]): number {
    const size = this.#image.tables.view.getFloat64(slot * L.SLOT_BYTES + L.SLOT.SIZE, L.LE);
    if (Number.isSafeInteger(size) && size >= 0) return size;
    const ends = runs.map(({ fileBlock, count }) => fileBlock + count);
    return largest(ends, 0) * this.#image.superblock.blockSize;
  }

  /** Marks what is below a directory as reached; a loop, because a hostile tree is deep. */
  #reach(root: number): void {
    const stack = [root];
    this.#reached.add(root);
    for (let directory = stack.pop(); directory !== undefined; directory = stack.pop()) {
      for (const slot of this.#entriesOf(directory)) {
        if (this.#typeOf(slot) === L.TYPE.LINK) {
          this.#reached.add(slot);
          this.#reached.add(this.#targetOf(slot));
          continue;
        }
        if (this.#reached.has(slot)) continue;
        this.#reached.add(slot);
        if (this.#typeOf(slot) === L.TYPE.DIRECTORY) stack.push(slot);
      }
    }
  }

  #targetOf(slot: number): number {
    return this.#image.tables.view.getUint32(slot * L.SLOT_BYTES + L.SLOT.FIRST_BLOCK, L.LE);
  }

  /** Slots of the good names in a directory; further names of nothing are left out. */
  #entriesOf(directory: number): number[] {
    return this.#derived.paths.list(directory, 0, Infinity).filter((slot) =>
      this.#typeOf(slot) !== L.TYPE.LINK || this.#isLinkToSomething(slot)
    );
  }

  #isLinkToSomething(slot: number): boolean {
    return this.#derived.links.get(this.#targetOf(slot))?.includes(slot) === true;
  }

  /** First what has no name that leads anywhere, then one directory of each ring of directories. */
  #findLost(): void {
    const { slotCount } = this.#image.tables;
    for (const isLost of [this.#isNameless, this.#isOnRing]) {
      for (let slot = L.FIRST_FILE_SLOT; slot < slotCount; slot++) {
        const type = this.#typeOf(slot);
        const isInode = type >= L.TYPE.FILE && type <= L.TYPE.SYMLINK;
        if (isInode && !this.#reached.has(slot) && isLost.call(this, slot)) this.#lose(slot);
      }
    }
    for (let slot = L.FIRST_FILE_SLOT; slot < slotCount; slot++) {
      if (this.#typeOf(slot) === L.TYPE.LINK) this.#reportDeadLink(slot);
    }
  }

  #isNameless(slot: number): boolean {
    return !this.#isIndexed(slot);
  }

  /** Whether the way up from it comes back to it. */
  #isOnRing(slot: number): boolean {
    const seen = new Set<number>();
    for (let at = slot; this.#isIndexed(at) && !seen.has(at);) {
      seen.add(at);
      at = this.#derived.paths.parentOf(at);
      if (at === slot) return true;
    }
    return false;
  }

  #reportDeadLink(slot: number): void {
    if (this.#reached.has(slot)) return;
    const name = this.#ownName(slot)?.name;
    const what = name === undefined ? "a further name" : `the further name "${name}"`;
    this.#find("name-lost", "lost", slot, `${what} leads from nowhere or to nothing`);
  }

  /** Whether its name is good, and no other inode has it. */
  #isIndexed(slot: number): boolean {
    const own = slot === L.ROOT_SLOT ? null : this.#ownName(slot);
    if (own === null || own.parent >= this.#image.tables.slotCount) return false;
    const { paths } = this.#derived;
    const offset = paths.offsetOf(slot) + L.NAME.BYTES;
    const at = slot * L.SLOT_BYTES;
    const length = this.#image.tables.view.getUint16(at + L.SLOT.PATH_LENGTH, L.LE);
    return paths.findAt(own.parent, this.#image.tables.names, offset, length) === slot;
  }

  #lose(slot: number): void {
    const own = this.#ownName(slot);
    const isOrphan = own !== null && !this.#isIndexed(slot) && !this.#isDirectory(own.parent);
    this.lost.push(
      isOrphan
        ? { name: own.name, slot, parent: own.parent }
        : { name: `slot-${slot}`, slot, parent: -1 },
    );
    this.#isCut.add(slot);
    const was = own === null ? "its name is invalid" : `its name was "${own.name}"`;
    this.#find("lost-and-found", "changed", slot, `no path leads to it, ${was}`);
    this.#reach(slot);
  }

  #isDirectory(slot: number): boolean {
    return (slot === L.ROOT_SLOT || slot >= L.FIRST_FILE_SLOT) &&
      slot < this.#image.tables.slotCount && this.#typeOf(slot) === L.TYPE.DIRECTORY;
  }

  /** The entries of a directory; those of a ring that has been cut are not in both places. */
  entriesOf(directory: number): SavedName[] {
    const { tables } = this.#image;
    const isThere = this.#isDirectory(directory);
    invariant(isThere, "V6: the entries of slot {}, which is no directory, are saved", directory);
    return this.#entriesOf(directory).filter((slot) => !this.#isCut.has(slot)).map((slot) => {
      const offset = this.#derived.paths.offsetOf(slot) + L.NAME.BYTES;
      const at = slot * L.SLOT_BYTES;
      const length = tables.view.getUint16(at + L.SLOT.PATH_LENGTH, L.LE);
      const name = decodeName(tables.names, offset, length);
      return { name, slot: this.#typeOf(slot) === L.TYPE.LINK ? this.#targetOf(slot) : slot };
    });
  }

  /** What a slot holds, and what is wrong with it said. */
  node(slot: number): SavedNode {
    const { view, slotCount } = this.#image.tables;
    invariant(slot < slotCount, "V4: slot {} of {} is saved", slot, slotCount);
    const at = slot * L.SLOT_BYTES;
    this.#reportWrongPage(slot);
    const mode = this.#mode(slot);
    const runs = this.#goodRuns(slot);
    const size = this.#sizeOf(slot, runs);
    if (size !== view.getFloat64(at + L.SLOT.SIZE, L.LE)) {
      this.#find("size-lost", "changed", slot, `its size is invalid: it ends with its blocks`);
    }
    const isDevice = M.isChrdev(mode) || M.isBlkdev(mode);
    return {
      slot,
      mode,
      rdev: isDevice ? view.getUint32(at + L.SLOT.FIRST_BLOCK, L.LE) : 0,
      uid: view.getUint32(at + L.SLOT.UID, L.LE),
      gid: view.getUint32(at + L.SLOT.GID, L.LE),
      size,
      atime: this.#time(slot, L.SLOT.ATIME),
      mtime: this.#time(slot, L.SLOT.MTIME),
      ctime: this.#time(slot, L.SLOT.CTIME),
      runs,
    };
  }

  /** What came out of a page whose sum is wrong may be anything: it is named. */
  #reportWrongPage(slot: number): void {
    const { sums, tables } = this.#image;
    if (sums === null) return;
    const page = Math.floor(slot * L.SLOT_BYTES / L.PAGE_BYTES);
    const message = "is in a page that is not what its sum says: it may be wrong";
    if (sums.isWrong("slots", page)) this.#find("page-damaged", "changed", slot, `it ${message}`);
    const names = pageOfEntry(slot, tables);
    if (sums.isWrong("names", names)) {
      this.#find("page-damaged", "changed", slot, `its name ${message}`);
    }
  }

  /** What other slots build on is the type; the mode follows it. */
  #mode(slot: number): number {
    const mode = this.#image.tables.view.getUint32(slot * L.SLOT_BYTES + L.SLOT.MODE, L.LE);
    const type = this.#typeOf(slot);
    const known = knownBits(mode);
    if (slotTypeOf(mode) === type && known === mode) return known;
    const message = `its mode is 0${mode.toString(8)}, which is not what it is`;
    this.#find("mode-mended", "changed", slot, message);
    return slotTypeOf(mode) === type ? known : KIND_OF.get(type)! | mode & M.PERMISSION_BITS;
  }

  #time(slot: number, field: number): number {
    const time = this.#image.tables.view.getFloat64(slot * L.SLOT_BYTES + field, L.LE);
    if (Number.isFinite(time)) return time;
    this.#find("time-lost", "changed", slot, "one of its times is invalid: it is 0 now");
    return 0;
  }

  /** Runs in blocks that there are, none over another. */
  #goodRuns(slot: number): Run[] {
    const good: Run[] = [];
    let end = 0;
    let isShared = false;
    for (const run of this.#runsOf(slot).sort((a, b) => a.fileBlock - b.fileBlock)) {
      const isThere = run.count > 0 && run.block + run.count <= this.#shared.blocks;
      if (!isThere || run.fileBlock < end) {
        const what = `blocks ${run.block} to ${run.block + run.count}`;
        this.#find("blocks-lost", "lost", slot, `${what} are not there, or there twice: zeros`);
        continue;
      }
      const after = run.block + run.count;
      isShared ||= this.#shared.nextFrom(run.block, after) < after;
      good.push(run);
      end = run.fileBlock + run.count;
    }
    if (isShared) {
      const message = "others say that blocks of it are theirs: it may show bytes of them";
      this.#find("blocks-shared", "changed", slot, message);
    }
    this.#reportCutOff(slot, good);
    return good;
  }

  #reportCutOff(slot: number, runs: readonly Run[]): void {
    const { dataOffset, blockSize } = this.#image.superblock;
    const there = Math.floor((this.#handle.getSize() - dataOffset) / blockSize);
    const isCut = runs.some(({ block, count, isUnwritten }) =>
      !isUnwritten && block + count > Math.max(0, there)
    );
    if (!isCut) return;
    this.#find("blocks-cut-off", "lost", slot, "the file ends before its blocks: zeros");
  }

  /** The extended attributes of an inode; one that is damaged is said and left out. */
  attributesOf(slot: number): { name: string; value: Uint8Array }[] {
    const { tables, superblock, segments } = this.#image;
    const good: { name: string; value: Uint8Array }[] = [];
    for (const attribute of this.#derived.xattrs.get(slot) ?? []) {
      const problem = attributeProblem(tables, attribute, {
        blockSize: superblock.blockSize,
        names: segments.names,
      });
      if (problem === null) {
        this.#reportWrongPage(attribute);
        const name = attributeName(tables, attribute);
        const value = this.#valueOf(attribute);
        if (!this.#isRight(attribute, value)) {
          const message = `the value of "${name}" is not what its sum says: it may be wrong`;
          this.#find("attribute-damaged", "changed", slot, message);
        }
        good.push({ name, value });
      } else this.#find("attribute-lost", "lost", slot, `an extended attribute ${problem.why}`);
    }
    return good;
  }

  /** One turned bit of a value is put right. */
  #isRight(attribute: number, value: Uint8Array): boolean {
    const { tables, sums } = this.#image;
    const at = attribute * L.SLOT_BYTES;
    if (sums === null || valueRuns(tables.view, at).length === 0) return true;
    return putRight(value, tables.view.getUint32(at + L.XATTR.SUM, L.LE)) !== "wrong";
  }

  #valueOf(attribute: number): Uint8Array {
    const { view, names } = this.#image.tables;
    const at = attribute * L.SLOT_BYTES;
    const value = new Uint8Array(view.getUint32(at + L.XATTR.SIZE, L.LE));
    const runs = valueRuns(view, at);
    const { to } = placeOfName(this.#image.tables, attribute);
    if (runs.length === 0) value.set(names.subarray(to, to + value.length));
    let done = 0;
    for (const { block, count } of runs) {
      const length = Math.min(value.length - done, count * this.#image.superblock.blockSize);
      if (block + count <= this.#shared.blocks) {
        this.readBlocks(value.subarray(done, done + length), block);
      }
      done += length;
    }
    return value;
  }

  /** Fills `into` from byte `inside` of a block on, within one run. */
  readBlocks(into: Uint8Array, block: number, inside = 0): void {
    readImageBlocks(this.#handle, this.#image, { into, block, inside });
  }
}

const KIND_OF: ReadonlyMap<number, number> = new Map([
  [L.TYPE.FILE, M.S_IFREG],
  [L.TYPE.DIRECTORY, M.S_IFDIR],
  [L.TYPE.SYMLINK, M.S_IFLNK],
]);
