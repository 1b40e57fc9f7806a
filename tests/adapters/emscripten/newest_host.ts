/**
 * A module's FS as the newest Emscripten releases call a filesystem type, written from their
 * observed behaviour: operations are taken off their tables before the call, dup shares position and
 * flags, mmap has no address, chmod sends ctime, utime two times, rename sets the parent, link and
 * statfs exist, an error is known by its name. Only what a type can notice is here.
 */
import type { EmscriptenFS, EmscriptenMap, EmscriptenType } from "../../../adapters/emscripten.ts";

// deno-lint-ignore no-explicit-any
type Ops = Record<string, any>;
// deno-lint-ignore no-explicit-any
type Any = any;

const S_IFDIR = 0o040000;
const S_IFMT = 0o170000;

/** An error as newer modules throw it. */
export class HostError {
  name = "ErrnoError";
  message?: string;
  errno: number;
  constructor(errno: number) {
    this.errno = errno;
  }
}

let nextId = 1;

class HostNode {
  node_ops: Ops = {};
  stream_ops: Ops = {};
  mounted: Any = null;
  id: number = nextId++;
  parent: HostNode;
  mount: Any;
  name: string;
  mode: number;
  rdev: number;
  constructor(parent: HostNode | null, name: string, mode: number, rdev: number) {
    this.parent = parent ?? this;
    this.mount = this.parent.mount;
    this.name = name;
    this.mode = mode;
    this.rdev = rdev;
  }
}

class HostStream {
  shared: { flags: number; position: number } = { flags: 0, position: 0 };
  fd: number | null = null;
  node!: HostNode;
  stream_ops!: Ops;
  get flags(): number {
    return this.shared.flags;
  }
  set flags(flags: number) {
    this.shared.flags = flags;
  }
  get position(): number {
    return this.shared.position;
  }
  set position(position: number) {
    this.shared.position = position;
  }
}

function fail(errno: number): never {
  throw new HostError(errno);
}

/** The FS of a newest module. */
export class NewestFS {
  ErrnoError: Any = HostError;
  FSNode: Any = HostNode;
  streams: (HostStream | null)[] = [];
  table: Map<string, HostNode[]> = new Map();
  heap: Int8Array<ArrayBuffer> = new Int8Array(1 << 20);
  #top = 65_536;
  root: HostNode;
  devices: Map<number, { stream_ops: Ops }> = new Map();

  constructor() {
    this.root = new HostNode(null, "/", S_IFDIR | 0o777, 0);
    this.root.node_ops = { lookup: () => fail(44), mknod: this.#mknodOfRoot };
    this.root.mount = { type: this.memory, mountpoint: "/", opts: {}, mounts: [] };
  }

  #mknodOfRoot = (parent: HostNode, name: string, mode: number): HostNode => {
    const node = new HostNode(parent, name, mode, 0);
    node.node_ops = { lookup: () => fail(44), mknod: this.#mknodOfRoot };
    this.hashAddNode(node);
    return node;
  };

  #bucket(parentId: number, name: string): HostNode[] {
    const key = `${parentId}/${name}`;
    let bucket = this.table.get(key);
    if (bucket === undefined) this.table.set(key, bucket = []);
    return bucket;
  }

  hashAddNode(node: Any): void {
    const bucket = this.#bucket(node.parent.id, node.name);
    if (bucket.includes(node)) throw new Error(`"${node.name}" is in the table already`);
    bucket.unshift(node);
  }

  hashRemoveNode(node: Any): void {
    const bucket = this.#bucket(node.parent.id, node.name);
    const index = bucket.indexOf(node);
    if (index >= 0) bucket.splice(index, 1);
  }

  lookupNode(parent: HostNode, name: string): HostNode {
    if ((parent.mode & S_IFMT) !== S_IFDIR) fail(54);
    if ((parent.mode & 0o111) === 0 || !parent.node_ops.lookup) fail(2);
    return this.#bucket(parent.id, name)[0] ?? parent.node_ops.lookup(parent, name);
  }

  lookupPath(path: string, options: { follow?: boolean; parent?: boolean } = {}): { node: Any } {
    const { follow = false, parent = false } = options;
    const parts = path.split("/").filter((part) => part !== "");
    if (parent) parts.pop();
    let node = this.root;
    parts.forEach((part, index) => {
      const directory = node;
      node = this.lookupNode(node, part);
      if (node.mounted !== null) node = node.mounted.root;
      const isLink = (node.mode & S_IFMT) === 0o120000;
      if (!isLink || (index === parts.length - 1 && !follow)) return;
      node = this.lookupNode(directory, node.node_ops.readlink!(node));
    });
    return { node };
  }

  #place(path: string): { parent: HostNode; name: string } {
    return { parent: this.lookupPath(path, { parent: true }).node, name: path.split("/").pop()! };
  }

  mknod(path: string, mode: number, rdev: number): HostNode {
    const { parent, name } = this.#place(path);
    return parent.node_ops.mknod(parent, name, mode, rdev);
  }

  mkdir(path: string, mode = 0o777): HostNode {
    return this.mknod(path, mode | S_IFDIR, 0);
  }

  mkdirTree(path: string): void {
    this.mkdir(path);
  }

  mount(type: EmscriptenType, opts: unknown, mountpoint: string): Any {
    const node = this.lookupPath(mountpoint).node;
    if (node.mounted !== null) fail(10);
    const mount: Any = { type, opts, mountpoint, mounts: [] };
    mount.root = type.mount(mount);
    mount.root.mount = mount;
    node.mounted = mount;
    return mount.root;
  }

  stat(path: string): Any {
    const { node } = this.lookupPath(path, { follow: true });
    const { getattr } = node.node_ops;
    return getattr(node);
  }

  fstat(fd: number): Any {
    const { node } = this.streams[fd]!;
    const { getattr } = node.node_ops;
    return getattr!(node);
  }

  #setattr(path: string, attr: Ops): void {
    const { node } = this.lookupPath(path, { follow: true });
    const { setattr } = node.node_ops;
    setattr(node, attr);
  }

  chmod(path: string, mode: number): void {
    const { node } = this.lookupPath(path, { follow: true });
    const all = mode & 0o7777 | node.mode & ~0o7777;
    this.#setattr(path, { mode: all, ctime: Date.now(), dontFollow: undefined });
  }

  chown(path: string): void {
    this.#setattr(path, { timestamp: Date.now(), dontFollow: undefined });
  }

  utime(path: string, atime: number | null, mtime: number | null): void {
    this.#setattr(path, { atime, mtime, dontFollow: undefined });
  }

  truncate(path: string, size: number): void {
    this.#setattr(path, { size, ["time" + "stamp"]: Date.now() });
  }

  readdir(path: string): string[] {
    const { node } = this.lookupPath(path, { follow: true });
    const { readdir } = node.node_ops;
    return readdir(node);
  }

  symlink(target: string, path: string): void {
    const { parent, name } = this.#place(path);
    parent.node_ops.symlink(parent, name, target);
  }

  readlink(path: string): string {
    const { node } = this.lookupPath(path);
    return node.node_ops.readlink(node);
  }

  link(oldPath: string, newPath: string, flags: number): void {
    const { parent, name } = this.#place(newPath);
    if (!parent.node_ops.link) fail(34);
    parent.node_ops.link(parent, name, oldPath, flags);
  }

  statfs(path: string): Any {
    const { node } = this.lookupPath(path, { follow: true });
    return { bsize: 4096, fsid: 42, ...node.node_ops.statfs(node.mount.opts.root) };
  }

  #remove(call: "unlink" | "rmdir", path: string): void {
    const { parent, name } = this.#place(path);
    const node = this.lookupNode(parent, name);
    parent.node_ops[call](parent, name);
    this.hashRemoveNode(node);
  }

  unlink(path: string): void {
    this.#remove("unlink", path);
  }

  rmdir(path: string): void {
    this.#remove("rmdir", path);
  }

  rename(oldPath: string, newPath: string): void {
    const from = this.#place(oldPath);
    const to = this.#place(newPath);
    const node = this.lookupNode(from.parent, from.name);
    try {
      if (this.lookupNode(to.parent, to.name) === node) return;
    } catch {
      // The new name is free.
    }
    this.hashRemoveNode(node);
    try {
      from.parent.node_ops.rename(node, to.parent, to.name);
      node.parent = to.parent;
    } finally {
      this.hashAddNode(node);
    }
  }

  #createStream(from: Partial<HostStream>): HostStream {
    const stream = Object.assign(new HostStream(), from);
    const free = this.streams.findIndex((other) => other === null);
    stream.fd = free < 0 ? this.streams.length : free;
    this.streams[stream.fd] = stream;
    return stream;
  }

  open(path: string, flags: number, mode = 0o666): Any {
    let node: HostNode;
    try {
      node = this.lookupPath(path, { follow: true }).node;
    } catch (error) {
      if ((flags & 0o100) === 0) throw error;
      node = this.mknod(path, mode | 0o100000, 0);
    }
    if ((flags & 0o1000) !== 0) this.truncate(path, 0);
    const stream = this.#createStream({ node, stream_ops: node.stream_ops });
    stream.shared = { flags, position: 0 };
    stream.stream_ops.open?.(stream);
    return stream;
  }

  /** As releases before 3.1.55 did it too: no operation reports the copy. */
  dup(stream: HostStream): Any {
    return this.#createStream({ ...stream });
  }

  close(stream: HostStream): void {
    try {
      stream.stream_ops.close?.(stream);
    } finally {
      this.closeStream(stream.fd!);
    }
    stream.fd = null;
  }

  closeStream(fd: number): void {
    this.streams[fd] = null;
  }

  llseek(stream: HostStream, offset: number, whence: number): number {
    return stream.position = stream.stream_ops.llseek(stream, offset, whence);
  }

  read(stream: HostStream, to: Any, offset: number, length: number, position?: number): number {
    const at = position ?? stream.position;
    const count = stream.stream_ops.read(stream, to, offset, length, at);
    if (position === undefined) stream.position += count;
    return count;
  }

  write(stream: HostStream, from: Any, offset: number, length: number, position?: number): number {
    if ((stream.flags & 0o2000) !== 0) this.llseek(stream, 0, 2);
    const at = position ?? stream.position;
    const count = stream.stream_ops.write(stream, from, offset, length, at, false);
    if (position === undefined) stream.position += count;
    return count;
  }

  fsync(stream: HostStream): number {
    return stream.stream_ops.fsync(stream);
  }

  allocate(stream: HostStream, offset: number, length: number): void {
    stream.stream_ops.allocate(stream, offset, length);
  }

  mmap(stream: HostStream, length: number, position: number, prot: number, flags: number): Any {
    return stream.stream_ops.mmap(stream, length, position, prot, flags);
  }

  /** The bytes of a map, as munmap and msync hand them over. */
  msync(
    stream: HostStream,
    map: { ptr: number; position: number; length: number },
    flags: number,
  ): void {
    const bytes = new Uint8Array(this.heap.buffer).slice(map.ptr, map.ptr + map.length);
    stream.stream_ops.msync(stream, bytes, map.position, map.length, flags);
  }

  syncfs(directory: string, populate: boolean, callback: (error: Any) => void): void {
    const { mount } = this.lookupPath(directory).node;
    mount.type.syncfs(mount, populate, callback);
  }

  registerDevice(rdev: number, streamOps: Ops): void {
    this.devices.set(rdev, { stream_ops: streamOps });
  }

  getDevice(rdev: number): unknown {
    return this.devices.get(rdev);
  }

  chrdev_stream_ops: Ops = {
    open: (stream: HostStream): void => {
      stream.stream_ops = this.devices.get(stream.node.rdev)!.stream_ops;
    },
  };

  /** MEMFS, of which a type needs the way to the allocator. There is no list of types. */
  memory: Any = {
    stream_ops: {
      mmap: (stream: Any, length: number, position: number): EmscriptenMap => {
        const { contents } = stream.node;
        const ptr = this.#top;
        this.#top += Math.ceil(length / 65_536) * 65_536;
        this.heap.set(contents.subarray(position, position + length), ptr);
        return { ptr, allocated: true };
      },
    },
  };
}

/** An FS as the adapter's types have it. */
export function asHost(FS: unknown): EmscriptenFS {
  return FS as EmscriptenFS;
}
