/** The golden images: today's engine writes them byte for byte, and reads them and older ones. */
import { assertEquals } from "@std/assert";
import { gunzipSync } from "node:zlib";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { contentsOf } from "../support/model_tree.ts";
import { damagedImages, goldenImages, goldenPath, olderImages } from "./images.ts";

const kept = (name: string): Uint8Array =>
  new Uint8Array(gunzipSync(Deno.readFileSync(goldenPath(name))));

const damaged = Object.entries(damagedImages);
const written = [
  ...Object.entries(goldenImages),
  ...damaged.map(([name, { make }]) => [name, make] as const),
];

for (const [name, make] of written) {
  Deno.test(`${name} is written byte for byte`, () => {
    const expected = kept(name);
    const actual = make();
    assertEquals(actual.length, expected.length);
    const first = actual.findIndex((byte, index) => byte !== expected[index]);
    assertEquals(first, -1, `first other byte at ${first}`);
  });
}

for (const name of [...Object.keys(goldenImages), ...olderImages, ...Object.keys(damagedImages)]) {
  Deno.test(`${name} is read`, () => {
    const handle = memoryHandle(kept(name));
    const said = name in damagedImages ? [damagedImages[name]!.rule] : [];
    assertEquals(checkVolume(handle).violations.map(({ rule }) => rule), said);
    const volume = openVolumeSync(handle);
    assertEquals(volume.report.corrected.map(({ rule }) => rule), said);
    assertEquals(volume.report.wasClean, name.endsWith("closed"));
    const hello = volume.lookup(volume.root, "hello.txt");
    const { nlink, uid, gid, mode, atime, mtime } = volume.getattr(hello);
    assertEquals([nlink, uid, gid, mode, atime, mtime], [2, 1000, 100, 0o100644, 1.5, 2.25]);
    assertEquals(new TextDecoder().decode(contentsOf(volume, hello)), "Hello, reader.\n");
    const directory = volume.lookup(volume.root, "directory");
    const names = volume.readdir(directory, 0).map((entry) => entry.name);
    assertEquals(names, ["second name", "link", "fifo", "null", "Grüße 文𝄞", "moved"]);
    assertEquals(volume.readlink(volume.lookup(directory, "link")), "../hello.txt");
    assertEquals(volume.getattr(volume.lookup(directory, "null")).rdev, 0x103);
    const sparse = volume.lookup(volume.root, "sparse");
    assertEquals([volume.getattr(sparse).size, volume.getattr(sparse).blocks], [1e9, 8 * 8]);
    const bytes = new Uint8Array(101);
    volume.read(sparse, bytes, 29_999);
    assertEquals([bytes[0], bytes[1], bytes[100]], [0, 3, 3]);
    volume.close();
    assertEquals(checkVolume(handle).violations, []);
  });
}
