/**
 * Who calls, and the arithmetic of ownership: pure functions of numbers.
 *
 * Layer: abi. Shared by `fs/` and the kernel mount, so that both give a new file the same owner and
 * take the same bits away. Whether a call is allowed is decided in `fs/permissions.ts`.
 *
 * @module
 */
import type { Attr, Owner } from "./attr.ts";
import { isDir, S_ISGID, S_ISUID } from "./mode.ts";

/** The caller of a file-system call. */
export interface Credentials {
  /** Effective user id; 0 is root. */
  uid: number;
  /** Effective group id. */
  gid: number;
  /** Supplementary groups. */
  groups: readonly number[];
  /** Bits taken from the mode of whatever is created. */
  umask: number;
}

/** How permission bits are looked at: see docs/SEMANTICS.md. */
export type PermissionMode = "posix" | "emscripten" | "none";

/** Whether the caller belongs to group `gid`. */
export function inGroup(caller: Credentials, gid: number): boolean {
  return caller.gid === gid || caller.groups.includes(gid);
}

/** Owner of something new in a directory: a setgid directory gives its group. */
export function newOwner(parent: { mode: number; gid: number }, caller: Credentials): Owner {
  return { uid: caller.uid, gid: parent.mode & S_ISGID ? parent.gid : caller.gid };
}

/**
 * Mode of something new: umask taken off. In a setgid directory a directory is setgid too, and an
 * executable file keeps setgid only if its maker belongs to the group that it gets.
 * `mode` has its type bits.
 */
export function newMode(
  mode: number,
  parent: { mode: number; gid: number },
  caller: Credentials,
): number {
  const masked = mode & ~(caller.umask & 0o777);
  if (!(parent.mode & S_ISGID)) return masked;
  if (isDir(mode)) return masked | S_ISGID;
  const mayKeep = caller.uid === 0 || inGroup(caller, parent.gid) || !(mode & 0o010);
  return mayKeep ? masked : masked & ~S_ISGID;
}

/**
 * Mode after chmod: type bits stay, and a caller who is neither root nor in the file's group
 * cannot set setgid.
 */
export function chmodMode(
  attr: { mode: number; gid: number },
  bits: number,
  caller: Credentials,
): number {
  const keepsSetgid = caller.uid === 0 || inGroup(caller, attr.gid);
  return (attr.mode & ~0o7777) | (bits & (keepsSetgid ? 0o7777 : 0o5777));
}

/**
 * Mode after a write, truncate or chown by an unprivileged user: suid goes, and sgid too
 * where the group may execute (without that bit it means mandatory locking, and stays).
 */
export function modeWithoutPrivileges(mode: number): number {
  if (isDir(mode)) return mode;
  const kept = mode & ~S_ISUID;
  return kept & 0o010 ? kept & ~S_ISGID : kept;
}

/** Whether the caller owns the inode or is root. */
export function ownsOrIsRoot(attr: Pick<Attr, "uid">, caller: Credentials): boolean {
  return caller.uid === 0 || caller.uid === attr.uid;
}
