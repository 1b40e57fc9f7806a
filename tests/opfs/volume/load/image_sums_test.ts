import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { newestHeader } from "../../../../opfs/volume/format/header.ts";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { mendVolume, repairSteps } from "../../../../opfs/volume/tools/repair.ts";
import { runToEnd } from "../../../../opfs/volume/upkeep/transfer.ts";
import type { Volume } from "../../../../opfs/volume/volume.ts";
import { differences, treeOf } from "../../../support/model_tree.ts";
import { FILE } from "../../../support/on_volume.ts";

/** Files enough for further segments of both tables. */
function populate(volume: Volume): void {
  for (let index = 0; index < 1200; index++) {
    volume.create(volume.root, `${index}`.padEnd(60, "x"), FILE);
  }
}

import { resealRecord } from "../../../support/reseal.ts";

const closed = (() => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  populate(volume);
  volume.close();
  return handle.toBytes();
})();

/** The same with records that touch some pages. */
const inUse = (() => {
  const handle = memoryHandle(closed);
  const volume = openVolumeSync(handle);
  for (const index of [3, 700, 1100]) {
    volume.setattr(volume.lookup(volume.root, `${index}`.padEnd(60, "x")), { mode: 0o600 });
    volume.sync();
  }
  volume.rename(volume.root, "5".padEnd(60, "x"), volume.root, "renamed", 0);
  volume.sync();
  return handle.toBytes();
})();

const shown = (bytes: Uint8Array<ArrayBuffer>) =>
  treeOf(openVolumeSync(memoryHandle(bytes), { readOnly: true }));

/** Where a slot's byte and a name are, and the sums of their pages. */
function places(bytes: Uint8Array): [string, number][] {
  const { superblock, ringBytes } = newestHeader(bytes);
  const sums = L.RING_AT + ringBytes;
  return [
    ["slot 1", superblock.inodeOffset + 64],
    ["the root", superblock.inodeOffset + L.SLOT.MODE],
    ["the mode of slot 40", superblock.inodeOffset + 40 * 64 + L.SLOT.MODE],
    ["a free slot", superblock.inodeOffset + 20 * 64 + 30],
    ["a name", superblock.pathOffset + 80 * 20 + 10],
    ["a dead name", superblock.pathOffset + 80 * 4 + 10],
    ["the first sum of slots", sums],
    ["a sum of slots", sums + 4 * 7 + 1],
    ["a sum of names", sums + 64 + 4 * 3 + 2],
  ];
}

for (const [what, image] of [["closed", closed], ["in use", inUse]] as const) {
  for (const [where, at] of places(image)) {
    Deno.test(`one bit of ${where} is put right and said: ${what}`, () => {
      const expected = shown(image);
      const bytes = image.slice();
      bytes[at]! ^= 0x10;
      assertEquals(differences(shown(bytes), expected), "");
      const isSeen = checkVolume(memoryHandle(bytes)).violations.some(({ rule, isDerivable }) =>
        rule === "V16" && isDerivable
      );
      const handle = memoryHandle(bytes);
      const volume = openVolumeSync(handle);
      assertEquals(volume.report.corrected.some(({ rule }) => rule === "V16"), isSeen);
      volume.close();
      assertEquals(checkVolume(handle).violations, []);
      assertEquals(differences(shown(handle.toBytes()), expected), "");
      const mended = memoryHandle(bytes);
      assertEquals(mendVolume(mended).violations, []);
      // A page that a record touches has its sum there: what stands at rest does not count.
      assert(isSeen || what === "in use", "nothing was said");
    });
  }

  Deno.test(`more than one bit is refused with page and slots, and named by repair: ${what}`, () => {
    const { superblock } = newestHeader(image);
    const slotAt = superblock.inodeOffset + 40 * 64 + L.SLOT.MODE;
    const nameAt = superblock.pathOffset + 80 * 20 + 10;
    for (const [at, said] of [[slotAt, "slots 0 to 63"], [nameAt, "names of slots"]] as const) {
      const bytes = image.slice();
      bytes[at]! ^= 0x11;
      bytes[at + 1]! ^= 0x11;
      const handle = memoryHandle(bytes);
      const { message } = assertThrows(() => openVolumeSync(handle), ErrnoError, "V16: page 0 of");
      assert(message.includes(said) && message.includes("cairn check --repair"), message);
      assertEquals(handle.toBytes(), bytes, "a refused mount has written");
      const target = memoryHandle();
      const { findings } = runToEnd(repairSteps(handle, target, { nowMs: 1 }));
      assert(findings.some(({ code }) => code === "page-damaged"), JSON.stringify(findings));
      assertEquals(checkVolume(target).violations, []);
    }
  });
}

Deno.test("a record without a sum for a page that it touches is impossible", () => {
  const view = new DataView(inUse.buffer);
  const records: number[] = [];
  const { salt, ringBytes } = newestHeader(inUse);
  for (let at = L.RING_AT; at < L.RING_AT + ringBytes; at += L.SECTOR_BYTES) {
    const isRecord = view.getUint32(at, true) === L.RECORD_MAGIC &&
      view.getUint32(at + L.RECORD.SALT, true) === salt[0];
    if (isRecord) records.push(at);
  }
  const change = (act: (view: DataView, last: number) => void): Uint8Array<ArrayBuffer> => {
    const bytes = inUse.slice();
    const last = records.at(-1)!;
    act(new DataView(bytes.buffer), last);
    resealRecord(bytes, last);
    return bytes;
  };
  const count = view.getUint32(records.at(-1)! + L.RECORD.SUMS, true);
  const fewer = change((view, last) => view.setUint32(last + L.RECORD.SUMS, count - 1, true));
  assertThrows(() => openVolumeSync(memoryHandle(fewer)), ErrnoError, "1 pages without a sum");
  const more = change((view, last) => view.setUint32(last + L.RECORD.SUMS, count + 1, true));
  assertThrows(() => openVolumeSync(memoryHandle(more)), ErrnoError, "which it does not touch");
});
