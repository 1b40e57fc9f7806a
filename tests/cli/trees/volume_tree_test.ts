/**
 * A volume as a tree to copy from and to.
 */
import { assertEquals } from "@std/assert";
import { freeName } from "../../../cli/shared/place.ts";
import { VolumeTree } from "../../../cli/trees/volume_tree.ts";
import { DIRECTORY, fails, FILE, onVolume } from "../../support/on_volume.ts";

const ATTR = {
  ...{ ino: 0, nlink: 1, rdev: 0, size: 0, blocks: 0, ctime: 0 },
  ...{ mode: 0o104640, uid: 5, gid: 6, atime: 7, mtime: 8 },
};

Deno.test("VolumeTree gives a file its name when it is whole", () => {
  onVolume((volume) => {
    const tree = new VolumeTree(volume);
    const file = tree.begin(volume.root, "a");
    file.write(new Uint8Array(10).fill(1), 100);
    file.resize(300);
    assertEquals(tree.names(volume.root), []);
    const { node, lacks } = file.keep(ATTR, [["user.a", new Uint8Array([9])]]);
    file.close();
    assertEquals([tree.names(volume.root), lacks], [["a"], []]);
    const { mode, uid, gid, size, atime, mtime } = tree.look(volume.root, "a")!.attr;
    assertEquals([mode, uid, gid, size, atime, mtime], [0o104640, 5, 6, 300, 7, 8]);
    assertEquals(tree.xattrs(node), [["user.a", new Uint8Array([9])]]);
  }, (volume) => assertEquals(volume.getattr(volume.lookup(volume.root, "a")).size, 300));
});

Deno.test("VolumeTree replaces in one step, and forgets what is not kept", () => {
  onVolume((volume) => {
    const tree = new VolumeTree(volume);
    const old = volume.create(volume.root, "a", FILE);
    const dropped = tree.begin(volume.root, "a");
    dropped.write(new Uint8Array(5000), 0);
    dropped.close();
    assertEquals(volume.lookup(volume.root, "a"), old);
    const file = tree.begin(volume.root, "a");
    const { node } = file.keep(ATTR, []);
    file.close();
    assertEquals([volume.lookup(volume.root, "a"), tree.names(volume.root)], [node, ["a"]]);
    fails("ESTALE", () => volume.getattr(old));
    volume.create(volume.root, "d", DIRECTORY);
    const over = tree.begin(volume.root, "d");
    fails("EISDIR", () => over.keep(ATTR, []));
    over.close();
    assertEquals(tree.names(volume.root), ["a", "d"]);
  });
});

Deno.test("VolumeTree finds data and holes", () => {
  onVolume((volume) => {
    const tree = new VolumeTree(volume);
    const node = volume.create(volume.root, "a", FILE);
    volume.write(node, new Uint8Array(4096).fill(1), 8192);
    volume.setattr(node, { size: 2 ** 30 });
    const contents = tree.open(tree.at(node));
    assertEquals([contents.dataAt(0), contents.holeAt(8192)], [8192, 12288]);
    assertEquals([contents.dataAt(12288), contents.dataAt(2 ** 31)], [-1, -1]);
    contents.close();
  });
});

Deno.test("VolumeTree lists more names than one call answers, sorted", () => {
  onVolume((volume) => {
    const names = Array.from({ length: 1000 }, (_, index) => `n${index}`);
    for (const name of names) volume.create(volume.root, name, FILE);
    assertEquals(new VolumeTree(volume).names(volume.root), names.sort());
  });
});

Deno.test("VolumeTree says which attributes a volume cannot hold", () => {
  onVolume((volume) => {
    const tree = new VolumeTree(volume);
    const node = volume.create(volume.root, "a", FILE);
    const value = new Uint8Array([1]);
    const lacks = tree.applyAttributes(node, ATTR, [
      ["user.large", new Uint8Array(70_000)],
      ["n".repeat(300), value],
      ["user.fits", value],
    ]);
    assertEquals(lacks.map((lack) => lack.split(":")[0]), ["E2BIG", "ERANGE"]);
    assertEquals(tree.xattrs(node), [["user.fits", value]]);
  });
});

Deno.test("VolumeTree keeps no access control list, says so, and gives no group more rights by that", () => {
  onVolume((volume) => {
    const tree = new VolumeTree(volume);
    const node = volume.create(volume.root, "a", FILE);
    // user::rw-, group::r--, mask::rw-, other::---
    const list = [[1, 6], [4, 4], [16, 6], [32, 0]].flatMap(([tag, rights]) => {
      return [tag!, 0, rights!, 0, 0, 0, 0, 0];
    });
    const acl = new Uint8Array([2, 0, 0, 0, ...list]);
    const lacks = tree.applyAttributes(node, { ...ATTR, mode: 0o100660 }, [
      ["system.posix_acl_access", acl],
      ["system.posix_acl_default", acl],
      ["user.a", acl],
    ]);
    assertEquals(lacks, ["its access control list is left out: a volume has none"]);
    assertEquals([tree.xattrs(node), tree.at(node).attr.mode], [[["user.a", acl]], 0o100640]);
  });
});

Deno.test("VolumeTree finds another name beside one that an interrupted copy left", () => {
  onVolume((volume) => {
    const tree = new VolumeTree(volume);
    const left = freeName(() => false);
    volume.create(volume.root, left, FILE);
    volume.create(volume.root, "a", FILE);
    const file = tree.begin(volume.root, "a");
    const { node } = file.keep(ATTR, []);
    file.close();
    assertEquals([tree.names(volume.root), volume.lookup(volume.root, "a")], [[left, "a"], node]);
  });
});
