/** From a stream to a place, in this thread. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { bringImage } from "../../../opfs/compose/bring_image.ts";
import { fileHandle } from "../../../opfs/device/file.ts";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { formatVolume } from "../../../opfs/volume/load/format.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";

function image(label: string): ReadableStream<Uint8Array> {
  const handle = memoryHandle();
  formatVolume(handle, { label });
  return new Blob([handle.toBytes()]).stream();
}

Deno.test("bringImage() replaces a volume by a whole one only, and lets go of the name", async () => {
  const folder = Deno.makeTempDirSync();
  const place = { kind: "host" as const, path: `${folder}/v` };
  const once = { replace: false, busyTimeoutMs: 100 };
  try {
    assert((await bringImage(image("one"), place, once)).clean);
    const first = Deno.readFileSync(place.path);
    const refused = image("two");
    await assertRejects(() => bringImage(refused, place, once), ErrnoError, "EEXIST");
    await assertRejects(() => refused.getReader().read().then(({ done }) => assert(!done)));
    const torn = new Blob([first.subarray(0, 300_000)]).stream();
    const again = { ...once, replace: true };
    await assertRejects(() => bringImage(torn, place, again), ErrnoError, "cut off");
    assertEquals(Deno.readFileSync(place.path), first);
    await bringImage(image("two"), place, again);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["v"]);
    const volume = openVolumeSync(fileHandle(place.path));
    await assertRejects(() => bringImage(image("three"), place, again), ErrnoError, "EBUSY");
    volume.close();
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
