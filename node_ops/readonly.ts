/**
 * Read-only: any backend, with every change refused by EROFS.
 *
 * Layer: node_ops, around another backend. `FS.mount(type, options, path, { readOnly: true })` does
 * the same for one mount; this is for handing a type to code that is not to be trusted with the
 * option.
 *
 * Use: `FS.mount(readOnly(MEMFS), {}, "/fixed")`.
 *
 * @module
 */
import { ErrnoError } from "../abi/errno.ts";
import { O_ACCMODE, O_RDONLY } from "../abi/flags.ts";
import type { Backend, FSNode, NodeOps, NodeRecord, StreamOps } from "../abi/node.ts";

function refuse(): never {
  throw new ErrnoError("EROFS", "change a read-only file system");
}

/** Ops of nodes that change something. */
const CHANGES = [
  "setattr",
  "mknod",
  "tmpfile",
  "symlink",
  "link",
  "unlink",
  "rmdir",
  "rename",
  "setxattr",
  "removexattr",
] as const;

/** Tables are made once for each table of the backend inside. */
class ReadOnlyTables<D extends NodeRecord> {
  readonly #nodeOps = new Map<NodeOps<D>, NodeOps<D>>();
  readonly #streamOps = new Map<StreamOps<D>, StreamOps<D>>();

  wrap(node: FSNode<D>): FSNode<D> {
    node.node_ops = this.#nodeTable(node.node_ops);
    node.stream_ops = this.#streamTable(node.stream_ops);
    return node;
  }

  #nodeTable(inner: NodeOps<D>): NodeOps<D> {
    const known = this.#nodeOps.get(inner);
    if (known !== undefined) return known;
    const table: NodeOps<D> = { ...inner };
    for (const name of CHANGES) if (inner[name] !== undefined) table[name] = refuse;
    const { lookup } = inner;
    if (lookup !== undefined) {
      table.lookup = (parent, name) => {
        const found = lookup(parent, name);
        return found === null ? null : this.wrap(found);
      };
    }
    this.#nodeOps.set(inner, table);
    return table;
  }

  #streamTable(inner: StreamOps<D>): StreamOps<D> {
    const known = this.#streamOps.get(inner);
    if (known !== undefined) return known;
    const table: StreamOps<D> = {
      ...inner,
      open(stream) {
        if ((stream.flags & O_ACCMODE) !== O_RDONLY) refuse();
        inner.open?.(stream);
      },
    };
    for (const name of ["write", "append", "allocate"] as const) {
      if (inner[name] !== undefined) table[name] = refuse;
    }
    this.#streamOps.set(inner, table);
    return table;
  }
}

/**
 * A backend that refuses every change.
 *
 * @example
 * ```ts
 * import { createFS, MEMFS, readOnly } from "@cairn/fs";
 * import { assertThrows } from "@std/assert";
 *
 * const FS = createFS();
 * FS.mkdir("/fixed");
 * FS.mount(readOnly(MEMFS), {}, "/fixed");
 * assertThrows(() => FS.mkdir("/fixed/d"), Error, "EROFS");
 * ```
 */
export function readOnly<O, D extends NodeRecord>(type: Backend<O, D>): Backend<O, D> {
  if (typeof type?.mount !== "function") throw new ErrnoError("EINVAL", "wrap what is no type");
  return {
    name: `${type.name} (read-only)`,
    mount: (options: O) => new ReadOnlyTables<D>().wrap(type.mount(options)),
    unmount: (root) => type.unmount?.(root),
  };
}
