/**
 * Reading a version-1 image: what is in it, and the bytes of its files, in pieces.
 *
 * Layer: opfs/volume. Nothing is believed: `readVersion1` scans every slot first and refuses what
 * would mix data. What it returns can be walked in bounded memory. Use:
 *
 *     const image = readVersion1(handle);
 *     for (const entry of image.files()) image.read(entry, buffer, 0);
 *
 * `importSteps` (`version1/import.ts`) carries one over into a volume.
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import type { StorageHandle } from "../../device/handle.ts";
import * as L from "../format/layout.ts";
import type { Superblock } from "../format/superblock.ts";
import { type Finding, Findings } from "../upkeep/transfer.ts";
import { isDevice, measure, modeOf } from "./contents.ts";
import type { Slot } from "./format.ts";
import { CachedPages, readDevice1 } from "./pages.ts";
import { PathReader } from "./paths.ts";
import { hasContents, isNamed, type Scan, scanVersion1, typeIn } from "./scan.ts";
import { readSuperblock1 } from "./superblock.ts";

/** How {@link readVersion1} reads. */
export interface ReadOptions {
  /** Whether what would be refused is resolved, and what has no name is kept. Default false. */
  repair?: boolean;
  /** Collects what is found, which can be looked at even after a refusal. */
  findings?: Findings;
}

/** One file, directory or link of a version-1 image. */
export interface Version1Entry {
  /** Its slot. */
  slot: number;
  /** Its names as absolute paths; none when a damage has taken them. */
  paths: string[];
  /** File type and permission bits. */
  mode: number;
  /** Owner. */
  uid: number;
  /** Group. */
  gid: number;
  /** Device number of a device. */
  rdev: number;
  /** Bytes that can be read. */
  sizeBytes: number;
  /** Last read, in ms. */
  atime: number;
  /** Last change of contents, in ms. */
  mtime: number;
  /** Last change of anything, in ms. */
  ctime: number;
}

/**
 * Scans an image of `@componentor/fs`. The handle stays open, and must not change while it is used.
 *
 * @throws {ErrnoError} EINVAL if it is no image, ENOTSUP for another version, EIO for one whose
 * damage would mix data
 * @example
 * ```ts
 * import { Findings, memoryHandle, readVersion1 } from "@cairn/fs/opfs";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const findings = new Findings();
 * assertThrows(() => readVersion1(memoryHandle(new Uint8Array(100)), { findings }), "EINVAL");
 * assertEquals(findings.list, []);
 * ```
 */
export function readVersion1(handle: StorageHandle, options: ReadOptions = {}): Version1Image {
  const { repair = false, findings = new Findings() } = options;
  const superblock = readSuperblock1(handle, { repair, findings });
  const scan = scanVersion1(handle, superblock, { repair, findings });
  const worst = findings.list.find((finding) => finding.severity === "refused");
  if (worst !== undefined) throw refusal(worst);
  return new Version1Image(handle, superblock, { scan, findings });
}

function refusal(finding: Finding): ErrnoError {
  const whom = finding.path === undefined ? `slot ${finding.slot}` : `"${finding.path}"`;
  return new ErrnoError("EIO", "read the version-1 image", { why: `${whom}: ${finding.message}` });
}

/** A version-1 image that has been scanned. Made by {@link readVersion1}. */
export class Version1Image {
  /** Its geometry. */
  readonly superblock: Superblock;
  /** What has been found, and what is found while reading on. */
  readonly findings: Findings;
  /** Bytes of contents. */
  readonly totalBytes: number;

  readonly #handle: StorageHandle;
  readonly #imageBytes: number;
  readonly #scan: Scan;
  readonly #reader: PathReader;

  /** Takes what {@link readVersion1} has made. */
  constructor(
    handle: StorageHandle,
    superblock: Superblock,
    made: { scan: Scan; findings: Findings },
  ) {
    this.superblock = superblock;
    this.findings = made.findings;
    this.totalBytes = made.scan.totalBytes;
    this.#handle = handle;
    this.#imageBytes = handle.getSize();
    this.#scan = made.scan;
    this.#reader = new PathReader(new CachedPages(handle), superblock);
  }

  /** Directories that have a slot, in the order of their slots: children may come first. */
  *directories(): Generator<Version1Entry, void, void> {
    for (const slot of this.#slots((type) => type === L.TYPE.DIRECTORY)) {
      if (isNamed(this.#scan.states, slot)) yield this.#entry(slot);
    }
  }

  /** Everything that is no directory, each once with all its names. */
  *files(): Generator<Version1Entry, void, void> {
    for (const slot of this.#slots(hasContents)) yield this.#entry(slot);
  }

  *#slots(wanted: (type: number) => boolean): Generator<number, void, void> {
    const { states } = this.#scan;
    for (let slot = 0; slot < states.length; slot++) {
      if (wanted(typeIn(states, slot))) yield slot;
    }
  }

  #entry(slot: number): Version1Entry {
    const record = this.#reader.slot(slot);
    const contents = hasContents(record.type)
      ? measure(record, this.superblock, this.#imageBytes).sizeBytes
      : 0;
    return {
      slot,
      paths: this.#pathsOf(slot, record),
      mode: modeOf(record),
      uid: record.uid,
      gid: record.gid,
      rdev: isDevice(record) ? record.firstBlock : 0,
      sizeBytes: contents,
      atime: this.#time(slot, record.atime),
      mtime: this.#time(slot, record.mtime),
      ctime: this.#time(slot, record.ctime),
    };
  }

  /** Times are kept as they are, with fractions and before 1970; what is no number is 0. */
  #time(slot: number, timeMs: number): number {
    if (Number.isFinite(timeMs)) return timeMs;
    const message = `one of its times is ${timeMs}: it is taken for 0`;
    this.findings.add({ code: "time-wrong", severity: "changed", message, slot });
    return 0;
  }

  #pathsOf(slot: number, record: Slot): string[] {
    const { states, links } = this.#scan;
    const paths = isNamed(states, slot) ? [this.#pathOf(record)] : [];
    for (const link of links.get(slot) ?? []) paths.push(this.#pathOf(this.#reader.slot(link)));
    return paths;
  }

  #pathOf(record: Slot): string {
    this.#reader.read(record);
    return this.#reader.text();
  }

  /** Whether a path has a directory's slot of its own. */
  hasDirectory(path: string): boolean {
    const bytes = new TextEncoder().encode(path);
    const slot = this.#scan.index.find(bytes, bytes.length);
    return slot >= 0 && typeIn(this.#scan.states, slot) === L.TYPE.DIRECTORY;
  }

  /** Bytes of an entry's contents, or of a link's target, from byte `at` on; 0 at the end. */
  read(entry: Version1Entry, into: Uint8Array, at: number): number {
    const length = Math.max(0, Math.min(into.length, entry.sizeBytes - at));
    if (length === 0) return 0;
    const contents = measure(
      this.#reader.slot(entry.slot),
      this.superblock,
      this.#imageBytes,
    );
    const piece = into.subarray(0, length);
    const count = readDevice1(this.#handle, piece, contents.at + at);
    if (count === length) return length;
    throw new ErrnoError("EIO", `read slot ${entry.slot} at ${at}`, {
      why: "the image ends there",
    });
  }
}
