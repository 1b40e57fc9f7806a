/** Fields that several kinds of slots share: each stands where FORMAT.md says, and moves nothing else. */
import { assertEquals } from "@std/assert";
import * as L from "../../../../opfs/volume/format/layout.ts";
import * as S from "../../../../opfs/volume/format/slots.ts";

/** The bytes that `write` has changed in three slots of 0xee. */
function changed(write: (view: DataView) => void): Record<number, number> {
  const bytes = new Uint8Array(3 * L.SLOT_BYTES).fill(0xee);
  write(new DataView(bytes.buffer));
  const all = [...bytes.entries()];
  return Object.fromEntries(all.filter(([, byte]) => byte !== 0xee));
}

Deno.test("slots: the type is the first byte of a slot", () => {
  const view = new DataView(new ArrayBuffer(3 * L.SLOT_BYTES));
  S.setTypeAt(view, 2 * L.SLOT_BYTES, L.TYPE.SYMLINK);
  assertEquals([0, 1, 2].map((slot) => S.typeOf(view, slot)), [0, 0, L.TYPE.SYMLINK]);
  assertEquals(S.typeAt(view, 2 * L.SLOT_BYTES), L.TYPE.SYMLINK);
  assertEquals(changed((one) => S.setTypeAt(one, 64, 5)), { 64: 5 });
});

Deno.test("slots: a pair is a first block and a count, little-endian", () => {
  const write = (view: DataView) => S.putPair(view, 16, 0x04030201, 0x88070605);
  assertEquals(changed(write), { 16: 1, 17: 2, 18: 3, 19: 4, 20: 5, 21: 6, 22: 7, 23: 0x88 });
  const view = new DataView(new ArrayBuffer(64));
  S.putPair(view, 16, 7, 9);
  S.setBlockOfPair(view, 16, L.HOLE_BLOCK);
  assertEquals([S.blockOfPair(view, 16), S.countOfPair(view, 16)], [L.HOLE_BLOCK, 9]);
});

Deno.test("slots: an entry begins with its parent, sums follow each other", () => {
  const view = new DataView(new ArrayBuffer(64));
  view.setUint32(32, 0xfffffffe, true);
  assertEquals(S.parentAt(view, 32), 0xfffffffe);
  S.putSum(view, 3, 0x80000001);
  assertEquals([S.sumAt(view, 3), view.getUint32(12, true)], [0x80000001, 0x80000001]);
});
