/**
 * A seeded mix of calls, made on a volume and on the model side by side.
 *
 * Layer: tests. Each step picks a call, predicts its outcome with the model, makes it, and compares.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { isErrnoError } from "../../abi/errno.ts";
import type { VolumeOps } from "../../opfs/volume_ops.ts";
import { isDirectory, type ModelNode, modelNode } from "./model_tree.ts";
import type { Prng } from "./prng.ts";

const FILE = 0o100644;
const DIRECTORY = 0o040755;

/** Two volumes that must stay alike: a real one and the model. */
export class Pair {
  /** The real one; replaced at a remount. */
  volume: VolumeOps;
  /** The model's root. */
  readonly root: ModelNode = modelNode(DIRECTORY);
  readonly #random: Prng;
  readonly #sizeMax: number;

  /** Begins with an empty volume. */
  constructor(volume: VolumeOps, random: Prng, sizeMax = 40_000) {
    this.volume = volume;
    this.#random = random;
    this.#sizeMax = sizeMax;
  }

  /** One call on both; returns what was done, for the log. */
  step(): string {
    const call = this.#random.pick(CALLS);
    switch (call) {
      case "create":
        return this.#create();
      case "write":
        return this.#write();
      case "truncate":
        return this.#truncate();
      case "unlink":
        return this.#remove();
      case "rename":
        return this.#rename();
      case "link":
        return this.#link();
      default:
        return this.#chmod();
    }
  }

  /** A directory, with its inode. */
  #directory(): { node: ModelNode; ino: number; path: string } {
    let node = this.root;
    let ino = this.volume.root;
    let path = "";
    while (this.#random.below(3) > 0) {
      const children = [...node.entries].filter(([, child]) => isDirectory(child));
      if (children.length === 0) break;
      const [name, child] = this.#random.pick(children);
      ino = this.volume.lookup(ino, name);
      node = child;
      path += `/${name}`;
    }
    return { node, ino, path };
  }

  #name(): string {
    return this.#random.pick(NAMES);
  }

  #file(): { node: ModelNode; ino: number; path: string } | null {
    const directory = this.#directory();
    const files = [...directory.node.entries].filter(([, child]) => (child.mode >> 12) === 8);
    if (files.length === 0) return null;
    const [name, node] = this.#random.pick(files);
    const ino = this.volume.lookup(directory.ino, name);
    return { node, ino, path: `${directory.path}/${name}` };
  }

  #create(): string {
    const { node, ino, path } = this.#directory();
    const name = this.#name();
    const mode = this.#random.pick([FILE, FILE, FILE, DIRECTORY, 0o120777, 0o010600]);
    const target = mode === 0o120777 ? `../${name}` : undefined;
    const uid = this.#random.below(5);
    const options = { mode, uid, gid: 0, target };
    const error = attempt(() => void this.volume.create(ino, name, options));
    assertEquals(error, node.entries.has(name) ? "EEXIST" : "", `create ${path}/${name}`);
    if (error === "") node.entries.set(name, modelNode(mode, uid, target));
    return `create ${path}/${name} ${mode.toString(8)}`;
  }

  #write(): string {
    const file = this.#file();
    if (file === null) return "nothing to write";
    const { node, ino, path } = file;
    const at = this.#random.below(2) === 0
      ? node.bytes.length
      : this.#random.below(this.#random.pick([100, 5000, this.#sizeMax]));
    const bytes = new Uint8Array(
      1 + this.#random.below(this.#random.pick([10, 5000, 20_000, this.#sizeMax >> 1])),
    );
    this.#random.fill(bytes);
    assertEquals(this.volume.write(ino, bytes, at), bytes.length);
    const grown = new Uint8Array(Math.max(node.bytes.length, at + bytes.length));
    grown.set(node.bytes);
    grown.set(bytes, at);
    node.bytes = grown;
    return `write ${path} ${bytes.length} at ${at}`;
  }

  #truncate(): string {
    const file = this.#file();
    if (file === null) return "nothing to truncate";
    const { node, ino, path } = file;
    const size = this.#random.below(this.#random.pick([100, 5000, this.#sizeMax]));
    this.volume.setattr(ino, { size });
    const bytes = new Uint8Array(size);
    bytes.set(node.bytes.subarray(0, size));
    node.bytes = bytes;
    return `truncate ${path} to ${size}`;
  }

  #remove(): string {
    const { node, ino, path } = this.#directory();
    const name = this.#name();
    const child = node.entries.get(name);
    const isDir = child !== undefined && isDirectory(child);
    const error = attempt(() =>
      isDir ? this.volume.rmdir(ino, name) : this.volume.unlink(ino, name)
    );
    const expected = child === undefined ? "ENOENT" : child.entries.size > 0 ? "ENOTEMPTY" : "";
    assertEquals(error, expected, `remove ${path}/${name}`);
    if (error === "") node.entries.delete(name);
    return `remove ${path}/${name}`;
  }

  #rename(): string {
    const from = this.#directory();
    const to = this.#directory();
    const name = this.#name();
    const newName = this.#name();
    const flags = this.#random.pick([0, 0, 0, 1, 2]);
    const error = attempt(() => this.volume.rename(from.ino, name, to.ino, newName, flags));
    const text = `rename ${from.path}/${name} ${to.path}/${newName} ${flags}`;
    assertEquals(error, renameModel(from.node, name, to.node, newName, flags), text);
    return text;
  }

  #link(): string {
    const file = this.#file();
    if (file === null) return "nothing to link";
    const to = this.#directory();
    const name = this.#name();
    const error = attempt(() => this.volume.link(file.ino, to.ino, name));
    assertEquals(error, to.node.entries.has(name) ? "EEXIST" : "", `link ${to.path}/${name}`);
    if (error === "") to.node.entries.set(name, file.node);
    return `link ${file.path} ${to.path}/${name}`;
  }

  #chmod(): string {
    const file = this.#file();
    if (file === null) return "nothing to chmod";
    const bits = this.#random.below(0o10000);
    this.volume.setattr(file.ino, { mode: bits, uid: bits & 7 });
    file.node.mode = file.node.mode & ~0o7777 | bits;
    file.node.uid = bits & 7;
    return `chmod ${file.path} ${bits.toString(8)}`;
  }
}

const CALLS = [
  "create",
  "create",
  "create",
  "write",
  "write",
  "write",
  "truncate",
  "unlink",
  "unlink",
  "rename",
  "rename",
  "link",
  "chmod",
] as const;

const NAMES = ["a", "b", "c", "d", "é", "a much longer name than the others", "x".repeat(255)];

/** What POSIX says of a rename; moves the name if that is nothing. */
function renameModel(
  from: ModelNode,
  name: string,
  to: ModelNode,
  newName: string,
  flags: number,
): string {
  const source = from.entries.get(name);
  const replaced = to.entries.get(newName);
  if (source === undefined) return "ENOENT";
  if (replaced !== undefined && flags === 1) return "EEXIST";
  if (replaced === undefined && flags === 2) return "ENOENT";
  if (isInside(source, to)) return "EINVAL";
  if (flags === 2 && isInside(replaced!, from)) return "EINVAL";
  if (source === replaced) return "";
  if (flags === 2) {
    from.entries.set(name, replaced!);
    to.entries.set(newName, source);
    return "";
  }
  if (replaced !== undefined) {
    if (isDirectory(source) && !isDirectory(replaced)) return "ENOTDIR";
    if (!isDirectory(source) && isDirectory(replaced)) return "EISDIR";
    if (replaced.entries.size > 0) return "ENOTEMPTY";
  }
  from.entries.delete(name);
  to.entries.set(newName, source);
  return "";
}

function isInside(outer: ModelNode, node: ModelNode): boolean {
  if (outer === node) return true;
  return [...outer.entries.values()].some((child) => isDirectory(child) && isInside(child, node));
}

function attempt(call: () => void): string {
  try {
    call();
    return "";
  } catch (error) {
    if (!isErrnoError(error)) throw error;
    return error.code;
  }
}
