/**
 * Importing a tar: its entries become members of a tree.
 *
 * Layer: cli, under `import.ts`. Nothing in an archive is believed: a name that leads upwards is left
 * out, an absolute one begins at the volume's root, and no name is followed through a link.
 *
 * @module
 */
import { createReadStream, type ReadStream, statSync } from "node:fs";
import process from "node:process";
import {
  ErrnoError,
  isErrnoError,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFREG,
} from "../../mod.ts";
import type { Findings, Ino, Progress, TransferReport } from "../../opfs/mod.ts";
import { deviceNumber, isDeviceNumber } from "../shared/devices.ts";
import type { ImportSource, Target } from "./ends.ts";
import { type Interrupts, unlessInterrupted } from "../shared/steps.ts";
import { GivenNames, nameFrom, shownName } from "../tar/names.ts";
import { xattrsIn } from "../tar/pax.ts";
import { readTar, type TarEntry } from "../tar/read.ts";
import {
  damaged,
  type Piece,
  type SparseHead,
  sparseHead,
  SparseMapReader,
} from "../tar/sparse.ts";
import { unpack } from "../tar/unpack.ts";
import { ACL_LOST, deniedByText, withoutAcl } from "../trees/acl.ts";
import { type Member, TreeIn } from "../trees/tree_in.ts";
import { at, named, PlaceError } from "../shared/verb.ts";

const READ_BYTES = 256 * 1024;
const PERMISSION_BITS = 0o7777;

/** The type bits of each type flag. */
const TYPES: Readonly<Record<string, number>> = {
  "0": S_IFREG,
  "7": S_IFREG,
  "2": S_IFLNK,
  "3": S_IFCHR,
  "4": S_IFBLK,
  "5": S_IFDIR,
  "D": S_IFDIR,
  "6": S_IFIFO,
};
const HARD_LINK = "1";
const VOLUME_LABEL = "V";
const OLD_SPARSE_TYPE = "S";

/** A tar in a host file, or what comes through the standard input. */
export function openTar(
  name: string,
  interrupts: Interrupts,
): ImportSource {
  const isPipe = name === "-";
  const source = isPipe ? process.stdin : createReadStream(name, { highWaterMark: READ_BYTES });
  const totalBytes = isPipe ? 0 : statSync(name).size;
  const progress = (): Progress => ({
    doneBytes: isPipe ? 0 : (source as ReadStream).bytesRead,
    totalBytes,
  });
  return {
    steps: (target) =>
      new TarImport(target, { name, progress }).steps(interruptibly(source, interrupts)),
    close: () => void source.destroy(),
  };
}

/** What comes, unless a signal comes first: a pipe may be silent for ever. */
async function* interruptibly(
  source: AsyncIterable<Uint8Array>,
  interrupts: Interrupts,
): AsyncGenerator<Uint8Array, void, void> {
  const iterator = source[Symbol.asyncIterator]();
  for (;;) {
    const step = await unlessInterrupted(iterator.next(), interrupts);
    if (step.done === true) return;
    yield step.value;
  }
}

interface Origin {
  name: string;
  progress: () => Progress;
}

class TarImport {
  readonly #tree: TreeIn;
  readonly #findings: Findings;
  readonly #origin: Origin;
  readonly #names: GivenNames;
  #absolute: { first: string; count: number } | null = null;

  constructor(target: Target, origin: Origin) {
    this.#origin = origin;
    this.#findings = target.findings;
    this.#tree = new TreeIn(target.volume, target);
    this.#names = new GivenNames((path) => this.#tree.has(path));
  }

  async *steps(source: AsyncIterable<Uint8Array>): AsyncGenerator<Progress, TransferReport, void> {
    let hasTail = false;
    const entries = readTar(unpack(source), () => void (hasTail = true));
    for await (const entry of named(this.#origin.name, entries)) yield* this.#entry(entry);
    this.#reportAbsolute();
    if (hasTail) {
      const message = "more follows its end, which is left out: another archive, or garbage";
      this.#tree.addFinding("lost", "tar-tail", { path: this.#origin.name, message });
    }
    this.#tree.close();
    return this.#tree.report();
  }

  async *#entry(entry: TarEntry): AsyncGenerator<Progress, void, void> {
    const sparse = this.#sparseOf(entry);
    if (sparse === "too long") return;
    const name = sparse?.name ?? entry.name;
    const path = this.#pathOf(name);
    if (path === null || this.#isNothing(entry, path)) return;
    if (entry.type === HARD_LINK) {
      const of = this.#pathOf(entry.linkName);
      if (of !== null) this.#tree.link(path, of);
      yield this.#origin.progress();
      return;
    }
    this.#reportOddities(entry, name, path);
    const member = memberOf(entry, path);
    const ino = this.#tree.add(member);
    if (ino === 0 || !(yield* this.#contents(entry, ino, { path, sparse }))) return;
    this.#tree.finish(ino, member);
    yield this.#origin.progress();
  }

  /** One that is longer than a volume can have it is left out, and said. */
  #sparseOf({ pax, name, sparse }: TarEntry): SparseHead | null | "too long" {
    try {
      return sparse === null ? sparseHead(pax) : fitting(sparse);
    } catch (error) {
      if (!isErrnoError(error) || error.code !== "EFBIG") {
        return at(this.#origin.name, () => {
          throw error;
        });
      }
      const said = pax.get("GNU.sparse.name");
      const path = this.#pathOf(said === undefined ? name : nameFrom(said));
      if (path !== null) this.#tree.lose(path, error.message);
      return "too long";
    }
  }

  /** Fills what has contents; whether a volume can hold all of them. */
  async *#contents(
    entry: TarEntry,
    ino: Ino,
    { path, sparse }: { path: string; sparse: SparseHead | null },
  ): AsyncGenerator<Progress, boolean, void> {
    const before = this.#tree.counts.bytes;
    try {
      if (sparse !== null) yield* this.#sparse(entry, ino, sparse);
      else if (isContents(entry)) yield* this.#plain(entry, ino);
      return true;
    } catch (error) {
      const cause = error instanceof PlaceError ? error.cause : error;
      if (!this.#tree.isUnstorable(cause)) throw error;
      this.#tree.drop(path, { why: cause.message, bytes: this.#tree.counts.bytes - before });
      return false;
    }
  }

  async *#sparse(
    entry: TarEntry,
    ino: Ino,
    { pieces, sizeBytes }: SparseHead,
  ): AsyncGenerator<Progress, void, void> {
    const filler = new SparseFill(this.#tree, ino, pieces);
    for await (const piece of this.#bodyOf(entry)) {
      filler.push(piece);
      yield this.#origin.progress();
    }
    at(this.#origin.name, () => filler.end(sizeBytes));
    this.#tree.extend(ino, sizeBytes);
  }

  async *#plain(entry: TarEntry, ino: Ino): AsyncGenerator<Progress, void, void> {
    let at = 0;
    for await (const piece of this.#bodyOf(entry)) {
      this.#tree.write(ino, piece, at);
      at += piece.length;
      yield this.#origin.progress();
    }
  }

  #bodyOf(entry: TarEntry): AsyncIterable<Uint8Array> {
    return named(this.#origin.name, entry.body);
  }

  /** Whether an entry means nothing to a volume; what is lost with it is reported. */
  #isNothing(entry: TarEntry, path: string): boolean {
    const { type } = entry;
    if (type === HARD_LINK || type === OLD_SPARSE_TYPE) return false;
    if (TYPES[type] !== undefined) return this.#isOtherDevice(entry, path);
    if (type === VOLUME_LABEL) {
      const message = "it is the archive's label, and no file";
      this.#tree.addFinding("note", "tar-label", { path, message });
      return true;
    }
    const message = `an entry of type "${type}", which is not known`;
    this.#tree.addFinding("lost", "tar-type", { path, message });
    return true;
  }

  /** A number that has no room is left out: made smaller it would be another device. */
  #isOtherDevice({ type, major, minor }: TarEntry, path: string): boolean {
    if (!"34".includes(type) || isDeviceNumber({ major, minor })) return false;
    this.#tree.lose(path, `a device ${major},${minor}`);
    return true;
  }

  #reportOddities({ linkName, pax }: TarEntry, name: string, path: string): void {
    if (!name.isWellFormed() || !linkName.isWellFormed()) {
      const message = "bytes of its name or target that are no UTF-8 are written as %FF";
      this.#tree.addFinding("changed", "name-replaced", { path, message });
    }
    const hasAcl = pax.keys().some((key) => /^SCHILY\.(acl|xattr\.system)\./.test(key));
    if (hasAcl) this.#tree.addFinding("changed", "acl-lost", { path, message: ACL_LOST });
  }

  /** The path in the volume; null, and reported, for a name that leads out of it. */
  #pathOf(name: string): string | null {
    const parts = name.split("/").filter((part) => part !== "" && part !== ".");
    if (parts.includes("..")) {
      const message = `its name leads upwards: nothing of it is taken`;
      this.#tree.addFinding("lost", "name-upwards", { path: shownName(name), message });
      return null;
    }
    if (name.startsWith("/")) {
      this.#absolute ??= { first: shownName(name), count: 0 };
      this.#absolute.count++;
    }
    return this.#given(parts);
  }

  #given(parts: readonly string[]): string {
    const { path, isOther } = this.#names.pathOf(parts);
    if (isOther) {
      const message = `"${shownName(parts.join("/"))}" is the name of another one already`;
      this.#tree.addFinding("changed", "name-replaced", { path, message });
    }
    return path;
  }

  #reportAbsolute(): void {
    if (this.#absolute === null) return;
    const { first, count } = this.#absolute;
    const many = count === 1 ? "" : `, and ${count - 1} others`;
    const message = `an absolute name${many}: it begins at the volume's root`;
    this.#tree.addFinding("note", "name-absolute", { path: first, message });
  }
}

/** Whether the body is what a file contains. */
function isContents({ type }: TarEntry): boolean {
  return type === OLD_SPARSE_TYPE || TYPES[type] === S_IFREG;
}

function memberOf(entry: TarEntry, path: string): Member {
  const type = TYPES[entry.type] ?? S_IFREG;
  const acl = entry.pax.get("SCHILY.acl.access");
  const xattrs = xattrsIn(entry.pax);
  const mode = withoutAcl(type | entry.mode & PERMISSION_BITS, xattrs);
  return {
    path,
    mode: acl === undefined ? mode : mode & ~deniedByText(acl),
    uid: entry.uid,
    gid: entry.gid,
    rdev: deviceNumber(entry),
    target: type === S_IFLNK ? shownName(entry.linkName) : undefined,
    mtimeMs: entry.mtimeMs,
    // What an archive does not say is not made up: an import of the same one is the same volume.
    atimeMs: entry.atimeMs ?? entry.mtimeMs,
    ctimeMs: entry.ctimeMs ?? entry.mtimeMs,
    xattrs,
  };
}

function fitting(sparse: SparseHead): SparseHead {
  if (Number.isSafeInteger(sparse.sizeBytes)) return sparse;
  throw new ErrnoError("EFBIG", `read a file of ${sparse.sizeBytes} bytes`);
}

/** Puts the data of a sparse file where it belongs. */
class SparseFill {
  readonly #tree: TreeIn;
  readonly #ino: Ino;
  readonly #map = new SparseMapReader();
  #pieces: Piece[] | null;
  #index = 0;
  #done = 0;
  #hasMore = false;

  constructor(tree: TreeIn, ino: Ino, pieces: Piece[] | null) {
    this.#tree = tree;
    this.#ino = ino;
    this.#pieces = pieces;
  }

  /** All of its data must have come, and within its length. */
  end(sizeBytes: number): void {
    const pieces = this.#pieces;
    const isWhole = pieces?.slice(this.#index).every(({ length }) => length === 0) === true;
    const isWithin = pieces?.every(({ at, length }) => at + length <= sizeBytes) === true;
    if (!isWhole || !isWithin || this.#hasMore) throw damaged("its data is not what its map says");
  }

  push(chunk: Uint8Array): void {
    let at = this.#pieces === null ? this.#map.push(chunk) : 0;
    this.#pieces ??= this.#map.pieces;
    while (this.#pieces !== null && at < chunk.length) {
      const piece = this.#pieces[this.#index];
      if (piece === undefined) {
        this.#hasMore = true;
        return;
      }
      const count = Math.min(piece.length - this.#done, chunk.length - at);
      this.#tree.write(this.#ino, chunk.subarray(at, at + count), piece.at + this.#done);
      at += count;
      this.#done += count;
      if (this.#done < piece.length) continue;
      this.#index++;
      this.#done = 0;
    }
  }
}
