/**
 * copy_file_range: bytes from one open file to another.
 *
 * Layer: fs, under `descriptor_calls.ts`. Within one mount the backend copies, where it can, and the
 * bytes never come here; else they are read and written piece by piece. Whose file is mapped into
 * memory is copied piece by piece too, so that its maps see the bytes.
 *
 * @module
 */
import { isErrnoError } from "../abi/errno.ts";
import { O_APPEND, O_DSYNC, SEEK_END } from "../abi/flags.ts";
import { isDir, isFile } from "../abi/mode.ts";
import type { FSStream } from "../abi/node.ts";
import { byteCount, refuse } from "./arguments.ts";
import { dropPrivileges } from "./attributes.ts";
import { isSameInode } from "./entries.ts";
import type { State } from "./state.ts";

const CALL = "copy_file_range";
const PIECE_BYTES = 64 * 1024;
/** Linux copies no more at once. */
const LENGTH_MAX = 0x7ffff000;

/** A file that is open, and where in it; without an offset its own position, which moves. */
export interface CopyEnd {
  /** The file. */
  stream: FSStream;
  /** The first byte. */
  offset: number | null | undefined;
}

/** Bytes `[at, at + length)` of one file, for byte `to` of another. */
interface Range {
  source: FSStream;
  at: number;
  target: FSStream;
  to: number;
  length: number;
}

/** Copies up to `length` bytes, and returns how many: fewer at the source's end, or on a full device. */
export function copyFileRange(
  state: State,
  { from, to, length }: { from: CopyEnd; to: CopyEnd; length: number },
): number {
  const [source, target] = [from.stream, to.stream];
  const wanted = byteCount(length, CALL);
  requireFiles(source, target);
  const range = {
    source,
    at: startOf(from),
    target,
    to: startOf(to),
    length: Math.min(wanted, LENGTH_MAX),
  };
  for (const start of [range.at, range.to]) {
    if (start > Number.MAX_SAFE_INTEGER - wanted) refuse("EOVERFLOW", CALL, start);
  }
  const count = range.length === 0 ? 0 : copy(state, range);
  if (isOwn(from)) source.shared.position = range.at + count;
  if (isOwn(to)) target.shared.position = range.to + count;
  state.tracking?.onReadFile?.(source.path, count);
  if (count > 0) wrote(state, target, count);
  return count;
}

function isOwn({ offset }: CopyEnd): boolean {
  return offset === undefined || offset === null;
}

function startOf({ stream, offset }: CopyEnd): number {
  return offset === undefined || offset === null ? stream.shared.position : byteCount(offset, CALL);
}

function requireFiles(source: FSStream, target: FSStream): void {
  for (const { node, path } of [source, target]) {
    if (isDir(node.data.mode)) refuse("EISDIR", CALL, path);
    if (!isFile(node.data.mode)) refuse("EINVAL", CALL, path);
  }
  if (!source.isRead) refuse("EBADF", CALL, source.path);
  if (!target.isWrite || target.flags & O_APPEND) refuse("EBADF", CALL, target.path);
}

/** As after a write. */
function wrote(state: State, target: FSStream, count: number): void {
  if (state.credentials.uid !== 0) dropPrivileges(state, target.node);
  if (target.shared.flags & O_DSYNC) target.stream_ops.fsync?.(target);
  state.watchers.notify("modify", target.node);
  state.tracking?.onWriteToFile?.(target.path, count);
}

function copy(state: State, range: Range): number {
  const { source, at, target, to, length } = range;
  const { copyRange } = source.stream_ops;
  // Two names of one backend's table may be two mounts of it.
  const isOneMount = source.stream_ops === target.stream_ops &&
    source.node.mount === target.node.mount;
  if (copyRange !== undefined && isOneMount && state.maps.size === 0) {
    return copyRange(source, at, target, to, length);
  }
  if (state.maps.size > 0) state.maps.publish(source.node);
  return copyPieces(state, { ...range, length: lengthThere(range) });
}

/** As much as the source has. Within one file the ranges must not overlap. */
function lengthThere({ source, at, target, to, length }: Range): number {
  const size = source.stream_ops.llseek?.(source, 0, SEEK_END) ?? Infinity;
  const there = Math.max(0, Math.min(length, size - at));
  const isOneFile = isSameInode(source.node, target.node);
  if (isOneFile && there > 0 && at < to + there && to < at + there) {
    refuse("EINVAL", CALL, target.path);
  }
  return there;
}

/** A piece that fails after others is a short count; the next call meets it again. */
function copyPieces(state: State, { source, at, target, to, length }: Range): number {
  const { read } = source.stream_ops;
  const { write } = target.stream_ops;
  if (read === undefined || write === undefined) refuse("EINVAL", CALL, target.path);
  const piece = new Uint8Array(Math.min(length, PIECE_BYTES));
  let done = 0;
  try {
    while (done < length) {
      const most = Math.min(piece.length, length - done);
      const count = read(source, piece, 0, most, at + done);
      if (count === 0) break;
      const written = write(target, piece, 0, count, to + done);
      if (state.maps.size > 0) {
        state.maps.wrote(target.node, piece.subarray(0, written), to + done);
      }
      done += written;
      if (written < count) break;
    }
  } catch (error) {
    if (done === 0 || !isErrnoError(error)) throw error;
  }
  return done;
}
