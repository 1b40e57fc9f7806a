/**
 * The device fails at its Nth call, once and for ever, for every N of everything that is not the
 * everyday work of a volume: format, recovery, growth, segments, exports, imports, compact, repair,
 * and the exchange with version 1.
 */
import { assert, assertEquals } from "@std/assert";
import { isErrnoError } from "../../abi/errno.ts";
import type { StorageHandle } from "../../opfs/device/handle.ts";
import { type MemoryHandle, memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { ImageExport } from "../../opfs/volume/upkeep/image_export.ts";
import { importImage } from "../../opfs/volume/tools/image_import.ts";
import * as L from "../../opfs/volume/format/layout.ts";
import { openVolumeSync, type VolumeOptions } from "../../opfs/volume/load/mount.ts";
import { mendVolume, repairSteps } from "../../opfs/volume/tools/repair.ts";
import { runToEnd, TransferClock } from "../../opfs/volume/upkeep/transfer.ts";
import { importSteps } from "../../opfs/volume/version1/import.ts";
import { readVersion1 } from "../../opfs/volume/version1/read.ts";
import { exportSteps } from "../../opfs/volume/version1/write.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import { stateOf } from "../support/engine_state.ts";
import {
  browserWays,
  diskWays,
  type Fault,
  type FaultWay,
  FaultyHandle,
} from "../support/faulty_handle.ts";
import { differences, type Shown, treeOf } from "../support/model_tree.ts";
import { DIRECTORY, FILE } from "../support/on_volume.ts";
import { reseal } from "../support/reseal.ts";

const SMALL: VolumeOptions = { ringBytes: 128 * 1024, poolBytes: 1 << 18 };
const isLong = Deno.env.get("CAIRN_LONG") === "1";

/** One run with a fault: what is done on a device that fails, and what must be true of what is left. */
interface Subject {
  /** What is on the device before. */
  before: Uint8Array;
  /** Does it; what it throws is looked at. */
  act(handle: StorageHandle): void | Promise<void>;
  /** Looks at the device afterwards, which works again. */
  look(device: MemoryHandle, isDone: boolean): void;
  /** Calls that it has at least. */
  callsMin: number;
  /** How many of its calls fail in the short form; default: each in turn. */
  callsTried?: number;
}

/** Runs a subject with one fault; how many calls it came to. */
async function survive(subject: Subject, fault: Fault): Promise<number> {
  const device = memoryHandle(subject.before);
  const handle = new FaultyHandle(device, fault);
  const where = JSON.stringify(fault);
  let isDone = false;
  try {
    await subject.act(handle);
    isDone = true;
  } catch (error) {
    assert(isErrnoError(error), `${where}: not an ErrnoError: ${(error as Error).stack}`);
  }
  assertEquals(handle.writesAfterFailure, 0, `${where}: written after a flush had failed`);
  try {
    subject.look(device, isDone);
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
  }
  return handle.calls;
}

/** In the short form each call fails in every way of a disk, and in one of a browser that is full. */
function waysOf(call: number): FaultWay[] {
  if (isLong) return [...diskWays, ...browserWays];
  return [...diskWays, browserWays[call % browserWays.length]!];
}

/** Lets every call of a subject fail, in every way. */
function failing(name: string, make: () => Subject): void {
  Deno.test(`${name} bears a device that fails at its Nth call, once and for ever`, async () => {
    const subject = make();
    const calls = await survive(subject, { call: Infinity, isForEver: false });
    assert(calls >= subject.callsMin, `${calls} calls`);
    let runs = 0;
    const tried = isLong ? calls : subject.callsTried ?? calls;
    const step = Math.max(1, Math.ceil(calls / tried));
    for (let call = 1; call <= calls; call += step) {
      for (const isForEver of [false, true]) {
        for (const way of waysOf(call)) {
          runs++;
          await survive(subject, { call, isForEver, way });
        }
      }
    }
    console.log(`${name}: ${calls} calls, ${runs} runs with a fault, bad 0`);
  });
}

/** Mounts, compares, checks; what a mount may have to correct is said. */
function whole(
  device: StorageHandle,
  expected: Map<string, Shown>,
  corrected: readonly string[] = [],
): void {
  const volume = openVolumeSync(device, { ...SMALL, create: false });
  const unexpected = volume.report.corrected.filter(({ message }) => !corrected.includes(message));
  assertEquals(unexpected, []);
  const shown = differences(treeOf(volume), expected);
  volume.close();
  assertEquals(shown, "");
  assertEquals(checkVolume(device).violations, []);
}

/** Mounts, looks that all that was synced is there, checks. */
function holds(device: StorageHandle, names: Map<string, Shown>): void {
  const volume = openVolumeSync(device, { ...SMALL, create: false });
  assertEquals(volume.report.corrected, []);
  const tree = treeOf(volume);
  for (const [path, shown] of names) {
    if (path === "") continue;
    assertEquals(tree.get(path), shown, path);
  }
  volume.close();
  assertEquals(checkVolume(device).violations, []);
}

/** An image with files, holes, links and attributes, and its tree. */
function filled(
  options: VolumeOptions = SMALL,
  isClosed = true,
): { bytes: Uint8Array<ArrayBuffer>; tree: Map<string, Shown> } {
  const device = memoryHandle();
  const volume = openVolumeSync(device, options);
  populate(volume);
  const tree = treeOf(volume);
  if (isClosed) volume.close();
  else volume.sync();
  return { bytes: device.toBytes(), tree };
}

function populate(volume: Volume): void {
  const directory = volume.create(volume.root, "d", DIRECTORY);
  for (let index = 0; index < 8; index++) {
    const ino = volume.create(directory, `f${index}`, FILE);
    volume.write(ino, new Uint8Array(30_000 * (index % 4) + 10).fill(index + 1), index * 5000);
    volume.setxattr(ino, "user.small", new Uint8Array(50).fill(index), 0);
    if (index % 3 === 0) volume.setxattr(ino, "user.large", new Uint8Array(9000).fill(index), 0);
    if (index === 4) volume.link(ino, volume.root, "second");
  }
  volume.create(volume.root, "l", { ...FILE, mode: 0o120777, target: "d/f1" });
  volume.create(volume.root, "fifo", { ...FILE, mode: 0o010600 });
  for (let index = 0; index < 8; index += 2) volume.unlink(directory, `f${index}`);
}

failing("formatVolume()", () => ({
  before: new Uint8Array(0),
  callsMin: 8,
  act: (handle) => openVolumeSync(handle, SMALL).close(),
  look(device): void {
    // What is left is formatted again, or a volume already.
    const volume = openVolumeSync(device, SMALL);
    assertEquals(volume.report.corrected, []);
    volume.create(volume.root, "a", FILE);
    volume.close();
    assertEquals(checkVolume(device).violations, []);
  },
}));

failing("a mount with records to replay", () => {
  const { bytes, tree } = filled(SMALL, false);
  return {
    before: bytes,
    callsMin: 8,
    act: (handle) => openVolumeSync(handle, { ...SMALL, create: false }).close(),
    look: (device) => whole(device, tree),
  };
});

failing("a volume that grows", () => {
  const { bytes, tree } = filled();
  return {
    before: bytes,
    callsMin: 10,
    act(handle): void {
      const volume = openVolumeSync(handle, SMALL);
      const ino = volume.create(volume.root, "growing", FILE);
      for (let round = 0; round < 12; round++) volume.append(ino, new Uint8Array(100_000).fill(7));
      for (let round = 0; round < 40; round++) volume.append(ino, new Uint8Array(9000).fill(7));
      volume.close();
    },
    look: (device) => holds(device, tree),
  };
});

const segmentsOf = (volume: Volume): number[] => {
  const { slots, names, bitmap } = stateOf(volume).segments;
  return [slots.length, names.length, bitmap.length];
};

failing("slots and names that get a segment", () => {
  const device = memoryHandle();
  const volume = openVolumeSync(device, SMALL);
  populate(volume);
  for (let index = 0; index < 900; index++) volume.create(volume.root, `e${index}`, FILE);
  const tree = treeOf(volume);
  volume.close();
  return {
    before: device.toBytes(),
    callsMin: 12,
    act(handle): void {
      const grown = openVolumeSync(handle, SMALL);
      for (let index = 0; index < 350; index++) {
        grown.create(grown.root, `${"long ".repeat(40)}${index}`, FILE);
      }
      assertEquals(segmentsOf(grown), [2, 2, 1]);
      grown.close();
    },
    look: (left) => holds(left, tree),
  };
});

failing("a bitmap that gets a segment", () => {
  const options = { ...SMALL, blockSize: 512 };
  const device = memoryHandle();
  const volume = openVolumeSync(device, options);
  populate(volume);
  const large = volume.create(volume.root, "large", FILE);
  // Blocks of 512 bytes: its first segment is full with 16 MiB.
  for (let at = 0; at < 15; at++) volume.write(large, new Uint8Array(1 << 20).fill(3), at << 20);
  const tree = treeOf(volume);
  volume.close();
  return {
    before: device.toBytes(),
    callsMin: 20,
    callsTried: 8,
    act(handle): void {
      const grown = openVolumeSync(handle, options);
      const ino = grown.create(grown.root, "more", FILE);
      for (let at = 0; at < 4; at++) grown.write(ino, new Uint8Array(1 << 20).fill(3), at << 20);
      assertEquals(segmentsOf(grown)[2], 2);
      grown.close();
    },
    look: (left) => holds(left, tree),
  };
});

failing("exportImage() of a volume in use", () => {
  const { bytes, tree } = filled();
  return {
    before: bytes,
    callsMin: 12,
    act(handle): void {
      const volume = openVolumeSync(handle, SMALL);
      const directory = volume.lookup(volume.root, "d");
      const steps = [1, 3, 5].values();
      volume.sync();
      void volume.exportImage().cancel();
      const image = new ImageExport(stateOf(volume));
      for (let piece = image.next(); piece !== null; piece = image.next()) {
        const file = volume.lookup(directory, `f${steps.next().value ?? 7}`);
        // The same bytes at other places: work goes on, and the tree stays as it was.
        const same = new Uint8Array(volume.getattr(file).size);
        volume.read(file, same, 0);
        volume.write(file, same, 0);
        volume.sync();
      }
      volume.close();
    },
    look: (device) => whole(device, tree),
  };
});

/** The bytes as a stream that has no buffer. */
function streamOf(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller): void {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, at += 100_000));
    },
  }, { highWaterMark: 0 });
}

failing("importImage()", () => {
  const { bytes, tree } = filled();
  return {
    before: new Uint8Array(0),
    callsMin: 12,
    act: async (handle) => void await importImage(streamOf(bytes), handle),
    look(device, isDone): void {
      // Done, or bytes that no tool takes for a volume, or all of it.
      if (isDone) return whole(device, tree);
      try {
        checkVolume(device);
      } catch (error) {
        assert(isErrnoError(error), String(error));
        return;
      }
      // The copy at 0 comes last.
      whole(device, tree, ["the superblock at 0 is not the header's"]);
    },
  };
});

failing("Volume.compact()", () => {
  const options = { ...SMALL, blockSize: 512 };
  const device = memoryHandle();
  const volume = openVolumeSync(device, options);
  const gone = volume.create(volume.root, "gone", FILE);
  for (let at = 0; at < 3; at++) volume.write(gone, new Uint8Array(1 << 20).fill(at), at << 20);
  for (let index = 0; index < 1010; index++) volume.create(volume.root, `e${index}`, FILE);
  populate(volume);
  volume.unlink(volume.root, "gone");
  const tree = treeOf(volume);
  volume.close();
  return {
    before: device.toBytes(),
    callsMin: 30,
    act(handle): void {
      const compacted = openVolumeSync(handle, options);
      const steps = compacted.compact();
      while (steps.next().done !== true);
      compacted.close();
    },
    look: (left) => whole(left, tree),
  };
});

/** An image whose bitmap, link count and first page are wrong. */
function withDerivableDamage(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const damaged = bytes.slice();
  const view = new DataView(damaged.buffer);
  let at = view.getFloat64(L.SUPERBLOCK.INODE_OFFSET, true) + L.FIRST_FILE_SLOT * L.SLOT_BYTES;
  while (view.getUint8(at) !== L.TYPE.FILE) at += L.SLOT_BYTES;
  view.setUint16(at + L.SLOT.NLINK, 9, true);
  damaged[70] = 1;
  reseal(damaged);
  return damaged;
}

failing("mendVolume()", () => {
  const { bytes, tree } = filled();
  return {
    before: withDerivableDamage(bytes),
    callsMin: 10,
    act: (handle) => void mendVolume(handle),
    look(device): void {
      const { violations } = checkVolume(device);
      assert(violations.every(({ isDerivable }) => isDerivable), JSON.stringify(violations));
      mendVolume(device);
      whole(device, tree);
    },
  };
});

/** A new volume on its way: a reader of it sees a volume without damage, or none. */
function volumeOrNone(device: StorageHandle): void {
  try {
    const volume = openVolumeSync(device, { create: false });
    assertEquals(volume.report.corrected, []);
    volume.close();
  } catch (error) {
    assert(isErrnoError(error), String(error));
    return;
  }
  assertEquals(checkVolume(device).violations, []);
}

failing("repairSteps() into a device", () => {
  const { bytes, tree } = filled();
  return {
    before: new Uint8Array(0),
    callsMin: 12,
    act: (handle) => void runToEnd(repairSteps(memoryHandle(bytes), handle, { nowMs: 5 })),
    look: (device, isDone) => isDone ? whole(device, tree) : volumeOrNone(device),
  };
});

failing("repairSteps() of a device", () => {
  const { bytes, tree } = filled();
  return {
    before: bytes,
    callsMin: 8,
    act(handle): void {
      const target = memoryHandle();
      runToEnd(repairSteps(handle, target, { nowMs: 5 }));
      whole(target, tree);
    },
    look: (device) => whole(device, tree),
  };
});

/** What `filled` says, as an image of version 1. */
function asVersion1(): { bytes: Uint8Array<ArrayBuffer>; tree: Map<string, Shown> } {
  const { bytes, tree } = filled();
  const volume = openVolumeSync(memoryHandle(bytes), { readOnly: true });
  const target = memoryHandle();
  runToEnd(exportSteps(volume, target, { maxBlocks: 10_000, spareSlots: 10 }));
  return { bytes: target.toBytes(), tree };
}

function importInto(source: StorageHandle, target: StorageHandle): void {
  const clock = new TransferClock();
  const volume = openVolumeSync(target, { ...SMALL, clock: clock.read });
  runToEnd(importSteps(readVersion1(source), volume, { clock, nowMs: 5 }));
  volume.close();
}

failing("importSteps() from version 1 into a device", () => {
  const { bytes, tree } = asVersion1();
  return {
    before: new Uint8Array(0),
    callsMin: 12,
    act: (handle) => importInto(memoryHandle(bytes), handle),
    look: (device, isDone) => isDone ? whole(device, tree) : volumeOrNone(device),
  };
});

failing("importSteps() from version 1 of a device", () => {
  const { bytes, tree } = asVersion1();
  return {
    before: bytes,
    callsMin: 5,
    act(handle): void {
      const target = memoryHandle();
      importInto(handle, target);
      whole(target, tree);
    },
    look: (device) => assertEquals(device.toBytes(), bytes),
  };
});

failing("exportSteps() to version 1 into a device", () => {
  const { bytes, tree } = filled();
  return {
    before: new Uint8Array(0),
    callsMin: 10,
    act(handle): void {
      const volume = openVolumeSync(memoryHandle(bytes), { readOnly: true });
      runToEnd(exportSteps(volume, handle, { maxBlocks: 10_000, spareSlots: 10 }));
    },
    look(device, isDone): void {
      const back = memoryHandle();
      try {
        importInto(device, back);
      } catch (error) {
        assert(!isDone && isErrnoError(error), String(error));
        return;
      }
      whole(back, tree);
    },
  };
});

failing("exportSteps() to version 1 of a device", () => {
  const { bytes, tree } = filled();
  return {
    before: bytes,
    callsMin: 5,
    act(handle): void {
      const volume = openVolumeSync(handle, SMALL);
      const target = memoryHandle();
      runToEnd(exportSteps(volume, target, { maxBlocks: 10_000, spareSlots: 10 }));
      volume.close();
    },
    look: (device) => whole(device, tree),
  };
});
