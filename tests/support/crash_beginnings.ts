/**
 * What a crash run begins with: an empty device, or an image that has a history.
 *
 * Layer: tests, under `crash_run.ts`. Each works on the device, closes, and does not flush after that,
 * so that the last cut of the file may still be undone by a power cut. It returns what is left in the
 * root directory.
 *
 * @module
 */
import { SPARE_SLOTS } from "../../opfs/volume/space/grow.ts";
import { FIRST_FILE_SLOT } from "../../opfs/volume/format/layout.ts";
import { openVolumeSync, type VolumeOptions } from "../../opfs/volume/load/mount.ts";
import type { CrashHandle } from "./crash_handle.ts";
import { comeRound } from "./generations.ts";
import { type ModelNode, modelNode } from "./model_tree.ts";

/** How a run can begin. */
export type Beginning = "empty" | "stale" | "dead";

type Begin = (handle: CrashHandle, options: VolumeOptions) => Map<string, ModelNode>;

const FILE = { mode: 0o100644, uid: 0, gid: 0 };
/** What stands after the file's end: no slot is of this type. */
const STALE = 0xee;
/** Slots of the first segment, and files in it: with the next one the table grows. */
const FEW_SLOTS = 64;
const FILLERS = FEW_SLOTS - FIRST_FILE_SLOT - SPARE_SLOTS + 1;
/** Blocks of a file that leaves more slots than are zeroed at once. */
const MANY = 420;

/** Each beginning. */
export const beginnings: Readonly<Record<Beginning, Begin>> = {
  empty: () => new Map(),

  /** Bytes of a removed file after the end, and a table of slots that will grow there. */
  stale(handle, options): Map<string, ModelNode> {
    const volume = openVolumeSync(handle, { ...options, slots: FEW_SLOTS, durability: "fsync" });
    const names = Array.from({ length: FILLERS }, (_, index) => `filler ${index}`);
    const big = volume.create(volume.root, "big", FILE);
    // In pieces, so that the first blocks are among them.
    for (let piece = 0; piece < 32; piece++) volume.append(big, new Uint8Array(65_536).fill(STALE));
    volume.sync();
    volume.unlink(volume.root, "big");
    volume.sync();
    for (const name of names) volume.create(volume.root, name, FILE);
    volume.close();
    return new Map(names.map((name) => [name, modelNode(FILE.mode)]));
  },

  /** Slots that a removed file in many pieces has left, and others of files unlinked while open. */
  dead(handle, options): Map<string, ModelNode> {
    const volume = openVolumeSync(handle, { ...options, durability: "fsync" });
    const { blockSize } = volume.statfs();
    for (const blocks of [MANY, 9]) {
      const ino = volume.create(volume.root, `gone ${blocks}`, FILE);
      const bytes = new Uint8Array(blockSize).fill(STALE);
      for (let block = 0; block < blocks; block++) volume.write(ino, bytes, block * 2 * blockSize);
      volume.setxattr(ino, "user.gone", bytes.subarray(0, 20), 0);
    }
    volume.sync();
    volume.retain(volume.lookup(volume.root, "gone 9"));
    for (const blocks of [MANY, 9]) volume.unlink(volume.root, `gone ${blocks}`);
    volume.sync();
    // Not closed: what was open is left as it is.
    comeRound(handle, options);
    return new Map();
  },
};
