/**
 * Calls on ranges of an open file: its space, copies between files, maps.
 *
 * Layer: fs, a group of calls. Copies are made in `copy_range.ts`, maps are kept in `mmap.ts`.
 *
 * @module
 */
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  MAP_PRIVATE,
  MAP_SHARED,
  O_ACCMODE,
  O_RDWR,
  O_WRONLY,
  PROT_WRITE,
} from "../abi/flags.ts";
import { isFIFO, isFile } from "../abi/mode.ts";
import { FSStream } from "../abi/node.ts";
import { byteCount, bytesOf, integer, refuse } from "./arguments.ts";
import { dropPrivileges } from "./attributes.ts";
import { copyFileRange } from "./copy_range.ts";
import { type FileMap, PAGE_SIZE, writeDifference } from "./mmap.ts";
import type { State } from "./state.ts";
import { usableStream } from "./streams.ts";

/** Calls on ranges of bytes. */
export interface RangeCalls {
  /** Makes the range owned, and the file at least that long: posix_fallocate. */
  allocate(stream: FSStream, offset: number, length: number): void;

  /**
   * Linux's fallocate: `mode` is 0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE (with or without it),
   * or FALLOC_FL_PUNCH_HOLE with it.
   *
   * @throws {ErrnoError} EINVAL, EBADF, EFBIG, ENODEV, ENOSPC, ENOTSUP
   */
  fallocate(fd: number | FSStream, mode: number, offset: number, length: number): void;

  /**
   * Linux's copy_file_range: copies up to `length` bytes between two open files and returns how many, 0
   * at the source's end. Within one volume the volume copies: no byte comes to the caller, and holes stay
   * holes. It may copy fewer than asked, so call it until nothing comes.
   *
   * @param offsetIn where in the source; absent or null: its own position, which moves
   * @param offsetOut where in the target, likewise
   * @param flags 0
   * @throws {ErrnoError} EBADF, also for O_APPEND; EINVAL where two ranges of one file overlap, EISDIR,
   * EFBIG, ENOSPC, EOVERFLOW
   */
  copy_file_range(
    fdIn: number | FSStream,
    offsetIn: number | null | undefined,
    fdOut: number | FSStream,
    offsetOut: number | null | undefined,
    length: number,
    flags?: number,
  ): number;

  /**
   * Maps a part of a file. Without an allocator `bytes` of the answer is the map, and all shared maps
   * of a file are one memory; with one, `ptr` is a copy in the program's heap.
   *
   * @param position where in the file, a multiple of 4,096
   * @throws {ErrnoError} EBADF, EACCES, EINVAL, ENODEV, ENOMEM
   */
  mmap(stream: FSStream, length: number, position: number, prot: number, flags: number): FileMap;

  /**
   * Writes mapped bytes back: `length` of `buffer`, to `offset` in the file. A private map is never
   * written. The stream may have been closed; nothing is written past the end of the file.
   */
  msync(
    stream: FSStream,
    buffer: ArrayBufferView,
    offset: number,
    length: number,
    mmapFlags: number,
  ): number;

  /** Ends a map, by what mmap gave or its `ptr`; shared bytes go to the file. EINVAL. */
  munmap(map: FileMap | number): void;
}

/** The calls; `this` is the instance. */
export const RANGE_CALLS: RangeCalls & ThisType<State> = {
  allocate(stream, offset, length) {
    allocateIn(this, usableStream(this, stream, "allocate"), 0, offset, length);
  },

  fallocate(fd, mode, offset, length) {
    allocateIn(
      this,
      usableStream(this, fd, "fallocate"),
      integer(mode, "fallocate"),
      offset,
      length,
    );
  },

  copy_file_range(fdIn, offsetIn, fdOut, offsetOut, length, flags = 0) {
    const call = "copy_file_range";
    const from = { stream: usableStream(this, fdIn, call), offset: offsetIn };
    const to = { stream: usableStream(this, fdOut, call), offset: offsetOut };
    if (integer(flags, call) !== 0) refuse("EINVAL", call, flags);
    return copyFileRange(this, { from, to, length });
  },

  mmap(stream, length, position, prot, flags) {
    const open = usableStream(this, stream, "mmap");
    if (byteCount(length, "mmap") === 0) refuse("EINVAL", "mmap", length);
    if (byteCount(position, "mmap") % PAGE_SIZE !== 0) refuse("EINVAL", "mmap", position);
    integer(prot, "mmap");
    const kind = integer(flags, "mmap") & (MAP_SHARED | MAP_PRIVATE);
    if (kind === 0) refuse("EINVAL", "mmap", flags);
    const stores = (prot & PROT_WRITE) !== 0 && (kind & MAP_PRIVATE) === 0;
    const access = open.flags & O_ACCMODE;
    if (access === O_WRONLY || (stores && access !== O_RDWR)) refuse("EACCES", "mmap", open.path);
    if (!isFile(open.node.data.mode)) refuse("ENODEV", "mmap", open.path);
    const request = { length, position, prot, flags: kind & MAP_PRIVATE ? MAP_PRIVATE : kind };
    return this.maps.map(open, request);
  },

  msync(stream, buffer, offset, length, mmapFlags) {
    if (!(stream instanceof FSStream)) refuse("EBADF", "msync");
    const bytes = bytesOf(buffer, "msync");
    byteCount(offset, "msync");
    if (byteCount(length, "msync") > bytes.byteLength) refuse("EINVAL", "msync", length);
    if (integer(mmapFlags, "msync") & MAP_PRIVATE || stream.node.mount.readOnly) return 0;
    writeDifference(stream, bytes.subarray(0, length), offset);
    return 0;
  },

  munmap(map) {
    if (!this.maps.unmap(map)) refuse("EINVAL", "munmap");
  },
};

function allocateIn(
  state: State,
  open: FSStream,
  mode: number,
  offset: number,
  length: number,
): void {
  const call = "allocate";
  byteCount(offset, call);
  if (byteCount(length, call) === 0) refuse("EINVAL", call, length);
  if (!open.isWrite) refuse("EBADF", call, open.path);
  if (isFIFO(open.node.data.mode)) refuse("ESPIPE", call, open.path);
  if (!isFile(open.node.data.mode)) refuse("ENODEV", call, open.path);
  if (offset > Number.MAX_SAFE_INTEGER - length) refuse("EFBIG", call, offset);
  const known = [0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE].includes(mode) ||
    mode === (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE) ||
    mode === (FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE);
  const work = open.stream_ops.allocate;
  if (!known || work === undefined) refuse("ENOTSUP", call, open.path);
  state.maps.publish(open.node);
  work(open, mode, offset, length);
  if (mode !== 0 && mode !== FALLOC_FL_KEEP_SIZE) {
    state.maps.zeroed(open.node, offset, length);
  }
  dropPrivileges(state, open.node);
  state.watchers.notify("modify", open.node);
}
