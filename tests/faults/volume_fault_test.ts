/** The device fails at its Nth call, once and for ever, for every N of a workload. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError, isErrnoError } from "../../abi/errno.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import type { VolumeOps } from "../../opfs/volume_ops.ts";
import { browserWays, diskWays, type Fault, FaultyHandle } from "../support/faulty_handle.ts";
import { LimitedHandle } from "../support/limited_handle.ts";
import { contentsOf } from "../support/model_tree.ts";
import { turnedRelay } from "../support/turned_relay.ts";

const isLong = Deno.env.get("CAIRN_LONG") === "1";
const FILE = { mode: 0o100644, uid: 0, gid: 0 };
const OPTIONS = { ringBytes: 128 * 1024, poolBytes: 1 << 18 };

/** An image with a few files, one of them large. */
const image: Uint8Array = (() => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, OPTIONS);
  for (const name of ["a", "b", "c"]) {
    const ino = volume.create(volume.root, name, FILE);
    volume.write(ino, new Uint8Array(name === "a" ? 400_000 : 5000).fill(1), 0);
  }
  volume.close();
  return handle.toBytes();
})();

/** Calls of every kind; each is tried, whatever became of the one before. */
function workload(volume: VolumeOps, names: Map<string, Uint8Array>): void {
  const root = volume.root;
  const steps: (() => void)[] = [];
  for (let index = 0; index < 6; index++) {
    const name = `new ${index}`;
    steps.push(
      () => {
        const ino = volume.create(root, name, FILE);
        const bytes = new Uint8Array(index * 30_000 + 10).fill(index + 1);
        const written = volume.write(ino, bytes, 0);
        names.set(name, bytes.subarray(0, written));
      },
      () => {
        const bytes = new Uint8Array(9000).fill(9);
        volume.write(volume.lookup(root, "b"), bytes, index * 3000);
      },
      () => readAll(volume, volume.lookup(root, "a")),
      () => volume.rename(root, "c", root, "c", 0),
      () => volume.setattr(volume.lookup(root, "b"), { size: 100 }),
      () => volume.sync(),
    );
  }
  for (const step of steps) {
    try {
      step();
    } catch (error) {
      assert(isErrnoError(error), `not an ErrnoError: ${error}`);
    }
  }
}

/** Through a relay a read that fails in its middle is short, and the next one says why. */
function readAll(volume: VolumeOps, ino: number): void {
  const into = new Uint8Array(volume.getattr(ino).size);
  let done = 0;
  while (done < into.length) {
    const count = volume.read(ino, into.subarray(done), done);
    assert(count > 0, "a read of nothing");
    done += count;
  }
}

/** Runs the workload with a fault, and looks at what is left. Whether the fault was met. */
function survive(fault: Fault, over: (volume: Volume) => VolumeOps): boolean {
  const device = memoryHandle(image);
  const handle = new FaultyHandle(device, fault);
  const names = new Map<string, Uint8Array>();
  let isReached = false;
  try {
    const volume = openVolumeSync(handle, OPTIONS);
    workload(over(volume), names);
    for (const [name, bytes] of fault.isForEver ? [] : names) {
      assertEquals(contentsOf(volume, volume.lookup(volume.root, name)), bytes, name);
    }
    volume.close();
  } catch (error) {
    assert(isErrnoError(error), `not an ErrnoError: ${error}`);
  }
  isReached = handle.calls >= fault.call;
  assertEquals(handle.writesAfterFailure, 0, "written after a flush had failed");
  const again = openVolumeSync(device, OPTIONS);
  assertEquals(again.report.corrected, []);
  assertEquals(contentsOf(again, again.lookup(again.root, "a")), new Uint8Array(400_000).fill(1));
  again.close();
  assertEquals(checkVolume(device).violations, []);
  return isReached;
}

const OVER: Record<string, (volume: Volume) => VolumeOps> = {
  direct: (volume) => volume,
  relayed: (volume) => turnedRelay(volume).client(131_072),
};

for (const isForEver of [false, true]) {
  for (const way of [...diskWays, ...browserWays]) {
    for (const [place, over] of Object.entries(OVER)) {
      // Through a relay the ways of disks are no others.
      if (place === "relayed" && !isLong && (isForEver || diskWays.includes(way))) continue;
      const how = `${isForEver ? "for ever" : "once"}, ${way}, ${place}`;
      Deno.test(`Volume bears a device that fails at its Nth call ${how}`, () => {
        let call = 1;
        while (survive({ call, isForEver, way }, over)) call++;
        console.log(`${call} calls failed`);
        assert(call > 30);
      });
    }
  }
}

Deno.test("Volume answers EROFS after a flush has failed, reads on, and writes nothing", () => {
  const device = memoryHandle(image);
  const handle = new FaultyHandle(device, { call: Infinity, isForEver: true });
  const volume = openVolumeSync(handle, OPTIONS);
  const ino = volume.lookup(volume.root, "b");
  volume.write(ino, new Uint8Array([7]), 0);
  const { flush } = handle;
  handle.flush = () => {
    throw new Error("power");
  };
  const first = assertThrows(() => volume.sync(), ErrnoError, "EIO");
  assert(String(first.cause).includes("power"));
  handle.flush = flush;
  const before = handle.counts.write;
  for (
    const change of [
      () => volume.write(ino, new Uint8Array(1), 0),
      () => void volume.create(volume.root, "x", FILE),
      () => volume.unlink(volume.root, "a"),
      () => volume.setattr(ino, { mode: 0 }),
      () => volume.sync(),
    ]
  ) assertThrows(change, ErrnoError, "EROFS");
  assertEquals(contentsOf(volume, ino)[0], 7);
  assertEquals(volume.stats().state, "failed");
  volume.close();
  assertEquals(handle.counts.write, before);
  const again = openVolumeSync(device);
  assertEquals(again.report.corrected, []);
});

Deno.test("Volume is full at the call that asked, loses nothing, and goes on after an unlink", () => {
  const device = memoryHandle(image);
  const handle = new LimitedHandle(device, image.length + 300_000);
  const volume = openVolumeSync(handle, OPTIONS);
  const kept = new Map<string, Uint8Array>();
  for (let index = 0; index < 12; index++) {
    const name = `f${index}`;
    const bytes = new Uint8Array(50_000).fill(index);
    try {
      const ino = volume.create(volume.root, name, FILE);
      kept.set(name, bytes.subarray(0, 0));
      kept.set(name, bytes.subarray(0, volume.write(ino, bytes, 0)));
    } catch (error) {
      assert(isErrnoError(error) && error.code === "ENOSPC", String(error));
    }
  }
  volume.sync();
  const check = (): void => {
    for (const [name, bytes] of kept) {
      assertEquals(contentsOf(volume, volume.lookup(volume.root, name)), bytes, name);
    }
  };
  check();
  const full = volume.lookup(volume.root, "f0");
  assertThrows(
    () => {
      for (let round = 0; round < 20; round++) volume.append(full, new Uint8Array(20_000));
    },
    ErrnoError,
    "ENOSPC",
  );
  volume.write(full, new Uint8Array(50_000).fill(77), 0);
  const grown = new Uint8Array(volume.getattr(full).size);
  kept.set("f0", grown.fill(77, 0, 50_000));
  check();
  volume.unlink(volume.root, "f1");
  kept.delete("f1");
  volume.write(volume.lookup(volume.root, "f11"), new Uint8Array(40_000).fill(11), 0);
  kept.set("f11", new Uint8Array(40_000).fill(11));
  check();
  volume.close();
  assertEquals(checkVolume(device).violations, []);
});
