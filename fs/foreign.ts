/**
 * A type of Emscripten's own (`mount(mount)`, nodes with `node_ops` and `stream_ops`) as a backend.
 *
 * Layer: fs. Each node of the type gets a node of ours, whose ops translate: a miss is null instead of
 * a throw, times are numbers instead of Dates, positions of `readdir` are cursors, and whatever has an
 * `errno` becomes our ErrnoError. The nodes of such types live as long as the mount, because many of
 * them cannot be looked up a second time.
 *
 * @module
 */
import type { Attr, AttrChange, DirEntry, StatFs } from "../abi/attr.ts";
import { CursorListing } from "../abi/cursor_listing.ts";
import { Errno, ErrnoError } from "../abi/errno.ts";
import { isDir } from "../abi/mode.ts";
import {
  type Backend,
  FSNode,
  type FSStream,
  type NodeOps,
  type NodeRecord,
  type OpenFile,
  type StreamOps,
} from "../abi/node.ts";

/** One op of an Emscripten type, of whatever arguments. */
// deno-lint-ignore no-explicit-any
export type ForeignOp = (...args: any[]) => any;

/** A node as an Emscripten type sees it. */
export interface ForeignNode {
  /** The directory; a root is its own. */
  parent: ForeignNode;
  /** The name in it. */
  name: string;
  /** Type and permission bits. */
  mode: number;
  /** Number. */
  id: number;
  /** Device number. */
  rdev: number;
  /** Where it is mounted. */
  mount: unknown;
  /** What can be done with the name. */
  node_ops: Record<string, ForeignOp | undefined>;
  /** What can be done with it open. */
  stream_ops: Record<string, ForeignOp | undefined>;
}

/** A type of Emscripten's. */
export interface ForeignType {
  /** Makes the root. */
  mount(mount: ForeignMount): ForeignNode;
  /** Brings memory and storage together; `done` is called once. */
  syncfs?(
    mount: ForeignMount,
    populate: boolean,
    done: (error: unknown) => void,
  ): void;
}

/** What such a type learns of its mount. */
export interface ForeignMount {
  /** The type. */
  type: ForeignType;
  /** What FS.mount was given. */
  opts: unknown;
  /** The path. */
  mountpoint: string;
  /** Mounts below, which nothing here fills. */
  mounts: unknown[];
  /** Its root. */
  root: ForeignNode | null;
}

/** What our node remembers. */
interface ForeignRecord extends NodeRecord {
  readonly inner: ForeignNode;
}

type Node = FSNode<ForeignRecord>;
type Stream = FSStream<ForeignRecord>;

/** Whether something is a type of Emscripten's rather than a backend of ours. */
export function isForeign(type: unknown): type is ForeignType {
  const { name, mount, node_ops } = (type ?? {}) as Record<string, unknown>;
  return typeof mount === "function" && (typeof name !== "string" || node_ops !== undefined);
}

/** A backend that is also asked to bring memory and storage together. */
export interface ForeignBackend extends Backend<unknown, ForeignRecord> {
  /** The type's own syncfs, or null. */
  synchronize: ((populate: boolean, done: (error: unknown) => void) => void) | null;
}

/** The backend over a type, for one mount; `clock` gives the times that the type gets. */
export function foreignBackend(
  type: ForeignType,
  { mountpoint, clock }: { mountpoint: string; clock: () => number },
): ForeignBackend {
  const mount: ForeignMount = { type, opts: undefined, mountpoint, mounts: [], root: null };
  return {
    name: "FOREIGN",
    mount(opts: unknown): Node {
      mount.opts = opts ?? {};
      const root = translated(() => type.mount(mount));
      root.mount = mount;
      mount.root = root;
      return new ForeignNodes(clock).node(root);
    },
    synchronize: type.syncfs === undefined
      ? null
      : (populate, done) => type.syncfs?.(mount, populate, done),
  };
}

/** Throws our error where the type threw one of another class. */
function translated<R>(work: () => R): R {
  try {
    return work();
  } catch (error) {
    const errno = (error as { errno?: unknown } | null)?.errno;
    throw new ErrnoError(typeof errno === "number" ? errno : "EIO", "use the mounted type", {
      cause: error,
    });
  }
}

/** The nodes of one mount. */
class ForeignNodes {
  readonly #clock: () => number;
  readonly #nodes = new WeakMap<ForeignNode, ForeignRecord>();
  readonly #streams = new WeakMap<OpenFile, object>();
  readonly #listings = new WeakMap<ForeignNode, CursorListing>();
  /** Our op tables by theirs: one for each kind of node, however many nodes there are. */
  readonly #directoryTables = new WeakMap<object, NodeOps<ForeignRecord>>();
  readonly #nodeTables = new WeakMap<object, NodeOps<ForeignRecord>>();
  readonly #streamTables = new WeakMap<object, StreamOps<ForeignRecord>>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Our node for one of theirs. Never forgotten: it holds itself. */
  node(inner: ForeignNode): Node {
    let record = this.#nodes.get(inner);
    if (record === undefined) {
      const { id, mode, rdev } = inner;
      record = { ino: id, mode, uid: 0, gid: 0, rdev: rdev ?? 0, inner };
      this.#nodes.set(inner, record);
    }
    const node = new FSNode(record, this.#nodeOpsOf(inner), this.#streamOpsOf(inner));
    node.pins = 1;
    return node;
  }

  #nodeOpsOf({ node_ops: theirs, mode }: ForeignNode): NodeOps<ForeignRecord> {
    const tables = isDir(mode) ? this.#directoryTables : this.#nodeTables;
    let ours = tables.get(theirs);
    if (ours === undefined) {
      ours = isDir(mode) ? this.#directoryOps(theirs) : this.#nodeOps(theirs);
      tables.set(theirs, ours);
    }
    return ours;
  }

  #streamOpsOf({ stream_ops: theirs }: ForeignNode): StreamOps<ForeignRecord> {
    let ours = this.#streamTables.get(theirs);
    if (ours === undefined) this.#streamTables.set(theirs, ours = this.#streamOps(theirs));
    return ours;
  }

  #nodeOps(theirs: ForeignNode["node_ops"]): NodeOps<ForeignRecord> {
    const ours: NodeOps<ForeignRecord> = { getattr: (node) => getattr(node) };
    if (theirs.setattr) ours.setattr = (node, change) => setattr(node, change, this.#clock());
    if (theirs.readlink) {
      ours.readlink = ({ data }) => translated(() => theirs.readlink?.(data.inner));
    }
    if (theirs.statfs) ours.statfs = ({ data }) => statfs(data.inner);
    return ours;
  }

  #directoryOps(theirs: ForeignNode["node_ops"]): NodeOps<ForeignRecord> {
    const ours: NodeOps<ForeignRecord> = {
      ...this.#nodeOps(theirs),
      lookup: (parent, name) => this.#lookup(parent, name),
    };
    if (theirs.mknod) {
      ours.mknod = ({ data }, name, mode, rdev) =>
        this.node(translated(() => theirs.mknod?.(data.inner, name, mode, rdev)));
    }
    if (theirs.symlink) {
      ours.symlink = ({ data: { inner } }, name, target) =>
        // Emscripten looks at nothing that symlink returns, so some types return nothing.
        this.node(
          translated(() => theirs.symlink?.(inner, name, target) ?? theirs.lookup?.(inner, name)),
        );
    }
    if (theirs.unlink) {
      ours.unlink = ({ data }, name) => translated(() => theirs.unlink?.(data.inner, name));
    }
    if (theirs.rmdir) {
      ours.rmdir = ({ data }, name) => translated(() => theirs.rmdir?.(data.inner, name));
    }
    if (theirs.rename) ours.rename = rename;
    if (theirs.readdir) ours.readdir = (node, after, most) => this.#readdir(node, after, most);
    return ours;
  }

  #lookup({ data }: Node, name: string): Node | null {
    try {
      return this.node(data.inner.node_ops.lookup?.(data.inner, name));
    } catch (error) {
      if ((error as { errno?: unknown })?.errno === Errno.ENOENT) {
        const child = childIn(data.inner, name);
        return child === null ? null : this.node(child);
      }
      return translated(() => {
        throw error;
      });
    }
  }

  #readdir({ data }: Node, after: number, most: number = Infinity): DirEntry[] {
    const { inner } = data;
    const names = (): string[] => translated(() => inner.node_ops.readdir?.(inner));
    let listing = this.#listings.get(inner);
    if (listing === undefined) this.#listings.set(inner, listing = new CursorListing());
    return listing.read({ after, most, names }, ({ name, cursor }) => {
      const child = this.#peek(inner, name);
      return { ino: child?.id ?? 0, mode: child?.mode ?? 0, name, cursor };
    });
  }

  #peek(inner: ForeignNode, name: string): ForeignNode | null {
    try {
      return inner.node_ops.lookup?.(inner, name) ?? null;
    } catch {
      return null;
    }
  }

  #streamOps(theirs: ForeignNode["stream_ops"]): StreamOps<ForeignRecord> {
    const ours: StreamOps<ForeignRecord> = {};
    const pass = (name: string) => (stream: Stream, ...rest: unknown[]) =>
      translated(() => theirs[name]?.(this.#streamOf(stream), ...rest));
    if (theirs.open) ours.open = pass("open");
    if (theirs.close) ours.close = pass("close");
    if (theirs.read) ours.read = pass("read");
    if (theirs.write) ours.write = pass("write");
    if (theirs.llseek) ours.llseek = pass("llseek");
    if (theirs.fsync) ours.fsync = pass("fsync");
    if (theirs.ioctl) ours.ioctl = pass("ioctl");
    if (theirs.poll) ours.poll = pass("poll");
    return ours;
  }

  /** Their stream for one of ours; descriptors made by dup share it. */
  #streamOf(stream: Stream): object {
    let theirs = this.#streams.get(stream.shared);
    if (theirs === undefined) {
      theirs = new ForeignStream(stream);
      this.#streams.set(stream.shared, theirs);
    }
    return theirs;
  }
}

/**
 * The child that a directory lists. The types that keep nodes in memory never find one: they count
 * on the name table of Emscripten's FS, which `createNode` there has filled.
 */
function childIn(inner: ForeignNode, name: string): ForeignNode | null {
  const { contents } = inner as { contents?: unknown };
  if (typeof contents !== "object" || contents === null || ArrayBuffer.isView(contents)) {
    return null;
  }
  if (!Object.hasOwn(contents, name)) return null;
  const child = (contents as Record<string, ForeignNode | undefined>)[name];
  return child?.parent === inner ? child : null;
}

/** A stream as their ops see it: their node, and our position and flags. */
class ForeignStream {
  readonly node: ForeignNode;
  readonly shared: OpenFile;
  readonly path: string;
  readonly fd: number | null;
  readonly seekable: boolean;

  constructor(stream: Stream) {
    this.node = stream.node.data.inner;
    this.shared = stream.shared;
    this.path = stream.path;
    this.fd = stream.fd;
    this.seekable = stream.seekable;
  }

  get object(): ForeignNode {
    return this.node;
  }

  get stream_ops(): ForeignNode["stream_ops"] {
    return this.node.stream_ops;
  }

  get flags(): number {
    return this.shared.flags;
  }

  set flags(flags: number) {
    this.shared.flags = flags;
  }

  get position(): number {
    return this.shared.position;
  }

  set position(position: number) {
    this.shared.position = position;
  }
}

function getattr({ data }: Node): Attr {
  const { inner } = data;
  if (inner.node_ops.getattr === undefined) throw new ErrnoError("EPERM", "stat");
  const theirs = translated(() => inner.node_ops.getattr?.(inner));
  data.mode = theirs.mode;
  data.uid = theirs.uid ?? 0;
  data.gid = theirs.gid ?? 0;
  return {
    ino: theirs.ino ?? data.ino,
    mode: theirs.mode,
    nlink: theirs.nlink ?? 1,
    uid: data.uid,
    gid: data.gid,
    rdev: theirs.rdev ?? 0,
    size: theirs.size ?? 0,
    blocks: theirs.blocks ?? 0,
    atime: Number(theirs.atime ?? 0),
    mtime: Number(theirs.mtime ?? 0),
    ctime: Number(theirs.ctime ?? 0),
  };
}

/** Newer types take three times, older ones a `timestamp`. */
function setattr({ data }: Node, change: AttrChange, now: number): void {
  const times = { ctime: now, timestamp: change.mtime ?? change.atime ?? now };
  translated(() => data.inner.node_ops.setattr?.(data.inner, { ...change, ...times }));
  if (change.mode !== undefined) data.mode = change.mode;
}

/**
 * Asked of the directory, for a file's node has no such op. Newer types leave the node's place to us,
 * older ones have moved it themselves.
 */
function rename({ data, parent }: Node, newParent: Node, newName: string, flags: number): void {
  if (flags !== 0) throw new ErrnoError("EINVAL", "rename with flags");
  const { inner } = data;
  const { node_ops } = (parent as Node).data.inner;
  translated(() => node_ops.rename?.(inner, newParent.data.inner, newName));
  inner.parent = newParent.data.inner;
  inner.name = newName;
}

function statfs(inner: ForeignNode): StatFs {
  const theirs = translated(() => inner.node_ops.statfs?.(inner));
  return {
    blockSize: theirs.bsize,
    blocks: theirs.blocks,
    freeBlocks: theirs.bfree,
    inodes: theirs.files,
    freeInodes: theirs.ffree,
  };
}
