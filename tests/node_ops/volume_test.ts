/** VOLUMEFS by its op tables: what it caches, and when it stops believing it. */
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../abi/errno.ts";
import { S_IFDIR, S_IFLNK, S_IFREG } from "../../abi/mode.ts";
import type { FSNode } from "../../abi/node.ts";
import { createFS } from "../../fs/create_fs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import type { VolumeRecord } from "../../stream_ops/volume_record.ts";
import { assertErrno } from "../support/errno.ts";
import { ModelVolume } from "../support/model_volume.ts";

type Node = FSNode<VolumeRecord>;
const owner = { uid: 1, gid: 2 };

/** What `fs/` does with a node that a backend returns. */
function attach(parent: Node, name: string, node: Node | null | undefined): Node {
  assert(node !== null && node !== undefined, `"${name}" is there`);
  assertStrictEquals(node.parent, node as unknown as FSNode, "F1: it comes unattached");
  node.parent = parent as unknown as FSNode;
  node.name = name;
  return node;
}

function makeFile(parent: Node, name: string): Node {
  return attach(parent, name, parent.node_ops.mknod?.(parent, name, S_IFREG | 0o644, 0, owner));
}

function find(parent: Node, name: string): Node {
  return attach(parent, name, parent.node_ops.lookup?.(parent, name));
}

function isTrue(node: Node): boolean {
  return node.node_ops.revalidate?.(node) === true;
}

Deno.test("VOLUMEFS.mount() refuses what is no volume", () => {
  for (const options of [undefined, {}, { volume: {} }]) {
    const error = assertThrows(() => VOLUMEFS.mount(options as never), ErrnoError);
    assertEquals(error.code, "EINVAL");
  }
});

Deno.test("VOLUMEFS makes files, directories and links with their mode and owner", () => {
  const volume = new ModelVolume();
  const root = VOLUMEFS.mount({ volume });
  const ops = root.node_ops;
  const dir = attach(root, "d", ops.mknod?.(root, "d", S_IFDIR | 0o750, 0, owner));
  const link = attach(dir, "l", dir.node_ops.symlink?.(dir, "l", "../x", owner));
  assertEquals([dir.mode, dir.data.uid, dir.data.gid], [S_IFDIR | 0o750, 1, 2]);
  assertEquals([link.mode, link.node_ops.readlink?.(link)], [S_IFLNK | 0o777, "../x"]);
  assertEquals(link.node_ops.lookup, undefined, "only directories look up");
  const attr = volume.getattr(volume.lookup(volume.root, "d"));
  assertEquals([attr.mode, attr.uid, attr.gid, attr.ino], [S_IFDIR | 0o750, 1, 2, dir.id]);
});

Deno.test("VOLUMEFS.lookup() is null for a name that is not there", () => {
  const root = VOLUMEFS.mount({ volume: new ModelVolume() });
  assertEquals(root.node_ops.lookup?.(root, "nobody"), null);
});

Deno.test("VOLUMEFS gives the names of one inode one record", () => {
  const volume = new ModelVolume();
  const root = VOLUMEFS.mount({ volume });
  const first = makeFile(root, "a");
  const second = attach(root, "b", root.node_ops.link?.(first, root, "b"));
  const third = find(root, "b");
  first.node_ops.setattr?.(first, { mode: 0o600, uid: 9 });
  for (const node of [second, third]) {
    assertStrictEquals(node.data, first.data);
    assertEquals([node.mode, node.data.uid], [S_IFREG | 0o600, 9]);
  }
});

Deno.test("VOLUMEFS asks nothing again while only it changes the volume", () => {
  const volume = new ModelVolume();
  const root = VOLUMEFS.mount({ volume });
  const file = makeFile(root, "a");
  root.node_ops.mknod?.(root, "d", S_IFDIR | 0o755, 0, owner);
  file.node_ops.setattr?.(file, { mode: 0o600 });
  root.node_ops.rename?.(file, root, "b", 0);
  file.name = "b";
  volume.calls.clear();
  assert(isTrue(root) && isTrue(file));
  assertEquals([...volume.calls.keys()], []);
});

Deno.test("VOLUMEFS sees what another mount of the same volume changed", () => {
  const volume = new ModelVolume();
  const here = VOLUMEFS.mount({ volume });
  const there = VOLUMEFS.mount({ volume });
  const kept = makeFile(here, "kept");
  const gone = makeFile(here, "gone");
  const replaced = makeFile(here, "replaced");
  const theirs = find(there, "kept");
  theirs.node_ops.setattr?.(theirs, { mode: 0o400, gid: 77 });
  there.node_ops.unlink?.(there, "gone");
  there.node_ops.rename?.(makeFile(there, "new"), there, "replaced", 0);
  assert(isTrue(kept), "the name still leads to the inode");
  assertEquals([kept.mode, kept.data.gid], [S_IFREG | 0o400, 77]);
  assert(!isTrue(gone) && !isTrue(replaced));
  volume.calls.clear();
  assert(isTrue(kept));
  assertEquals(volume.calls.size, 0, "asked once for one change");
});

Deno.test("VOLUMEFS unites names that another mount linked", () => {
  const volume = new ModelVolume();
  const here = VOLUMEFS.mount({ volume });
  const there = VOLUMEFS.mount({ volume });
  const first = makeFile(here, "a");
  there.node_ops.link?.(find(there, "a"), there, "b");
  const second = find(here, "b");
  assert(isTrue(first));
  assertStrictEquals(first.data, second.data);
});

Deno.test("VOLUMEFS distinguishes a removed directory from a live one below another mount's rmdir", () => {
  const volume = new ModelVolume();
  const here = VOLUMEFS.mount({ volume });
  const there = VOLUMEFS.mount({ volume });
  const dir = attach(here, "d", here.node_ops.mknod?.(here, "d", S_IFDIR | 0o755, 0, owner));
  const file = makeFile(dir, "f");
  const theirs = find(there, "d");
  theirs.node_ops.unlink?.(theirs, "f");
  there.node_ops.rmdir?.(there, "d");
  assert(!isTrue(file), "a stale parent is a missing name, not an error");
  assert(!isTrue(dir));
});

Deno.test("VOLUMEFS answers ENOENT for names in a directory that another mount removed", () => {
  const volume = new ModelVolume();
  const here = VOLUMEFS.mount({ volume });
  const there = VOLUMEFS.mount({ volume });
  const dir = attach(here, "d", here.node_ops.mknod?.(here, "d", S_IFDIR | 0o755, 0, owner));
  const file = makeFile(here, "f");
  there.node_ops.rmdir?.(there, "d");
  const calls: (() => unknown)[] = [
    () => makeFile(dir, "x"),
    () => dir.node_ops.symlink?.(dir, "x", "y", owner),
    () => dir.node_ops.link?.(file, dir, "x"),
    () => here.node_ops.rename?.(file, dir, "x", 0),
    () => dir.node_ops.unlink?.(dir, "x"),
    () => dir.node_ops.rmdir?.(dir, "x"),
  ];
  for (const call of calls) assertEquals(assertThrows(call, ErrnoError).code, "ENOENT");
  assertEquals(dir.node_ops.lookup?.(dir, "x"), null);
});

Deno.test("VOLUMEFS.syncfs() syncs the volume once", () => {
  const volume = new ModelVolume();
  const root = VOLUMEFS.mount({ volume });
  VOLUMEFS.syncfs?.(root);
  assertEquals(volume.calls.get("sync"), 1);
});

Deno.test("VOLUMEFS.lookup() starts over when the inode goes between name and attributes", () => {
  const volume = new ModelVolume();
  const root = VOLUMEFS.mount({ volume });
  const other = VOLUMEFS.mount({ volume });
  makeFile(root, "a");
  const getattr = volume.getattr.bind(volume);
  let isFirst = true;
  volume.getattr = (ino) => {
    if (isFirst) {
      isFirst = false;
      other.node_ops.unlink?.(other, "a");
    }
    return getattr(ino);
  };
  assertEquals(root.node_ops.lookup?.(root, "a"), null);
});

Deno.test("VOLUMEFS does not take a change of others for its own", () => {
  const volume = openVolumeSync(memoryHandle());
  const other = createFS({ root: { type: VOLUMEFS, options: { volume } } });
  let races = false;
  const racing = new Proxy(volume, {
    get(target, name: keyof typeof volume) {
      const value: unknown = target[name];
      if (!(value instanceof Function)) return value;
      return (...args: unknown[]) => {
        if (name === "create" && races) {
          races = false;
          other.rename("/x", "/z");
        }
        return value.apply(target, args);
      };
    },
  });
  const fs = createFS({ root: { type: VOLUMEFS, options: { volume: racing } } });
  fs.writeFile("/x", "cached");
  fs.stat("/x");
  races = true;
  fs.mkdir("/y");
  assertErrno("ENOENT", () => fs.lstat("/x"));
  assertEquals(fs.readdir("/"), [".", "..", "z", "y"]);
  volume.close();
});
