/**
 * PROXYFS, the bytes: open files of another file system, reached by its own calls.
 *
 * Layer: stream_ops, over `PathCalls`. The names are in `node_ops/proxyfs.ts`. One open description
 * here is one open file there; descriptors made by dup share both.
 *
 * @module
 */
import { codeOf, ErrnoError, isErrnoError } from "../abi/errno.ts";
import {
  O_ACCMODE,
  O_APPEND,
  O_DIRECTORY,
  O_DSYNC,
  O_NOATIME,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
} from "../abi/flags.ts";
import type { CursorListing } from "../abi/cursor_listing.ts";
import { isDir } from "../abi/mode.ts";
import type { Appended, FSStream, NodeRecord, OpenFile, StreamOps } from "../abi/node.ts";
import type { PathCalls, PathStream } from "../abi/path_calls.ts";

/** One inode over there, as a name here knows it. */
export interface ProxyRecord extends NodeRecord {
  /** Files that are open through this name, over there. */
  readonly open: PathStream[];
  /** What made it without a name, until its first descriptor here takes it over. */
  made: PathStream | null;
  /** A directory's names with their cursors, which the other side does not give. */
  readonly listing: CursorListing | null;
}

/** Flags that the other side hears of; what creates and cuts has been done by then. */
const PASSED_FLAGS = O_ACCMODE | O_APPEND | O_DIRECTORY | O_DSYNC | O_NOATIME;

/** Calls the other side; its errors become ours, whatever class they are. */
export function there<R>(action: string, call: () => R): R {
  try {
    return call();
  } catch (error) {
    throw translate(error, action);
  }
}

function translate(error: unknown, action: string): ErrnoError {
  if (isErrnoError(error)) {
    return new ErrnoError(codeOf((error as { errno: number }).errno), action, { cause: error });
  }
  return new ErrnoError("EIO", action, { cause: error });
}

/** Bytes of the other side's files, by descriptors that it gave us. */
class ProxyStreams {
  readonly #fs: PathCalls;
  readonly #pathOf: (stream: FSStream<ProxyRecord>) => string;
  /** By what dup shares. */
  readonly #open = new WeakMap<OpenFile, PathStream>();

  constructor(fs: PathCalls, pathOf: (stream: FSStream<ProxyRecord>) => string) {
    this.#fs = fs;
    this.#pathOf = pathOf;
  }

  ops(): StreamOps<ProxyRecord> {
    const ops: StreamOps<ProxyRecord> = {
      open: (stream) => this.#begin(stream),
      close: (stream) => this.#end(stream),
      read: (stream, buffer, offset, length, position) =>
        there("read", () => this.#fs.read(this.#of(stream), buffer, offset, length, position)),
      write: (stream, buffer, offset, length, position) =>
        there("write", () => this.#fs.write(this.#of(stream), buffer, offset, length, position)),
      append: (stream, buffer, offset, length) =>
        this.#append(stream, buffer.subarray(offset, offset + length)),
      llseek: (stream, offset, whence) => this.#seek(stream, offset, whence),
      fsync: (stream) => there("fsync", () => this.#fs.fsync(this.#of(stream))),
    };
    if (this.#fs.fallocate === undefined) return ops;
    ops.allocate = (stream, mode, offset, length) =>
      there("allocate", () => this.#fs.fallocate!(this.#of(stream).fd!, mode, offset, length));
    return ops;
  }

  #of(stream: FSStream<ProxyRecord>): PathStream {
    const open = this.#open.get(stream.shared);
    if (open === undefined) throw new ErrnoError("EBADF", `use "${stream.path}"`);
    return open;
  }

  #begin(stream: FSStream<ProxyRecord>): void {
    const { data } = stream.node;
    const open = data.made ?? this.#openThere(stream);
    data.made = null;
    this.#open.set(stream.shared, open);
    data.open.push(open);
  }

  /** By name, or what has none any more by a descriptor of it. */
  #openThere(stream: FSStream<ProxyRecord>): PathStream {
    const { node } = stream;
    const flags = stream.flags & PASSED_FLAGS | (node.mount.readOnly ? O_NOATIME : 0);
    const held = node.removed ? node.data.open[0] : undefined;
    if (held !== undefined) return reopenThere(this.#fs, held, flags);
    const path = this.#pathOf(stream);
    const open = there(`open "${path}"`, () => this.#openQuietly(path, flags));
    if (there("stat", () => this.#fs.fstat(open.fd!).ino) === node.data.ino) return open;
    there("close", () => this.#fs.close(open));
    throw new ErrnoError("ESTALE", `open "${path}"`, { why: "it has been replaced" });
  }

  /** O_NOATIME is for owners: another user's read goes without it. */
  #openQuietly(path: string, flags: number): PathStream {
    try {
      return this.#fs.open(path, flags);
    } catch (error) {
      if (!(flags & O_NOATIME) || !isErrnoError(error) || error.code !== "EPERM") throw error;
      return this.#fs.open(path, flags & ~O_NOATIME);
    }
  }

  #end(stream: FSStream<ProxyRecord>): void {
    const open = this.#of(stream);
    const { data } = stream.node;
    data.open.splice(data.open.indexOf(open), 1);
    this.#open.delete(stream.shared);
    there("close", () => this.#fs.close(open));
  }

  /** The other side has the file open for appending, so it finds the end itself. */
  #append(stream: FSStream<ProxyRecord>, bytes: Uint8Array): Appended {
    const open = this.#of(stream);
    return there("append", () => {
      const { size } = this.#fs.fstat(open.fd!);
      const count = this.#fs.write(open, bytes, 0, bytes.length, size);
      return { at: this.#fs.fstat(open.fd!).size - count, count };
    });
  }

  #seek(stream: FSStream<ProxyRecord>, offset: number, whence: number): number {
    if (whence === SEEK_SET) return offset;
    if (whence === SEEK_CUR) return stream.position + offset;
    const open = this.#of(stream);
    const size = isDir(stream.node.mode) ? 0 : there("seek", () => this.#fs.fstat(open.fd!).size);
    if (whence === SEEK_END) return size + offset;
    if (whence !== SEEK_DATA && whence !== SEEK_HOLE) {
      throw new ErrnoError("EINVAL", `seek with whence ${whence}`);
    }
    if (offset < 0 || offset >= size) throw new ErrnoError("ENXIO", `seek to ${offset}`);
    const { llseek } = this.#fs;
    if (llseek === undefined) return whence === SEEK_DATA ? offset : size;
    return there("seek", () => llseek.call(this.#fs, open, offset, whence));
  }
}

/** Opens once more what is open over there. ENOENT where that cannot be done without a name. */
export function reopenThere(fs: PathCalls, { fd }: PathStream, flags: number): PathStream {
  if (fs.reopen === undefined) throw new ErrnoError("ENOENT", "open a file without a name");
  return there("open", () => fs.reopen!(fd!, flags));
}

/** The op table of one mount's files and directories. */
export function proxyStreamOps(
  fs: PathCalls,
  pathOf: (stream: FSStream<ProxyRecord>) => string,
): StreamOps<ProxyRecord> {
  return new ProxyStreams(fs, pathOf).ops();
}
