/**
 * PROCFS: /proc/self/fd, one link per open descriptor.
 *
 * Layer: node_ops. It holds nothing: it looks into the descriptor table that it is given. A link
 * leads to the open node itself by `follow`, so a file is reached although its name is gone; its text
 * is the path by which it was opened.
 *
 * Use: `FS.mount(PROCFS, { streams: FS.streams }, "/proc")`.
 *
 * @module
 */
import type { Attr, DirEntry } from "../abi/attr.ts";
import { ErrnoError } from "../abi/errno.ts";
import { S_IFDIR, S_IFLNK } from "../abi/mode.ts";
import {
  type Backend,
  FSNode,
  type FSStream,
  type NodeOps,
  type NodeRecord,
  type StreamOps,
} from "../abi/node.ts";
import { functionOption } from "../abi/options.ts";

/** What `FS.mount(PROCFS, options, path)` takes. */
export interface ProcfsOptions {
  /** The descriptor table; null or absent is a free descriptor. It is looked at, never copied. */
  streams: readonly (FSStream | null)[];
  /** Now, in ms since the epoch. Default: `Date.now`. */
  clock?: () => number;
}

/** A directory, or the link of one descriptor. */
export interface ProcfsRecord extends NodeRecord {
  /** The descriptor of a link; -1 for a directory. */
  readonly fd: number;
}

type Node = FSNode<ProcfsRecord>;

const ROOT_INO = 1;
const SELF_INO = 2;
const FD_INO = 3;
const FIRST_LINK_INO = 4;
/** What Linux shows of such a link. */
const LINK_BYTES = 64;
const NO_STREAM_OPS: StreamOps<ProcfsRecord> = { llseek: (_stream, offset) => offset };

function record(ino: number, mode: number, fd: number): ProcfsRecord {
  return { ino, mode, uid: 0, gid: 0, rdev: 0, fd };
}

/** The descriptor that a name stands for: digits without a leading zero, else -1. */
function descriptorOf(name: string): number {
  return /^(0|[1-9][0-9]{0,9})$/.test(name) ? Number(name) : -1;
}

/** One mount: op tables over one descriptor table. */
class ProcfsMount {
  readonly #streams: readonly (FSStream | null)[];
  readonly #clock: () => number;
  readonly #linkOps: NodeOps<ProcfsRecord>;

  constructor({ streams, clock }: ProcfsOptions) {
    this.#streams = streams;
    this.#clock = functionOption(clock, Date.now, "clock");
    this.#linkOps = {
      getattr: (node) => this.#getattr(node),
      revalidate: (node) => this.#streamOf(node.data.fd) !== null,
      readlink: (node) => this.#open(node).path,
      follow: (node) => this.#open(node).node,
    };
  }

  root(): Node {
    const fd = this.#directory(FD_INO, 2, {
      lookup: (_parent, name) => this.#link(descriptorOf(name)),
      readdir: (_node, after) => this.#list(after),
    });
    const self = this.#fixed(SELF_INO, "fd", fd);
    return this.#fixed(ROOT_INO, "self", self);
  }

  #streamOf(fd: number): FSStream | null {
    return this.#streams[fd] ?? null;
  }

  #open(node: Node): FSStream {
    const stream = this.#streamOf(node.data.fd);
    if (stream === null) throw new ErrnoError("ENOENT", `use descriptor ${node.data.fd}`);
    return stream;
  }

  #getattr(node: Node, nlink = 1): Attr {
    const now = this.#clock();
    const { ino, mode, uid, gid, rdev, fd } = node.data;
    const size = fd < 0 ? 0 : LINK_BYTES;
    return {
      ino,
      mode,
      nlink,
      uid,
      gid,
      rdev,
      size,
      blocks: 0,
      atime: now,
      mtime: now,
      ctime: now,
    };
  }

  #directory(ino: number, nlink: number, ops: Partial<NodeOps<ProcfsRecord>>): Node {
    const table = { getattr: (node: Node) => this.#getattr(node, nlink), ...ops };
    return new FSNode(record(ino, S_IFDIR | 0o555, -1), table, NO_STREAM_OPS);
  }

  /** A directory with one entry, which never changes. */
  #fixed(ino: number, name: string, child: Node): Node {
    const { data, node_ops } = child;
    const entry: DirEntry = { ino: data.ino, mode: data.mode, name, cursor: 1 };
    return this.#directory(ino, 3, {
      lookup: (_parent, wanted) =>
        wanted === name ? new FSNode(data, node_ops, NO_STREAM_OPS) : null,
      readdir: (_node, after) => after === 0 ? [entry] : [],
    });
  }

  #link(fd: number): Node | null {
    if (fd < 0 || this.#streamOf(fd) === null) return null;
    return new FSNode(
      record(FIRST_LINK_INO + fd, S_IFLNK | 0o700, fd),
      this.#linkOps,
      NO_STREAM_OPS,
    );
  }

  /** The cursor of descriptor n is n + 1. */
  #list(after: number): DirEntry[] {
    const entries: DirEntry[] = [];
    for (let fd = after; fd < this.#streams.length; fd++) {
      if (this.#streamOf(fd) === null) continue;
      const ino = FIRST_LINK_INO + fd;
      entries.push({ ino, mode: S_IFLNK | 0o700, name: String(fd), cursor: fd + 1 });
    }
    return entries;
  }
}

/**
 * The open descriptors of an instance as a mountable file system.
 *
 * @example
 * ```ts
 * import { createFS } from "@cairn/fs";
 * import { assertEquals } from "@std/assert";
 *
 * const FS = createFS();
 * FS.writeFile("/tmp/a", "still here");
 * const stream = FS.open("/tmp/a", "r");
 * FS.unlink("/tmp/a");
 * assertEquals(FS.readFile(`/proc/self/fd/${stream.fd}`, { encoding: "utf8" }), "still here");
 * ```
 */
export const PROCFS: Backend<ProcfsOptions, ProcfsRecord> = {
  name: "PROCFS",
  mount(options: ProcfsOptions): FSNode<ProcfsRecord> {
    if (!Array.isArray(options?.streams)) {
      throw new ErrnoError("EINVAL", "mount PROCFS without options.streams");
    }
    return new ProcfsMount(options).root();
  },
};
