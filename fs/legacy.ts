/**
 * What Emscripten programs call beside POSIX: looking at nodes, old helpers, file makers.
 *
 * Layer: fs; eighth link of the chain. docs/EMSCRIPTEN.md tells what differs and why.
 *
 * @module
 */
import { Errno, isErrnoError } from "../abi/errno.ts";
import { O_ACCMODE, O_TRUNC } from "../abi/flags.ts";
import * as modes from "../abi/mode.ts";
import { FSNode, FSStream, type NodeOps, type StreamOps } from "../abi/node.ts";
import { integer, isNode, refuse, saidBy } from "./arguments.ts";
import { DescriptorCalls } from "./descriptor_calls.ts";
import { pathAt } from "./entries.ts";
import { childOf, find, FOLLOW, LAST, SECOND, walk } from "./lookup.ts";
import { hashNumber } from "./name_table.ts";
import { PATH } from "./path.ts";
import { bitsOf, mayAccess, mayCreate, mayDelete, mayLookup, mayOpen } from "./permissions.ts";
import { getPath } from "./state.ts";

/** What `analyzePath` tells: everything about a path, and never an exception. */
export interface PathAnalysis {
  /** Whether it is "/". */
  isRoot: boolean;
  /** Whether something is there. */
  exists: boolean;
  /** Error number, 0 for none. */
  error: number;
  /** The last name, or null. */
  name: string | null;
  /** The absolute path of what is there, or null. */
  path: string | null;
  /** What is there, or null. */
  object: FSNode | null;
  /** Whether the directory above is there. */
  parentExists: boolean;
  /** Its absolute path, or null. */
  parentPath: string | null;
  /** The directory above, or null. */
  parentObject: FSNode | null;
}

/** A second walk that follows a link at the end. */
const LINKED = FOLLOW | SECOND;

/** Emscripten's helpers. */
export class Legacy extends DescriptorCalls {
  /** Everything about a path, without an exception. */
  analyzePath(path: string, dontResolveLastLink?: boolean): PathAnalysis {
    const result: PathAnalysis = {
      isRoot: false,
      exists: false,
      error: 0,
      name: null,
      path: null,
      object: null,
      parentExists: false,
      parentPath: null,
      parentObject: null,
    };
    try {
      const { parent, name } = this.#above(path, "analyzePath");
      result.parentExists = true;
      result.parentObject = parent;
      result.parentPath = getPath(parent);
      result.name = name;
      const { node } = walk(this, "analyzePath", path, dontResolveLastLink ? SECOND : LINKED);
      describe(result, node);
    } catch (error) {
      if (!isErrnoError(error)) throw error;
      result.error = error.errno;
    }
    return result;
  }

  /** What holds the last name of a path: whatever stands there, a directory or not. */
  #above(path: string, call: string): { parent: FSNode; name: string } {
    try {
      return walk(this, call, path, LAST);
    } catch (error) {
      if (!isErrnoError(error) || error.code !== "ENOTDIR") throw error;
      const parent = find(this, call, PATH.dirname(path), FOLLOW | SECOND);
      return { parent, name: PATH.basename(path) };
    }
  }

  /** What is at the path, or null. */
  findObject(path: string, dontResolveLastLink?: boolean): FSNode | null {
    return this.analyzePath(path, dontResolveLastLink).object;
  }

  /** The absolute path of a node. */
  getPath(node: FSNode): string {
    return getPath(checkNode(node, "getPath"));
  }

  /** Whether a node is the root of a mount. */
  isRoot(node: FSNode): boolean {
    return checkNode(node, "isRoot").parent === node;
  }

  /** Whether something is mounted at a node. */
  isMountpoint(node: FSNode): boolean {
    return checkNode(node, "isMountpoint").mounted !== null;
  }

  /** Whether a mode is a regular file's. */
  isFile(mode: number): boolean {
    return typeof mode === "number" && modes.isFile(mode);
  }

  /** Whether a mode is a directory's. */
  isDir(mode: number): boolean {
    return typeof mode === "number" && modes.isDir(mode);
  }

  /** Whether a mode is a symbolic link's. */
  isLink(mode: number): boolean {
    return typeof mode === "number" && modes.isLink(mode);
  }

  /** Whether a mode is a character device's. */
  isChrdev(mode: number): boolean {
    return typeof mode === "number" && modes.isChrdev(mode);
  }

  /** Whether a mode is a block device's. */
  isBlkdev(mode: number): boolean {
    return typeof mode === "number" && modes.isBlkdev(mode);
  }

  /** Whether a mode is a FIFO's. */
  isFIFO(mode: number): boolean {
    return typeof mode === "number" && modes.isFIFO(mode);
  }

  /** Whether a mode is a socket's. */
  isSocket(mode: number): boolean {
    return typeof mode === "number" && modes.isSocket(mode);
  }

  /** "r", "w" or "rw", and "w" behind it for O_TRUNC: what an open with the flags needs. */
  flagsToPermissionString(flags: number): string {
    const bits = integer(flags, "flagsToPermissionString");
    const access = ["r", "w", "rw"][bits & O_ACCMODE] ?? "rw";
    return bits & O_TRUNC ? `${access}w` : access;
  }

  /** 0, or EACCES if the caller lacks one of "r", "w", "x" on the node. */
  nodePermissions(node: FSNode, permissions: string): number {
    if (typeof permissions !== "string") refuse("EINVAL", "nodePermissions", permissions);
    return mayAccess(this, checkNode(node, "nodePermissions"), bitsOf(permissions));
  }

  /** 0, or why the caller may not look for names in the directory. */
  mayLookup(directory: FSNode): number {
    return mayLookup(this, checkNode(directory, "mayLookup"));
  }

  /** 0, or why the caller may not add the name: EEXIST, ENOTDIR, EACCES. */
  mayCreate(directory: FSNode, name: string): number {
    return errnoOf(() => {
      if (this.#child(directory, name, "mayCreate") !== null) return Errno.EEXIST;
      return mayCreate(this, directory);
    });
  }

  /** 0, or why the caller may not remove the name: ENOENT, EISDIR, ENOTDIR, EACCES, EPERM, EBUSY. */
  mayDelete(directory: FSNode, name: string, isdir: boolean): number {
    return errnoOf(() => {
      const node = this.#child(directory, name, "mayDelete");
      return node === null ? Errno.ENOENT : mayDelete(this, node, isdir);
    });
  }

  /** 0, or why the node may not be opened with the flags. */
  mayOpen(node: FSNode | null, flags: number): number {
    if (node === null) return Errno.ENOENT;
    return mayOpen(this, checkNode(node, "mayOpen"), integer(flags, "mayOpen"));
  }

  /** The op, or the error that says it is missing. */
  checkOpExists<F>(op: F | undefined, errno: number): F {
    return op ?? refuse(integer(errno, "checkOpExists"), "do what the backend cannot");
  }

  /** The path with its last name resolved or not, and what is there. */
  lookupPath(path: string, options: LookupOptions = {}): FoundPath {
    const { parent: isAbove, follow, follow_mount, noent_okay } = saidBy(
      "lookupPath",
      (): LookupOptions => ({ ...options }),
    );
    if (isAbove) {
      const { parent } = this.#above(path, "lookupPath");
      return { path: getPath(parent), node: parent };
    }
    const stops = follow_mount === false && !follow ? LAST : 0;
    const place = walk(this, "lookupPath", path, follow ? FOLLOW : stops);
    if (place.node !== null) return { path: getPath(place.node), node: place.node };
    if (!noent_okay) refuse("ENOENT", "lookupPath", path);
    return { path: pathAt(place), node: null };
  }

  /** The bucket of a name whose parent has this number. */
  hashName(parentid: number, name: string): number {
    if (typeof name !== "string") refuse("EINVAL", "hashName", name);
    return hashNumber(integer(parentid, "hashName"), name) & this.names.buckets.length - 1;
  }

  /** Enters a node into the name table under its parent and name. */
  hashAddNode(node: FSNode): void {
    const { parent, name } = checkNode(node, "hashAddNode");
    if (this.names.get(parent, name) !== node) this.names.add(node);
  }

  /** Takes a node out of the name table. */
  hashRemoveNode(node: FSNode): void {
    this.names.remove(checkNode(node, "hashRemoveNode"));
  }

  /** The child of that name. ENOENT, ENOTDIR, EACCES. */
  lookupNode(parent: FSNode, name: string): FSNode {
    const refused = mayLookup(this, checkNode(parent, "lookupNode"));
    if (refused !== 0) refuse(refused, "lookupNode", name);
    return this.#child(parent, name, "lookupNode") ?? refuse("ENOENT", "lookupNode", name);
  }

  #child(parent: FSNode, name: string, call: string): FSNode | null {
    if (typeof name !== "string") refuse("EINVAL", call, name);
    return childOf(this, call, checkNode(parent, call), name);
  }

  /** What the backend says the name is. ENOENT. */
  lookup(parent: FSNode, name: string): FSNode {
    if (typeof name !== "string") refuse("EINVAL", "lookup", name);
    const { node_ops } = checkNode(parent, "lookup");
    return node_ops.lookup?.(parent, name) ?? refuse("ENOENT", "lookup", name);
  }

  /**
   * A node of an Emscripten type: the type gives it its ops. Under a parent that is mounted it enters
   * the name table; a root of a type, and what is below it, does not: see docs/EMSCRIPTEN.md.
   */
  createNode(parent: FSNode | null, name: string, mode: number, rdev?: number): FSNode {
    if (typeof name !== "string") refuse("EINVAL", "createNode", name);
    const bits = integer(mode, "createNode");
    const device = integer(rdev ?? 0, "createNode");
    const data = { ino: this.nextInode++, mode: bits, uid: 0, gid: 0, rdev: device };
    const node = new FSNode(data, NO_NODE_OPS, {});
    node.name = name;
    if (parent === null) return node;
    node.parent = checkNode(parent, "createNode");
    node.mount = parent.mount;
    if (parent.mount.dev > 0) this.names.add(node);
    return node;
  }

  /** Takes a node out of the name table. */
  destroyNode(node: FSNode): void {
    this.hashRemoveNode(node);
  }

  /** Puts a stream, or what an object says of one, at descriptor `fd` or the lowest free one. */
  createStream(stream: FSStream | StreamFields, fd = -1): FSStream {
    const isMade = stream instanceof FSStream && isNode(stream.node);
    const made = isMade ? stream : saidBy("createStream", () => streamOf(stream));
    const isKnown = Number.isInteger(fd) && fd >= -1 && fd < this.descriptors.limit;
    if (!isKnown) refuse("EBADF", "createStream", fd);
    if (fd === -1) this.descriptors.add(made);
    else this.descriptors.put(made, fd);
    made.node.pins++;
    return made;
  }

  /** Frees a descriptor without closing anything. */
  closeStream(fd: number): void {
    const stream = this.descriptors.get(fd);
    if (stream === null) return;
    stream.node.pins--;
    this.descriptors.remove(fd);
  }

  /** Another descriptor for an open file: `fd`, or the lowest free one. */
  dupStream(original: FSStream, fd = -1): FSStream {
    return fd === -1 ? this.dup(original) : this.dup2(original, fd);
  }
}

/** How `lookupPath` looks. */
export interface LookupOptions {
  /** The directory above instead. */
  parent?: boolean;
  /** Follow a link at the end. */
  follow?: boolean;
  /** `false`: what a mount covers instead of what is mounted. */
  follow_mount?: boolean;
  /** No error if nothing is there. */
  noent_okay?: boolean;
}

/** What `lookupPath` finds. */
export interface FoundPath {
  /** The absolute path. */
  path: string;
  /** What is there, or null. */
  node: FSNode | null;
}

/** What `createStream` takes for a stream. */
export interface StreamFields {
  /** What it is open on. */
  node: FSNode;
  /** Open flags. Default O_RDONLY. */
  flags?: number;
  /** Where it stands. Default 0. */
  position?: number;
  /** The path it was opened by. */
  path?: string;
  /** Whether it has a position. Default true. */
  seekable?: boolean;
  /** What can be done with it. Default what the node's can. */
  stream_ops?: StreamOps;
}

function checkNode(node: unknown, call: string): FSNode {
  return isNode(node) ? node : refuse("EINVAL", call, node);
}

const NO_NODE_OPS: NodeOps = {
  getattr: (node) => refuse("EPERM", "stat", node.name),
};

function streamOf(fields: StreamFields): FSStream {
  if (!isNode(fields?.node)) refuse("EINVAL", "createStream");
  const flags = integer(fields.flags ?? 0, "createStream");
  const position = integer(fields.position ?? 0, "createStream");
  const shared = { flags, position, descriptors: 1 };
  const stream = new FSStream(fields.node, shared, fields.path ?? getPath(fields.node));
  const own = fields.node.stream_ops;
  const ops = fields.stream_ops ?? own;
  stream.stream_ops = ops === own ? unopened(own) : ops;
  stream.seekable = fields.seekable ?? true;
  return stream;
}

/**
 * A node's operations for a stream that nothing has opened: a backend hears of the close of what it
 * has opened, or it would take it for the close of another stream.
 */
function unopened(ops: FSStream["stream_ops"]): FSStream["stream_ops"] {
  let opens = 0;
  const open = (stream: FSStream): void => {
    ops.open?.(stream);
    opens++;
  };
  const close = (stream: FSStream): void => {
    if (opens === 0) return;
    opens--;
    ops.close?.(stream);
  };
  return Object.create(ops, { open: { value: open }, close: { value: close } });
}

/** The number of the error that the work throws, or what it returns. */
function errnoOf(work: () => number): number {
  try {
    return work();
  } catch (error) {
    if (isErrnoError(error)) return error.errno;
    throw error;
  }
}

function describe(result: PathAnalysis, node: FSNode | null): void {
  if (node === null) {
    result.error = Errno.ENOENT;
    return;
  }
  result.exists = true;
  result.object = node;
  result.path = getPath(node);
  result.isRoot = result.path === "/";
  result.name = result.isRoot ? "/" : node.name;
}
