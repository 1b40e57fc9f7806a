import { assertEquals } from "@std/assert";
import { OwnerMap } from "../../../adapters/fuse/owner_map.ts";
import { ModelVolume } from "../../support/model_volume.ts";
import { FakeKernel } from "./fake_kernel.ts";

Deno.test("OwnerMap trades root for another, both ways, and leaves others alone", () => {
  const map = new OwnerMap({ uid: 1000, gid: 100 });
  assertEquals([map.uid(0), map.uid(1000), map.uid(5)], [1000, 0, 5]);
  assertEquals([map.gid(0), map.gid(100), map.gid(5)], [100, 0, 5]);
  assertEquals(map.turn({ uid: 0, gid: 7 }), { uid: 1000, gid: 7 });
  const same = new OwnerMap({ uid: 0, gid: 0 });
  assertEquals([same.uid(0), same.uid(3), same.gid(0), same.gid(3)], [0, 3, 0, 3]);
});

Deno.test("OwnerMap lets an ordinary user own what belongs to root in the volume", () => {
  const volume = new ModelVolume();
  const kernel = new FakeKernel(volume, { rootIs: { uid: 1000, gid: 100 }, groupsOf: () => [50] });
  kernel.init();
  assertEquals([kernel.getattr(1).uid, kernel.getattr(1).gid], [1000, 100]);
  const { node, attr } = kernel.create("a", { uid: 1000, gid: 100 });
  assertEquals([attr.uid, attr.gid], [1000, 100]);
  const inside = volume.getattr(volume.lookup(volume.root, "a"));
  assertEquals([inside.uid, inside.gid], [0, 0]);
  const changed = kernel.setattr(node, 4, { gid: 50 });
  assertEquals([changed.uid, changed.gid], [1000, 50]);
  assertEquals(kernel.list(1, { plus: true })[2]!.entry!.attr.uid, 1000);
});
