/** An image becomes a volume only when it is whole. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import { type MemoryHandle, memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { importImage } from "../../../../opfs/volume/tools/image_import.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { CrashHandle } from "../../../support/crash_handle.ts";
import { LimitedHandle } from "../../../support/limited_handle.ts";
import { FILE } from "../../../support/on_volume.ts";
import { reseal } from "../../../support/reseal.ts";
import { prng } from "../../../support/prng.ts";

const good: Uint8Array<ArrayBuffer> = (() => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  volume.write(volume.create(volume.root, "a", FILE), new Uint8Array(50_000).fill(5), 0);
  volume.close();
  return handle.toBytes();
})();

function streamOf(bytes: Uint8Array<ArrayBuffer>, pieceBytes = 10_000): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller): void {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, at += pieceBytes));
    },
  });
}

async function refuses(bytes: Uint8Array<ArrayBuffer>, message: string): Promise<MemoryHandle> {
  const handle = memoryHandle();
  await assertRejects(() => importImage(streamOf(bytes), handle), ErrnoError, message);
  assertEquals(handle.getSize(), 0);
  return handle;
}

Deno.test("importImage() brings an image to the byte, in pieces of any length", async () => {
  for (const pieceBytes of [999, 4096, 12_289, 1 << 20]) {
    const handle = memoryHandle();
    const told: number[] = [];
    const onProgress = (doneBytes: number): void => void told.push(doneBytes);
    const report = await importImage(streamOf(good, pieceBytes), handle, { onProgress });
    assert(report.clean && report.files === 1);
    assertEquals(handle.toBytes(), good);
    assertEquals([told.length, told.at(-1)], [Math.ceil(good.length / pieceBytes), good.length]);
  }
});

Deno.test("importImage() refuses what is no volume, damaged or cut off, and leaves nothing", async () => {
  await refuses(new Uint8Array(0), "EINVAL");
  await refuses(new Uint8Array(20_000).fill(65), "EINVAL");
  await refuses(good.slice(0, -1), "cut off");
  const damaged = good.slice();
  damaged[12288 + 512 * 1024 + 4096 + 32 * 64] = 99;
  await refuses(damaged, "V16");
  reseal(damaged);
  await refuses(damaged, "V8");
  const first = new Uint8Array(30_000);
  first.set([0x21, 0x53, 0x46, 0x56, 1]);
  await refuses(first, "version-1 image");
});

Deno.test("importImage() refuses a device with something on it, and one that gets full", async () => {
  const used = memoryHandle(new Uint8Array([1]));
  await assertRejects(() => importImage(streamOf(good), used), ErrnoError, "EEXIST");
  assertEquals(used.toBytes(), new Uint8Array([1]));
  const device = memoryHandle();
  const full = new LimitedHandle(device, good.length - 1);
  await assertRejects(() => importImage(streamOf(good), full), ErrnoError, "ENOSPC");
  assertEquals(device.getSize(), 0);
});

Deno.test("importImage() passes on what the stream says, and empties the device", async () => {
  const handle = memoryHandle();
  const broken = new ReadableStream<Uint8Array>({
    pull(controller): void {
      if (handle.getSize() === 0) controller.enqueue(good.slice(0, 100_000));
      else controller.error(new Error("the line is dead"));
    },
  });
  await assertRejects(() => importImage(broken, handle), Error, "the line is dead");
  assertEquals(handle.getSize(), 0);
});

Deno.test("importImage() leaves a volume or none, wherever it crashes", async () => {
  const handle = new CrashHandle();
  await importImage(streamOf(good, 300_000), handle);
  let [whole, none] = [0, 0];
  for (const { bytes, model, point } of handle.crashes(prng(1))) {
    const device = memoryHandle(bytes);
    try {
      const { violations } = checkVolume(device);
      assert(violations.every(({ isDerivable }) => isDerivable), `${model} at ${point}`);
      const volume = openVolumeSync(device);
      assertEquals(volume.getattr(volume.lookup(volume.root, "a")).size, 50_000);
      volume.close();
      assertEquals(checkVolume(device).violations.filter(({ rule }) => rule !== "V8"), []);
      whole++;
    } catch (error) {
      assert(error instanceof ErrnoError && error.code === "EINVAL", `${model} at ${point}`);
      // What has come is not formatted over by the next opener, unless nothing has.
      const isEmpty = bytes.every((byte) => byte === 0);
      if (!isEmpty) {
        try {
          openVolumeSync(device);
          throw new Error(`${model} at ${point}: formatted`);
        } catch (refusal) {
          assert(refusal instanceof ErrnoError, String(refusal));
        }
      }
      none++;
    }
  }
  console.log(`images looked at: ${whole} whole, ${none} no volume`);
  assert(whole > 0 && none > 0);
});
