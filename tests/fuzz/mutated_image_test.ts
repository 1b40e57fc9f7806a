/** Hostile images: mutated in every way; nothing but ErrnoErrors comes out, and nothing hangs. */
import { assert, assertEquals } from "@std/assert";
import { isErrnoError } from "../../abi/errno.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/check.ts";
import { openVolumeSync } from "../../opfs/volume/mount.ts";
import { goldenImages } from "../golden/images.ts";
import { isDir, isFile, isLink } from "../../abi/mode.ts";
import { type Prng, prng } from "../support/prng.ts";
import type { Volume } from "../../opfs/volume/volume.ts";

const IMAGES = Deno.env.get("CAIRN_LONG") === "1" ? 10_000 : 500;
const EXTREMES = [0, 1, 0x7f, 0x80, 0xff];
/** Where something is: superblock, headers, records, slots, names, bitmap. */
const PLACES = [[0, 64], [4096, 4352], [8192, 8448], [12288, 16384], [536576, 539500], [
  602112,
  602400,
]];

function mutate(image: Uint8Array, random: Prng): Uint8Array {
  let bytes = image.slice();
  for (let round = 1 + random.below(4); round > 0; round--) {
    const [from, to] = random.pick(PLACES) as [number, number];
    const at = from + random.below(to - from);
    switch (random.below(5)) {
      case 0:
        bytes[at]! ^= 1 << random.below(8);
        break;
      case 1:
        bytes[at] = random.pick(EXTREMES);
        break;
      case 2:
        bytes.fill(random.pick(EXTREMES), at & ~3, (at & ~3) + 4);
        break;
      case 3:
        bytes.copyWithin(at & ~63, (from + random.below(to - from)) & ~63, to);
        break;
      default:
        if (random.below(10) === 0) bytes = bytes.slice(0, random.below(bytes.length));
        else bytes[at] = random.below(256);
    }
  }
  return bytes;
}

/** Looks at everything that a volume shows, within reason. */
function walk(volume: Volume, ino: number, depth: number): void {
  const { mode, size } = volume.getattr(ino);
  if (isLink(mode)) volume.readlink(ino);
  if (isFile(mode)) {
    const bytes = new Uint8Array(5000);
    for (const at of [0, size - 1, Math.floor(size / 2)]) volume.read(ino, bytes, Math.max(0, at));
  }
  if (!isDir(mode) || depth > 50) return;
  for (const { name } of volume.readdir(ino, 0)) walk(volume, volume.lookup(ino, name), depth + 1);
}

for (const [name, make] of Object.entries(goldenImages)) {
  Deno.test(`${IMAGES / 2} mutations of ${name} give ErrnoErrors only`, () => {
    const image = make();
    const random = prng(7);
    let opened = 0;
    for (let index = 0; index < IMAGES / 2; index++) {
      const bytes = mutate(image, random);
      try {
        checkVolume(memoryHandle(bytes));
      } catch (error) {
        assert(isErrnoError(error), `image ${index}, check: ${(error as Error).stack}`);
      }
      const handle = memoryHandle(bytes);
      try {
        const volume = openVolumeSync(handle, { create: false });
        opened++;
        walk(volume, volume.root, 0);
        volume.create(volume.root, "one more", { mode: 0o100644, uid: 0, gid: 0 });
        volume.close();
        const wrong = checkVolume(handle).violations.filter(({ rule }) => rule !== "V8");
        assertEquals(wrong, [], `image ${index}`);
      } catch (error) {
        assert(isErrnoError(error), `image ${index}: ${(error as Error).stack}`);
      }
    }
    console.log(`${opened} of ${IMAGES / 2} could be opened`);
    assert(opened > IMAGES / 20);
  });
}
