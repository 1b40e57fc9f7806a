/**
 * GETATTR and SETATTR.
 *
 * Layer: adapters/fuse. Whether a change is allowed the kernel has decided (`default_permissions`);
 * what a change of owner or size takes away is ours, by the arithmetic of `abi/credentials.ts`.
 *
 * @module
 */
import { type AttrChange, type Ino, modeWithoutPrivileges } from "../../mod.ts";
import { type Context, requirePosition } from "./context.ts";
import { Fattr, SETATTR_IN } from "./protocol.ts";
import type { Reply } from "./reply.ts";
import type { Request } from "./request.ts";

/** All that a SETATTR may change. */
const CHANGES = Fattr.MODE | Fattr.UID | Fattr.GID | Fattr.SIZE | Fattr.ATIME | Fattr.MTIME;

/** GETATTR. */
export function getattr(context: Context, request: Request, reply: Reply): void {
  replyAttr(context, request.nodeId, reply);
}

/** SETATTR. */
export function setattr(context: Context, request: Request, reply: Reply): void {
  const { volume } = context;
  const change = changeOf(context, request);
  if (takesPrivileges(context, request) && change.mode === undefined) {
    const { mode } = volume.getattr(request.nodeId);
    if (modeWithoutPrivileges(mode) !== mode) change.mode = modeWithoutPrivileges(mode);
  }
  if (Object.keys(change).length > 0) {
    volume.setattr(request.nodeId, change);
    context.isDirty = true;
  }
  replyAttr(context, request.nodeId, reply);
}

function replyAttr(context: Context, ino: Ino, reply: Reply): void {
  const attr = context.volume.getattr(ino);
  context.inodes.noteMode(ino, attr.mode);
  reply.endAttr(context.entryOf(ino, attr));
}

function changeOf({ clock, owners }: Context, request: Request): AttrChange {
  const valid = request.u32(SETATTR_IN.VALID);
  const change: AttrChange = {};
  if (valid & Fattr.MODE) change.mode = request.u32(SETATTR_IN.MODE);
  if (valid & Fattr.UID) change.uid = owners.uid(request.u32(SETATTR_IN.UID));
  if (valid & Fattr.GID) change.gid = owners.gid(request.u32(SETATTR_IN.GID));
  if (valid & Fattr.SIZE) {
    change.size = request.u64(SETATTR_IN.SIZE);
    requirePosition(change.size, "cut a file");
  }
  if (valid & Fattr.ATIME_NOW) change.atime = clock();
  else if (valid & Fattr.ATIME) {
    change.atime = timeAt(request, SETATTR_IN.ATIME, SETATTR_IN.ATIME_NS);
  }
  if (valid & Fattr.MTIME_NOW) change.mtime = clock();
  else if (valid & Fattr.MTIME) {
    change.mtime = timeAt(request, SETATTR_IN.MTIME, SETATTR_IN.MTIME_NS);
  }
  return change;
}

function timeAt(request: Request, at: number, atNs: number): number {
  return request.i64(at) * 1000 + request.u32(atNs) / 1_000_000;
}

/**
 * A new owner takes setuid and setgid away, for every caller, a new size only if the caller is not
 * privileged. The functions that distinguish bits leave directories alone.
 *
 * A request without any change comes before a write that has such bits or a capability to take away.
 * The write would take them, but its answer says nothing of modes, and the kernel would go on
 * showing the old one; the answer to this request does.
 */
function takesPrivileges(context: Context, request: Request): boolean {
  const valid = request.u32(SETATTR_IN.VALID);
  if (valid & (Fattr.UID | Fattr.GID)) return true;
  if ((valid & CHANGES) === 0) return request.uid !== 0;
  if (context.saysWhoIsPrivileged) return (valid & Fattr.KILL_SUIDGID) !== 0;
  return (valid & Fattr.SIZE) !== 0 && request.uid !== 0;
}

/** Takes setuid and setgid away, if they are there. */
export function dropPrivileges({ volume, inodes }: Context, ino: Ino): void {
  if (!inodes.mayHavePrivileges(ino)) return;
  const { mode } = volume.getattr(ino);
  const kept = modeWithoutPrivileges(mode);
  if (kept !== mode) volume.setattr(ino, { mode: kept });
  inodes.noteMode(ino, kept);
}
