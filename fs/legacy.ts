/**
 * What Emscripten programs call beside POSIX to look at paths, nodes and modes.
 *
 * Layer: fs, a group of calls. docs/EMSCRIPTEN.md says what differs and why.
 *
 * @module
 */
import * as modes from "../abi/mode.ts";
import { Errno, isErrnoError } from "../abi/errno.ts";
import { O_ACCMODE, O_TRUNC } from "../abi/flags.ts";
import type { FSNode } from "../abi/node.ts";
import { integer, isNode, refuse, saidBy } from "./arguments.ts";
import { pathAt } from "./entries.ts";
import { childOf, find, FOLLOW, LAST, SECOND, walk } from "./lookup.ts";
import { PATH } from "./path.ts";
import { bitsOf, mayAccess, mayCreate, mayDelete, mayLookup, mayOpen } from "./permissions.ts";
import { getPath, type State } from "./state.ts";

/** What `analyzePath` returns: everything about a path, and never an exception. */
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

/** Emscripten's helpers that look. */
export interface Legacy {
  /** Everything about a path, without an exception. */
  analyzePath(path: string, dontResolveLastLink?: boolean): PathAnalysis;

  /** What is at the path, or null. */
  findObject(path: string, dontResolveLastLink?: boolean): FSNode | null;

  /** The absolute path of a node. */
  getPath(node: FSNode): string;

  /** Whether a node is the root of a mount. */
  isRoot(node: FSNode): boolean;

  /** Whether something is mounted at a node. */
  isMountpoint(node: FSNode): boolean;

  /** Whether a mode is a regular file's. */
  isFile(mode: number): boolean;

  /** Whether a mode is a directory's. */
  isDir(mode: number): boolean;

  /** Whether a mode is a symbolic link's. */
  isLink(mode: number): boolean;

  /** Whether a mode is a character device's. */
  isChrdev(mode: number): boolean;

  /** Whether a mode is a block device's. */
  isBlkdev(mode: number): boolean;

  /** Whether a mode is a FIFO's. */
  isFIFO(mode: number): boolean;

  /** Whether a mode is a socket's. */
  isSocket(mode: number): boolean;

  /** "r", "w" or "rw", followed by "w" for O_TRUNC: what an open with the flags needs. */
  flagsToPermissionString(flags: number): string;

  /** 0, or EACCES if the caller lacks one of "r", "w", "x" on the node. */
  nodePermissions(node: FSNode, permissions: string): number;

  /** 0, or why the caller may not look for names in the directory. */
  mayLookup(directory: FSNode): number;

  /** 0, or why the caller may not add the name: EEXIST, ENOTDIR, EACCES. */
  mayCreate(directory: FSNode, name: string): number;

  /** 0, or why the caller may not remove the name: ENOENT, EISDIR, ENOTDIR, EACCES, EPERM, EBUSY. */
  mayDelete(directory: FSNode, name: string, isdir: boolean): number;

  /** 0, or why the node may not be opened with the flags. */
  mayOpen(node: FSNode | null, flags: number): number;

  /** The op, or the error that says it is missing. */
  checkOpExists<F>(op: F | undefined, errno: number): F;

  /** The path with its last name resolved or not, and what is there. */
  lookupPath(path: string, options?: LookupOptions): FoundPath;
}

/** The calls; `this` is the instance. */
export const LEGACY: Legacy & ThisType<State & Legacy> = {
  analyzePath(path, dontResolveLastLink) {
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
      const { parent, name } = above(this, path, "analyzePath");
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
  },

  findObject(path, dontResolveLastLink) {
    return this.analyzePath(path, dontResolveLastLink).object;
  },

  getPath(node) {
    return getPath(checkNode(node, "getPath"));
  },

  isRoot(node) {
    return checkNode(node, "isRoot").parent === node;
  },

  isMountpoint(node) {
    return checkNode(node, "isMountpoint").mounted !== null;
  },

  isFile(mode) {
    return typeof mode === "number" && modes.isFile(mode);
  },

  isDir(mode) {
    return typeof mode === "number" && modes.isDir(mode);
  },

  isLink(mode) {
    return typeof mode === "number" && modes.isLink(mode);
  },

  isChrdev(mode) {
    return typeof mode === "number" && modes.isChrdev(mode);
  },

  isBlkdev(mode) {
    return typeof mode === "number" && modes.isBlkdev(mode);
  },

  isFIFO(mode) {
    return typeof mode === "number" && modes.isFIFO(mode);
  },

  isSocket(mode) {
    return typeof mode === "number" && modes.isSocket(mode);
  },

  flagsToPermissionString(flags) {
    const bits = integer(flags, "flagsToPermissionString");
    const access = ["r", "w", "rw"][bits & O_ACCMODE] ?? "rw";
    return bits & O_TRUNC ? `${access}w` : access;
  },

  nodePermissions(node, permissions) {
    if (typeof permissions !== "string") refuse("EINVAL", "nodePermissions", permissions);
    return mayAccess(this, checkNode(node, "nodePermissions"), bitsOf(permissions));
  },

  mayLookup(directory) {
    return mayLookup(this, checkNode(directory, "mayLookup"));
  },

  mayCreate(directory, name) {
    return errnoOf(() => {
      if (childNamed(this, directory, name, "mayCreate") !== null) return Errno.EEXIST;
      return mayCreate(this, directory);
    });
  },

  mayDelete(directory, name, isdir) {
    return errnoOf(() => {
      const node = childNamed(this, directory, name, "mayDelete");
      return node === null ? Errno.ENOENT : mayDelete(this, node, isdir);
    });
  },

  mayOpen(node, flags) {
    if (node === null) return Errno.ENOENT;
    return mayOpen(this, checkNode(node, "mayOpen"), integer(flags, "mayOpen"));
  },

  checkOpExists(op, errno) {
    return op ?? refuse(integer(errno, "checkOpExists"), "do what the backend cannot");
  },

  lookupPath(path, options = {}) {
    const { parent: isAbove, follow, follow_mount, noent_okay } = saidBy(
      "lookupPath",
      (): LookupOptions => ({ ...options }),
    );
    if (isAbove) {
      const { parent } = above(this, path, "lookupPath");
      return { path: getPath(parent), node: parent };
    }
    const stops = follow_mount === false && !follow ? LAST : 0;
    const place = walk(this, "lookupPath", path, follow ? FOLLOW : stops);
    if (place.node !== null) return { path: getPath(place.node), node: place.node };
    if (!noent_okay) refuse("ENOENT", "lookupPath", path);
    return { path: pathAt(place), node: null };
  },
};

/** What holds the last name of a path: whatever stands there, a directory or not. */
function above(state: State, path: string, call: string): { parent: FSNode; name: string } {
  try {
    return walk(state, call, path, LAST);
  } catch (error) {
    if (!isErrnoError(error) || error.code !== "ENOTDIR") throw error;
    const parent = find(state, call, PATH.dirname(path), FOLLOW | SECOND);
    return { parent, name: PATH.basename(path) };
  }
}

/** The child of that name, or null. */
export function childNamed(
  state: State,
  parent: FSNode,
  name: string,
  call: string,
): FSNode | null {
  if (typeof name !== "string") refuse("EINVAL", call, name);
  return childOf(state, call, checkNode(parent, call), name);
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

/** A node, and not only something of its class. EINVAL. */
export function checkNode(node: unknown, call: string): FSNode {
  return isNode(node) ? node : refuse("EINVAL", call, node);
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
