/**
 * Calls on extended attributes, by path or descriptor.
 *
 * Layer: fs, a group of calls. Which names there are is said by `abi/xattr_name.ts`.
 *
 * @module
 */
import { O_PATH, XATTR_CREATE, XATTR_REPLACE } from "../abi/flags.ts";
import { isDir, isFile, MAY_READ, MAY_WRITE } from "../abi/mode.ts";
import type { FSNode } from "../abi/node.ts";
import { FS_NAMESPACES, XATTR_VALUE_MAX, xattrNameCode } from "../abi/xattr_name.ts";
import { bytesOf, refuse } from "./arguments.ts";
import { nodeAt } from "./lookup.ts";
import { mayAccess } from "./permissions.ts";
import type { State } from "./state.ts";

/** Calls on extended attributes. */
export interface XattrCalls {
  /** Value of an extended attribute, by path or descriptor. ENODATA if it is missing. */
  getxattr(file: string | number | FSNode, name: string): Uint8Array;

  /** Sets an extended attribute `user.*`; `flags` is 0, XATTR_CREATE or XATTR_REPLACE. */
  setxattr(
    file: string | number | FSNode,
    name: string,
    value: ArrayBufferView,
    flags?: number,
  ): void;

  /** Names of the extended attributes. */
  listxattr(file: string | number | FSNode): string[];

  /** Removes an extended attribute. ENODATA if it is missing. */
  removexattr(file: string | number | FSNode, name: string): void;
}

/** The calls; `this` is the instance. */
export const XATTR_CALLS: XattrCalls & ThisType<State> = {
  getxattr(file, name) {
    const node = fileAt(this, "getxattr", file);
    checkXattr(this, "getxattr", node, name, MAY_READ);
    const get = node.node_ops.getxattr ?? refuse("ENOTSUP", "getxattr", name);
    return get(node, name) ?? refuse("ENODATA", "getxattr", name);
  },

  setxattr(file, name, value, flags = 0) {
    const node = fileAt(this, "setxattr", file);
    const bytes = bytesOf(value, "setxattr");
    if (![0, XATTR_CREATE, XATTR_REPLACE].includes(flags)) refuse("EINVAL", "setxattr", flags);
    checkXattr(this, "setxattr", node, name, MAY_WRITE);
    if (bytes.length > XATTR_VALUE_MAX) refuse("E2BIG", "setxattr", name);
    const set = node.node_ops.setxattr ?? refuse("ENOTSUP", "setxattr", name);
    set(node, name, bytes, flags);
    this.watchers.notify("attrib", node);
  },

  listxattr(file) {
    const node = fileAt(this, "listxattr", file);
    return node.node_ops.listxattr?.(node) ?? [];
  },

  removexattr(file, name) {
    const node = fileAt(this, "removexattr", file);
    checkXattr(this, "removexattr", node, name, MAY_WRITE);
    const remove = node.node_ops.removexattr ?? refuse("ENOTSUP", "removexattr", name);
    if (!remove(node, name)) refuse("ENODATA", "removexattr", name);
    this.watchers.notify("attrib", node);
  },
};

/** The node that is given, that the path leads to, or that a descriptor has open. EBADF. */
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
  const code = xattrNameCode(name, FS_NAMESPACES);
  if (code !== null) refuse(code, call, name);
  if (!isFile(node.data.mode) && !isDir(node.data.mode)) refuse("EPERM", call, name);
  if (wanted === MAY_WRITE && node.mount.readOnly) refuse("EROFS", call, name);
  const refused = mayAccess(state, node, wanted);
  if (refused !== 0) refuse(refused, call, name);
}
