/**
 * open: from a path and flags to a stream with a descriptor.
 *
 * Layer: fs, under `open`, `openat` and the whole-file calls. The order is Linux's: flags, walk,
 * existence, kind, permission, driver, truncation. The descriptor is found before anything is made,
 * so that EMFILE leaves no trace.
 *
 * @module
 */
import {
  O_ACCMODE,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOCTTY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
} from "../abi/flags.ts";
import { newMode, newOwner } from "../abi/credentials.ts";
import { isErrnoError } from "../abi/errno.ts";
import { isDir, isFIFO, isFile, isLink, S_IFREG } from "../abi/mode.ts";
import { type FSNode, FSStream, type StreamOps } from "../abi/node.ts";
import { refuse } from "./arguments.ts";
import { changeSize } from "./attributes.ts";
import { driverOf, hasNoPosition } from "./devices.ts";
import { makeNode } from "./entries.ts";
import { CREATE, find, FOLLOW, pathOf, type Place, walk } from "./lookup.ts";
import { mayCreate, mayOpen } from "./permissions.ts";
import { getPath, type State } from "./state.ts";

/** Flags that only open looks at. */
const OPEN_ONLY = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC |
  (O_TMPFILE & ~O_DIRECTORY);
/** What counts beside O_PATH. */
const PATH_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
const PERMISSION_BITS = 0o7777;

/** How often an open is tried again while others keep replacing the name. */
const OPEN_TRIES = 100;

/**
 * Opens a path from `start`. The errors are those of `FS.open`. On a volume with other clients the
 * name may be taken, or replaced, between the walk and the opening: then both are done again.
 */
export function openPath(
  state: State,
  path: string,
  openFlags: number,
  mode: number,
  start: FSNode | null = state.directory,
): FSStream {
  const flags = usableFlags(openFlags);
  for (let left = OPEN_TRIES;; left--) {
    try {
      return openOnce(state, path, flags, mode, start);
    } catch (error) {
      if (left === 1 || !mayBeRace(error, flags)) throw error;
    }
  }
}

/** ESTALE, or EEXIST where an existing file is as good. */
function mayBeRace(error: unknown, flags: number): boolean {
  if (!isErrnoError(error)) return false;
  return error.code === "ESTALE" ||
    error.code === "EEXIST" && (flags & (O_CREAT | O_EXCL)) === O_CREAT;
}

function openOnce(
  state: State,
  path: string,
  flags: number,
  mode: number,
  start: FSNode | null,
): FSStream {
  state.descriptors.nextFree();
  if ((flags & O_TMPFILE) === O_TMPFILE) return openUnnamed(state, path, flags, mode, start);
  const isNew = (flags & O_CREAT) !== 0;
  const follows = !(flags & O_NOFOLLOW) && !(isNew && flags & O_EXCL);
  const place = walk(state, "open", path, (follows ? FOLLOW : 0) | (isNew ? CREATE : 0), start);
  if (place.node !== null) return openPlace(state, place, path, flags);
  if (!isNew) refuse("ENOENT", "open", path);
  const node = makeNode(state, "open", place, S_IFREG | mode & PERMISSION_BITS, 0);
  return openStream(state, node, flags, place.plain ? path : getPath(node));
}

/** What of the flags counts. EINVAL for what makes no sense. */
function usableFlags(openFlags: number): number {
  const flags = openFlags & O_PATH ? openFlags & PATH_FLAGS : openFlags;
  if ((flags & O_ACCMODE) === O_ACCMODE) refuse("EINVAL", "open with no access mode");
  const wantsBoth = flags & O_CREAT && flags & O_DIRECTORY;
  if (wantsBoth) refuse("EINVAL", "create a directory by open");
  return flags;
}

function openPlace(state: State, place: Place, path: string, flags: number): FSStream {
  if (flags & O_CREAT && flags & O_EXCL) refuse("EEXIST", "open", path);
  return openFound(state, place.node as FSNode, flags, pathOf(place, path));
}

/** Opens a node that is held, under the path that it shall show. */
export function openNode(state: State, node: FSNode, openFlags: number, path: string): FSStream {
  const flags = usableFlags(openFlags);
  state.descriptors.nextFree();
  return openFound(state, node, flags, path);
}

/** Opens a node that a walk has found. */
function openFound(state: State, node: FSNode, flags: number, path: string): FSStream {
  const refused = mayOpen(state, node, flags);
  if (refused !== 0) refuse(refused, "open", path);
  if (flags & O_TRUNC && isFile(node.data.mode)) changeSize(state, "open", node, 0);
  return openStream(state, node, flags, path);
}

/** A file without a name in the directory at `path`. */
function openUnnamed(
  state: State,
  path: string,
  flags: number,
  mode: number,
  start: FSNode | null,
): FSStream {
  if ((flags & O_ACCMODE) === O_RDONLY) refuse("EINVAL", "open", path);
  const parent = find(state, "open", path, FOLLOW, start);
  if (!isDir(parent.data.mode)) refuse("ENOTDIR", "open", path);
  if (parent.mount.readOnly) refuse("EROFS", "open", path);
  const refused = mayCreate(state, parent);
  if (refused !== 0) refuse(refused, "open", path);
  const make = parent.node_ops.tmpfile ?? refuse("ENOTSUP", "open", path);
  const bits = newMode(S_IFREG | mode & PERMISSION_BITS, parent.data, state.credentials);
  const owner = newOwner(parent.data, state.credentials);
  const node = make(parent, bits, owner, (flags & O_EXCL) === 0);
  node.parent = parent;
  node.name = `#${node.data.ino}`;
  node.mount = parent.mount;
  node.removed = true;
  return openStream(state, node, flags, `${getPath(parent)}/${node.name}`);
}

const NO_OPS: StreamOps = {};

/** The stream over a node that may be opened, with the lowest free descriptor. */
function openStream(state: State, node: FSNode, flags: number, path: string): FSStream {
  const ops = flags & O_PATH || isLink(node.data.mode) ? NO_OPS : opsOf(state, node, flags);
  const shared = { flags: flags & ~OPEN_ONLY, position: 0, descriptors: 1 };
  const stream = new FSStream(node, shared, path);
  stream.stream_ops = ops;
  stream.seekable = !hasNoPosition(node, ops);
  const fd = state.descriptors.add(stream);
  try {
    ops.open?.(stream);
  } catch (error) {
    state.descriptors.remove(fd);
    throw error;
  }
  node.pins++;
  if (flags & O_CLOEXEC) state.closeOnExec.add(stream);
  if (state.tracking !== null || state.readFiles !== null) track(state, stream, flags);
  return stream;
}

function opsOf(state: State, node: FSNode, flags: number): StreamOps {
  if (isFIFO(node.data.mode)) return state.pipes.opsFor(node, flags);
  return driverOf(state, node, "open");
}

function track(state: State, stream: FSStream, flags: number): void {
  const reads = (flags & O_ACCMODE) !== O_WRONLY;
  if (state.readFiles !== null && reads) state.readFiles[stream.path] = 1;
  state.tracking?.onOpenFile?.(stream.path, flags);
}
