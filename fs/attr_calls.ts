/**
 * Calls on what inodes are, by path: stat, chmod, chown, truncate, times, access, space, xattrs.
 *
 * Layer: fs; third link of the chain. The work is in `attributes.ts`, and the same calls by
 * descriptor are in `stream_calls.ts`. Where Emscripten takes a path or a node, so do these.
 *
 * @module
 */
import type { StatFs } from "../abi/attr.ts";
import { O_PATH, XATTR_CREATE, XATTR_REPLACE } from "../abi/flags.ts";
import { isDir, isFile, MAY_READ, MAY_WRITE } from "../abi/mode.ts";
import { type FSNode, FSStream } from "../abi/node.ts";
import { xattrNameCode } from "../abi/xattr_name.ts";
import { byteCount, bytesOf, isNode, NAME_MAX, refuse } from "./arguments.ts";
import {
  changeMode,
  changeOwner,
  changeTimes,
  checkAccess,
  checkAccessMode,
  type FSStat,
  statOf,
  timeMs,
  timeOf,
  type TimeSpec,
  truncateNode,
} from "./attributes.ts";
import { find, FOLLOW } from "./lookup.ts";
import { NodeCalls } from "./node_calls.ts";
import { mayAccess } from "./permissions.ts";
import type { State } from "./state.ts";

const XATTR_SIZE_MAX = 65536;

/** Space of a mounted file system, with the fields of C's struct statfs beside ours. */
export interface FSStatFs extends StatFs {
  /** Same as blockSize. */
  bsize: number;
  /** Same as blockSize. */
  frsize: number;
  /** Same as freeBlocks. */
  bfree: number;
  /** Same as freeBlocks. */
  bavail: number;
  /** Same as inodes. */
  files: number;
  /** Same as freeInodes. */
  ffree: number;
  /** Number of the mount. */
  fsid: number;
  /** 1 if the mount is read-only. */
  flags: number;
  /** Longest name, in bytes. */
  namelen: number;
}

/** Calls on attributes. */
export class AttrCalls extends NodeCalls {
  /** The attributes of what the path leads to; of the link itself with `dontFollow`. */
  stat(path: string | FSNode, dontFollow?: boolean): FSStat {
    return statOf(nodeAt(this, "stat", path, !dontFollow));
  }

  /** The attributes of the link itself. */
  lstat(path: string): FSStat {
    return statOf(find(this, "lstat", path, 0));
  }

  /** Changes permission bits; type bits stay. EPERM unless owner or root. */
  chmod(path: string | FSNode, mode: number, dontFollow?: boolean): void {
    changeMode(this, "chmod", nodeAt(this, "chmod", path, !dontFollow), mode);
  }

  /** Changes permission bits of the link itself, where the backend keeps them. */
  lchmod(path: string, mode: number): void {
    changeMode(this, "lchmod", nodeAt(this, "lchmod", path, false), mode);
  }

  /** Changes owner and group; -1 leaves one alone. EPERM. */
  chown(path: string | FSNode, uid: number, gid: number, dontFollow?: boolean): void {
    changeOwner(this, "chown", nodeAt(this, "chown", path, !dontFollow), uid, gid);
  }

  /** Changes owner and group of the link itself. */
  lchown(path: string, uid: number, gid: number): void {
    changeOwner(this, "lchown", nodeAt(this, "lchown", path, false), uid, gid);
  }

  /** Cuts or extends a file. EISDIR, EINVAL, EFBIG, EACCES, EROFS. */
  truncate(path: string | FSNode, sizeBytes: number): void {
    byteCount(sizeBytes, "truncate");
    truncateNode(this, "truncate", nodeAt(this, "truncate", path, true), sizeBytes);
  }

  /** Sets times in ms (or as a Date); null leaves one alone. */
  utime(
    path: string,
    atime: number | Date | null,
    mtime: number | Date | null,
    dontFollow = false,
  ): void {
    const times = [timeMs(atime, "utime"), timeMs(mtime, "utime")] as const;
    changeTimes(this, "utime", nodeAt(this, "utime", path, !dontFollow), ...times);
  }

  /** Sets times as [s, ns] with UTIME_NOW and UTIME_OMIT; absent is now. */
  utimens(path: string, atime?: TimeSpec, mtime?: TimeSpec): void {
    const times = [timeOf(atime, "utimens"), timeOf(mtime, "utimens")] as const;
    changeTimes(this, "utimens", nodeAt(this, "utimens", path, true), ...times);
  }

  /** The same for the link itself. */
  lutimens(path: string, atime?: TimeSpec, mtime?: TimeSpec): void {
    const times = [timeOf(atime, "lutimens"), timeOf(mtime, "lutimens")] as const;
    changeTimes(this, "lutimens", nodeAt(this, "lutimens", path, false), ...times);
  }

  /** Whether the caller may: F_OK, or any of R_OK, W_OK, X_OK. EACCES, EROFS. */
  access(path: string, mode: number): void {
    checkAccessMode("access", mode);
    checkAccess(this, "access", find(this, "access", path, FOLLOW), mode);
  }

  /** Space of the file system that holds the path. */
  statfs(path: string): FSStatFs {
    return this.statfsNode(find(this, "statfs", path, FOLLOW));
  }

  /** Space of the file system that holds an open file. */
  statfsStream(stream: FSStream): FSStatFs {
    if (!(stream instanceof FSStream)) refuse("EBADF", "statfs");
    return this.statfsNode(stream.node);
  }

  /** Space of the file system that holds the node. */
  statfsNode(node: FSNode): FSStatFs {
    const { mount } = nodeAt(this, "statfs", node, true);
    if (mount.dev === 0) refuse("EINVAL", "statfs of a node that is not mounted");
    const { root, dev, readOnly } = mount;
    const space = root.node_ops.statfs?.(root) ?? UNKNOWN_SPACE;
    return {
      ...space,
      bsize: space.blockSize,
      frsize: space.blockSize,
      bfree: space.freeBlocks,
      bavail: space.freeBlocks,
      files: space.inodes,
      ffree: space.freeInodes,
      fsid: dev,
      flags: readOnly ? 1 : 0,
      namelen: NAME_MAX,
    };
  }

  /** Value of an extended attribute, by path or descriptor. ENODATA if there is none. */
  getxattr(file: string | number | FSNode, name: string): Uint8Array {
    const node = fileAt(this, "getxattr", file);
    checkXattr(this, "getxattr", node, name, MAY_READ);
    const get = node.node_ops.getxattr ?? refuse("ENOTSUP", "getxattr", name);
    return get(node, name) ?? refuse("ENODATA", "getxattr", name);
  }

  /** Sets an extended attribute `user.*`; `flags` is 0, XATTR_CREATE or XATTR_REPLACE. */
  setxattr(
    file: string | number | FSNode,
    name: string,
    value: ArrayBufferView,
    flags = 0,
  ): void {
    const node = fileAt(this, "setxattr", file);
    const bytes = bytesOf(value, "setxattr");
    if (![0, XATTR_CREATE, XATTR_REPLACE].includes(flags)) refuse("EINVAL", "setxattr", flags);
    checkXattr(this, "setxattr", node, name, MAY_WRITE);
    if (bytes.length > XATTR_SIZE_MAX) refuse("E2BIG", "setxattr", name);
    const set = node.node_ops.setxattr ?? refuse("ENOTSUP", "setxattr", name);
    set(node, name, bytes, flags);
    this.watchers.tell("attrib", node);
  }

  /** Names of the extended attributes. */
  listxattr(file: string | number | FSNode): string[] {
    const node = fileAt(this, "listxattr", file);
    return node.node_ops.listxattr?.(node) ?? [];
  }

  /** Removes an extended attribute. ENODATA if there is none. */
  removexattr(file: string | number | FSNode, name: string): void {
    const node = fileAt(this, "removexattr", file);
    checkXattr(this, "removexattr", node, name, MAY_WRITE);
    const remove = node.node_ops.removexattr ?? refuse("ENOTSUP", "removexattr", name);
    if (!remove(node, name)) refuse("ENODATA", "removexattr", name);
    this.watchers.tell("attrib", node);
  }
}

/** What a file system says of its space that does not know it. */
const UNKNOWN_SPACE: StatFs = {
  blockSize: 4096,
  blocks: 1_000_000,
  freeBlocks: 500_000,
  inodes: 1_000_000,
  freeInodes: 500_000,
};

/** The node that is given or that the path leads to. */
export function nodeAt(
  state: State,
  call: string,
  path: string | FSNode,
  follows: boolean,
): FSNode {
  return isNode(path) ? path : find(state, call, path, follows ? FOLLOW : 0);
}

/** The same, or what a descriptor has open. EBADF. */
function fileAt(state: State, call: string, file: string | number | FSNode): FSNode {
  if (typeof file !== "number") return nodeAt(state, call, file, true);
  const open = state.descriptors.get(file);
  if (open === null || open.flags & O_PATH) refuse("EBADF", call, file);
  return open.node;
}

/** user.* on files and directories, with the permission that the contents need. */
function checkXattr(
  state: State,
  call: string,
  node: FSNode,
  name: unknown,
  wanted: number,
): void {
  if (typeof name !== "string") refuse("EINVAL", call, name);
  const code = xattrNameCode(name, ["user."]);
  if (code !== null) refuse(code, call, name);
  if (!isFile(node.data.mode) && !isDir(node.data.mode)) refuse("EPERM", call, name);
  if (wanted === MAY_WRITE && node.mount.readOnly) refuse("EROFS", call, name);
  const refused = mayAccess(state, node, wanted);
  if (refused !== 0) refuse(refused, call, name);
}
