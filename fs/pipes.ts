/**
 * Pipes: FIFOs of any backend inside one instance, and pipes without a name.
 *
 * Layer: fs. The inode is the backend's; the bytes are here, in a ring of 64 KiB, while a process has
 * it open. No other code runs while a call waits, so a call that a kernel would let wait answers
 * EAGAIN: reading an empty pipe that has a writer, writing a full one.
 *
 * @module
 */
import type { Attr } from "../abi/attr.ts";
import {
  O_ACCMODE,
  O_NONBLOCK,
  O_WRONLY,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
} from "../abi/flags.ts";
import { ErrnoError } from "../abi/errno.ts";
import { S_IFIFO } from "../abi/mode.ts";
import { FSNode, type FSStream, type Mount, type NodeOps, type StreamOps } from "../abi/node.ts";
import { refuse } from "./arguments.ts";
import { inodeKey } from "./name_table.ts";

/** Bytes that a pipe holds. */
export const PIPE_SIZE = 65536;
/** Writes up to this size go in whole or not at all. */
export const PIPE_BUF = 4096;

/** The bytes between readers and writers. */
class Pipe {
  readonly ops: StreamOps;
  readers = 0;
  writers = 0;
  #ring = new Uint8Array(0);
  #start = 0;
  #size = 0;

  constructor(onIdle: () => void) {
    this.ops = {
      open: (stream) => this.#count(stream, 1),
      close: (stream) => {
        this.#count(stream, -1);
        if (this.readers + this.writers === 0) onIdle();
      },
      read: (_stream, buffer, offset, length) => this.#read(buffer, offset, length),
      write: (_stream, buffer, offset, length) => this.#write(buffer, offset, length),
      poll: (stream) => this.#poll(stream),
    };
  }

  #count(stream: FSStream, by: number): void {
    if (stream.isRead) this.readers += by;
    if (stream.isWrite) this.writers += by;
  }

  #read(buffer: Uint8Array, offset: number, length: number): number {
    if (this.#size === 0 && this.writers > 0) throw new ErrnoError("EAGAIN", "read an empty pipe");
    const count = Math.min(length, this.#size);
    for (let done = 0; done < count;) {
      const run = Math.min(count - done, PIPE_SIZE - this.#start);
      buffer.set(this.#ring.subarray(this.#start, this.#start + run), offset + done);
      this.#start = (this.#start + run) % PIPE_SIZE;
      done += run;
    }
    this.#size -= count;
    return count;
  }

  #write(buffer: Uint8Array, offset: number, length: number): number {
    if (this.readers === 0) throw new ErrnoError("EPIPE", "write a pipe without a reader");
    const room = PIPE_SIZE - this.#size;
    if (room === 0 || (length <= PIPE_BUF && room < length)) {
      throw new ErrnoError("EAGAIN", "write a full pipe");
    }
    if (this.#ring.length === 0) this.#ring = new Uint8Array(PIPE_SIZE);
    const count = Math.min(length, room);
    for (let done = 0; done < count;) {
      const at = (this.#start + this.#size + done) % PIPE_SIZE;
      const run = Math.min(count - done, PIPE_SIZE - at);
      this.#ring.set(buffer.subarray(offset + done, offset + done + run), at);
      done += run;
    }
    this.#size += count;
    return count;
  }

  #poll(stream: FSStream): number {
    let ready = 0;
    if (stream.isRead) {
      if (this.#size > 0) ready |= POLLIN;
      if (this.writers === 0) ready |= POLLHUP;
    }
    if (stream.isWrite) {
      if (this.readers === 0) ready |= POLLERR;
      else if (PIPE_SIZE - this.#size >= PIPE_BUF) ready |= POLLOUT;
    }
    return ready;
  }
}

/** The pipes of one instance that are open. */
export class Pipes {
  readonly #byInode = new Map<string, Pipe>();
  #mount: Mount | null = null;
  #nextInode = 1;

  /** Ops for one more opening of a FIFO. ENXIO: to write, without waiting, and without a reader. */
  opsFor(node: FSNode, flags: number): StreamOps {
    const key = inodeKey(node);
    let pipe = this.#byInode.get(key);
    const wantsReader = (flags & O_ACCMODE) === O_WRONLY && (flags & O_NONBLOCK) !== 0;
    if (wantsReader && !pipe?.readers) refuse("ENXIO", "open", node.name);
    if (pipe === undefined) {
      pipe = new Pipe(() => this.#byInode.delete(key));
      this.#byInode.set(key, pipe);
    }
    return pipe.ops;
  }

  /** The node of a pipe without a name. */
  node(dev: () => number, made: { uid: number; gid: number; now: number }): FSNode {
    this.#mount ??= pipeMount(dev());
    const attr: Attr = {
      ino: this.#nextInode++,
      mode: S_IFIFO | 0o600,
      nlink: 1,
      uid: made.uid,
      gid: made.gid,
      rdev: 0,
      size: 0,
      blocks: 0,
      atime: made.now,
      mtime: made.now,
      ctime: made.now,
    };
    const node = new FSNode(attr, PIPE_NODE_OPS, {});
    node.mount = this.#mount;
    node.name = `pipe:[${attr.ino}]`;
    node.removed = true;
    return node;
  }
}

const PIPE_NODE_OPS: NodeOps<Attr> = {
  getattr: (node) => ({ ...node.data }),
  setattr: (node, change) => {
    Object.assign(node.data, change);
  },
};

/** The mount of pipes without a name: a device number and nothing else. */
function pipeMount(dev: number): Mount {
  const type = {
    name: "PIPEFS",
    mount: (): FSNode => refuse("EPERM", "mount PIPEFS"),
  };
  const root = new FSNode({ ino: 0, mode: 0, uid: 0, gid: 0, rdev: 0 }, NO_ROOT_OPS, {});
  const mount: Mount = { dev, root, mountpoint: null, readOnly: false, type, opts: undefined };
  root.mount = mount;
  return mount;
}

const NO_ROOT_OPS: NodeOps = { getattr: () => refuse("EPERM", "stat the root of PIPEFS") };
