/**
 * Each invariant of the engine's upper parts, made false on a volume: what breaks the state in
 * memory, or the device, and the call that meets it.
 *
 * Layer: tests. See `structures.ts`; here the volume must be FAILED afterwards.
 *
 * @module
 */
import { FALLOC_FL_ZERO_RANGE } from "../../abi/flags.ts";
import { Aside } from "../../opfs/volume/journal/aside.ts";
import { BlockSet } from "../../opfs/volume/memory/block_set.ts";
import { ImageExport } from "../../opfs/volume/upkeep/image_export.ts";
import { ImageTables } from "../../opfs/volume/upkeep/image_tables.ts";
import { Journal } from "../../opfs/volume/journal/journal.ts";
import * as L from "../../opfs/volume/format/layout.ts";
import { resizeFile } from "../../opfs/volume/space/resize.ts";
import type { VolumeState } from "../../opfs/volume/state.ts";
import { destroy } from "../../opfs/volume/files/directory.ts";
import { readBytes, writeInBlock, zeroInBlock } from "../../opfs/volume/files/file_data.ts";
import { extendForExport, makeRoomForBlocks } from "../../opfs/volume/space/grow.ts";
import { spaceOf } from "../../opfs/volume/space/space.ts";
import { Volume } from "../../opfs/volume/volume.ts";
import type { StorageHandle } from "../../opfs/device/handle.ts";
import { DIRECTORY, FILE } from "../support/on_volume.ts";
import { patched } from "./patched.ts";
import type { Row } from "./structures.ts";

/** A volume with a file "a" of three blocks, "b" that is another name of it, and directories "d/e". */
export interface Broken {
  volume: Volume;
  state: VolumeState;
  journal: Journal;
  handle: StorageHandle;
  /** Slot of "a". */
  slot: number;
  /** Inode of "a". */
  ino: number;
}

/** What a message says, and what breaks the rule and meets it. */
export type VolumeRow = readonly [message: string, act: (parts: Broken) => unknown];

/** Sets a value that a class keeps to itself, or derives. */
function tamper(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
}

const change = ({ volume, ino }: Broken): void => volume.setattr(ino, { mode: 0o600 });
const changeAndSync = (parts: Broken): void => {
  change(parts);
  parts.volume.sync();
};
const BLOCK_BYTES = 4096;

/** Calls of the volume: it is FAILED afterwards, and nothing is written any more. */
export const volumeRows: readonly VolumeRow[] = [
  ["V7: a fill left a hole", ({ volume, state, ino }) => {
    tamper(state.extents, "insert", () => {});
    volume.write(ino, new Uint8Array(10), 90_000);
  }],
  ["V7: an allocated range still has a hole", ({ volume, state, ino }) => {
    tamper(state.extents, "insert", () => {});
    volume.allocate(ino, FALLOC_FL_ZERO_RANGE, 80_000, 50_000);
  }],
  ["V15: a block is logged by nothing", ({ volume, state, ino }) => {
    tamper(state.pool, "directRun", () => 0);
    volume.allocate(ino, FALLOC_FL_ZERO_RANGE, 0, 8192);
  }],
  ["V4: slot \\d+ loses the last name that it counts, and has another one", (parts) => {
    const { volume, state, slot } = parts;
    state.tables.view.setUint16(slot * 64 + L.SLOT.NLINK, 1, true);
    volume.unlink(volume.root, "b");
  }],
  ["V4: slot \\d+ is a name of slot 0 of type 2", ({ volume, state }) => {
    const name = state.links.values().next().value![0]!;
    state.tables.view.setUint32(name * 64 + L.SLOT.FIRST_BLOCK, 0, true);
    volume.unlink(volume.root, "b");
  }],
  ["V4: slot \\d+ is unknown to its owner \\d+", ({ volume, state }) => {
    state.links.clear();
    volume.unlink(volume.root, "b");
  }],
  ["V6: the way up from a directory does not end", ({ volume, state }) => {
    const directory = volume.lookup(volume.root, "d");
    const below = volume.lookup(directory, "e");
    const { tables, paths } = state;
    // "d" is in "e", which is in "d".
    tables.nameView.setUint32(paths.offsetOf((directory >>> 0) - 1), (below >>> 0) - 1, true);
    volume.create(volume.root, "moved", DIRECTORY);
    volume.rename(volume.root, "moved", below, "moved", 0);
  }],
  ["V1: there are more segments than descriptors", ({ volume, state }) => {
    for (let slot = 1; slot < 32; slot++) state.tables.view.setUint8(slot * 64, L.TYPE.SEGMENT);
    for (let index = 0; index < 1100; index++) volume.create(volume.root, `f${index}`, FILE);
  }],
  ["D2: a device made \\d+ bytes long has 99999999", ({ volume, handle, ino }) => {
    const truncate = handle.truncate.bind(handle);
    tamper(handle, "truncate", (size: number) => {
      truncate(size);
      tamper(handle, "getSize", () => 99_999_999);
    });
    volume.write(ino, new Uint8Array(2_000_000), 0);
  }],
  ["D1: a device says 99999999 of \\d+ bytes", ({ volume, handle, ino }) => {
    tamper(handle, "write", () => 99_999_999);
    volume.write(ino, new Uint8Array(200_000), 0);
  }],
  ["D1: a device says NaN of \\d+ bytes", (parts) => {
    tamper(parts.handle, "write", () => NaN);
    changeAndSync(parts);
  }],
  ["V11: the page at \\d+ is past its table", (parts) => {
    parts.state.tables.homeSlots.resize(9000);
    parts.state.tables.homeSlots.add(8000);
    change(parts);
    parts.volume.exportImage();
  }],
  ["V3: 5 blocks are said, there are \\d+", (parts) => {
    parts.state.superblock.totalBlocks = 5;
    parts.volume.exportImage();
  }],
  ["V3: 1000000 of \\d+ blocks are free", (parts) => {
    tamper(parts.state.bitmap, "unowned", 1_000_000);
    parts.volume.exportImage();
  }],
  ["V9: the newest header is at 5", (parts) => {
    parts.state.headerAt = 5;
    parts.volume.exportImage();
  }],
  ["V1: blocks at \\d+ are owned twice", ({ volume, state, slot }) => {
    const other = (volume.create(volume.root, "other", FILE) >>> 0) - 1;
    const { view } = state.tables;
    volume.write(other + 1 + 2 ** 32, new Uint8Array(9), 0);
    const at = L.SLOT.FIRST_BLOCK;
    view.setUint32(other * 64 + at, view.getUint32(slot * 64 + at, true), true);
    volume.exportImage();
  }],
  ["V7: a continuation of holes", ({ volume, state, ino, slot }) => {
    volume.write(ino, new Uint8Array(9), 900_000);
    volume.sync();
    const leaf = state.extents.leavesOf(slot)[0]!;
    for (let pair = 0; pair < 6; pair++) {
      state.tables.view.setUint32(leaf * 64 + L.CONTINUATION.PAIRS + pair * 8, L.HOLE_BLOCK, true);
    }
    volume.exportImage();
  }],
  ["V7: an image of \\d+ bytes instead of 5", ({ volume, state }) => {
    void volume.exportImage().cancel();
    const image = new ImageExport(state);
    tamper(image, "totalBytes", 5);
    while (image.next() !== null);
  }],
  ["V1: a block handed out twice", ({ volume, state }) => {
    void volume.exportImage().cancel();
    const image = new ImageExport(state);
    let asked = 0;
    patched(BlockSet.prototype, { runAt: () => asked++ % 2 === 0 ? 1 : 0 }, () => {
      while (image.next() !== null);
    });
  }],
  ["V14: a commit inside of a transaction", ({ state, journal }) => {
    state.step(() => {
      state.touch(0, false);
      journal.commit();
    });
  }],
  ["V12: a record before what it speaks of is flushed", (parts) => {
    tamper(parts.state.pool, "isUnflushed", true);
    Object.freeze(parts.state.pool);
    tamper(parts.journal, "flush", () => {});
    changeAndSync(parts);
  }],
  ["V10: a record of \\d+ bytes of slots and names", (parts) => {
    change(parts);
    Object.defineProperty(parts.state.tables, "pendingBytes", { value: 1e9 });
    parts.volume.sync();
  }],
  ["V12: 0 dirty frames, 99 counted", (parts) => {
    tamper(parts.state.pool, "dirtyBlocks", 99);
    changeAndSync(parts);
  }],
  ["V10: the ring is full before a checkpoint", (parts) => {
    tamper(parts.journal, "checkpointInLessSpace", () => {});
    for (let round = 0; round < 2000; round++) changeAndSync(parts);
  }],
  ["V11: a checkpoint before everything is committed", (parts) => {
    change(parts);
    tamper(parts.journal, "commitFirst", () => {});
    parts.volume.exportImage();
  }],
  ["V10: from record 1000000 back to \\d+", (parts) => {
    parts.state.header.tailSequence = 1_000_000;
    parts.volume.exportImage();
  }],
  ["V1: segment 1 of table 1 has no descriptor", ({ volume, state }) => {
    // Blocks past the limit, which a list holds and no slot.
    const gone = volume.create(volume.root, "gone", FILE);
    volume.write(gone, new Uint8Array(1 << 20), 0);
    const firstBlock = state.bitmap.freeFrom(200);
    const at = state.placeOf(firstBlock, 0);
    state.segments.slots.push({ logical: 65_536, bytes: 4096, at, firstBlock, blockCount: 1 });
    state.bitmap.borrow(firstBlock, 1);
    volume.unlink(volume.root, "gone");
    const steps = volume.compact();
    while (steps.next().done !== true);
  }],
  ["V7: a volume longer by 0 blocks", ({ state }) => extendForExport(state, 0)],
  ["V18: the file grows while 5000 blocks wait for a commit", ({ state }) => {
    tamper(state.bitmap, "quarantined", 5000);
    state.committer = { ...state.committer!, commit: () => {}, unlog: () => {} };
    makeRoomForBlocks(state, 2000);
  }],
  ["V18: the file grows for 1 blocks while 5000 are free", ({ state }) => {
    // Little is free while the call looks, and much once it grows.
    let looks = 0;
    Object.defineProperty(state.bitmap, "free", { get: () => looks++ < 3 ? 1 : 5000 });
    makeRoomForBlocks(state, 1, { atEnd: 10 });
  }],
  ["V8: zeros over the end of their block", ({ state, slot }) => {
    zeroInBlock(state, slot, 4000, 9000);
  }],
  ["V8: bytes past the end of a file are read", ({ volume, state, ino }) => {
    let asked = 0;
    tamper(state, "sizeOf", () => asked++ === 0 ? 90_000 : 5);
    volume.read(ino, new Uint8Array(80_000), 0);
  }],
];

/** Inner functions, called as no caller calls them. */
export function innerRows(parts: () => Broken): readonly Row[] {
  return [
    ["V1: block 3 is put aside twice", () => {
      const { state } = parts();
      const aside = new Aside(state);
      aside.put(3, 1);
      aside.put(3, 1);
    }],
    ["V1: bytes are aside after all has been given back", () => {
      const aside = new Aside(parts().state);
      aside.put(3, 1);
      tamper(aside, "drop", () => {});
      aside.clear();
    }],
    ["D2: a file of 64 blocks is cut to 4096 bytes", () => resizeFile(parts().state, 4096)],
    ["V4: destroy() of a slot that is no inode", () => destroy(parts().state, 500)],
    ["V7: a write over the end of its block", () => {
      const { state, slot } = parts();
      writeInBlock(state, slot, 4090, new Uint8Array(10));
    }],
    ["V8: bytes past the end of a file are read", () => {
      const { state, slot } = parts();
      readBytes(state, slot, new Uint8Array(90_000), 0);
    }],
    ["V11: slots end at byte 65536", () => new ImageTables(parts().state).copy("slots", 65_530, 9)],
    ["V3: more blocks are free than there are", () => {
      const { state } = parts();
      tamper(state.bitmap, "unowned", 1e9);
      spaceOf(state);
    }],
    ["V7: a read of blocks that are not there", () => {
      const { state } = parts();
      state.readBlocks(new Uint8Array(BLOCK_BYTES), state.bitmap.blocks);
    }],
    ["V7: a write of block -1 to 0", () => {
      parts().state.writeBlocks(new Uint8Array(BLOCK_BYTES), -1);
    }],
    ["V7: a write of part of a block", () => parts().state.writeBlocks(new Uint8Array(5), 0)],
    ["V6: slot 0 is not the root", () => {
      const { state, journal, volume } = parts();
      state.tables.view.setUint8(0, L.TYPE.FILE);
      new Volume(state, journal, volume.report);
    }],
    ["V14: a volume that can be changed has no journal", () => {
      const { state, volume } = parts();
      new Volume(state, null, volume.report).compact();
    }],
    ["V10: a journal goes on at 7 with 0 bytes in use", () => {
      new Journal(parts().state, { sequence: 1, place: 7, checksum: 0 });
    }],
    ["V10: record -1 is next", () => {
      new Journal(parts().state, { sequence: -1, place: 0, checksum: 0 });
    }],
  ];
}
