import { assertEquals } from "@std/assert";
import { KnownInodes, searchParent } from "../../../adapters/fuse/inodes.ts";
import { ModelVolume } from "../../support/model_volume.ts";

const FILE = 0o100644;
const DIRECTORY = 0o040755;

function withFile() {
  const volume = new ModelVolume();
  const ino = volume.create(volume.root, "a", { mode: FILE, uid: 0, gid: 0 });
  return { volume, ino, inodes: new KnownInodes(volume) };
}

Deno.test("KnownInodes retains with the first answer and releases with the last", () => {
  const { volume, ino, inodes } = withFile();
  for (let index = 0; index < 3; index++) inodes.remember(ino, { mode: FILE, parent: 1 });
  assertEquals([inodes.count, volume.calls.get("retain")], [1, 1]);
  volume.unlink(volume.root, "a");
  inodes.forget(ino, 2);
  assertEquals(volume.getattr(ino).nlink, 0);
  inodes.forget(ino, 1);
  assertEquals([inodes.count, volume.inodeCount, volume.calls.get("release")], [0, 1, 1]);
});

Deno.test("KnownInodes counts neither the root nor what it does not know", () => {
  const { volume, ino, inodes } = withFile();
  inodes.remember(volume.root, { mode: DIRECTORY, parent: volume.root });
  inodes.forget(volume.root, 5);
  inodes.forget(ino, 1);
  assertEquals([inodes.count, volume.calls.get("retain"), volume.calls.get("release")], [
    0,
    undefined,
    undefined,
  ]);
});

Deno.test("KnownInodes.forgetAll() lets go of everything once", () => {
  const { volume, ino, inodes } = withFile();
  inodes.remember(ino, { mode: FILE, parent: 1 });
  inodes.remember(ino, { mode: FILE, parent: 1 });
  volume.unlink(volume.root, "a");
  inodes.forgetAll();
  inodes.forgetAll();
  assertEquals([inodes.count, volume.inodeCount], [0, 1]);
});

Deno.test("KnownInodes.parentOf() follows directories, and only them", () => {
  const { volume, ino, inodes } = withFile();
  const d = volume.create(volume.root, "d", { mode: DIRECTORY, uid: 0, gid: 0 });
  inodes.remember(d, { mode: DIRECTORY, parent: volume.root });
  inodes.remember(ino, { mode: FILE, parent: volume.root });
  assertEquals(inodes.parentOf(volume.root), volume.root);
  assertEquals(inodes.parentOf(d), volume.root);
  inodes.moved(d, 77);
  inodes.moved(ino, 77);
  assertEquals([inodes.parentOf(d), inodes.parentOf(ino), inodes.parentOf(1234)], [77, 0, 0]);
});

Deno.test("KnownInodes.mayHavePrivileges() is true for setuid, setgid and what is not known", () => {
  const { ino, inodes } = withFile();
  assertEquals(inodes.mayHavePrivileges(ino), true);
  inodes.remember(ino, { mode: FILE, parent: 1 });
  assertEquals(inodes.mayHavePrivileges(ino), false);
  inodes.noteMode(ino, 0o102755);
  assertEquals(inodes.mayHavePrivileges(ino), true);
});

Deno.test("searchParent() looks through all directories, piece by piece", () => {
  const { volume, ino } = withFile();
  const make = (parent: number, name: string) =>
    volume.create(parent, name, { mode: DIRECTORY, uid: 0, gid: 0 });
  const folders = Array.from({ length: 300 }, (_, index) => make(volume.root, `d${index}`));
  const deep = make(folders[297]!, "deep");
  assertEquals(searchParent(volume, deep), folders[297]);
  assertEquals(searchParent(volume, folders[299]!), volume.root);
  assertEquals([searchParent(volume, ino), searchParent(volume, 99_999)], [0, 0]);
});
