/** The name table: finding, growing, forgetting. */
import { assert, assertEquals, assertLess, assertStrictEquals } from "@std/assert";
import { FSNode, type NodeOps } from "../../abi/node.ts";
import { S_IFDIR } from "../../abi/mode.ts";
import { hashNumber, NameTable } from "../../fs/name_table.ts";

const OPS: NodeOps = {
  getattr: () => {
    throw new Error("it is not asked");
  },
};

let nextInode = 1;

function node(parent: FSNode | null, name: string, ops: NodeOps = OPS): FSNode {
  const data = { ino: nextInode++, mode: S_IFDIR | 0o755, uid: 0, gid: 0, rdev: 0 };
  const made = new FSNode(data, ops, {});
  if (parent !== null) made.parent = parent;
  made.name = name;
  return made;
}

Deno.test("NameTable finds a node by its parent and name, and no other", () => {
  const table = new NameTable();
  const root = node(null, "/");
  const left = node(root, "left");
  const right = node(root, "right");
  const below = node(left, "right");
  for (const each of [left, right, below]) table.add(each);
  assertStrictEquals(table.get(root, "left"), left);
  assertStrictEquals(table.get(root, "right"), right);
  assertStrictEquals(table.get(left, "right"), below);
  assertEquals(table.get(right, "right"), null);
  assertEquals(table.get(root, "lef"), null);
});

Deno.test("NameTable distinguishes parents of one number", () => {
  const table = new NameTable();
  const one = node(null, "/");
  const other = node(null, "/");
  (other.data as { ino: number }).ino = one.data.ino;
  const child = node(one, "name");
  table.add(child);
  assertStrictEquals(table.get(one, "name"), child);
  assertEquals(table.get(other, "name"), null);
});

Deno.test("NameTable.remove() takes one node out of a chain and unpins its parent", () => {
  const table = new NameTable();
  const root = node(null, "/");
  const nodes = Array.from({ length: 3000 }, (_, index) => node(root, `n${index}`));
  for (const each of nodes) table.add(each);
  assertEquals(root.pins, 3000);
  for (const each of nodes.filter((_, index) => index % 3 === 0)) assert(table.remove(each));
  assert(!table.remove(nodes[0]!));
  assertEquals([table.count, root.pins], [2000, 2000]);
  for (const [index, each] of nodes.entries()) {
    assertStrictEquals(table.get(root, `n${index}`), index % 3 === 0 ? null : each);
  }
});

Deno.test("NameTable grows: the mean chain of 1,000,000 names stays below 2", () => {
  const table = new NameTable();
  const root = node(null, "/");
  let parent = root;
  for (let index = 0; index < 1_000_000; index++) {
    const made = node(parent, index % 2 ? `file${index}.txt` : `${index}`);
    table.add(made);
    if (index % 1000 === 0) parent = made;
  }
  const { longest, mean } = table.chains();
  assertEquals(table.count, 1_000_000);
  assert(table.buckets.length >= 1_000_000);
  assertLess(mean, 2);
  assertLess(longest, 16);
});

Deno.test("NameTable.trim() forgets what is not held and the backend can find again", () => {
  const table = new NameTable();
  const findable: NodeOps = { ...OPS, lookup: () => null };
  const root = node(null, "/", findable);
  const fixed = node(root, "fixed");
  table.add(fixed);
  const held = node(root, "held", findable);
  held.pins = 1;
  table.add(held);
  const stays = node(fixed, "cannot be looked up");
  table.add(stays);
  for (let index = 0; index < 5000; index++) table.add(node(root, `n${index}`));
  for (let turn = 0; turn < 100; turn++) table.trim(100);
  assertLess(table.count, 101);
  assertStrictEquals(table.get(root, "held"), held);
  assertStrictEquals(table.get(root, "fixed"), fixed);
  assertStrictEquals(table.get(fixed, "cannot be looked up"), stays);
});

Deno.test("NameTable.sweep() takes out what hangs below a directory that has left", () => {
  const table = new NameTable();
  const root = node(null, "/");
  const [gone, stays] = [node(root, "gone"), node(root, "stays")];
  const [below, kept] = [node(gone, "below"), node(stays, "kept")];
  const nodes = [gone, stays, below, kept, node(below, "deep"), node(below, "deeper")];
  for (const each of nodes) table.add(each);
  table.sweep();
  assertEquals(table.count, 6, "everything can be reached");
  table.remove(gone);
  table.sweep();
  assertEquals([table.count, gone.pins, below.pins, stays.pins], [2, 0, 0, 1]);
  assertStrictEquals(table.get(stays, "kept"), kept);
});

Deno.test("NameTable.sweep() leaves what hangs below a directory that is held", () => {
  const table = new NameTable();
  const root = node(null, "/");
  const held = node(root, "held");
  const below = node(held, "below");
  const deep = node(below, "deep");
  for (const each of [held, below, deep]) table.add(each);
  held.pins++;
  table.remove(held);
  table.sweep();
  assertStrictEquals(table.get(below, "deep"), deep);
  held.pins--;
  table.sweep();
  assertEquals(table.count, 0);
});

Deno.test("NameTable.isSweepDue says so when enough nodes are unreachable for its size", () => {
  const table = new NameTable();
  const directory = node(null, "/");
  assert(!table.isSweepDue);
  directory.pins = 15;
  table.leftBehind(directory);
  assert(!table.isSweepDue);
  directory.pins = 1;
  table.leftBehind(directory);
  assert(table.isSweepDue);
  table.sweep();
  assert(!table.isSweepDue);
});

Deno.test("NameTable.removeMount() takes a mount's nodes and no others", () => {
  const table = new NameTable();
  const root = node(null, "/");
  const mine = node(root, "mine");
  const other = node(root, "other");
  other.mount = Object.create(other.mount, { dev: { value: 7 } });
  table.add(mine);
  table.add(other);
  table.removeMount(7);
  assertEquals(table.count, 1);
  assertStrictEquals(table.get(root, "mine"), mine);
});

Deno.test("hashNumber() spreads neighbours over the low bits", () => {
  const buckets = new Map<number, number>();
  for (let parent = 0; parent < 64; parent++) {
    for (let index = 0; index < 64; index++) {
      const bucket = hashNumber(parent, `f${index}`) & 4095;
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
    }
  }
  assertLess(Math.max(...buckets.values()), 9);
});
