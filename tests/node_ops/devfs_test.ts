import { assertEquals } from "@std/assert";
import { isChrdev, isDir, isLink } from "../../abi/mode.ts";
import { DEVFS, deviceDrivers } from "../../node_ops/devfs.ts";
import { attachRoot, child } from "../support/bare_mount.ts";

Deno.test("DEVFS has a node for every driver and a driver for every node", () => {
  const root = attachRoot(DEVFS.mount({}));
  const drivers = deviceDrivers();
  const found = root.node_ops.readdir!(root, 0)
    .filter((entry) => isChrdev(entry.mode))
    .map((entry) => child(root, entry.name).rdev);
  assertEquals(found.sort(), [...drivers.keys()].sort());
});

Deno.test("DEVFS has links for the standard streams and a place for shared memory", () => {
  const root = attachRoot(DEVFS.mount({}));
  for (const name of ["stdin", "stdout", "stderr", "fd"]) {
    assertEquals(isLink(child(root, name).mode), true, name);
  }
  const shm = child(root, "shm");
  assertEquals([isDir(shm.mode), shm.mode & 0o7777], [true, 0o1777]);
  assertEquals(child(shm, "tmp").mode & 0o7777, 0o1777);
});

Deno.test("DEVFS takes the clock that it is given", () => {
  const root = attachRoot(DEVFS.mount({ clock: () => 12.5 }));
  assertEquals(root.node_ops.getattr(root).mtime, 12.5);
});
