/**
 * What is done with an open file, and with the volume as a whole: READ, WRITE, FALLOCATE,
 * COPY_FILE_RANGE, LSEEK, FSYNC, STATFS.
 *
 * Layer: adapters/fuse. An open file has no handle of its own: the kernel holds the inode's count
 * as long as it is open. Reads land in the reply's buffer and writes are taken from the request's.
 *
 * @module
 */
import { ErrnoError } from "../../mod.ts";
import { dropPrivileges } from "./attributes.ts";
import { type Context, requirePosition } from "./context.ts";
import {
  COPY_FILE_RANGE_IN,
  FALLOCATE_IN,
  LSEEK_IN,
  LSEEK_OUT,
  MAX_WRITE_BYTES,
  READ_IN,
  STATFS_OUT,
  WRITE_IN,
  WRITE_KILL_SUIDGID,
  WRITE_OUT,
} from "./protocol.ts";
import type { Reply } from "./reply.ts";
import type { Request } from "./request.ts";

const NAME_MAX = 255;
const CALL = "copy a range of a file";
/** The count is a number of 32 bits; Linux asks for no more. */
const COPY_BYTES_MAX = 0x7ffff000;

/** READ. */
export function read(context: Context, request: Request, reply: Reply): void {
  const size = Math.min(request.u32(READ_IN.SIZE), MAX_WRITE_BYTES);
  const at = request.u64(READ_IN.OFFSET);
  if (!Number.isSafeInteger(at)) return;
  reply.end(context.volume.read(request.nodeId, reply.body(size), at));
}

/** WRITE. */
export function write(context: Context, request: Request, reply: Reply): void {
  const at = request.u64(WRITE_IN.OFFSET);
  requirePosition(at, "write");
  const data = request.data(WRITE_IN.DATA, request.u32(WRITE_IN.SIZE));
  const count = context.volume.write(request.nodeId, data, at);
  context.isDirty = true;
  const isUnprivileged = context.saysWhoIsPrivileged
    ? (request.u32(WRITE_IN.WRITE_FLAGS) & WRITE_KILL_SUIDGID) !== 0
    : request.uid !== 0;
  if (isUnprivileged) dropPrivileges(context, request.nodeId);
  reply.u32(WRITE_OUT.SIZE, count);
  reply.u32(WRITE_OUT.SIZE + 4, 0);
  reply.end(WRITE_OUT.BYTES);
}

/** FALLOCATE. Of this call the kernel does not say who is privileged. */
export function fallocate(context: Context, request: Request): void {
  const at = request.u64(FALLOCATE_IN.OFFSET);
  const length = request.u64(FALLOCATE_IN.LENGTH);
  requirePosition(at + length, "allocate");
  context.volume.allocate(request.nodeId, request.u32(FALLOCATE_IN.MODE), at, length);
  context.isDirty = true;
  if (request.uid !== 0) dropPrivileges(context, request.nodeId);
}

/** COPY_FILE_RANGE: the bytes stay in the volume. Of this call too it is not said who is privileged. */
export function copyFileRange(context: Context, request: Request, reply: Reply): void {
  const target = request.u64(COPY_FILE_RANGE_IN.NODE_OUT);
  const at = request.u64(COPY_FILE_RANGE_IN.OFFSET_IN);
  const to = request.u64(COPY_FILE_RANGE_IN.OFFSET_OUT);
  const length = Math.min(request.u64(COPY_FILE_RANGE_IN.LENGTH), COPY_BYTES_MAX);
  requirePosition(at + length, CALL);
  requirePosition(to + length, CALL);
  if (request.u64(COPY_FILE_RANGE_IN.FLAGS) !== 0) throw new ErrnoError("EINVAL", CALL);
  const count = context.volume.copyRange(request.nodeId, at, target, to, length);
  context.isDirty = true;
  if (count > 0 && request.uid !== 0) dropPrivileges(context, target);
  reply.u32(WRITE_OUT.SIZE, count);
  reply.u32(WRITE_OUT.SIZE + 4, 0);
  reply.end(WRITE_OUT.BYTES);
}

/**
 * LSEEK, which the kernel asks for SEEK_DATA and SEEK_HOLE alone. It does not hand over first what
 * programs have in shared maps, so a hole may still be about to be filled.
 */
export function lseek({ volume }: Context, request: Request, reply: Reply): void {
  const whence = request.u32(LSEEK_IN.WHENCE);
  reply.u64(LSEEK_OUT.OFFSET, volume.seek(request.nodeId, request.u64(LSEEK_IN.OFFSET), whence));
  reply.end(LSEEK_OUT.BYTES);
}

/** FSYNC, FSYNCDIR. */
export function fsync({ volume }: Context, request: Request): void {
  volume.fsync(request.nodeId);
}

/** SYNCFS, DESTROY. */
export function sync(context: Context): void {
  context.volume.sync();
  context.isDirty = false;
}

/** STATFS: the volume's own numbers. */
export function statfs(context: Context, _request: Request, reply: Reply): void {
  const { blockSize, blocks, freeBlocks, inodes, freeInodes } = context.volume.statfs();
  reply.clear(0, STATFS_OUT.BYTES);
  reply.u64(STATFS_OUT.BLOCKS, blocks);
  reply.u64(STATFS_OUT.FREE_BLOCKS, freeBlocks);
  reply.u64(STATFS_OUT.AVAILABLE_BLOCKS, freeBlocks);
  reply.u64(STATFS_OUT.FILES, inodes);
  reply.u64(STATFS_OUT.FREE_FILES, freeInodes);
  reply.u32(STATFS_OUT.BLOCK_SIZE, blockSize);
  reply.u32(STATFS_OUT.NAME_MAX, NAME_MAX);
  reply.u32(STATFS_OUT.FRAGMENT_SIZE, blockSize);
  reply.end(STATFS_OUT.BYTES);
}
