/**
 * Whole-path operations, opcodes 1 to 34 of docs/PROTOCOL.md, served through PathCalls.
 *
 * Layer: relay, beside `dispatch.ts`. A client names paths and descriptors; descriptors are its own,
 * numbered from 3, and closed when it dies. What has a payload of any length (READ, WRITE, APPEND,
 * READDIR, FREAD, FWRITE) is only begun here and goes on in `transfers.ts`.
 *
 * Use: `const status = paths.run(channel)`, or `paths.begin(channel)` for a payload.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../abi/errno.ts";
import { O_CREAT, O_DIRECTORY, O_EXCL, O_RDONLY, O_TRUNC, O_WRONLY } from "../../abi/flags.ts";
import { isDir, isLink } from "../../abi/mode.ts";
import type { PathCalls, PathStream } from "../../abi/path_calls.ts";
import type { Reader } from "./cursor.ts";
import { PathOp } from "./path_operations.ts";
import { kindOf, writePathStat, writePathStatFs } from "./path_records.ts";
import type { ServedChannel } from "./served_channel.ts";

/** Bit 0 of a request's flags, which each operation reads in its own way. */
const BIT_0 = 1;
const FIRST_FD = 3;
const COPY_BYTES = 65_536;
const TEMP_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const TEMP_TRIES = 100;

/** Runs whole-path operations of all channels on one file system. */
export class PathOps {
  readonly #make: () => PathCalls;
  readonly #random: () => number;
  #made: PathCalls | null = null;

  /** Runs them on what `make` makes once it is needed; `random` picks the letters of MKDTEMP. */
  constructor(make: () => PathCalls, random: () => number = Math.random) {
    this.#make = make;
    this.#random = random;
  }

  get #calls(): PathCalls {
    return this.#made ??= this.#make();
  }

  /** Does an operation of one piece, leaves its answer in the channel's writer, returns the status. */
  run(channel: ServedChannel): number {
    const { reader, writer } = channel;
    const [op, path] = [reader.op, reader.path()];
    switch (op) {
      case PathOp.STAT:
      case PathOp.LSTAT: {
        const stat = op === PathOp.STAT ? this.#calls.stat(path) : this.#calls.lstat(path);
        writePathStat(writer.beginResponse(), stat);
        return 0;
      }
      case PathOp.FSTAT: {
        const stat = this.#calls.fstat(this.#fd(channel));
        writePathStat(writer.beginResponse(), stat);
        return 0;
      }
      case PathOp.EXISTS: {
        const isThere = this.#exists(path);
        writer.beginResponse().u8(isThere ? 1 : 0);
        return 0;
      }
      case PathOp.REALPATH:
      case PathOp.READLINK: {
        const call = op === PathOp.REALPATH ? this.#calls.realpath : this.#calls.readlink;
        const text = call.call(this.#calls, path);
        writer.beginResponse().text(text);
        return 0;
      }
      case PathOp.STATFS: {
        const space = this.#calls.statfs(path === "" ? "/" : path);
        writePathStatFs(writer.beginResponse(), space);
        return 0;
      }
      case PathOp.MKDIR:
      case PathOp.MKDTEMP: {
        const made = op === PathOp.MKDIR ? this.#mkdir(path, reader) : this.#mkdtemp(path);
        writer.beginResponse().text(made);
        return 0;
      }
      case PathOp.OPEN:
      case PathOp.OPENDIR: {
        const stream = op === PathOp.OPEN ? this.#open(path, reader) : this.#opendir(path);
        writer.beginResponse().u32(this.#enter(channel, stream));
        return 0;
      }
      default:
        this.#change(channel, path);
        writer.beginResponse();
        return 0;
    }
  }

  /** The stream that a payload goes to or comes from, and where in it; see `transfers.ts`. */
  begin(channel: ServedChannel): { stream: PathStream; at: number; length: number; ends: boolean } {
    const { reader } = channel;
    const path = reader.path();
    switch (reader.op) {
      case PathOp.READ: {
        const stream = this.#calls.open(path, O_RDONLY);
        return { stream, at: 0, length: this.sizeOf(stream), ends: true };
      }
      case PathOp.WRITE: {
        const stream = this.#calls.open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o666);
        return { stream, at: 0, length: 0, ends: true };
      }
      case PathOp.APPEND: {
        const stream = this.#calls.open(path, O_WRONLY | O_CREAT, 0o666);
        return { stream, at: this.sizeOf(stream), length: 0, ends: true };
      }
      default: {
        const stream = this.#stream(channel);
        const length = reader.op === PathOp.FREAD ? reader.u32() : 0;
        return { stream, at: reader.f64(), length, ends: false };
      }
    }
  }

  /** The slot whose append turn a stream takes. */
  inodeOf(stream: PathStream): number {
    return this.#calls.fstat(stream.fd as number).ino;
  }

  /** Bytes read at `at`, or at the stream's own position. */
  read(stream: PathStream, into: Uint8Array, at: number): number {
    return this.#calls.read(stream, into, 0, into.length, at < 0 ? undefined : at);
  }

  /** Bytes written at `at`, or at the stream's own position. */
  write(stream: PathStream, from: Uint8Array, at: number): number {
    return this.#calls.write(stream, from, 0, from.length, at < 0 ? undefined : at);
  }

  /** Cuts a file of which a piece could not be written. */
  cut(stream: PathStream, size: number): void {
    this.#calls.ftruncate(stream.fd as number, size);
  }

  /** Closes a stream of a client. Its file goes with it when it has no name any more. */
  close(channel: ServedChannel, stream: PathStream): void {
    if (stream.fd === null) return;
    if (this.#isUnlinked(stream.fd)) channel.noteRemoved();
    this.#calls.close(stream);
  }

  /** Whether a file has no name any more, or does not say; it is closed in either case. */
  #isUnlinked(fd: number): boolean {
    try {
      return this.#calls.fstat(fd).nlink === 0;
    } catch {
      return true;
    }
  }

  /** Closes what a client has left open. */
  closeAll(channel: ServedChannel): void {
    for (const stream of channel.streams.values()) {
      try {
        this.close(channel, stream);
      } catch {
        // Its client is gone: no answer is needed.
      }
    }
    channel.streams.clear();
  }

  /** The names in a directory, sorted, with their kinds if asked: the bytes of READDIR's answer. */
  list(path: string, withTypes: boolean): Uint8Array {
    const names = this.#calls.readdir(path).filter((name) => name !== "." && name !== "..").sort();
    const encoder = new TextEncoder();
    const encoded = names.map((name) => encoder.encode(name));
    const extra = withTypes ? 3 : 2;
    const size = encoded.reduce((sum, name) => sum + name.length + extra, 4);
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, names.length, true);
    let at = 4;
    for (const [index, name] of encoded.entries()) {
      view.setUint16(at, name.length, true);
      bytes.set(name, at + 2);
      at += name.length + 2;
      if (withTypes) view.setUint8(at++, kindOf(this.#modeOf(`${path}/${names[index]}`)));
    }
    return bytes;
  }

  #modeOf(path: string): number {
    return this.#calls.lstat(path).mode;
  }

  #exists(path: string): boolean {
    try {
      this.#calls.stat(path);
      return true;
    } catch (error) {
      if (isErrnoError(error)) return false;
      throw error;
    }
  }

  /** Operations that answer nothing. */
  #change(channel: ServedChannel, path: string): void {
    const { reader } = channel;
    const calls = this.#calls;
    const isBit = (reader.flags & BIT_0) !== 0;
    switch (reader.op) {
      case PathOp.UNLINK:
        return calls.unlink(path);
      case PathOp.RMDIR:
        return isBit ? this.#remove(path) : calls.rmdir(path);
      case PathOp.RENAME:
        return calls.rename(path, reader.longText());
      case PathOp.LINK:
        return calls.link(path, reader.longText());
      case PathOp.SYMLINK:
        return calls.symlink(reader.text(), path);
      case PathOp.COPY:
        return this.#copy(path, reader.longText(), isBit);
      case PathOp.TRUNCATE:
        return calls.truncate(path, reader.f64());
      case PathOp.ACCESS:
        return calls.access(path, reader.flags & 7);
      case PathOp.CHMOD:
        return calls.chmod(this.#followed(path, isBit), reader.u32());
      case PathOp.CHOWN:
        return calls[isBit ? "lchown" : "chown"](path, reader.u32(), reader.u32());
      case PathOp.UTIMES:
        return calls.utime(this.#followed(path, isBit), reader.f64(), reader.f64());
      case PathOp.CLOSE:
        return this.#leave(channel);
      case PathOp.FTRUNCATE:
        return calls.ftruncate(this.#fd(channel), reader.f64());
      case PathOp.FCHMOD:
        return calls.fchmod(this.#fd(channel), reader.u32());
      case PathOp.FCHOWN:
        return calls.fchown(this.#fd(channel), reader.u32(), reader.u32());
      case PathOp.FUTIMES:
        return this.#futimes(channel);
      default:
        throw new ErrnoError("ENOSYS", `serve operation ${reader.op}`);
    }
  }

  #open(path: string, reader: Reader): PathStream {
    const mode = reader.at < reader.end ? reader.u32() : 0o666;
    return this.#calls.open(path, reader.flags, mode);
  }

  #opendir(path: string): PathStream {
    return this.#calls.open(path, O_RDONLY | O_DIRECTORY);
  }

  /** Gives a stream the client's lowest free number. */
  #enter({ streams }: ServedChannel, stream: PathStream): number {
    let fd = FIRST_FD;
    while (streams.has(fd)) fd++;
    streams.set(fd, stream);
    return fd;
  }

  #leave(channel: ServedChannel): void {
    const { reader, streams } = channel;
    const fd = reader.u32();
    const stream = streams.get(fd);
    if (stream === undefined) throw new ErrnoError("EBADF", `close descriptor ${fd}`);
    streams.delete(fd);
    this.close(channel, stream);
  }

  #stream({ reader, streams }: ServedChannel): PathStream {
    const fd = reader.u32();
    return streams.get(fd) ?? failed("EBADF", `use descriptor ${fd}`);
  }

  /** The number that the file system itself gives the client's descriptor. */
  #fd(channel: ServedChannel): number {
    return this.#stream(channel).fd ?? failed("EBADF", "use a closed descriptor");
  }

  /** FSYNC's descriptor, if there is one, must be open. */
  checkSync(channel: ServedChannel): void {
    if (channel.reader.at < channel.reader.end) this.#fd(channel);
  }

  /** The size of a stream's file. */
  sizeOf(stream: PathStream): number {
    return this.#calls.fstat(stream.fd as number).size;
  }

  /** Makes a directory, with bit 0 those above it too; the first one that was made. */
  #mkdir(path: string, reader: Reader): string {
    const mode = reader.at < reader.end ? reader.u32() : 0o777;
    if ((reader.flags & BIT_0) === 0) {
      this.#calls.mkdir(path, mode);
      return "";
    }
    let first = "";
    for (let at = 1; at <= path.length; at++) {
      if (at < path.length && path[at] !== "/") continue;
      const part = path.slice(0, at);
      if (this.#isDirectory(part)) continue;
      this.#calls.mkdir(part, mode);
      first ||= part;
    }
    return first;
  }

  /** A directory with an unused name, of the prefix and six letters. */
  #mkdtemp(prefix: string): string {
    for (let left = TEMP_TRIES;; left--) {
      const letters = Array.from({ length: 6 }, () => {
        return TEMP_LETTERS[Math.floor(this.#random() * TEMP_LETTERS.length)];
      });
      const path = prefix + letters.join("");
      try {
        this.#calls.mkdir(path, 0o700);
        return path;
      } catch (error) {
        if (!isErrnoError(error) || error.code !== "EEXIST" || left === 1) throw error;
      }
    }
  }

  #isDirectory(path: string): boolean {
    return this.#exists(path) && isDir(this.#calls.stat(path).mode);
  }

  /** Removes a directory with everything below it. */
  #remove(path: string): void {
    for (const name of this.#calls.readdir(path)) {
      if (name === "." || name === "..") continue;
      const child = `${path}/${name}`;
      if (isDir(this.#modeOf(child))) this.#remove(child);
      else this.#calls.unlink(child);
    }
    this.#calls.rmdir(path);
  }

  #copy(from: string, to: string, isExclusive: boolean): void {
    const calls = this.#calls;
    const source = calls.open(from, O_RDONLY);
    try {
      const { dev, ino, mode } = calls.fstat(source.fd as number);
      const isSame = this.#exists(to) && calls.stat(to).ino === ino && calls.stat(to).dev === dev;
      if (isSame && !isExclusive) throw new ErrnoError("EINVAL", `copy "${from}" onto itself`);
      const flags = O_WRONLY | O_CREAT | (isExclusive ? O_EXCL : O_TRUNC);
      const target = calls.open(to, flags, mode & 0o7777);
      try {
        this.#copyBytes(source, target);
      } finally {
        calls.close(target);
      }
    } finally {
      calls.close(source);
    }
  }

  #copyBytes(source: PathStream, target: PathStream): void {
    const piece = new Uint8Array(COPY_BYTES);
    for (let at = 0;;) {
      const count = this.#calls.read(source, piece, 0, piece.length, at);
      if (count === 0) return;
      const written = this.#calls.write(target, piece, 0, count, at);
      if (written < count) throw new ErrnoError("ENOSPC", "copy a file");
      at += count;
    }
  }

  /** PathCalls changes what a link leads to; a link itself has no mode and no times to change. */
  #followed(path: string, isNoFollow: boolean): string {
    if (!isNoFollow || !isLink(this.#modeOf(path))) return path;
    throw new ErrnoError("ENOTSUP", `change mode or times of the link "${path}"`);
  }

  #futimes(channel: ServedChannel): void {
    const fd = this.#fd(channel);
    const { reader } = channel;
    reader.u32();
    const calls = this.#calls;
    if (calls.futimens === undefined) throw new ErrnoError("ENOTSUP", `set times of ${fd}`);
    calls.futimens(fd, timeOf(reader.f64()), timeOf(reader.f64()));
  }
}

/** A time in ms as seconds and nanoseconds. */
function timeOf(timeMs: number): [number, number] {
  const seconds = Math.floor(timeMs / 1000);
  return [seconds, Math.round((timeMs - seconds * 1000) * 1e6)];
}

function failed(code: "EBADF", action: string): never {
  throw new ErrnoError(code, action);
}
