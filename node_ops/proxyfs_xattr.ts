/**
 * PROXYFS, the extended attributes: asked of the other side, where it has them.
 *
 * Layer: node_ops, beside `node_ops/proxyfs.ts`. An open file is reached by its descriptor, because
 * its name may be gone.
 *
 * @module
 */
import { isErrnoError } from "../abi/errno.ts";
import type { FSNode, NodeOps } from "../abi/node.ts";
import type { PathCalls } from "../abi/path_calls.ts";
import { type ProxyRecord, there } from "../stream_ops/proxyfs.ts";

type Node = FSNode<ProxyRecord>;

/** The calls over a file system that has all four; none over one that lacks any. */
export function proxyXattrOps(
  fs: PathCalls,
  fileOf: (node: Node) => string | number,
): Partial<NodeOps<ProxyRecord>> {
  const { getxattr, setxattr, listxattr, removexattr } = fs;
  if (!getxattr || !setxattr || !listxattr || !removexattr) return {};
  return {
    getxattr: (node, name) =>
      unlessMissing("getxattr", null, () => getxattr.call(fs, fileOf(node), name)),
    setxattr: (node, name, value, flags) =>
      there("setxattr", () => setxattr.call(fs, fileOf(node), name, value, flags)),
    listxattr: (node) => there("listxattr", () => listxattr.call(fs, fileOf(node))),
    removexattr: (node, name) =>
      unlessMissing("removexattr", false, () => {
        removexattr.call(fs, fileOf(node), name);
        return true;
      }),
  };
}

/** What the other side answers; `otherwise` if it says that there is no such attribute. */
function unlessMissing<R>(action: string, otherwise: R, call: () => R): R {
  try {
    return there(action, call);
  } catch (error) {
    if (isErrnoError(error) && error.code === "ENODATA") return otherwise;
    throw error;
  }
}
