/** When calls become durable, and what the journal counts. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE } from "../../../../abi/flags.ts";
import type { StorageHandle } from "../../../../opfs/device/handle.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import type { Journal } from "../../../../opfs/volume/journal/journal.ts";
import { RING_AT, RING_BYTES_MIN } from "../../../../opfs/volume/format/layout.ts";
import { openVolumeSync, type VolumeOptions } from "../../../../opfs/volume/load/mount.ts";
import type { Volume } from "../../../../opfs/volume/volume.ts";
import { stateOf } from "../../../support/engine_state.ts";
import { FaultyHandle } from "../../../support/faulty_handle.ts";
import { contentsOf } from "../../../support/model_tree.ts";

const FILE = { mode: 0o100644, uid: 0, gid: 0 };

/** Flushes for ten creates and writes of 1 KiB, then for one sync, under a durability. */
function flushesOf(options: VolumeOptions): { calls: number; sync: number } {
  const device = memoryHandle();
  const handle = new FaultyHandle(device, { call: Infinity, isForEver: false });
  let now = 0;
  const volume = openVolumeSync(handle, { ...options, clock: () => now });
  const before = handle.counts.flush;
  for (let index = 0; index < 10; index++) {
    now += 100;
    const ino = volume.create(volume.root, `f${index}`, FILE);
    volume.write(ino, new Uint8Array(1024), 0);
  }
  const between = handle.counts.flush;
  volume.sync();
  const after = handle.counts.flush;
  volume.close();
  assertEquals(checkVolume(device).violations, []);
  return { calls: between - before, sync: after - between };
}

Deno.test("Journal flushes as often as the durability says", () => {
  assertEquals(flushesOf({ durability: "op" }), { calls: 20, sync: 0 });
  assertEquals(flushesOf({ durability: "fsync" }), { calls: 0, sync: 1 });
  assertEquals(flushesOf({}), { calls: 0, sync: 1 });
  assertEquals(flushesOf({ commitIntervalMs: 500 }), { calls: 2, sync: 1 });
  assertEquals(flushesOf({ durability: "periodic", commitIntervalMs: 200 }), { calls: 5, sync: 1 });
});

Deno.test("openVolumeSync() refuses invalid options", () => {
  const bad: VolumeOptions[] = [
    { durability: "often" as "op" },
    { commitIntervalMs: -1 },
    { poolBytes: NaN },
    { blockSize: 1000 },
    { ringBytes: 4096 },
    { label: "x".repeat(65) },
  ];
  for (const options of bad) {
    assertThrows(() => openVolumeSync(memoryHandle(), options), ErrnoError, "EINVAL");
  }
});

Deno.test("Volume with durability op has lost nothing at any moment", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, { durability: "op", ringBytes: 128 * 1024 });
  for (let index = 0; index < 400; index++) {
    const ino = volume.create(volume.root, `f${index}`, FILE);
    volume.write(ino, new Uint8Array(100).fill(index), 0);
    if (index % 40 !== 0) continue;
    const crashed = openVolumeSync(memoryHandle(handle.toBytes()));
    assertEquals(crashed.stats().names, index + 1);
    assertEquals(crashed.getattr(crashed.lookup(crashed.root, `f${index}`)).size, 100);
  }
  const { commits, checkpoints } = volume.metrics();
  assertEquals(commits, 800);
  assert(checkpoints > 3, `${checkpoints} checkpoints`);
  volume.close();
});

Deno.test("Journal ends a group before a record could be too long", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, { ringBytes: 128 * 1024, durability: "fsync" });
  for (let index = 0; index < 3000; index++) {
    volume.create(volume.root, `${"n".repeat(200)}${index}`, FILE);
  }
  const { commits, recordBytes } = volume.metrics();
  assert(commits > 20 && recordBytes / commits <= 32 * 1024, `${recordBytes} in ${commits}`);
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
});

Deno.test("Journal carries reads' times along without a commit of their own", () => {
  const handle = memoryHandle();
  let now = 1;
  const volume = openVolumeSync(handle, { clock: () => now });
  const inos = Array.from({ length: 900 }, (_, index) => {
    return volume.create(volume.root, `f${index}`, FILE);
  });
  volume.sync();
  now = 5000;
  for (const ino of inos) volume.read(ino, new Uint8Array(1), 0);
  const before = volume.metrics().commits;
  volume.sync();
  assertEquals(volume.metrics().commits, before);
  volume.close();
  const again = openVolumeSync(handle);
  assertEquals(again.getattr(again.lookup(again.root, "f899")).atime, 5000);
});

Deno.test("Volume.stats() and metrics() are true", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array(10_000), 0);
  let { dirtyBlocks, poolBlocks, names, orphans } = volume.stats();
  assertEquals([dirtyBlocks, poolBlocks, names, orphans], [3, 3, 1, 0]);
  volume.sync();
  volume.retain(ino);
  volume.unlink(volume.root, "a");
  ({ dirtyBlocks, orphans, names } = volume.stats());
  assertEquals([dirtyBlocks, orphans, names], [0, 1, 0]);
  volume.release(ino);
  assertEquals(volume.stats().quarantinedBlocks, 3);
  assertEquals(volume.stats().freeBlocks, 64);
  volume.sync();
  const { commits, flushes, writeBacks, misses } = volume.metrics();
  assertEquals([commits, flushes, writeBacks, misses], [2, 2, 0, 0]);
  volume.close();
  assertEquals(volume.stats().state, "closed");
});

Deno.test("Journal counts what a wrap leaves out of the ring: no record that still counts is written over", () => {
  for (let before = 2; before <= 38; before += 2) {
    const device = memoryHandle();
    const volume = openVolumeSync(device, { ringBytes: 128 * 1024, durability: "op" });
    const inos = Array.from({ length: 40 }, (_, at) => volume.create(volume.root, `f${at}`, FILE));
    const bytes = new Uint8Array(20_000);
    // The tail is somewhere else in each round.
    for (let at = 0; at < before; at++) {
      volume.write(inos[at]!, bytes.subarray(0, 2000).fill(99), 0);
    }
    const journal = stateOf(volume).committer as Journal;
    journal.checkpoint();
    journal.flush();
    journal.checkpointInLessSpace = () => {
      throw new ErrnoError("ENOSPC", "go home");
    };
    const { commits } = journal.metrics;
    let done = 0;
    assertThrows(
      () => {
        for (; done < 40; done++) volume.write(inos[done]!, bytes.fill(done + 1), 0);
      },
      ErrnoError,
      "ENOSPC",
    );
    assert(done > 2 && volume.stats().journalBytes <= 128 * 1024, `${done} written`);
    // What gives room back goes on until the ring is full.
    let size = 20_000;
    assertThrows(
      () => {
        while (size > 0) volume.setattr(inos[0]!, { size: --size });
      },
      ErrnoError,
      "ENOSPC",
    );
    size++;
    assert(size < 19_980, `${size} bytes`);
    const crashed = openVolumeSync(memoryHandle(device.toBytes()), { readOnly: true });
    assertEquals(crashed.report.replayedRecords, journal.metrics.commits - commits);
    for (let at = 0; at < done; at++) {
      const read = contentsOf(crashed, crashed.lookup(crashed.root, `f${at}`));
      assert(
        read.length === (at === 0 ? size : 20_000) && read.every((byte) => byte === at + 1),
        `f${at}`,
      );
    }
  }
});

Deno.test("Journal never pins so many frames that a block finds none", () => {
  for (const blockSize of [512, 4096, 65536]) {
    for (const poolBytes of [0, 65 * blockSize, 4096 * 4096]) {
      const frames = Math.max(64, poolBytes / blockSize);
      const count = Math.min(4096, 2 * frames);
      const options: VolumeOptions = { blockSize, poolBytes, durability: "fsync" };
      const volume = openVolumeSync(memoryHandle(), options);
      const file = volume.create(volume.root, "f", FILE);
      const other = volume.create(volume.root, "g", FILE);
      volume.write(other, new Uint8Array(blockSize).fill(9), 0);
      volume.allocate(file, 0, 0, count * blockSize);
      const byte = new Uint8Array([7]);
      for (const syncEach of [count / 2, count / 4, 3]) {
        for (let at = 0; at < count; at++) {
          volume.write(file, byte, at * blockSize + 5);
          if (at % syncEach === 0) volume.sync();
        }
        volume.sync();
        assert(!stateOf(volume).pool.needsCheckpoint);
        assertEquals(contentsOf(volume, other)[0], 9);
      }
      volume.close();
    }
  }
});

Deno.test("Journal leaves frames free also while a full device refuses its checkpoints", () => {
  const volume = openVolumeSync(memoryHandle(), { poolBytes: 0, durability: "fsync" });
  const file = volume.create(volume.root, "f", FILE);
  volume.write(file, new Uint8Array(256 * 4096).fill(1), 0);
  volume.sync();
  const journal = stateOf(volume).committer as Journal;
  journal.checkpointInLessSpace = () => {
    throw new ErrnoError("ENOSPC", "go home");
  };
  for (let at = 0; at < 300; at++) {
    volume.write(file, new Uint8Array([2]), at % 256 * 4096 + 1);
    if (at % 50 === 0) volume.sync();
    const byte = new Uint8Array(1);
    volume.read(file, byte, (at * 37) % 256 * 4096);
    assertEquals(byte[0], 1);
  }
  assertEquals(volume.stats().state, "open");
});

/** A device that refuses the next write into the ring, or its flush, and has written it all the same. */
class LandingHandle extends FaultyHandle {
  /** The next write into the ring is refused. */
  refuses = false;
  /** Whether it is its flush that says so. */
  isAtFlush = false;
  #isLate = false;
  /** Where the last record ended. */
  recordEnd = 0;

  override write(from: Uint8Array, options: { at: number }): number {
    const count = super.write(from, options);
    if (options.at < RING_AT || options.at >= RING_AT + RING_BYTES_MIN) return count;
    this.recordEnd = options.at + from.length;
    if (!this.refuses) return count;
    this.refuses = false;
    this.#isLate = this.isAtFlush;
    if (this.#isLate) return count;
    throw new DOMException("the disk is full", "QuotaExceededError");
  }

  override flush(): void {
    if (!this.#isLate) return super.flush();
    this.#isLate = false;
    throw new DOMException("the disk is full", "QuotaExceededError");
  }
}

/** Leaves so many bytes of the ring after the next record, and a checkpoint shortly before. */
function fillRing(volume: Volume, handle: LandingHandle, left: number): void {
  const file = volume.create(volume.root, "f", FILE);
  for (let turn = 0; handle.recordEnd !== RING_AT + RING_BYTES_MIN - left; turn++) {
    volume.setattr(file, { mode: 0o100000 | turn & 0o777 });
    volume.sync();
    if (handle.recordEnd === RING_AT + 100_352) stateOf(volume).committer!.unlog();
  }
}

/** Lets one record be refused and land, then `after`; and how many names a mount finds of a power cut then. */
function afterRefusedRecord(after: (volume: Volume, handle: LandingHandle) => void): number {
  const [written, flushed] = [false, true].map((isAtFlush) => namesAfter(isAtFlush, after));
  assertEquals(flushed, written);
  return flushed!;
}

function namesAfter(
  isAtFlush: boolean,
  after: (volume: Volume, handle: LandingHandle) => void,
): number {
  const device = memoryHandle();
  const handle = new LandingHandle(device, { call: Infinity, isForEver: false });
  const volume = openVolumeSync(handle, { durability: "fsync", ringBytes: RING_BYTES_MIN });
  fillRing(volume, handle, 1024);
  handle.isAtFlush = isAtFlush;
  handle.refuses = true;
  volume.create(volume.root, "refused", FILE);
  assertThrows(() => volume.sync(), ErrnoError, "ENOSPC");
  after(volume, handle);
  const again = openVolumeSync(memoryHandle(device.toBytes()));
  const names = again.readdir(again.root, 0);
  assertEquals(checkVolume(memoryHandle(device.toBytes())).violations, []);
  return names.length;
}

Deno.test("a record that was refused and landed gives way to a longer one of its number", () => {
  const names = afterRefusedRecord((volume) => {
    for (let index = 0; index < 20; index++) volume.create(volume.root, `new${index}`, FILE);
    volume.sync();
  });
  assertEquals(names, 22);
});

Deno.test("a record that was refused and landed does not come between later ones", () => {
  const names = afterRefusedRecord((volume) => {
    for (let index = 0; index < 20; index++) volume.create(volume.root, `new${index}`, FILE);
    volume.sync();
    volume.create(volume.root, "last", FILE);
    volume.sync();
  });
  assertEquals(names, 23);
});

Deno.test("while the place of a refused record cannot be erased, a commit is refused too", () => {
  afterRefusedRecord((volume, handle) => {
    handle.refuses = true;
    assertThrows(() => volume.sync(), ErrnoError, "ENOSPC");
    volume.sync();
  });
});

Deno.test("the number of a header is used up by the attempt to write it", () => {
  const device = memoryHandle();
  const handle = new FaultyHandle(device, { call: Infinity, isForEver: false });
  const volume = openVolumeSync(handle);
  const state = stateOf(volume);
  const { counter } = state.header;
  let isRefused = true;
  handle.write = (from, options) => {
    if (options.at < RING_AT && isRefused) throw new DOMException("full", "QuotaExceededError");
    return device.write(from, options);
  };
  const place = state.headerAt;
  assertThrows(() => state.committer!.unlog(), ErrnoError, "ENOSPC");
  assertEquals([state.header.counter, state.headerAt], [counter + 1, place]);
  isRefused = false;
  state.committer!.unlog();
  assertEquals(state.header.counter, counter + 2);
});

Deno.test("with durability op nothing is written that a refused record which landed would undo", () => {
  const calls: ((volume: Volume, ino: number) => void)[] = [
    (volume, ino) => volume.allocate(ino, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 131_072),
    (volume, ino) => volume.setattr(ino, { size: 0 }),
    (volume) => volume.unlink(volume.root, "f"),
  ];
  for (const call of calls) {
    const device = memoryHandle();
    let ring: "writes" | "lands" | "refuses" = "writes";
    const handle: StorageHandle = {
      read: (into, options) => device.read(into, options),
      getSize: () => device.getSize(),
      truncate: (sizeBytes) => device.truncate(sizeBytes),
      flush: () => {},
      close: () => {},
      write: (from, options) => {
        const isInRing = options.at >= RING_AT && options.at < RING_AT + RING_BYTES_MIN;
        if (isInRing && ring === "refuses") return 0;
        const count = device.write(from, options);
        return isInRing && ring === "lands" ? 0 : count;
      },
    };
    const volume = openVolumeSync(handle, { ringBytes: RING_BYTES_MIN, durability: "op" });
    const ino = volume.create(volume.root, "f", FILE);
    volume.write(ino, new Uint8Array(262_144).fill(1), 0);
    ring = "lands";
    assertThrows(() => call(volume, ino), ErrnoError, "ENOSPC");
    ring = "refuses";
    // In place: what is answered as written would be durable without a record of its own.
    const over = new Uint8Array(131_072).fill(2);
    assertThrows(() => volume.write(ino, over, 0), ErrnoError, "ENOSPC");
    ring = "writes";
    assertEquals(volume.write(ino, over, 0), over.length);
    const after = openVolumeSync(memoryHandle(device.toBytes()));
    const back = contentsOf(after, after.lookup(after.root, "f"));
    assertEquals([back.length, back[0], back[131_071], back[131_072]], [262_144, 2, 2, 1]);
  }
});

Deno.test("with durability op a write that is refused has changed nothing, however short the ring is", () => {
  for (const ringBytes of [RING_BYTES_MIN, 2 * RING_BYTES_MIN, 4 * RING_BYTES_MIN]) {
    for (const length of [5000, 20_000, 31_000, 40_000, 60_000]) {
      const device = memoryHandle();
      const volume = openVolumeSync(device, { ringBytes, durability: "op" });
      const ino = volume.create(volume.root, "f", FILE);
      volume.write(ino, new Uint8Array(70_000).fill(1), 0);
      const { write } = device;
      device.write = (from, options) => {
        const isRecord = options.at >= RING_AT && options.at < RING_AT + ringBytes;
        return isRecord ? 0 : write.call(device, from, options);
      };
      assertThrows(() => volume.write(ino, new Uint8Array(length).fill(2), 100), ErrnoError);
      device.write = write;
      assertEquals(contentsOf(volume, ino), new Uint8Array(70_000).fill(1), `${length}`);
      volume.close();
    }
  }
});
