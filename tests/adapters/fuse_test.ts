/**
 * What mountImage() refuses before the kernel is asked; tests/mount has the rest.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { ErrnoError } from "../../mod.ts";
import { mountImage } from "../../adapters/fuse.ts";
import { fileHandle, openVolumeSync } from "../../opfs/mod.ts";

const ignore = Deno.build.os !== "linux";

Deno.test("mountImage() answers ENOENT, ENOTDIR, EINVAL and EBUSY, and touches nothing", {
  ignore,
}, async () => {
  const folder = Deno.makeTempDirSync();
  const image = `${folder}/notes.cairn`;
  const volume = openVolumeSync(fileHandle(image));
  Deno.mkdirSync(`${folder}/dir`);
  const refused = (code: string, from: string, on: string, options = {}) =>
    assertRejects(() => mountImage(from, on, options), ErrnoError, code);
  await refused("EBUSY", image, `${folder}/dir`);
  // While the image is held: a server whose image lies below its own mount would wait for itself.
  await refused("EINVAL", image, folder);
  await refused("EINVAL", image, "/");
  Deno.symlinkSync(folder, `${folder}/dir/again`);
  await refused("EINVAL", image, `${folder}/dir/again`);
  Deno.removeSync(`${folder}/dir/again`);
  volume.close();
  await refused("ENOENT", `${folder}/missing`, `${folder}/dir`);
  await refused("ENOENT", image, `${folder}/missing`);
  await refused("ENOTDIR", image, image);
  await refused("EINVAL", image, `${folder}/dir`, { attrTimeoutMs: -1 });
  await refused("EINVAL", image, `${folder}/dir`, { attrTimeoutMs: NaN });
  assertEquals([...Deno.readDirSync(folder)].map((entry) => entry.name).sort(), [
    "dir",
    "notes.cairn",
  ]);
  Deno.removeSync(folder, { recursive: true });
});
