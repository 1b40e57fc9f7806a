/**
 * What Emscripten's file system types call to build names and streams of their own.
 *
 * Layer: fs, a group of calls. docs/EMSCRIPTEN.md says what differs and why.
 *
 * @module
 */
import { FSNode, FSStream, type NodeOps, type StreamOps } from "../abi/node.ts";
import { integer, isNode, refuse, saidBy } from "./arguments.ts";
import type { DescriptorCalls } from "./descriptor_calls.ts";
import { checkNode, childNamed } from "./legacy.ts";
import { hashNumber } from "./name_table.ts";
import { mayLookup } from "./permissions.ts";
import { getPath, type State } from "./state.ts";

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

/** Names and streams made by hand. */
export interface LegacyNodes {
  /** The bucket of a name whose parent has this number. */
  hashName(parentid: number, name: string): number;

  /** Enters a node into the name table under its parent and name. */
  hashAddNode(node: FSNode): void;

  /** Takes a node out of the name table. */
  hashRemoveNode(node: FSNode): void;

  /** The child of that name. ENOENT, ENOTDIR, EACCES. */
  lookupNode(parent: FSNode, name: string): FSNode;

  /** What the backend says the name is. ENOENT. */
  lookup(parent: FSNode, name: string): FSNode;

  /**
   * A node of an Emscripten type: the type gives it its ops. Under a parent that is mounted it enters
   * the name table; a root of a type, and what is below it, does not: see docs/EMSCRIPTEN.md.
   */
  createNode(parent: FSNode | null, name: string, mode: number, rdev?: number): FSNode;

  /** Takes a node out of the name table. */
  destroyNode(node: FSNode): void;

  /** Puts a stream, or what an object says of one, at descriptor `fd` or the lowest free one. */
  createStream(stream: FSStream | StreamFields, fd?: number): FSStream;

  /** Frees a descriptor without closing anything. */
  closeStream(fd: number): void;

  /** Another descriptor for an open file: `fd`, or the lowest free one. */
  dupStream(original: FSStream, fd?: number): FSStream;
}

/** The calls; `this` is the instance. */
export const LEGACY_NODES: LegacyNodes & ThisType<State & LegacyNodes & DescriptorCalls> = {
  hashName(parentid, name) {
    if (typeof name !== "string") refuse("EINVAL", "hashName", name);
    return hashNumber(integer(parentid, "hashName"), name) & this.names.buckets.length - 1;
  },

  hashAddNode(node) {
    // By the node: a program may have made two of one name.
    if (!this.names.has(checkNode(node, "hashAddNode"))) this.names.add(node);
  },

  hashRemoveNode(node) {
    this.names.remove(checkNode(node, "hashRemoveNode"));
  },

  lookupNode(parent, name) {
    const refused = mayLookup(this, checkNode(parent, "lookupNode"));
    if (refused !== 0) refuse(refused, "lookupNode", name);
    return childNamed(this, parent, name, "lookupNode") ?? refuse("ENOENT", "lookupNode", name);
  },

  lookup(parent, name) {
    if (typeof name !== "string") refuse("EINVAL", "lookup", name);
    const { node_ops } = checkNode(parent, "lookup");
    return node_ops.lookup?.(parent, name) ?? refuse("ENOENT", "lookup", name);
  },

  createNode(parent, name, mode, rdev) {
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
  },

  destroyNode(node) {
    this.hashRemoveNode(node);
  },

  createStream(stream, fd = -1) {
    const isMade = stream instanceof FSStream && isNode(stream.node);
    const made = isMade ? stream : saidBy("createStream", () => streamOf(stream));
    const isKnown = Number.isInteger(fd) && fd >= -1 && fd < this.descriptors.limit;
    if (!isKnown) refuse("EBADF", "createStream", fd);
    if (fd === -1) this.descriptors.add(made);
    else this.descriptors.put(made, fd);
    made.node.pins++;
    return made;
  },

  closeStream(fd) {
    const stream = this.descriptors.get(fd);
    if (stream === null) return;
    stream.node.pins--;
    this.descriptors.remove(fd);
  },

  dupStream(original, fd = -1) {
    return fd === -1 ? this.dup(original) : this.dup2(original, fd);
  },
};

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
