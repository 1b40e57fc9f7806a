/**
 * MEMFS, rename: moves a name in one step, replaces what is there, or exchanges two names.
 *
 * Layer: node_ops, a part of `node_ops/memfs.ts`. All checks come before the first change. A name
 * that is replaced keeps its place in the listing, so a reader meets it once.
 *
 * @module
 */
import { ErrnoError } from "../abi/errno.ts";
import { RENAME_EXCHANGE, RENAME_NOREPLACE } from "../abi/flags.ts";
import { invariant } from "../abi/invariant.ts";
import { isDir } from "../abi/mode.ts";
import type { FSNode } from "../abi/node.ts";
import { MAX_LINKS, MemfsEntry, type MemfsInode } from "../stream_ops/memfs_inode.ts";

type Node = FSNode<MemfsInode>;

/** One rename, looked up: what moves, what is in its way. */
interface Move {
  from: MemfsInode;
  to: MemfsInode;
  source: MemfsEntry;
  target: MemfsEntry | undefined;
  newName: string;
}

/** `NodeOps.rename` of MEMFS. `flags`: 0, RENAME_NOREPLACE or RENAME_EXCHANGE. */
export function memfsRename(node: Node, newParent: Node, newName: string, flags: number): void {
  const from = (node.parent as Node).data;
  const to = newParent.data;
  const source = from.entries?.get(node.name);
  if (source === undefined || to.nlink === 0) throw refusal("ENOENT", node.name, newName);
  const target = to.entries!.get(newName);
  const move: Move = { from, to, source, target, newName };
  checkFlags(move, flags);
  if (target?.inode === source.inode) return;
  checkTree(node, newParent, move, flags);
  if (flags & RENAME_EXCHANGE) exchange(move, target!);
  else replace(move);
}

function refusal(
  code: "ENOENT" | "EEXIST" | "EINVAL" | "EISDIR" | "ENOTDIR" | "ENOTEMPTY" | "EMLINK",
  name: string,
  newName: string,
): ErrnoError {
  return new ErrnoError(code, `rename "${name}" to "${newName}"`);
}

function checkFlags({ source, target, newName }: Move, flags: number): void {
  const unknown = flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE);
  const both = (flags & RENAME_NOREPLACE) !== 0 && (flags & RENAME_EXCHANGE) !== 0;
  if (unknown !== 0 || both) throw refusal("EINVAL", source.name, newName);
  if (flags & RENAME_NOREPLACE && target !== undefined) {
    throw refusal("EEXIST", source.name, newName);
  }
  if (flags & RENAME_EXCHANGE && target === undefined) {
    throw refusal("ENOENT", source.name, newName);
  }
}

/** The tree stays a tree, kinds agree, and no directory gets too many subdirectories. */
function checkTree(node: Node, newParent: Node, move: Move, flags: number): void {
  const { source, target, newName } = move;
  if (isDir(source.inode.mode) && isInside(newParent, source.inode)) {
    throw refusal("EINVAL", source.name, newName);
  }
  const exchanges = (flags & RENAME_EXCHANGE) !== 0;
  if (target !== undefined && isDir(target.inode.mode) && isInside(node, target.inode)) {
    throw refusal(exchanges ? "EINVAL" : "ENOTEMPTY", source.name, newName);
  }
  if (target !== undefined && !exchanges) checkReplace(move, target);
  checkLinks(move, exchanges);
}

/** Whether `node` is the directory `ancestor` or below it. */
function isInside(node: FSNode, ancestor: MemfsInode): boolean {
  for (let at = node;; at = at.parent) {
    if (at.data === ancestor) return true;
    if (at.parent === at || at.mount !== at.parent.mount) return false;
  }
}

function checkReplace({ source, newName }: Move, target: MemfsEntry): void {
  const moves = isDir(source.inode.mode);
  const covers = isDir(target.inode.mode);
  if (covers && !moves) throw refusal("EISDIR", source.name, newName);
  if (moves && !covers) throw refusal("ENOTDIR", source.name, newName);
  if (covers && target.inode.entries!.size > 0) throw refusal("ENOTEMPTY", source.name, newName);
}

function checkLinks({ from, to, source, target, newName }: Move, exchanges: boolean): void {
  if (from === to) return;
  const moves = isDir(source.inode.mode) ? 1 : 0;
  const comes = target !== undefined && isDir(target.inode.mode) ? 1 : 0;
  const tooMany = to.nlink + moves - comes > MAX_LINKS ||
    exchanges && from.nlink + comes - moves > MAX_LINKS;
  if (tooMany) throw refusal("EMLINK", source.name, newName);
}

/** Moves the count of a subdirectory from one parent to another. */
function moveLink(inode: MemfsInode, from: MemfsInode, to: MemfsInode): void {
  if (!isDir(inode.mode)) return;
  invariant(from.nlink > 2, "F3: a directory that is moved was not counted");
  from.nlink--;
  to.nlink++;
}

function exchange({ from, to, source }: Move, other: MemfsEntry): void {
  from.entries!.set(source.name, new MemfsEntry(source.name, source.cursor, other.inode));
  to.entries!.set(other.name, new MemfsEntry(other.name, other.cursor, source.inode));
  moveLink(source.inode, from, to);
  moveLink(other.inode, to, from);
  touch(from, to, source.inode);
  other.inode.ctime = to.ctime;
}

function replace({ from, to, source, target, newName }: Move): void {
  from.entries!.delete(source.name);
  if (target === undefined) to.enter(newName, source.inode);
  else to.entries!.set(newName, new MemfsEntry(newName, target.cursor, source.inode));
  moveLink(source.inode, from, to);
  touch(from, to, source.inode);
  if (target !== undefined) dropReplaced(target.inode, to);
}

function touch(from: MemfsInode, to: MemfsInode, moved: MemfsInode): void {
  to.modified();
  from.mtime = from.ctime = moved.ctime = to.ctime;
}

function dropReplaced(inode: MemfsInode, parent: MemfsInode): void {
  invariant(inode.nlink > 0, "F3: what is replaced has no names");
  if (isDir(inode.mode)) {
    inode.nlink = 0;
    parent.nlink--;
  } else {
    inode.nlink--;
  }
  inode.ctime = parent.ctime;
  parent.store.release(inode);
}
