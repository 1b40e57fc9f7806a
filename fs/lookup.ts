/**
 * The one path walk. Every call that takes a path goes through `walk`, and strings are never
 * normalised first: what ".." means is known only where the walk stands.
 *
 * Layer: fs. Use: `const place = walk(state, "stat", path, FOLLOW)`, then `place.node` or null,
 * `place.parent`, `place.name`, `place.slash`. The hash of a name is taken while its end is
 * searched, so a name that is cached costs no allocation.
 *
 * @module
 */
import { isDir, S_IFDIR, S_IFLNK, S_IFMT } from "../abi/mode.ts";
import { isErrnoError } from "../abi/errno.ts";
import { invariant } from "../abi/invariant.ts";
import type { FSNode } from "../abi/node.ts";
import { checkName, checkPath, isNode, nameErrno, refuse, SYMLOOP_MAX } from "./arguments.ts";
import { hashEnd, hashStart, hashUnit } from "./name_table.ts";
import { mayLookup } from "./permissions.ts";
import { getPath, type State } from "./state.ts";

/** Follow a symbolic link at the end. */
export const FOLLOW = 1;
/** Stop at the last name: neither follow a link there nor step onto what is mounted there. */
export const LAST = 2;
/**
 * A caller may create the last name as a file: a slash after it is EISDIR before it is searched.
 */
export const CREATE = 4;
/** The second walk of one call: what the first one found stays in the name table. */
export const SECOND = 8;
/** With LAST: a last name that cannot be one is missing; the caller looks at it. */
export const UNCHECKED = 16;

const SLASH = 0x2f;
const DOT = 0x2e;

/** Where a walk ended. */
export interface Place {
  /** The directory that holds, or would hold, the last name. */
  readonly parent: FSNode;
  /** The last name: "." and ".." as they stand, "" if the path is only slashes. */
  readonly name: string;
  /** What the last name is, or null. */
  readonly node: FSNode | null;
  /** Whether slashes trailed. */
  readonly slash: boolean;
  /** Whether the path is absolute and has no link, dot or needless slash. */
  readonly plain: boolean;
}

/**
 * Walks `path` from `start` (by default the current directory).
 *
 * @throws {ErrnoError} ENOENT (a directory on the way is missing), ENOTDIR, EACCES, ELOOP,
 * ENAMETOOLONG, EILSEQ, EINVAL
 */
export function walk(
  state: State,
  call: string,
  path: string,
  options: number,
  start: FSNode | null = state.directory,
): Place {
  checkPath(call, path);
  if (!(options & SECOND)) tidy(state);
  const root = state.root;
  if (root === null || start === null) refuse("ENOENT", call, path);
  const walker = new Walker(state, call, path, options);
  walker.run(path.charCodeAt(0) === SLASH ? root : start);
  return walker;
}

/** Keeps the name table within its bounds. */
function tidy({ names, maxNodes }: State): void {
  if (names.count > maxNodes) names.trim(maxNodes);
  if (names.isSweepDue) names.sweep();
}

/** The node that a path leads to. ENOENT if it leads nowhere. */
export function find(
  state: State,
  call: string,
  path: string,
  options: number,
  start: FSNode | null = state.directory,
): FSNode {
  const { node } = walk(state, call, path, options, start);
  if (node === null) refuse("ENOENT", call, path);
  return node;
}

/** The node that is given or that the path leads to. */
export function nodeAt(
  state: State,
  call: string,
  path: string | FSNode,
  follows: boolean,
): FSNode {
  return isNode(path) ? path : find(state, call, path, follows ? FOLLOW : 0);
}

/** Gives an unattached node its place, and enters it into the name table. */
export function attach(state: State, parent: FSNode, name: string, node: FSNode): FSNode {
  const isNew = node.parent === node && node.name_next === null && node !== parent.mount.root;
  invariant(isNew, "F1: a backend returns a node that has its place already");
  node.parent = parent;
  node.name = name;
  node.mount = parent.mount;
  state.names.add(node);
  return node;
}

/** Takes a node out of the name table, for its name is gone. */
export function detach(state: State, node: FSNode): void {
  forget(state, node);
  node.removed = true;
}

/** The child of that name, cached or asked of the backend; null if it is missing. */
export function childOf(
  state: State,
  call: string,
  parent: FSNode,
  name: string,
): FSNode | null {
  return trusted(state, state.names.get(parent, name)) ?? lookUp(state, call, parent, name);
}

/** A cached node if it is still true. */
function trusted(state: State, node: FSNode | null): FSNode | null {
  if (node === null || node.node_ops.revalidate === undefined) return node;
  if (node.node_ops.revalidate(node)) return node;
  forget(state, node);
  return null;
}

/**
 * Brings a node up to date that a walk has not found by its name: where it starts, a root, "..".
 * Such a node stays itself whatever its name leads to by now.
 */
export function refresh(node: FSNode): void {
  const { revalidate, getattr } = node.node_ops;
  if (revalidate === undefined || revalidate(node)) return;
  try {
    const { ino, mode, uid, gid } = getattr(node);
    const isSame = ino === node.data.ino && ((mode ^ node.data.mode) & S_IFMT) === 0;
    if (isSame) Object.assign(node.data, { mode, uid, gid });
  } catch (error) {
    if (!isErrnoError(error)) throw error;
  }
}

/** Takes a name out. What is cached below it goes by the next sweep. */
function forget(state: State, node: FSNode): void {
  state.names.remove(node);
  if (node.pins > 0 && isDir(node.data.mode)) state.names.leftBehind(node);
}

function lookUp(state: State, call: string, parent: FSNode, name: string): FSNode | null {
  checkName(call, name);
  if (parent.removed) return null;
  const found = parent.node_ops.lookup?.(parent, name) ?? null;
  return found === null ? null : attach(state, parent, name, found);
}

/** The directory above, across mounts; the root of all is its own parent. */
export function parentOf(node: FSNode): FSNode {
  let at = node;
  while (at.parent === at && at.mount.mountpoint !== null) at = at.mount.mountpoint;
  return at.parent;
}

/** What is seen at a node: the root of what is mounted there, or itself. */
export function topOf(node: FSNode): FSNode {
  let at = node;
  while (at.mounted !== null) at = at.mounted.root;
  return at;
}

/** The path of a place that exists. */
export function pathOf(place: Place, path: string): string {
  return place.plain ? path : getPath(place.node);
}

function above(directory: FSNode): FSNode {
  return crossed(parentOf(directory));
}

function crossed(node: FSNode): FSNode {
  const top = topOf(node);
  refresh(top);
  return top;
}

class Walker implements Place {
  parent!: FSNode;
  name = "";
  node: FSNode | null = null;
  slash = false;
  plain: boolean;
  readonly #state: State;
  readonly #call: string;
  readonly #original: string;
  readonly #options: number;
  #path: string;
  #links = 0;

  constructor(state: State, call: string, path: string, options: number) {
    this.#state = state;
    this.#call = call;
    this.#original = path;
    this.#path = path;
    this.#options = options;
    this.plain = path.charCodeAt(0) === SLASH;
  }

  run(start: FSNode): void {
    refresh(start);
    this.parent = start;
    this.node = start;
    let from = this.#skipSlashes(0);
    while (from < this.#path.length) from = this.#step(from);
    if (this.slash) this.#checkSlash();
  }

  /** Goes over the name that starts at `from`, and returns where the next one starts. */
  #step(from: number): number {
    const directory = this.node as FSNode | null;
    if (directory === null) refuse("ENOENT", this.#call, this.#original);
    const refused = mayLookup(this.#state, directory);
    if (refused !== 0) refuse(refused, this.#call, this.#original);
    const path = this.#path;
    let hash = hashStart(directory);
    let to = from;
    for (; to < path.length; to++) {
      const unit = path.charCodeAt(to);
      if (unit === SLASH) break;
      hash = hashUnit(hash, unit);
    }
    const next = to < path.length ? this.#skipSlashes(to) : to;
    this.slash = next > to;
    this.parent = directory;
    if (path.charCodeAt(from) === DOT && this.#dots(directory, from, to)) return next;
    const isLast = next === path.length;
    if (isLast && this.slash && this.#options & CREATE) {
      refuse("EISDIR", this.#call, this.#original);
    }
    const child = this.#find(directory, from, to, hashEnd(hash), isLast);
    return this.#enter(child, from, to, next);
  }

  /** Handles "." and ".."; false for any other name. */
  #dots(directory: FSNode, from: number, to: number): boolean {
    const isTwo = to - from === 2 && this.#path.charCodeAt(from + 1) === DOT;
    if (to - from !== 1 && !isTwo) return false;
    this.plain = false;
    this.name = isTwo ? ".." : ".";
    this.node = isTwo ? above(directory) : directory;
    return true;
  }

  #find(
    directory: FSNode,
    from: number,
    to: number,
    hash: number,
    isLast: boolean,
  ): FSNode | null {
    const state = this.#state;
    const cached = trusted(state, state.names.find(directory, this.#path, from, to, hash));
    if (cached !== null) return cached;
    const name = this.#path.substring(from, to);
    if (isLast && this.#options & UNCHECKED && nameErrno(name) !== 0) return null;
    return lookUp(state, this.#call, directory, name);
  }

  /** Stands on the child, or follows it, or stays before it. */
  #enter(child: FSNode | null, from: number, to: number, next: number): number {
    const isLast = next === this.#path.length;
    if (child === null || (isLast && this.#options & LAST)) {
      this.name = child === null ? this.#path.substring(from, to) : child.name;
      this.node = child;
      return next;
    }
    const isLink = (child.data.mode & S_IFMT) === S_IFLNK;
    if (isLink && (!isLast || this.slash || this.#options & FOLLOW)) return this.#follow(child, to);
    this.name = child.name;
    this.node = child.mounted === null ? child : crossed(child);
    return next;
  }

  /** Puts the link's target before what is left of the path. */
  #follow(link: FSNode, to: number): number {
    if (++this.#links > SYMLOOP_MAX) refuse("ELOOP", this.#call, this.#original);
    const node = link.node_ops.follow?.(link) ?? null;
    if (node !== null) return this.#jump(node, to);
    const target = link.node_ops.readlink?.(link) ?? refuse("EINVAL", this.#call, this.#original);
    this.plain = false;
    this.slash = false;
    this.name = "";
    this.#path = target + this.#path.substring(to);
    this.node = target.charCodeAt(0) === SLASH ? this.#state.root : this.parent;
    this.parent = this.node as FSNode;
    refresh(this.parent);
    return this.#skipSlashes(0);
  }

  /** Stands where a link leads that knows a node instead of a path. */
  #jump(node: FSNode, to: number): number {
    const next = this.#skipSlashes(to);
    this.plain = false;
    this.slash = next > to;
    this.parent = node.parent;
    this.name = node.name;
    this.node = node;
    return next;
  }

  #skipSlashes(from: number): number {
    let at = from;
    while (this.#path.charCodeAt(at) === SLASH) at++;
    if (at > from + 1 || (at > from && at === this.#path.length)) this.plain = false;
    return at;
  }

  /** A trailing slash demands a directory, unless the call itself looks at it. */
  #checkSlash(): void {
    if (this.#options & LAST || this.node === null) return;
    if ((this.node.data.mode & S_IFMT) !== S_IFDIR) {
      refuse("ENOTDIR", this.#call, this.#original);
    }
  }
}
