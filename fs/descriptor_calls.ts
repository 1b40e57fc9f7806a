/**
 * Calls by descriptor: attributes, dup, flags, poll, ioctl, pipes, entries of a directory.
 *
 * Layer: fs, a group of calls. Each takes a descriptor or its stream. What moves bytes is in
 * `stream_calls.ts`, locks are in `lock_calls.ts`.
 *
 * @module
 */
import type { DirEntry } from "../abi/attr.ts";
import {
  O_APPEND,
  O_CLOEXEC,
  O_DIRECT,
  O_NOATIME,
  O_NONBLOCK,
  O_PATH,
  O_RDWR,
  O_WRONLY,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
} from "../abi/flags.ts";
import { isDir } from "../abi/mode.ts";
import { type FSNode, FSStream } from "../abi/node.ts";
import { byteCount, integer, refuse } from "./arguments.ts";
import {
  changeMode,
  changeOwner,
  changeSize,
  changeTimes,
  type FSStat,
  statOf,
  timesOf,
  type TimeSpec,
} from "./attributes.ts";
import { refresh } from "./lookup.ts";
import { enterDirectory, parentInode } from "./node_calls.ts";
import type { State } from "./state.ts";
import type { StreamCalls } from "./stream_calls.ts";
import { streamAt, usableStream } from "./streams.ts";

/** One question of poll and its answer. */
export interface PollEntry {
  /** The descriptor; a negative one is passed over. */
  fd: number;
  /** What is asked for: POLLIN, POLLOUT. */
  events: number;
  /** What is so. */
  revents: number;
}

/** Calls by descriptor. */
export interface DescriptorCalls {
  /** The attributes of an open file. */
  fstat(fd: number | FSStream): FSStat;

  /** Changes permission bits of an open file. */
  fchmod(fd: number | FSStream, mode: number): void;

  /** Changes owner and group of an open file; -1 leaves one alone. */
  fchown(fd: number | FSStream, uid: number, gid: number): void;

  /** Cuts or extends an open file. EINVAL if it is not open for writing. */
  ftruncate(fd: number | FSStream, sizeBytes: number): void;

  /** Sets times of an open file as [s, ns]; absent is now. */
  futimens(fd: number | FSStream, atime?: TimeSpec, mtime?: TimeSpec): void;

  /** Changes the current directory to an open one. */
  fchdir(fd: number | FSStream): void;

  /** Another descriptor, the lowest free one from `from` on, with the same position and flags. */
  dup(fd: number | FSStream, from?: number): FSStream;

  /** Makes descriptor `to` mean what `fd` means, and closes what it meant before. */
  dup2(fd: number | FSStream, to: number): FSStream;

  /** The same, but EINVAL if both are one; `flags` is 0 or O_CLOEXEC. */
  dup3(fd: number | FSStream, to: number, flags?: number): FSStream;

  /** The flags of an open file. */
  getFlags(fd: number | FSStream): number;

  /** Changes O_APPEND, O_NONBLOCK, O_DIRECT and O_NOATIME of an open file; the rest stays. */
  setFlags(fd: number | FSStream, flags: number): void;

  /** The stream of a descriptor, or null. */
  getStream(fd: number): FSStream | null;

  /** The stream of a descriptor. EBADF. */
  getStreamChecked(fd: number): FSStream;

  /** The lowest free descriptor. EMFILE. */
  nextfd(): number;

  /** Fills in `revents` of each entry, and returns how many have any. It does not wait. */
  poll(entries: PollEntry[]): number;

  /** A device's own calls. ENOTTY where it has none. */
  ioctl(stream: FSStream, request: number, argument?: number): number;

  /** A pipe without a name: what is written to the second comes out of the first. */
  pipe(flags?: number): [readable: FSStream, writable: FSStream];

  /**
   * Entries of an open directory from where it stands, at most `count`; none at the end. Each has the
   * cursor that `llseek` takes to go on after it; it stays valid while the directory changes.
   */
  getdents(stream: FSStream | number, count?: number): DirEntry[];
}

/** The calls; `this` is the instance. */
export const DESCRIPTOR_CALLS: DescriptorCalls & ThisType<State & StreamCalls> = {
  fstat(fd) {
    return statOf(streamAt(this, fd, "fstat").node);
  },

  fchmod(fd, mode) {
    changeMode(this, "fchmod", changeableStream(this, fd, "fchmod").node, mode);
  },

  fchown(fd, uid, gid) {
    changeOwner(this, "fchown", changeableStream(this, fd, "fchown").node, uid, gid);
  },

  ftruncate(fd, sizeBytes) {
    const stream = changeableStream(this, fd, "ftruncate");
    byteCount(sizeBytes, "ftruncate");
    if (!stream.isWrite) refuse("EINVAL", "ftruncate", stream.path);
    changeSize(this, "ftruncate", stream.node, sizeBytes);
  },

  futimens(fd, atime, mtime) {
    const times = timesOf(atime, mtime, "futimens");
    changeTimes(this, "futimens", changeableStream(this, fd, "futimens").node, ...times);
  },

  fchdir(fd) {
    enterDirectory(this, streamAt(this, fd, "fchdir").node, "fchdir");
  },

  dup(fd, from = 0) {
    const original = streamAt(this, fd, "dup");
    if (integer(from, "dup") < 0 || from >= this.descriptors.limit) refuse("EINVAL", "dup", from);
    const copy = copyOf(original);
    this.descriptors.add(copy, from);
    return counted(copy);
  },

  dup2(fd, to) {
    const original = streamAt(this, fd, "dup2");
    if (original.fd === to) return original;
    return duplicateTo(this, original, to, "dup2");
  },

  dup3(fd, to, flags = 0) {
    const original = streamAt(this, fd, "dup3");
    if (original.fd === to || integer(flags, "dup3") & ~O_CLOEXEC) refuse("EINVAL", "dup3", to);
    const copy = duplicateTo(this, original, to, "dup3");
    if (flags & O_CLOEXEC) this.closeOnExec.add(copy);
    return copy;
  },

  getFlags(fd) {
    return streamAt(this, fd, "getFlags").flags;
  },

  setFlags(fd, flags) {
    const stream = streamAt(this, fd, "setFlags");
    const changeable = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME;
    const wanted = integer(flags, "setFlags") & changeable;
    stream.flags = stream.flags & ~changeable | wanted;
  },

  getStream(fd) {
    return this.descriptors.get(fd);
  },

  getStreamChecked(fd) {
    return this.descriptors.get(fd) ?? refuse("EBADF", "use the descriptor", fd);
  },

  nextfd() {
    return this.descriptors.nextFree();
  },

  poll(entries) {
    if (!Array.isArray(entries)) refuse("EINVAL", "poll");
    let ready = 0;
    for (const entry of entries) {
      if (typeof entry !== "object" || entry === null) refuse("EINVAL", "poll", entry);
      entry.revents = entry.fd < 0 ? 0 : pollOne(this, entry.fd, integer(entry.events, "poll"));
      if (entry.revents !== 0) ready++;
    }
    return ready;
  },

  ioctl(stream, request, argument) {
    const open = usableStream(this, stream, "ioctl");
    const call = open.stream_ops.ioctl ?? refuse("ENOTTY", "ioctl", open.path);
    return call(open, request, argument ?? 0);
  },

  pipe(flags = 0) {
    if (integer(flags, "pipe") & ~(O_NONBLOCK | O_CLOEXEC)) refuse("EINVAL", "pipe", flags);
    const { uid, gid } = this.credentials;
    const made = { uid, gid, now: this.clock() };
    const node = this.pipes.node(() => this.nextMountDevice++, made);
    const ops = this.pipes.opsFor(node, O_RDWR);
    const readable = openPipe(this, node, flags, ops);
    try {
      return [readable, openPipe(this, node, flags | O_WRONLY, ops)];
    } catch (error) {
      this.close(readable);
      throw error;
    }
  },

  getdents(stream, count = Infinity) {
    const open = usableStream(this, stream, "getdents");
    const { node } = open;
    if (!isDir(node.data.mode)) refuse("ENOTDIR", "getdents", open.path);
    if (!(count >= 1)) refuse("EINVAL", "getdents", count);
    if (node.removed) refuse("ENOENT", "getdents", open.path);
    const entries: DirEntry[] = [];
    for (const entry of entriesFrom(node, open.position, count)) {
      if (entries.length >= count) break;
      entries.push(entry);
      open.position = entry.cursor;
    }
    return entries;
  },
};

/** A stream that may be used, its owner and mode up to date. */
function changeableStream(state: State, fd: number | FSStream, call: string): FSStream {
  const open = usableStream(state, fd, call);
  refresh(open.node);
  return open;
}

function duplicateTo(
  state: State & StreamCalls,
  original: FSStream,
  to: number,
  call: string,
): FSStream {
  if (!Number.isInteger(to) || to < 0 || to >= state.descriptors.limit) refuse("EBADF", call, to);
  const before = state.descriptors.get(to);
  if (before !== null) state.close(before);
  const copy = copyOf(original);
  state.descriptors.put(copy, to);
  return counted(copy);
}

function copyOf(original: FSStream): FSStream {
  const copy = new FSStream(original.node, original.shared, original.path);
  copy.stream_ops = original.stream_ops;
  copy.seekable = original.seekable;
  return copy;
}

function counted(copy: FSStream): FSStream {
  copy.shared.descriptors++;
  copy.node.pins++;
  return copy;
}

function pollOne(state: State, fd: number, events: number): number {
  const stream = state.descriptors.get(fd);
  if (stream === null || stream.flags & O_PATH) return POLLNVAL;
  const ready = stream.stream_ops.poll?.(stream) ?? POLLIN | POLLOUT;
  return ready & (events | POLLERR | POLLHUP);
}

function openPipe(
  state: State,
  node: FSNode,
  flags: number,
  ops: FSStream["stream_ops"],
): FSStream {
  const shared = { flags: flags & ~O_CLOEXEC, position: 0, descriptors: 1 };
  const stream = new FSStream(node, shared, node.name);
  if (flags & O_CLOEXEC) state.closeOnExec.add(stream);
  stream.stream_ops = ops;
  stream.seekable = false;
  state.descriptors.add(stream);
  node.pins++;
  ops.open?.(stream);
  return stream;
}

/** "." is cursor 1, ".." is cursor 2, and the backend's own follow. */
function* entriesFrom(
  node: FSNode,
  position: number,
  most: number,
): Generator<DirEntry, void, void> {
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
