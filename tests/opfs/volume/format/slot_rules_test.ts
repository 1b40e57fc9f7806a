/** The rules of single slots; check_test.ts seeds them into an image. */
import { assertEquals } from "@std/assert";
import * as L from "../../../../opfs/volume/format/layout.ts";
import {
  checkDescriptor,
  checkFree,
  checkInode,
  checkLeaf,
  checkLink,
  knownBits,
  slotTypeOf,
} from "../../../../opfs/volume/format/slot_rules.ts";

type Check = (view: DataView<ArrayBuffer>) => void;

/** What one slot breaks, by its bytes: offset and value. */
function broken(
  check: (view: DataView<ArrayBuffer>, report: (rule: string) => void) => void,
  ...fill: Check[]
): string[] {
  const view = new DataView(new ArrayBuffer(2 * L.SLOT_BYTES));
  for (const set of fill) set(view);
  const rules: string[] = [];
  check(view, (rule) => void rules.push(rule));
  return rules;
}

const u8 = (at: number, value: number): Check => (view) => view.setUint8(64 + at, value);
const u16 = (at: number, value: number): Check => (view) => view.setUint16(64 + at, value, true);
const u32 = (at: number, value: number): Check => (view) => view.setUint32(64 + at, value, true);
const f64 = (at: number, value: number): Check => (view) => view.setFloat64(64 + at, value, true);
const inode = (...fill: Check[]) => broken((view, to) => checkInode(view, 1, to), ...fill);
const leaf = (...fill: Check[]) => broken((view, to) => checkLeaf(view, 1, to), ...fill);

Deno.test("slotTypeOf() knows the kinds of files there are, and no other", () => {
  const rows: [number, number][] = [
    [0o100644, L.TYPE.FILE],
    [0o010600, L.TYPE.FILE],
    [0o140600, L.TYPE.FILE],
    [0o020600, L.TYPE.FILE],
    [0o060600, L.TYPE.FILE],
    [0o040755, L.TYPE.DIRECTORY],
    [0o120777, L.TYPE.SYMLINK],
    [0o000644, L.TYPE.FREE],
    [0o150644, L.TYPE.FREE],
    [0o170000, L.TYPE.FREE],
  ];
  for (const [mode, type] of rows) assertEquals(slotTypeOf(mode), type, mode.toString(8));
  assertEquals([knownBits(0o107777), knownBits(0xffffffff)], [0o107777, 0o177777]);
});

Deno.test("checkFree() takes a generation and nothing else", () => {
  const free = (...fill: Check[]) =>
    broken((view, to) => checkFree(new Uint32Array(view.buffer), 1, to), ...fill);
  assertEquals(free(u16(2, 0xffff)), []);
  for (const at of [1, 4, 8, 63]) assertEquals(free(u16(2, 9), u8(at, 1)), ["V8"], `byte ${at}`);
});

Deno.test("checkInode() looks at type, mode, size, flags, times and a directory's count", () => {
  const file = [u8(0, 1), u32(12, 0o100644)];
  const directory = [u8(0, 2), u32(12, 0o041777), u16(10, 1)];
  const link = [u8(0, 3), u32(12, 0o120777), f64(16, 4095)];
  for (const fill of [file, directory, link]) assertEquals(inode(...fill), []);
  assertEquals(inode(...file, u8(1, 1), f64(16, 2 ** 53 - 1), u16(10, 900)), []);
  const rows: [Check[], string[]][] = [
    [[...file, u32(12, 0o040644)], ["V8"]],
    [[...file, u32(12, 0x80000000 + 0o100644)], ["V8"]],
    [[...file, u8(1, 3)], ["V8"]],
    [[...file, f64(16, 0.5)], ["V7"]],
    [[...file, f64(16, -1)], ["V7"]],
    [[...file, f64(32, NaN)], ["V8"]],
    [[...file, f64(40, Infinity)], ["V8"]],
    [[...file, f64(48, -Infinity)], ["V8"]],
    [[...directory, f64(16, 1)], ["V7"]],
    [[...directory, u8(1, 1)], ["V8"]],
    [[...directory, u16(10, 2)], ["V4"]],
    [[...link, f64(16, 0)], ["V7"]],
    [[...link, f64(16, 4096)], ["V7"]],
  ];
  for (const [fill, rules] of rows) assertEquals(inode(...fill), rules);
  assertEquals(inode(...directory, u16(10, 0)), []);
});

Deno.test("checkLink(), checkLeaf() and checkDescriptor() look at what must be zero", () => {
  const link = (...fill: Check[]) => broken((view, to) => checkLink(view, 1, to), ...fill);
  assertEquals(link(u8(0, 4), u32(4, 16), u32(24, 40)), []);
  for (const set of [u8(1, 1), u32(12, 1), f64(16, 1), u32(28, 1)]) {
    assertEquals(link(set), ["V8"]);
  }
  const pair = (index: number, block: number) => u32(16 + index * 8, block);
  assertEquals(leaf(u8(1, 2), pair(0, L.HOLE_BLOCK), pair(1, 5), u16(12, 99)), []);
  assertEquals(leaf(u8(1, 2), pair(0, L.HOLE_BLOCK), pair(1, L.HOLE_BLOCK)), ["V7"]);
  assertEquals(leaf(u8(1, 1), u16(14, 1)), ["V8"]);
  assertEquals([leaf(u8(1, 0)), leaf(u8(1, 7)), leaf(u8(1, 6))], [["V7"], ["V7"], []]);
  const descriptor = (...fill: Check[]) =>
    broken((view, to) => checkDescriptor(view, 1, to), ...fill);
  assertEquals(descriptor(u8(0, 5), f64(16, 4096), f64(24, 4096), u32(8, 7)), []);
  for (const at of [12, 15, 32, 63]) assertEquals(descriptor(u8(at, 1)), ["V8"], `byte ${at}`);
});
