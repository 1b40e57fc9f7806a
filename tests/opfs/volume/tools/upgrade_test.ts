/** An image of an older format becomes one of today's, with everything that was in it. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { gunzipSync } from "node:zlib";
import { FALLOC_FL_KEEP_SIZE } from "../../../../abi/flags.ts";
import { ErrnoError } from "../../../../abi/errno.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { formatVolume } from "../../../../opfs/volume/load/format.ts";
import { isSummed, newestHeader } from "../../../../opfs/volume/format/header.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import type { Volume } from "../../../../opfs/volume/volume.ts";
import { runToEnd } from "../../../../opfs/volume/upkeep/transfer.ts";
import { isOlderFormat, upgradeSteps } from "../../../../opfs/volume/tools/upgrade.ts";
import { goldenPath, olderImages } from "../../../golden/images.ts";
import { CrashHandle } from "../../../support/crash_handle.ts";
import { differences, treeOf } from "../../../support/model_tree.ts";
import { FILE } from "../../../support/on_volume.ts";

const kept = (name: string): Uint8Array =>
  new Uint8Array(gunzipSync(Deno.readFileSync(goldenPath(name))));

/** A golden image, in which the file of a gigabyte is short: a look at all of it takes a minute. */
function olderImage(name: string, isClosed: boolean): Uint8Array<ArrayBuffer> {
  const handle = memoryHandle(kept(name));
  const volume = openVolumeSync(handle);
  volume.setattr(volume.lookup(volume.root, "sparse"), { size: 100_000 });
  addWhatIsRare(volume);
  volume.sync();
  if (isClosed) volume.close();
  return handle.toBytes();
}

/** What earlier writers did not put there. */
function addWhatIsRare(volume: Volume): void {
  const ino = volume.create(volume.root, "attributes", FILE);
  volume.setxattr(ino, "user.short", new Uint8Array([1, 2, 3]), 0);
  volume.setxattr(ino, "user.long", new Uint8Array(20_000).fill(7), 0);
  volume.setxattr(volume.root, "user.root", new Uint8Array(0), 0);
  volume.allocate(ino, FALLOC_FL_KEEP_SIZE, 8192, 40_960);
  for (const length of [1, 4092, 4093, 4094, 4095]) {
    const target = "t".repeat(length);
    volume.create(volume.root, `to${length}`, { mode: 0o120777, uid: 1, gid: 2, target });
  }
}

/** Names and values of what `treeOf` does not show. */
function attributesIn(bytes: Uint8Array<ArrayBuffer>): unknown[] {
  const volume = openVolumeSync(memoryHandle(bytes), { readOnly: true });
  const ino = volume.lookup(volume.root, "attributes");
  return [
    ...volume.listxattr(ino).sort().map((name) => [name, volume.getxattr(ino, name)]),
    volume.listxattr(volume.root),
    volume.getattr(ino).blocks,
  ];
}

const IMAGES = olderImages.flatMap((name) => [true, false].map((isClosed) => ({ name, isClosed })));

for (const { name, isClosed } of IMAGES) {
  const what = `${name}, ${isClosed ? "closed" : "in use"}`;
  Deno.test(`upgradeSteps() carries everything over and touches nothing: ${what}`, () => {
    const bytes = olderImage(name, isClosed);
    const old = new CrashHandle(bytes);
    assert(isOlderFormat(old));
    const target = memoryHandle();
    assert(runToEnd(upgradeSteps(old, target)).isComplete);
    assertEquals(old.changes, []);
    const made = target.toBytes();
    assert(!isOlderFormat(memoryHandle(made)) && isSummed(newestHeader(made)));
    assertEquals(checkVolume(memoryHandle(made)).violations, []);
    const before = openVolumeSync(memoryHandle(bytes), { readOnly: true });
    const after = openVolumeSync(memoryHandle(made), { readOnly: true });
    assertEquals(differences(treeOf(after), treeOf(before)), "");
    const facts = (
      { label, volumeId, limitBytes, ringBytes }: ReturnType<typeof newestHeader>,
    ) => [label, volumeId, limitBytes, ringBytes];
    assertEquals(facts(newestHeader(made)), facts(newestHeader(bytes)));
    assertEquals(attributesIn(made), attributesIn(bytes));
  });
}

Deno.test("upgradeSteps() refuses an image that is damaged before it writes", () => {
  const bytes = kept("older_closed").slice();
  const { superblock } = newestHeader(bytes);
  bytes[superblock.inodeOffset + 40 * 64] = 99;
  const target = new CrashHandle();
  const steps = upgradeSteps(memoryHandle(bytes), target);
  assertThrows(() => runToEnd(steps), ErrnoError, "EIO: cannot upgrade a volume that is damaged");
  assertEquals(target.changes, []);
});

Deno.test("isOlderFormat() knows a new volume, and other bytes", () => {
  const fresh = memoryHandle();
  formatVolume(fresh);
  assertEquals(isOlderFormat(fresh), false);
  assertThrows(() => isOlderFormat(memoryHandle()), ErrnoError, "EINVAL");
  assertThrows(() => isOlderFormat(memoryHandle(new Uint8Array(99_999))), ErrnoError, "EINVAL");
});
