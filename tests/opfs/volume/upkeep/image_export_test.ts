/** Images of volumes in use: the state of one moment, whatever happens during the export. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import type { StorageHandle } from "../../../../opfs/device/handle.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { importImage } from "../../../../opfs/volume/tools/image_import.ts";
import { openVolumeSync, type VolumeOptions } from "../../../../opfs/volume/load/mount.ts";
import { VolumeState } from "../../../../opfs/volume/state.ts";
import type { Volume } from "../../../../opfs/volume/volume.ts";
import { LimitedHandle } from "../../../support/limited_handle.ts";
import { differences, modelTree, treeOf } from "../../../support/model_tree.ts";
import { DIRECTORY, fails, FILE } from "../../../support/on_volume.ts";
import { prng } from "../../../support/prng.ts";
import { Pair } from "../../../support/random_pair.ts";

type Stream = ReadableStream<Uint8Array<ArrayBuffer>>;

/** Reads a stream to its end onto a device of its own, and does something before each piece. */
async function collect(stream: Stream, between: () => void = () => {}): Promise<StorageHandle> {
  const handle = memoryHandle();
  const reader = stream.getReader();
  const pieces = new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      between();
      const { value, done } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  }, { highWaterMark: 0 });
  const { violations } = await importImage(pieces, handle);
  assertEquals(violations, []);
  return handle;
}

function shownBy(handle: StorageHandle): ReturnType<typeof treeOf> {
  const volume = openVolumeSync(handle, { readOnly: true });
  const tree = treeOf(volume);
  volume.close();
  return tree;
}

/** Exports while random calls go on, and compares with the model of the moment. */
async function exportInUse(seed: number, options: VolumeOptions, sizeMax: number): Promise<string> {
  const random = prng(seed);
  const device = memoryHandle();
  const volume = openVolumeSync(device, { ...options, random: random.fill });
  const pair = new Pair(volume, random, sizeMax);
  for (let step = 0; step < 150; step++) pair.step();
  const moment = modelTree(pair.root);
  const stream = volume.exportImage();
  let steps = 0;
  const image = await collect(stream, () => {
    for (let count = 0; count < 12; count++, steps++) pair.step();
    if (random.below(3) === 0) volume.sync();
  });
  assert(steps > 20, `${steps} calls while the image was read`);
  assertEquals(differences(treeOf(volume), modelTree(pair.root)), "");
  volume.close();
  assertEquals(checkVolume(device).violations, []);
  return differences(shownBy(image), moment);
}

const WAYS: readonly [string, VolumeOptions, number][] = [
  ["small files", { ringBytes: 128 * 1024 }, 60_000],
  ["large files", { ringBytes: 128 * 1024, poolBytes: 1 << 18 }, 600_000],
  ["durability op", { durability: "op" }, 200_000],
  ["blocks of 512 bytes", { blockSize: 512 }, 100_000],
  ["blocks of 32 KiB", { blockSize: 32768, poolBytes: 1 << 21 }, 400_000],
];

for (const [name, options, sizeMax] of WAYS) {
  Deno.test(`exportImage() shows the moment it was called, whatever follows: ${name}`, async () => {
    for (const seed of [1, 2, 3]) {
      assertEquals(await exportInUse(seed, options, sizeMax), "", `seed ${seed}`);
    }
  });
}

Deno.test("exportImage() would show later bytes if a writer did not say what it writes over", async () => {
  const { announceWrite } = VolumeState.prototype;
  VolumeState.prototype.announceWrite = () => {};
  try {
    let wrong = 0;
    for (const seed of [1, 2, 3]) {
      const options = { ringBytes: 128 * 1024, poolBytes: 1 << 18 };
      // A target with later bytes over it is found by its sum.
      const found = await exportInUse(seed, { ...options, durability: "op" }, 600_000)
        .catch((error: Error) => error.message);
      if (found !== "") wrong++;
    }
    assert(wrong > 0);
  } finally {
    VolumeState.prototype.announceWrite = announceWrite;
  }
});

function filled(handle: StorageHandle, options: VolumeOptions = {}): Volume {
  const volume = openVolumeSync(handle, options);
  for (let index = 0; index < 5; index++) {
    const ino = volume.create(volume.root, `f${index}`, FILE);
    volume.write(ino, new Uint8Array(300_000).fill(index + 1), 0);
  }
  return volume;
}

Deno.test("exportImage() leaves out what no name leads to, and is compact", async () => {
  const device = memoryHandle();
  const volume = filled(device);
  const open = volume.lookup(volume.root, "f1");
  volume.retain(open);
  for (const name of ["f1", "f3"]) volume.unlink(volume.root, name);
  const image = await collect(volume.exportImage());
  assertEquals([...shownBy(image).keys()], ["", "/f0", "/f2", "/f4"]);
  const { totalBlocks, usedBlocks } = checkVolume(image);
  assertEquals([totalBlocks, usedBlocks], [222, 222]);
  volume.release(open);
  volume.close();
  assertEquals(checkVolume(device).violations, []);
});

Deno.test("exportImage() carries tables of several segments, links and holes", async () => {
  const device = memoryHandle();
  const volume = openVolumeSync(device, { blockSize: 512 });
  const directory = volume.create(volume.root, "d", DIRECTORY);
  for (let index = 0; index < 3000; index++) {
    volume.create(directory, `${"long ".repeat(20)}${index}`, FILE);
  }
  const large = volume.create(volume.root, "large", FILE);
  for (let at = 0; at < 20; at++) volume.write(large, new Uint8Array(1 << 20).fill(at), at << 20);
  volume.write(large, new Uint8Array(10).fill(9), 40 << 20);
  volume.link(large, directory, "second");
  const moment = treeOf(volume);
  const image = await collect(volume.exportImage(), () => {
    volume.write(large, new Uint8Array(3000).fill(77), 5 << 20);
    volume.create(directory, `during ${performance.now()} ${Math.random()}`, FILE);
  });
  assertEquals(differences(shownBy(image), moment), "");
  volume.close();
  assertEquals(checkVolume(device).violations, []);
  const again = openVolumeSync(image);
  again.unlink(again.root, "large");
  again.create(again.root, "on it goes", FILE);
  again.close();
  assertEquals(checkVolume(image).violations, []);
});

Deno.test("exportImage() of an empty volume, and of one that is open for reading only", async () => {
  const empty = openVolumeSync(memoryHandle());
  assertEquals([...shownBy(await collect(empty.exportImage())).keys()], [""]);
  const device = memoryHandle();
  const volume = filled(device);
  volume.sync();
  volume.write(volume.lookup(volume.root, "f2"), new Uint8Array(100).fill(99), 5000);
  volume.sync();
  const moment = treeOf(volume);
  const before = device.toBytes();
  const reading = openVolumeSync(memoryHandle(before), { readOnly: true });
  assert(reading.report.replayedRecords > 0);
  assertEquals(differences(shownBy(await collect(reading.exportImage())), moment), "");
});

Deno.test("exportImage() ends with ENOSPC when there is no room, and the volume goes on", async () => {
  const device = memoryHandle();
  filled(device).close();
  const volume = openVolumeSync(new LimitedHandle(device, device.getSize()));
  const reader = volume.exportImage().getReader();
  await reader.read();
  const ino = volume.lookup(volume.root, "f4");
  for (let round = 0; round < 4; round++) {
    for (const name of ["f2", "f3", "f4"]) {
      const bytes = new Uint8Array(300_000).fill(50 + round);
      assertEquals(volume.write(volume.lookup(volume.root, name), bytes, 0), bytes.length);
    }
    volume.sync();
  }
  await assertRejects(
    async () => {
      for (;;) if ((await reader.read()).done) return;
    },
    ErrnoError,
    "ENOSPC",
  );
  const read = new Uint8Array(1);
  volume.read(ino, read, 7);
  assertEquals(read[0], 53);
  volume.close();
  assertEquals(checkVolume(device).violations, []);
});

Deno.test("exportImage() that is cancelled gives back what it has put aside", async () => {
  const device = memoryHandle();
  const volume = filled(device);
  volume.sync();
  const free = volume.stats().blocks - volume.stats().freeBlocks;
  const stream = volume.exportImage();
  volume.write(volume.lookup(volume.root, "f4"), new Uint8Array(300_000).fill(7), 0);
  assert(volume.stats().blocks - volume.stats().freeBlocks > free);
  await stream.cancel();
  assertEquals(volume.stats().blocks - volume.stats().freeBlocks, free);
  volume.close();
  assertEquals(checkVolume(device).violations, []);
});

Deno.test("exportImage() ends with EBADF when the volume is closed, and refuses a failed one", async () => {
  const device = memoryHandle();
  const volume = filled(device);
  const stream = volume.exportImage();
  volume.close();
  await assertRejects(() => stream.getReader().read(), ErrnoError, "EBADF");
  fails("EBADF", () => volume.exportImage());
  assertEquals(checkVolume(device).violations, []);
});

Deno.test("exportImage() whose stream is dropped without a word ends once that is collected", async () => {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  const device = memoryHandle();
  const volume = filled(device);
  volume.sync();
  const used = () => volume.stats().blocks - volume.stats().freeBlocks;
  const before = used();
  await (async () => void await volume.exportImage().getReader().read())();
  volume.write(volume.lookup(volume.root, "f4"), new Uint8Array(300_000).fill(7), 0);
  assert(used() > before, "nothing is put aside");
  for (let left = 50; left > 0 && used() > before; left--) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    gc();
  }
  assertEquals(used(), before, "what was put aside is not given back");
  volume.close();
  assertEquals(checkVolume(device).violations, []);
});
