/**
 * Random calls by several users, as data, and how to make them on FS and on the model.
 *
 * A call names descriptors by slot, not by number, so a sequence still makes sense when some of it is
 * left out: that is how a failing one is shrunk.
 *
 * @module
 */
import type { FS } from "../../fs/fs.ts";
import type { FSStream } from "../../abi/node.ts";
import { type ModelFile, ModelFS, type ModelNode } from "../support/model_fs.ts";
import type { Random } from "../support/random.ts";

/** One call. */
export interface Call {
  call: string;
  path: string;
  other: string;
  slot: number;
  flags: number;
  mode: number;
  /** Sizes, positions, ids. */
  a: number;
  b: number;
}

const ROOT = { uid: 0, gid: 0, groups: [] };
const USERS = [
  ROOT,
  ROOT,
  ROOT,
  { uid: 1000, gid: 1000, groups: [50] },
  { uid: 1001, gid: 1001, groups: [50, 60] },
  { uid: 1002, gid: 50, groups: [] },
];
const SLOTS = 6;
const ON_STREAMS = new Set(["close", "dup", "read", "write", "seek", "ftruncate", "fstat"]);
const NAMES = ["a", "b", "c", "dd"];
const CALLS = [
  ["user", 6],
  ["umask", 1],
  ["mkdir", 7],
  ["rmdir", 2],
  ["unlink", 3],
  ["symlink", 2],
  ["link", 4],
  ["rename", 8],
  ["open", 14],
  ["close", 3],
  ["dup", 1],
  ["read", 5],
  ["write", 7],
  ["seek", 2],
  ["ftruncate", 2],
  ["truncate", 2],
  ["chmod", 4],
  ["chown", 3],
  ["lchown", 1],
  ["access", 2],
  ["stat", 3],
  ["lstat", 2],
  ["fstat", 2],
  ["readlink", 1],
  ["readdir", 3],
] as const;
const WEIGHTED: string[] = CALLS.flatMap(([name, weight]) => Array<string>(weight).fill(name));
const MODES = [
  ...[0o777, 0o777, 0o777, 0o755, 0o755, 0o666, 0o644, 0o700, 0o600, 0o4755, 0o2777, 0o6777],
  ...[0o1777, 0o070, 0o007, 0],
];
const FLAGS = [
  0,
  2,
  0o102,
  0o102,
  0o2102,
  1,
  2,
  0o101,
  0o102,
  0o1102,
  0o302,
  0o2101,
  0o2102,
  0o1001,
  0o400000,
  0o400102,
];

function randomPath(random: Random): string {
  const depth = random.pick([1, 1, 1, 2, 2, 3]);
  let path = "";
  for (let level = 0; level < depth; level++) {
    path += random.oneIn(20) ? random.pick(["/.", "/.."]) : `/${random.pick(NAMES)}`;
  }
  return random.oneIn(20) ? `${path}/` : path;
}

/** A random call. */
export function randomCall(random: Random): Call {
  const call = random.pick(WEIGHTED);
  const path = randomPath(random);
  const other = call === "symlink" && random.oneIn(2)
    ? `${random.pick(["", "../", "./"])}${random.pick(NAMES)}${random.oneIn(6) ? "/" : ""}`
    : randomPath(random);
  return {
    call,
    path,
    other,
    slot: random.below(SLOTS),
    flags: call === "rename" ? random.pick([0, 0, 0, 1, 2]) : random.pick(FLAGS),
    mode: random.pick(MODES),
    a: random.pick([random.below(20), random.below(9000), random.below(70_000)]),
    b: random.pick([-1, random.below(100), random.below(10_000)]),
  };
}

/** What a call gave: a value that can be compared. */
export type Outcome = string | number | readonly unknown[];

function bytesFor(call: Call): Uint8Array<ArrayBuffer> {
  return new Uint8Array(call.a).fill(1 + call.slot + call.mode % 200);
}

function sum(bytes: Uint8Array): string {
  let hash = 7;
  for (const byte of bytes) hash = Math.imul(hash, 31) + byte | 0;
  return `${bytes.length}:${hash}`;
}

function ids(call: Call): [number, number] {
  const uid = call.b % 3 === 0 ? 1000 + call.a % 3 : -1;
  return [uid, uid === -1 || call.slot % 2 === 0 ? [0, 50, 60, 1000, 1001][call.a % 5]! : -1];
}

/** A position, or none: then the stream's own. */
function positionOf(call: Call): number | null {
  return call.b < 0 ? null : call.b;
}

/** Makes calls on FS. */
export class RealCaller {
  readonly fs: FS;
  readonly #slots: (FSStream | null)[] = Array(SLOTS).fill(null);

  constructor(fs: FS) {
    this.fs = fs;
  }

  #stat(stat: ReturnType<FS["stat"]>): Outcome {
    const { mode, nlink, uid, gid, size, mtimeMs, ctimeMs } = stat;
    const isDir = (mode & 0o170000) === 0o040000;
    return [mode, nlink, uid, gid, isDir ? 0 : size, mtimeMs, ctimeMs];
  }

  /** Everything that the tree shows, path by path. */
  tree(path = "/"): Record<string, Outcome> {
    const shown: Record<string, Outcome> = { [path]: this.#stat(this.fs.lstat(path)) };
    const { mode } = this.fs.lstat(path);
    if ((mode & 0o170000) === 0o100000) shown[`${path} bytes`] = sum(this.fs.readFile(path));
    if ((mode & 0o170000) !== 0o040000) return shown;
    for (const name of this.fs.readdir(path).slice(2)) {
      Object.assign(shown, this.tree(`${path === "/" ? "" : path}/${name}`));
    }
    return shown;
  }

  /** Whether there is a descriptor in the slot. */
  has(slot: number): boolean {
    return this.#slots[slot] !== null;
  }

  /** Makes the call; an error is its name. */
  make(call: Call): Outcome {
    try {
      return this.#make(call) ?? "ok";
    } catch (error) {
      const { name, code } = error as { name?: string; code?: string };
      if (name !== "ErrnoError") throw error;
      return code!;
    }
  }

  #make(call: Call): Outcome | void {
    const { fs } = this;
    const { path, other, flags, mode } = call;
    const [uid, gid] = ids(call);
    switch (call.call) {
      case "user":
        return fs.setCredentials(USERS[call.a % USERS.length]!);
      case "umask":
        return fs.umask([0, 0o022, 0o077, 0o027][call.slot % 4]!) * 0;
      case "mkdir":
        return void fs.mkdir(path, mode & 0o1777);
      case "rmdir":
        return fs.rmdir(path);
      case "unlink":
        return fs.unlink(path);
      case "symlink":
        return void fs.symlink(other, path);
      case "link":
        return void fs.link(other, path);
      case "rename":
        return fs.rename(other, path, flags);
      case "truncate":
        return fs.truncate(path, call.a);
      case "chmod":
        return fs.chmod(path, mode);
      case "chown":
        return fs.chown(path, uid, gid);
      case "lchown":
        return fs.lchown(path, uid, gid);
      case "access":
        return fs.access(path, call.a & 7);
      case "stat":
        return this.#stat(fs.stat(path));
      case "lstat":
        return this.#stat(fs.lstat(path));
      case "readlink":
        return fs.readlink(path);
      case "readdir":
        return fs.readdir(path).sort();
      default:
        return this.#onStream(call);
    }
  }

  #onStream(call: Call): Outcome | void {
    const { fs } = this;
    const stream = this.#slots[call.slot] ?? null;
    if (call.call === "open") {
      if (stream !== null) fs.close(stream);
      this.#slots[call.slot] = null;
      this.#slots[call.slot] = fs.open(call.path, call.flags, call.mode);
      return;
    }
    if (stream === null) return "no stream";
    switch (call.call) {
      case "close":
        this.#slots[call.slot] = null;
        return fs.close(stream);
      case "dup": {
        const target = call.a % SLOTS;
        if (this.#slots[target] !== null) return "taken";
        this.#slots[target] = fs.dup(stream);
        return;
      }
      case "read": {
        const into = new Uint8Array(call.a);
        const count = fs.read(stream, into, 0, call.a, positionOf(call) ?? undefined);
        return sum(into.subarray(0, count));
      }
      case "write":
        return fs.write(stream, bytesFor(call), 0, call.a, positionOf(call) ?? undefined);
      case "seek":
        return fs.llseek(stream, call.a, 0);
      case "ftruncate":
        return fs.ftruncate(stream, call.a);
      case "fstat":
        return this.#stat(fs.fstat(stream));
    }
  }
}

/** Makes the calls on several instances that show one tree: each call on one of them. */
export class SeveralCallers {
  readonly #callers: readonly RealCaller[];
  /** Which instance has the descriptor of a slot. */
  readonly #owners: number[] = Array(SLOTS).fill(0);
  #next = 0;

  constructor(instances: readonly FS[]) {
    this.#callers = instances.map((fs) => new RealCaller(fs));
  }

  /** Makes the call; an error is its name. */
  make(call: Call): Outcome {
    if (call.call === "user" || call.call === "umask") {
      return this.#callers.map((caller) => caller.make(call))[0]!;
    }
    this.#next = (this.#next + call.slot + 1) % this.#callers.length;
    const owner = this.#owners[call.slot]!;
    if (call.call === "open") return this.#open(call, owner);
    if (!ON_STREAMS.has(call.call)) return this.#callers[this.#next]!.make(call);
    if (call.call !== "dup") return this.#callers[owner]!.make(call);
    const target = call.a % SLOTS;
    const isTaken = this.#callers[this.#owners[target]!]!.has(target);
    if (this.#callers[owner]!.has(call.slot) && isTaken) return "taken";
    if (this.#callers[owner]!.has(call.slot)) this.#owners[target] = owner;
    return this.#callers[owner]!.make(call);
  }

  #open(call: Call, owner: number): Outcome {
    this.#callers[owner]!.make({ ...call, call: "close" });
    this.#owners[call.slot] = this.#next;
    return this.#callers[this.#next]!.make(call);
  }
}

/** Makes the same calls on the model. */
export class ModelCaller {
  readonly model: ModelFS = new ModelFS();
  readonly #slots: (ModelFile | null)[] = Array(SLOTS).fill(null);

  #stat(node: ModelNode): Outcome {
    const type = { file: 0o100000, dir: 0o040000, link: 0o120000 }[node.type];
    const size = node.type === "link" ? node.target.length : node.bytes.length;
    return [type | node.mode, node.nlink, node.uid, node.gid, size, node.mtime, node.ctime];
  }

  /** Everything that the tree shows, path by path. */
  tree(path = "/", node: ModelNode = this.model.root): Record<string, Outcome> {
    const shown: Record<string, Outcome> = { [path]: this.#stat(node) };
    if (node.type === "file") shown[`${path} bytes`] = sum(node.bytes);
    for (const [name, child] of node.entries) {
      Object.assign(shown, this.tree(`${path === "/" ? "" : path}/${name}`, child));
    }
    return shown;
  }

  /** Makes the call; an error is its name. */
  make(call: Call): Outcome {
    try {
      return this.#make(call) ?? "ok";
    } catch (error) {
      if (typeof error !== "string") throw error;
      return error;
    }
  }

  #make(call: Call): Outcome | void {
    const { model } = this;
    const { path, other, flags, mode } = call;
    const [uid, gid] = ids(call);
    switch (call.call) {
      case "user":
        model.user = USERS[call.a % USERS.length]!;
        return;
      case "umask":
        model.umask = [0, 0o022, 0o077, 0o027][call.slot % 4]!;
        return 0;
      case "mkdir":
        return model.mkdir(path, mode);
      case "rmdir":
        return model.rmdir(path);
      case "unlink":
        return model.unlink(path);
      case "symlink":
        return model.symlink(other, path);
      case "link":
        return model.link(other, path);
      case "rename":
        return model.rename(other, path, flags);
      case "truncate":
        return model.truncate(path, call.a);
      case "chmod":
        return model.chmod(path, mode);
      case "chown":
        return model.chown(path, uid, gid, true);
      case "lchown":
        return model.chown(path, uid, gid, false);
      case "access":
        return model.access(path, call.a & 7);
      case "stat":
        return this.#stat(model.stat(path, true));
      case "lstat":
        return this.#stat(model.stat(path, false));
      case "readlink":
        return model.readlink(path);
      case "readdir":
        return model.readdir(path).sort();
      default:
        return this.#onStream(call);
    }
  }

  #onStream(call: Call): Outcome | void {
    const { model } = this;
    const file = this.#slots[call.slot] ?? null;
    if (call.call === "open") {
      this.#slots[call.slot] = null;
      this.#slots[call.slot] = model.open(call.path, call.flags, call.mode);
      return;
    }
    if (file === null) return "no stream";
    switch (call.call) {
      case "close":
        this.#slots[call.slot] = null;
        return;
      case "dup": {
        const target = call.a % SLOTS;
        if (this.#slots[target] !== null) return "taken";
        this.#slots[target] = file;
        return;
      }
      case "read":
        return sum(model.read(file, call.a, positionOf(call)));
      case "write":
        return model.write(file, bytesFor(call), positionOf(call));
      case "seek":
        return file.position = call.a;
      case "ftruncate":
        return model.ftruncate(file, call.a);
      case "fstat":
        return this.#stat(file.node);
    }
  }
}
