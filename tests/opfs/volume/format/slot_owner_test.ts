/** Whose a slot is, by the bytes of both. */
import { assertEquals } from "@std/assert";
import * as L from "../../../../opfs/volume/format/layout.ts";
import {
  generationOf,
  isDead,
  liveOwnerOf,
  namedOwnerOf,
  setGeneration,
} from "../../../../opfs/volume/format/slot_owner.ts";

const OWNER = 40;

/** Slot 41 names slot 40 of generation 7 as its owner. */
function slotsWith(type: number, ownerType: number, generation = 7): DataView {
  const view = new DataView(new ArrayBuffer(64 * 64));
  const at = 41 * 64;
  view.setUint8(at, type);
  view.setUint8(OWNER * 64, ownerType);
  setGeneration(view, OWNER, generation);
  const isLeaf = type === L.TYPE.CONTINUATION;
  view.setUint32(at + (isLeaf ? 4 : 12), OWNER, true);
  view.setUint16(at + (isLeaf ? 2 : 10), 7, true);
  return view;
}

Deno.test("liveOwnerOf() is the owner that has such slots, and is of the generation said", () => {
  const { FILE, DIRECTORY, SYMLINK, LINK, FREE, CONTINUATION, XATTR } = L.TYPE;
  const rows: [number, number, number, number][] = [
    [CONTINUATION, FILE, 7, OWNER],
    [CONTINUATION, SYMLINK, 7, OWNER],
    [CONTINUATION, DIRECTORY, 7, -1],
    [CONTINUATION, LINK, 7, -1],
    [CONTINUATION, FREE, 7, -1],
    [CONTINUATION, CONTINUATION, 7, -1],
    [CONTINUATION, FILE, 8, -1],
    [XATTR, FILE, 7, OWNER],
    [XATTR, DIRECTORY, 7, OWNER],
    [XATTR, XATTR, 7, -1],
    [XATTR, SYMLINK, 6, -1],
  ];
  for (const [type, ownerType, generation, expected] of rows) {
    const view = slotsWith(type, ownerType, generation);
    const seen = [namedOwnerOf(view, 41), liveOwnerOf(view, 41), isDead(view, 41)];
    const row = `${type} of ${ownerType}, generation ${generation}`;
    assertEquals(seen, [OWNER, expected, expected < 0], row);
  }
});

Deno.test("liveOwnerOf() believes no owner after the table's end, nor a slot of another type", () => {
  const view = slotsWith(L.TYPE.CONTINUATION, L.TYPE.FILE);
  view.setUint32(41 * 64 + 4, 64, true);
  assertEquals([namedOwnerOf(view, 41), liveOwnerOf(view, 41)], [64, -1]);
  view.setUint32(41 * 64 + 4, 0xffffffff, true);
  assertEquals([namedOwnerOf(view, 41), isDead(view, 41)], [0xffffffff, true]);
  for (const type of [L.TYPE.FREE, L.TYPE.FILE, L.TYPE.LINK, L.TYPE.SEGMENT]) {
    view.setUint8(41 * 64, type);
    assertEquals([namedOwnerOf(view, 41), isDead(view, 41)], [-1, false]);
  }
});

Deno.test("a continuation has its own generation beside that of its owner", () => {
  const view = slotsWith(L.TYPE.CONTINUATION, L.TYPE.FILE);
  setGeneration(view, 41, 65_536 + 9);
  assertEquals([view.getUint16(41 * 64 + 12, true), generationOf(view, 41)], [9, 9]);
  assertEquals(liveOwnerOf(view, 41), OWNER);
});
