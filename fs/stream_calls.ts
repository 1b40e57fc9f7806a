/**
 * Calls on open files: open, close, read, write, seek, sync.
 *
 * Layer: fs, a group of calls. Every descriptor holds an inode, so what is done through it goes on
 * after its name is gone. `write` is the hot path: it checks, picks the position, makes one indirect
 * call, and advances; nothing stands between a caller and the backend but this one frame.
 *
 * @module
 */
import {
  O_ACCMODE,
  O_APPEND,
  O_DSYNC,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  parseFlags,
  SEEK_CUR,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
} from "../abi/flags.ts";
import { invariant } from "../abi/invariant.ts";
import { isDir, S_IFDIR, S_IFMT } from "../abi/mode.ts";
import { type FSNode, FSStream } from "../abi/node.ts";
import { byteCount, bytesOf, integer, isNode, refuse } from "./arguments.ts";
import { dropPrivileges } from "./attributes.ts";
import { releaseLocks } from "./lock_calls.ts";
import { openNode, openPath } from "./opening.ts";
import { getPath, type State } from "./state.ts";
import { openStream, streamAt, usableStream } from "./streams.ts";

/** Calls on open files. */
export interface StreamCalls {
  /**
   * Opens a path, and creates it if the flags say so. Takes the lowest free descriptor.
   *
   * @param flags O_* or one of r, r+, w, w+, a, a+, wx, wx+, ax, ax+
   * @param mode permission bits of a file that is made, before the umask
   * @throws {ErrnoError} ENOENT, EEXIST, EISDIR, ENOTDIR, EACCES, EPERM, ELOOP, EROFS, ENXIO, EMFILE
   */
  open(path: string | FSNode, flags: number | string, mode?: number): FSStream;

  /** Opens what is open once more, with flags and a position of its own, as /proc/self/fd does. */
  reopen(fd: number | FSStream, flags: number | string): FSStream;

  /** Closes. EBADF if it is closed already; whatever the backend says, it is closed afterwards. */
  close(stream: FSStream): void;

  /** Whether the stream has been closed. */
  isClosed(stream: FSStream): boolean;

  /**
   * Reads up to `length` bytes into the view, at `offset` in it, and returns how many; 0 at the end.
   *
   * @param position where in the file; the stream's own position stays. Absent: there, and it moves
   * @throws {ErrnoError} EBADF, EISDIR, EINVAL, ESPIPE
   */
  read(
    stream: FSStream,
    buffer: ArrayBufferView,
    offset: number,
    length: number,
    position?: number,
  ): number;

  /**
   * Writes `length` bytes of the view from `offset` in it, and returns how many were taken. What the
   * view does not have of them is written as zeros, up to 16 MiB, as Emscripten's own files do.
   *
   * @param position where in the file; the stream's own position stays. Absent: there, and it moves.
   * With O_APPEND the bytes go to the end either way
   * @param canOwn a hint that the caller gives the bytes away; it never changes the result
   * @throws {ErrnoError} EBADF, EINVAL, ESPIPE, EFBIG, ENOSPC, EPIPE
   */
  write(
    stream: FSStream,
    buffer: ArrayBufferView,
    offset: number,
    length: number,
    position?: number,
    canOwn?: boolean,
  ): number;

  /**
   * Moves the position and returns it. SEEK_DATA and SEEK_HOLE find the next byte that is, or is
   * not, stored. On a directory the positions are those that `getdents` reports.
   *
   * @throws {ErrnoError} EBADF, ESPIPE, EINVAL, ENXIO
   */
  llseek(stream: FSStream, offset: number, whence: number): number;

  /** Makes an open file, its data and the names that lead to it durable. EBADF, EINVAL. */
  fsync(stream: FSStream | number): void;

  /** Makes the data of an open file durable, and what is needed to find it. */
  fdatasync(stream: FSStream | number): void;
}

/** The calls; `this` is the instance. */
export const STREAM_CALLS: StreamCalls & ThisType<State & StreamCalls> = {
  open(path, flags, mode = 0o666) {
    const bits = parseFlags(flags);
    const permissions = integer(mode, "open");
    if (isNode(path)) return openNode(this, path, bits, getPath(path));
    return openPath(this, path, bits, permissions);
  },

  reopen(fd, flags) {
    const bits = parseFlags(flags);
    const { node, path } = streamAt(this, fd, "reopen");
    return openNode(this, node, bits, path);
  },

  close(stream) {
    const open = openStream(this, stream, "close");
    releaseLocks(this, open);
    const fd = open.fd as number;
    invariant(open.node.pins > 0, "F2: a stream that is closed does not hold its node");
    this.descriptors.remove(fd);
    open.fd = null;
    open.node.pins--;
    if (--open.shared.descriptors === 0) open.stream_ops.close?.(open);
    this.tracking?.onCloseFile?.(open.path);
  },

  isClosed(stream) {
    return !(stream instanceof FSStream) || stream.fd === null;
  },

  read(stream, buffer, offset, length, position) {
    const bytes = buffer instanceof Uint8Array ? buffer : bytesOf(buffer, "read");
    const at = checkTransfer(this, stream, bytes, offset, length, position, O_RDONLY);
    const { stream_ops } = stream;
    if (stream_ops.read === undefined) refuseTransfer(stream, "read");
    if (this.maps.size > 0) this.maps.publish(stream.node);
    const count = length === 0 ? 0 : stream_ops.read(stream, bytes, offset, length, at);
    if (position === undefined || position === null) stream.shared.position = at + count;
    this.tracking?.onReadFile?.(stream.path, count);
    return count;
  },

  write(stream, buffer, offset, length, position, _canOwn) {
    const bytes = buffer instanceof Uint8Array ? buffer : bytesOf(buffer, "write");
    if (isPaddable(bytes, offset, length)) {
      return this.write(stream, padded(bytes, offset, length), 0, length, position);
    }
    const at = checkTransfer(this, stream, bytes, offset, length, position, O_WRONLY);
    const { stream_ops, shared } = stream;
    if (stream_ops.write === undefined) refuseTransfer(stream, "write");
    if (length === 0) return 0;
    const moves = position === undefined || position === null;
    let count = length;
    let end = 0;
    if (shared.flags & O_APPEND && stream_ops.append !== undefined) {
      const appended = stream_ops.append(stream, bytes, offset, length);
      count = appended.count;
      end = appended.at + count;
    } else {
      const start = shared.flags & O_APPEND ? endOf(stream, at) : at;
      count = stream_ops.write(stream, bytes, offset, length, start);
      end = start + count;
    }
    if (moves) shared.position = end;
    if (this.credentials.uid !== 0) dropPrivileges(this, stream.node);
    if (shared.flags & O_DSYNC) stream_ops.fsync?.(stream);
    if (this.watchers.size + this.maps.size > 0 || this.tracking !== null) {
      wrote(this, stream, bytes.subarray(offset, offset + count), end - count);
    }
    return count;
  },

  llseek(stream, offset, whence) {
    const open = openStream(this, stream, "llseek");
    if (open.flags & O_PATH) refuse("EBADF", "llseek", open.path);
    integer(offset, "llseek");
    const isKnown = integer(whence, "llseek") >= SEEK_SET && whence <= SEEK_HOLE;
    if (!isKnown) refuse("EINVAL", "llseek", whence);
    const isDirectory = isDir(open.node.data.mode);
    if (!open.seekable || (!isDirectory && open.stream_ops.llseek === undefined)) {
      refuse("ESPIPE", "llseek", open.path);
    }
    const position = isDirectory ? seekDirectory(open, offset, whence) : seek(open, offset, whence);
    if (!(position >= 0)) refuse("EINVAL", "llseek", offset);
    if (position > Number.MAX_SAFE_INTEGER) refuse("EOVERFLOW", "llseek", offset);
    open.shared.position = position;
    this.tracking?.onSeekFile?.(open.path, position, whence);
    return position;
  },

  fsync(stream) {
    const open = usableStream(this, stream, "fsync");
    open.stream_ops.fsync?.(open);
  },

  fdatasync(stream) {
    this.fsync(stream);
  },
};

/** Reports a write to all watchers. */
function wrote(state: State, stream: FSStream, bytes: Uint8Array, position: number): void {
  const count = bytes.length;
  state.maps.wrote(stream.node, bytes, position);
  state.watchers.notify("modify", stream.node);
  state.tracking?.onWriteToFile?.(stream.path, count);
}

/**
 * Checks what read (`way` is O_RDONLY) and write (O_WRONLY) have in common, and returns where in the
 * file they start. The first lines let everyday calls through; the rest finds out what is wrong, if
 * anything is. Short, so that engines put it into its callers.
 */
function checkTransfer(
  state: State,
  stream: FSStream,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number | undefined,
  way: number,
): number {
  const open = openStream(state, stream, way === O_RDONLY ? "read" : "write");
  const access = open.shared.flags & (O_ACCMODE | O_PATH);
  if (
    (access === O_RDWR || access === way) && open.seekable &&
    (open.node.data.mode & S_IFMT) !== S_IFDIR && isCount(position) && isCount(offset) &&
    isCount(length) && length <= bytes.length - offset
  ) return position;
  return checkOdd(open, bytes, offset, length, position, way === O_RDONLY ? "read" : "write");
}

/** How many bytes a write may make up: a length that is no length asks for more. */
const PADDING_MAX = 2 ** 24;

function isPaddable(bytes: Uint8Array, offset: number, length: number): boolean {
  if (typeof offset !== "number" || typeof length !== "number") return false;
  return length > bytes.length - offset && Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) && offset >= 0 &&
    length > 0 &&
    length <= PADDING_MAX + Math.max(0, bytes.length - offset);
}

/** The bytes from an offset on, and zeros after them. */
function padded(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  const whole = new Uint8Array(length);
  whole.set(bytes.subarray(offset));
  return whole;
}

/** A whole number below 2^32, whatever it is: the shift would throw for a symbol. */
function isCount(value: unknown): value is number {
  return typeof value === "number" && value >>> 0 === value;
}

/** The same in full, for any arguments. */
function checkOdd(
  open: FSStream,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number | undefined,
  call: "read" | "write",
): number {
  if (!(call === "read" ? open.isRead : open.isWrite)) refuse("EBADF", call, open.path);
  if ((open.node.data.mode & S_IFMT) === S_IFDIR) refuse("EISDIR", call, open.path);
  if (!Number.isSafeInteger(offset) || offset < 0) refuse("EINVAL", call, offset);
  if (!Number.isSafeInteger(length) || length < 0 || length > bytes.byteLength - offset) {
    refuse("EINVAL", call, length);
  }
  const moves = position === undefined || position === null;
  const at = moves ? open.shared.position : byteCount(position, call);
  if (!moves && !open.seekable) refuse("ESPIPE", call, open.path);
  if (at > Number.MAX_SAFE_INTEGER - length) refuse("EFBIG", call, open.path);
  return at;
}

/** What a device or pipe cannot do at all. */
function refuseTransfer(stream: FSStream, call: string): never {
  refuse("EINVAL", call, stream.path);
}

/** The end of the file, or the position of what has none. */
function endOf(stream: FSStream, at: number): number {
  return stream.stream_ops.llseek?.(stream, 0, SEEK_END) ?? at;
}

function seek(stream: FSStream, offset: number, whence: number): number {
  if (whence === SEEK_SET) return offset;
  if (whence === SEEK_CUR) return stream.shared.position + offset;
  const { llseek } = stream.stream_ops;
  return llseek === undefined ? -1 : llseek(stream, offset, whence);
}

function seekDirectory(stream: FSStream, offset: number, whence: number): number {
  if (whence === SEEK_SET) return offset;
  return whence === SEEK_CUR ? stream.shared.position + offset : -1;
}
