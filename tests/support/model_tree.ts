/**
 * The oracle: a volume as plain objects, without blocks, slots or a device.
 *
 * Layer: tests. It says what a sequence of calls must give. Names lead to numbers of its own; a test
 * walks a real volume with `treeOf` and compares with `model.tree()`.
 *
 * @module
 */
import type { VolumeOps } from "../../opfs/volume_ops.ts";

/** What a tree shows of one inode: everything that a remount must bring back. */
export interface Shown {
  /** Type and permission bits. */
  mode: number;
  /** Link count. */
  nlink: number;
  /** Owner. */
  uid: number;
  /** Length. */
  size: number;
  /** Contents of a file as a checksum, or a link's target. */
  contents: string;
}

/** An inode of the model. */
export interface ModelNode {
  /** Type and permission bits. */
  mode: number;
  /** Owner. */
  uid: number;
  /** Contents. */
  bytes: Uint8Array;
  /** A link's target. */
  target: string;
  /** Entries of a directory. */
  entries: Map<string, ModelNode>;
}

/** A new inode of the model. */
export function modelNode(mode: number, uid = 0, target = ""): ModelNode {
  return { mode, uid, bytes: new Uint8Array(0), target, entries: new Map() };
}

const DIRECTORY = 0o040000;
const LINK = 0o120000;
const KIND = 0o170000;

/** Whether it is a directory. */
export function isDirectory(node: ModelNode): boolean {
  return (node.mode & KIND) === DIRECTORY;
}

/** All names under `root`, with what they show. */
export function modelTree(root: ModelNode): Map<string, Shown> {
  const names = new Map<ModelNode, number>();
  const count = (node: ModelNode): void => {
    for (const child of node.entries.values()) {
      names.set(child, (names.get(child) ?? 0) + 1);
      count(child);
    }
  };
  count(root);
  const tree = new Map<string, Shown>();
  const visit = (path: string, node: ModelNode): void => {
    const subdirectories = [...node.entries.values()].filter(isDirectory).length;
    const nlink = isDirectory(node) ? 2 + subdirectories : names.get(node)!;
    const isLink = (node.mode & KIND) === LINK;
    const contents = isLink ? node.target : hashOf(node.bytes);
    const size = isDirectory(node) ? 0 : isLink ? byteLength(node.target) : node.bytes.length;
    tree.set(path, { mode: node.mode, nlink, uid: node.uid, size, contents });
    for (const [name, child] of node.entries) visit(`${path}/${name}`, child);
  };
  visit("", root);
  return new Map([...tree].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** How two trees differ, one line a path; "" if they do not. */
export function differences(actual: Map<string, Shown>, expected: Map<string, Shown>): string {
  const lines: string[] = [];
  for (const path of new Set([...actual.keys(), ...expected.keys()])) {
    const [is, shouldBe] = [actual, expected].map((tree) => JSON.stringify(tree.get(path)));
    if (is !== shouldBe) lines.push(`${path.slice(-40)}: ${is} should be ${shouldBe}`);
  }
  return lines.join("\n");
}

/** All names of a volume, with what they show. */
export function treeOf(volume: VolumeOps): Map<string, Shown> {
  const tree = new Map<string, Shown>();
  const visit = (path: string, ino: number): void => {
    const { mode, nlink, uid, size } = volume.getattr(ino);
    let contents = hashOf(new Uint8Array(0));
    if ((mode & KIND) === LINK) contents = volume.readlink(ino);
    else if ((mode & KIND) === 0o100000) contents = hashOf(contentsOf(volume, ino));
    tree.set(path, { mode, nlink, uid, size, contents });
    if ((mode & KIND) !== DIRECTORY) return;
    for (let after = 0;;) {
      const entries = volume.readdir(ino, after);
      if (entries.length === 0) break;
      for (const entry of entries) visit(`${path}/${entry.name}`, volume.lookup(ino, entry.name));
      after = entries.at(-1)!.cursor;
    }
  };
  visit("", volume.root);
  return new Map([...tree].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** All bytes of a file. */
export function contentsOf(volume: VolumeOps, ino: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(volume.getattr(ino).size);
  const read = volume.read(ino, bytes, 0);
  if (read !== bytes.length) throw new Error(`read ${read} of ${bytes.length} bytes`);
  return bytes;
}

/** A short name for a sequence of bytes. */
export function hashOf(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < bytes.length; index++) {
    hash = Math.imul(hash ^ bytes[index]!, 0x01000193);
  }
  return (hash >>> 0).toString(16);
}
