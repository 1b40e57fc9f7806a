/**
 * The tree of a volume as version-1 slots and paths.
 */
import { assert, assertEquals } from "@std/assert";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { Findings } from "../../../../opfs/volume/upkeep/transfer.ts";
import { collectTree, GrowingBytes } from "../../../../opfs/volume/version1/collect.ts";
import { ModelVolume } from "../../../support/model_volume.ts";
import { codesOf } from "../../../support/version1_rig.ts";

const FILE = { mode: 0o100644, uid: 0, gid: 0 };
const DIRECTORY = { mode: 0o040755, uid: 0, gid: 0 };

function collect(volume: ModelVolume) {
  const findings = new Findings();
  const collected = collectTree(volume, findings);
  const names = Array.from({ length: collected.slotCount }, (_, index) => {
    const { type, pathOffset, pathLength, firstBlock } = collected.slot(index);
    const bytes = collected.paths.view().slice(pathOffset, pathOffset + pathLength);
    return `${type} ${new TextDecoder().decode(bytes)}${type === 4 ? ` -> ${firstBlock}` : ""}`;
  });
  return { collected, names, codes: codesOf(findings.list) };
}

Deno.test("collectTree() reports extended attributes once for each inode, in order", () => {
  const volume = openVolumeSync(memoryHandle());
  const a = volume.create(volume.root, "a", { mode: 0o100644, uid: 0, gid: 0 });
  volume.link(a, volume.root, "b");
  for (const name of ["user.one", "user.two"]) volume.setxattr(a, name, new Uint8Array(9), 0);
  volume.setxattr(volume.root, "user.root", new Uint8Array(9000), 0);
  const findings = new Findings();
  collectTree(volume, findings);
  assertEquals(findings.list.map(({ code, severity, path }) => [code, severity, path]), [
    ["attributes-lost", "lost", "/"],
    ["attributes-lost", "lost", "/a"],
  ]);
  assert(findings.list[1]!.message.includes("user.one, user.two"));
  volume.close();
});

Deno.test("collectTree() puts parents first, names sorted, second names as type 4", () => {
  const volume = new ModelVolume();
  const d = volume.create(volume.root, "d", DIRECTORY);
  const z = volume.create(d, "z", FILE);
  volume.create(d, "a", { mode: 0o120777, uid: 0, gid: 0, target: "t" });
  volume.link(z, volume.root, "a");
  volume.link(z, d, "zz");
  const { names, collected } = collect(volume);
  assertEquals(names, ["2 /", "1 /a", "2 /d", "3 /d/a", "4 /d/z -> 1", "4 /d/zz -> 1"]);
  const { files, directories, symlinks, hardLinks } = collected.counts;
  assertEquals([files, directories, symlinks, hardLinks], [1, 2, 1, 2]);
  assertEquals(collected.slot(1).nlink, 3);
});

Deno.test("collectTree() reports holes and special files", () => {
  const volume = new ModelVolume();
  const hole = volume.create(volume.root, "hole", FILE);
  volume.setattr(hole, { size: 100_000 });
  volume.create(volume.root, "null", { mode: 0o020666, uid: 0, gid: 0, rdev: 0x103 });
  const { codes, collected } = collect(volume);
  assertEquals(codes, ["note hole-filled /hole", "changed special-file /null"]);
  const { firstBlock, blockCount, size, mode } = collected.slot(2);
  assertEquals([firstBlock, blockCount, size, mode], [0x103, 0, 0, 0o020666]);
});

Deno.test("collectTree() leaves out what version 1 cannot hold, and says so", () => {
  const volume = new ModelVolume();
  const huge = volume.create(volume.root, "huge", FILE);
  volume.setattr(huge, { size: 2 ** 42 });
  let deep = volume.root;
  for (let depth = 0; depth < 300; depth++) deep = volume.create(deep, "n".repeat(255), DIRECTORY);
  const { codes, names } = collect(volume);
  assertEquals(codes.map((code) => code.slice(0, 22)), [
    "lost unstorable /huge",
    "lost unstorable /nnnnn",
  ]);
  assertEquals(names.length, 1 + 255);
});

Deno.test("GrowingBytes keeps what it has while it grows", () => {
  const bytes = new GrowingBytes();
  for (let value = 0; value < 3000; value++) {
    const at = bytes.extend(3);
    bytes.view()[at] = value & 0xff;
  }
  assertEquals(bytes.length, 9000);
  assertEquals(bytes.view().filter((_, index) => index % 3 === 0).at(2999), 2999 & 0xff);
});
