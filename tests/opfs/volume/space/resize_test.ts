/**
 * What happens around a change of the file's length: rule 11 of docs/FORMAT.md, and that no call
 * goes another way.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { resizeFile } from "../../../../opfs/volume/space/resize.ts";
import { RING_AT, RING_BYTES_DEFAULT } from "../../../../opfs/volume/format/layout.ts";
import { type Change, CrashHandle } from "../../../support/crash_handle.ts";
import { stateOf } from "../../../support/engine_state.ts";
import { readText, sourceFiles } from "../../../../tools/project.ts";

const SLOTS_AT = RING_AT + RING_BYTES_DEFAULT;
const FILE = { mode: 0o100644, uid: 0, gid: 0 };

Deno.test("resizeFile() leaves the mark that the next commit flushes for", () => {
  const volume = openVolumeSync(memoryHandle());
  const state = stateOf(volume);
  assertEquals(state.pool.isUnflushed, false);
  resizeFile(state, state.placeOf(state.bitmap.blocks + 1, 0));
  assertEquals(state.pool.isUnflushed, true);
});

Deno.test("resizeFile() never cuts off what is in the volume", () => {
  const state = stateOf(openVolumeSync(memoryHandle()));
  assertThrows(() => resizeFile(state, state.placeOf(1, 0)), Error, "D2: a file of");
});

Deno.test("a mounted volume changes its length by resizeFile() alone", () => {
  // These make images that no volume is mounted on, with flushes of their own.
  const own = ["format", "image_import", "version1/write", "repair", "resize"];
  const others = sourceFiles(["opfs/volume"]).filter((path) =>
    !own.some((name) => path.endsWith(`/${name}.ts`))
  );
  assertEquals(others.filter((path) => /\.truncate\(/.test(readText(path))), []);
});

/** An image that a close has cut, with bytes of a file after its end that no flush has removed. */
function closedWithBytesBehind(): CrashHandle {
  const before = new CrashHandle();
  const volume = openVolumeSync(before, { durability: "fsync" });
  for (let index = 0; index < 970; index++) volume.create(volume.root, `f${index}`, FILE);
  const big = volume.create(volume.root, "big", FILE);
  volume.write(big, new Uint8Array(8 << 20).fill(1), 0);
  volume.sync();
  volume.unlink(volume.root, "big");
  volume.sync();
  volume.close();
  return before;
}

/** The image of a power cut before each flush of which headers and ring got through, and no more. */
function* journalOnly(handle: CrashHandle, from: number): Generator<Uint8Array> {
  const durable = memoryHandle();
  let waiting: Change[] = [];
  for (const [index, change] of handle.changes.entries()) {
    if (change.kind !== "flush") {
      waiting.push(change);
      continue;
    }
    if (index >= from) {
      const image = memoryHandle(durable.toBytes());
      for (const one of waiting) {
        if (one.kind === "write" && one.at < SLOTS_AT) image.write(one.bytes, { at: one.at });
      }
      yield image.toBytes();
    }
    for (const one of waiting) {
      if (one.kind === "write") durable.write(one.bytes, { at: one.at });
      else if (one.kind === "truncate") durable.truncate(one.size);
    }
    waiting = [];
  }
}

Deno.test("a table that grows over bytes that a cut has left survives a power cut", () => {
  const handle = closedWithBytesBehind();
  const closedAt = handle.changes.length;
  const volume = openVolumeSync(handle, { durability: "fsync" });
  for (let index = 0; index < 60; index++) volume.create(volume.root, `g${index}`, FILE);
  volume.sync();
  let images = 0;
  for (const image of journalOnly(handle, closedAt)) {
    const again = openVolumeSync(memoryHandle(image));
    assertEquals(again.lookup(again.root, "f969") > 0, true);
    images++;
  }
  assertEquals(images >= 2, true);
});
