/**
 * Calls on what inodes are, by path: stat, chmod, chown, truncate, times, access.
 *
 * Layer: fs, a group of calls. The work is in `attributes.ts`, and the same calls by descriptor are in
 * `descriptor_calls.ts`. Where Emscripten takes a path or a node, so do these.
 *
 * @module
 */
import type { FSNode } from "../abi/node.ts";
import { byteCount } from "./arguments.ts";
import {
  changeMode,
  changeOwner,
  changeTimes,
  checkAccess,
  checkAccessMode,
  type FSStat,
  statOf,
  timeMs,
  timesOf,
  type TimeSpec,
  truncateNode,
} from "./attributes.ts";
import { find, FOLLOW, nodeAt } from "./lookup.ts";
import type { State } from "./state.ts";

/** Calls on attributes. */
export interface AttrCalls {
  /** The attributes of what the path leads to; of the link itself with `dontFollow`. */
  stat(path: string | FSNode, dontFollow?: boolean): FSStat;

  /** The attributes of the link itself. */
  lstat(path: string): FSStat;

  /** Changes permission bits; type bits stay. EPERM unless owner or root. */
  chmod(path: string | FSNode, mode: number, dontFollow?: boolean): void;

  /** Changes permission bits of the link itself, where the backend keeps them. */
  lchmod(path: string, mode: number): void;

  /** Changes owner and group; -1 leaves one alone. EPERM. */
  chown(path: string | FSNode, uid: number, gid: number, dontFollow?: boolean): void;

  /** Changes owner and group of the link itself. */
  lchown(path: string, uid: number, gid: number): void;

  /** Cuts or extends a file. EISDIR, EINVAL, EFBIG, EACCES, EROFS. */
  truncate(path: string | FSNode, sizeBytes: number): void;

  /** Sets times in ms (or as a Date); null leaves one alone. */
  utime(
    path: string,
    atime: number | Date | null,
    mtime: number | Date | null,
    dontFollow?: boolean,
  ): void;

  /** Sets times as [s, ns] with UTIME_NOW and UTIME_OMIT; absent is now. */
  utimens(path: string, atime?: TimeSpec, mtime?: TimeSpec): void;

  /** The same for the link itself. */
  lutimens(path: string, atime?: TimeSpec, mtime?: TimeSpec): void;

  /** Whether the caller may: F_OK, or any of R_OK, W_OK, X_OK. EACCES, EROFS. */
  access(path: string, mode: number): void;
}

/** The calls; `this` is the instance. */
export const ATTR_CALLS: AttrCalls & ThisType<State> = {
  stat(path, dontFollow) {
    return statOf(nodeAt(this, "stat", path, !dontFollow));
  },

  lstat(path) {
    return statOf(find(this, "lstat", path, 0));
  },

  chmod(path, mode, dontFollow) {
    changeMode(this, "chmod", nodeAt(this, "chmod", path, !dontFollow), mode);
  },

  lchmod(path, mode) {
    changeMode(this, "lchmod", nodeAt(this, "lchmod", path, false), mode);
  },

  chown(path, uid, gid, dontFollow) {
    changeOwner(this, "chown", nodeAt(this, "chown", path, !dontFollow), uid, gid);
  },

  lchown(path, uid, gid) {
    changeOwner(this, "lchown", nodeAt(this, "lchown", path, false), uid, gid);
  },

  truncate(path, sizeBytes) {
    byteCount(sizeBytes, "truncate");
    truncateNode(this, "truncate", nodeAt(this, "truncate", path, true), sizeBytes);
  },

  utime(path, atime, mtime, dontFollow = false) {
    const times = [timeMs(atime, "utime"), timeMs(mtime, "utime")] as const;
    changeTimes(this, "utime", nodeAt(this, "utime", path, !dontFollow), ...times);
  },

  utimens(path, atime, mtime) {
    const times = timesOf(atime, mtime, "utimens");
    changeTimes(this, "utimens", nodeAt(this, "utimens", path, true), ...times);
  },

  lutimens(path, atime, mtime) {
    const times = timesOf(atime, mtime, "lutimens");
    changeTimes(this, "lutimens", nodeAt(this, "lutimens", path, false), ...times);
  },

  access(path, mode) {
    checkAccessMode("access", mode);
    checkAccess(this, "access", find(this, "access", path, FOLLOW), mode);
  },
};
