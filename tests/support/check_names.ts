/**
 * The name table's invariants as code. F2: a root leads to every node in it. Each node is found by
 * its parent and name, and its pins are what holds it: cached children, descriptors, the current
 * directory, mounts.
 *
 * Layer: tests. Use: `assertEquals(checkNames(fs), [])`.
 *
 * @module
 */
import type { FSNode } from "../../abi/node.ts";
import type { FS } from "../../fs/fs.ts";

/** Every node of the table. */
export function* cachedNodes(fs: FS): Generator<FSNode> {
  for (const first of fs.nameTable) {
    for (let node = first; node !== null; node = node.name_next) yield node;
  }
}

/** What holds the nodes of an instance, by node. */
function holders(fs: FS, cached: Iterable<FSNode>): Map<FSNode, number> {
  const counts = new Map<FSNode, number>();
  const hold = (node: FSNode | null): void => {
    if (node !== null) counts.set(node, (counts.get(node) ?? 0) + 1);
  };
  for (const node of cached) hold(node.parent);
  for (const stream of fs.streams) hold(stream?.node ?? null);
  for (const mount of fs.mounts) {
    hold(mount.root);
    hold(mount.mountpoint);
  }
  hold(fs.directory);
  return counts;
}

/** Directories that a caller may walk from though they have no name any more. */
function starts(fs: FS): Set<FSNode> {
  const nodes = new Set<FSNode>(fs.mounts.map((mount) => mount.root));
  for (const stream of fs.streams) if (stream !== null) nodes.add(stream.node);
  if (fs.directory !== null) nodes.add(fs.directory);
  return nodes;
}

/** Every violation, in words; empty when all is right. Unreachable nodes are swept first. */
export function checkNames(fs: FS): string[] {
  fs.names.sweep();
  const cached = new Set(cachedNodes(fs));
  const [held, from] = [holders(fs, cached), starts(fs)];
  const wrong: string[] = [];
  if (cached.size !== fs.names.count) wrong.push(`${cached.size} nodes, ${fs.names.count} counted`);
  for (const node of cached) {
    if (!cached.has(node.parent) && !from.has(node.parent)) {
      wrong.push(`F2: "${node.name}" is lost`);
    }
    if (fs.names.get(node.parent, node.name) !== node) wrong.push(`"${node.name}" is not found`);
  }
  for (const node of new Set([...cached, ...held.keys()])) {
    const want = held.get(node) ?? 0;
    if (node.pins !== want) wrong.push(`"${node.name}" has ${node.pins} pins, ${want} hold it`);
  }
  return wrong;
}
