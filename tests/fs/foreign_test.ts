/** Types of Emscripten's own, as one is written for its FS. */
import { assertEquals } from "@std/assert";
import { Errno } from "../../abi/errno.ts";
import { createFS } from "../../fs/create_fs.ts";
import { type ForeignNode, isForeign } from "../../fs/foreign.ts";
import { FS } from "../../fs/fs.ts";
import { DEVFS, deviceDrivers } from "../../node_ops/devfs.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { PROCFS } from "../../node_ops/procfs.ts";
import { assertErrno } from "../support/errno.ts";

/** The error class of another module: recognised by its number only. */
class OtherError {
  name = "ErrnoError";
  errno: number;
  constructor(errno: number) {
    this.errno = errno;
  }
}

// deno-lint-ignore no-explicit-any
type Any = any;

/** Names of a small file system, written as Emscripten's documentation has it. */
function toyNodeOps(make: (parent: Any, name: string, mode: number, rdev?: number) => Any): Any {
  const ops = {
    getattr: (node: Any) => ({
      dev: 1,
      ino: node.id,
      mode: node.mode,
      nlink: 1,
      uid: 3,
      gid: 4,
      rdev: node.rdev,
      size: node.target?.length ?? node.bytes.length,
      atime: node.when,
      mtime: node.when,
      ctime: node.when,
      blksize: 4096,
      blocks: 1,
    }),
    setattr: (node: Any, attr: Any) => {
      if (attr.mode !== undefined) node.mode = attr.mode;
      if (attr.mtime !== undefined) node.when = new Date(attr.mtime);
      if (attr.size === undefined) return;
      const bytes = new Uint8Array(attr.size);
      bytes.set(node.bytes.subarray(0, attr.size));
      node.bytes = bytes;
    },
    lookup: (parent: Any, name: string) => {
      const child = parent.children.get(name);
      if (!child) throw new OtherError(Errno.ENOENT);
      return child;
    },
    mknod: (parent: Any, name: string, mode: number, dev: number) => {
      const node = make(parent, name, mode, dev);
      parent.children.set(name, node);
      return node;
    },
    rename: (node: Any, newDir: Any, newName: string) => {
      node.parent.children.delete(node.name);
      newDir.children.set(newName, node);
    },
    unlink: (parent: Any, name: string) => void parent.children.delete(name),
    rmdir: (parent: Any, name: string) => {
      if (parent.children.get(name).children.size > 0) throw new OtherError(Errno.ENOTEMPTY);
      parent.children.delete(name);
    },
    readdir: (node: Any) => [".", "..", ...node.children.keys()],
    symlink: (parent: Any, name: string, target: string) => {
      const node = ops.mknod(parent, name, 0o120777, 0);
      node.target = target;
      return node;
    },
    readlink: (node: Any) => node.target,
  };
  return ops;
}

/** Its bytes; `log` hears of opens and closes. */
function toyStreamOps(log: string[]): Any {
  return {
    open: (stream: Any) => void log.push(`open ${stream.node.name} ${stream.flags}`),
    close: (stream: Any) => void log.push(`close ${stream.node.name}`),
    read: (stream: Any, buffer: Uint8Array, offset: number, length: number, position: number) => {
      const part = stream.node.bytes.subarray(position, position + length);
      buffer.set(part, offset);
      return part.length;
    },
    write: (stream: Any, buffer: Uint8Array, offset: number, length: number, position: number) => {
      const { node } = stream;
      const end = position + length;
      if (node.bytes.length < end) node.node_ops.setattr(node, { size: end });
      node.bytes.set(buffer.subarray(offset, offset + length), position);
      return length;
    },
    llseek: (stream: Any, offset: number, whence: number) =>
      whence === 2 ? stream.node.bytes.length + offset : offset,
  };
}

/** The type, whose nodes are made by the FS that it is given. */
function toyType(fs: FS, log: string[] = [], change: Any = {}): Any {
  const stream_ops = toyStreamOps(log);
  const node_ops = { ...toyNodeOps(make), ...change };
  function make(parent: Any, name: string, mode: number, rdev = 0): Any {
    const node = fs.createNode(parent, name, mode, rdev);
    const own = { children: new Map(), bytes: new Uint8Array(0), when: new Date(1000) };
    return Object.assign(node, { node_ops, stream_ops }, own);
  }
  return {
    mount: (mount: Any) => {
      log.push(`mount ${mount.mountpoint} ${JSON.stringify(mount.opts)}`);
      return make(null, "/", 0o040777);
    },
    syncfs: (_mount: Any, populate: boolean, done: (error: unknown) => void) => {
      log.push(`syncfs ${populate}`);
      setTimeout(() => done(null), 1);
    },
  };
}

function mounted(log: string[] = []): FS {
  const fs = createFS();
  fs.mkdir("/toy");
  fs.mount(toyType(fs, log), { option: 1 }, "/toy");
  return fs;
}

Deno.test("isForeign() distinguishes Emscripten's types from ours", () => {
  assertEquals([isForeign(MEMFS), isForeign(toyType(createFS()))], [false, true]);
  assertEquals([isForeign(null), isForeign({ name: "x", mount: () => {}, node_ops: {} })], [
    false,
    true,
  ]);
});

Deno.test("a foreign type does what a file system does", () => {
  const log: string[] = [];
  const fs = mounted(log);
  fs.mkdirTree("/toy/a/b");
  fs.writeFile("/toy/a/f", "hello");
  fs.writeFile("/toy/a/f", " you", { flags: "a" });
  fs.symlink("a/f", "/toy/link");
  fs.rename("/toy/a/f", "/toy/a/b/g");
  fs.symlink("a/b/g", "/toy/second");
  assertEquals(fs.readFile("/toy/second", { encoding: "utf8" }), "hello you");
  assertEquals(fs.readdir("/toy"), [".", "..", "a", "link", "second"]);
  assertErrno("ENOTEMPTY", () => fs.rmdir("/toy/a/b"));
  fs.truncate("/toy/a/b/g", 4);
  fs.chmod("/toy/a/b/g", 0o600);
  fs.utime("/toy/a/b/g", 5000, 6000);
  const stat = fs.stat("/toy/a/b/g");
  assertEquals([stat.size, stat.mode, stat.uid, stat.mtimeMs], [4, 0o100600, 3, 6000]);
  fs.unlink("/toy/a/b/g");
  fs.rmdir("/toy/a/b");
  assertErrno("ENOENT", () => fs.stat("/toy/second"));
  assertEquals(log[0], 'mount /toy {"option":1}');
});

Deno.test("a foreign stream shares position and flags with ours, and is opened once", () => {
  const log: string[] = [];
  const fs = mounted(log);
  const stream = fs.open("/toy/f", "w+");
  fs.write(stream, new Uint8Array([1, 2, 3]), 0, 3);
  const copy = fs.dup(stream);
  fs.llseek(copy, 1, 0);
  const bytes = new Uint8Array(3);
  assertEquals([fs.read(stream, bytes, 0, 3), bytes[0], copy.position], [2, 2, 3]);
  fs.close(stream);
  fs.close(copy);
  assertEquals(log.slice(1), ["open f 2", "close f"]);
});

Deno.test("what a foreign type cannot do is an ErrnoError of ours", () => {
  const fs = mounted();
  fs.writeFile("/toy/f", "");
  assertErrno("EPERM", () => fs.link("/toy/f", "/toy/g"));
  assertErrno("EINVAL", () => fs.rename("/toy/f", "/toy/g", 1));
  assertErrno("ENOTSUP", () => fs.setxattr("/toy/f", "user.x", new Uint8Array()));
  const broken = { mount: () => ({ ...fs.createNode(null, "/", 0o040777), node_ops: {} }) };
  fs.mkdir("/broken");
  fs.mount(broken as never, {}, "/broken");
  assertErrno("EPERM", () => fs.stat("/broken"));
});

Deno.test("nodes of a foreign type are never forgotten", () => {
  const fs = createFS({ maxNodes: 10 });
  fs.mkdir("/toy");
  // As the stock MEMFS does: what is not in the name table is not there.
  const lookup = () => {
    throw new OtherError(Errno.ENOENT);
  };
  fs.mount(toyType(fs, [], { lookup }), {}, "/toy");
  for (let index = 0; index < 200; index++) fs.mkdirTree(`/toy/${index}/x`);
  for (let index = 0; index < 200; index++) assertEquals(fs.stat(`/toy/${index}/x`).nlink, 1);
});

Deno.test("syncfs() waits for foreign types, in the direction that is asked for", async () => {
  const log: string[] = [];
  const fs = mounted(log);
  const error = await new Promise((resolve) => fs.syncfs(true, resolve));
  await new Promise((resolve) => fs.syncfs(resolve));
  assertEquals([error, log.slice(1), fs.syncFSRequests], [
    null,
    ["syncfs true", "syncfs false"],
    0,
  ]);
});

Deno.test("a foreign type may be the root", () => {
  const fs = new FS();
  fs.mount(toyType(fs), {}, "/");
  Object.assign(fs.filesystems, { DEVFS, PROCFS });
  for (const [dev, ops] of deviceDrivers()) fs.registerDevice(dev, ops);
  fs.createDefaultDirectories();
  fs.createDefaultDevices();
  fs.createSpecialDirectories();
  assertEquals(fs.readdir("/"), [".", "..", "tmp", "home", "dev", "proc"]);
  assertEquals(fs.readFile("/dev/null").length, 0);
  const root = fs.root as unknown as { data: { inner: ForeignNode } };
  assertEquals(root.data.inner.name, "/");
});

Deno.test("op tables are built once per mount and kind of node, not per node", () => {
  const fs = mounted();
  fs.mkdir("/toy/d");
  fs.mkdir("/toy/e");
  for (const name of ["a", "b", "d/c"]) fs.writeFile(`/toy/${name}`, name);
  const nodeAt = (path: string) => fs.lookupPath(path).node!;
  const [file, directory] = [nodeAt("/toy/a"), nodeAt("/toy/d")];
  for (const path of ["/toy/b", "/toy/d/c"]) {
    assertEquals(nodeAt(path).node_ops === file.node_ops, true, path);
    assertEquals(nodeAt(path).stream_ops === file.stream_ops, true, path);
  }
  assertEquals(nodeAt("/toy/e").node_ops === directory.node_ops, true);
  assertEquals(file.node_ops.lookup, undefined);
  assertEquals(typeof directory.node_ops.lookup, "function");
});
