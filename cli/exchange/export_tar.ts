/**
 * Exporting to a tar, through modern-tar: everything in a volume as entries, parents first.
 *
 * Layer: cli, under `export.ts`. Names are `./path`, as `tar -C DIR .` makes them. What the 512 bytes
 * of a header cannot say (long names, fractions of seconds, attributes, holes) is in extended headers,
 * and only then are there any. Some megabytes of the stream are in memory, whatever a file's size.
 *
 * @module
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { type Attr, isDir, isFile, isLink, isSocket, SEEK_DATA, SEEK_HOLE } from "../../mod.ts";
import {
  Findings,
  type Progress,
  type TransferCounts,
  type TransferReport,
  type VolumeOps,
} from "../../opfs/mod.ts";
import { noCounts, reportOf } from "../shared/counts.ts";
import type { ExportTarget } from "./ends.ts";
import { type Found, walk } from "../shared/image.ts";
import { newFile } from "../shared/new_file.ts";
import { encodeMap, type Piece } from "../tar/sparse.ts";
import { type TarItem, TarWriter } from "../tar/write.ts";
import { at, type Terminal } from "../shared/verb.ts";

const PIECE_BYTES = 256 * 1024;
const UNIT_BYTES = 512;

/** A tar in a host file, or in the output. */
export function toTar(
  path: string,
  { force, isCompressed, terminal }: { force: boolean; isCompressed: boolean; terminal: Terminal },
): ExportTarget {
  const file = path === "-" ? null : at(path, () => newFile(path, { force }));
  const fd = file === null ? -1 : at(path, () => openSync(file.path, "r+"));
  let isOpen = file !== null;
  const close = (): void => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  const write = file === null
    ? (bytes: Uint8Array): void => terminal.write(bytes)
    : (bytes: Uint8Array): void => writeWhole(fd, bytes);
  return {
    steps: (volume) => new TarExport(volume).steps(write, isCompressed),
    keep(): void {
      close();
      file?.keep();
    },
    discard(): void {
      close();
      file?.discard();
    },
  };
}

function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(fd, bytes, done, bytes.length - done);
  }
}

class TarExport {
  readonly #volume: VolumeOps;
  readonly #findings = new Findings();
  /** Names of what has several, by inode. */
  readonly #shared = new Map<number, string>();
  readonly #counts: TransferCounts = noCounts();

  constructor(volume: VolumeOps) {
    this.#volume = volume;
  }

  async *steps(
    write: (bytes: Uint8Array) => void,
    isCompressed: boolean,
  ): AsyncGenerator<Progress, TransferReport, void> {
    const totalBytes = usedBytes(this.#volume);
    const writer = await TarWriter.begin(write, { isCompressed });
    try {
      for (const found of walk(this.#volume)) {
        for await (const _ of this.#entry(writer, found)) {
          yield { doneBytes: this.#counts.bytes, totalBytes };
        }
      }
      await writer.end();
    } finally {
      await writer.stop();
    }
    return reportOf(this.#counts, this.#findings);
  }

  async *#entry(writer: TarWriter, found: Found): AsyncGenerator<void, void, void> {
    const { attr, path } = found;
    if (isSocket(attr.mode)) {
      const message = "a socket: no tar has one";
      this.#findings.add({ severity: "lost", code: "socket", message, path });
      return;
    }
    const item = this.#itemOf(found);
    if (item.linkTo !== null) {
      this.#counts.hardLinks++;
      this.#reportLeftOut(path, await writer.add(item));
    } else if (isFile(attr.mode)) {
      this.#counts.files++;
      yield* this.#file(writer, found, item);
    } else {
      if (isDir(attr.mode)) this.#counts.directories++;
      else if (isLink(attr.mode)) this.#counts.symlinks++;
      else this.#counts.special++;
      this.#reportLeftOut(path, await writer.add(item));
    }
    yield;
  }

  #itemOf({ path, ino, attr }: Found): TarItem {
    const name = `.${path}${isDir(attr.mode) && path !== "/" ? "/" : ""}`;
    const linkTo = isDir(attr.mode) ? null : this.#shared.get(ino) ?? null;
    if (attr.nlink > 1 && !isDir(attr.mode) && linkTo === null) this.#shared.set(ino, name);
    const target = isLink(attr.mode) ? this.#volume.readlink(ino) : null;
    const xattrs = new Map<string, Uint8Array>();
    if (linkTo === null) {
      for (const key of this.#volume.listxattr(ino)) {
        const value = this.#volume.getxattr(ino, key);
        if (value !== null) xattrs.set(key, value);
      }
    }
    return { name, attr, target, linkTo, xattrs, sparse: null, sizeBytes: 0 };
  }

  async *#file(writer: TarWriter, found: Found, item: TarItem): AsyncGenerator<void, void, void> {
    const { attr } = found;
    const pieces = this.#piecesOf(found);
    const map = pieces === null ? null : encodeMap(pieces);
    const data = pieces ?? [{ at: 0, length: attr.size }];
    const dataBytes = data.reduce((sum, { length }) => sum + length, 0);
    const sparse = map === null ? null : { sizeBytes: attr.size };
    const sizeBytes = dataBytes + (map?.length ?? 0);
    const { body, leftOut } = await writer.addFile({ ...item, sparse, sizeBytes });
    this.#reportLeftOut(found.path, leftOut);
    if (map !== null) await body.write(map);
    for (const piece of data) {
      for (let done = 0; done < piece.length;) {
        // A buffer of its own each time: it is on its way through a stream.
        const bytes = new Uint8Array(Math.min(PIECE_BYTES, piece.length - done));
        const count = this.#volume.read(found.ino, bytes, piece.at + done);
        if (count === 0) this.#reportShort(found, bytes.length);
        const step = count === 0 ? bytes.length : count;
        await body.write(bytes.subarray(0, step));
        done += step;
        this.#counts.bytes += step;
        yield;
      }
    }
    await body.close();
  }

  #reportLeftOut(path: string, leftOut: readonly string[]): void {
    for (const key of leftOut) {
      const message = `"${key}" is left out: so large a file can have text only`;
      this.#findings.add({ severity: "changed", code: "attribute-lost", message, path });
    }
  }

  #reportShort({ path }: Found, missing: number): void {
    const message = `${missing} bytes went while it was exported: they are zeros`;
    this.#findings.add({ severity: "changed", code: "changed-during-export", message, path });
  }

  /** Where the data of a file with holes is; null for one without. */
  #piecesOf({ ino, attr }: { ino: number; attr: Attr }): Piece[] | null {
    if (attr.blocks * UNIT_BYTES >= attr.size) return null;
    const pieces: Piece[] = [];
    for (let at = 0; at < attr.size;) {
      const start = seekData(this.#volume, ino, at);
      if (start === null) break;
      const end = Math.min(attr.size, this.#volume.seek(ino, start, SEEK_HOLE));
      pieces.push({ at: start, length: end - start });
      at = end;
    }
    // A hole at the end is an empty piece there: that is how the format says the size.
    if ((pieces.at(-1)?.at ?? 0) + (pieces.at(-1)?.length ?? 0) < attr.size) {
      pieces.push({ at: attr.size, length: 0 });
    }
    return pieces;
  }
}

/** The next byte of data; null where none follows. */
function seekData(volume: VolumeOps, ino: number, at: number): number | null {
  try {
    return volume.seek(ino, at, SEEK_DATA);
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENXIO") return null;
    throw error;
  }
}

function usedBytes(volume: VolumeOps): number {
  let bytes = 0;
  for (const { attr } of walk(volume)) bytes += isFile(attr.mode) ? attr.blocks * UNIT_BYTES : 0;
  return bytes;
}
