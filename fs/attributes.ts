/**
 * What an inode is, and changing it: stat, chmod, chown, truncate, times, access, on nodes already
 * found.
 *
 * Layer: fs, under the calls by path, by descriptor and by directory, which differ only in how they
 * find the node. A change is one `setattr`; the backend moves ctime.
 *
 * @module
 */
import type { Attr, AttrChange } from "../abi/attr.ts";
import { chmodMode, inGroup, modeWithoutPrivileges } from "../abi/credentials.ts";
import { ErrnoError } from "../abi/errno.ts";
import { F_OK, R_OK, UTIME_NOW, UTIME_OMIT, W_OK, X_OK } from "../abi/flags.ts";
import { isDir, isFile, MAY_WRITE, S_ISGID, S_ISUID } from "../abi/mode.ts";
import type { FSNode } from "../abi/node.ts";
import { byteCount, integer, refuse } from "./arguments.ts";
import { refresh } from "./lookup.ts";
import { hasContents, isPrivileged, mayAccess, mayChange } from "./permissions.ts";
import type { State } from "./state.ts";

/** What `st_blksize` says: a good size for one read or write. */
const BLOCK_SIZE = 4096;
const NS_PER_MS = 1e6;
const NS_PER_S = 1e9;
const MS_PER_S = 1000;
/** Same as UTIME_NOW and UTIME_OMIT, in the spelling of programs that count nanoseconds. */
const NOW = -1;
const OMIT = -2;

/** A time as [seconds, nanoseconds]; nanoseconds may be UTIME_NOW or -1, UTIME_OMIT or -2. */
export type TimeSpec = readonly [seconds: number, nanoseconds: number];

/** The answer of stat, lstat and fstat: Emscripten's fields, and times in three precisions. */
export class FSStat {
  /** Device number of the mount. */
  readonly dev: number;
  /** Inode number, unique within `dev`. */
  readonly ino: number;
  /** File type and permission bits. */
  readonly mode: number;
  /** How many names it has. */
  readonly nlink: number;
  /** Owner. */
  readonly uid: number;
  /** Group. */
  readonly gid: number;
  /** Device number of a device, else 0. */
  readonly rdev: number;
  /** Length in bytes. */
  readonly size: number;
  /** A good size for one read or write. */
  readonly blksize: number = BLOCK_SIZE;
  /** Space that it owns, in units of 512 bytes. */
  readonly blocks: number;
  /** Last read, in ms. */
  readonly atimeMs: number;
  /** Last change of contents, in ms. */
  readonly mtimeMs: number;
  /** Last change of anything, in ms. */
  readonly ctimeMs: number;

  /** From what a backend said, of a mount. */
  constructor(attr: Attr, dev: number) {
    this.dev = dev;
    this.ino = attr.ino;
    this.mode = attr.mode;
    this.nlink = attr.nlink;
    this.uid = attr.uid;
    this.gid = attr.gid;
    this.rdev = attr.rdev;
    this.size = attr.size;
    this.blocks = attr.blocks;
    this.atimeMs = attr.atime;
    this.mtimeMs = attr.mtime;
    this.ctimeMs = attr.ctime;
  }

  /** Last read. */
  get atime(): Date {
    return new Date(this.atimeMs);
  }

  /** Last change of contents. */
  get mtime(): Date {
    return new Date(this.mtimeMs);
  }

  /** Last change of anything. */
  get ctime(): Date {
    return new Date(this.ctimeMs);
  }

  /** Last read, in ns. */
  get atimeNs(): bigint {
    return toNs(this.atimeMs);
  }

  /** Last change of contents, in ns. */
  get mtimeNs(): bigint {
    return toNs(this.mtimeMs);
  }

  /** Last change of anything, in ns. */
  get ctimeNs(): bigint {
    return toNs(this.ctimeMs);
  }
}

/** Whole milliseconds and the rest apart, for a double does not hold their sum in ns. */
function toNs(ms: number): bigint {
  const whole = Math.floor(ms);
  return BigInt(whole) * BigInt(NS_PER_MS) + BigInt(Math.round((ms - whole) * NS_PER_MS));
}

/** The attributes of a node. */
export function statOf(node: FSNode): FSStat {
  return new FSStat(node.node_ops.getattr(node), node.mount.dev);
}

/** Changes attributes, or EPERM where the backend cannot. */
function setAttributes(state: State, call: string, node: FSNode, change: AttrChange): void {
  const set = node.node_ops.setattr ?? refuse("EPERM", call, node.name);
  set(node, change);
  if (state.watchers.size > 0) {
    state.watchers.notify(change.size === undefined ? "attrib" : "modify", node);
  }
}

function checkWritable(call: string, node: FSNode): void {
  if (node.mount.readOnly) refuse("EROFS", call, node.name);
}

/** chmod of a node: its owner or root. */
export function changeMode(state: State, call: string, node: FSNode, mode: number): void {
  integer(mode, call);
  checkWritable(call, node);
  const refused = mayChange(state, node);
  if (refused !== 0) refuse(refused, call, node.name);
  const caller = isPrivileged(state) ? { ...state.credentials, uid: 0 } : state.credentials;
  setAttributes(state, call, node, { mode: chmodMode(node.data, mode, caller) });
}

/**
 * chown of a node; -1 leaves an id alone. Root gives to all users, an owner only to groups of its own.
 * suid goes, and sgid where the group may execute, for every caller.
 */
export function changeOwner(
  state: State,
  call: string,
  node: FSNode,
  uid: number,
  gid: number,
): void {
  const owner = identity(uid, node.data.uid, call);
  const group = identity(gid, node.data.gid, call);
  checkWritable(call, node);
  if (!mayGive(state, node, owner, group, uid !== -1 || gid !== -1)) {
    refuse("EPERM", call, node.name);
  }
  const mode = modeWithoutPrivileges(node.data.mode);
  const change: AttrChange = { uid: owner, gid: group };
  if (mode !== node.data.mode && (uid !== -1 || gid !== -1)) change.mode = mode;
  setAttributes(state, call, node, change);
}

function identity(id: number, before: number, call: string): number {
  const value = integer(id, call);
  if (value === -1 || value === 0xffffffff) return before;
  return value < 0 || value > 0xffffffff ? refuse("EINVAL", call, id) : value;
}

function mayGive(
  state: State,
  node: FSNode,
  owner: number,
  group: number,
  isAsked: boolean,
): boolean {
  if (!isAsked || isPrivileged(state)) return true;
  const caller = state.credentials;
  return caller.uid === node.data.uid && owner === node.data.uid &&
    (group === node.data.gid || inGroup(caller, group));
}

/** Mode bits that go when an unprivileged user changes the contents; undefined if none do. */
function strippedMode(state: State, node: FSNode): number | undefined {
  const { mode } = node.data;
  if (!(mode & (S_ISUID | S_ISGID)) || isPrivileged(state)) return undefined;
  const stripped = modeWithoutPrivileges(mode);
  return stripped === mode ? undefined : stripped;
}

/** After a write by an unprivileged user: suid and sgid go, also such as others have just set. */
export function dropPrivileges(state: State, node: FSNode): void {
  if (isPrivileged(state)) return;
  if (!node.removed) refresh(node);
  const mode = strippedMode(state, node);
  if (mode !== undefined) setAttributes(state, "write", node, { mode });
}

/** Cuts or extends a file that may be written. EISDIR, EINVAL for what is no file, EFBIG. */
export function changeSize(state: State, call: string, node: FSNode, sizeBytes: number): void {
  const size = byteCount(sizeBytes, call);
  if (isDir(node.data.mode)) refuse("EISDIR", call, node.name);
  if (!isFile(node.data.mode)) refuse("EINVAL", call, node.name);
  checkWritable(call, node);
  const mode = strippedMode(state, node);
  if (state.maps.size > 0) state.maps.publish(node);
  setAttributes(state, call, node, mode === undefined ? { size } : { size, mode });
  if (state.maps.size > 0) state.maps.cut(node, size);
}

/** truncate by path, its size checked: changeSize, with write permission. */
export function truncateNode(state: State, call: string, node: FSNode, sizeBytes: number): void {
  const refused = isFile(node.data.mode) ? mayAccess(state, node, MAY_WRITE) : 0;
  if (refused !== 0) refuse(refused, call, node.name);
  changeSize(state, call, node, sizeBytes);
}

/** utimensat's rules, with times in ms; `null` is now and `undefined` leaves a time alone. */
export function changeTimes(
  state: State,
  call: string,
  node: FSNode,
  atimeMs: number | null | undefined,
  mtimeMs: number | null | undefined,
): void {
  if (atimeMs === undefined && mtimeMs === undefined) return;
  checkWritable(call, node);
  const isNow = atimeMs === null && mtimeMs === null;
  const refused = mayChange(state, node);
  if (refused !== 0 && !(isNow && mayAccess(state, node, MAY_WRITE) === 0)) {
    refuse(isNow ? "EACCES" : refused, call, node.name);
  }
  const now = state.clock();
  const change: AttrChange = {};
  if (atimeMs !== undefined) change.atime = atimeMs ?? now;
  if (mtimeMs !== undefined) change.mtime = mtimeMs ?? now;
  setAttributes(state, call, node, change);
}

/** A time in ms from [s, ns]: null for now, undefined to leave it alone. EINVAL. */
function timeOf(time: unknown, call: string): number | null | undefined {
  if (time === undefined || time === null) return null;
  if (!Array.isArray(time) || time.length !== 2) refuse("EINVAL", call);
  const [seconds, nanoseconds] = time as unknown[];
  if (nanoseconds === UTIME_NOW || nanoseconds === NOW) return null;
  if (nanoseconds === UTIME_OMIT || nanoseconds === OMIT) return undefined;
  const ns = integer(nanoseconds, call);
  if (ns < 0 || ns >= NS_PER_S) refuse("EINVAL", call, ns);
  return integer(seconds, call) * MS_PER_S + ns / NS_PER_MS;
}

/** Both times of a call. */
export function timesOf(
  atime: unknown,
  mtime: unknown,
  call: string,
): [atimeMs: number | null | undefined, mtimeMs: number | null | undefined] {
  return [timeOf(atime, call), timeOf(mtime, call)];
}

/** A time in ms as Emscripten gives it: a number or a Date; undefined for null. EINVAL. */
export function timeMs(time: unknown, call: string): number | undefined {
  if (time === null || time === undefined) return undefined;
  const ms = time instanceof Date ? time.getTime() : time;
  if (typeof ms !== "number" || !Number.isFinite(ms)) refuse("EINVAL", call);
  return ms;
}

/** What access may ask for: F_OK, or any of R_OK, W_OK, X_OK. EINVAL. */
export function checkAccessMode(call: string, mode: number): void {
  if (integer(mode, call) & ~(R_OK | W_OK | X_OK)) refuse("EINVAL", call, mode);
}

/** access, its mode checked. EACCES, EROFS. */
export function checkAccess(state: State, call: string, node: FSNode, mode: number): void {
  if (mode === F_OK) return;
  if (mode & W_OK && node.mount.readOnly && hasContents(node.data.mode)) {
    refuse("EROFS", call, node.name);
  }
  const refused = mayAccess(state, node, mode);
  if (refused !== 0) throw new ErrnoError(refused, call);
}
