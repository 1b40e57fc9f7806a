/**
 * Everything that a copy should carry, of a tree on the host or in a volume, as plain values.
 *
 * Layer: tests. Use: `assertEquals(treeView(one, root), treeView(other, root))`.
 *
 * @module
 */
import { isDir, isFile, isLink } from "../../abi/mode.ts";
import type { Entry, SourceTree } from "../../cli/trees/tree_ops.ts";

/** One name of a tree. */
export interface Seen {
  mode: string;
  owner: string;
  size: number;
  rdev: number;
  times: [atime: number, mtime: number];
  target: string | null;
  xattrs: string[];
  /** The path at which the inode was seen first. */
  first: string;
  /** Where data begins and ends, and what it is. */
  data: [start: number, end: number, sum: number][];
}

/** All names below a directory, and the directory itself as "". */
export function treeView<N>(tree: SourceTree<N>, root: Entry<N>): Record<string, Seen> {
  const seen: Record<string, Seen> = {};
  const firsts = new Map<string, string>();
  const waiting: [path: string, entry: Entry<N>][] = [["", root]];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const [path, entry] = next;
    if (!firsts.has(entry.key)) firsts.set(entry.key, path);
    seen[path] = viewOf(tree, entry, firsts.get(entry.key)!);
    if (!isDir(entry.attr.mode)) continue;
    for (const name of tree.names(entry.node)) {
      waiting.push([`${path}/${name}`, tree.look(entry.node, name)!]);
    }
  }
  return seen;
}

function viewOf<N>(tree: SourceTree<N>, entry: Entry<N>, first: string): Seen {
  const { mode, uid, gid, size, rdev, atime, mtime } = entry.attr;
  const xattrs = tree.xattrs(entry.node).map(([name, value]) => `${name}=${value}`).sort();
  return {
    mode: mode.toString(8),
    owner: `${uid}:${gid}`,
    size: isDir(mode) ? 0 : size,
    rdev,
    times: [atime, mtime],
    target: isLink(mode) ? tree.readlink(entry.node) : null,
    xattrs,
    first,
    data: isFile(mode) ? dataOf(tree, entry) : [],
  };
}

function dataOf<N>(tree: SourceTree<N>, entry: Entry<N>): Seen["data"] {
  const contents = tree.open(entry);
  const data: Seen["data"] = [];
  try {
    for (let at = contents.dataAt(0); at >= 0 && at < entry.attr.size;) {
      const end = Math.min(contents.holeAt(at), entry.attr.size);
      const bytes = new Uint8Array(end - at);
      contents.read(bytes, at);
      data.push([at, end, bytes.reduce((sum, byte, index) => (sum * 31 + byte + index) | 0, 0)]);
      at = contents.dataAt(end);
    }
  } finally {
    contents.close();
  }
  return data;
}
