import { assertEquals } from "@std/assert";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { summedBytes, summedViolations } from "../../../../opfs/volume/tools/check_sums.ts";
import { loadImage } from "../../../../opfs/volume/load/image.ts";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { scan } from "../../../../opfs/volume/load/scan.ts";
import { FILE } from "../../../support/on_volume.ts";

/** What is found in an image, after something has been done to its tables in memory. */
function found(change: (view: DataView) => void = () => {}) {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, { blockSize: 512 });
  const link = { mode: 0o120777, uid: 0, gid: 0, target: "x".repeat(510) };
  volume.create(volume.root, "link", link);
  const ino = volume.create(volume.root, "file", FILE);
  volume.setxattr(ino, "user.short", new Uint8Array(3), 0);
  volume.setxattr(ino, "user.long", new Uint8Array(3000).fill(4), 0);
  volume.sync();
  const copy = memoryHandle(handle.toBytes());
  const image = loadImage(copy);
  change(image.tables.view);
  const derived = scan(image.tables, image.superblock, image.segments);
  const bytes = [...summedBytes(copy, image, derived)];
  return { bytes, violations: summedViolations(copy, image, derived) };
}

const at = (slot: number): number => slot * L.SLOT_BYTES;

Deno.test("summedBytes() finds targets and values in blocks, in records too, and reads runs", () => {
  const { bytes, violations } = found();
  assertEquals(violations, []);
  assertEquals(bytes.map(({ what, verdict }) => [what, verdict]), [
    ["the target of slot 32", "right"],
    ['the value of "user.long" of slot 33', "right"],
  ]);
  assertEquals(bytes.map(({ pieces }) => pieces.reduce((sum, { count }) => sum + count, 0)), [
    2,
    6,
  ]);
  assertEquals(bytes.map((each) => each.bytes.length), [514, 3000]);
});

Deno.test("summedBytes() leaves to other rules what no target or value can be", () => {
  assertEquals(found((view) => view.setFloat64(at(32) + L.SLOT.SIZE, 4096, true)).bytes.length, 1);
  assertEquals(found((view) => view.setFloat64(at(32) + L.SLOT.SIZE, 2000, true)).bytes.length, 1);
  assertEquals(
    found((view) => view.setUint32(at(32) + L.SLOT.FIRST_BLOCK, 9999, true)).bytes.length,
    1,
  );
  // A name that ends after the table, and one that begins there.
  for (
    const damage of [
      (view: DataView) => view.setUint16(at(35) + L.XATTR.PATH_LENGTH, 0xffff, true),
      (view: DataView) => view.setUint32(at(35) + L.XATTR.PATH_OFFSET, 0xffff_0000, true),
    ]
  ) assertEquals(found(damage).bytes.length, 1);
  const long = found((view) => view.setUint32(at(35) + L.XATTR.SIZE, 70_000, true));
  assertEquals(long.bytes.length, 1);
});

Deno.test("summedViolations() says that a value is wrong whose slot says another sum", () => {
  const flip = (mask: number) => (view: DataView): void => {
    view.setUint32(at(35) + L.XATTR.SUM, view.getUint32(at(35) + L.XATTR.SUM, true) ^ mask, true);
  };
  for (const mask of [1, 3]) {
    const [said] = found(flip(mask)).violations;
    assertEquals([said!.rule, said!.isDerivable], ["V16", false]);
  }
});
