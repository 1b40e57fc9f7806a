/**
 * The rarer calls on descriptors: locks, fcntl, poll, ioctl, pipes, space, entries, maps.
 *
 * Layer: fs; seventh link of the chain. One instance is one process: fcntl's locks belong to it,
 * flock's and OFD's to an open file description. No other code runs while a call waits, so a lock that
 * would have to be waited for is EDEADLK. A backend whose files others use too keeps the locks itself.
 *
 * @module
 */
import {
  F_DUPFD,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  F_GETLK,
  F_OFD_GETLK,
  F_OFD_SETLKW,
  F_RDLCK,
  F_SETFD,
  F_SETFL,
  F_UNLCK,
  F_WRLCK,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
  MAP_PRIVATE,
  MAP_SHARED,
  O_ACCMODE,
  O_CLOEXEC,
  O_NONBLOCK,
  O_PATH,
  O_RDWR,
  O_WRONLY,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  PROT_WRITE,
  SEEK_CUR,
  SEEK_END,
  SEEK_SET,
} from "../abi/flags.ts";
import type { DirEntry } from "../abi/attr.ts";
import type { RangeLock } from "../abi/locks.ts";
import { isDir, isFIFO, isFile } from "../abi/mode.ts";
import { type FSNode, FSStream } from "../abi/node.ts";
import { byteCount, bytesOf, integer, refuse } from "./arguments.ts";
import { dropPrivileges } from "./attributes.ts";
import { copyFileRange } from "./copy_range.ts";
import { type FileMap, PAGE_SIZE, writeDifference } from "./mmap.ts";
import { parentInode } from "./node_calls.ts";
import { openStream } from "./stream_calls.ts";
import { WholeFile } from "./whole_file.ts";

const FD_CLOEXEC = 1;
/** The only process there is. */
const OWN_PID = 42;
const OFD_PID = -1;
/** An owner in another thread or process, of whom nothing is known. */
const FOREIGN_PID = 0;

/** C's struct flock. */
export interface Flock {
  /** F_RDLCK, F_WRLCK, F_UNLCK. */
  type: number;
  /** SEEK_SET, SEEK_CUR, SEEK_END. Default SEEK_SET. */
  whence?: number;
  /** Where the range starts. */
  start: number;
  /** How long it is; 0 to the end of all ends, negative before `start`. */
  len: number;
  /** Whose lock is in the way; -1 for an open file description's, 0 for another thread's. */
  pid?: number;
}

/** One question of poll and its answer. */
export interface PollEntry {
  /** The descriptor; a negative one is passed over. */
  fd: number;
  /** What is asked for: POLLIN, POLLOUT. */
  events: number;
  /** What is so. */
  revents: number;
}

/** Rarer calls on descriptors. */
export class DescriptorCalls extends WholeFile {
  /** Locks a whole file for its open file description: LOCK_SH, LOCK_EX, LOCK_UN, with LOCK_NB. */
  flock(stream: FSStream | number, operation: number): void {
    const open = this.#open(stream, "flock");
    const kind = integer(operation, "flock") & ~LOCK_NB;
    const type = kind === LOCK_SH ? F_RDLCK : kind === LOCK_EX ? F_WRLCK : F_UNLCK;
    if (type === F_UNLCK && kind !== LOCK_UN) refuse("EINVAL", "flock", operation);
    const file = fileOf(open.node);
    const wanted = { owner: open.shared, type, start: 0, end: Infinity };
    const { lock } = open.stream_ops;
    const wait = (operation & LOCK_NB) === 0;
    if (lock !== undefined) return lock(open, open.shared, { ...wanted, isWhole: true, wait });
    if (this.fileLocks.set(file, wanted) === null) return;
    refuse(operation & LOCK_NB ? "EAGAIN" : "EDEADLK", "flock", open.path);
  }

  /** fcntl: F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, and the locks with a {@link Flock}. */
  fcntl(stream: FSStream | number, command: number, argument: number | Flock = 0): number {
    const open = this.#any(stream, "fcntl");
    switch (command) {
      case F_DUPFD:
      case F_DUPFD_CLOEXEC: {
        const copy = this.dup(open, argument as number);
        if (command === F_DUPFD_CLOEXEC) this.closeOnExec.add(copy);
        return copy.fd as number;
      }
      case F_GETFD:
        return this.closeOnExec.has(open) ? FD_CLOEXEC : 0;
      case F_SETFD:
        if (integer(argument, "fcntl") & FD_CLOEXEC) this.closeOnExec.add(open);
        else this.closeOnExec.delete(open);
        return 0;
      case F_GETFL:
        return open.flags;
      case F_SETFL:
        this.setFlags(open, argument as number);
        return 0;
      default:
        return this.#lock(open, command, argument);
    }
  }

  #lock(open: FSStream, command: number, argument: unknown): number {
    integer(command, "fcntl");
    const isOfd = command >= F_OFD_GETLK && command <= F_OFD_SETLKW;
    const action = isOfd ? command - F_OFD_GETLK : command - F_GETLK;
    if (![0, 1, 2].includes(action)) refuse("EINVAL", "fcntl", command);
    if (open.flags & O_PATH) refuse("EBADF", "fcntl", open.path);
    if (typeof argument !== "object" || argument === null) refuse("EINVAL", "lock", argument);
    const flock = argument as Flock;
    const wanted = { owner: isOfd ? open.shared : this, ...this.#range(open, flock) };
    const file = fileOf(open.node);
    const { lock, testLock } = open.stream_ops;
    const far = { ...wanted, isWhole: false, wait: action === 2 };
    if (action === 0) {
      if (wanted.type === F_UNLCK) refuse("EINVAL", "lock", open.path);
      return tell(
        flock,
        testLock === undefined ? this.locks.test(file, wanted) : testLock(open, wanted.owner, far),
      );
    }
    checkLockMode(open, wanted.type);
    if (lock !== undefined) {
      lock(open, wanted.owner, far);
      return 0;
    }
    if (this.locks.set(file, wanted) === null) return 0;
    refuse(action === 1 ? "EAGAIN" : "EDEADLK", "lock", open.path);
  }

  #range(open: FSStream, flock: Flock): Pick<RangeLock, "type" | "start" | "end"> {
    const call = "lock";
    const { type, whence = SEEK_SET } = flock;
    if (![F_RDLCK, F_WRLCK, F_UNLCK].includes(type)) refuse("EINVAL", call, type);
    if (![SEEK_SET, SEEK_CUR, SEEK_END].includes(whence)) refuse("EINVAL", call, whence);
    const base = whence === SEEK_SET ? 0 : whence === SEEK_CUR ? open.position : sizeOf(open);
    const length = integer(flock.len, call);
    const first = base + integer(flock.start, call);
    const start = length < 0 ? first + length : first;
    if (start < 0) refuse("EINVAL", call, start);
    return { type, start, end: length === 0 ? Infinity : length < 0 ? first : first + length };
  }

  /** Closes, and lets go of the locks that go with a descriptor. */
  override close(stream: FSStream): void {
    const { locks, fileLocks } = this;
    const open = openStream(this, stream, "close");
    const { unlock } = open.stream_ops;
    if (unlock !== undefined) {
      unlock(open, this);
      if (open.shared.descriptors === 1) unlock(open, open.shared);
    }
    if (locks.size + fileLocks.size > 0) {
      const file = fileOf(open.node);
      locks.release(file, this);
      if (open.shared.descriptors === 1) {
        locks.release(file, open.shared);
        fileLocks.release(file, open.shared);
      }
    }
    super.close(open);
  }

  /** Fills in `revents` of each entry, and returns how many have any. It does not wait. */
  poll(entries: PollEntry[]): number {
    if (!Array.isArray(entries)) refuse("EINVAL", "poll");
    let ready = 0;
    for (const entry of entries) {
      if (typeof entry !== "object" || entry === null) refuse("EINVAL", "poll", entry);
      entry.revents = entry.fd < 0 ? 0 : this.#pollOne(entry.fd, integer(entry.events, "poll"));
      if (entry.revents !== 0) ready++;
    }
    return ready;
  }

  #pollOne(fd: number, events: number): number {
    const stream = this.descriptors.get(fd);
    if (stream === null || stream.flags & O_PATH) return POLLNVAL;
    const state = stream.stream_ops.poll?.(stream) ?? POLLIN | POLLOUT;
    return state & (events | POLLERR | POLLHUP);
  }

  /** A device's own calls. ENOTTY where there are none. */
  ioctl(stream: FSStream, request: number, argument?: number): number {
    const open = this.#open(stream, "ioctl");
    const call = open.stream_ops.ioctl ?? refuse("ENOTTY", "ioctl", open.path);
    return call(open, request, argument ?? 0);
  }

  /** A pipe without a name: what is written to the second comes out of the first. */
  pipe(flags = 0): [readable: FSStream, writable: FSStream] {
    if (integer(flags, "pipe") & ~(O_NONBLOCK | O_CLOEXEC)) refuse("EINVAL", "pipe", flags);
    const { uid, gid } = this.credentials;
    const made = { uid, gid, now: this.clock() };
    const node = this.pipes.node(() => this.nextMountDevice++, made);
    const ops = this.pipes.opsFor(node, O_RDWR);
    const readable = this.#openPipe(node, flags, ops);
    try {
      return [readable, this.#openPipe(node, flags | O_WRONLY, ops)];
    } catch (error) {
      this.close(readable);
      throw error;
    }
  }

  #openPipe(node: FSNode, flags: number, ops: FSStream["stream_ops"]): FSStream {
    const shared = { flags: flags & ~O_CLOEXEC, position: 0, descriptors: 1 };
    const stream = new FSStream(node, shared, node.name);
    if (flags & O_CLOEXEC) this.closeOnExec.add(stream);
    stream.stream_ops = ops;
    stream.seekable = false;
    this.descriptors.add(stream);
    node.pins++;
    ops.open?.(stream);
    return stream;
  }

  /** Makes the range owned, and the file at least that long: posix_fallocate. */
  allocate(stream: FSStream, offset: number, length: number): void {
    this.#allocate(this.#open(stream, "allocate"), 0, offset, length);
  }

  /**
   * Linux's fallocate: `mode` is 0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE (with or without it),
   * or FALLOC_FL_PUNCH_HOLE with it.
   *
   * @throws {ErrnoError} EINVAL, EBADF, EFBIG, ENODEV, ENOSPC, ENOTSUP
   */
  fallocate(fd: number | FSStream, mode: number, offset: number, length: number): void {
    this.#allocate(this.#open(fd, "fallocate"), integer(mode, "fallocate"), offset, length);
  }

  #allocate(open: FSStream, mode: number, offset: number, length: number): void {
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
    this.maps.publish(open.node);
    work(open, mode, offset, length);
    if (mode !== 0 && mode !== FALLOC_FL_KEEP_SIZE) {
      this.maps.zeroed(open.node, offset, length);
    }
    dropPrivileges(this, open.node);
    this.watchers.tell("modify", open.node);
  }

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
    flags: number = 0,
  ): number {
    const call = "copy_file_range";
    const from = { stream: this.#open(fdIn, call), offset: offsetIn };
    const to = { stream: this.#open(fdOut, call), offset: offsetOut };
    if (integer(flags, call) !== 0) refuse("EINVAL", call, flags);
    return copyFileRange(this, { from, to, length });
  }

  /**
   * Entries of an open directory from where it stands, at most `count`; none at the end. Each has the
   * cursor that `llseek` takes to go on behind it; it stays valid while the directory changes.
   */
  getdents(stream: FSStream | number, count: number = Infinity): DirEntry[] {
    const open = this.#open(stream, "getdents");
    const { node } = open;
    if (!isDir(node.data.mode)) refuse("ENOTDIR", "getdents", open.path);
    if (!(count >= 1)) refuse("EINVAL", "getdents", count);
    if (node.removed) refuse("ENOENT", "getdents", open.path);
    const entries: DirEntry[] = [];
    for (const entry of this.#entriesFrom(node, open.position, count)) {
      if (entries.length >= count) break;
      entries.push(entry);
      open.position = entry.cursor;
    }
    return entries;
  }

  /** "." is cursor 1, ".." is cursor 2, and the backend's own follow. */
  *#entriesFrom(node: FSNode, position: number, most: number): Generator<DirEntry, void, void> {
    const { mode, ino } = node.data;
    if (position < 1) yield { ino, mode, name: ".", cursor: 1 };
    if (position < 2) yield { ino: parentInode(node), mode, name: "..", cursor: 2 };
    let after = Math.max(0, position - 2);
    const list = node.node_ops.readdir ?? refuse("ENOTDIR", "getdents", node.name);
    for (
      let found = list(node, after, most);
      found.length > 0;
      found = list(node, after, most)
    ) {
      for (const { ino, mode, name, cursor } of found) {
        yield { ino, mode, name, cursor: cursor + 2 };
      }
      after = (found.at(-1) as DirEntry).cursor;
    }
  }

  /**
   * Maps a part of a file. Without an allocator `bytes` of the answer is the map, and all shared maps
   * of a file are one memory; with one, `ptr` is a copy in the program's heap.
   *
   * @param position where in the file, a multiple of 4,096
   * @throws {ErrnoError} EBADF, EACCES, EINVAL, ENODEV, ENOMEM
   */
  mmap(stream: FSStream, length: number, position: number, prot: number, flags: number): FileMap {
    const open = this.#open(stream, "mmap");
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
  }

  /**
   * Writes mapped bytes back: `length` of `buffer`, to `offset` in the file. A private map is never
   * written. The stream may have been closed; nothing is written behind the end of the file.
   */
  msync(
    stream: FSStream,
    buffer: ArrayBufferView,
    offset: number,
    length: number,
    mmapFlags: number,
  ): number {
    if (!(stream instanceof FSStream)) refuse("EBADF", "msync");
    const bytes = bytesOf(buffer, "msync");
    byteCount(offset, "msync");
    if (byteCount(length, "msync") > bytes.byteLength) refuse("EINVAL", "msync", length);
    if (integer(mmapFlags, "msync") & MAP_PRIVATE || stream.node.mount.readOnly) return 0;
    writeDifference(stream, bytes.subarray(0, length), offset);
    return 0;
  }

  /** Ends a map, by what mmap gave or its `ptr`; shared bytes go to the file. EINVAL. */
  munmap(map: FileMap | number): void {
    if (!this.maps.unmap(map)) refuse("EINVAL", "munmap");
  }

  #any(stream: FSStream | number, call: string): FSStream {
    if (typeof stream !== "number") return openStream(this, stream, call);
    return this.descriptors.get(stream) ?? refuse("EBADF", call, stream);
  }

  #open(stream: FSStream | number, call: string): FSStream {
    const open = this.#any(stream, call);
    return open.flags & O_PATH ? refuse("EBADF", call, open.path) : open;
  }
}

function fileOf(node: FSNode): string {
  return `${node.mount.dev}:${node.data.ino}`;
}

function sizeOf(open: FSStream): number {
  return open.node.node_ops.getattr(open.node).size;
}

/** A shared lock needs a file that may be read, an exclusive one a file that may be written. */
function checkLockMode(open: FSStream, type: number): void {
  const may = type === F_RDLCK ? open.isRead : type === F_WRLCK ? open.isWrite : true;
  if (!may) refuse("EBADF", "lock", open.path);
}

/** Writes into a struct flock what is in the way, or that nothing is. */
function tell(
  flock: Flock,
  blocker: Pick<RangeLock, "type" | "start" | "end" | "owner"> | null,
): number {
  if (blocker === null) {
    flock.type = F_UNLCK;
    return 0;
  }
  flock.type = blocker.type;
  flock.whence = SEEK_SET;
  flock.start = blocker.start;
  flock.len = blocker.end === Infinity ? 0 : blocker.end - blocker.start;
  const { owner } = blocker;
  flock.pid = owner === null ? FOREIGN_PID : owner instanceof DescriptorCalls ? OWN_PID : OFD_PID;
  return 0;
}
