/**
 * A backend without `fs/`: attaches what it returns, so that its ops can be called one by one.
 *
 * @module
 */
import {
  type FSNode,
  FSStream,
  type Mount,
  type NodeRecord,
  type StreamOps,
} from "../../abi/node.ts";

/** Gives a root its mount, as FS.mount does. */
export function attachRoot<D extends NodeRecord>(root: FSNode<D>, readOnly = false): FSNode<D> {
  const mount: Mount = {
    dev: 1,
    root,
    mountpoint: null,
    readOnly,
    type: { name: "bare", mount: () => root },
    opts: {},
  };
  root.mount = mount;
  return root;
}

/** Gives a node its place, as the path walk does. */
export function attach<D extends NodeRecord>(
  parent: FSNode<D>,
  name: string,
  node: FSNode<D>,
): FSNode<D> {
  node.parent = parent;
  node.name = name;
  node.mount = parent.mount;
  return node;
}

/** The child of a name that is there. */
export function child<D extends NodeRecord>(parent: FSNode<D>, name: string): FSNode<D> {
  return attach(parent, name, parent.node_ops.lookup!(parent, name)!);
}

/** An open stream over a node. */
export function openBare<D extends NodeRecord>(
  node: FSNode<D>,
  flags = 2,
  ops: StreamOps<D> = node.stream_ops,
): FSStream<D> {
  const stream = new FSStream(node, { flags, position: 0, descriptors: 1 }, `/${node.name}`);
  stream.stream_ops = ops;
  ops.open?.(stream);
  return stream;
}
