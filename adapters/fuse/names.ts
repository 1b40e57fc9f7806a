/**
 * What is done with names: LOOKUP and FORGET, everything that makes a name, moves it, takes it away.
 *
 * Layer: adapters/fuse. Owner and mode of something new come from `abi/credentials.ts`, as they do
 * in `fs/`.
 *
 * @module
 */
import {
  type CreateOptions,
  ErrnoError,
  type Ino,
  newMode,
  newOwner,
  O_EXCL,
  O_TRUNC,
  PERMISSION_BITS,
  RENAME_EXCHANGE,
  S_IFDIR,
  S_IFLNK,
  S_IFREG,
} from "../../mod.ts";
import type { Context } from "./context.ts";
import { searchParent } from "./inodes.ts";
import * as P from "./protocol.ts";
import type { Reply } from "./reply.ts";
import type { Request } from "./request.ts";

const ALL_PERMISSIONS = 0o777;

/** LOOKUP. "." and ".." come from servers of file handles, which know an inode but no name. */
export function lookup(context: Context, request: Request, reply: Reply): void {
  const parent = request.nodeId;
  // No volume holds a name that is not UTF-8.
  const name = request.textOrNull(0);
  if (name === "." || name === "..") {
    reply.endEntry(context.registerEntry(name === "." ? parent : above(context, parent), 0));
    return;
  }
  const found = name === null ? 0 : context.volume.lookup(parent, name);
  if (found === 0) reply.endAbsent(context.validMs);
  else reply.endEntry(context.registerEntry(found, parent));
}

function above({ inodes, volume }: Context, directory: Ino): Ino {
  const known = inodes.parentOf(directory);
  if (known !== 0) return known;
  const found = searchParent(volume, directory);
  if (found === 0) throw new ErrnoError("ESTALE", "find where a directory stands");
  inodes.moved(directory, found);
  return found;
}

/** FORGET. */
export function forget({ inodes }: Context, request: Request): void {
  inodes.forget(request.nodeId, request.u64(P.FORGET_IN.LOOKUPS));
}

/** BATCH_FORGET. */
export function batchForget({ inodes }: Context, request: Request): void {
  const count = request.u32(P.BATCH_FORGET_IN.COUNT);
  for (let index = 0; index < count; index++) {
    const at = P.BATCH_FORGET_IN.FIRST + index * P.FORGET_ONE.BYTES;
    const ino = request.u64(at + P.FORGET_ONE.NODE_ID);
    inodes.forget(ino, request.u64(at + P.FORGET_ONE.LOOKUPS));
  }
}

/** MKNOD. */
export function mknod(context: Context, request: Request, reply: Reply): void {
  const mode = request.u32(P.MKNOD_IN.MODE);
  const umask = request.u32(P.MKNOD_IN.UMASK);
  const rdev = request.u32(P.MKNOD_IN.RDEV);
  const ino = make(context, request, { nameAt: P.MKNOD_IN.NAME, mode, umask, rdev });
  reply.endEntry(context.registerEntry(ino, request.nodeId));
}

/** MKDIR. */
export function mkdir(context: Context, request: Request, reply: Reply): void {
  const mode = S_IFDIR | request.u32(P.MKDIR_IN.MODE) & PERMISSION_BITS;
  const umask = request.u32(P.MKDIR_IN.UMASK);
  const ino = make(context, request, { nameAt: P.MKDIR_IN.NAME, mode, umask });
  reply.endEntry(context.registerEntry(ino, request.nodeId));
}

/** SYMLINK. */
export function symlink(context: Context, request: Request, reply: Reply): void {
  const target = request.text(request.textAfter(0));
  const mode = S_IFLNK | ALL_PERMISSIONS;
  const ino = make(context, request, { nameAt: 0, mode, umask: 0, target });
  reply.endEntry(context.registerEntry(ino, request.nodeId));
}

/** CREATE. The kernel asks for it where it has seen no file; if there is one it is opened. */
export function create(context: Context, request: Request, reply: Reply): void {
  const { volume } = context;
  const flags = request.u32(P.CREATE_IN.FLAGS);
  const mode = S_IFREG | request.u32(P.CREATE_IN.MODE) & PERMISSION_BITS;
  const umask = request.u32(P.CREATE_IN.UMASK);
  const nameAt = P.CREATE_IN.NAME;
  let ino = flags & O_EXCL ? 0 : volume.lookup(request.nodeId, request.text(nameAt));
  if (ino === 0) ino = make(context, request, { nameAt, mode, umask });
  else if (flags & O_TRUNC) {
    volume.setattr(ino, { size: 0 });
    context.isDirty = true;
  }
  reply.endCreated(context.registerEntry(ino, request.nodeId));
}

/** TMPFILE: a file without a name. With O_EXCL it never gets one. */
export function tmpfile(context: Context, request: Request, reply: Reply): void {
  const { volume } = context;
  const mode = S_IFREG | request.u32(P.CREATE_IN.MODE) & PERMISSION_BITS;
  const umask = request.u32(P.CREATE_IN.UMASK);
  const isLinkable = (request.u32(P.CREATE_IN.FLAGS) & O_EXCL) === 0;
  const parent = volume.getattr(request.nodeId);
  const caller = context.callerOf(request, umask);
  const options = { ...newOwner(parent, caller), mode: newMode(mode, parent, caller), isLinkable };
  const ino = volume.tmpfile(request.nodeId, options);
  try {
    reply.endCreated(context.registerEntry(ino, 0));
  } finally {
    volume.release(ino);
  }
}

interface Making {
  nameAt: number;
  mode: number;
  umask: number;
  rdev?: number;
  target?: string;
}

function make(context: Context, request: Request, making: Making): Ino {
  const { volume } = context;
  const { nameAt, umask, ...rest } = making;
  const parent = volume.getattr(request.nodeId);
  const caller = context.callerOf(request, umask);
  const options: CreateOptions = {
    ...rest,
    ...newOwner(parent, caller),
    mode: newMode(making.mode, parent, caller),
  };
  const ino = volume.create(request.nodeId, request.text(nameAt), options);
  context.isDirty = true;
  return ino;
}

/** LINK. */
export function link(context: Context, request: Request, reply: Reply): void {
  const ino = request.u64(P.LINK_IN.OLD_NODE_ID);
  context.volume.link(ino, request.nodeId, request.text(P.LINK_IN.NAME));
  context.isDirty = true;
  reply.endEntry(context.registerEntry(ino, request.nodeId));
}

/** UNLINK. */
export function unlink(context: Context, request: Request): void {
  context.volume.unlink(request.nodeId, request.text(0));
  context.isDirty = true;
}

/** RMDIR. */
export function rmdir(context: Context, request: Request): void {
  context.volume.rmdir(request.nodeId, request.text(0));
  context.isDirty = true;
}

/** RENAME. */
export function rename(context: Context, request: Request): void {
  move(context, request, { namesAt: P.RENAME_IN.NAMES, flags: 0 });
}

/** RENAME2. */
export function rename2(context: Context, request: Request): void {
  const flags = request.u32(P.RENAME2_IN.FLAGS);
  move(context, request, { namesAt: P.RENAME2_IN.NAMES, flags });
}

function move(
  context: Context,
  request: Request,
  { namesAt, flags }: { namesAt: number; flags: number },
): void {
  const { volume, inodes } = context;
  const parent = request.nodeId;
  const newParent = request.u64(P.RENAME2_IN.NEW_PARENT);
  const name = request.text(namesAt);
  const newName = request.text(request.textAfter(namesAt));
  const moved = parent === newParent ? 0 : volume.lookup(parent, name);
  const swapped = flags === RENAME_EXCHANGE ? volume.lookup(newParent, newName) : 0;
  volume.rename(parent, name, newParent, newName, flags);
  context.isDirty = true;
  if (parent === newParent) return;
  inodes.moved(moved, newParent);
  inodes.moved(swapped, parent);
}

/** READLINK. */
export function readlink({ volume }: Context, request: Request, reply: Reply): void {
  reply.endText(volume.readlink(request.nodeId));
}
