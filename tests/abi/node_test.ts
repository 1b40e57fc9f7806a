/** FSNode and FSStream: what they derive from records and shared files. */
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { O_APPEND, O_PATH, O_RDONLY, O_RDWR, O_WRONLY } from "../../abi/flags.ts";
import { S_IFCHR, S_IFDIR, S_IFREG } from "../../abi/mode.ts";
import { FSNode, FSStream, type NodeRecord } from "../../abi/node.ts";

const ops = {
  getattr(): never {
    throw new TypeError("not asked for here");
  },
};

function makeNode(mode: number): FSNode {
  const record: NodeRecord = { ino: 5, mode, uid: 0, gid: 0, rdev: 0x103 };
  return new FSNode(record, ops, {});
}

Deno.test("FSNode shows its record, and two names of one record show one change", () => {
  const node = makeNode(S_IFREG | 0o644);
  const other = new FSNode(node.data, ops, {});
  other.mode = S_IFREG | 0o777;
  assertEquals([node.id, node.mode, node.rdev], [5, S_IFREG | 0o777, 0x103]);
  assert(node.read && node.write && !node.isFolder && !node.isDevice);
  node.read = false;
  assertEquals([node.mode & 0o777, node.read, node.write], [0o222, false, true]);
  node.write = false;
  node.read = true;
  assertEquals([node.mode & 0o777, node.read, node.write], [0o555, true, false]);
  assert(makeNode(S_IFDIR | 0o755).isFolder && makeNode(S_IFCHR | 0o600).isDevice);
  assert(!makeNode(S_IFREG | 0o644).write, "write is a bit of all three classes");
});

Deno.test("FSNode is unattached at first: its own parent, and no mount to use", () => {
  const node = makeNode(S_IFDIR | 0o755);
  assertStrictEquals(node.parent, node);
  assertThrows(() => node.mount.root, TypeError);
});

Deno.test("FSStream shares flags and position with its duplicates only", () => {
  const node = makeNode(S_IFREG | 0o644);
  const shared = { flags: O_RDWR, position: 3, descriptors: 2 };
  const first = new FSStream(node, shared, "/a");
  const second = new FSStream(node, shared, "/a");
  const third = new FSStream(node, { ...shared }, "/a");
  first.position = 9;
  first.flags |= O_APPEND;
  assertEquals([second.position, third.position], [9, 3]);
  assert(second.isAppend && !third.isAppend && second.object === node);
});

Deno.test("FSStream.isRead and isWrite follow the access mode, and O_PATH allows neither", () => {
  const rows: [number, boolean, boolean][] = [
    [O_RDONLY, true, false],
    [O_WRONLY, false, true],
    [O_RDWR, true, true],
    [O_PATH, false, false],
    [O_PATH | O_RDWR, false, false],
  ];
  for (const [flags, read, write] of rows) {
    const stream = new FSStream(makeNode(S_IFREG), { flags, position: 0, descriptors: 1 }, "/");
    assertEquals([stream.isRead, stream.isWrite], [read, write], `flags ${flags.toString(8)}`);
  }
});
