/**
 * A process is killed between the header of a clean close and its flush; the next one mounts, makes
 * something durable, and then power goes. The host may have stored any part of what neither flushed.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import * as L from "../../opfs/volume/format/layout.ts";
import { newestHeader } from "../../opfs/volume/format/header.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import type { Journal } from "../../opfs/volume/journal/journal.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import { CrashHandle } from "../support/crash_handle.ts";
import { stateOf } from "../support/engine_state.ts";
import { contentsOf } from "../support/model_tree.ts";
import { FILE } from "../support/on_volume.ts";
import { prng } from "../support/prng.ts";

const OPTIONS = { ringBytes: L.RING_BYTES_MIN, durability: "fsync" } as const;
/** Of what is stored. */
const SEEDS = Deno.env.get("CAIRN_LONG") === "1" ? 20 : 3;
/** Files whose bytes go into a record; of the long ones that is almost as long as a record gets. */
const SHORT_BYTES = 12_000;
const LONG_BYTES = 31_000;
/** What is in the long one after the kill, and more. */
const NEW = 100;

/** A device of which the way home is refused while it is full, and the process is killed at a flush. */
class KillHandle extends CrashHandle {
  isFull = false;
  isLast = false;

  override write(from: Uint8Array, options: { at: number }): number {
    if (this.isFull && options.at >= L.RING_AT + L.RING_BYTES_MIN) return 0;
    return super.write(from, options);
  }

  override flush(): void {
    const last = this.changes.at(-1);
    const isHeader = last?.kind === "write" && last.at < L.RING_AT && last.at > 0;
    // Not by a refusal: nothing is written after it.
    if (this.isLast && isHeader) throw new Error("killed");
    super.flush();
  }
}

/** Makes one more file durable. */
function make(volume: Volume, files: number[], sizeBytes: number): void {
  const ino = volume.create(volume.root, `f${files.length}`, FILE);
  files.push(sizeBytes);
  volume.write(ino, new Uint8Array(sizeBytes).fill(files.length), 0);
  volume.sync();
}

/**
 * Closes a volume whose ring is as full as it gets, because nothing has found its way home, and kills it
 * before the last flush. Where replay begins depends on `first`. The lengths of its files.
 */
function killedAtClose(handle: KillHandle, first: number): number[] {
  const volume = openVolumeSync(handle, OPTIONS);
  const files: number[] = [];
  while (files.length < first) make(volume, files, SHORT_BYTES);
  // From here on the older header speaks of every record.
  volume.exportImage().cancel();
  handle.isFull = true;
  const journal = stateOf(volume).committer as Journal;
  while (!journal.isStuck) {
    const isLast = journal.usedBytes + 1.1 * SHORT_BYTES > L.RING_BYTES_MIN / 2;
    make(volume, files, isLast ? LONG_BYTES : SHORT_BYTES);
  }
  // There is room at the last moment: before, closing would have brought everything home twice.
  const checkpoint = journal.checkpointInLessSpace.bind(journal);
  journal.checkpointInLessSpace = (volumeState) => {
    const before = handle.isFull;
    handle.isFull = volumeState !== L.STATE.CLOSED;
    try {
      checkpoint(volumeState);
    } finally {
      handle.isFull = before;
    }
  };
  handle.isLast = true;
  assertThrows(() => volume.close(), Error, "killed");
  handle.isLast = handle.isFull = false;
  assertEquals(newestHeader(handle.toBytes()).state, L.STATE.CLOSED);
  return files;
}

for (const first of [1, 2, 3, 4]) {
  Deno.test(`a close that was killed before its last flush loses nothing, ${first} files before`, () => {
    const handle = new KillHandle();
    const files = killedAtClose(handle, first);
    const from = handle.changes.length;
    const volume = openVolumeSync(handle, OPTIONS);
    assert(volume.report.wasClean && volume.report.corrected.length === 0);
    const long = files.length - 1;
    const ino = volume.lookup(volume.root, `f${long}`);
    const points: number[] = [];
    while (points.length < 3) {
      // There is room for it: nothing else asks for a flush before the record.
      volume.write(ino, new Uint8Array(LONG_BYTES).fill(NEW + points.length), 0);
      volume.sync();
      points.push(handle.changes.length);
    }
    let images = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      for (const { bytes, model, point } of handle.crashes(prng(seed), from)) {
        images++;
        const where = `${model} at ${point} of ${from} to ${handle.changes.length}`;
        const device = memoryHandle(bytes);
        const again = openVolumeSync(device, OPTIONS);
        assertEquals(again.report.corrected, [], where);
        const durable = points.filter((end) => end <= point).length;
        files.forEach((sizeBytes, file) => {
          const read = contentsOf(again, again.lookup(again.root, `f${file}`));
          assertEquals(read.length, sizeBytes, `${where}: f${file}`);
          const isOld = (byte: number): boolean => byte === file + 1 && (file < long || !durable);
          const isNew = (byte: number): boolean => file === long && byte >= NEW + durable - 1;
          assert(read.every((byte) => isOld(byte) || isNew(byte)), `${where}: f${file}`);
        });
        again.close();
        assertEquals(checkVolume(device).violations, [], where);
      }
    }
    console.log(`${files.length} files, images looked at: ${images}`);
  });
}
