/**
 * Each invariant of names, attributes and contents of files, and of what moves them, made false.
 *
 * Layer: tests. See `structures.ts` and `volumes.ts`.
 *
 * @module
 */
import { attributesOf } from "../../opfs/volume/files/attributes.ts";
import { Backing } from "../../opfs/volume/files/backing.ts";
import { fillRecord } from "../../opfs/volume/files/directory.ts";
import { writeTarget } from "../../opfs/volume/files/file_data.ts";
import { FileWriter } from "../../opfs/volume/files/file_writer.ts";
import { setAttribute } from "../../opfs/volume/files/xattr.ts";
import * as L from "../../opfs/volume/format/layout.ts";
import { Compactor } from "../../opfs/volume/upkeep/compact.ts";
import { DIRECTORY, FILE } from "../support/on_volume.ts";
import type { Row } from "./structures.ts";
import type { Broken, VolumeRow } from "./volumes.ts";

const NAME = new TextEncoder().encode("user.a");
/** A value that is in blocks. */
const LONG = new Uint8Array(5000).fill(7);

/** Inner functions, called as nothing calls them. */
export function fileInnerRows(parts: () => Broken): readonly Row[] {
  const backing = (): Backing => new Backing(parts().state);
  return [
    ["V4: the attributes of slot 500 of type 0", () => attributesOf(parts().state, 500)],
    ["V7: 2 blocks at -1 have room", () => backing().wrote(-1, 2)],
    ["V7: room for 0 blocks at 3", () => backing().ensure(3, 0)],
    ["V7: 0 blocks with room are wanted", () => backing().takeBacked(0)],
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
    Object.defineProperty(state.bitmap, "allocated", { get: () => 99, set: () => {} });
    volume.write(ino, new Uint8Array(5), 0);
  }],
];
