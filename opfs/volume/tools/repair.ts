/**
 * Repair: what can be saved of a damaged image goes into a new volume.
 *
 * Layer: opfs/volume. The damaged image is only read. Contents, modes, owners and times arrive as
 * they were; what no path leads to is in /lost+found, under its old name if it had one; whatever is
 * not as it was is said. Damage to what is derivable alone needs no new volume: `mendVolume`.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../../abi/errno.ts";
import { FALLOC_FL_KEEP_SIZE } from "../../../abi/flags.ts";
import { invariant } from "../../../abi/invariant.ts";
import * as M from "../../../abi/mode.ts";
import type { StorageHandle } from "../../device/handle.ts";
import type { Ino } from "../../volume_ops.ts";
import { checkVolume } from "./check.ts";
import { mendSummedBytes } from "./check_sums.ts";
import type { Run } from "../memory/extent.ts";
import { loadImage } from "../load/image.ts";
import * as L from "../format/layout.ts";
import { openVolumeSync } from "../load/mount.ts";
import { isUtf8 } from "../format/names.ts";
import type { Report } from "../format/report.ts";
import { type LostName, Salvage, type SavedNode } from "./salvage.ts";
import { scan } from "../load/scan.ts";
import { findTarget } from "../memory/summed_bytes.ts";
import { Findings, noCounts, PIECE_BYTES, type Progress, reportOf } from "../upkeep/transfer.ts";
import { TransferClock, type TransferReport, type TransferSteps } from "../upkeep/transfer.ts";
import type { Volume } from "../volume.ts";

/** How {@link repairSteps} makes the new volume. */
export interface RepairOptions {
  /** The time of what was not there before, such as /lost+found. Default `Date.now()`. */
  nowMs?: number;
  /**
   * Whether the old volume is whole, and the new one takes its place: it has its id, and the blocks
   * that are reserved there are reserved here. Default false.
   */
  isExact?: boolean;
}

const LOST_AND_FOUND = "lost+found";
const LOST_MODE: number = M.S_IFDIR | 0o700;
/** A target that was cut out of damage has this many bytes at most. */
const TARGET_READ_MAX = L.TARGET_BYTES_MAX;

/**
 * Saves what can be saved of the image on `damaged` into a new volume on `target`, which is empty,
 * step by step. Both handles are left open; the volume is closed and durable.
 *
 * @throws {ErrnoError} EINVAL, ENOTSUP or EIO if `damaged` cannot be read at all, EEXIST if something
 * is on `target`, ENOSPC
 * @example
 * ```ts
 * import { checkVolume, formatVolume, memoryHandle, repairSteps, runToEnd } from "@cairn/fs/opfs";
 * import { assert } from "@std/assert";
 *
 * const damaged = memoryHandle();
 * formatVolume(damaged);
 * damaged.write(new Uint8Array(4096).fill(9), { at: 4096 });
 * const saved = memoryHandle();
 * const report = runToEnd(repairSteps(damaged, saved));
 * assert(report.directories === 1 && checkVolume(saved).clean);
 * ```
 */
export function* repairSteps(
  damaged: StorageHandle,
  target: StorageHandle,
  options: RepairOptions = {},
): TransferSteps {
  if (target.getSize() !== 0) {
    throw new ErrnoError("EEXIST", "repair a volume", {
      why: "there is something where the new one goes",
    });
  }
  const { isExact = false } = options;
  const findings = new Findings();
  const salvage = new Salvage(damaged, findings);
  const clock = new TransferClock();
  clock.nowMs = options.nowMs ?? Date.now();
  const kept = keptOpen(target);
  // The clock says what the source's times are: no commit may follow it.
  const volume = openVolumeSync(kept, {
    ...salvage.format,
    clock: clock.read,
    durability: "fsync",
    ...(isExact ? { random: randomAfter(salvage.volumeId) } : {}),
  });
  const repair = new Repair(salvage, volume, { clock, findings, nowMs: clock.nowMs, isExact });
  const report = yield* repair.steps();
  volume.close();
  return report;
}

/** Random bytes of which the first are these: format takes a volume's id from there. */
function randomAfter(id: Uint8Array): (bytes: Uint8Array<ArrayBuffer>) => void {
  let isFirst = true;
  return (bytes) => {
    if (isFirst) bytes.set(id);
    else crypto.getRandomValues(bytes);
    isFirst = false;
  };
}

/** A volume closes its handle; this one belongs to the caller. */
function keptOpen(handle: StorageHandle): StorageHandle {
  return {
    isSparse: handle.isSparse ?? false,
    read: (into, options) => handle.read(into, options),
    write: (from, options) => handle.write(from, options),
    getSize: () => handle.getSize(),
    truncate: (sizeBytes) => handle.truncate(sizeBytes),
    flush: () => handle.flush(),
    close: () => {},
  };
}

interface Tools {
  clock: TransferClock;
  findings: Findings;
  nowMs: number;
  isExact: boolean;
}

/** A directory that is filled. */
interface Filled {
  slot: number;
  ino: Ino;
  path: string;
}

class Repair {
  readonly #salvage: Salvage;
  readonly #volume: Volume;
  readonly #tools: Tools;
  readonly #counts = noCounts();
  readonly #buffer = new Uint8Array(PIECE_BYTES);
  /** What has been made, by its old slot. */
  readonly #made = new Map<number, { ino: Ino; ctime: number; path: string }>();
  readonly #directories: [SavedNode, Ino][] = [];

  constructor(salvage: Salvage, volume: Volume, tools: Tools) {
    this.#salvage = salvage;
    this.#volume = volume;
    this.#tools = tools;
  }

  *steps(): Generator<Progress, TransferReport, void> {
    const root = this.#salvage.node(L.ROOT_SLOT);
    this.#directories.push([root, this.#volume.root]);
    this.#counts.directories++;
    this.#carryAttributes(L.ROOT_SLOT, this.#volume.root, "/");
    yield* this.#fill({ slot: L.ROOT_SLOT, ino: this.#volume.root, path: "" });
    for (const lost of this.#salvage.lost) yield* this.#keepLost(lost);
    for (const [node, ino] of this.#directories.reverse()) {
      this.#tools.clock.nowMs = node.ctime;
      const { mode, uid, gid, atime, mtime } = node;
      this.#volume.setattr(ino, { mode: mode & M.PERMISSION_BITS, uid, gid, atime, mtime });
    }
    this.#volume.sync();
    this.#tools.findings.namePaths((slot) => {
      return slot === L.ROOT_SLOT ? "/" : this.#made.get(slot)?.path;
    });
    return reportOf(this.#counts, this.#tools.findings);
  }

  #progress(): Progress {
    return { doneBytes: this.#counts.bytes, totalBytes: this.#salvage.totalBytes };
  }

  /** Everything below a directory; a loop, because a hostile tree is deep. */
  *#fill(top: Filled): Generator<Progress, void, void> {
    const stack = [top];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      for (const { name, slot } of this.#salvage.entriesOf(at.slot)) {
        const below = yield* this.#make(at, name, slot);
        if (below !== null) stack.push(below);
      }
    }
  }

  /** One name; the directory to be filled next if it is one. */
  *#make(parent: Filled, name: string, slot: number): Generator<Progress, Filled | null, void> {
    const path = `${parent.path}/${name}`;
    const made = this.#made.get(slot);
    if (made !== undefined) {
      this.#tools.clock.nowMs = made.ctime;
      const linked = this.#try(slot, path, () => {
        this.#volume.link(made.ino, parent.ino, name);
        return true;
      });
      if (linked !== null) this.#counts.hardLinks++;
      return null;
    }
    const node = this.#salvage.node(slot);
    const target = M.isLink(node.mode) ? this.#target(node, path) : undefined;
    if (target === null) return null;
    this.#tools.clock.nowMs = node.ctime;
    const ino = this.#try(
      slot,
      path,
      () => this.#volume.create(parent.ino, name, { ...node, target }),
    );
    if (ino === null) return null;
    this.#made.set(slot, { ino, ctime: node.ctime, path });
    this.#carryAttributes(slot, ino, path);
    this.#count(node);
    if (M.isDir(node.mode)) {
      this.#directories.push([node, ino]);
      yield this.#progress();
      return { slot, ino, path };
    }
    if (M.isFile(node.mode)) yield* this.#contents(node, ino);
    this.#tools.clock.nowMs = node.ctime;
    this.#volume.setattr(ino, { atime: node.atime, mtime: node.mtime });
    yield this.#progress();
    return null;
  }

  #carryAttributes(slot: number, ino: Ino, path: string): void {
    for (const { name, value } of this.#salvage.attributesOf(slot)) {
      this.#try(slot, path, () => this.#volume.setxattr(ino, name, value, 0));
    }
  }

  /** What the new volume refuses by itself is lost; being full ends everything. */
  #try<T>(slot: number, path: string, act: () => T): T | null {
    try {
      return act();
    } catch (error) {
      if (!isErrnoError(error) || error.code === "ENOSPC" || error.code === "EROFS") throw error;
      const message = `a volume cannot hold it: ${error.message}`;
      this.#tools.findings.add({ code: "unstorable", severity: "lost", slot, path, message });
      return null;
    }
  }

  #count({ mode }: SavedNode): void {
    if (M.isDir(mode)) this.#counts.directories++;
    else if (M.isFile(mode)) this.#counts.files++;
    else if (M.isLink(mode)) this.#counts.symlinks++;
    else this.#counts.special++;
  }

  /** A link's target; null, and said, if it is not one. */
  #target(node: SavedNode, path: string): string | null {
    const { isSummed, format: { blockSize } } = this.#salvage;
    const most = TARGET_READ_MAX + (isSummed ? L.SUM_BYTES : 0);
    const bytes = new Uint8Array(isSummed ? most : Math.min(node.size, most));
    for (const run of node.runs) {
      const from = run.fileBlock * blockSize;
      if (from >= bytes.length || run.isUnwritten) continue;
      const to = Math.min(bytes.length, from + run.count * blockSize);
      this.#salvage.readBlocks(bytes.subarray(from, to), run.block);
    }
    const found = isSummed ? findTarget(bytes, node.size) : null;
    const end = bytes.subarray(0, Math.min(node.size, most)).indexOf(0);
    const target = found ?? (end < 0 ? bytes.subarray(0, node.size) : bytes.subarray(0, end));
    const isWhole = target.length === node.size;
    const isTarget = target.length > 0 && isUtf8(target);
    const isRight = !isSummed || found !== null;
    if (isTarget && isWhole && isRight) {
      return new TextDecoder("utf-8", { ignoreBOM: true }).decode(target);
    }
    const { slot } = node;
    const message = isTarget ? targetMessage(isSummed, found !== null) : "its target is invalid";
    const severity = isTarget ? "changed" : "lost";
    this.#tools.findings.add({ code: "target-damaged", severity, slot, path, message });
    return isTarget ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(target) : null;
  }

  /** Only what has blocks is written: holes stay holes. */
  *#contents(node: SavedNode, ino: Ino): Generator<Progress, void, void> {
    const { blockSize } = this.#salvage.format;
    for (const run of node.runs) {
      const from = run.fileBlock * blockSize;
      const to = Math.min(node.size, from + run.count * blockSize);
      if (run.isUnwritten) this.#reserve(ino, from, run.count * blockSize);
      if (run.isUnwritten) continue;
      for (let at = from; at < to;) {
        const length = Math.min(this.#buffer.length, to - at);
        const bytes = this.#buffer.subarray(0, length);
        const { block, inside } = placeIn(run, at - from, blockSize);
        this.#salvage.readBlocks(bytes, block, inside);
        this.#write(ino, bytes, at);
        at += length;
        this.#counts.bytes += length;
        yield this.#progress();
      }
    }
    if (this.#volume.getattr(ino).size < node.size) this.#volume.setattr(ino, { size: node.size });
  }

  /** Blocks that are owned and were never written. */
  #reserve(ino: Ino, from: number, length: number): void {
    if (this.#tools.isExact) this.#volume.allocate(ino, FALLOC_FL_KEEP_SIZE, from, length);
  }

  #write(ino: Ino, bytes: Uint8Array, at: number): void {
    for (let done = 0; done < bytes.length;) {
      const count = this.#volume.write(ino, bytes.subarray(done), at + done);
      invariant(count > 0, "D1: a volume that is repaired into writes something, or says why not");
      done += count;
    }
  }

  *#keepLost({ name, slot, parent }: LostName): Generator<Progress, void, void> {
    const folder = this.#folder(this.#volume.root, LOST_AND_FOUND, "");
    const place = parent < 0 ? folder : this.#folder(folder.ino, `in-slot-${parent}`, folder.path);
    const free = this.#freeName(place.ino, name, slot);
    const below = yield* this.#make({ ...place, slot }, free, slot);
    if (below !== null) yield* this.#fill(below);
  }

  #freeName(directory: Ino, name: string, slot: number): string {
    return this.#volume.lookup(directory, name) === 0 ? name : `slot-${slot}`;
  }

  /** A directory of ours. If something else has its name, the next one with a plus will do. */
  #folder(parent: Ino, wanted: string, path: string): Filled {
    for (let name = wanted;; name += "+") {
      const found = this.#volume.lookup(parent, name);
      if (found !== 0 && !M.isDir(this.#volume.getattr(found).mode)) continue;
      if (found !== 0) return { slot: -1, ino: found, path: `${path}/${name}` };
      const { nowMs, clock } = this.#tools;
      clock.nowMs = nowMs;
      const ino = this.#volume.create(parent, name, { mode: LOST_MODE, uid: 0, gid: 0 });
      return { slot: -1, ino, path: `${path}/${name}` };
    }
  }
}

function targetMessage(isSummed: boolean, isFound: boolean): string {
  if (isFound) return "its target is as long as its sum says";
  return isSummed ? "its target is not what its sum says" : "its target ends with the first zero";
}

function placeIn(run: Run, byte: number, blockSize: number): { block: number; inside: number } {
  const index = Math.floor(byte / blockSize);
  return { block: run.block + index, inside: byte - index * blockSize };
}

/**
 * Puts right in place what is derivable: counters, bitmap, link counts, the older header, reserved
 * bytes. Returns what a check finds afterwards. The handle is left open.
 *
 * @throws {ErrnoError} EIO, with nothing changed, if something is wrong that is not derivable; see
 * {@link repairSteps}
 */
export function mendVolume(handle: StorageHandle): Report {
  const { violations } = checkVolume(handle);
  const worst = violations.find(({ isDerivable }) => !isDerivable);
  if (worst !== undefined) {
    throw new ErrnoError("EIO", "mend the volume in place", {
      why: `${worst.rule}: ${worst.message}`,
    });
  }
  // Two headers are written, one by each: then no old one is left.
  openVolumeSync(keptOpen(handle), { create: false }).close();
  const image = loadImage(handle, () => {});
  mendSummedBytes(handle, image, scan(image.tables, image.superblock, image.segments));
  return checkVolume(handle);
}
