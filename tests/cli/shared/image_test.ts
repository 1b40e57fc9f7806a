/**
 * Opening an image, and what is in it.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { filesOf, inoAt, walk, withVolume } from "../../../cli/shared/image.ts";
import { PlaceError } from "../../../cli/shared/verb.ts";
import { fileHandle } from "../../../opfs/device/file.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import { inFolder } from "../../support/command_line.ts";
import { assertErrno } from "../../support/errno.ts";
import { ModelVolume } from "../../support/model_volume.ts";

const FILE = { mode: 0o100644, uid: 0, gid: 0 };
const DIRECTORY = { mode: 0o040755, uid: 0, gid: 0 };

Deno.test("walk() puts parents first and names in order", () => {
  const volume = new ModelVolume();
  const b = volume.create(volume.root, "b", DIRECTORY);
  for (const name of ["z", "10", "9", "__proto__"]) volume.create(b, name, FILE);
  volume.create(volume.root, "a", FILE);
  volume.create(volume.root, "b.", FILE);
  const paths = [...walk(volume)].map(({ path }) => path);
  assertEquals(paths, ["/", "/a", "/b", "/b/10", "/b/9", "/b/__proto__", "/b/z", "/b."]);
});

Deno.test("walk() can put contents first, begin anywhere, and stop at a depth", () => {
  const volume = new ModelVolume();
  const a = volume.create(volume.root, "a", DIRECTORY);
  const b = volume.create(a, "b", DIRECTORY);
  volume.create(b, "c", FILE);
  volume.create(a, "empty", DIRECTORY);
  const pathsOf = (options: Parameters<typeof walk>[1]) =>
    [...walk(volume, options)].map(({ path, depth }) => `${path} ${depth}`);
  const from = { path: "x", ino: a };
  assertEquals(pathsOf({ isContentFirst: true, from }), ["x/b/c 2", "x/b 1", "x/empty 1", "x 0"]);
  assertEquals(pathsOf({ maxDepth: 1, from }), ["x 0", "x/b 1", "x/empty 1"]);
  assertEquals(pathsOf({ maxDepth: 0, isContentFirst: true }), ["/ 0"]);
  const [, , c] = walk(volume, { from });
  assertEquals([c!.parent, c!.name], [b, "c"]);
});

Deno.test("inoAt() says that nothing is there", () => {
  const volume = new ModelVolume();
  const link = volume.create(volume.root, "l", { ...FILE, mode: 0o120777, target: "a" });
  const a = volume.create(volume.root, "a", FILE);
  const files = filesOf(volume);
  assertEquals(inoAt(files, "/l", { follow: true }), a);
  assertEquals(inoAt(files, "/l", { follow: false }), link);
  assertErrno("ENOENT", () => inoAt(files, "/none", { follow: true }));
});

Deno.test("withVolume() opens for reading only, and lets go whatever happens", () => {
  inFolder((folder) => {
    const path = `${folder}/v`;
    openVolumeSync(fileHandle(path)).close();
    const before = Deno.readFileSync(path);
    assertThrows(
      () => withVolume(path, (volume) => volume.create(volume.root, "a", FILE)),
      Error,
      "EROFS",
    );
    assertEquals(Deno.readFileSync(path), before);
    withVolume(path, (volume) => volume.create(volume.root, "a", FILE), { readOnly: false });
    const names = withVolume(path, (volume) => [...walk(volume)].map((found) => found.path));
    assertEquals(names, ["/", "/a"]);
    assertThrows(() => withVolume(`${path}x`, () => 0), PlaceError);
  });
});

Deno.test("filesOf() has the volume's own /dev in front, and no other", () => {
  const volume = new ModelVolume();
  volume.create(volume.root, "dev", DIRECTORY);
  const files = filesOf(volume);
  assertEquals(files.readdir("/dev"), [".", ".."]);
  assertErrno("EROFS", () => files.mkdir("/x"));
  filesOf(volume, { readOnly: false }).mkdir("/x");
});
