/**
 * The descriptor table: numbers to streams, the lowest free one first.
 *
 * Layer: fs. Use: `const fd = table.add(stream)`, `table.get(fd)`, `table.remove(fd)`. The table does
 * not open or close anything; `opening.ts` and `stream_calls.ts` do.
 *
 * @module
 */
import { ErrnoError } from "../abi/errno.ts";
import { O_PATH } from "../abi/flags.ts";
import { FSStream } from "../abi/node.ts";
import { refuse } from "./arguments.ts";
import type { State } from "./state.ts";

/** Descriptors that an instance may have open by default. */
export const MAX_OPEN_FDS = 4096;

/** Streams by descriptor. */
export class StreamTable {
  /** The streams; null or absent is free. Emscripten's `FS.streams`. */
  readonly list: (FSStream | null)[] = [];
  /** How many there may be. */
  readonly limit: number;
  /** No free descriptor is below this one. */
  #lowest = 0;

  /** A table for `limit` descriptors. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** The lowest free descriptor. EMFILE. */
  nextFree(from = 0): number {
    let fd = Math.max(from, this.#lowest);
    while (fd < this.limit && this.list[fd]) fd++;
    if (from <= this.#lowest) this.#lowest = fd;
    if (fd >= this.limit) throw new ErrnoError("EMFILE", "open one more file");
    return fd;
  }

  /** Gives the stream the lowest free descriptor from `from` on, and returns it. EMFILE. */
  add(stream: FSStream, from = 0): number {
    return this.put(stream, this.nextFree(from));
  }

  /** Gives the stream this descriptor, whatever was there. */
  put(stream: FSStream, fd: number): number {
    while (this.list.length < fd) this.list.push(null);
    this.list[fd] = stream;
    stream.fd = fd;
    return fd;
  }

  /** The stream, or null. */
  get(fd: unknown): FSStream | null {
    return typeof fd === "number" ? this.list[fd] ?? null : null;
  }

  /** Frees the descriptor. */
  remove(fd: number): void {
    this.list[fd] = null;
    if (fd < this.#lowest) this.#lowest = fd;
  }

  /** The open streams, lowest descriptor first. */
  *open(): Generator<FSStream, void, void> {
    for (const stream of this.list) if (stream) yield stream;
  }
}

/** The stream if it is an open one of this instance. EBADF. */
export function openStream(state: State, stream: unknown, call: string): FSStream {
  if (!(stream instanceof FSStream) || stream.fd === null) refuse("EBADF", call);
  if (state.descriptors.list[stream.fd] !== stream) refuse("EBADF", call, stream.fd);
  return stream;
}

/** The stream, or that of a descriptor. EBADF. */
export function streamAt(state: State, stream: FSStream | number, call: string): FSStream {
  if (typeof stream !== "number") return openStream(state, stream, call);
  return state.descriptors.get(stream) ?? refuse("EBADF", call, stream);
}

/** The same, but none that was opened with O_PATH. EBADF. */
export function usableStream(state: State, stream: FSStream | number, call: string): FSStream {
  const open = streamAt(state, stream, call);
  return open.flags & O_PATH ? refuse("EBADF", call, open.path) : open;
}
