/**
 * What changes a directory: making, linking, removing and moving names, at places already walked.
 *
 * Layer: fs, under `node_calls.ts` and `at_calls.ts`, which differ only in where the walk starts. The
 * order of the checks is Linux's, because programs and test suites have come to expect it: special
 * names, existence, trailing slash, read-only mount, permission, then the backend.
 *
 * @module
 */
import { newMode, newOwner } from "../abi/credentials.ts";
import { Errno } from "../abi/errno.ts";
import { RENAME_EXCHANGE, RENAME_NOREPLACE } from "../abi/flags.ts";
import {
  isBlkdev,
  isChrdev,
  isDir,
  MAY_WRITE,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from "../abi/mode.ts";
import type { FSNode } from "../abi/node.ts";
import { checkName, nameErrno, refuse } from "./arguments.ts";
import { attach, detach, type Place } from "./lookup.ts";
import { isPrivileged, mayAccess, mayCreate, mayDelete } from "./permissions.ts";
import { getPath, type State } from "./state.ts";

function isSpecial(name: string): boolean {
  return name === "" || name === "." || name === "..";
}

/** Stops unless the place is free and the caller may fill it. */
function checkFree(state: State, call: string, place: Place, asDirectory = false): void {
  const { parent, name } = place;
  if (place.node !== null || isSpecial(name)) refuse("EEXIST", call, name);
  if (place.slash && !asDirectory) refuse("ENOENT", call, name);
  if (parent.mount.readOnly) refuse("EROFS", call, name);
  const refused = mayCreate(state, parent);
  if (refused !== 0) refuse(refused, call, name);
  checkName(call, name);
}

/** Makes a file, directory or special file with umask, setgid and owner as they should be. */
export function makeNode(
  state: State,
  call: string,
  place: Place,
  mode: number,
  rdev: number,
): FSNode {
  const type = mode & S_IFMT;
  checkFree(state, call, place, type === S_IFDIR);
  const { parent, name } = place;
  if ((isChrdev(mode) || isBlkdev(mode)) && !isPrivileged(state)) refuse("EPERM", call, name);
  const make = parent.node_ops.mknod ?? refuse("EPERM", call, name);
  const { data } = parent;
  const caller = state.credentials;
  const number = isChrdev(mode) || isBlkdev(mode) ? rdev : 0;
  const made = make(parent, name, newMode(mode, data, caller), number, newOwner(data, caller));
  const node = entered(state, parent, name, made);
  if (type === S_IFDIR) state.tracking?.onMakeDirectory?.(getPath(node), mode);
  return node;
}

function entered(state: State, parent: FSNode, name: string, made: FSNode): FSNode {
  const node = attach(state, parent, name, made);
  state.watchers.notify("create", node);
  return node;
}

/** The type bits that mknod takes; none means a regular file. EINVAL. */
export function nodeType(mode: number, call: string): number {
  const type = mode & S_IFMT;
  if (type === 0) return S_IFREG;
  const known = type === S_IFREG || type === S_IFDIR || type === S_IFIFO || type === S_IFSOCK ||
    isChrdev(mode) || isBlkdev(mode);
  return known ? type : refuse("EINVAL", call, mode);
}

/** Makes a symbolic link; the target has been checked. */
export function makeSymlink(state: State, call: string, place: Place, target: string): FSNode {
  checkFree(state, call, place);
  const { parent, name } = place;
  const make = parent.node_ops.symlink ?? refuse("EPERM", call, name);
  const made = make(parent, name, target, newOwner(parent.data, state.credentials));
  const node = entered(state, parent, name, made);
  state.tracking?.onMakeSymlink?.(target, getPath(node));
  return node;
}

/** Gives an inode one more name. */
export function makeLink(state: State, call: string, node: FSNode, place: Place): FSNode {
  const { parent, name } = place;
  if (place.node !== null || isSpecial(name)) refuse("EEXIST", call, name);
  if (node.mount !== parent.mount) refuse("EXDEV", call, name);
  checkFree(state, call, place);
  if (isDir(node.data.mode)) refuse("EPERM", call, name);
  const link = parent.node_ops.link ?? refuse("EPERM", call, name);
  return entered(state, parent, name, link(node, parent, name));
}

/** Removes a name that is not a directory's. */
export function removeFile(state: State, call: string, place: Place): void {
  const { parent, name, node } = place;
  if (isSpecial(name)) refuse("EISDIR", call, name);
  if (parent.mount.readOnly) refuse("EROFS", call, name);
  if (node === null) refuse("ENOENT", call, name);
  if (place.slash) refuse(isDir(node.data.mode) ? "EISDIR" : "ENOTDIR", call, name);
  const refused = mayDelete(state, node, false);
  if (refused !== 0) refuse(refused, call, name);
  const unlink = parent.node_ops.unlink ?? refuse("EPERM", call, name);
  remove(state, place, node, unlink);
}

/** Removes an empty directory. */
export function removeDirectory(state: State, call: string, place: Place): void {
  const { parent, name, node } = place;
  if (name === "") refuse("EBUSY", call, "/");
  if (name === ".") refuse("EINVAL", call, name);
  if (name === "..") refuse("ENOTEMPTY", call, name);
  if (parent.mount.readOnly) refuse("EROFS", call, name);
  if (node === null) refuse("ENOENT", call, name);
  const refused = mayDelete(state, node, true);
  if (refused !== 0) refuse(refused, call, name);
  const rmdir = parent.node_ops.rmdir ?? refuse("EPERM", call, name);
  remove(state, place, node, rmdir);
}

/** Removes a name that may go, and reports it to all listeners. */
function remove(
  state: State,
  place: Place,
  node: FSNode,
  work: (parent: FSNode, name: string) => void,
): void {
  const { tracking: delegate } = state;
  const path = delegate === null ? "" : pathAt(place);
  delegate?.willDeletePath?.(path);
  work(place.parent, place.name);
  detach(state, node);
  state.watchers.notify("delete", node);
  delegate?.onDeletePath?.(path);
}

/** What a rename may be asked for: 0, RENAME_NOREPLACE or RENAME_EXCHANGE. EINVAL. */
export function checkRename(call: string, flags: number): void {
  if (![0, RENAME_NOREPLACE, RENAME_EXCHANGE].includes(flags)) refuse("EINVAL", call, flags);
}

/** Moves a name, replacing what is there, or exchanges two. */
export function moveName(
  state: State,
  call: string,
  from: Place,
  to: Place,
  flags: number,
): void {
  const refused = mayMove(state, from, to, flags);
  if (refused !== 0) refuse(refused, call, from.name);
  const node = from.node as FSNode;
  if (to.node !== null && isSameInode(node, to.node)) return;
  const rename = from.parent.node_ops.rename ?? refuse("EPERM", call, from.name);
  const { tracking: delegate } = state;
  const paths = delegate === null ? null : [pathAt(from), pathAt(to)] as const;
  if (paths !== null) delegate?.willMovePath?.(...paths);
  rename(node, to.parent, to.name, flags);
  if (flags & RENAME_EXCHANGE) exchanged(state, node, to.node as FSNode);
  else moved(state, node, to);
  if (paths !== null) delegate?.onMovePath?.(...paths);
}

/** The number of the reason why not, else 0. */
function mayMove(state: State, from: Place, to: Place, flags: number): number {
  if (from.parent.mount !== to.parent.mount) return Errno.EXDEV;
  if (isSpecial(from.name)) return Errno.EBUSY;
  if (isSpecial(to.name)) return flags & RENAME_NOREPLACE ? Errno.EEXIST : Errno.EBUSY;
  if (from.parent.mount.readOnly) return Errno.EROFS;
  return mayMatch(from, to, flags) || mayNest(from, to, flags) ||
    mayLeave(state, from, to, flags);
}

/** What is there and what is not, and which of them a slash may follow. */
function mayMatch(from: Place, to: Place, flags: number): number {
  if (from.node === null) return nameErrno(from.name) || Errno.ENOENT;
  const unusable = to.node === null ? nameErrno(to.name) : 0;
  if (unusable !== 0) return unusable;
  if (to.node !== null && flags & RENAME_NOREPLACE) return Errno.EEXIST;
  if (to.node === null && flags & RENAME_EXCHANGE) return Errno.ENOENT;
  const isDirectory = isDir(from.node.data.mode);
  if (from.slash && !isDirectory) return Errno.ENOTDIR;
  const isTarget = flags & RENAME_EXCHANGE ? isDir((to.node as FSNode).data.mode) : isDirectory;
  return to.slash && !isTarget ? Errno.ENOTDIR : 0;
}

/** No directory becomes its own descendant. */
function mayNest(from: Place, to: Place, flags: number): number {
  if (isAbove(from.node as FSNode, to.parent)) return Errno.EINVAL;
  if (to.node === null || !isAbove(to.node, from.parent)) return 0;
  return flags & RENAME_EXCHANGE ? Errno.EINVAL : Errno.ENOTEMPTY;
}

function isAbove(node: FSNode, below: FSNode): boolean {
  for (let at = below; at !== node; at = at.parent) {
    if (at.parent === at) return false;
  }
  return true;
}

/** Permissions of the two directories, and of a directory whose ".." changes. */
function mayLeave(state: State, from: Place, to: Place, flags: number): number {
  const node = from.node as FSNode;
  const isDirectory = isDir(node.data.mode);
  if (to.node !== null && isSameInode(node, to.node)) return 0;
  const leaving = mayDelete(state, node, isDirectory);
  if (leaving !== 0) return leaving;
  const isExchange = (flags & RENAME_EXCHANGE) !== 0;
  const arriving = to.node === null
    ? mayCreate(state, to.parent)
    : mayDelete(state, to.node, isExchange ? isDir(to.node.data.mode) : isDirectory);
  if (arriving !== 0 || from.parent === to.parent) return arriving;
  const movesTarget = isExchange && isDir((to.node as FSNode).data.mode);
  return (isDirectory ? mayAccess(state, node, MAY_WRITE) : 0) ||
    (movesTarget ? mayAccess(state, to.node as FSNode, MAY_WRITE) : 0);
}

/** Whether two names lead to one inode. */
export function isSameInode(left: FSNode, right: FSNode): boolean {
  return left === right ||
    (left.mount === right.mount && left.data.ino === right.data.ino);
}

function moved(state: State, node: FSNode, to: Place): void {
  const { parent, name } = node;
  if (to.node !== null) detach(state, to.node);
  place(state, node, to.parent, to.name);
  if (state.watchers.size === 0) return;
  state.watchers.notify("delete", node, parent, name);
  state.watchers.notify("rename", node);
}

function exchanged(state: State, left: FSNode, right: FSNode): void {
  const { parent, name } = left;
  state.names.remove(left);
  place(state, left, right.parent, right.name);
  place(state, right, parent, name);
  state.watchers.notify("rename", left);
  state.watchers.notify("rename", right);
}

function place(state: State, node: FSNode, parent: FSNode, name: string): void {
  state.names.remove(node);
  node.parent = parent;
  node.name = name;
  state.names.add(node);
}

/** Describes to a delegate, in absolute paths, what a call is about to do or has done. */
export function pathAt(place: Place): string {
  const directory = getPath(place.parent);
  return `${directory === "/" ? "" : directory}/${place.name}`;
}
