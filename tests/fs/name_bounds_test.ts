/** How many names an instance keeps: walking very many files stays within `maxNodes`. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { Attr } from "../../abi/attr.ts";
import { S_IFDIR, S_IFREG } from "../../abi/mode.ts";
import { type Backend, FSNode, type NodeOps } from "../../abi/node.ts";
import { createFS } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { checkNames } from "../support/check_names.ts";

const FILES = Deno.env.get("CAIRN_LONG") === "1" ? 1_000_000 : 200_000;
const PER_DIRECTORY = 500;
const MAX_NODES = 5_000;
/** A walk is trimmed before it starts, and adds no more than its names. */
const DEPTH = 3;

/** Answers for every name that starts with d or f, and keeps nothing: it can always look up again. */
function endless(): Backend<unknown> {
  let ino = 1;
  const ops: NodeOps = {
    getattr: ({ data }): Attr => ({
      ...data,
      nlink: 1,
      size: 0,
      blocks: 0,
      atime: 0,
      mtime: 0,
      ctime: 0,
    }),
    lookup: (_parent, name) => name.startsWith("d") ? make(S_IFDIR | 0o755) : make(S_IFREG | 0o644),
  };
  const make = (mode: number): FSNode =>
    new FSNode({ ino: ino++, mode, uid: 0, gid: 0, rdev: 0 }, ops, {});
  return { name: "ENDLESS", mount: () => make(S_IFDIR | 0o755) };
}

function walkAll(fs: FS, files: number, maxNodes: number): void {
  let most = 0;
  for (let index = 0; index < files; index++) {
    fs.stat(`/d${Math.floor(index / PER_DIRECTORY)}/d/f${index}`);
    most = Math.max(most, fs.names.count);
  }
  assertLessOrEqual(most, maxNodes + DEPTH);
  assert(most > maxNodes, "the bound was reached");
  assertEquals(checkNames(fs), []);
}

Deno.test(`FS keeps no more than maxNodes of ${FILES} names that it walks, and what is held`, () => {
  const fs = createFS({ root: { type: endless(), options: {} }, maxNodes: MAX_NODES });
  fs.chdir("/dheld/d");
  const stream = fs.open("/dopen/f", "r");
  const [here, open] = [fs.directory, stream.node];
  walkAll(fs, FILES, MAX_NODES);
  assertEquals(fs.lookupPath("/dheld/d").node === here, true);
  assertEquals(fs.lookupPath("/dopen/f").node === open, true);
  fs.close(stream);
});

Deno.test("FS keeps no more than maxNodes names of a volume, and finds the rest again", () => {
  const volume = openVolumeSync(memoryHandle());
  const writer = createFS({ root: { type: VOLUMEFS, options: { volume } } });
  const files = 10 * PER_DIRECTORY;
  for (let index = 0; index < files; index++) {
    const directory = `/d${Math.floor(index / PER_DIRECTORY)}/d`;
    if (index % PER_DIRECTORY === 0) writer.mkdirTree(directory);
    writer.writeFile(`${directory}/f${index}`, "");
  }
  const fs = createFS({ root: { type: VOLUMEFS, options: { volume } }, maxNodes: 500 });
  for (let pass = 0; pass < 2; pass++) walkAll(fs, files, 500);
  volume.close();
});
