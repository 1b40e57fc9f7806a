/**
 * The tree of a volume as version-1 slots and paths, in the order in which an export writes them.
 *
 * Layer: opfs/volume, under `version1/write.ts`. One walk, parents before children and names in the
 * order of their bytes. What grows with the tree is 64 bytes and a path for each name; contents are
 * not looked at.
 *
 * @module
 */
import type { Attr } from "../../../abi/attr.ts";
import { ErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import { isDir, isFile, isLink } from "../../../abi/mode.ts";
import type { Ino, VolumeOps } from "../../volume_ops.ts";
import * as L from "../format/layout.ts";
import { type Findings, namesIn, noCounts, type TransferCounts } from "../upkeep/transfer.ts";
import {
  decodeSlot,
  encodeSlot,
  PATH_BYTES_MAX,
  PEER_IMAGE_BYTES_MAX,
  PEER_PATH_TABLE_BYTES_MAX,
  PEER_SLOTS_MAX,
  type Slot,
} from "./format.ts";

/** Contents may take this much, so that the tables still fit beside them. */
const CONTENTS_BYTES_MAX = PEER_IMAGE_BYTES_MAX - 2 * 1024 ** 3;
/** Contents are counted in the largest blocks that an export uses. */
const COARSE_BYTES = 64 * 1024;
const UNIT_BYTES = 512;
const LINKS_STORED_MAX = 0xffff;

/** Bytes that grow at their end. */
export class GrowingBytes {
  #bytes = new Uint8Array(4096);
  #length = 0;

  /** How many there are. */
  get length(): number {
    return this.#length;
  }

  /** Adds `count` zeros and returns where they begin. */
  extend(count: number): number {
    invariant(Number.isInteger(count) && count >= 0, "V7: {} bytes are added", count);
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    return at;
  }

  /** All of them, until the next `extend`. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** A tree on its way out. Slots still lack the places of their blocks. */
export class Collected {
  /** Slot records, 64 bytes each. */
  readonly records: GrowingBytes = new GrowingBytes();
  /** Paths, one after the other. */
  readonly paths: GrowingBytes = new GrowingBytes();
  /** The volume's inode of each slot; 0 for what has no contents. */
  readonly inodes: Ino[] = [];
  /** What it comes to. */
  readonly counts: TransferCounts = noCounts();

  /** How many slots there are. */
  get slotCount(): number {
    return this.inodes.length;
  }

  /** One slot. */
  slot(index: number): Slot {
    invariant(index >= 0 && index < this.slotCount, "V4: slot {} of {}", index, this.slotCount);
    const bytes = this.records.view();
    return decodeSlot(new DataView(bytes.buffer), index * L.SLOT_BYTES);
  }

  /** Puts a slot back that `slot` has given. */
  put(index: number, slot: Slot): void {
    const bytes = this.records.view();
    encodeSlot(slot, new DataView(bytes.buffer), index * L.SLOT_BYTES);
  }

  /** Adds a slot whose path is `path`, and returns its index. */
  add(path: Uint8Array, slot: Omit<Slot, "pathOffset" | "pathLength">, ino: Ino): number {
    const isPath = path.length > 0 && path.length <= PATH_BYTES_MAX;
    invariant(isPath, "V5: a path of {} bytes", path.length);
    const pathOffset = this.paths.extend(path.length);
    this.paths.view().set(path, pathOffset);
    this.records.extend(L.SLOT_BYTES);
    this.put(this.inodes.length, { ...slot, pathOffset, pathLength: path.length });
    return this.inodes.push(ino) - 1;
  }
}

/** Walks the whole volume. */
export function collectTree(volume: VolumeOps, findings: Findings): Collected {
  return new Collector(volume, findings).run();
}

interface Frame {
  ino: Ino;
  path: string;
  names: string[];
}

class Collector {
  readonly #volume: VolumeOps;
  readonly #findings: Findings;
  readonly #collected = new Collected();
  readonly #encoder = new TextEncoder();
  /** Slots of files that have more names than one. */
  readonly #shared = new Map<Ino, number>();
  readonly #stack: Frame[] = [];

  constructor(volume: VolumeOps, findings: Findings) {
    this.#volume = volume;
    this.#findings = findings;
  }

  run(): Collected {
    const { root } = this.#volume;
    this.#visit(root, "/", this.#volume.getattr(root));
    for (let frame = this.#stack.at(-1); frame !== undefined; frame = this.#stack.at(-1)) {
      const name = frame.names.pop();
      if (name === undefined) {
        this.#stack.pop();
        continue;
      }
      const ino = this.#volume.lookup(frame.ino, name);
      if (ino === 0) continue;
      const path = frame.path === "/" ? `/${name}` : `${frame.path}/${name}`;
      this.#visit(ino, path, this.#volume.getattr(ino));
    }
    return this.#collected;
  }

  #visit(ino: Ino, path: string, attr: Attr): void {
    const bytes = this.#encoder.encode(path);
    if (bytes.length > PATH_BYTES_MAX) {
      this.#leaveOut(path, `its path has ${bytes.length} bytes, ${PATH_BYTES_MAX} at most`);
      return;
    }
    if (!this.#shared.has(ino)) this.#reportAttributes(ino, path);
    if (isDir(attr.mode)) this.#directory(ino, path, { attr, bytes });
    else this.#inode(ino, path, { attr, bytes });
    this.#refuseTooMuch();
  }

  #reportAttributes(ino: Ino, path: string): void {
    const names = this.#volume.listxattr(ino);
    if (names.length === 0) return;
    const message = `its extended attributes have no place: ${names.join(", ")}`;
    this.#findings.add({ code: "attributes-lost", severity: "lost", message, path });
  }

  #leaveOut(path: string, message: string): void {
    this.#findings.add({ code: "unstorable", severity: "lost", message, path });
  }

  #directory(ino: Ino, path: string, { attr, bytes }: { attr: Attr; bytes: Uint8Array }): void {
    const slot = { ...slotOf(attr, L.TYPE.DIRECTORY), nlink: 2, size: 0 };
    this.#collected.add(bytes, slot, 0);
    this.#collected.counts.directories++;
    const names = namesIn(this.#volume, ino);
    // Taken from the end.
    this.#stack.push({ ino, path, names: names.sort(descending) });
  }

  #inode(ino: Ino, path: string, { attr, bytes }: { attr: Attr; bytes: Uint8Array }): void {
    const first = this.#shared.get(ino);
    if (first !== undefined) {
      const slot = { ...slotOf(attr, L.TYPE.LINK), nlink: 1, mode: 0, size: 0, firstBlock: first };
      this.#collected.add(bytes, slot, 0);
      this.#collected.counts.hardLinks++;
      return;
    }
    const { counts } = this.#collected;
    const coarse = Math.ceil(attr.size / COARSE_BYTES) * COARSE_BYTES;
    if (counts.bytes + coarse > CONTENTS_BYTES_MAX) {
      this.#leaveOut(path, `${attr.size} bytes are more than their library mounts`);
      return;
    }
    const index = this.#collected.add(bytes, this.#contentSlot(attr, path), ino);
    if (attr.nlink > 1) this.#shared.set(ino, index);
    counts.bytes += coarse;
  }

  #contentSlot(attr: Attr, path: string): Omit<Slot, "pathOffset" | "pathLength"> {
    const { counts } = this.#collected;
    if (isLink(attr.mode)) {
      counts.symlinks++;
      return slotOf(attr, L.TYPE.SYMLINK);
    }
    if (isFile(attr.mode)) {
      counts.files++;
      this.#reportHole(attr, path);
      return slotOf(attr, L.TYPE.FILE);
    }
    counts.special++;
    const message = "a FIFO, socket or device: their library sees an empty file";
    this.#findings.add({ code: "special-file", severity: "changed", message, path });
    return { ...slotOf(attr, L.TYPE.FILE), size: 0, firstBlock: attr.rdev };
  }

  #reportHole(attr: Attr, path: string): void {
    const holeBytes = attr.size - attr.blocks * UNIT_BYTES;
    if (holeBytes <= 0) return;
    const message = `holes of ${holeBytes} bytes or more are written as zeros`;
    this.#findings.add({ code: "hole-filled", severity: "note", message, path });
  }

  #refuseTooMuch(): void {
    const { slotCount, paths } = this.#collected;
    if (slotCount <= PEER_SLOTS_MAX && paths.length <= PEER_PATH_TABLE_BYTES_MAX / 2) return;
    const why = `${slotCount} names of ${paths.length} bytes are more than their library mounts`;
    throw new ErrnoError("EFBIG", "export", { why });
  }
}

/** Strings by code units from the last to the first; for sorting what is taken from the end. */
function descending(one: string, other: string): number {
  return one < other ? 1 : one > other ? -1 : 0;
}

function slotOf(attr: Attr, type: number): Omit<Slot, "pathOffset" | "pathLength"> {
  return {
    type,
    nlink: Math.min(attr.nlink, LINKS_STORED_MAX),
    mode: attr.mode,
    size: attr.size,
    firstBlock: 0,
    blockCount: 0,
    mtime: attr.mtime,
    ctime: attr.ctime,
    atime: attr.atime,
    uid: attr.uid,
    gid: attr.gid,
  };
}
