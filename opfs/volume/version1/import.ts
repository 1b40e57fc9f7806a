/**
 * Import: everything in a version-1 image, carried over into a volume.
 *
 * Layer: opfs/volume, over any `VolumeOps` that stamps times with the {@link TransferClock} it was
 * opened with. Contents, modes, owners, links and all three times arrive as they were; directories
 * get their times last, because each child changes them. Names over 255 bytes are shortened, and
 * with a repair what has lost its name is kept in /lost+found. Use:
 *
 *     const clock = new TransferClock();
 *     const volume = openVolumeSync(handle, { clock: clock.read });
 *     const report = runToEnd(importSteps(readVersion1(source), volume, { clock, nowMs, repair }));
 *     volume.close();
 *
 * The volume should be a new one, so that after a crash there is no half import among a user's
 * files.
 *
 * @module
 */
import { type ErrnoCode, isErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import { isDir, isFile, isLink, PERMISSION_BITS } from "../../../abi/mode.ts";
import type { Ino, VolumeOps } from "../../volume_ops.ts";
import { crc32 } from "../format/checksum.ts";
import * as L from "../format/layout.ts";
import {
  noCounts,
  PIECE_BYTES,
  type Progress,
  reportOf,
  type Severity,
  type TransferClock,
  type TransferReport,
  type TransferSteps,
} from "../upkeep/transfer.ts";
import { IMPLICIT_DIRECTORY_MODE } from "./format.ts";
import type { Version1Entry, Version1Image } from "./read.ts";

/** Options of an import. */
export interface ImportOptions {
  /** The clock that the volume was opened with. */
  clock: TransferClock;
  /** The time for what has none, in ms. */
  nowMs: number;
  /** Whether what has lost its name is kept in /lost+found. Default false. */
  repair?: boolean;
}

/** Where what has no name is kept. */
const LOST_AND_FOUND = "/lost+found";
const LOST_AND_FOUND_MODE = 0o040700;
/** Longer targets are not even read. */
const TARGET_READ_MAX = 65536;
/** What a volume answers to something that it cannot hold, whatever room there is. */
const UNSTORABLE: ReadonlySet<ErrnoCode> = new Set([
  "EEXIST",
  "EFBIG",
  "EILSEQ",
  "EINVAL",
  "EMLINK",
  "ENAMETOOLONG",
  "ENOENT",
  "ENOTDIR",
]);

/**
 * Imports step by step and returns the report. The volume is synced at the end.
 *
 * @throws {ErrnoError} ENOSPC when the volume is full, EIO when the source cannot be read
 */
export function importSteps(
  image: Version1Image,
  volume: VolumeOps,
  options: ImportOptions,
): TransferSteps {
  return new Importer(image, volume, options).steps();
}

class Importer {
  readonly #image: Version1Image;
  readonly #volume: VolumeOps;
  readonly #options: ImportOptions;
  readonly #counts = noCounts();
  readonly #buffer: Uint8Array<ArrayBuffer>;
  /** Directories without a slot of their own. */
  readonly #implicit: Ino[] = [];
  /** The directory that was walked to last. */
  #last: { path: string; ino: Ino };

  constructor(image: Version1Image, volume: VolumeOps, options: ImportOptions) {
    this.#image = image;
    this.#volume = volume;
    this.#options = options;
    this.#buffer = new Uint8Array(Math.min(PIECE_BYTES, Math.max(1, image.totalBytes)));
    this.#last = { path: "", ino: volume.root };
  }

  *steps(): Generator<Progress, TransferReport, void> {
    for (const entry of this.#image.directories()) {
      this.#directory(entry.paths[0]!);
      this.#counts.directories++;
      yield this.#progress();
    }
    for (const entry of this.#image.files()) yield* this.#file(entry);
    for (const entry of this.#image.directories()) {
      this.#finishDirectory(entry);
      yield this.#progress();
    }
    this.#finishImplicit();
    this.#volume.sync();
    return reportOf(this.#counts, this.#image.findings);
  }

  #progress(): Progress {
    return { doneBytes: this.#counts.bytes, totalBytes: this.#image.totalBytes };
  }

  #addFinding(
    code: string,
    severity: Severity,
    about: { message: string; slot?: number; path?: string },
  ): void {
    this.#image.findings.add({ code, severity, ...about });
  }

  /** The directory at an absolute path, made with its parents where it is missing. */
  #directory(path: string): Ino {
    if (path === "/" || path === "") return this.#volume.root;
    if (path === this.#last.path) return this.#last.ino;
    const slash = path.lastIndexOf("/");
    const parents: string[] = [];
    // A loop and not a recursion: a path of 65,535 bytes has 32,767 names.
    for (let end = slash; end > 0; end = path.lastIndexOf("/", end - 1)) {
      parents.push(path.slice(0, end));
    }
    let ino: Ino = this.#volume.root;
    for (const parent of [...parents.reverse(), path]) ino = this.#step(ino, parent);
    this.#last = { path, ino };
    return ino;
  }

  /** One name down. */
  #step(parent: Ino, path: string): Ino {
    const name = this.#storableName(path);
    const found = this.#volume.lookup(parent, name);
    if (found !== 0) return found;
    this.#options.clock.nowMs = this.#options.nowMs;
    const ino = this.#volume.create(parent, name, {
      mode: IMPLICIT_DIRECTORY_MODE,
      uid: 0,
      gid: 0,
    });
    const isLong = name !== path.slice(path.lastIndexOf("/") + 1);
    if (isLong) this.#reportShortened(path, name);
    if (this.#image.hasDirectory(path)) return ino;
    this.#implicit.push(ino);
    const message = "it has no slot: it gets mode 0755, owner 0 and the time of the import";
    this.#addFinding("directory-implicit", "note", { message, path });
    return ino;
  }

  /** The last name of a path, shortened where it is too long: the same name always gives the same. */
  #storableName(path: string): string {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (name.length * 3 <= L.NAME_BYTES_MAX) return name;
    const bytes = new TextEncoder().encode(name);
    if (bytes.length <= L.NAME_BYTES_MAX) return name;
    const mark = `~${crc32(bytes).toString(16).padStart(8, "0")}`;
    const kept = new TextDecoder("utf-8", { ignoreBOM: true })
      .decode(bytes.subarray(0, L.NAME_BYTES_MAX - mark.length), { stream: true });
    return kept + mark;
  }

  #reportShortened(path: string, name: string): void {
    const message =
      `its name has more than ${L.NAME_BYTES_MAX} bytes: it is shortened to "${name}"`;
    this.#addFinding("name-shortened", "changed", { message, path });
  }

  *#file(entry: Version1Entry): Generator<Progress, void, void> {
    this.#keepNameless(entry);
    const [path, ...others] = entry.paths;
    if (path === undefined) return;
    const ino = this.#create(entry, path);
    if (ino === 0) return;
    if (isFile(entry.mode)) yield* this.#contents(entry, ino);
    for (const other of others) this.#link(ino, other, entry);
    this.#options.clock.nowMs = entry.ctime;
    this.#volume.setattr(ino, { atime: entry.atime, mtime: entry.mtime });
    this.#count(entry);
    yield this.#progress();
  }

  /** Without a repair it is left out; the scan has reported it. */
  #keepNameless(entry: Version1Entry): void {
    if (entry.paths.length > 0 || this.#options.repair !== true) return;
    let folder = LOST_AND_FOUND;
    while (!this.#isFolder(folder)) folder += "+";
    entry.paths.push(`${folder}/slot-${entry.slot}`);
  }

  /** Whether /lost+found is a directory, or can be made one. */
  #isFolder(path: string): boolean {
    const { clock, nowMs } = this.#options;
    const name = path.slice(1);
    const found = this.#volume.lookup(this.#volume.root, name);
    if (found !== 0) return isDir(this.#volume.getattr(found).mode);
    clock.nowMs = nowMs;
    const options = { mode: LOST_AND_FOUND_MODE, uid: 0, gid: 0 };
    this.#implicit.push(this.#volume.create(this.#volume.root, name, options));
    return true;
  }

  /** Makes what has contents; 0 when the volume cannot hold it. */
  #create(entry: Version1Entry, path: string): Ino {
    const name = this.#storableName(path);
    const { mode, uid, gid, rdev, ctime } = entry;
    const target = isLink(mode) ? this.#target(entry) : undefined;
    if (target === null) {
      this.#reportUnstorable(entry, path, `its target has ${entry.sizeBytes} bytes`);
      return 0;
    }
    try {
      const parent = this.#directory(path.slice(0, path.lastIndexOf("/")));
      this.#options.clock.nowMs = ctime;
      const ino = this.#volume.create(parent, name, { mode, uid, gid, rdev, target });
      if (!path.endsWith(`/${name}`)) this.#reportShortened(path, name);
      return ino;
    } catch (error) {
      if (!isErrnoError(error) || !UNSTORABLE.has(error.code)) throw error;
      this.#reportUnstorable(entry, path, whyNot(entry, error.message));
      return 0;
    }
  }

  #reportUnstorable(entry: Version1Entry, path: string, why: string): void {
    const message = `a volume cannot hold it: ${why}`;
    this.#addFinding("unstorable", "lost", { message, slot: entry.slot, path });
  }

  /** A link's target; null when it is too long to be read. */
  #target(entry: Version1Entry): string | null {
    if (entry.sizeBytes > TARGET_READ_MAX) return null;
    const bytes = new Uint8Array(entry.sizeBytes);
    this.#image.read(entry, bytes, 0);
    const target = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    const again = new TextEncoder().encode(target);
    if (again.length !== bytes.length || again.some((byte, index) => byte !== bytes[index])) {
      const message = "bytes of its target that are no UTF-8 have been replaced";
      const path = entry.paths[0]!;
      this.#addFinding("target-replaced", "changed", { message, slot: entry.slot, path });
    }
    return target;
  }

  *#contents(entry: Version1Entry, ino: Ino): Generator<Progress, void, void> {
    for (let at = 0; at < entry.sizeBytes;) {
      const count = this.#image.read(entry, this.#buffer, at);
      invariant(count > 0, "V7: a file of {} bytes ends at {}", entry.sizeBytes, at);
      const piece = this.#buffer.subarray(0, count);
      for (let done = 0; done < count;) {
        const written = this.#volume.write(ino, piece.subarray(done), at + done);
        invariant(written > 0, "D1: a volume writes something, or says why not");
        done += written;
      }
      at += count;
      this.#counts.bytes += count;
      yield this.#progress();
    }
  }

  #link(ino: Ino, path: string, entry: Version1Entry): void {
    const name = this.#storableName(path);
    try {
      const parent = this.#directory(path.slice(0, path.lastIndexOf("/")));
      this.#options.clock.nowMs = entry.ctime;
      this.#volume.link(ino, parent, name);
      this.#counts.hardLinks++;
      if (!path.endsWith(`/${name}`)) this.#reportShortened(path, name);
    } catch (error) {
      if (!isErrnoError(error) || !UNSTORABLE.has(error.code)) throw error;
      this.#reportUnstorable(entry, path, error.message);
    }
  }

  #count({ mode }: Version1Entry): void {
    if (isFile(mode)) this.#counts.files++;
    else if (isLink(mode)) this.#counts.symlinks++;
    else this.#counts.special++;
  }

  #finishDirectory(entry: Version1Entry): void {
    const ino = this.#directory(entry.paths[0]!);
    const { mode, uid, gid, atime, mtime, ctime } = entry;
    this.#options.clock.nowMs = ctime;
    this.#volume.setattr(ino, { mode: mode & PERMISSION_BITS, uid, gid, atime, mtime });
  }

  #finishImplicit(): void {
    const { clock, nowMs } = this.#options;
    clock.nowMs = nowMs;
    for (const ino of this.#implicit) {
      this.#volume.setattr(ino, { atime: nowMs, mtime: nowMs });
    }
    if (this.#image.hasDirectory("/")) return;
    this.#volume.setattr(this.#volume.root, { atime: nowMs, mtime: nowMs });
  }
}

/** In our words where the volume's are about a call that was not made. */
function whyNot(entry: Version1Entry, message: string): string {
  if (!isLink(entry.mode)) return message;
  if (entry.sizeBytes === 0) return "its target is empty";
  return entry.sizeBytes > L.TARGET_BYTES_MAX
    ? `its target has ${entry.sizeBytes} bytes, ${L.TARGET_BYTES_MAX} at most`
    : message;
}
