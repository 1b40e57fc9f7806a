import { assertEquals } from "@std/assert";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { newestHeader } from "../../../../opfs/volume/format/header.ts";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { mendVolume } from "../../../../opfs/volume/tools/repair.ts";
import { findTarget, withoutSum, withSum } from "../../../../opfs/volume/memory/summed_bytes.ts";
import { stateOf } from "../../../support/engine_state.ts";
import { fails, FILE } from "../../../support/on_volume.ts";

const text = (target: string): Uint8Array => new TextEncoder().encode(target);

Deno.test("findTarget() finds a target by its sum when the size is wrong", () => {
  const block = new Uint8Array(4099);
  block.set(withSum(text("../some/target")));
  for (const size of [14, 0, 13, 15, 18, 19, 900, 4095, -1, NaN, 1e9]) {
    assertEquals(findTarget(block, size), text("../some/target"), `size ${size}`);
  }
  block[3]! ^= 1;
  assertEquals(findTarget(block, 14), text("../some/target"));
  assertEquals(findTarget(block, 13), null);
});

Deno.test("withoutSum() turns one bit back, and refuses more", () => {
  const bytes = withSum(text("plain"));
  bytes[2]! ^= 8;
  assertEquals(withoutSum(bytes.slice(), "it"), text("plain"));
  bytes[4]! ^= 8;
  fails("EIO", () => withoutSum(bytes, "it"));
});

/** A closed volume with a link and an attribute, and where their bytes are on the device. */
function image(blockSize: number, valueBytes: number) {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, { blockSize });
  const target = "to/".repeat(200) + "end";
  volume.create(volume.root, "link", { mode: 0o120777, uid: 0, gid: 0, target });
  const file = volume.create(volume.root, "file", FILE);
  const value = Uint8Array.from({ length: valueBytes }, (_, index) => index * 7);
  volume.setxattr(file, "user.a", value, 0);
  const state = stateOf(volume);
  const link = (volume.lookup(volume.root, "link") >>> 0) - 1;
  const [run] = state.extents.runsOf(link);
  const [attribute] = state.xattrs.get((file >>> 0) - 1)!;
  const first = state.tables.view.getUint32(attribute! * L.SLOT_BYTES + L.XATTR.PAIRS, true);
  const places = { target: state.placeOf(run!.block, 0), value: state.placeOf(first, 0) };
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
  return { bytes: handle.toBytes(), target, value, places };
}

for (const blockSize of [512, 4096]) {
  Deno.test(`one bit of a target or a value is put right when it is read: ${blockSize}`, () => {
    const { bytes, target, value, places } = image(blockSize, 9000);
    for (const at of [places.target, places.target + 300, places.target + target.length + 3]) {
      bytes[at]! ^= 4;
      const handle = memoryHandle(bytes);
      const volume = openVolumeSync(handle);
      assertEquals(volume.readlink(volume.lookup(volume.root, "link")), target);
      volume.close();
      const [said] = checkVolume(handle).violations;
      assertEquals([said!.rule, said!.isDerivable], ["V16", true]);
      assertEquals(mendVolume(handle).violations, []);
      bytes[at]! ^= 4;
      const { dataOffset } = newestHeader(bytes).superblock;
      assertEquals(handle.toBytes().slice(dataOffset), bytes.slice(dataOffset));
    }
    bytes[places.value + 70]! ^= 128;
    const handle = memoryHandle(bytes);
    const volume = openVolumeSync(handle);
    assertEquals(volume.getxattr(volume.lookup(volume.root, "file"), "user.a"), value);
    volume.close();
    assertEquals(mendVolume(handle).violations, []);
    assertEquals(handle.toBytes()[places.value + 70], value[70]);
  });
}

Deno.test("more than one bit of a target or a value is EIO, and never shown", () => {
  const { bytes, places } = image(4096, 400);
  for (const at of [places.target, places.value]) {
    bytes[at]! ^= 3;
  }
  const handle = memoryHandle(bytes);
  const volume = openVolumeSync(handle);
  fails("EIO", () => volume.readlink(volume.lookup(volume.root, "link")));
  fails("EIO", () => volume.getxattr(volume.lookup(volume.root, "file"), "user.a"));
  volume.close();
  const { violations } = checkVolume(handle);
  assertEquals(violations.map(({ rule, isDerivable }) => [rule, isDerivable]), [
    ["V16", false],
    ["V16", false],
  ]);
  fails("EIO", () => mendVolume(handle));
});

Deno.test("a value that is too long to be put right is EIO for one bit", () => {
  const { bytes, places } = image(4096, 60_000);
  bytes[places.value + 30_000]! ^= 1;
  const volume = openVolumeSync(memoryHandle(bytes), { readOnly: true });
  fails("EIO", () => volume.getxattr(volume.lookup(volume.root, "file"), "user.a"));
});
