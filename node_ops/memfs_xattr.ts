/**
 * MEMFS, extended attributes: small named values on files and directories.
 *
 * Layer: node_ops, a part of `node_ops/memfs.ts`. Which names are kept is said by `abi/xattr_name.ts`. Values
 * count against `maxBytes`.
 *
 * @module
 */
import { ErrnoError } from "../abi/errno.ts";
import { XATTR_CREATE, XATTR_REPLACE } from "../abi/flags.ts";
import { isDir, isFile } from "../abi/mode.ts";
import type { FSNode, NodeOps } from "../abi/node.ts";
import type { MemfsInode } from "../stream_ops/memfs_inode.ts";
import { utf8Length } from "../abi/utf8.ts";
import { FS_NAMESPACES, XATTR_VALUE_MAX, xattrNameCode } from "../abi/xattr_name.ts";

type Node = FSNode<MemfsInode>;

function checkText(name: string): void {
  const code = xattrNameCode(name, FS_NAMESPACES);
  if (code !== null) throw new ErrnoError(code, `use attribute "${name}"`);
}

function checkName(node: Node, name: string): void {
  checkText(name);
  const { mode } = node.data;
  if (!isFile(mode) && !isDir(mode)) throw new ErrnoError("EPERM", `use attribute "${name}"`);
}

function getxattr(node: Node, name: string): Uint8Array | null {
  checkText(name);
  return node.data.xattrs?.get(name)?.slice() ?? null;
}

function checkFlags(name: string, flags: number, exists: boolean): void {
  if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) !== 0) {
    throw new ErrnoError("EINVAL", `set attribute "${name}" with flags ${flags}`);
  }
  if (exists && flags & XATTR_CREATE) throw new ErrnoError("EEXIST", `create attribute "${name}"`);
  if (!exists && flags & XATTR_REPLACE) {
    throw new ErrnoError("ENODATA", `replace attribute "${name}"`);
  }
}

/** What an attribute counts: its name and its value. */
function costOf(name: string, value: Uint8Array | undefined): number {
  return value === undefined ? 0 : utf8Length(name) + value.length;
}

function setxattr(node: Node, name: string, value: Uint8Array, flags: number): void {
  checkName(node, name);
  const inode = node.data;
  const known = inode.xattrs?.get(name);
  checkFlags(name, flags, known !== undefined);
  if (value.length > XATTR_VALUE_MAX) throw new ErrnoError("E2BIG", `set attribute "${name}"`);
  const grownBytes = costOf(name, value) - costOf(name, known);
  if (grownBytes > 0 && !inode.store.pool.charge(grownBytes)) {
    throw new ErrnoError("ENOSPC", `set attribute "${name}"`);
  }
  if (grownBytes < 0) inode.store.pool.refund(-grownBytes);
  inode.chargedBytes += grownBytes;
  (inode.xattrs ??= new Map()).set(name, value.slice());
  inode.ctime = inode.store.tick();
}

function listxattr(node: Node): string[] {
  return [...node.data.xattrs?.keys() ?? []];
}

function removexattr(node: Node, name: string): boolean {
  checkName(node, name);
  const inode = node.data;
  const known = inode.xattrs?.get(name);
  if (known === undefined) return false;
  inode.xattrs!.delete(name);
  inode.store.pool.refund(costOf(name, known));
  inode.chargedBytes -= costOf(name, known);
  inode.ctime = inode.store.tick();
  return true;
}

/** The four calls, for every kind of node. */
export const memfsXattrOps: Pick<
  NodeOps<MemfsInode>,
  "getxattr" | "setxattr" | "listxattr" | "removexattr"
> = { getxattr, setxattr, listxattr, removexattr };
