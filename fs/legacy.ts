/**
 * What Emscripten programs call beside POSIX: looking at nodes, old helpers, file makers.
 *
 * Layer: fs; seventh link of the chain. docs/EMSCRIPTEN.md tells what differs and why.
 *
 * @module
 */
import { Errno, isErrnoError } from "../abi/errno.ts";
import * as modes from "../abi/mode.ts";
import type { FSNode } from "../abi/node.ts";
import { find, FOLLOW, LAST, walk } from "./lookup.ts";
import { bitsOf, mayAccess, mayLookup, mayOpen } from "./permissions.ts";
import { getPath } from "./state.ts";
import { DescriptorCalls } from "./descriptor_calls.ts";

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

/** Emscripten's helpers. */
export class Legacy extends DescriptorCalls {
  /** Everything about a path, without an exception. */
  analyzePath(path: string, dontResolveLastLink = false): PathAnalysis {
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
      const place = walk(this, "analyzePath", path, dontResolveLastLink ? 0 : FOLLOW);
      result.parentExists = true;
      result.parentObject = place.parent;
      result.parentPath = getPath(place.parent);
      result.name = place.name;
      describe(result, place.node);
    } catch (error) {
      if (!isErrnoError(error)) throw error;
      result.error = error.errno;
    }
    return result;
  }

  /** What is at the path, or null. */
  findObject(path: string, dontResolveLastLink = false): FSNode | null {
    return this.analyzePath(path, dontResolveLastLink).object;
  }

  /** The absolute path of a node. */
  getPath(node: FSNode): string {
    return getPath(node);
  }

  /** Whether a node is the root of a mount. */
  isRoot(node: FSNode): boolean {
    return node.parent === node;
  }

  /** Whether something is mounted at a node. */
  isMountpoint(node: FSNode): boolean {
    return node.mounted !== null;
  }

  /** Whether a mode is a regular file's. */
  isFile(mode: number): boolean {
    return modes.isFile(mode);
  }

  /** Whether a mode is a directory's. */
  isDir(mode: number): boolean {
    return modes.isDir(mode);
  }

  /** Whether a mode is a symbolic link's. */
  isLink(mode: number): boolean {
    return modes.isLink(mode);
  }

  /** Whether a mode is a character device's. */
  isChrdev(mode: number): boolean {
    return modes.isChrdev(mode);
  }

  /** Whether a mode is a block device's. */
  isBlkdev(mode: number): boolean {
    return modes.isBlkdev(mode);
  }

  /** Whether a mode is a FIFO's. */
  isFIFO(mode: number): boolean {
    return modes.isFIFO(mode);
  }

  /** Whether a mode is a socket's. */
  isSocket(mode: number): boolean {
    return modes.isSocket(mode);
  }

  /** 0, or EACCES if the caller lacks one of "r", "w", "x" on the node. */
  nodePermissions(node: FSNode, permissions: string): number {
    return mayAccess(this, node, bitsOf(permissions));
  }

  /** 0, or why the caller may not look for names in the directory. */
  mayLookup(directory: FSNode): number {
    return mayLookup(this, directory);
  }

  /** 0, or why the node may not be opened with the flags. */
  mayOpen(node: FSNode | null, flags: number): number {
    return node === null ? Errno.ENOENT : mayOpen(this, node, flags);
  }

  /** The path with its last name unresolved, and what is there. */
  lookupPath(
    path: string,
    options: { parent?: boolean; follow?: boolean; noent_okay?: boolean } = {},
  ): { path: string; node: FSNode | null } {
    if (options?.parent) {
      const { parent } = walk(this, "lookupPath", path, LAST);
      return { path: getPath(parent), node: parent };
    }
    const how = options?.follow ? FOLLOW : 0;
    if (!options?.noent_okay) {
      const node = find(this, "lookupPath", path, how);
      return { path: getPath(node), node };
    }
    const { parent, name, node } = walk(this, "lookupPath", path, how);
    if (node !== null) return { path: getPath(node), node };
    const directory = getPath(parent);
    return { path: `${directory === "/" ? "" : directory}/${name}`, node };
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
