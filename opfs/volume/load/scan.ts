/**
 * One pass over the slots of an image: builds what is derived (bitmap, index of names, link counts,
 * block maps) and finds every broken rule. Both mount and check use it.
 *
 * Layer: opfs/volume. Slots may be hostile, so they are checked before use: nothing here reads
 * outside of the tables or loops on a cycle.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import * as M from "../../../abi/mode.ts";
import { Bitmap } from "../memory/bitmap.ts";
import type { Correction } from "./corrections.ts";
import { Extents, runsOfContinuation } from "../memory/extent.ts";
import { InodeTable } from "../memory/inode_table.ts";
import * as L from "../format/layout.ts";
import { countOfPair, parentAt, typeAt, typeOf } from "../format/slots.ts";
import { isName } from "../format/names.ts";
import { entryBytes, PathTable } from "../memory/path_table.ts";
import type { Violation } from "../format/report.ts";
import { bytesOf, isInside, type Segments } from "../format/segments.ts";
import { liveOwnerOf, namedOwnerOf } from "../format/slot_owner.ts";
import {
  checkDescriptor,
  checkFree,
  checkInode,
  checkLeaf,
  checkLink,
  type Report,
} from "../format/slot_rules.ts";
import type { Superblock } from "../format/superblock.ts";
import type { Tables } from "../memory/tables.ts";
import { attributeName, attributeProblem, entryLength, valueRuns } from "../memory/xattr_record.ts";

/** Violations beyond this are counted, not listed. */
const VIOLATIONS_MAX = 1000;

/** What is derived from the slots of an image. */
export interface Derived {
  /** Used blocks. */
  bitmap: Bitmap;
  /** The index of names. */
  paths: PathTable;
  /** Inode slots. */
  inodes: InodeTable;
  /** Block maps. */
  extents: Extents;
  /** Type-4 slots by the slot that they name. */
  links: Map<number, number[]>;
  /** Type-7 slots by the slot that they belong to. */
  xattrs: Map<number, number[]>;
  /** Every broken rule. */
  violations: Violation[];
  /** What of that a mount corrects in slots and names. */
  corrections: Correction[];
  /** Live slots by type. */
  counts: Uint32Array;
}

/**
 * Derives everything from the slots; now and then calls `onSlots` with the number of those scanned.
 */
export function scan(
  tables: Tables,
  superblock: Superblock,
  segments: Segments,
  onSlots: (slots: number) => void = () => {},
): Derived {
  return new Scanner(tables, superblock, segments, onSlots).run();
}

/** Slots between two reports of progress. */
const SLOTS_PER_WORD = 65_536;

class Scanner {
  readonly #tables: Tables;
  readonly #view: DataView;
  readonly #superblock: Superblock;
  readonly #onSlots: (slots: number) => void;
  readonly #segments: Segments;
  readonly #bitmap = new Bitmap();
  readonly #inodes: InodeTable;
  readonly #extents: Extents;
  #paths!: PathTable;
  readonly #links = new Map<number, number[]>();
  readonly #xattrs = new Map<number, number[]>();
  readonly #violations: Violation[] = [];
  readonly #corrections: Correction[] = [];
  #isRefused = false;
  readonly #leaves = new Map<number, number[]>();
  readonly #free: number[] = [];
  readonly #dead: number[] = [];
  readonly #named: number[] = [];
  readonly #counts = new Uint32Array(8);
  #firstUnused = L.FIRST_FILE_SLOT;

  constructor(
    tables: Tables,
    superblock: Superblock,
    segments: Segments,
    onSlots: (slots: number) => void,
  ) {
    const { slotCount, slots, names } = tables;
    invariant(slotCount >= L.FIRST_FILE_SLOT, "V4: {} slots have no place for a file", slotCount);
    const bytes = bytesOf(segments.slots) + bytesOf(segments.names);
    const isWhole = bytes === slots.length + names.length;
    invariant(isWhole, "V11: tables of {} bytes lie in {}", slots.length + names.length, bytes);
    this.#tables = tables;
    this.#onSlots = onSlots;
    this.#view = tables.view;
    this.#superblock = superblock;
    this.#segments = segments;
    this.#inodes = new InodeTable(tables);
    this.#extents = new Extents({ tables, inodes: this.#inodes, bitmap: this.#bitmap });
  }

  run(): Derived {
    this.#bitmap.grow(this.#superblock.totalBlocks);
    this.#claimSegments();
    this.#visitSlots();
    for (const [owner, leaves] of this.#leaves) this.#visitLeaves(owner, leaves);
    this.#visitNames();
    for (const [owner, slots] of this.#xattrs) this.#claimAttributes(owner, slots);
    this.#checkTree();
    this.#checkLinkCounts();
    this.#inodes.setFree(this.#free, this.#firstUnused);
    this.#checkDead();
    return {
      bitmap: this.#bitmap,
      paths: this.#paths,
      inodes: this.#inodes,
      extents: this.#extents,
      links: this.#links,
      xattrs: this.#xattrs,
      violations: this.#violations,
      corrections: this.#corrections,
      counts: this.#counts,
    };
  }

  /** The list is bounded, but always has what refuses the image. */
  readonly #report: Report = (rule, message, isDerivable = false) => {
    const isNews = !isDerivable && !this.#isRefused;
    if (this.#violations.length >= VIOLATIONS_MAX && !isNews) return;
    this.#violations.push({ rule, message, isDerivable });
    if (!isDerivable) this.#isRefused = true;
  };

  #claimSegments(): void {
    const { slots, names, bitmap } = this.#segments;
    for (const segment of [...slots, ...names, ...bitmap]) {
      if (segment.firstBlock >= 0) {
        this.#claimRun(segment.firstBlock, segment.blockCount, "a table");
      }
    }
  }

  #claimRun(block: number, count: number, whose: string): void {
    if (count === 0 || block + count > this.#superblock.totalBlocks) {
      this.#report("V7", `${whose} has blocks ${block} to ${block + count}, which there are not`);
    } else if (!this.#bitmap.claim(block, count)) {
      this.#report("V1", `blocks ${block} to ${block + count} of ${whose} are owned twice`);
    }
  }

  #visitSlots(): void {
    this.#visitInode(L.ROOT_SLOT, typeOf(this.#view, L.ROOT_SLOT));
    let lastUsed = L.FIRST_FILE_SLOT - 1;
    const words = new Uint32Array(
      this.#tables.slots.buffer,
      this.#tables.slots.byteOffset,
      this.#tables.slots.length / 4,
    );
    for (let slot = 1; slot < L.FIRST_FILE_SLOT; slot++) {
      const isFree = typeOf(this.#view, slot) === L.TYPE.FREE;
      if (isFree) checkFree(words, slot, this.#report);
      else checkDescriptor(this.#view, slot, this.#report);
    }
    for (let slot = L.FIRST_FILE_SLOT; slot < this.#tables.slotCount; slot++) {
      const type = words[slot * (L.SLOT_BYTES / 4)]! & 0xff;
      if (slot % SLOTS_PER_WORD === 0) this.#onSlots(slot);
      if (type === L.TYPE.FREE) {
        checkFree(words, slot, this.#report);
        continue;
      }
      for (let free = lastUsed + 1; free < slot; free++) this.#free.push(free);
      lastUsed = slot;
      this.#visitSlot(slot, type);
    }
    this.#firstUnused = lastUsed + 1;
  }

  #visitSlot(slot: number, type: number): void {
    if (type <= L.TYPE.SYMLINK) this.#visitInode(slot, type);
    else if (type === L.TYPE.LINK) this.#visitLink(slot);
    else if (type === L.TYPE.CONTINUATION) this.#visitContinuation(slot);
    else if (type === L.TYPE.XATTR) this.#visitAttribute(slot);
    else this.#report("V8", `slot ${slot} is of type ${type}, which does not belong there`);
  }

  #visitInode(slot: number, type: number): void {
    if (slot === L.ROOT_SLOT) {
      const length = this.#view.getUint16(L.SLOT.PATH_LENGTH, L.LE);
      if (type !== L.TYPE.DIRECTORY || length !== 0) {
        this.#report("V6", "slot 0 is not the root directory");
        return;
      }
    } else this.#visitName(slot);
    this.#counts[type]!++;
    checkInode(this.#view, slot, this.#report);
    if (type === L.TYPE.DIRECTORY) this.#correctDirectory(slot);
    const at = slot * L.SLOT_BYTES;
    const stored = this.#view.getUint32(at + L.SLOT.BLOCK_COUNT, L.LE);
    const count = stored & ~L.UNWRITTEN;
    if (stored === 0) return;
    if (type === L.TYPE.DIRECTORY || !this.#mayHaveBlocks(slot)) {
      this.#report("V7", `slot ${slot} has ${count} blocks, which its kind has not`);
      return;
    }
    this.#claimRun(this.#view.getUint32(at + L.SLOT.FIRST_BLOCK, L.LE), count, `slot ${slot}`);
  }

  #mayHaveBlocks(slot: number): boolean {
    const mode = this.#view.getUint32(slot * L.SLOT_BYTES + L.SLOT.MODE, L.LE);
    return M.isFile(mode) || M.isLink(mode);
  }

  /** The count in a directory's slot means nothing, and is 1. */
  #correctDirectory(slot: number): void {
    const isRight = this.#view.getUint16(slot * L.SLOT_BYTES + L.SLOT.NLINK, L.LE) <= 1;
    if (!isRight) this.#corrections.push({ kind: "nlink", slot, nlink: 1 });
  }

  /** Checks a name before it is read; a good one is indexed later. */
  #visitName(slot: number): void {
    const at = slot * L.SLOT_BYTES;
    const offset = this.#view.getUint32(at + L.SLOT.PATH_OFFSET, L.LE);
    const length = this.#view.getUint16(at + L.SLOT.PATH_LENGTH, L.LE);
    const isPlace = length > 0 && length <= L.NAME_BYTES_MAX && offset % L.GRANULE_BYTES === 0 &&
      isInside(this.#segments.names, offset, entryBytes(length));
    if (!isPlace) {
      this.#report("V5", `the name of slot ${slot} is ${length} bytes at ${offset}`);
      return;
    }
    const { names, nameView } = this.#tables;
    if (!isName(names, offset + L.NAME.BYTES, length)) {
      this.#report("V5", `the name of slot ${slot} is not a name`);
      return;
    }
    const parent = parentAt(nameView, offset + L.NAME.PARENT);
    if (parent >= this.#tables.slotCount) {
      this.#report("V5", `slot ${slot} is in directory ${parent}, which there is not`);
      return;
    }
    this.#named.push(slot);
  }

  #visitLink(slot: number): void {
    const at = slot * L.SLOT_BYTES;
    this.#counts[L.TYPE.LINK]!++;
    this.#visitName(slot);
    const target = this.#view.getUint32(at + L.SLOT.FIRST_BLOCK, L.LE);
    const type = target < this.#tables.slotCount && target >= L.FIRST_FILE_SLOT
      ? typeOf(this.#view, target)
      : L.TYPE.FREE;
    if (type !== L.TYPE.FILE && type !== L.TYPE.SYMLINK) {
      this.#report("V4", `slot ${slot} is a name of slot ${target}, which is no file`);
      return;
    }
    checkLink(this.#view, slot, this.#report);
    const links = this.#links.get(target);
    if (links === undefined) this.#links.set(target, [slot]);
    else links.push(slot);
  }

  #visitContinuation(slot: number): void {
    const owner = liveOwnerOf(this.#view, slot);
    if (owner < 0) {
      this.#addDead(slot);
      return;
    }
    this.#counts[L.TYPE.CONTINUATION]!++;
    checkLeaf(this.#view, slot, this.#report);
    const leaves = this.#leaves.get(owner);
    if (leaves === undefined) this.#leaves.set(owner, [slot]);
    else leaves.push(slot);
  }

  /** A slot whose owner is missing: it is free, whatever it holds. */
  #addDead(slot: number): void {
    this.#free.push(slot);
    this.#dead.push(slot);
  }

  #visitAttribute(slot: number): void {
    const owner = liveOwnerOf(this.#view, slot);
    if (owner < 0) {
      this.#addDead(slot);
      return;
    }
    this.#counts[L.TYPE.XATTR]!++;
    for (const { block, count } of valueRuns(this.#view, slot * L.SLOT_BYTES)) {
      this.#claimRun(block, count, `attribute ${slot}`);
    }
    const slots = this.#xattrs.get(owner);
    if (slots === undefined) this.#xattrs.set(owner, [slot]);
    else slots.push(slot);
  }

  /** V17: what dead slots name is not given out before they have been written over. */
  #checkDead(): void {
    for (const slot of this.#dead) {
      const owner = namedOwnerOf(this.#view, slot);
      if (!this.#inodes.isFree(owner)) continue;
      this.#report("V17", `slot ${owner} can be given out, and dead slot ${slot} names it`);
    }
  }

  /**
   * Checks that the entries of an inode's attributes do not overlap, and that their names differ.
   */
  #claimAttributes(owner: number, slots: readonly number[]): void {
    const seen = new Set<string>();
    let listBytes = 0;
    for (const slot of slots) {
      const problem = attributeProblem(this.#tables, slot, {
        blockSize: this.#superblock.blockSize,
        names: this.#segments.names,
      });
      if (problem !== null) {
        this.#report(problem.rule, `attribute ${slot} of slot ${owner} ${problem.why}`);
        continue;
      }
      const at = slot * L.SLOT_BYTES;
      const offset = this.#view.getUint32(at + L.XATTR.PATH_OFFSET, L.LE);
      if (!this.#paths.claimEntry(offset, entryLength(this.#view, at))) {
        this.#report("V5", `the entry of attribute ${slot} lies over another one`);
      }
      this.#checkPadding(offset, entryLength(this.#view, at), `attribute ${slot}`);
      const name = attributeName(this.#tables, slot);
      listBytes += this.#view.getUint16(at + L.XATTR.PATH_LENGTH, L.LE) + 1;
      if (seen.has(name)) this.#report("V5", `slot ${owner} has attribute "${name}" twice`);
      seen.add(name);
    }
    if (listBytes <= L.XATTR_LIST_BYTES_MAX) return;
    this.#report("V5", `the names of the attributes of slot ${owner} are ${listBytes} bytes`);
  }

  /** What a name, or a short value, leaves of its granules is zero. */
  #checkPadding(offset: number, length: number, whose: string): void {
    const { names } = this.#tables;
    for (let at = offset + L.NAME.BYTES + length; at < offset + entryBytes(length); at++) {
      if (names[at] === 0) continue;
      this.#report("V8", `the entry of ${whose} is not zero after its end`, true);
      this.#corrections.push({ kind: "padding", offset, length });
      return;
    }
  }

  #visitLeaves(owner: number, leaves: number[]): void {
    const startOf = (slot: number): number =>
      this.#view.getUint32(slot * L.SLOT_BYTES + L.CONTINUATION.FILE_BLOCK, L.LE);
    leaves.sort((a, b) => startOf(a) - startOf(b));
    this.#extents.setLeaves(owner, leaves);
    const ownerAt = owner * L.SLOT_BYTES;
    if (!this.#mayHaveBlocks(owner)) {
      this.#report("V7", `slot ${owner} has blocks, which its kind has not`);
    }
    if ((this.#view.getUint8(ownerAt + L.SLOT.FLAGS) & L.FLAG_CONTINUED) === 0) {
      this.#report("V7", `slot ${owner} does not say that it goes on in slot ${leaves[0]}`, true);
      this.#corrections.push({ kind: "continued", slot: owner });
    }
    let end = this.#view.getUint32(ownerAt + L.SLOT.BLOCK_COUNT, L.LE) & ~L.UNWRITTEN;
    for (const leaf of leaves) end = this.#visitLeaf(owner, leaf, end);
  }

  /** Returns the file block after the leaf. */
  #visitLeaf(owner: number, leaf: number, before: number): number {
    const at = leaf * L.SLOT_BYTES;
    const pairs = this.#view.getUint8(at + L.CONTINUATION.RUNS);
    let end = this.#view.getUint32(at + L.CONTINUATION.FILE_BLOCK, L.LE);
    if (pairs < 1 || pairs > L.PAIRS_MAX) return end;
    if (end < before) this.#report("V7", `slot ${leaf} of slot ${owner} begins before ${before}`);
    for (const run of runsOfContinuation(this.#view, at)) {
      this.#claimRun(run.block, run.count, `slot ${owner}`);
    }
    for (let pair = 0; pair < pairs; pair++) {
      const pairAt = at + L.CONTINUATION.PAIRS + pair * L.PAIR_BYTES;
      end += countOfPair(this.#view, pairAt) & ~L.UNWRITTEN;
    }
    if (end > L.BLOCKS_MAX) this.#report("V7", `slot ${owner} has file block ${end}`);
    return end;
  }

  #visitNames(): void {
    this.#paths = new PathTable(this.#tables, this.#segments.names, this.#named.length);
    const { names } = this.#tables;
    for (const slot of this.#named) {
      if (!this.#paths.claim(slot)) {
        this.#report("V5", `the name of slot ${slot} lies over another one`);
        continue;
      }
      const parent = this.#paths.parentOf(slot);
      const isDirectory = (parent === L.ROOT_SLOT || parent >= L.FIRST_FILE_SLOT) &&
        typeOf(this.#view, parent) === L.TYPE.DIRECTORY;
      if (!isDirectory) {
        this.#report("V5", `slot ${slot} is in slot ${parent}, which is no directory`);
        continue;
      }
      const offset = this.#paths.offsetOf(slot);
      const length = this.#view.getUint16(slot * L.SLOT_BYTES + L.SLOT.PATH_LENGTH, L.LE);
      this.#checkPadding(offset, length, `slot ${slot}`);
      const other = this.#paths.findAt(parent, names, offset + L.NAME.BYTES, length);
      if (other >= 0) {
        this.#report("V5", `slots ${other} and ${slot} have one name in directory ${parent}`);
        continue;
      }
      this.#paths.insert(slot);
      if (typeOf(this.#view, slot) === L.TYPE.DIRECTORY) {
        this.#inodes.addSubdirectories(parent, 1);
      }
    }
  }

  /** V6: from every directory the way up ends at the root. */
  #checkTree(): void {
    const seen = new Uint32Array(this.#tables.slotCount);
    seen[L.ROOT_SLOT] = 1;
    let walk = 1;
    for (const slot of this.#named) {
      if (typeOf(this.#view, slot) !== L.TYPE.DIRECTORY) continue;
      walk++;
      let at = slot;
      while (seen[at] === 0 && this.#isIndexed(at)) {
        seen[at] = walk;
        at = this.#paths.parentOf(at);
      }
      if (seen[at] === walk) this.#report("V6", `directory ${slot} is inside of itself`);
    }
  }

  #isIndexed(slot: number): boolean {
    const type = typeOf(this.#view, slot);
    const length = this.#view.getUint16(slot * L.SLOT_BYTES + L.SLOT.PATH_LENGTH, L.LE);
    const offset = this.#paths.offsetOf(slot);
    return type === L.TYPE.DIRECTORY && length > 0 &&
      isInside(this.#segments.names, offset, entryBytes(length)) &&
      this.#paths.parentOf(slot) < this.#tables.slotCount;
  }

  /** V4: a count is one and one per further name; 0 reads as 1. */
  #checkLinkCounts(): void {
    const wrong: { slot: number; names: number; stored: number }[] = [];
    for (const slot of this.#named) {
      const at = slot * L.SLOT_BYTES;
      const type = typeAt(this.#view, at);
      if (type === L.TYPE.DIRECTORY) this.#checkSubdirectories(slot);
      if (type !== L.TYPE.FILE && type !== L.TYPE.SYMLINK) continue;
      const names = 1 + (this.#links.get(slot)?.length ?? 0);
      const stored = this.#view.getUint16(at + L.SLOT.NLINK, L.LE);
      if (names > L.NLINK_MAX) this.#report("V4", `slot ${slot} has ${names} names`);
      else if (Math.max(1, stored) !== names) wrong.push({ slot, names, stored });
      const isContinued = this.#view.getUint8(at + L.SLOT.FLAGS) === L.FLAG_CONTINUED;
      if (isContinued && !this.#leaves.has(slot)) {
        this.#report("V7", `slot ${slot} says that it goes on, and does not`);
      }
      if (type === L.TYPE.SYMLINK) this.#checkTarget(slot);
    }
    this.#checkSubdirectories(L.ROOT_SLOT);
    // One inode has a name too many and another one too few: that name may be the wrong one.
    const isMoved = wrong.some(({ names, stored }) => names > stored) &&
      wrong.some(({ names, stored }) => names < stored);
    for (const { slot, names, stored } of wrong) {
      this.#report("V4", `slot ${slot} has ${names} names and a count of ${stored}`, !isMoved);
      this.#corrections.push({ kind: "nlink", slot, nlink: names });
    }
  }

  #checkSubdirectories(slot: number): void {
    const count = this.#inodes.subdirectoriesOf(slot) + 2;
    if (count > L.NLINK_MAX) this.#report("V4", `directory ${slot} has a count of ${count}`);
  }

  /** V7: a link's target is the first bytes of blocks that it has and that are written. */
  #checkTarget(slot: number): void {
    const size = this.#view.getFloat64(slot * L.SLOT_BYTES + L.SLOT.SIZE, L.LE);
    let end = 0;
    for (const { fileBlock, count, isUnwritten } of this.#extents.runsOf(slot)) {
      if (fileBlock === end && !isUnwritten) end += count;
    }
    if (end * this.#superblock.blockSize >= size) return;
    this.#report("V7", `slot ${slot} is a link of ${size} bytes in ${end} blocks`);
  }
}
