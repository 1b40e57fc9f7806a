/**
 * MEMFS, the bytes: open files in memory. With `node_ops/memfs.ts` it is the backend to read first.
 *
 * Layer: stream_ops. One table serves every mount, because an open stream leads to its inode and the
 * inode to its mount's store. A write goes from the caller's buffer into its chunk in one copy; the
 * frames below FS.write are `write` here and `ChunkTree.write`. Arguments have been checked by `fs/`:
 * offset and length lie in the buffer, position is a whole number from 0 on.
 *
 * @module
 */
import { ErrnoError } from "../abi/errno.ts";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  O_NOATIME,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
} from "../abi/flags.ts";
import type { Appended, FSStream, StreamOps } from "../abi/node.ts";
import type { MemfsInode } from "./memfs_inode.ts";

type Stream = FSStream<MemfsInode>;

/** The longest file, in bytes: what a number counts exactly. */
export const MAX_FILE_BYTES: number = Number.MAX_SAFE_INTEGER;

function read(
  stream: Stream,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  const inode = stream.node.data;
  if (!inode.isQuiet) noteRead(stream);
  return inode.bytes === null ? 0 : inode.bytes.read(buffer, offset, length, position);
}

/** Moves the access time unless the stream or the mount asks not to. */
function noteRead(stream: Stream): void {
  if ((stream.shared.flags & O_NOATIME) !== 0 || stream.node.mount.readOnly) return;
  stream.node.data.accessed();
}

function write(
  stream: Stream,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  if (length === 0) return 0;
  if (position >= MAX_FILE_BYTES) throw new ErrnoError("EFBIG", `write at ${position}`);
  const inode = stream.node.data;
  const wanted = Math.min(length, MAX_FILE_BYTES - position);
  const count = inode.contents().write(buffer, offset, wanted, position);
  if (count === 0) throw new ErrnoError("ENOSPC", `write to "${stream.path}"`);
  inode.modified();
  return count;
}

function append(stream: Stream, buffer: Uint8Array, offset: number, length: number): Appended {
  const at = stream.node.data.contents().size;
  return { at, count: write(stream, buffer, offset, length, at) };
}

function llseek(stream: Stream, offset: number, whence: number): number {
  const position = target(stream, offset, whence);
  if (position < 0) throw new ErrnoError("EINVAL", `seek to ${position}`);
  if (position > MAX_FILE_BYTES) throw new ErrnoError("EOVERFLOW", `seek to ${position}`);
  return position;
}

function target(stream: Stream, offset: number, whence: number): number {
  const bytes = stream.node.data.bytes;
  const size = bytes === null ? 0 : bytes.size;
  switch (whence) {
    case SEEK_SET:
      return offset;
    case SEEK_CUR:
      return stream.position + offset;
    case SEEK_END:
      return size + offset;
    case SEEK_DATA:
    case SEEK_HOLE:
      return seekWithin(stream, offset, whence);
    default:
      throw new ErrnoError("EINVAL", `seek with whence ${whence}`);
  }
}

function seekWithin(stream: Stream, offset: number, whence: number): number {
  const bytes = stream.node.data.bytes;
  const beyond = bytes === null || offset < 0 || offset >= bytes.size;
  if (beyond) throw new ErrnoError("ENXIO", `seek to ${offset}`);
  if (whence === SEEK_HOLE) return bytes.nextHole(offset);
  const data = bytes.nextData(offset);
  if (data >= bytes.size) throw new ErrnoError("ENXIO", `seek to data after ${offset}`);
  return data;
}

function allocate(stream: Stream, mode: number, offset: number, length: number): void {
  const end = offset + length;
  if (end > MAX_FILE_BYTES) throw new ErrnoError("EFBIG", `allocate up to ${end}`);
  const inode = stream.node.data;
  const bytes = inode.contents();
  const keepsSize = (mode & FALLOC_FL_KEEP_SIZE) !== 0;
  switch (mode & ~FALLOC_FL_KEEP_SIZE) {
    case FALLOC_FL_PUNCH_HOLE:
      if (!keepsSize) throw new ErrnoError("ENOTSUP", "punch a hole and change the size");
      bytes.punch(offset, end);
      break;
    case FALLOC_FL_ZERO_RANGE:
    case 0:
      if (!bytes.reserve(offset, end)) throw new ErrnoError("ENOSPC", `allocate ${length} bytes`);
      if (mode & FALLOC_FL_ZERO_RANGE) bytes.zero(offset, end);
      if (!keepsSize && end > bytes.size) bytes.resize(end);
      break;
    default:
      throw new ErrnoError("ENOTSUP", `allocate with mode ${mode}`);
  }
  inode.modified();
}

function open(stream: Stream): void {
  const inode = stream.node.data;
  inode.openCount++;
  inode.store.tick();
}

function close(stream: Stream): void {
  const inode = stream.node.data;
  // A stream that was made beside `open`, with these operations.
  if (inode.openCount === 0) return;
  inode.openCount--;
  inode.store.release(inode);
}

/** Memory is as durable as it will ever be. */
function fsync(): void {}

/** What can be done with an open file. */
export const memfsFileOps: StreamOps<MemfsInode> = {
  open,
  close,
  read,
  write,
  append,
  llseek,
  allocate,
  fsync,
};

/** What can be done with an open directory, or with a special file that has no driver. */
export const memfsOtherOps: StreamOps<MemfsInode> = { open, close, llseek, fsync };
