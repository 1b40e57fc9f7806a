/**
 * Each invariant of names, attributes and contents of files, and of what moves them, made false.
 *
 * Layer: tests. See `structures.ts` and `volumes.ts`.
 *
 * @module
 */
import { attributesOf } from "../../opfs/volume/files/attributes.ts";
import { Backing } from "../../opfs/volume/files/backing.ts";
import { copyRange } from "../../opfs/volume/files/copy_range.ts";
import { fillRecord } from "../../opfs/volume/files/directory.ts";
import {
  fillBlocks,
  readInBlock,
  readTarget,
  writeTarget,
  zeroGap,
} from "../../opfs/volume/files/file_data.ts";
import { FileWriter } from "../../opfs/volume/files/file_writer.ts";
import { Edges } from "../../opfs/volume/files/edges.ts";
import { directPiece, missingBlocks, pooledPiece } from "../../opfs/volume/files/write_plan.ts";
import { setAttribute } from "../../opfs/volume/files/xattr.ts";
import * as L from "../../opfs/volume/format/layout.ts";
import type { BlockRun } from "../../opfs/volume/memory/bitmap.ts";
import { NO_BLOCK } from "../../opfs/volume/memory/extent.ts";
import type { VolumeState } from "../../opfs/volume/state.ts";
import { Compactor, cutEnd } from "../../opfs/volume/upkeep/compact.ts";
import { ImageExport } from "../../opfs/volume/upkeep/image_export.ts";
import { ImageTables } from "../../opfs/volume/upkeep/image_tables.ts";
import { namesIn } from "../../opfs/volume/upkeep/transfer.ts";
import { DIRECTORY, FILE } from "../support/on_volume.ts";
import type { Row } from "./structures.ts";
import type { Broken, VolumeRow } from "./volumes.ts";

const NAME = new TextEncoder().encode("user.a");
/** A value that is in blocks. */
const LONG = new Uint8Array(5000).fill(7);

/** Fills some blocks of a hole at file block 9. */
function filledOf(state: VolumeState, want: number): BlockRun {
  const found = { block: NO_BLOCK, count: 1, isUnwritten: false };
  return fillBlocks(state, 32, { fileBlock: 9, want, found, isPooled: true });
}

/** Inner functions, called as nothing calls them. */
export function fileInnerRows(parts: () => Broken): readonly Row[] {
  const backing = (): Backing => new Backing(parts().state);
  return [
    ["V4: the attributes of slot 500 of type 0", () => attributesOf(parts().state, 500)],
    ["V7: 2 blocks at -1 have room", () => backing().wrote(-1, 2)],
    ["V7: room for 0 blocks at 3", () => backing().ensure(3, 0)],
    ["V7: 0 blocks with room are wanted", () => backing().takeBacked(0)],
    ["V7: what is missing of blocks 5 to 3", () => missingBlocks(parts().state, 32, 5, 3)],
    ["V7: a step writes 0 bytes", () => pooledPiece(parts().state, 32, 0, 0)],
    ["V7: 999 blocks go to the device, of 16", () => {
      const { state, slot } = parts();
      state.pool.directRun = () => 999;
      directPiece(state, slot, 0, 65_536);
    }],
    ["V7: 0 blocks are given to a hole", () => filledOf(parts().state, 0)],
    ["V8: an edge ends 9 bytes on", () => new Edges(parts().state).zero(32, 4090, 4099)],
    ["V8: a gap goes from byte 9 to 5", () => zeroGap(parts().state, 32, 9, 5)],
    ["V7: bytes 4095 of a block are read, 2 of them", () => {
      readInBlock(parts().state, new Uint8Array(2), { block: 3, from: 4095, follow: 1 });
    }],
    ["V4: the target of slot 32 of type 1 is read", () => readTarget(parts().state, 32)],
    ["V7: 99 bytes are copied, of 9", () => {
      const { state, slot, volume } = parts();
      const target = (volume.create(volume.root, "copy", FILE) >>> 0) - 1;
      copyRange(state, { source: slot, at: 0, target, to: 0, length: 9 }, () => 99);
    }],
    ["V14: a device has written what no write has asked for", () => {
      new FileWriter(parts().state).wrote(1);
    }],
    ["V8: slot 32 is given out with 3 blocks", () => {
      const { state, slot } = parts();
      fillRecord(state, slot, FILE);
    }],
    ["V4: slot 32 of type 1 gets a target", () => {
      const { state, slot } = parts();
      writeTarget(state, slot, NAME);
    }],
    ["V4: slot 9000 of 1024 is moved", () => {
      const { state, journal } = parts();
      new Compactor(state, journal).moveOne(9000);
    }],
    ["V4: slot 32 of type 1 is moved as a value", () => {
      const { state, journal, slot } = parts();
      state.xattrs.set(slot, [slot]);
      new Compactor(state, journal).moveOne(slot);
    }],
    ["V3: -999999936 blocks are owned", () => {
      const { state, journal } = parts();
      Object.defineProperty(state.bitmap, "unowned", { value: 1e9 });
      new Compactor(state, journal);
    }],
  ];
}

/** What makes images of a volume, lists it and makes it shorter. */
export function copyInnerRows(parts: () => Broken): readonly Row[] {
  return [
    ["V15: 1 blocks at -1 are written over", () => {
      new ImageExport(parts().state).beforeWrite(-1, 1);
    }],
    [
      "V16: 128 bytes of first sums in 5",
      () => new ImageTables(parts().state).firstSums(5),
    ],
    ["V14: an image of what may still be taken back", () => {
      const { state } = parts();
      Object.defineProperty(state, "isHeld", { value: true });
      new ImageTables(state);
    }],
    ["V7: 0 blocks are cut off the end", () => {
      const { state, journal } = parts();
      cutEnd(state, journal, 0);
    }],
    ["V5: a listing goes from 0 to 0", () => {
      const { volume } = parts();
      volume.readdir = () => [{ ino: 2, mode: 0, name: "a", cursor: 0 }];
      namesIn(volume, 1);
    }],
  ];
}

/** Calls of the volume: it is FAILED afterwards. */
export const fileVolumeRows: readonly VolumeRow[] = [
  ["V7: a value of 9000 bytes has 2 blocks", ({ volume, state, ino, slot }) => {
    volume.setxattr(ino, "user.a", LONG, 0);
    const attribute = state.xattrs.get(slot)![0]!;
    state.tables.view.setUint32(attribute * 64 + L.XATTR.SIZE, 9000, true);
    volume.getxattr(ino, "user.a");
  }],
  ["V4: slot \\d+ of type 1 is given up as an attribute", ({ volume, state }) => {
    const ino = volume.create(volume.root, "other", FILE);
    state.xattrs.set((ino >>> 0) - 1, [(ino >>> 0) - 1]);
    volume.unlink(volume.root, "other");
  }],
  ["V4: slot 500 of type 0 gets an attribute", ({ state }) => {
    setAttribute(state, 500, { name: NAME, value: NAME, flags: 0 });
  }],
  ["V4: slot \\d+ is no further name of slot \\d+", ({ volume, state }) => {
    const ino = volume.create(volume.root, "other", FILE);
    const slot = (ino >>> 0) - 1;
    state.links.set(slot, [slot]);
    volume.unlink(volume.root, "other");
  }],
  ["V4: an empty directory counts 1 in it", ({ volume, state }) => {
    const ino = volume.create(volume.root, "empty", DIRECTORY);
    state.step(() => state.inodes.addSubdirectories((ino >>> 0) - 1, 1));
    volume.rmdir(volume.root, "empty");
  }],
  ["V4: slot \\d+ gets its first name and has one", ({ volume, state }) => {
    const ino = volume.tmpfile(volume.root, { mode: 0o600, uid: 0, gid: 0 });
    state.orphans.clear();
    volume.link(ino, volume.root, "named");
  }],
  ["V4: slot \\d+ joins a set that it is in", ({ volume, state }) => {
    const ino = volume.create(volume.root, "other", FILE);
    volume.retain(ino);
    state.orphans.add((ino >>> 0) - 1);
    volume.unlink(volume.root, "other");
  }],
  ["V7: 99 of 1 blocks have been allocated", ({ volume, state }) => {
    const ino = volume.create(volume.root, "other", FILE);
    state.bitmap.allocate = () => ({ block: 60, count: 99 });
    volume.write(ino, new Uint8Array(5), 0);
  }],
];
